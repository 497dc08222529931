"""Formats of traffic, one file each, told apart by their content.

A format is a module with ``NAME``, ``recognises(source, layout)`` and
``read(source, layout, asked=...)``. A new one is a new file and a line in `FORMATS`, before the
formats that would accept its files too.
"""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import (
    _names,
    alb,
    apache,
    api_gateway,
    azure_functions_2019,
    azure_functions_2021,
    azure_llm,
    burstgpt,
    cloudfront,
    cloudwatch,
    cloudwatch_csv,
    counts,
    guidellm,
    jsonl,
    k6,
    llmperf,
    locust,
    mooncake,
    nginx,
    npz,
    parquet,
    prometheus,
    qwen,
    servegen,
    timestamps,
    vegeta,
    vllm,
)
from traces.formats._loose import json_of, text_of
from traces.formats._options import Options
from traces.formats._several import files_of, together
from traces.formats._source import Source
from traces.formats._text import Layout, layout_of
from traces.trace import Trace, set_fields


class Format(Protocol):
    """What the module of a format offers."""

    NAME: str

    def recognises(self, source: Source, layout: Layout | None) -> bool:
        """Whether the first bytes look like this format."""
        ...

    def read(self, source: Source, layout: Layout | None, *, asked: bool) -> Trace | CountSeries:
        """Read the file; `asked` if the caller named the format."""
        ...


# The first that recognises a file reads it: the most particular ones stand first.
FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        module.NAME: module
        for module in (
            npz,
            parquet,
            azure_llm,
            azure_functions_2021,
            azure_functions_2019,
            burstgpt,
            servegen,
            mooncake,
            qwen,
            api_gateway,
            alb,
            cloudfront,
            nginx,
            apache,
            cloudwatch,
            cloudwatch_csv,
            prometheus,
            vllm,
            guidellm,
            llmperf,
            locust,
            k6,
            vegeta,
            jsonl,
            counts,
            timestamps,
        )
    }
)


def read(
    path: str | Path, input_format: str | None = None, options: Options | None = None
) -> Trace | CountSeries:
    """Read traffic from a file or several, plain or gzip, in any known format.

    Parameters
    ----------
    path : str or path. The file, whose name plays no part in recognising it; a folder, or a
        pattern such as ``logs/*.gz``, whose files are put together in order of time.
    input_format : str, optional. One of `FORMATS`, instead of recognising it.
    options : Options, optional. What the file does not tell: columns by role, unit, zone, width
        of an interval, which series.

    Returns
    -------
    Trace or CountSeries
        Sorted; its ``report`` tells how many rows were read, dropped, moved and filled in, and
        what was assumed.

    Raises
    ------
    TraceError
        Naming the file and the first bad rows, or the formats there are.
    OSError
        The file cannot be opened.
    """
    if input_format is not None and input_format not in FORMATS:
        near = get_close_matches(input_format, FORMATS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        expected = f"one of {', '.join(FORMATS)}{hint}"
        problem = Problem("unknown", expected, column="input_format", value=input_format)
        raise TraceError(str(path), problem)
    files = files_of(path)
    if files is not None:
        return together(path, files, lambda file: read(file, input_format, options))
    plain = Source(path, options or Options())
    source = text_of(plain)
    found = _found(source, input_format)
    if found is None and source is plain:
        source = json_of(plain)
        found = None if source is plain else _found(source, input_format)
    if found is None:
        raise _unknown(source, layout_of(source))
    return _noted(found, source.note)


def _noted(found: Trace | CountSeries, note: str) -> Trace | CountSeries:
    """What was done to a layout before it was read goes first in the report."""
    if note and found.report is not None:
        set_fields(found, report=replace(found.report, notes=(note, *found.report.notes)))
    return found


def _found(source: Source, input_format: str | None) -> Trace | CountSeries | None:
    """What the first reader that knows the file, or the one asked for, makes of it."""
    layout = layout_of(source)
    if input_format is not None:
        if input_format == jsonl.NAME and source.head.lstrip().startswith(b"[") and not source.note:
            return None  # a list, to be put as lines
        return FORMATS[input_format].read(source, layout, asked=True)
    for format_ in FORMATS.values():
        if format_.recognises(source, layout):
            return format_.read(source, layout, asked=False)
    return None


def _unknown(source: Source, layout: Layout | None) -> TraceError:
    if layout is None:
        found = "no format recognised"
    elif layout.header is None:
        found = f"no format recognised: {layout.width} columns without a header"
    else:
        found = f"no format recognised: columns {', '.join(layout.header)}"
    return source.refuse(
        found,
        f"one of the formats {', '.join(FORMATS)}; in text, a header with{_names.EXPECTED}",
    )
