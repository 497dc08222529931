"""The settings a study may choose from."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from modeler.scenario import Scenario

Settings = dict[str, Any]

_TARGETS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_DELAYS_S: Final = (60.0, 300.0, 900.0)
# What a policy is tuned by where an analyst does not say: values about the platforms' defaults, of
# the first of these settings that it has, and of the first that lets capacity go.
_HOW_FULL: Final[Mapping[str, Sequence[Any]]] = {
    "target_utilisation": _TARGETS,
    "concurrency_target": _TARGETS,
    "target_ongoing_requests": (1.0, 2.0, 4.0, 8.0),
    "replicas": (1, 2, 3, 4, 6, 8),
}
_HOW_LONG: Final[Mapping[str, Sequence[Any]]] = {
    "scale_in_cooldown_s": _DELAYS_S,
    "downscale_stabilization_s": _DELAYS_S,
    "downscale_delay_s": _DELAYS_S,
    "scale_down_delay_s": (0.0, 300.0, 900.0),
    "keep_alive_s": (300.0, 900.0, 3600.0),
    "idle_s": (300.0, 900.0, 1800.0),
}
_MINIMA: Final = (1, 2, 3, 4)
# Shares of the target that an analyst set, which the default of target_utilisation stands for.
_DEFAULT_SHARE: Final = 0.7


def space_of(
    scenario: Scenario,
    settings: Mapping[str, Sequence[Any]] | None = None,
    *,
    delays: bool = True,
    pinned: Collection[str] = (),
) -> dict[str, tuple[Any, ...]]:
    """The axes to search: the analyst's, else what the scenario's policy is tuned by.

    Parameters
    ----------
    scenario : Scenario. Its own ``sweep`` gives axes too, its sizes left out: a size is a question
        of its own, see `modeler.study.goldilocks_size`.
    settings : mapping of path to values, optional. Instead of those.
    pinned : collection of str. Paths that were set to one value and are no axes then.
    delays : bool. Whether how long a policy keeps its replicas is an axis of its own.

    Returns
    -------
    dict of str to tuple
        Where nothing is varied: how full the policy holds its replicas, how long it keeps them,
        and ``fleet.min``.
    """
    own = {path: values for path, values in scenario.sweep.items() if path != "model.size"}
    axes = {path: tuple(values) for path, values in {**own, **(settings or {})}.items()}
    if any(len(values) > 1 for values in axes.values()):
        return axes
    if not scenario.policies:
        axes = {**_of_policy(scenario, delays=delays), **axes}
    if scenario.in_force[0].kind not in ("fixed", "per_request"):
        least = scenario.fleet.min if scenario.fleet.min == 0 else 1
        axes.setdefault("fleet.min", tuple(sorted({least, *_within(scenario, _MINIMA)})))
    return {path: values for path, values in axes.items() if path not in pinned}


def _within(scenario: Scenario, values: Sequence[int]) -> list[int]:
    return [value for value in values if value <= scenario.fleet.max]


def _of_policy(scenario: Scenario, *, delays: bool) -> dict[str, tuple[Any, ...]]:
    policy, axes = scenario.policy, {}
    for names in (_HOW_FULL, _HOW_LONG) if delays else (_HOW_FULL,):
        name = next((name for name in names if hasattr(policy, name)), None)
        if name is None:
            continue
        values = tuple(names[name])
        if name == "replicas":
            values = tuple(_within(scenario, values))
        target = getattr(policy, "target", None)
        if name == "target_utilisation" and target is not None:
            name, values = "target", tuple(target * share / _DEFAULT_SHARE for share in _TARGETS)
        axes[f"policy.{name}"] = values
    return axes


def combinations(axes: Mapping[str, Sequence[Any]]) -> list[Settings]:
    """Every combination, the last axis varying fastest."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def neighbours(settings: Mapping[str, Any], axes: Mapping[str, Sequence[Any]]) -> list[Settings]:
    """The combinations that are one step away on one axis."""
    found = []
    for path, values in axes.items():
        at = list(values).index(settings[path])
        found += [{**settings, path: values[k]} for k in (at - 1, at + 1) if 0 <= k < len(values)]
    return found
