"""The traffic that came: read, describe, convert, generate. Useful without the rest.

Reading guide. ``traces/trace.py`` and ``traces/counts.py`` hold the two kinds of traffic, one
arrival per request or requests per bin; ``traces/formats/`` has one file a format;
``traces/generate.py`` makes traffic by a law of ``traces/law.py``, from the counter-based draws of
``traces/draws.py``; ``traces/fit.py`` finds the law of a trace.
"""

from traces.counts import CountSeries
from traces.describe import describe
from traces.durations import ServiceTimes, service_times
from traces.errors import Problem, TraceError
from traces.fit import fit
from traces.formats import read
from traces.formats._options import Options
from traces.generate import generate, load, sample_names
from traces.law import TrafficLaw, read_law
from traces.law import to_text as law_text
from traces.match import Matched, match
from traces.trace import Chunk, ReadReport, Trace

__all__ = [
    "Chunk",
    "CountSeries",
    "Matched",
    "Options",
    "Problem",
    "ReadReport",
    "ServiceTimes",
    "Trace",
    "TraceError",
    "TrafficLaw",
    "describe",
    "fit",
    "generate",
    "law_text",
    "load",
    "match",
    "read",
    "read_law",
    "sample_names",
    "service_times",
]
