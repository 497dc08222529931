"""``modeler value``: what one second of cold start is worth."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import DURATION, USD, output_options, size_option
from modeler.cli.output import check_output, emit
from modeler.cli.study_options import (
    advise,
    goal_options,
    lab_of,
    replicates_option,
    study_options,
)

_COLUMNS = {
    "size_bytes": "bytes", "what": "made shorter", "saved_s": "s saved",
    "usd_per_month": "$/month saved", "usd_per_month_low": "from", "usd_per_month_high": "to",
    "usd_per_month_per_s": "$/month a second",
    "misses_per_month_per_s": "misses/month a second", "months": "months",
    "months_low": "at least", "months_high": "at most", "note": "note",
}  # fmt: skip
_OF_REPLICATES = ("usd_per_month_low", "usd_per_month_high", "months_low", "months_high")


@click.command("value")
@study_options()
@size_option
@click.option(
    "--step",
    "step_s",
    type=DURATION,
    metavar="TIME",
    default="10s",
    show_default=True,
    help="By which the start, and each phase, is made shorter.",
)
@click.option(
    "--cost",
    type=USD,
    metavar="USD",
    default=None,
    help="What an intervention costs once: the months until it is paid back.",
)
@click.option(
    "--interventions/--no-interventions",
    default=True,
    show_default=True,
    help="Replay image cache, streaming loader, NVMe, int8, warm pool and the like as well.",
)
@goal_options
@replicates_option("Put 95 % intervals about what is saved")
@figure_option
@output_options(parquet=True)
def command(
    sizes: tuple[str, ...] | None,
    step_s: float,
    cost: float | None,
    interventions: bool,
    goal: str,
    weight: float,
    penalty: float | None,
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Say what one second of cold start is worth a month, by phase, by size, by intervention.

    The start is made shorter by a step, and then each of its phases; each time the policy is tuned
    anew, as by optimize, over --set PATH=V1,V2,.. or what the policy is tuned by, with the same
    luck. Interventions are replayed with all that they save. --penalty says what a miss costs.

    \b
    modeler value --size 8GB,14GB --penalty $0.002 --cost $5000
    modeler value scenario.yaml --set fleet.min=1,2,3 --goal cost --penalty $0.01 --replicates 40

    In Python: modeler.study.start_value(Lab(SCENARIO), goal=Goal("cost", penalty_usd=0.002)).
    """
    from modeler.cli.progress import compiling

    check_output(output)
    with compiling():
        from modeler.report.studies import value as drawing
        from modeler.scenario.units import parse_size
        from modeler.study import space_of, start_value
        from modeler.study.goal import Goal

    if step_s <= 0.0:
        raise click.BadParameter(f"{step_s:g}: expected more than 0", param_hint="'--step'")
    chosen = Goal(goal, weight, penalty or 0.0)
    with lab_of(**asked) as (lab, varied):
        asked_sizes = [parse_size(size) for size in sizes or ()]
        found = start_value(
            lab,
            space_of(lab.base, varied, pinned=lab.pinned),
            sizes=asked_sizes or lab.base.sweep.get("model.size"),
            goal=chosen,
            step_s=step_s,
            cost_usd=cost,
            interventions=interventions,
            replicates=replicates or 0,
        )
    draw_to(figure, drawing.draw, found)
    columns = {
        key: name for key, name in _COLUMNS.items() if replicates or key not in _OF_REPLICATES
    }
    emit(found.to_dict(), format=format, output=output, table=found.rows(), columns=columns)
    advise(found.sentence())
