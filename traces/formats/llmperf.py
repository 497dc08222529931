"""LLMPerf results: the latency of each request and never when it came, so no traffic."""

from typing import Final, NoReturn

from traces.formats._source import Source
from traces.formats._text import Layout

NAME: Final = "llmperf"
_KEYS: Final = (b'"ttft_s"', b'"end_to_end_latency_s"')


def recognises(source: Source, layout: Layout | None) -> bool:
    """A list of individual responses, or the summary beside it."""
    start = source.head.lstrip()[:1]
    summary = b'"results_ttft_s' in source.head or b'"results_num_requests' in source.head
    return start in b"[{" and (all(key in source.head for key in _KEYS) or summary)


def read(source: Source, layout: Layout | None, *, asked: bool) -> NoReturn:
    """Refuse the file, saying what it is good for; see `traces.formats.read`."""
    raise source.refuse(
        "latencies without arrivals: no traffic",
        "a result with the start of each request, as of GuideLLM or vllm bench serve "
        "--save-detailed",
    )
