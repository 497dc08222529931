"""Kubernetes HPA: cases of the controller's own test tables, shown to the functions of the replay.

Values, requests and targets are in milli-units, utilisations in percent, ages in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import hpa_limits as limits
from modeler.autoscale import hpa_replicas as replicas
from modeler.autoscale.hpa import rules_of, settings
from modeler.autoscale.hpa_memory import arranged, load_history, seed, state_size
from modeler.autoscale.hpa_reconcile import normalise
from modeler.referee.conformance.hpa_pods import (
    TOLERANCE,
    Answer,
    metric,
    pod_classification,
    replica_calc,
)
from modeler.referee.conformance.inputs import Inputs
from modeler.scenario.policy import Hpa
from modeler.scenario.policy.kubernetes import Behavior, ScalingPolicy, ScalingRules

# What limited a proposal, in the words of the cases; the rates of a behavior are policies.
_LIMITED: Final = {
    limits.FREE: None,
    limits.BY_MIN: "min_replicas",
    limits.BY_MAX: "max_replicas",
    limits.BY_UP_LIMIT: "scale_up_policy",
    limits.BY_DOWN_LIMIT: "scale_down_policy",
}
_SELECT: Final = ("Max", "Min", "Disabled", "max", "min", "disabled")
_RATES: Final = ("Pods", "Percent", "pods", "percent")
_DOWNSCALE_S: Final = Hpa.model_fields["downscale_stabilization_s"].default


def legacy_bounds(case: Inputs) -> Answer:
    """Bounds and the doubling limit, without metrics."""
    case.ignore("behavior")  # null: this is the path without it
    result, by = limits.legacy_limited(
        case.number("current_replicas"),
        case.number("desired_replicas"),
        case.number("min_replicas", 1.0),
        case.number("max_replicas"),
    )
    return {
        "replicas": result,
        "limited_by": "scale_up_limit" if by == limits.BY_UP_LIMIT else _LIMITED[by],
    }


def behavior_rate_limit(case: Inputs) -> Answer:
    """Bounds and the rates of a behavior, without metrics."""
    up = _packed(case.child("scale_up", None), limits.UP_RULES)
    down = _packed(case.child("scale_down", None), limits.DOWN_RULES)
    history, events = _events(case.rows("scale_up_events", []), case.rows("scale_down_events", []))
    result, by = limits.behavior_limited(
        case.number("current_replicas"),
        case.number("desired_replicas"),
        case.number("min_replicas", 1.0),
        case.number("max_replicas"),
        np.array(up + down),
        0,
        len(up),
        history,
        events,
        0.0,
    )
    return {"replicas": result, "limited_by": _LIMITED[by]}


def behavior_limit_only(case: Inputs) -> Answer:
    """How far the rules of one direction let the replicas go."""
    up = case.text("direction", choices=("up", "down")) == "up"
    own = case.rows("events", [])
    ups = case.rows("scale_up_events", own if up else [])
    downs = case.rows("scale_down_events", [] if up else own)
    history, events = _events(ups, downs)
    rules = _packed(case.child("rules", None), limits.UP_RULES if up else limits.DOWN_RULES)
    current = case.number("current_replicas")
    limit = limits.behavior_limit(up, current, np.array(rules), 0, history, events, 0.0)
    return {"limit": limit}


def stabilization_legacy(case: Inputs) -> Answer:
    """The largest recommendation of the window, without a behavior."""
    wanted = case.number("desired_replicas")
    window_s = case.number("downscale_stabilization_s", _DOWNSCALE_S)
    history, n = _recommendations(case)
    return {"stabilized_replicas": limits.highest(history, 0, n, window_s, wanted, 0.0)}


def stabilization_behavior(case: Inputs) -> Answer:
    """The recommendations of both windows around the current replicas."""
    wanted = case.number("desired_replicas")
    default_s = case.number("downscale_stabilization_s", _DOWNSCALE_S)
    up_s = case.number("scale_up_stabilization_s", limits.UP_RULES.window_s)
    down_s = case.number("scale_down_stabilization_s", default_s)
    history, n = _recommendations(case)
    low = limits.lowest(history, 0, n, up_s, wanted, 0.0)
    high = limits.highest(history, 0, n, down_s, wanted, 0.0)
    return {"stabilized_replicas": limits.between(case.number("current_replicas"), low, high)}


def reconcile(case: Inputs) -> Answer:
    """A whole pass: bounds, metrics, stabilisation, limits."""
    current = case.number("current_replicas")
    minimum = case.number("min_replicas", 1.0)
    maximum = case.number("max_replicas")
    tolerance = case.number("tolerance", TOLERANCE)
    behavior = _behavior(case.child("behavior", None))
    block = Hpa.model_construct(
        behavior=behavior,
        tolerance=tolerance,
        downscale_stabilization_s=case.number("downscale_stabilization_s", _DOWNSCALE_S),
    )
    past = _pairs(case.rows("recommendations", None), "replicas")
    ups = _pairs(case.rows("scale_up_events", []), "replica_change") or []
    downs = _pairs(case.rows("scale_down_events", []), "replica_change") or []
    # The replay's own settings, with room for the case's lists; the metrics come from the case.
    h, rest = settings(block, ())
    h = arranged(
        h._replace(recommendations=len(past or []) + 2.0, events=max(len(ups), len(downs)) + 1.0)
    )
    state = np.zeros(state_size(h))
    load_history(state, h, past or [], ups, downs)
    if past is None:
        seed(state, h, current, 0.0)
    metrics = case.rows("metrics")
    forced, settled = limits.outside(current, minimum, maximum)
    answers = [metric(one, current, h.tolerance_down, h.tolerance_up) for one in metrics]
    if settled:
        return {"replicas": forced, "limited_by": None}
    good = [answer["desired_replicas"] for answer in answers if "error" not in answer]
    failed = len(answers) - len(good)
    wanted = replicas.combined(max(good, default=-1.0), failed, len(answers), current)
    if wanted == replicas.FAILED:
        return {"replicas": current, "limited_by": None, "error": True}
    result, stable, by = normalise(
        state, np.array([*h, *rest]), h, current, wanted, minimum, maximum, 0.0
    )
    limited = _LIMITED[by]
    if behavior is None and by == limits.BY_UP_LIMIT:
        limited = "scale_up_limit"
    return {"replicas": result, "stabilized_replicas": stable, "limited_by": limited}


def _behavior(case: Inputs | None) -> Behavior | None:
    if case is None:
        return None
    up, down = case.child("scale_up", None), case.child("scale_down", None)
    return Behavior.model_construct(scale_up=_rules(up), scale_down=_rules(down))


def _rules(case: Inputs | None) -> ScalingRules:
    """The rules of one direction; what is not given is left to the defaults of the API."""
    if case is None:
        return ScalingRules()
    rates = case.rows("policies", None)
    return ScalingRules.model_construct(
        select_policy=case.text("select_policy", "Max", _SELECT).lower(),
        policies=None if rates is None else tuple(_rate(rate) for rate in rates),
        stabilization_window_s=case.number("stabilization_window_s", None),
        tolerance=case.number("tolerance", None),
    )


def _rate(case: Inputs) -> ScalingPolicy:
    return ScalingPolicy.model_construct(
        type=case.text("type", choices=_RATES).lower(),
        value=case.whole("value"),
        period_s=case.number("period_s"),
    )


def _packed(case: Inputs | None, default: limits.Rules) -> list[float]:
    return limits.pack_rules(rules_of(_rules(case), default))


def _recommendations(case: Inputs) -> tuple[NDArray[np.float64], int]:
    """The history of a case; without one, the first reconcile has seeded it just now."""
    pairs = _pairs(case.rows("recommendations", None), "replicas")
    if pairs is None:
        current = case.number("current_replicas", None)
        pairs = [] if current is None else [(current, 0.0)]
    return np.array(pairs, dtype=np.float64).ravel(), len(pairs)


def _events(ups: list[Inputs], downs: list[Inputs]) -> tuple[NDArray[np.float64], limits.Events]:
    up, down = _pairs(ups, "replica_change") or [], _pairs(downs, "replica_change") or []
    flat = np.array(up + down, dtype=np.float64).ravel()
    return flat, limits.Events(0, len(up), 2 * len(up), len(down))


def _pairs(rows: list[Inputs] | None, key: str) -> list[tuple[float, float]] | None:
    """Numbers with their times, which lie as far back as their ages say."""
    if rows is None:
        return None
    return [(row.number(key), -row.number("age_s")) for row in rows]


KINDS: Final[dict[str, Callable[[Inputs], Answer]]] = {
    "replica_calc": replica_calc,
    "pod_classification": pod_classification,
    "legacy_bounds": legacy_bounds,
    "behavior_rate_limit": behavior_rate_limit,
    "behavior_limit_only": behavior_limit_only,
    "stabilization_legacy": stabilization_legacy,
    "stabilization_behavior": stabilization_behavior,
    "reconcile": reconcile,
}
