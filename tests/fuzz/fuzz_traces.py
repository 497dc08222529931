"""Coverage-guided fuzzing of every reader of traffic: ``python tests/fuzz/fuzz_traces.py``.

Not part of the suite: it needs atheris, and runs until it is stopped (``-max_total_time=600``).
Begins from the small sample of each format in ``tests/data`` and from the layouts that have none.
Anything but traffic whose rows add up, or a `TraceError` that names the file, is a find, and so is
a call that holds more than 300 MB; libFuzzer writes the input that did it.
"""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
from pathlib import Path

import atheris

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2]))

with atheris.instrument_imports(include=["traces"]):
    from traces import TraceError, describe
    from traces.counts import CountSeries
    from traces.formats import read

MOST_BYTES = 300_000_000
LARGEST_SEED = 20_000
LOOSE = {
    "uniq": b"  5 01/Jul/1995:00:00\n  7 01/Jul/1995:00:03\n",
    "after": b"1995-07-01T00:00:00Z 5\n1995-07-01T00:03:00Z 7\n",
    "pairs": b"804556800,5\n804556980,7\n",
    "log": b"t,count\n[01/Jul/1995:00:00:00 -0400],5\n[01/Jul/1995:00:03:00 -0400],7\n",
    "line": b"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n",
    "list": b"[[0,1],[60,2],[120,3]]",
    "objects": b'{"data": [{"timestamp": 1, "prompt_tokens": 2}, {"timestamp": 2}]}',
    "many": b'{"timestamp": 1, "requests": [{"Prompt Length": 1, "Output Length": 2}]}\n',
    "rates": b"window_start,client,req_per_min\n0,a,1\n0,b,2\n600,a,3\n600,b,4\n",
}
PLACE = Path(tempfile.mkdtemp(prefix="traffic-"))


def one(content: bytes) -> None:
    """Read one input."""
    path = PLACE / "input"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        found = read(path)
        describe(found)
        report = found.report
        assert report is not None
        assert report.rows >= report.dropped >= 0
        if isinstance(found, CountSeries):
            assert found.counts.min() >= 0
        else:
            assert report.rows - report.dropped <= found.requests <= max(report.rows, 1)
    except TraceError as error:
        if "input" not in str(error):
            raise RuntimeError(f"an error that does not name the file: {error}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak:,} bytes held"


def main() -> None:
    """Fuzz from the samples."""
    folder = Path(tempfile.mkdtemp(prefix="samples-"))
    for number, path in enumerate(sorted((HERE.parents[1] / "data").rglob("*"))):
        if path.is_file() and path.stat().st_size < LARGEST_SEED:
            (folder / f"{number}-{path.name}").write_bytes(path.read_bytes())
    for name, content in LOOSE.items():
        (folder / name).write_bytes(content)
    atheris.Setup([*sys.argv, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
