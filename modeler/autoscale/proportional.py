"""The arithmetic of target tracking: from a metric to a capacity.

Capacity is ``ceil(capacity x metric / target)`` in both directions: out rounds a change up, in
removes the rounded-down amount. Both published examples follow: 10 replicas at 150 against 100 go
to 15, and a needed change of +1.5 becomes +2, one of -1.5 becomes -1.

Sources: docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html and
as-scaling-target-tracking.html; application/userguide/application-auto-scaling-scaling-activities
(reasons for not scaling), read 2026-09.
"""

from __future__ import annotations

import numpy as np

from modeler.autoscale.cloudwatch import ROUNDING
from modeler.autoscale.observation import (
    ANTICIPATED_FLAPPING,
    AT_DESIRED,
    AT_MAX,
    AT_MIN,
    SCALED_IN,
    SCALED_OUT,
    UNSCALABLE,
)
from modeler.compiled import kernel


@kernel()
def capacity_for(load, target):  # type: ignore[no-untyped-def]
    """``ceil(load / target)``, where the load is capacity x metric. [replicas]"""
    return np.ceil(load / target * (1.0 - ROUNDING))


@kernel()
def rounded_change(exact):  # type: ignore[no-untyped-def]
    """A needed change as it is carried out: additions round up, removals round down. [replicas]"""
    return np.ceil(exact - ROUNDING * abs(exact))


@kernel()
def flaps(load, target, wanted):  # type: ignore[no-untyped-def]
    """Whether a removal to `wanted` would lift the metric, load / capacity, above the target."""
    return wanted <= 0.0 < load or load > target * wanted * (1.0 + ROUNDING)


@kernel()
def out_outcome(desired, wanted, maximum, updating):  # type: ignore[no-untyped-def]
    """What becomes of a request for more: a reason code."""
    if desired >= maximum:
        return AT_MAX
    if updating:
        return UNSCALABLE
    return SCALED_OUT if min(wanted, maximum) > desired else AT_DESIRED


@kernel()
def in_outcome(desired, wanted, minimum, updating):  # type: ignore[no-untyped-def]
    """What becomes of a request for less: a reason code."""
    if desired <= minimum:
        return AT_MIN
    if updating:
        return UNSCALABLE
    return SCALED_IN if max(wanted, minimum) < desired else AT_DESIRED


@kernel()
def guarded(outcome, guard, load, target, wanted):  # type: ignore[no-untyped-def]
    """A removal, unless the guard against flapping is on and refuses it: a reason code."""
    if outcome == SCALED_IN and guard and flaps(load, target, wanted):
        return ANTICIPATED_FLAPPING
    return outcome


@kernel()
def larger(first, second):  # type: ignore[no-untyped-def]
    """Of two simultaneous proposals the larger resulting capacity; NaN is none."""
    if np.isnan(first):
        return second
    if np.isnan(second):
        return first
    return max(first, second)
