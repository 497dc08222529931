"""Names that a column may have, the surest first; ``docs/traffic.md`` lists them for people.

Case does not matter, nor whether words are joined by a blank, a hyphen, an underscore or nothing.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from traces.formats._stamps import UNITS

# Names of a time column; each may end in a unit: _s, _ms, _us, _ns, _min. Names that say "end" are
# left out on purpose: an end is not an arrival.
STAMPS: Final = (
    "arrival",
    "arrival_time",
    "arrival_timestamp",
    "arrived",
    "arrived_at",
    "request_time",
    "request_timestamp",
    "received_at",
    "start_time",
    "start_timestamp",
    "started_at",
    "start",
    "timestamp",
    "@timestamp",
    "datetime",
    "time",
    "date",
    "ts",
    "event_time",
    "created_at",
    "created",
    "offset",
    "t",
)
# Names that only the start of an interval has: a row is then no single request.
BIN_STAMPS: Final = (
    "window_start",
    "bin_start",
    "interval_start",
    "period_start",
    "bucket_start",
    "window_s",
)
# Likewise, but beside a stamp these are only parts of it. Bare numbers under them count in that
# unit. "bin" or "period" are left out: a number there may be an index or a width.
PART_STAMPS: Final = ("second", "minute", "hour", "day")
INTERVAL_STAMPS: Final = (*BIN_STAMPS, *STAMPS, *PART_STAMPS)
# Names of a column of counts, in three ranks. The first is what a user writes to settle a doubt;
# the last may as well name a gauge or a rate, or a property of a single request.
COUNTS: Final = (
    ("count", "counts"),
    (
        "requests",
        "request_count",
        "num_requests",
        "n_requests",
        "number_of_requests",
        "total_requests",
        "requests_count",
        "invocations",
        "invocation_count",
        "num_invocations",
        "calls",
        "count(*)",
        "count()",
    ),
    ("sum", "hits", "sample_count", "value", "n", "total", "total_count", "frequency", "visits"),
)
# Names of a column of requests per second end so, whatever stands before; and of those per minute
# or hour, with the seconds of it.
RATES: Final = (
    "rate", "rps", "qps", "requests_per_second", "req_per_s", "req_per_sec", "requests/s", "req/s",
)  # fmt: skip
SLOW_RATES: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("requests_per_minute", "requests_per_min", "req_per_min", "req_per_minute", "rpm",
             "requests/min", "req/min"), 60.0,
        ),
        **dict.fromkeys(("requests_per_hour", "req_per_hour", "requests/h"), 3600.0),
    }
)  # fmt: skip
PERIODS: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour"}
# Other rates that end so.
_NO_REQUESTS: Final = ("token", "byte", "error", "fail", "hit", "miss", "sampl", "success")
# House names of what may be known of a single request, and the names that files give it.
OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "prompt_tokens": (
            "prompt_tokens",
            "input_tokens",
            "context_tokens",
            "tokens_in",
            "input_length",
            "num_prefill_tokens",
            "num_input_tokens",
            "number_input_tokens",
            "input_len",
            "prompt_len",
            "prompt_length",
            "request_tokens",
            "reported_token_input",
            "prompt_size",
        ),
        "output_tokens": (
            "output_tokens",
            "generated_tokens",
            "completion_tokens",
            "tokens_out",
            "output_length",
            "num_decode_tokens",
            "num_output_tokens",
            "number_output_tokens",
            "output_len",
            "response_tokens",
            "response_length",
            "reported_token_output",
            "token_size",
        ),
        "service_s": ("service_s", "service_time_s", "service_ms", "service_time_ms"),
    }
)
EXPECTED_STAMP: Final = f"a time column: {', '.join((*STAMPS, *BIN_STAMPS, *PART_STAMPS))}"
EXPECTED_COUNT: Final = f"a count column: {', '.join(name for rank in COUNTS for name in rank)}"
EXPECTED_OPTIONAL: Final = (
    f"optional columns: {', '.join(name for names in OPTIONAL.values() for name in names)}"
)
EXPECTED: Final = (
    f"\n  {EXPECTED_STAMP}\n  and for requests per interval {EXPECTED_COUNT}"
    f"\n  or a rate of requests: a name that ends in {', '.join((*RATES, *SLOW_RATES))}"
    f"\n  {EXPECTED_OPTIONAL}"
)
# Who a row of counts is of: rows of one bin that differ in it add up.
SERIES: Final = (
    "client_id", "client", "tenant_id", "tenant", "customer_id", "customer", "user_id", "user",
    "app", "service", "endpoint", "deployment", "variant", "function", "model", "route", "host",
    "instance", "pod", "series", "source",
)  # fmt: skip
# Numbers under these names are labels of a row, not counts.
_LABELS: Final = ("", "id", "index", "status", "status_code")


def key(name: str) -> str:
    """What two spellings of a plain name have in common.

    >>> key("request_count"), key("requestcount")
    ('requestcount', 'requestcount')
    """
    return name.replace("_", "")


def stamp_column(names: Sequence[str], choices: Sequence[str] = STAMPS) -> int | None:
    """Which of some plain names is the time column, or None.

    Logs Insights names an interval by its function, as ``bin(1m)``.
    """
    if choices is INTERVAL_STAMPS:
        bins = [k for k, name in enumerate(names) if name.startswith("bin(")]
        if bins:
            return bins[0]
    bare = [key(_without_unit(name)) for name in names]
    whole = [key(name) for name in names]
    for choice in map(key, choices):
        for spelled in (whole, bare):
            if choice in spelled:
                return spelled.index(choice)
    return None


def count_columns(names: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """The best rank of `COUNTS` that some plain names have, and which they are; may be none."""
    for rank, choices in enumerate(COUNTS):
        keys = set(map(key, choices))
        found = tuple(k for k, name in enumerate(names) if key(name) in keys)
        if found:
            return rank, found
    return len(COUNTS), ()


def rate_column(names: Sequence[str]) -> int | None:
    """Which of some plain names is the only rate of requests, or None."""
    found = [
        k
        for k, name in enumerate(names)
        if any(name == rate or name.endswith(f"_{rate}") for rate in (*RATES, *SLOW_RATES))
        and not any(word in name for word in _NO_REQUESTS)
    ]
    return found[0] if len(found) == 1 else None


def seconds_of_rate(name: str) -> float:
    """How many seconds the plain name of a rate counts over: 1, or those of a minute or hour. [s]

    >>> seconds_of_rate("arrival_rate"), seconds_of_rate("requests_per_minute")
    (1.0, 60.0)
    """
    found = (s for rate, s in SLOW_RATES.items() if name == rate or name.endswith(f"_{rate}"))
    return next(found, 1.0)


def series_column(names: Sequence[str]) -> int | None:
    """Which of some plain names tells whose counts a row has, or None; the surest first."""
    keys = [key(name) for name in names]
    return next((keys.index(key(one)) for one in SERIES if key(one) in keys), None)


def optional_columns(names: Sequence[str], stamp: int | None) -> dict[str, int]:
    """House names of the optional columns among some plain names, and which they are."""
    house = {key(name): known for known, names in OPTIONAL.items() for name in names}
    found: dict[str, int] = {}
    for k, name in enumerate(names):
        if k != stamp and key(name) in house:
            found.setdefault(house[key(name)], k)
    return found


def is_label(name: str) -> bool:
    """Whether numbers under a plain name only tell rows apart, as an index does."""
    return name in _LABELS or name.startswith("unnamed") or name.endswith("_id")


def holds_counts(names: Sequence[str]) -> bool:
    """Whether plain names are those of counts per interval rather than of single requests."""
    rank, found = count_columns(names)
    if stamp_column(names, INTERVAL_STAMPS) is None:
        return False
    if not found:
        return rate_column(names) is not None and not optional_columns(names, None)
    # A doubtful name beside the tokens of a request is one more property of that request.
    return rank < len(COUNTS) - 1 or not optional_columns(names, None)


def _without_unit(name: str) -> str:
    head, _, unit = name.rpartition("_")
    return head if unit in UNITS else name
