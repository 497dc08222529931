"""What stands on top of a written file: whose it is, and what of the scenario it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modeler.platforms.result import PER_REQUEST
from modeler.scenario import Scenario, scenario_id
from modeler.scenario.fields import Block
from modeler.scenario.policy import (
    Hpa,
    Keda,
    KnativeKpa,
    PerRequest,
    Predictive,
    StepScaling,
    TargetTracking,
)
from modeler.scenario.policy.keda import KedaTrigger
from modeler.scenario.policy.kubernetes import HpaMetric
from modeler.scenario.settings import Found, settings_of

# Of every replay, set or not: without them its dollars mean nothing.
_ALWAYS: Final = ("trace", "model.size", "hosting.kind", "hosting.instance", "hosting.region")
# Settings of a policy that no file of a platform has: what the platform, the cluster or its metrics
# do by themselves, and are taken to do in a replay.
_LOOP: Final = (
    "tolerance", "sync_period_s", "downscale_stabilization_s", "cpu_initialization_period_s",
    "initial_readiness_delay_s", "outage_from_s", "outage_s",
)  # fmt: skip
_MEASURED: Final = ("metric_delay_s", "window_s", "busy_usage", "request")
_ALARMS: Final = ("full_utilisation", "publish_delay_s", "alarm_eval_delay_s")
_TAKEN: Final[dict[type[Block], tuple[str, ...]]] = {
    TargetTracking: (
        *_ALARMS, "detailed_monitoring", "period_s", "high_datapoints", "low_datapoints",
        "low_period_s", "low_threshold_factor", "ratio_datapoint", "flap_guard",
        "refuse_while_updating", "scale_in_step_limit",
    ),
    StepScaling: _ALARMS,
    Predictive: ("full_utilisation", "history"),
    Hpa: (*_LOOP, *_MEASURED, "scale_to_zero"),
    HpaMetric: _MEASURED,
    Keda: (*_LOOP, *_MEASURED),
    KedaTrigger: _MEASURED,
    KnativeKpa: ("new_revision", "tick_s", "scrape_s", "deactivation_requeue_s"),
    PerRequest: tuple(name for name in PerRequest.model_fields if name != "kind"),
}  # fmt: skip


def header(
    asked: Scenario, scenario: Scenario, form: str, run: str, usd_per_hour: float | None
) -> list[str]:
    """Lines for a reader of the file.

    Parameters
    ----------
    asked, scenario : Scenario. As it was given, and with its numbers put in.
    form : str. What is written.
    run : str. What the figures are from; empty for none.
    usd_per_hour : float, optional. Expected. [USD/h]
    """
    lines = [f"Scaling of {asked.name}, written by modeler export --as {form}."]
    expected = "" if usd_per_hour is None else f", expected {usd_per_hour:.4f} USD an hour"
    of = f", run {run}" if run else ""
    lines.append(f"scenario {scenario_id(asked)}{of}{expected}")
    lines.append("Names of what is scaled, of its metrics and addresses are placeholders.")
    lines += [
        f"{path} = {value}: what the rule gives here" for path, value in _given(asked, scenario)
    ]
    lines.append("Not in this file, and taken so in the replay:")
    lines += [f"  {found.path} = {found.value}" for found in _unsaid(asked)]
    return lines


def _given(asked: Scenario, scenario: Scenario) -> Iterator[tuple[str, object]]:
    """Numbers that were put in, by their path."""
    before = {found.path: found.value for found in settings_of(asked)}
    for found in settings_of(scenario):
        if found.name == "target" and before.get(found.path) is None and found.value is not None:
            yield found.path, found.value


def _unsaid(scenario: Scenario) -> Iterator[Found]:
    """What was set, or matters to every replay, and is in no file of a platform."""
    written = {"name", "fleet.min", "fleet.max"}
    if scenario.hosting.kind in PER_REQUEST:
        written = {"name", "hosting.provisioned_concurrency", "hosting.provisioned_max"}
    for found in settings_of(scenario):
        left = found.said and found.path not in written and _is_left(found)
        if left or found.path in _ALWAYS:
            yield found


def _is_left(found: Found) -> bool:
    if found.path.partition(".")[0] not in ("policy", "policies"):
        return True
    return found.name in _TAKEN.get(type(found.block), ())
