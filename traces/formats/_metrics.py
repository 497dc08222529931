"""What the metrics of a monitoring service count: requests, or something that is no traffic."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from traces.errors import Problem, TraceError
from traces.formats._names import key
from traces.formats._text import plain_name
from traces.trace import Floats

# Metrics whose sum over a period is the number of requests in it.
TOTALS: Final = frozenset({"invocations", "requestcount", "requests", "count", "modelinvocations"})
_EACH: Final = "the metric of the whole endpoint (Invocations or RequestCount), as Sum"
_GAUGE: Final = "a count of requests; a gauge over the mean latency is only a mean rate"
_LATENCY: Final = "a count of requests, as Sum"
# Metrics that look like traffic and are none, by their plain name without marks.
NO_TOTALS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "invocationsperinstance": ("per instance, and their number changes", _EACH),
        "invocationspercopy": ("per copy, and their number changes", _EACH),
        "requestcountpertarget": ("per target, and their number changes", _EACH),
        "concurrentrequestspermodel": ("a gauge of requests in flight", _GAUGE),
        "concurrentrequestspercopy": ("a gauge of requests in flight", _GAUGE),
        "concurrentexecutions": ("a gauge of requests in flight", _GAUGE),
        "modellatency": ("a latency in microseconds", _LATENCY),
        "overheadlatency": ("a latency in microseconds", _LATENCY),
        "modelsetuptime": ("a latency in microseconds", _LATENCY),
        "duration": ("a latency in milliseconds", _LATENCY),
        "targetresponsetime": ("a latency in seconds", _LATENCY),
        "latency": ("a latency in milliseconds", _LATENCY),
        "cpuutilization": ("a utilisation", _LATENCY),
    }
)


def refuse_no_total(path: str, label: str) -> None:
    """Refuse a metric that is no number of requests.

    Parameters
    ----------
    path : str. The file.
    label : str. The metric, perhaps with a namespace before it and a resource behind.

    Raises
    ------
    TraceError
        Saying what the metric is, and which one to export instead.
    """
    for word in label.replace("/", " ").split():
        told = NO_TOTALS.get(key(plain_name(word)))
        if told is not None:
            what, expected = told
            raise TraceError(path, Problem(f"{word} is {what}", expected, value=label))


def refuse_average(path: str, label: str, values: Floats) -> None:
    """Refuse the average of a metric that is 1 for each request.

    Raises
    ------
    TraceError
        Every value is 1.
    """
    if values.size >= 10 and bool((values == 1.0).all()):
        what = f"every value of {label} is 1: that is the Average, each request being 1"
        raise TraceError(path, Problem(what, "the statistic Sum"))


def is_total(label: str) -> bool:
    """Whether a label names a metric whose sum is the number of requests."""
    return any(key(plain_name(word)) in TOTALS for word in label.replace("/", " ").split())


def choose(path: str, labels: list[str], wanted: str | None) -> int:
    """Which of several series is meant.

    Parameters
    ----------
    path : str. The file.
    labels : list of str. Their labels.
    wanted : str, optional. The caller's choice.

    Raises
    ------
    TraceError
        None has that label, or several could be meant.
    """
    shown = ", ".join(labels)
    if wanted is not None:
        if wanted not in labels:
            problem = Problem("unknown", f"one of {shown}", column="series", value=wanted)
            raise TraceError(path, problem)
        return labels.index(wanted)
    if len(labels) == 1:
        return 0
    totals = [k for k, label in enumerate(labels) if is_total(label)]
    if len(totals) == 1:
        return totals[0]
    what = f"{len(labels)} series: {shown}"
    raise TraceError(path, Problem(what, "which of them counts the requests (--series)"))
