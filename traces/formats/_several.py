"""Several files as one traffic: a folder or a pattern of logs, as a load balancer writes them."""

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats._assemble import most_bins
from traces.trace import ReadReport, Trace

_SHOWN: Final = 10
_SIGNS: Final = "*?["
Traffic = Trace | CountSeries


def files_of(path: str | Path) -> list[Path] | None:
    """The files of a folder, or those that fit a pattern, by name; None for a single file.

    Hidden files, and those of folders below that are hidden, are left out.

    Raises
    ------
    TraceError
        There is none; a link leads nowhere, or to another of them, which would count twice.
    """
    text = os.fspath(path)
    if os.path.isdir(text):
        found = [
            one
            for one in Path(text).rglob("*")
            if _may_be_read(one)
            and not any(part.startswith(".") for part in one.relative_to(text).parts)
        ]
    elif any(sign in text for sign in _SIGNS) and not os.path.exists(text):
        found = [one for one in map(Path, glob.glob(text, recursive=True)) if _may_be_read(one)]
    else:
        return None
    if not found:
        raise TraceError(text, Problem("holds no files", "at least one file of traffic"))
    found.sort(key=lambda one: (one.is_symlink(), one))
    problems = []
    known: dict[tuple[int, int], Path] = {}
    for one in found:
        try:
            status = one.stat()
        except OSError as error:
            what = f"{one.name} cannot be read: {(error.strerror or str(error)).lower()}"
            problems.append(Problem(what, "files, or links that lead to one"))
            continue
        first = known.setdefault((status.st_dev, status.st_ino), one)
        if first is not one:
            what = f"{one.name} is {first.name} again, which would count twice"
            problems.append(Problem(what, "each file once: name a pattern that leaves one out"))
    if problems:
        raise TraceError(text, problems[:_SHOWN], max(len(problems) - _SHOWN, 0))
    return sorted(found)


def _may_be_read(path: Path) -> bool:
    """A file, or a link that leads to one or nowhere: the latter is not passed over in silence."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def together(path: str | Path, files: Sequence[Path], read: Callable[[Path], Traffic]) -> Traffic:
    """Read each file and put them together in order of time.

    Raises
    ------
    TraceError
        All that is wrong with any of them at once; files of several formats; stamps without a
        date, which have no order; counts of several widths.
    """
    text = os.fspath(path)
    parts: list[Traffic] = []
    problems: list[Problem] = []
    for file in files:
        try:
            parts.append(read(file))
        except TraceError as error:
            problems += [Problem(f"{file.name}: {one}") for one in error.problems[:_SHOWN]]
    if problems:
        raise TraceError(text, problems[:_SHOWN], max(len(problems) - _SHOWN, 0))
    if len(parts) == 1:
        return parts[0]
    formats = sorted({part.report.format for part in parts if part.report is not None})
    if len(formats) > 1:
        raise TraceError(text, Problem(f"files of {', '.join(formats)}", "files of one format"))
    undated = [file.name for file, part in zip(files, parts, strict=True)
               if not part.t0_is_absolute]  # fmt: skip
    if undated:
        raise TraceError(
            text, Problem(f"no dates in {', '.join(undated[:_SHOWN])}", "stamps with a date, by "
                          "which several files are put in order")
        )  # fmt: skip
    if all(isinstance(part, Trace) for part in parts):
        return _events(text, [part for part in parts if isinstance(part, Trace)], formats)
    named = [
        (file.name, part)
        for file, part in zip(files, parts, strict=True)
        if isinstance(part, CountSeries)
    ]
    return _counts(text, named, formats)


def _events(path: str, parts: Sequence[Trace], formats: Sequence[str]) -> Trace:
    t0 = min(part.t0_ns for part in parts)
    arrivals = np.concatenate([(part.t0_ns - t0) / 1e9 + part.arrival_s for part in parts])
    order = np.argsort(arrivals, kind="stable")
    shared = [name for name in parts[0].columns if all(name in one.columns for one in parts)]
    left = sorted({name for one in parts for name in one.columns} - set(shared))
    notes = [f"{len(parts):,} files, in order of time"]
    if left:
        notes.append(f"{', '.join(left)} left out: not in every file")
    return Trace(
        arrivals[order],
        {name: np.concatenate([one.columns[name] for one in parts])[order] for name in shared},
        t0_ns=t0,
        t0_is_absolute=True,
        source=path,
        report=_report(parts, formats, notes),
    )


def _counts(
    path: str, named: Sequence[tuple[str, CountSeries]], formats: Sequence[str]
) -> CountSeries:
    """On one grid; where two files have the same interval, the sum.

    Parameters
    ----------
    path : str. The folder or pattern.
    named : sequence of (str, CountSeries). Each file's name and what it holds.
    formats : sequence of str. The one format of all.

    Raises
    ------
    TraceError
        Widths differ, or the files stand further apart than so many rows can mean.
    """
    parts = [part for _, part in named]
    width = parts[0].bin_s
    step = round(width * 1e9)
    t0 = min(part.t0_ns for part in parts)
    if any(part.bin_s != width or (part.t0_ns - t0) % step for part in parts):
        widths = ", ".join(sorted({f"{part.bin_s:g} s" for part in parts}))
        raise TraceError(
            path, Problem(f"intervals of {widths} on no common grid", "intervals of one width")
        )
    ends = [(part.t0_ns - t0) // step + part.counts.size for part in parts]
    most = most_bins(sum(part.counts.size for part in parts))
    if max(ends) > most:
        first = min(named, key=lambda one: one[1].t0_ns)
        last = max(named, key=lambda one: one[1].t0_ns)
        apart = f"{first[0]} starts at {_date(first[1])} and {last[0]} at {_date(last[1])}"
        problem = Problem(
            f"{apart}: {max(ends):,} intervals of {width:g} s",
            f"at most {most:,}: a stamp, or its unit, is wrong; else read the files apart",
        )
        raise TraceError(path, problem)
    told = np.zeros(max(ends), dtype=np.int64)
    for part, end in zip(parts, ends, strict=True):
        told[end - part.counts.size : end] += part.counts
    notes = [f"{len(parts):,} files; intervals that several have are summed"]
    return CountSeries(
        told, width, t0_ns=t0, t0_is_absolute=True, source=path,
        report=_report(parts, formats, notes),
    )  # fmt: skip


def _date(part: CountSeries) -> str:
    return f"{np.datetime64(part.t0_ns, 'ns').astype('datetime64[s]')}Z"


def _report(parts: Sequence[Traffic], formats: Sequence[str], notes: Sequence[str]) -> ReadReport:
    """The sums of the files' reports, and each of their notes once."""
    reports = [part.report for part in parts if part.report is not None]
    said = dict.fromkeys(note for report in reports for note in report.notes)
    return ReadReport(
        formats[0] if formats else "",
        rows=sum(report.rows for report in reports),
        dropped=sum(report.dropped for report in reports),
        reordered=sum(report.reordered for report in reports),
        filled=sum(report.filled for report in reports),
        notes=(*notes, *list(said)[:_SHOWN]),
    )
