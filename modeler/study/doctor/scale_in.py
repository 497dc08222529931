"""Replicas that go sooner than they come, or later than the traffic does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from modeler.scenario import format_duration
from modeler.scenario.policy import Keda
from modeler.study.doctor.facts import Facts, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held
from modeler.study.doctor.removals import Removal, removals
from modeler.study.doctor.sizing import needed_at, replicas_for
from modeler.study.doctor.targets import HEALTHY
from modeler.study.doctor.tracked import tracked

_RULE: Final = (
    "KEDA, Knative and KServe threads: lanes that are scaled down while others still load"
)
_HOUR_S: Final = 3600.0
_DAY_HOURS: Final = 24


def goes_sooner(facts: Facts) -> Iterator[Finding]:
    """A replica goes after a pause that is shorter than what its replacement takes."""
    if facts.least >= facts.most and not facts.per_request:
        return
    for one in removals(facts):
        start_s = facts.start_p95_s
        usual = replicas_for(facts, facts.mean_rps, HEALTHY)
        if one.hold_s >= start_s:
            continue
        if not one.settable and not one.to_zero and facts.least >= usual:
            continue
        what = "the last replica goes" if one.to_zero else "replicas go"
        if facts.per_request:
            what = "an idle environment goes"
        yield Finding(
            "idle-timeout-under-start" if one.to_zero else "scale-in-under-start",
            "warning",
            (one.path,),
            (
                Held("held for", one.hold_s, "s"),
                facts.setting(one.path, "of it the setting", one.value_s,
                              "s" if one.unit_s == 1.0 else "datapoints"),
                facts.start_held(),
            ),
            f"In a lull {what} after {format_duration(one.hold_s)} and the next takes "
            f"{format_duration(start_s)}: what is saved in a short lull is paid again by the "
            "requests after it.",
            _longer(facts, one, usual),
            "observed",
            _RULE,
        )  # fmt: skip


def _longer(facts: Facts, one: Removal, usual: int) -> Cure:
    missing_s = facts.start_p95_s - one.hold_s
    if not one.settable:
        if facts.per_request:
            words = "prepare one environment ahead, for the platform keeps idle ones as it likes"
            return Cure(words, {"hosting.provisioned_concurrency": 1})
        least = max(usual, 1)
        return Cure(f"keep {least} replicas, what the mean traffic takes", facts.at_least(least))
    if one.hold_s + missing_s > one.most_s:
        return Cure("keep one replica more, for no longer hold can be set",
                    facts.at_least(facts.least + 1))  # fmt: skip
    if one.unit_s != 1.0:
        value = math.ceil(one.value_s + missing_s / one.unit_s)
        return Cure(f"wait for {value} datapoints", {one.path: value})
    # What the setting adds to other times: a whole minute above what is missing.
    value = up_to_minute(one.value_s + missing_s)
    if one.path.endswith("pod_retention_s"):  # beside the grace period, not on top of it
        value = up_to_minute(one.hold_s - one.value_s + missing_s)
    return Cure(f"hold it {format_duration(value)}", {one.path: value})


def killed_while_loading(facts: Facts) -> Iterator[Finding]:
    """KEDA goes to zero after its cooldown, though the replica it asked for is still loading."""
    patience_s = min(facts.scenario.client_timeout_s, facts.scenario.queue_timeout_s)
    for path, block in facts.policies:
        if not isinstance(block, Keda) or facts.least > 0:
            continue
        lives_s = patience_s + block.cooldown_s + block.polling_interval_s
        if lives_s >= facts.start_p50_s:
            continue
        value = up_to_minute(facts.start_p95_s)
        at = f"{path}.cooldown_s"
        yield Finding(
            "killed-while-loading",
            "critical",
            (at, "queue.client_timeout_s"),
            (
                Held("start (p50)", facts.start_p50_s, "s"),
                facts.setting(at, "cooldown", block.cooldown_s, "s"),
                facts.setting("queue.client_timeout_s", "requests wait", patience_s, "s"),
            ),
            f"Once a lone request has given up, after {format_duration(patience_s)}, KEDA waits "
            f"{format_duration(block.cooldown_s)} and goes to zero; the replica it started needs "
            f"{format_duration(facts.start_p50_s)} and is killed while it loads.",
            Cure(f"wait {format_duration(value)}", {at: value}),
            "observed",
            _RULE,
        )


def slower_than_traffic(facts: Facts) -> Iterator[Finding]:
    """Taking the day's surplus away lasts longer than the traffic's own evening."""
    profile = day_profile(facts)
    if profile is None:
        return
    down_s = ramp_down_s(profile)
    metrics = [one for one in tracked(facts) if one.sees != "waiting"]
    for one in removals(facts):
        if one.to_zero or not metrics or math.isinf(one.hold_s):
            continue
        high = max(needed_at(facts, each, float(profile.max())) for each in metrics)
        low = max(needed_at(facts, each, float(profile.min())) for each in metrics)
        high, low = min(high, facts.most), max(low, facts.least)
        takes_s = removal_s(one, high, low)
        if high <= low or takes_s <= down_s:
            continue
        yield Finding(
            "scale-in-slower-than-traffic",
            "warning",
            (one.path,),
            (
                Held("replicas at the busiest hour", high),
                Held("replicas at the quietest hour", low),
                Held("taking them away", takes_s, "s"),
                Held("the traffic falls within", down_s, "s"),
            ),
            f"From {high} replicas to {low} takes {format_duration(takes_s)} and the traffic is "
            f"down after {format_duration(down_s)}: the surplus of each day is paid into the "
            "night.",
            _faster(facts, one),
            "documented",
            "the platform's pace of removal: alarm datapoints, cooldown, behaviour policies",
        )


def removal_s(one: Removal, high: int, low: int) -> float:
    """How long a removal from `high` to `low` replicas takes. [s]"""
    taken_s, replicas = one.hold_s, high
    while replicas > low:
        replicas -= max(min(one.step(replicas), replicas - low), 1)
        if replicas > low:
            taken_s += one.every_s
    return taken_s


def _faster(facts: Facts, one: Removal) -> Cure:
    block_path, _, _ = one.path.partition(".behavior")
    block_path = block_path if block_path != one.path else one.path.rpartition(".")[0]
    block: Any = dict(facts.policies)[block_path]
    if block.kind == "target_tracking" and block.scale_in_step_limit is not None:
        return Cure("remove all of the surplus at once",
                    {f"{block_path}.scale_in_step_limit": None})  # fmt: skip
    if block.kind == "step_scaling":
        return Cure("remove a quarter at a time",
                    {f"{block_path}.adjustment_type": "PercentChangeInCapacity",
                     f"{block_path}.steps": [{"upper": 0, "adjustment": -25}],
                     f"{block_path}.min_adjustment_magnitude": 1,
                     f"{block_path}.cooldown_s": 60})  # fmt: skip
    if block.kind in ("hpa", "keda") and block.behavior is not None:
        down = f"{block_path}.behavior.scale_down"
        at_once = [{"type": "percent", "value": 100, "period_s": 15}]
        held_s = up_to_minute(facts.start_p95_s)
        return Cure(
            "let all go at once after the window",
            {f"{down}.policies": at_once, f"{down}.stabilization_window_s": held_s},
        )
    if one.settable:
        value = up_to_minute(facts.start_p95_s)
        return Cure(f"hold for {format_duration(value)}, the time of a start", {one.path: value})
    return Cure("take a metric that comes each minute (detailed monitoring), or a schedule")


def day_profile(facts: Facts) -> Any:
    """Mean arrivals a second in each hour of the day, from the trace's start; None below a day."""
    wide = 60 * _DAY_HOURS
    days = facts.minute_rps.size // wide
    if days < 1:
        return None
    whole = facts.minute_rps[: days * wide]
    return whole.reshape(days, _DAY_HOURS, 60).mean(axis=(0, 2))


def ramp_down_s(profile: Any) -> float:
    """From the last hour within a tenth of the day's range below its top to the first as near
    its bottom. [s]
    """
    low, high = float(profile.min()), float(profile.max())
    at = int(np.argmax(profile))
    last = 0
    for ahead in range(1, _DAY_HOURS + 1):
        value = float(profile[(at + ahead) % _DAY_HOURS])
        if value >= high - 0.1 * (high - low):
            last = ahead
        elif value <= low + 0.1 * (high - low):
            return (ahead - last) * _HOUR_S
    return _DAY_HOURS * _HOUR_S


CHECKS: Final = (goes_sooner, killed_while_loading, slower_than_traffic)
