"""Known answers, run against the engine: the main path of this room."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import median
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from modeler.referee import deterministic
from modeler.referee.cases import Case, CaseFile, read_cases
from modeler.referee.experiment import RULE, Measured, measure, seed_of
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.quantities import quantity
from modeler.referee.station import is_kendall, station
from modeler.referee.statistics import DETERMINISTIC_TIER, QUICK_FACTOR, ROUNDING

if TYPE_CHECKING:
    import pandas as pd

SHIPPED: Final = Path(__file__).with_name("analytic_cases.json")
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


@dataclass(frozen=True)
class CaseResult:
    """One case, replayed.

    Parameters
    ----------
    expected, got, ci_low, ci_high : float. The known answer; the replay's, with its 99.9 %
        confidence interval, whose ends coincide for a deterministic case. NaN when not replayed.
    half_width_pct : float. Half the interval over the expected value. [%]
    replications, requests : int. Independent replays; requests in all of them, pilot included.
    seed : int. Of every draw.
    status : str. ``passed``, ``failed`` or ``skipped``.
    why : str. Why not passed; or a remark on what was replayed.
    """

    id: str
    model: str
    quantity: str
    expected: float
    got: float
    ci_low: float
    ci_high: float
    half_width_pct: float
    replications: int
    requests: int
    seed: int
    status: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``pass`` is None for a skipped case."""
        plain = asdict(self)
        why = plain.pop("why")
        passed = None if self.status == "skipped" else self.status == "passed"
        return plain | {"pass": passed, "why": why}


@dataclass(frozen=True)
class FileResult:
    """All cases of one file."""

    file: str
    schema: str
    results: tuple[CaseResult, ...]

    def of_status(self, status: str) -> list[CaseResult]:
        """The cases that passed, failed or were skipped."""
        return [result for result in self.results if result.status == status]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: counts, what failed, how far off the replays were, every case."""
        errors = [
            abs(r.got / r.expected - 1.0) * 100.0
            for r in self.results
            if math.isfinite(r.got) and r.expected != 0.0
        ]
        return {
            "file": self.file,
            "schema": self.schema,
            "cases": len(self.results),
            "passed": len(self.of_status("passed")),
            "skipped": len(self.of_status("skipped")),
            "failed": [
                {"id": r.id, "expected": r.expected, "got": r.got, "why": r.why}
                for r in self.of_status("failed")
            ],
            "median_abs_pct_error": median(errors) if errors else None,
            "within_25pct": (
                sum(error <= 25.0 for error in errors) / len(errors) if errors else None
            ),
            "results": [r.to_dict() for r in self.results],
        }


@dataclass(frozen=True)
class Validation:
    """Known answers against the engine."""

    quick: bool
    rule: str
    files: tuple[FileResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every case that this version replays has passed."""
        return not any(file.of_status("failed") for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``validate --format json`` prints it."""
        return {
            "schema": "validate/1",
            "quick": self.quick,
            "rule": self.rule,
            "files": [file.to_dict() for file in self.files],
        }

    def frame(self) -> pd.DataFrame:
        """One row a case."""
        import pandas as pd

        rows = [{"file": file.file, **r.to_dict()} for file in self.files for r in file.results]
        return pd.DataFrame.from_records(rows)


def validate(
    files: Sequence[str | os.PathLike[str]] | None = None,
    *,
    quick: bool = False,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> Validation:
    """Replay known answers and compare.

    Parameters
    ----------
    files : sequence of path, optional. Files of ``analytic-cases/1``; the shipped ones when none.
    quick : bool. Tiers five times as wide and shorter runs.
    seed : int. Mixed into each case's seed; 0 leaves the hash of its id alone.
    workers : int. Threads; the answers do not depend on it.
    progress : called with cases done, cases in all and the id of the one just done.

    Raises
    ------
    CasesError, OSError
        A file cannot be read. Nothing is replayed then.
    """
    read = [read_cases(path) for path in files or [SHIPPED]]
    cases = [case for file in read for case in file.cases]
    results = _run_all(cases, quick, seed, workers, progress)
    rule = RULE
    if quick:
        rule += (
            f" Quick: half-widths may be {QUICK_FACTOR:g} times as wide (10 %; 25 % and 150 % in "
            "the two wider tiers), from 30 replications."
        )
    return Validation(quick, rule, tuple(_split(read, results)))


def _split(files: list[CaseFile], results: list[CaseResult]) -> Iterator[FileResult]:
    first = 0
    for file in files:
        last = first + len(file.cases)
        shown = Path(file.file).name if Path(file.file) == SHIPPED else file.file
        yield FileResult(shown, file.schema, tuple(results[first:last]))
        first = last


def _run_all(
    cases: list[Case],
    quick: bool,
    seed: int,
    workers: int,
    progress: Callable[[int, int, str], None] | None,
) -> list[CaseResult]:
    done = 0
    results: list[CaseResult] = []
    stop = Event()
    pool = ThreadPoolExecutor(max_workers=max(workers, 1))

    def run(case: Case) -> CaseResult:
        return run_case(case, quick=quick, seed=seed, stop=stop)

    try:
        for result in pool.map(run, cases):
            done += 1
            results.append(result)
            if progress is not None:
                progress(done, len(cases), result.id)
    finally:
        # Interrupted: what has not begun is dropped, what runs ends with its replication.
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return results


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
