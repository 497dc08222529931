"""The forms that a policy can be written in, and which policies each can say."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.writers.refusals import Refusals
from modeler.scenario import Scenario

# Of a scalable target or an EC2 Auto Scaling group, wherever such policies may stand.
_AWS: Final = ("target_tracking", "step_scaling", "scheduled", "predictive")
# Form to the kinds of policy it says.
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "terraform": _AWS,
    "cloudformation": _AWS,
    "boto3-json": _AWS,
    "hpa": ("hpa",),
    "keda": ("keda",),
    "knative": ("knative_kpa",),
}
# Why there is nothing to write.
_NOTHING: Final = {
    "fixed": "a fleet that never changes has no policy",
    "per_request": "the platform does it by itself; what is provisioned beside it is written",
}


def check_form(scenario: Scenario, form: str, refusals: Refusals) -> None:
    """Note every policy that a form has no words for."""
    blocks = scenario.in_force
    for i, block in enumerate(blocks):
        path = f"policies.{i}" if scenario.policies else "policy"
        if block.kind in FORMS[form] or (block.kind == "per_request" and len(blocks) > 1):
            continue  # what a platform does by itself is in no file
        fitting = " or ".join(name for name, kinds in FORMS.items() if block.kind in kinds)
        if fitting:
            why, expected = "that form has no such policy", f"--as {fitting}"
        else:
            why, expected = _NOTHING.get(block.kind, "no form has such a policy"), ""
        refusals.say(f"{path}.kind", block.kind, why, expected)


def places(scenario: Scenario) -> list[tuple[str, Any]]:
    """The policies that are written, each with its path."""
    several = bool(scenario.policies)
    return [
        (f"policies.{i}" if several else "policy", block)
        for i, block in enumerate(scenario.in_force)
        if block.kind != "per_request"
    ]
