"""GuideLLM results as JSON: benchmarks at several rates, each with its requests.

``request_start`` (Unix seconds) is the start; older files have it beside the tokens, newer ones
under ``info.timings``. One benchmark is read: the only one, or the one that ``series`` numbers
from 1. Requests that failed or were cut off at the end are dropped and counted.
"""

from collections.abc import Mapping
from typing import Any, Final

from traces.errors import Problem, TraceError
from traces.formats import _json
from traces.formats._lines import UNKNOWN, Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "guidellm"
# The first of these that a request has.
RENAME: Final = {
    "arrival_s": (
        ("info", "timings", "request_start"),
        ("scheduler_info", "request_timings", "request_start"),
        ("request_start_time",),
        ("start_time",),
    ),
    "prompt_tokens": (("prompt_tokens",), ("input_metrics", "text_tokens")),
    "output_tokens": (("output_tokens",), ("output_metrics", "text_tokens")),
}
_OUTCOMES: Final = ("successful", "errored", "incomplete")


def recognises(source: Source, layout: Layout | None) -> bool:
    """An object with benchmarks, and requests by outcome."""
    if not source.head.lstrip().startswith(b"{") or b'"benchmarks"' not in source.head:
        return False
    return b'"successful"' in source.head or b"guidellm" in source.head


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    document = source.document()
    found = document.get("benchmarks") if isinstance(document, dict) else None
    if not isinstance(found, list) or not found:
        raise source.refuse("not this format", "an object with a list of benchmarks")
    requests = _chosen(source, found).get("requests")
    if not isinstance(requests, Mapping):
        raise source.refuse("a benchmark without requests", "requests by outcome")
    served = requests.get("successful")
    if not isinstance(served, list) or not served:
        raise source.refuse("no successful request", "at least one")
    left_out = [
        (len(requests[outcome]), outcome)
        for outcome in _OUTCOMES[1:]
        if isinstance(requests.get(outcome), list) and requests[outcome]
    ]

    def parse(record: Any) -> tuple[str, list[float]]:
        if not isinstance(record, dict):
            raise Unfit("no request", "an object", None, record)
        return repr(_first(record, "arrival_s")), [
            _tokens(record, "prompt_tokens"),
            _tokens(record, "output_tokens"),
        ]

    columns = ["prompt_tokens", "output_tokens"]
    got = collect(source, enumerate(served, 1), parse, "request_start", columns, document=True)
    notes = [f"{count:,} rows dropped: {outcome}" for count, outcome in left_out]
    notes.append("traffic of a load test: closed-loop or at a set rate")
    dropped = got.dropped + sum(count for count, _ in left_out)
    return got._replace(dropped=dropped).events(source, NAME, tuple(notes))


def _chosen(source: Source, found: list[Any]) -> Mapping[str, Any]:
    """The benchmark that is meant."""
    wanted = source.options.series
    choices = [str(k) for k in range(1, len(found) + 1)]
    if wanted is None and len(found) > 1:
        what = f"{len(found)} benchmarks, one a rate"
        raise source.refuse(what, f"which of them: --series {' or '.join(choices)}")
    wanted = wanted or "1"
    if wanted not in choices:
        expected = f"one of {', '.join(choices)}"
        raise TraceError(source.path, Problem("unknown", expected, column="series", value=wanted))
    one = found[int(wanted) - 1]
    if not isinstance(one, dict):
        raise source.refuse(f"benchmark {wanted} is no object", "an object with requests")
    return one


def _first(record: Mapping[str, Any], role: str) -> float:
    """The first number at one of the places of a role.

    Raises
    ------
    Unfit
        There is none.
    """
    for path in RENAME[role]:
        value = _json.at(record, path)
        if value is not None:
            return number(value, ".".join(path))
    raise Unfit("no stamp", " or ".join(".".join(path) for path in RENAME[role]), role)


def _tokens(record: Mapping[str, Any], role: str) -> float:
    try:
        return _first(record, role)
    except Unfit as why:
        if why.value is None:
            return UNKNOWN
        raise
