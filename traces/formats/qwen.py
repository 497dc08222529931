"""Qwen-Bailian JSON lines: seconds from the start of the file, one id for 16 tokens.

The prompt of a later turn includes the turns before it.
"""

from typing import Final

from traces.formats import _json
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.formats.mooncake import fits, read_lines
from traces.trace import Trace

NAME: Final = "qwen"
BLOCK_TOKENS: Final = 16
_OWN: Final = {"chat_id", "parent_chat_id", "timestamp", "input_length"}


def recognises(source: Source, layout: Layout | None) -> bool:
    """The ids of conversations, or an id for each block of 16 tokens."""
    records = _json.head_records(source)
    return bool(records) and all(
        set(record) >= _OWN or fits(record, BLOCK_TOKENS) for record in records
    )


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    return read_lines(source, NAME, "s")
