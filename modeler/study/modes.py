"""Ways to serve the same model, to be held against each other: from zero, kept warm, by request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from modeler.scenario import Problem, Scenario, ScenarioError, with_values
from modeler.scenario.errors import nearest
from modeler.study.presets import presets_of

TO_ZERO: Final = "scale-to-zero"
TOKEN_API: Final = "token-api"
MODES: Final = (
    TO_ZERO, "min-1", "min-2", "serverless", "lambda", "async", "provisioned-concurrency",
    TOKEN_API,
)  # fmt: skip
_KEPT: Final = re.compile(r"min-([1-9]\d*)")
_ZERO: Final = {"fleet.min": 0, "fleet.initial": None}
# Where a platform or a policy reaches zero only in another form, that form.
_ZERO_PRESETS: Final = {
    "sagemaker_realtime": "components",
    "sagemaker_components": "components",
    "sagemaker_async": "async",
}
_METERED: Final = {"serverless": "sagemaker_serverless", "lambda": "lambda"}


@dataclass(frozen=True)
class Mode:
    """A way to serve.

    Parameters
    ----------
    name : str. One of `MODES`, or ``min-N``.
    scenario : Scenario, optional. None for `TOKEN_API`, which replays nothing, and where it cannot
        be.
    reason : str. Why it cannot be; empty where it can.
    """

    name: str
    scenario: Scenario | None
    reason: str = ""


def modes_of(
    scenario: Scenario, names: tuple[str, ...] = (), *, tokens: bool = True
) -> tuple[Mode, ...]:
    """The modes of some names, each as the scenario's platform has it.

    Parameters
    ----------
    scenario : Scenario. Traffic, model, machine and service level are its own in each.
    names : tuple of str. By default all of `MODES`, the API by the token only where the scenario
        names one.
    tokens : bool. Whether the traffic has what an API by the token is billed by.

    Raises
    ------
    ScenarioError : an unknown name, with the nearest known.
    """
    if not names:
        names = MODES if scenario.token_api else MODES[:-1]
    unknown = [name for name in names if name not in MODES and not _KEPT.fullmatch(name)]
    if unknown:
        expected = f"one of {', '.join(MODES)}, or min-N"
        raise ScenarioError(
            [
                Problem(f'unknown mode "{name}": expected {expected}', "modes", name,
                        nearest=nearest(name, MODES))
                for name in unknown
            ]
        )  # fmt: skip
    return tuple(_mode(scenario, name, tokens=tokens) for name in dict.fromkeys(names))


def _mode(scenario: Scenario, name: str, *, tokens: bool) -> Mode:
    if name == TOKEN_API:
        if not scenario.token_api:
            return Mode(name, None, "no API is named: write token_api, or --token-api")
        return Mode(name, None, "" if tokens else "the traffic has no tokens to be billed by")
    try:
        return Mode(name, _served(scenario, name))
    except ScenarioError as error:
        return Mode(name, None, error.summary)


def _served(scenario: Scenario, name: str) -> Scenario:
    kind = scenario.hosting.kind
    if name in _METERED:
        made = _preset(scenario, name) if kind != _METERED[name] else scenario
        return with_values(made, {"hosting.provisioned_concurrency": 0})
    if name == "provisioned-concurrency":
        made = scenario if kind in _METERED.values() else _preset(scenario, "lambda")
        held: Any = made.hosting
        return with_values(
            made, {"hosting.provisioned_concurrency": max(held.provisioned_concurrency, 1)}
        )
    if name == "async":
        return scenario if kind == "sagemaker_async" else _preset(scenario, "async")
    if kind in _METERED.values():
        reason = f"{scenario.hosting.platform.title} has no replicas to keep"
        raise ScenarioError([Problem(f"{name}: {reason}", "hosting.kind", kind)])
    if name == TO_ZERO:
        return _from_zero(scenario)
    count = int(name.removeprefix("min-"))
    if scenario.in_force[0].kind == "fixed":
        return with_values(scenario, {"policy.replicas": count})
    return with_values(scenario, {"fleet.min": count, "fleet.initial": None})


def _from_zero(scenario: Scenario) -> Scenario:
    """On its own policy where that can, else on the one its platform reaches zero with."""
    kind = scenario.hosting.kind
    if scenario.in_force[0].kind != "fixed":
        try:
            return with_values(scenario, _ZERO)
        except ScenarioError:
            if kind in _ZERO_PRESETS:
                return _preset(scenario, _ZERO_PRESETS[kind])
            if not kind.startswith("eks_"):
                raise
    elif kind in _ZERO_PRESETS:
        return _preset(scenario, _ZERO_PRESETS[kind])
    own = "cloud_run" if kind == "cloud_run" else "keda"
    return with_values(scenario, {"policy": {"kind": own}, **_ZERO})


def _preset(scenario: Scenario, key: str) -> Scenario:
    values = presets_of([key])[0].values
    if key in _METERED:
        # An environment takes one request at a time, whatever a replica takes.
        values = {**values, "fleet.slots": 1}
    return with_values(scenario, values)
