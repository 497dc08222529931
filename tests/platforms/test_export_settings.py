"""Each setting of a policy is in its file, or named on top of it, or refused."""

from pathlib import Path
from typing import Any

import pytest
from exports import SHORT, back, of

from modeler.platforms import export
from modeler.platforms.writers import FORMS, pinned
from modeler.scenario import Scenario, ScenarioError
from modeler.scenario.kinds import KINDS

BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "target_tracking": ("sagemaker_realtime", {"target": 30}),
    "step_scaling": (
        "sagemaker_realtime",
        {
            "metric": "cpu_utilisation",
            "threshold": 50,
            "steps": {"lower": 0, "adjustment": 1},
            "evaluation_periods": 3,
        },
    ),
    "scheduled": ("sagemaker_realtime", {"schedule": "rate(2 hours)", "min_replicas": 2}),
    "predictive": ("ec2_asg", {"target": 30, "max_capacity_behaviour": "increase"}),
    "hpa": ("eks_karpenter", {"metric": "concurrency", "source": "external", "target": 3}),
    "keda": ("eks_karpenter", {"target": 3, "fallback_replicas": 2}),
    "knative_kpa": ("eks_karpenter", {}),
}
# Tried in turn, until one holds that is not the default.
OTHERS: list[Any] = [
    True, False, 2, 5, 45, "increase", "object", 0.5, 2.5, 90, 120, 1.2, "average", "external",
    "value", "concurrency",
    "gpu_utilisation", "cpu_utilisation", "rps", "Maximum", "notBreaching", "ExactCapacity",
    "PercentChangeInCapacity", "<", ">", "cron(0 6 * * ? *)", "2026-03-01T00:00:00Z",
    "Europe/Berlin", "honour", "forecast_and_scale", "current_replicas", "weighted-exponential",
    [1.0] * 24, [{"upper": 0, "adjustment": -1}, {"lower": 0, "adjustment": 2}],
    [{"metric": "cpu_utilisation"}, {"metric": "concurrency"}], {"scale_up": {"tolerance": 0.2}},
]  # fmt: skip


def other_than(kind: str, name: str) -> Scenario | None:
    """A scenario whose policy has another value than the default of one setting."""
    hosting, given = BLOCKS[kind]
    default = KINDS["policy"][kind].model_fields[name].default
    for value in OTHERS:
        alone = name in ("metrics", "triggers")
        rest = {} if alone else given
        try:
            found = of(hosting, {"kind": kind, **rest, name: value}, **{"fleet.min": 3})
        except ScenarioError:
            continue
        if getattr(found.policy, name) != default:
            return found
    return None


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in BLOCKS for name in KINDS["policy"][kind].model_fields],
)
def test_every_setting_is_written_or_named_or_refused(tmp_path: Path, kind: str, name: str) -> None:
    if name == "kind" or (name == "target_utilisation" and kind != "knative_kpa"):
        return  # the share behind a target that is set decides nothing
    scenario = other_than(kind, name)
    assert scenario is not None, f"no other value of {kind}.{name} among those that are tried"
    form = next(form for form, known in FORMS.items() if kind in known)
    text, refused = "", ""
    try:
        text = export(scenario, form, trace=SHORT)
    except ScenarioError as error:
        refused = str(error)
    if refused:
        assert name in refused
        return
    again = back(text, form, tmp_path, scenario)
    if getattr(again.policy, name) != getattr(pinned(scenario, SHORT).policy, name):
        assert f"#   policy.{name} = " in text
