"""``modeler compare``: what a second scenario changes, and whether it is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.ledger import ledger_of, ledger_option, row_of_a_run
from modeler.cli.options import (
    output_options,
    seed_option,
    set_option,
    split_settings,
    trace_option,
)
from modeler.cli.output import check_output, deliver, emit
from modeler.cli.study_options import replicates_option

if TYPE_CHECKING:
    from modeler.study.comparison import Comparison


@click.command("compare")
@click.argument("a", metavar="[A]", required=False)
@click.argument("b", metavar="[B]", required=False)
@click.option(
    "--with",
    "changes",
    metavar="PATH=V",
    multiple=True,
    callback=split_settings,
    help="What B sets otherwise; without B over A. May be repeated.",
)
@set_option
@trace_option
@seed_option
@replicates_option("Put 95 % intervals about what differs", default=60)
@ledger_option
@figure_option
@output_options()
def command(
    a: str | None,
    b: str | None,
    changes: dict[str, tuple[str, ...]],
    settings: dict[str, tuple[str, ...]],
    trace: str | None,
    seed: int | None,
    replicates: int,
    ledger: str | None,
    figure: str | None,
    format: str,
    output: str | None,
) -> None:
    """Hold scenario B against A: settings, dollars and misses with intervals, and when they part.

    Both see the same traffic and the same luck, so that a difference is the settings'. A and B are
    scenario files, or rows of kept sweeps, which are not replayed again: RUN:best, RUN:ID, or RUN:N
    for the Nth row; --set sets a field of both.

    \b
    modeler compare mine.yaml theirs.yaml
    modeler compare mine.yaml --with policy.target=7 --with fleet.min=2
    modeler compare latest:best latest:3fa2

    In Python: modeler.study.compare(scenario_a, scenario_b).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report import comparison_text
        from modeler.report.studies import comparison

    check_output(output)
    kept = [one for one in (a, b) if row_of_a_run(one)]
    if kept:
        if len(kept) != 2 or changes or settings or trace or seed is not None:
            raise click.UsageError(
                f"{kept[0]} is a kept row: expected another one beside it, and neither --with, "
                "--set, --trace nor --seed, for kept rows are not replayed"
            )
        found = _rows(str(a), str(b), ledger)
    elif b is None and not changes:
        raise click.UsageError("nothing to compare with: expected B, or --with PATH=V")
    else:
        found = _scenarios(a, b, changes, settings, trace, seed, replicates)
    draw_to(figure, comparison.draw, found)
    plain = found.to_dict()
    if format == "table":
        deliver(comparison_text(plain), output)
    else:
        emit(plain, format=format, output=output, table=plain["figures"])


def _scenarios(
    a: str | None,
    b: str | None,
    changes: dict[str, tuple[str, ...]],
    settings: dict[str, tuple[str, ...]],
    trace: str | None,
    seed: int | None,
    replicates: int,
) -> Comparison:
    from modeler.cli.progress import shown
    from modeler.cli.scenario import one_scenario
    from modeler.scenario import Scenario, with_values
    from modeler.study import compare

    several = [path for path, values in changes.items() if len(values) > 1]
    if several:
        raise click.UsageError(f"--with {several[0]} has several values; use sweep")

    def of(file: str | None) -> Scenario:
        return one_scenario("compare", file, trace=trace, seed=seed, settings=settings)

    first = of(a)
    second = first if b is None else of(b)
    if changes:
        second = with_values(second, {path: value for path, (value,) in changes.items()})
    name_a, name_b = a or "the embedded scenario", b or a or "the embedded scenario"
    if changes:
        name_b += " with " + ", ".join(f"{path}={value}" for path, (value,) in changes.items())
    with shown() as progress:
        return compare(first, second, None, replicates, names=(name_a, name_b), progress=progress)


def _rows(a: str, b: str, ledger: str | None) -> Comparison:
    from modeler.study.compare import compare_rows
    from modeler.study.runs import read_run

    where = ledger_of(ledger) if ledger else None
    (run_a, row_a), (run_b, row_b) = (one.rsplit(":", 1) for one in (a, b))
    of_a = read_run(run_a, where)
    of_b = of_a if run_a == run_b else read_run(run_b, where)
    return compare_rows(of_a, row_a, of_b, row_b, names=(a, b))
