"""Reading ten million rows beside pandas on the same file: CPU seconds and peak memory.

Each reader is a process of its own, and both are run in turns, for one machine's cores differ from
one minute to the next. What is compared is the median.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

ROWS, TURNS = 10_000_000, 3
GOAL_CPU, GOAL_BYTES = 1.5, 600_000_000
_PIECE = 500_000
_PANDAS = {
    "csv": "import pandas; pandas.read_csv({!r}, parse_dates=['TIMESTAMP'])",
    "parquet": "import pandas; pandas.read_parquet({!r})",
}


class Cost(NamedTuple):
    """CPU seconds of all threads, and the largest resident size. [s, bytes]"""

    cpu_s: float
    peak_bytes: int


def write(path: Path, rows: int = ROWS) -> None:
    """Traffic in the layout of Azure's LLM trace of 2024."""
    rng = np.random.default_rng(1)
    stamps = np.cumsum(rng.exponential(60_000.0, rows)).astype("timedelta64[us]")
    prompt, output = rng.integers(1, 5000, rows), rng.integers(1, 800, rows)
    with path.open("w") as file:
        file.write("TIMESTAMP,ContextTokens,GeneratedTokens\n")
        for first in range(0, rows, _PIECE):
            part = slice(first, first + _PIECE)
            text = np.datetime_as_string(np.datetime64("2024-05-12", "us") + stamps[part])
            for stamp, asked, made in zip(text, prompt[part], output[part], strict=True):
                file.write(f"{stamp.replace('T', ' ')}+00:00,{asked},{made}\n")


def cost(*command: str) -> Cost:
    """Run a command to its end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def compare() -> list[dict[str, float | str]]:
    """A row for text and one for Parquet: described here, and read by pandas."""
    python = sys.executable
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "traffic.csv"
        write(text)
        parquet = text.with_suffix(".parquet")
        cost(python, "-c", f"import pandas; pandas.read_csv({str(text)!r}, parse_dates="
             f"['TIMESTAMP']).to_parquet({str(parquet)!r})")  # fmt: skip
        for kind, path in (("csv", text), ("parquet", parquet)):
            ours, theirs = [], []
            for _ in range(TURNS):
                theirs.append(cost(python, "-c", _PANDAS[kind].format(str(path))))
                ours.append(cost(python, "-m", "modeler", "trace", "describe", str(path)))
            rows.append(
                {
                    "kind": kind,
                    "cpu_s": median(one.cpu_s for one in ours),
                    "pandas_cpu_s": median(one.cpu_s for one in theirs),
                    "ratio": median(one.cpu_s for one in ours)
                    / median(one.cpu_s for one in theirs),
                    "peak_bytes": max(one.peak_bytes for one in ours),
                    "pandas_peak_bytes": max(one.peak_bytes for one in theirs),
                }
            )
        mapped = text.with_suffix(".npz")
        cost(python, "-m", "modeler", "trace", "convert", str(text), "-o", str(mapped))
        bare = cost(python, "-c", "import traces, traces.formats")
        reload = cost(python, "-c", f"import traces; traces.load({str(mapped)!r})")
        rows.append({"kind": "npz", "cpu_s": max(reload.cpu_s - bare.cpu_s, 0.0)})
    return rows


def main() -> None:
    """Print the ratios."""
    print(f"{ROWS / 1e6:.0f} M rows in the layout of Azure's LLM trace, read and described")
    for row in compare():
        if row["kind"] == "npz":
            print(f"  npz      {row['cpu_s']:5.2f} CPU s to load what convert wrote, imports apart")
            continue
        print(
            f"  {row['kind']:8} {row['cpu_s']:5.2f} CPU s, {row['ratio']:.2f} times pandas'"
            f" (at most {GOAL_CPU:g}), in {row['peak_bytes'] / 1e6:.0f} MB"
            f" (at most {GOAL_BYTES / 1e6:.0f}; pandas {row['pandas_peak_bytes'] / 1e6:.0f})"
        )


if __name__ == "__main__":
    main()
