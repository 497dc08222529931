"""``modeler validate``: known answers against the engine."""

from __future__ import annotations

import sys
import time

import click

from modeler.cli import exits
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk

_EVERY_S = 5.0  # between plain lines
_COLUMNS = {
    "id": "id",
    "model": "model",
    "quantity": "quantity",
    "expected": "expected",
    "got": "got",
    "ci_low": "ci low",
    "ci_high": "ci high",
    "half_width_pct": "± %",
    "replications": "runs",
    "status": "status",
    "why": "why",
}


@click.command("validate")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(dir_okay=False))
@click.option("--quick", is_flag=True, help="Wider tiers and shorter runs, for a first look or CI.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Mixed into each case's seed; 0 leaves the hash of its id.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads. The result is the same for any number.",
)
@output_options()
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    quick: bool,
    seed: int,
    workers: int,
    format: str,
    output: str | None,
) -> None:
    """Replay known answers and compare: value, confidence interval, expected, pass.

    FILE holds cases of the schema analytic-cases/1; without one the shipped answers are run. Ends
    with exit code 3 when a case fails, 2 when a file cannot be read. Cases of a regime that this
    version does not replay are reported as skipped.

    In Python: modeler.referee.validate(["cases.json"]).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.referee import validate

    check_output(output)
    result = validate(files, quick=quick, seed=seed, workers=workers, progress=_Progress())
    plain = result.to_dict()
    rows = [{"file": file["file"], **row} for file in plain["files"] for row in file["results"]]
    columns = {"file": "file", **_COLUMNS} if len(plain["files"]) > 1 else _COLUMNS
    emit(plain, format=format, output=output, table=rows, columns=columns)
    if quick:
        talk(f"quick: wider tiers. {result.rule}")
    for file in plain["files"]:
        talk(
            f"{file['file']}: {file['passed']} passed, {len(file['failed'])} failed, "
            f"{file['skipped']} skipped of {file['cases']}"
        )
        for failed in file["failed"]:
            talk(f"  {failed['id']}: {failed['why']}")
    ctx.exit(exits.OK if result.passed else exits.GATE)


class _Progress:
    """A counter that overwrites itself on a terminal, a line every so often elsewhere."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._live = sys.stderr.isatty()

    def __call__(self, done: int, cases: int, case_id: str) -> None:
        """Say how far the work is."""
        text = f"{done}/{cases} cases, last {case_id}"
        if self._live:
            click.echo(f"\r\x1b[K{text}", nl=done == cases, err=True)
        elif time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            click.echo(text, err=True)
