"""``modeler growth``: more of the same traffic, and when the cap binds."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.numbers import numbers
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit
from modeler.cli.study_options import advise, lab_of, leave, replicates_option, study_options


@click.command("growth")
@study_options()
@click.option(
    "--factors",
    metavar="F1,F2,..",
    default="1,1.5,2,3,4",
    show_default=True,
    callback=numbers(),
    help="Times the requests of today.",
)
@click.option(
    "--per-year",
    type=click.FloatRange(min=1.0, min_open=True),
    metavar="TIMES",
    help="Growth from one year to the next, as 2.0: says when.",
)
@replicates_option("Put 95 % intervals about dollars and misses of each factor")
@figure_option
@output_options(parquet=True)
def command(
    factors: tuple[float, ...],
    per_year: float | None,
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """What more traffic costs and misses, and from which factor on the cap on replicas binds.

    The same traffic with more requests, shaped alike from a minute upwards. Each factor is also
    replayed without the cap, which shows how many replicas are wanted. The cap binds where for it
    alone more requests miss than the service level allows; the factor from which on it does is
    found to 2 %, on the traffic as it came.

    \b
    modeler growth --per-year 2.0
    modeler growth scenario.yaml --factors 1,2,4 --figure growth.svg

    In Python: modeler.study.growth(Lab(SCENARIO), (1, 2, 4), per_year=2.0).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import growth as drawing
        from modeler.study import growth

    check_output(output)
    with lab_of(**asked) as (lab, varied):
        if varied:
            raise click.UsageError(f"--set {next(iter(varied))}: one value, not several")
        found = growth(lab, factors, per_year=per_year, replicates=replicates or 0)
    draw_to(figure, drawing.draw, found)
    emit(found.to_dict(), format=format, output=output, table=list(found.rows))
    advise(found.sentence())
    leave(found.rows)
