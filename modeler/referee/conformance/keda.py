"""KEDA: cases of the executor's own tests, shown to the functions of the replay."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from modeler.autoscale.keda_rules import CUSTOM, STRATEGIES, activation_step, new_jobs
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError
from modeler.scenario.policy import Keda

_Answer = dict[str, Any]
_COOLDOWN_S: Final = Keda.model_fields["cooldown_s"].default
_INITIAL_COOLDOWN_S: Final = Keda.model_fields["initial_cooldown_s"].default
# Documented: apis/keda/v1alpha1, ScaledObject and ScaledJob.
_MAX_REPLICAS: Final = 100.0


def step(case: Inputs) -> _Answer:
    """One poll: the replicas after it, and whether the workload counts as active."""
    case.ignore("max_replicas")  # bounds the HPA; no step of KEDA's own goes above the minimum
    current = case.number("current_replicas")
    forced = case.flag("force_activation", False)
    active = case.flag("any_trigger_active", False) or forced
    replicas, renewed, cooling = activation_step(
        current,
        active,
        case.flag("any_trigger_error", False),
        case.number("min_replicas", 0.0),
        case.number("idle_replicas", math.nan),
        case.number("fallback_replicas", math.nan),
        case.flag("pause_scale_in", False),
        case.flag("pause_scale_out", False),
        case.number("seconds_since_last_active", math.nan),
        case.number("cooldown_s", _COOLDOWN_S),
        case.number("seconds_since_created", 0.0),
        case.number("initial_cooldown_s", _INITIAL_COOLDOWN_S),
    )
    if case.flag("paused", False) or case.given("paused_replicas"):
        # The annotation stops everything before the triggers are looked at.
        return {
            "replicas": case.number("paused_replicas", current),
            "active": False,
            "last_active_updated": False,
        }
    reason = "ScalerActive" if active else "ScalerCooldown" if cooling else "ScalerNotActive"
    return {
        "replicas": replicas,
        "active": active,
        "active_reason": reason,
        "last_active_updated": renewed,
    }


def scaled_job(case: Inputs) -> _Answer:
    """How many jobs a ScaledJob adds."""
    strategy = STRATEGIES.get(case.text("strategy", "default"), STRATEGIES["default"])
    share = _share(case.raw("running_job_percentage", None))
    deduction = case.number("queue_length_deduction", None)
    if strategy == CUSTOM and share is None:
        # A percentage that is no number makes the strategy the default one.
        strategy = STRATEGIES["default"]
    wanted = case.number("max_scale")
    effective, scale_to = new_jobs(
        strategy,
        wanted,
        case.number("running_jobs", 0.0),
        case.number("pending_jobs", 0.0),
        case.number("max_replicas", _MAX_REPLICAS),
        case.number("min_replicas", 0.0),
        case.number("scale_to", wanted),
        0.0 if deduction is None else deduction,
        math.nan if share is None else share,
    )
    return {
        "effective_max_scale": effective,
        "scale_to": scale_to,
        "jobs_created": min(effective, scale_to),
    }


def _share(value: object) -> float | None:
    """The custom strategy's percentage, which the resource holds as text: ``"0.5"``."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CaseError(f"running_job_percentage: found {value!r}, expected a number or its text")
    try:
        return float(value)
    except ValueError:
        return None


KINDS: Final[dict[str, Callable[[Inputs], _Answer]]] = {
    "activation_step": step,
    "scaled_job_strategy": scaled_job,
}
