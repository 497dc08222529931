"""Targets against what a replica can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modeler.scenario import format_duration
from modeler.study.doctor.facts import Facts, threshold_s
from modeler.study.doctor.findings import Cure, Finding, Held
from modeler.study.doctor.sizing import needed_at, replicas_for
from modeler.study.doctor.tracked import Tracked, cure_target, tracked

# Share of a replica's capacity that a cured target holds: that of the derived targets.
HEALTHY: Final = 0.7
_RECIPE: Final = (
    "arithmetic of a full replica; a share of the most it serves is what load-test recipes set "
    "(SageMaker developer guide, endpoint-scaling-loadtest)"
)


def target_above_capacity(facts: Facts) -> Iterator[Finding]:
    """A target that a full replica does not reach: nothing is added before it is overloaded."""
    for one in tracked(facts):
        if one.sees == "waiting" or one.acts_in_time:
            continue
        target = cure_target(one, HEALTHY)
        wait_s = max(one.acts_from - 1.0, 0.0) * facts.mean_service_s
        late = one.sees == "queue" and wait_s <= threshold_s(facts)
        yield Finding(
            "target-above-capacity",
            "warning" if late else "critical",
            (one.path,),
            (
                facts.setting(one.path, "target", one.target, one.unit),
                Held("a full replica shows", one.full, one.unit),
                Held("adds replicas from", 100.0 * one.acts_from, "% of that"),
                Held("slots", facts.slots),
                Held("mean service time", facts.mean_service_s, "s"),
            ),
            _says(one, wait_s),
            Cure(f"hold {100 * HEALTHY:.0f} % of a replica's capacity", {one.path: target}),
            "documented",
            _RECIPE,
        )


def _says(one: Tracked, wait_s: float) -> str:
    tolerant = f" and a tolerance of {100 * one.tolerance:g} %" if one.tolerance else ""
    start = (
        f"A replica with every slot busy shows {one.full:.4g} {one.unit} and the target is "
        f"{one.target:.4g}{tolerant}: "
    )
    if one.sees == "busy":
        return start + "the metric ends below it, so that nothing is ever added."
    if one.sees == "arrivals":
        return start + "replicas are added only once more arrives than they can serve."
    return (
        start + f"replicas are added only once requests wait {format_duration(wait_s)} for a slot."
    )


def max_at_mean(facts: Facts) -> Iterator[Finding]:
    """A target so low that an average moment already takes all replicas."""
    if facts.per_request or facts.least >= facts.most:
        return
    enough = replicas_for(facts, facts.mean_rps, HEALTHY)
    for one in tracked(facts):
        if one.sees == "waiting" or enough >= facts.most:
            continue
        asked = needed_at(facts, one, facts.mean_rps)
        if asked < facts.most:
            continue
        target = cure_target(one, HEALTHY)
        yield Finding(
            "max-at-mean-load",
            "warning",
            (one.path, "fleet.max"),
            (
                facts.setting(one.path, "target", one.target, one.unit),
                Held("replicas asked for at the mean rate", asked),
                facts.setting("fleet.max", "replicas at most", facts.most),
                Held(f"replicas that {100 * HEALTHY:.0f} % would take", enough),
            ),
            f"At the mean of {facts.mean_rps:.3g} requests a second the target asks for {asked} "
            f"replicas, and there are {facts.most} at most: the fleet stands at its maximum, where "
            f"{enough} would do, and has nothing left for a peak.",
            Cure(f"hold {100 * HEALTHY:.0f} % of a replica's capacity", {one.path: target}),
            "documented",
            _RECIPE,
        )


# Below this share of a replica's capacity a target is called low: a choice of this tool.
LOW: Final = 0.35


def target_far_below(facts: Facts) -> Iterator[Finding]:
    """A target that leaves most of every replica idle."""
    for one in tracked(facts):
        if one.sees == "waiting" or one.share >= LOW or one.kind == "step_scaling":
            continue
        target = cure_target(one, HEALTHY)
        yield Finding(
            "target-far-below-capacity",
            "note",
            (one.path,),
            (
                facts.setting(one.path, "target", one.target, one.unit),
                Held("a full replica shows", one.full, one.unit),
                Held("share of its capacity", 100.0 * one.share, "%"),
            ),
            f"The target keeps {100.0 * one.share:.0f} % of a replica busy: about "
            f"{HEALTHY / one.share:.1f} times the replicas that {100 * HEALTHY:.0f} % would take.",
            Cure(f"hold {100 * HEALTHY:.0f} % of a replica's capacity", {one.path: target}),
            "assumed",
            "headroom is a choice; what it costs is told by a replay of both",
        )


CHECKS: Final = (target_above_capacity, max_at_mean, target_far_below)
