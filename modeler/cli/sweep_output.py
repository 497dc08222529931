"""A sweep printed in the format asked for: fresh, or as it was kept."""

from __future__ import annotations

import sys

from modeler.cli.output import deliver, emit
from modeler.plain import to_csv
from modeler.report import focus_rows, look_of, sweep_table
from modeler.study import SweepResult


def print_sweep(result: SweepResult, *, format: str, output: str | None) -> None:
    """Print or save a sweep's rows; JSON and CSV row by row.

    Raises
    ------
    modeler.cli.output.OutputError
        The file cannot be written.
    """
    plain = result.lazy()
    if format == "table":
        to_stdout = output in (None, "-")
        text = sweep_table(plain, **look_of(sys.stdout)) if to_stdout else sweep_table(plain)
        deliver(text, output)
    elif format == "focus":
        deliver(to_csv(focus_rows(plain)), output)
    else:
        emit(plain, format=format, output=output, table=result.rows)
