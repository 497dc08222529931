"""What became of requests: counts, violations with their causes, times and their error."""

from __future__ import annotations

from typing import Any, Final

from modeler.replay.histogram import RELATIVE_ERROR
from modeler.study.explain.arithmetic import (
    DIFFERENCE,
    PRODUCT,
    QUOTIENT,
    Line,
    added,
    read,
    step,
)
from modeler.study.replay import Replay

_COUNTED: Final = "counted request by request"
_CAUSES: Final = {
    "service_time": "its service alone breaks the threshold or the client's time-out",
    "queue_limit": "the queue was full",
    "replica_cap": "desired capacity stood at its maximum during the whole wait",
    "cold_start": "replicas were pending for at least half of the wait",
    "decision": "no capacity had been asked for during most of the wait",
    "lost_capacity": "what served it was taken away",
}
_TIMES: Final = {
    "latency_s": "arrival to finish of served requests",
    "wait_s": "arrival to start of served requests, 0 where none waited",
    "first_token_s": "arrival to first token of served requests",
    "time_per_output_token_s": "between two tokens of served requests, after the first",
}
_OUTCOMES: Final = {
    "requests": "the traffic",
    "rejected": "refused by a full queue, or by a platform with no capacity",
    "timed_out": "outlived the queue's or the client's time-out",
    "lost": "nothing could ever serve it",
}


def violation_share(done: Replay, figure: str) -> list[Line]:
    """Each cause's count, their sum, and the same requests by their fate; over all requests."""
    outcome = done.outcome
    causes = [_cause(done, cause) for cause in outcome.violations_by_cause]
    violations = sum(outcome.violations_by_cause.values())
    unserved = [_outcome(done, name) for name in ("rejected", "timed_out", "lost")]
    late = violations - outcome.rejected - outcome.timed_out - outcome.lost
    terms = (violations, outcome.rejected, outcome.timed_out, outcome.lost)
    threshold = f"later than {outcome.sla['threshold_s']:g} s ({outcome.sla['metric']})"
    words = "violations / requests"
    return [
        *causes,
        added("violations", causes, violations, "requests", "each has one cause"),
        *unserved,
        step(
            "served too late", DIFFERENCE, terms, late, "requests", threshold,
            "violations - rejected - timed_out - lost",
        ),
        _outcome(done, "requests"),
        step(
            figure, QUOTIENT, (violations, outcome.requests), outcome.sla_violation_share, "share",
            f"the objective is at most {outcome.sla['max_violation_share']:g}", words,
        ),
    ]  # fmt: skip


def _cause(done: Replay, cause: str) -> Line:
    count = done.outcome.violations_by_cause[cause]
    return read(
        f"violations_by_cause.{cause}", count, "requests", _COUNTED, _CAUSES.get(cause, cause)
    )


def cause(done: Replay, figure: str) -> list[Line]:
    """One cause's count."""
    return [_cause(done, figure.rpartition(".")[2])]


def _outcome(done: Replay, name: str) -> Line:
    value = getattr(done.outcome, name)
    return read(name, value, "requests", _COUNTED, _OUTCOMES[name])


def outcomes(done: Replay, figure: str) -> list[Line]:
    """How many requests ended in one way."""
    outcome = done.outcome
    if figure != "served":
        return [_outcome(done, figure)]
    terms = (outcome.requests, outcome.rejected, outcome.timed_out, outcome.lost)
    return [
        *(_outcome(done, name) for name in _OUTCOMES),
        step(
            figure, DIFFERENCE, terms, outcome.served, "requests", "each request has one fate",
            "requests - rejected - timed_out - lost",
        ),
    ]  # fmt: skip


def times(done: Replay, figure: str) -> list[Line]:
    """A time of served requests: its mean exactly, a percentile with the histogram's error."""
    name, _, key = figure.partition(".")
    result, outcome = done.run.result, done.outcome
    found: dict[str, Any] = getattr(outcome, name)
    served = read("served", outcome.served, "requests", _COUNTED, "finished, in time or not")
    if key == "relative_error":
        return [_error(figure)]
    if key == "share_waited":
        waited = int(result.wait.sum())
        count = read("waited", waited, "requests", _COUNTED, "served, and not started on arrival")
        return [count, served, _over(figure, waited, outcome.served, found[key], "share")]
    if key == "mean":
        total = result.served_sum_s if name == "latency_s" else result.wait_sum_s
        what = read(f"sum of {name}", total, "s", "added up request by request", _TIMES[name])
        return [what, served, _over(figure, total, outcome.served, found[key], "s")]
    words = f"{key[1:]} of 100 of these are at most this: {_TIMES[name]}"
    source = "a histogram of every served request, interpolated inside its bucket"
    value = found[key]
    line = read(figure, value, "s", source, words)
    if value is None:
        return [served, line]
    bounds = (("at least", 1.0 - RELATIVE_ERROR), ("at most", 1.0 + RELATIVE_ERROR))
    return [
        served,
        _error(f"{name}.relative_error"),
        *(
            step(
                f"{figure}, {word}", PRODUCT, (value, factor), value * factor, "s", source,
                "value x (1 ± relative error)".replace("±", "-" if factor < 1.0 else "+"),
            )
            for word, factor in bounds
        ),
        line,
    ]  # fmt: skip


def _over(figure: str, total: float, count: int, value: float | None, unit: str) -> Line:
    if not count:
        return read(figure, value, unit, _COUNTED, "nothing was served")
    return step(figure, QUOTIENT, (total, count), value, unit, _COUNTED, "over served requests")


def _error(figure: str) -> Line:
    words = "a bucket's width over its lower edge is at most 1/512; the bound has room for rounding"
    return read(figure, RELATIVE_ERROR, "share", "buckets by the top bits of a time", words)
