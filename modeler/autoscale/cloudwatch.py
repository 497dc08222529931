"""CloudWatch alarms: when datapoints put an alarm into ALARM, and how often its action is invoked.

A datapoint breaches, does not breach, or is missing. An alarm is in ALARM when at least M of its
last N datapoints breach. When points are missing, CloudWatch looks further back than N for real
ones; only where there are fewer real ones than N does ``treat_missing`` matter:

* ``breaching`` and ``notBreaching`` fill the gap with points of that sort;
* ``ignore`` keeps the state, unless a real point that does not breach, or M that do, decide it;
* ``missing`` (the default) goes to INSUFFICIENT_DATA when there is no real point at all, and to
  ALARM when all real points breach and the oldest is at least M periods old; younger ones alone
  keep the state, for the next may be fine ("premature transitions").

An ordinary action is invoked when the state changes. One that scales is invoked again once a
minute for as long as the state lasts.

Source: CloudWatch user guide, alarms-and-missing-data (rules and both tables) and
AlarmThatSendsEmail (actions), read 2026-09.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modeler.compiled import kernel

# States; a new alarm starts without data.
INSUFFICIENT_DATA: Final = 0
OK: Final = 1
ALARM: Final = 2
STATES: Final = ("INSUFFICIENT_DATA", "OK", "ALARM")

# Comparisons, in the symbols and in the API's names.
GREATER: Final = 0
AT_LEAST: Final = 1
LESS: Final = 2
AT_MOST: Final = 3
COMPARISONS: Final = {
    ">": GREATER,
    ">=": AT_LEAST,
    "<": LESS,
    "<=": AT_MOST,
    "GreaterThanThreshold": GREATER,
    "GreaterThanOrEqualToThreshold": AT_LEAST,
    "LessThanThreshold": LESS,
    "LessThanOrEqualToThreshold": AT_MOST,
}

# What stands in for missing datapoints.
MISSING: Final = 0
IGNORE: Final = 1
BREACHING: Final = 2
NOT_BREACHING: Final = 3
TREATMENTS: Final = {
    "missing": MISSING,
    "ignore": IGNORE,
    "breaching": BREACHING,
    "notBreaching": NOT_BREACHING,
}

REPEAT_S: Final = 60.0  # scaling actions repeat once a minute (documented)
# How much further back than N the evaluation range reaches: the vendor gives no rule; its tables
# show five points for three periods (observed). [periods]
RANGE_BEYOND: Final = 2
# Sums and quotients carry rounding; what differs from a bound by less is equal to it.
ROUNDING: Final = 1e-9


@kernel()
def breaches(value, comparison, threshold):  # type: ignore[no-untyped-def]
    """Whether a datapoint breaches; one equal to the threshold only where equality is asked for."""
    slack = ROUNDING * max(abs(threshold), abs(value))
    if comparison == GREATER:
        return value - threshold > slack
    if comparison == AT_LEAST:
        return value - threshold >= -slack
    if comparison == LESS:
        return threshold - value > slack
    return threshold - value >= -slack


@kernel()
def alarm_state(points, base, n, ring, reach, comparison, threshold, periods, needed, fill, before):  # type: ignore[no-untyped-def]
    """State of an alarm after its n-th datapoint.

    Parameters
    ----------
    points : float64[]. Memory; datapoint k lies at ``base + k % ring``, NaN where it is missing.
    base, n, ring : int. Where they start, how many have come, how many places there are.
    reach : int. Length of the evaluation range; points before the first are missing. [datapoints]
    comparison, threshold : int, float. When a point breaches.
    periods, needed : int. N, the real points wanted, and M, those that must breach. [datapoints]
    fill : int. One of `MISSING`, `IGNORE`, `BREACHING`, `NOT_BREACHING`.
    before : int. The state so far.

    Returns
    -------
    int : `INSUFFICIENT_DATA`, `OK` or `ALARM`.
    """
    real = 0
    breaching = 0
    oldest = 0  # age of the oldest real point, the newest counting as 1
    for age in range(1, min(reach, n) + 1):
        value = points[base + (n - age) % ring]
        if np.isnan(value):
            continue
        real += 1
        oldest = age
        if breaches(value, comparison, threshold):
            breaching += 1
        if real == periods:
            break
    if breaching >= needed:
        return ALARM
    if real == periods or fill == NOT_BREACHING:
        return OK
    if fill == BREACHING:
        return ALARM if breaching + (periods - real) >= needed else OK
    if real == 0:
        return before if fill == IGNORE else INSUFFICIENT_DATA
    if breaching < real:
        return OK
    return ALARM if fill == MISSING and oldest >= needed else before


@kernel()
def action_due(memory, slot, in_alarm, now):  # type: ignore[no-untyped-def]
    """Whether the scaling action is invoked now: on entry, then once a minute while it lasts.

    ``memory[slot]`` holds when it is next due, 0 outside of an episode. [s]
    """
    if not in_alarm:
        memory[slot] = 0.0
        return False
    if memory[slot] == 0.0 or now >= memory[slot] - ROUNDING:
        memory[slot] = now + REPEAT_S
        return True
    return False
