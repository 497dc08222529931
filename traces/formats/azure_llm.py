"""Azure LLM inference traces: 2023 (Splitwise), 2024 (DynamoLLM), 2025 (multimodal).

Stamps are arrivals. 2023 has seven fractional digits, no zone, CRLF and no newline after the last
row; 2024 states +00:00 and leaves out the fraction on whole seconds; 2025 inserts a column. So
columns are read by name and layouts of stamps may mix.
"""

from typing import Final

from traces.formats import _assemble
from traces.formats._columns import read_columns, unused
from traces.formats._names import key
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "azure-llm"
RENAME: Final = {
    "timestamp": "arrival_s",
    "contexttokens": "prompt_tokens",
    "generatedtokens": "output_tokens",
}


def recognises(source: Source, layout: Layout | None) -> bool:
    """All three columns are there."""
    return layout is not None and set(RENAME) <= set(map(key, layout.names))


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None or not recognises(source, layout):
        raise source.refuse("not this format", "columns TIMESTAMP, ContextTokens, GeneratedTokens")
    names = map(key, layout.names)
    place = {RENAME[name]: k for k, name in enumerate(names) if name in RENAME}
    stamp = place.pop("arrival_s")
    got = read_columns(source, layout, stamp, place)
    notes = (*got.notes, *unused(layout, {stamp, *place.values()}))
    return _assemble.events(
        source.path,
        got.ns,
        got.values,
        absolute=got.absolute,
        format=NAME,
        notes=notes,
        repeats=got.repeats,
    )
