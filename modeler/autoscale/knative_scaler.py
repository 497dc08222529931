"""From what Knative's decider wants to what is carried out: bounds, and the two steps to zero.

A revision is *activating* (its pods are not up yet), *active* or *inactive*. One that wants zero is
first marked inactive and keeps its last pod; only when the activator is in the path and the times
of grace and retention have passed does that pod go.

Source: knative/serving pkg/reconciler/autoscaling/kpa/scaler.go and kpa.go.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from modeler.compiled import kernel

ACTIVATING: Final = 1
ACTIVE: Final = 2
INACTIVE: Final = 3
UNKNOWN: Final = -1.0  # no scale is asked for


class Rules(NamedTuple):
    """The settings of the scaler."""

    minimum: float  # [pods]
    maximum: float  # 0: no limit [pods]
    initial_scale: float  # [pods]
    initial_scale_reached: float  # 0 or 1
    reachable: float  # 0 or 1; 1 also where it is not known
    enable_scale_to_zero: float  # 0 or 1
    stable_window_s: float
    grace_s: float
    retention_s: float
    activation_timeout_s: float
    target_burst_capacity: float  # -1: the activator is always in the path


@kernel()
def within_bounds(rules, wanted):  # type: ignore[no-untyped-def]
    """Clamp to the bounds, the lower one raised until the initial scale has been reached."""
    least = rules.minimum if rules.reachable != 0.0 else 0.0
    if rules.initial_scale > 1.0 and rules.initial_scale_reached == 0.0:
        least = max(least, rules.initial_scale)
    if wanted < least:
        return least
    if rules.maximum != 0.0 and wanted > rules.maximum:
        return rules.maximum
    return wanted


@kernel()
def zero_from(rules, inactive_since_s, proxied_since_s):  # type: ignore[no-untyped-def]
    """When an inactive revision may lose its last pod, the activator in the path. [s]"""
    hold = inactive_since_s + max(rules.grace_s, rules.retention_s)
    short = max(inactive_since_s + rules.retention_s, proxied_since_s + rules.grace_s)
    return min(hold, short)


@kernel()
def right_size(  # type: ignore[no-untyped-def]
    rules, wanted, activity, in_state_s, proxied_s, activator_in_path
):
    """The scale to report and whether it is carried out.

    Parameters
    ----------
    wanted : float. What the decider wants; -1 where it does not know. [pods]
    activity, in_state_s : int, float. The revision's state and how long it has been in it. [s]
    proxied_s : float. How long the activator has been in the path; 0 where it is not. [s]
    activator_in_path : bool. Whether it answers a probe.

    Returns
    -------
    (float, bool)
        A scale of -1 leaves everything as it is. [pods]
    """
    if wanted < 0.0 and activity != ACTIVATING:
        return wanted, False
    scale = within_bounds(rules, wanted)
    if scale != 0.0:
        return scale, True
    if rules.enable_scale_to_zero == 0.0:
        return 1.0, True
    if activity == ACTIVATING:
        if in_state_s > rules.activation_timeout_s:
            return 0.0, True
        return UNKNOWN, False
    if activity == ACTIVE:
        if in_state_s >= rules.stable_window_s:
            return 0.0, False  # marked inactive, the pod stays
        return 1.0, True
    if rules.target_burst_capacity != -1.0 and not activator_in_path:
        return 0.0, False
    return 0.0, zero_from(rules, -in_state_s, -proxied_s) <= 0.0


@kernel()
def next_activity(activity, scale, ready, threshold):  # type: ignore[no-untyped-def]
    """The revision's state after a scale was set, `threshold` pods making it active."""
    if scale == 0.0:
        return INACTIVE
    if activity == INACTIVE and scale < 0.0:
        return INACTIVE
    return ACTIVE if ready >= threshold else ACTIVATING
