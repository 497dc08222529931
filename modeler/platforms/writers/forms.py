"""The forms that a policy can be written in, and which policies each can say."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.result import PER_REQUEST
from modeler.platforms.writers.refusals import Refusals
from modeler.scenario import Scenario

_AWS: Final = ("target_tracking", "step_scaling", "scheduled", "predictive")
# What is scaled of AWS; the forms of Kubernetes take any hosting that has their policy.
_TARGETS: Final = (
    "sagemaker_realtime", "sagemaker_components", "sagemaker_async", *PER_REQUEST, "ec2_asg",
    "ecs_fargate",
)  # fmt: skip
# Form to the kinds of policy it says.
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "terraform": _AWS,
    "cloudformation": _AWS,
    "boto3-json": _AWS,
    "hpa": ("hpa",),
    "keda": ("keda",),
    "knative": ("knative_kpa",),
}


def check_form(scenario: Scenario, form: str, refusals: Refusals) -> None:
    """Note every policy, and the hosting, that a form has no words for."""
    blocks = scenario.in_force
    for i, block in enumerate(blocks):
        path = f"policies.{i}" if scenario.policies else "policy"
        if block.kind in FORMS[form] or (block.kind == "per_request" and len(blocks) > 1):
            continue  # what a platform does by itself is in no file
        fitting = [name for name, kinds in FORMS.items() if block.kind in kinds]
        why = "that form has no such policy"
        if not fitting:
            why = "nothing of it is set on a platform whose forms are written here"
        refusals.say(f"{path}.kind", block.kind, why, _one_of(fitting))
    kind = scenario.hosting.kind
    if FORMS[form] == _AWS and kind not in _TARGETS and not refusals.problems:
        why = "such targets are not written in any form"
        refusals.say("hosting.kind", kind, why, f"one of {', '.join(_TARGETS)}")


def places(scenario: Scenario) -> list[tuple[str, Any]]:
    """The policies that are written, each with its path."""
    several = bool(scenario.policies)
    return [
        (f"policies.{i}" if several else "policy", block)
        for i, block in enumerate(scenario.in_force)
        if block.kind != "per_request"
    ]


def _one_of(forms: list[str]) -> str:
    return f"--as {' or '.join(forms)}" if forms else ""
