"""Kubernetes HPA: what holds a proposal back, stabilisation first and rates after it.

Histories are pairs in a flat vector: replicas recommended and when, replicas added or removed and
when. Rules of one direction are ``[select, n, (type, value, period_s) x n]``. Doubles are used in
the controller's own order of operations: 100 x (1 + 10 / 100) is 110.00000000000001, so that 10 %
of 100 may add eleven.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/horizontal.go, read 2026-09.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from modeler.compiled import kernel

MAX_CHANGE, MIN_CHANGE, DISABLED = 0.0, 1.0, 2.0
SELECT = {"max": MAX_CHANGE, "min": MIN_CHANGE, "disabled": DISABLED}
PODS, PERCENT = 0.0, 1.0
TYPE = {"pods": PODS, "percent": PERCENT}

# What limited a proposal.
FREE, BY_MIN, BY_MAX, BY_UP_LIMIT, BY_DOWN_LIMIT = 0, 1, 2, 3, 4

# Without behavior: at most the larger of twice the current replicas and four (documented: the
# constants scaleUpLimitFactor and scaleUpLimitMinimum of horizontal.go).
UP_LIMIT_FACTOR = 2.0
UP_LIMIT_MINIMUM = 4.0


class Rules(NamedTuple):
    """The rules of one direction.

    ``select`` is ``max``, ``min`` or ``disabled``; ``rates`` are of type (``pods`` or ``percent``),
    value and period [s]; ``window_s`` is the stabilisation window. [s]
    """

    select: str
    rates: tuple[tuple[str, float, float], ...]
    window_s: float

    @property
    def longest_s(self) -> float:
        """The longest period of a rate. [s]"""
        return max(rate[2] for rate in self.rates)


# Documented: pkg/apis/autoscaling/v2/defaults.go; the window of scale-down is a controller's flag.
UP_RULES = Rules("max", (("pods", 4.0, 15.0), ("percent", 100.0, 15.0)), 0.0)
DOWN_RULES = Rules("max", (("percent", 100.0, 15.0),), 300.0)

# Ages are sums of sync periods; one that differs from a window by less is equal to it.
_ROUNDING_S = 1e-6


class Events(NamedTuple):
    """Where the two lists of scale events stand in a vector, and how long they are."""

    up_at: int
    ups: int
    down_at: int
    downs: int


def pack_rules(rules: Rules) -> list[float]:
    """Select policy and rates as numbers."""
    packed = [SELECT[rules.select], float(len(rules.rates))]
    for kind, value, period_s in rules.rates:
        packed += [TYPE[kind], value, period_s]
    return packed


@kernel()
def highest(history, at, n, window_s, wanted, now):  # type: ignore[no-untyped-def]
    """The largest recommendation younger than the window, the new one included."""
    for k in range(n):
        if now - history[at + 2 * k + 1] < window_s - _ROUNDING_S:
            wanted = max(wanted, history[at + 2 * k])
    return wanted


@kernel()
def lowest(history, at, n, window_s, wanted, now):  # type: ignore[no-untyped-def]
    """The smallest recommendation younger than the window, the new one included."""
    for k in range(n):
        if now - history[at + 2 * k + 1] < window_s - _ROUNDING_S:
            wanted = min(wanted, history[at + 2 * k])
    return wanted


@kernel(inline="always")
def between(current, low, high):  # type: ignore[no-untyped-def]
    """Current replicas moved no further than both windows allow."""
    kept = max(current, low)
    return min(kept, high)


@kernel()
def _changed(events, at, n, period_s, now):  # type: ignore[no-untyped-def]
    """Replicas of one list of events that are younger than the period."""
    total = 0.0
    for k in range(n):
        if now - events[at + 2 * k + 1] < period_s - _ROUNDING_S:
            total += events[at + 2 * k]
    return total


@kernel()
def behavior_limit(up, current, rules, at, history, events, now):  # type: ignore[no-untyped-def]
    """The furthest that the rules of one direction let the replicas go.

    Parameters
    ----------
    up : bool. The direction.
    current : float. [replicas]
    rules : float64[]. Rules of that direction, from `at` on.
    history : float64[]. Holds both lists of scale events.
    events : Events. Where they are.
    now : float. [s]
    """
    select = rules[at]
    if select == DISABLED:
        return current
    # The larger change is the larger number on the way up and the smaller on the way down.
    upper = up == (select == MAX_CHANGE)
    limit = -np.inf if upper else np.inf
    for k in range(int(rules[at + 1])):
        kind = rules[at + 2 + 3 * k]
        value = rules[at + 3 + 3 * k]
        period_s = rules[at + 4 + 3 * k]
        added = _changed(history, events.up_at, events.ups, period_s, now)
        removed = _changed(history, events.down_at, events.downs, period_s, now)
        start = current - added + removed
        if kind == PODS:
            proposed = start + value if up else start - value
        elif up:
            proposed = np.ceil(start * (1.0 + value / 100.0))
        else:
            proposed = np.trunc(start * (1.0 - value / 100.0))
        limit = max(limit, proposed) if upper else min(limit, proposed)
    return limit


@kernel()
def behavior_limited(  # type: ignore[no-untyped-def]
    current, wanted, minimum, maximum, rules, up_at, down_at, history, events, now
):
    """A proposal within the rates and the bounds, and what limited it."""
    if wanted == current:
        return wanted, FREE
    up = wanted > current
    at = up_at if up else down_at
    limit = behavior_limit(up, current, rules, at, history, events, now)
    if up:
        limit = max(limit, current)
        allowed, by = (limit, BY_UP_LIMIT) if maximum > limit else (maximum, BY_MAX)
        return (allowed, by) if wanted > allowed else (wanted, FREE)
    limit = min(limit, current)
    allowed, by = (limit, BY_DOWN_LIMIT) if minimum < limit else (minimum, BY_MIN)
    return (allowed, by) if wanted < allowed else (wanted, FREE)


@kernel()
def legacy_limited(current, wanted, minimum, maximum):  # type: ignore[no-untyped-def]
    """A proposal within the bounds and the doubling limit, and what limited it."""
    limit = max(UP_LIMIT_FACTOR * current, UP_LIMIT_MINIMUM)
    allowed, by = (limit, BY_UP_LIMIT) if maximum > limit else (maximum, BY_MAX)
    if wanted < minimum:
        return minimum, BY_MIN
    if wanted > allowed:
        return allowed, by
    return wanted, FREE


@kernel(inline="always")
def outside(current, minimum, maximum):  # type: ignore[no-untyped-def]
    """What happens before any metric is read: replicas, and whether it ends the reconcile.

    Zero replicas with a minimum above zero means that scaling is switched off. Replicas outside of
    the bounds go to the bound at once.
    """
    if current == 0.0 and minimum != 0.0:
        return 0.0, True
    if current > maximum:
        return maximum, True
    if current < minimum:
        return minimum, True
    return current, False


@kernel()
def store_event(history, at, n, longest_s, change, now):  # type: ignore[no-untyped-def]
    """Keep a scale event, in the place of one that no policy of its direction counts any more.

    Returns how many events the list has then. An event in whose place another was put is lost to
    policies of the other direction as well, as it is upstream.
    """
    place = n
    for k in range(n):
        if now - history[at + 2 * k + 1] > longest_s + _ROUNDING_S:
            place = k
    history[at + 2 * place] = change
    history[at + 2 * place + 1] = now
    return max(n, place + 1)
