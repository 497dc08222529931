"""The arithmetic of step scaling: from the size of a breach to a capacity.

The breach is the aggregated metric less the alarm's threshold. Above the threshold and at it an
interval holds its lower bound and not its upper one, below the threshold its upper and not its
lower. A percentage is truncated toward zero, but a part of one replica is one replica; an
adjustment smaller than ``MinAdjustmentMagnitude`` is raised to it.

Source: application/userguide/step-scaling-policy-overview.html and the API reference,
StepScalingPolicyConfiguration, read 2026-09.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modeler.autoscale.cloudwatch import ROUNDING
from modeler.compiled import kernel

CHANGE: Final = 0
EXACT: Final = 1
PERCENT: Final = 2
ADJUSTMENTS: Final = {
    "ChangeInCapacity": CHANGE,
    "ExactCapacity": EXACT,
    "PercentChangeInCapacity": PERCENT,
}
AVERAGE: Final = 0
MINIMUM: Final = 1
MAXIMUM: Final = 2
AGGREGATIONS: Final = {"Average": AVERAGE, "Minimum": MINIMUM, "Maximum": MAXIMUM}


@kernel()
def truncated(change):  # type: ignore[no-untyped-def]
    """A change toward zero, but never to it: 12.7 is 12, 0.6 is 1, -0.6 is -1. [replicas]"""
    if 0.0 < change < 1.0:
        return 1.0
    if -1.0 < change < 0.0:
        return -1.0
    return np.trunc(change * (1.0 + ROUNDING))


@kernel()
def adjusted(capacity, kind, adjustment, least):  # type: ignore[no-untyped-def]
    """Capacity after one adjustment; `least` is the smallest change of a percentage. [replicas]"""
    if kind == EXACT:
        return adjustment
    if kind == CHANGE:
        return capacity + adjustment
    change = truncated(capacity * adjustment / 100.0)
    if adjustment > 0.0:
        change = max(change, least)
    elif adjustment < 0.0:
        change = min(change, -least)
    return capacity + change


@kernel()
def step_of(table, at, count, breach):  # type: ignore[no-untyped-def]
    """Which of the steps holds this breach; -1 when none does.

    Step k is three values from ``table[at + 3 k]`` on: lower bound, upper bound (infinite where
    there is none), adjustment.
    """
    for k in range(count):
        lower, upper = table[at + 3 * k], table[at + 3 * k + 1]
        if breach >= 0.0 and lower <= breach < upper:
            return k
        if breach < 0.0 and lower < breach <= upper:
            return k
    # At the threshold of an alarm that includes it, a policy that looks below has the step's end.
    if breach == 0.0:
        for k in range(count):
            if table[at + 3 * k] < 0.0 == table[at + 3 * k + 1]:
                return k
    return -1


@kernel()
def stepped(capacity, kind, table, at, count, breach, least):  # type: ignore[no-untyped-def]
    """Capacity after the step that holds the breach; as it is when none does. [replicas]"""
    k = step_of(table, at, count, breach)
    if k < 0:
        return capacity
    return max(adjusted(capacity, kind, table[at + 3 * k + 2], least), 0.0)
