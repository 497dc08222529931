"""The traffic that came: read, describe, convert, generate. Useful without the rest.

Reading guide. ``traces/trace.py`` and ``traces/counts.py`` hold the two kinds of traffic, one
arrival per request or requests per bin; ``traces/formats/`` has one file a format;
``traces/generate.py`` makes traffic, from the counter-based draws of ``traces/draws.py``.
"""

from traces.counts import CountSeries
from traces.describe import describe
from traces.errors import Problem, TraceError
from traces.formats import read
from traces.formats._options import Options
from traces.generate import generate, load, sample_names
from traces.trace import Chunk, ReadReport, Trace

__all__ = [
    "Chunk",
    "CountSeries",
    "Options",
    "Problem",
    "ReadReport",
    "Trace",
    "TraceError",
    "describe",
    "generate",
    "load",
    "read",
    "sample_names",
]
