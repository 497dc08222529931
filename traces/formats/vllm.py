"""Results of ``vllm bench serve`` as JSON, with details: the start of each request and its tokens.

``start_times`` are seconds of a clock without an origin; only results saved with details by newer
versions have them. A result without them is a latency profile and no traffic.
"""

from typing import Any, Final

from traces.formats._lines import Skip, Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "vllm"
RENAME: Final = {
    "start_times": "arrival_s",
    "input_lens": "prompt_tokens",
    "output_lens": "output_tokens",
}
_KEYS: Final = (b'"request_throughput"', b'"completed"')


def recognises(source: Source, layout: Layout | None) -> bool:
    """An object with the summary that the benchmark writes."""
    return source.head.lstrip().startswith(b"{") and all(key in source.head for key in _KEYS)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    document = source.document()
    if not isinstance(document, dict):
        raise source.refuse("not this format", "one object")
    if not document.get("start_times"):
        raise source.refuse(
            "latencies without arrivals: no traffic",
            "start_times, which vllm bench serve --save-detailed writes in newer versions",
        )
    lists: list[Any] = [document.get(name) for name in RENAME]
    if not all(isinstance(one, list) for one in lists) or len({len(one) for one in lists}) > 1:
        raise source.refuse("lists of unequal length", f"{', '.join(RENAME)}, one value a request")
    errors = document.get("errors")
    errors = errors if isinstance(errors, list) else []
    errors = [*errors, *[""] * (len(lists[0]) - len(errors))]

    def parse(row: tuple[Any, ...]) -> tuple[str, list[float]]:
        start, prompt, output, error = row
        if error:
            raise Skip("failed requests")
        if isinstance(start, bool) or not isinstance(start, (int, float, str)):
            raise Unfit("no stamp", "seconds", "start_times", start)
        return str(start), [number(prompt, "input_lens"), number(output, "output_lens")]

    rows = enumerate(zip(*lists, errors, strict=False), 1)
    columns = ["prompt_tokens", "output_tokens"]
    got = collect(source, rows, parse, "start_times", columns, "s", document=True)
    return got.events(source, NAME, ("traffic of a load test: at a set rate or all at once",))
