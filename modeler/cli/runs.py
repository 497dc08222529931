"""``modeler runs``: sweeps that were kept."""

from __future__ import annotations

from pathlib import Path

import click

from modeler.cli.ledger import ledger_option
from modeler.cli.options import DURATION, output_options
from modeler.cli.output import check_output, emit, talk

_COLUMNS = {
    "run": "run",
    "name": "scenario",
    "done": "rows",
    "tasks": "of",
    "failed": "failed",
    "cached": "taken over",
    "size_bytes": "bytes",
}


@click.group("runs")
def command() -> None:
    """Sweeps that were kept, row by row: list, show, prune."""


@command.command("list")
@ledger_option
@output_options()
def list_(ledger: str | None, format: str, output: str | None) -> None:
    """List the runs of a folder, the latest first.

    In Python: modeler.study.runs.list_runs().
    """
    from modeler.study.jobs.ledger import folder
    from modeler.study.runs import list_runs

    check_output(output)
    where = _folder(ledger)
    rows = [about._asdict() for about in list_runs(where)]
    data = {"schema": "runs/1", "folder": str(where or folder()), "runs": rows}
    emit(data, format=format, output=output, table=rows, columns=_COLUMNS)


@command.command("show")
@click.argument("run", metavar="[RUN]", default="latest")
@ledger_option
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    help="Also write results.json, scenarios.csv, figures (PNG, SVG) and report.html to DIR.",
)
@output_options(parquet=True, focus=True)
def show(run: str, ledger: str | None, folder: str | None, format: str, output: str | None) -> None:
    """Print RUN as sweep did: its name, the beginning of it, or latest.

    Of a sweep that was stopped, the rows that it made. --format csv and parquet export them.

    In Python: modeler.study.runs.read_run(RUN).
    """
    from modeler.cli.sweep_output import print_sweep
    from modeler.report import check_writable, save_run
    from modeler.study.runs import read_run

    check_output(output)
    if folder is not None:
        check_writable(folder)
    result = read_run(run, _folder(ledger))
    if not len(result.rows):
        talk(f"run {result.run} has no rows yet")
    if folder is not None:
        save_run(result.lazy(), folder)
        talk(f"wrote {folder}")
    print_sweep(result, format=format, output=output)


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Seconds of a time that says its unit: a bare number may have been meant as days."""
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdigit():
        raise click.BadParameter(f"{value}: expected a time with its unit, 30d say", ctx, param)
    return DURATION.convert(value, param, ctx)


@command.command("prune")
@click.argument("run", metavar="[RUN]", required=False)
@ledger_option
@click.option("--keep", type=click.IntRange(min=0), help="Leave so many of the latest.")
@click.option(
    "--older-than",
    "age_s",
    callback=_age,
    metavar="TIME",
    help="Only runs that began longer ago, e.g. 30d.",
)
def prune(run: str | None, ledger: str | None, keep: int | None, age_s: float | None) -> None:
    """Take runs away: RUN, all but the latest few, or the old ones.

    In Python: modeler.study.runs.prune(keep=20).
    """
    from modeler.study.runs import prune as take_away

    if (run is None) is (keep is None and age_s is None):
        raise click.UsageError("say which: RUN, or --keep N, or --older-than TIME")
    gone = take_away(_folder(ledger), keep=keep, older_than_s=age_s, name=run)
    for name in gone:
        click.echo(name)
    talk(f"{len(gone)} runs taken away")


def _folder(given: str | None) -> Path | None:
    return None if given is None else Path(given)
