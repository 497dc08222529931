"""Run every check on a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import traces
from modeler.predict import ModelDoesNotFit, ServiceError
from modeler.replay.run import Traffic
from modeler.scenario import Scenario
from modeler.study.doctor import (
    caps,
    cooldowns,
    metrics,
    per_request,
    scale_in,
    schedules,
    service,
    starts,
    targets,
    zero,
)
from modeler.study.doctor.facts import Facts, facts_of
from modeler.study.doctor.findings import SEVERITIES, Cure, Diagnosis, Finding
from modeler.study.doctor.overview import overview_of

Check = Callable[[Facts], Iterator[Finding]]
CHECKS: Final[tuple[Check, ...]] = (
    *starts.CHECKS,
    *zero.CHECKS,
    *service.CHECKS,
    *targets.CHECKS,
    *caps.CHECKS,
    *metrics.CHECKS,
    *cooldowns.CHECKS,
    *scale_in.CHECKS,
    *schedules.CHECKS,
    *per_request.CHECKS,
)


def doctor(scenario: Scenario, trace: Traffic | None = None) -> Diagnosis:
    """Examine a policy on its traffic without replaying it.

    Parameters
    ----------
    scenario : Scenario. Its ``sweep`` block is not looked at.
    trace : Trace or CountSeries, optional. Instead of what ``scenario.trace`` names.

    Returns
    -------
    Diagnosis
        A model that does not fit, or traffic for which nothing says how long a request takes, is
        its one finding.

    Raises
    ------
    traces.TraceError, pricing.PricingError : as the rooms say.
    """
    traffic = trace if trace is not None else traces.load(scenario.trace, seed=scenario.seed)
    kinds = " + ".join(dict.fromkeys(policy.kind for policy in scenario.in_force))
    try:
        facts = facts_of(scenario, traffic)
    except (ModelDoesNotFit, ServiceError) as error:
        return Diagnosis(scenario.name, kinds, (_refused(scenario, error),), 1)
    found = [finding for check in CHECKS for finding in check(facts)]
    found.sort(key=lambda one: SEVERITIES.index(one.severity))  # of one severity as they came
    return Diagnosis(scenario.name, kinds, tuple(found), len(CHECKS), overview_of(facts))


def _refused(scenario: Scenario, error: ModelDoesNotFit | ServiceError) -> Finding:
    """What keeps the scenario from being replayed at all."""
    if isinstance(error, ServiceError):
        cure = Cure(
            "say how long a request takes there: --set service.kind=exponential and --set "
            "service.mean_s to what you measured"
        )
        paths: tuple[str, ...] = ("service.kind",)
        return Finding("service-time-unknown", "critical", paths, (), f"{error}.", cure,
                       "documented", "nothing states the speed there")  # fmt: skip
    cure = Cure("take a smaller model, or another hosting")
    if error.nearest is not None:
        cure = Cure(f"take {error.nearest}, the nearest that holds it",
                    {"hosting.instance": error.nearest})  # fmt: skip
    paths = ("model.size", "hosting.instance")
    if scenario.hosting.platform.per_request:
        paths = ("model.size", "hosting.memory_mb")
    return Finding("model-does-not-fit", "critical", paths, (), f"{error}.", cure, "documented",
                   "memory of the instance, less a tenth for what is not weights")  # fmt: skip
