"""A sweep on disk: results, rows, figures and the page, all or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modeler.plain import csv_lines, flatten, json_lines, to_json, to_plain
from modeler.report.files import whole_folder
from modeler.report.view import Result


def save_run(
    result: Result,
    folder: str | os.PathLike[str],
    *,
    timeline: Mapping[str, Any] | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> Path:
    """Write everything there is to show of a sweep.

    Parameters
    ----------
    result : mapping. A sweep, schema ``sweep/1``.
    folder : path. Made if it does not exist; files of other names in it stay.
    timeline : mapping, optional. Load and fleet over time of one scenario.
    formats : sequence of str. Of the figures: ``png``, ``svg``, ``pdf``.

    Returns
    -------
    Path
        The folder, with ``results.json``, ``scenarios.csv``, ``figures/``, ``report.html`` and,
        where one is given, ``timeline.json``.

    Raises
    ------
    OutputFolderError
        The folder cannot be written; what stood there before still stands.
    """
    from modeler.report.figures import write_figures
    from modeler.report.html import page

    with whole_folder(folder) as scratch:
        _write(scratch / "results.json", json_lines(result))
        rows = result["scenarios"]
        _write(scratch / "scenarios.csv", csv_lines(lambda: (flatten(to_plain(r)) for r in rows)))
        if timeline is not None:
            _write(scratch / "timeline.json", (to_json(to_plain(timeline)),))
        figures = scratch / "figures"
        figures.mkdir()
        write_figures(result, figures, timeline, formats)
        _write(scratch / "report.html", (page(result, timeline),))
    return Path(folder)


def _write(path: Path, pieces: Iterable[str]) -> None:
    # Bytes, so that no platform changes the line ends; a file name that is not UTF-8 is escaped.
    with path.open("wb") as file:
        file.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)
