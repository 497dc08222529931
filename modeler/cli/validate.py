"""``modeler validate``: known answers against the engine."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from modeler.cli import exits
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk

_EVERY_S = 5.0  # between plain lines
_ANALYTIC = {
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
_PREDICTED = {
    "id": "id",
    "kind": "kind",
    "expected": "measured",
    "got": "predicted",
    "unit": "unit",
    "error_pct": "error %",
    "status": "status",
    "why": "why",
}
_MIXED = {name: name for name in ("id", "kind", "expected", "got", "status", "why")}


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
    """Known answers beside ours: value, expected, passed or why not.

    FILE holds cases of the schema analytic-cases/1, replayed until a 99.9 % confidence interval is
    narrow enough; conformance-cases/1, shown to the functions that decide in a replay; or
    model-size-cases/1, counted: parameters exactly, files within their tolerance. Or it is a CSV of
    measurements, compared and not judged: the Lambda experiment (ColdStartProbability, ...),
    published latencies (model, hw, metric, value, ...), measured starts (phase, seconds, ...; each
    row by constants that were fitted without its source). Any mix of files will do; without one
    the shipped answers are run. Ends with exit code 3 when a case fails, 2 when a file cannot be
    read. A case with a kind, model, quantity, key or expected name that this version does not know
    is reported as skipped and named, never as passed; a measurement that lacks what its rule needs
    is out of scope. --quick and --seed matter to replays alone.

    In Python: modeler.referee.validate(["cases.json"]).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.referee import validate

    check_output(output)
    result = validate(files, quick=quick, seed=seed, workers=workers, progress=_Progress())
    plain = result.to_dict()
    schemas = {file["schema"] for file in plain["files"]}
    replayed = schemas <= {"analytic-cases/1", "lambda-experiment/1"}
    columns = _ANALYTIC if replayed else _MIXED
    if all(file["errors"] for file in plain["files"]):
        columns = _PREDICTED
    if len(plain["files"]) > 1:
        columns = {"file": "file"} | columns
    rows = list(result.rows(short=format == "table"))
    emit(plain, format=format, output=output, table=rows, columns=columns)
    if quick:
        talk(f"quick: wider tiers. {result.rule}")
    for file in plain["files"]:
        _summarise(file)
    ctx.exit(exits.OK if result.passed else exits.GATE)


def _summarise(file: dict[str, Any]) -> None:
    """Counts, typical error, and the name of every case that did not pass."""
    error = file["median_abs_pct_error"]
    typical = "" if error is None else f", median error {error:.2g} %"
    compared = f", {file['compared']} compared" if file["compared"] else ""
    if file["out_of_scope"]:
        compared += f", {file['out_of_scope']} out of scope"
    talk(
        f"{file['file']}: {file['passed']} passed, {len(file['failed'])} failed, "
        f"{file['skipped']} skipped{compared} of {file['cases']}{typical}"
    )
    if file["errors"]:
        _tell_errors(file["errors"])
    for failed in file["failed"]:
        talk(f"  failed {failed['id']}: {failed['why']}")
    reasons: dict[str, list[str]] = {}
    for skipped in file["skipped_cases"]:
        reasons.setdefault(skipped["why"], []).append(skipped["id"])
    for why, ids in reasons.items():
        talk(f"  skipped {', '.join(ids)}: {why}")


def _tell_errors(errors: dict[str, Any]) -> None:
    """Errors of predictions, over all and apart; what was out of scope, and why."""
    apart = {**errors["by_kind"], **errors["by_group"]}
    width = max(len(name) for name in ("all", *apart))
    for name, found in {"all": errors["all"], **apart}.items():
        if found["rows"]:
            talk(
                f"  {name:<{width}}  {found['rows']:4d} rows of {found['sources']:3d} sources  "
                f"median {found['median_pct']:5.1f} %  "
                f"within 50 %: {100.0 * found['within_50pct']:3.0f} %  "
                f"median of sources {found['median_of_sources_pct']:5.1f} %"
            )
    for why, count in sorted(errors["out_of_scope"].items(), key=lambda pair: -pair[1]):
        talk(f"  out of scope, {count} rows: {why}")


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
