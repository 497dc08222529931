"""One case of theory, replayed and judged: which engine run answers which family of queues."""

from __future__ import annotations

import math
from difflib import get_close_matches
from threading import Event
from typing import Final

from modeler.referee import deterministic
from modeler.referee.cases import Case
from modeler.referee.experiment import Measured, measure, seed_of
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.quantities import quantity
from modeler.referee.results import CaseResult
from modeler.referee.station import is_kendall, station
from modeler.referee.statistics import DETERMINISTIC_TIER, ROUNDING

_SCALE_PER_REQUEST: Final = "scale-per-request regime"
_SET_UP: Final = "set-up per waiting job"
_TRANSIENT: Final = "time-dependent infinite-server queue"
# Models that the fleet regime does not answer, by what their names begin with.
_OTHER_REGIMES: Final = {
    "keep-alive": _SCALE_PER_REQUEST,
    "scale-per-request": _SCALE_PER_REQUEST,
    "infinite-server with private setup": _SCALE_PER_REQUEST,
    "m/g/1 with keep-alive": _SCALE_PER_REQUEST,
    "m/m/1/setup": _SET_UP,
    "m/m/c/setup": _SET_UP,
    "m/g/1 with deterministic setup": _SET_UP,
    "m/m/inf transient": _TRANSIENT,
    "mt/": _TRANSIENT,
}
_FLUID: Final = "fluid scale-out"
_STAGES: Final = "cold start stages"
MODELS: Final = (
    "M/M/c", "M/M/c/c", "M/M/1/K", "M/M/c/K", "M/G/1", "M/D/1", "M/G/c", "M/G/inf", _FLUID, _STAGES,
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
    for prefix, reason in _OTHER_REGIMES.items():
        if model.lower().startswith(prefix):
            return _without_replay(case, own_seed, "skipped", reason)
    params = Parameters(case.params)
    try:
        if model.lower() == _FLUID:
            answer = deterministic.scale_out(params, case.quantity)
            return _judge_exact(case, answer, own_seed, _notes(params, ""))
        if model.lower() == _STAGES:
            answer = deterministic.cold_start(params, case.quantity)
            return _judge_exact(case, answer, own_seed, _notes(params, ""))
        if not is_kendall(model):
            near = get_close_matches(model, MODELS, n=1, cutoff=0.3)
            hint = f"nearest {near[0]!r}; " if near else ""
            raise CaseError(f"unknown model {model!r}: {hint}known are {', '.join(MODELS)}")
        queue = station(model, params)
        asked = quantity(case.quantity, queue, params)
        found = measure(queue, asked, case.value, own_seed, quick=quick, stop=stop)
    except CaseError as error:
        return _without_replay(case, own_seed, "failed", str(error))
    return _judge(case, found, own_seed, asked.kind == "integer", _notes(params, queue.note))


def _judge(case: Case, found: Measured, seed: int, integer: bool, note: str) -> CaseResult:
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
        why="; ".join(part for part in (why, note) if part),
    )


def _judge_exact(case: Case, answer: deterministic.Answer, seed: int, note: str) -> CaseResult:
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
        why="; ".join(part for part in (why, note) if part),
    )


def _without_replay(case: Case, seed: int, status: str, why: str) -> CaseResult:
    nothing = float("nan")
    return CaseResult(
        case.id, case.model, case.quantity, case.value, nothing, nothing, nothing, nothing,
        0, 0, seed, status, why,
    )  # fmt: skip


def _notes(params: Parameters, note: str) -> str:
    unused = params.unused()
    told = f"not used: {', '.join(f'params.{name}' for name in unused)}" if unused else ""
    return "; ".join(part for part in (note, told) if part)
