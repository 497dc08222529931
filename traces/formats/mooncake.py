"""Mooncake (FAST'25) JSON lines: whole milliseconds from the start, one id for 512 tokens.

The keys are those of other releases that count in seconds, so it is the ids that tell: there are
as many as the prompt has blocks of 512. Published arrivals come in batches every 3 s.
"""

from typing import Final

import numpy as np

from traces.formats import _json
from traces.formats._lines import collect
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "mooncake"
RENAME: Final = {"input_length": "prompt_tokens", "output_length": "output_tokens"}
BLOCK_TOKENS: Final = 512
_QUANTISED: Final = 0.5


def recognises(source: Source, layout: Layout | None) -> bool:
    """Whole stamps, and as many ids for each prompt as it has blocks of 512 tokens."""
    records = _json.head_records(source)
    return bool(records) and all(
        fits(record, BLOCK_TOKENS) and isinstance(record["timestamp"], int) for record in records
    )


def fits(record: _json.Record, block_tokens: int) -> bool:
    """Whether a record has an id for each block of its prompt, the last of which may be partial."""
    ids, length = record.get("hash_ids"), record.get("input_length")
    if not isinstance(ids, list) or not isinstance(length, int) or "timestamp" not in record:
        return False
    return len(ids) == -(-length // block_tokens)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    return read_lines(source, NAME, "ms")


def read_lines(source: Source, format: str, unit: str) -> Trace:
    """Read lines with these keys, and stamps of that unit unless the caller knows better."""
    keys = [(key,) for key in RENAME]

    def parse(line: bytes) -> tuple[str, list[float]]:
        record = _json.record_of(line)
        return _json.stamp_at(record, ("timestamp",)), _json.values_at(record, keys)

    columns = list(RENAME.values())
    got = collect(source, source.lines(), parse, "timestamp", columns, unit)
    return got.events(source, format, quantised(got.ns))


def quantised(ns: np.ndarray) -> tuple[str, ...]:
    """A note where requests come in batches, so that bursts within a second mean nothing."""
    distinct = np.unique(ns)
    if ns.size < 100 or distinct.size > _QUANTISED * ns.size:
        return ()
    gap_s = float(np.median(np.diff(distinct))) / 1e9 if distinct.size > 1 else 0.0
    return (
        f"{ns.size:,} requests share {distinct.size:,} stamps, about {gap_s:g} s apart: "
        "burstiness below that is of the recording (trace transform --jitter spreads them)",
    )
