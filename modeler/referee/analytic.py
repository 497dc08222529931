"""One case of theory, replayed and judged: which engine run answers which family of queues."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from threading import Event
from typing import Final

from modeler.referee import deterministic
from modeler.referee.cases import Case
from modeler.referee.experiment import Measured, Subject, measure, seed_of
from modeler.referee.kendall import is_kendall, station
from modeler.referee.parameters import CaseError, Parameters, UnknownError
from modeler.referee.per_request import (
    environment_quantity,
    environment_station,
    is_per_request,
)
from modeler.referee.quantities import Quantity, quantity
from modeler.referee.replica_quantities import replica_quantity
from modeler.referee.results import CaseResult
from modeler.referee.setup import is_setup, setup_station
from modeler.referee.statistics import DETERMINISTIC_TIER, ROUNDING
from modeler.referee.transient import is_transient, transient, transient_quantity

_FLUID: Final = "fluid scale-out"
_STAGES: Final = "cold start stages"
_EXACT: Final[dict[str, Callable[[Parameters, str], deterministic.Answer]]] = {
    _FLUID: deterministic.scale_out,
    _STAGES: deterministic.cold_start,
}
MODELS: Final = (
    "M/M/c", "M/M/c/c", "M/M/1/K", "M/M/c/K", "M/G/1", "M/D/1", "M/G/c", "M/G/inf", "M/M/1/setup",
    "M/M/c/setup", "M/G/1 with deterministic setup, off when idle",
    "M/G/1 with keep-alive and setup", "M/M/inf transient", "Mt/D/inf", "keep-alive, S=0",
    "keep-alive loss, one slot", "scale-per-request, exponential keep-alive",
    "infinite-server with private setup", _FLUID, _STAGES,
)  # fmt: skip


def run_case(
    case: Case, *, quick: bool = False, seed: int = 0, stop: Event | None = None
) -> CaseResult:
    """Replay one case and judge it.

    Parameters
    ----------
    quick, seed : as for `validate`.
    stop : Event, optional. Ends the replays early, with InterruptedError, once it is set.
    """
    own_seed = seed_of(case.id, seed)
    model = case.model.strip()
    params = Parameters(case.params)
    try:
        exact = _EXACT.get(model.lower())
        if exact is not None:
            answer = exact(params, case.quantity)
            return _told(_judge_exact(case, answer, own_seed), params, "")
        subject, asked, note = _subject(model, case.quantity, params)
        found = measure(subject, asked, case.value, own_seed, quick=quick, stop=stop)
    except UnknownError as error:
        return _without_replay(case, own_seed, "skipped", str(error))
    except CaseError as error:
        return _without_replay(case, own_seed, "failed", str(error))
    return _told(_judge(case, found, own_seed, asked.kind == "integer"), params, note)


def _subject(model: str, asked: str, params: Parameters) -> tuple[Subject, Quantity, str]:
    """What is replayed for a model, what is counted, and where it is not literally the model."""
    if is_kendall(model):
        queue = station(model, params)
        return queue, quantity(asked, queue, params), queue.note
    if is_setup(model):
        setup = setup_station(model, params)
        return setup, replica_quantity(asked, setup, params), setup.note
    if is_transient(model):
        watched = transient(model, params)
        return watched, transient_quantity(asked, params), watched.note
    if is_per_request(model):
        environments = environment_station(model, params)
        return environments, environment_quantity(asked, environments, params), environments.note
    near = get_close_matches(model, MODELS, n=1, cutoff=0.3)
    hint = f"nearest {near[0]!r}; " if near else ""
    raise UnknownError(f"unknown model {model!r}: {hint}known are {', '.join(MODELS)}")


def _judge(case: Case, found: Measured, seed: int, integer: bool) -> CaseResult:
    value, low, high = found.interval
    half = found.interval.half_width
    if integer:
        inside = abs(value - case.value) <= found.allowed
        why = "" if inside else f"more than {found.allowed:g} from the expected integer"
    elif not math.isfinite(value):
        why = "never seen in the replays"
    elif not low - ROUNDING <= case.value <= high + ROUNDING:
        why = "expected value lies outside the replay's 99.9 % confidence interval"
    elif half > found.allowed:
        why = (
            f"half-width {half:.3g} is above the {found.allowed:.3g} allowed "
            f"after {found.requests:,} requests"
        )
    else:
        why = ""
    return CaseResult(
        id=case.id,
        model=case.model,
        quantity=case.quantity,
        expected=case.value,
        got=value,
        ci_low=low,
        ci_high=high,
        half_width_pct=100.0 * half / abs(case.value) if case.value else float("nan"),
        replications=found.replications,
        requests=found.requests,
        seed=seed,
        status="failed" if why else "passed",
        why=why,
    )


def _judge_exact(case: Case, answer: deterministic.Answer, seed: int) -> CaseResult:
    off = abs(answer.value - case.value)
    why = ""
    if not off <= DETERMINISTIC_TIER * abs(case.value):
        why = f"more than {DETERMINISTIC_TIER:.0%} from the expected value"
    return CaseResult(
        id=case.id,
        model=case.model,
        quantity=case.quantity,
        expected=case.value,
        got=answer.value,
        ci_low=answer.value,
        ci_high=answer.value,
        half_width_pct=0.0,
        replications=1,
        requests=answer.requests,
        seed=seed,
        status="failed" if why else "passed",
        why=why,
    )


def _without_replay(case: Case, seed: int, status: str, why: str) -> CaseResult:
    nothing = float("nan")
    return CaseResult(
        case.id, case.model, case.quantity, case.value, nothing, nothing, nothing, nothing,
        0, 0, seed, status, why,
    )  # fmt: skip


def _told(result: CaseResult, params: Parameters, note: str) -> CaseResult:
    """The result with what else is to be said.

    A case with a parameter that nothing has read may mean something else, and never passes.
    """
    unused = params.unused()
    told = f"not used: {', '.join(f'params.{name}' for name in unused)}" if unused else ""
    status = "skipped" if unused and result.status == "passed" else result.status
    why = "; ".join(part for part in (result.why, told, note) if part)
    return replace(result, status=status, why=why)
