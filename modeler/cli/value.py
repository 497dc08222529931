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
    "misses_per_month_per_s": "misses/month a second", "cost_usd": "$ once",
    "running_usd_per_month": "$/month to keep", "months": "months",
    "months_low": "at least", "months_high": "at most", "note": "note",
}  # fmt: skip
_OF_REPLICATES = ("usd_per_month_low", "usd_per_month_high", "months_low", "months_high")


def _priced(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, float]:
    """Callback: ``image-cache=$5000`` to the sum by name; a sum alone by no name.

    Raises
    ------
    click.BadParameter : what is no sum, or named twice.
    """
    found: dict[str, float] = {}
    for text in value:
        name, _, amount = text.rpartition("=")
        if name in found:
            raise click.BadParameter(f"{name or text}: given twice", ctx, param)
        found[name] = USD.convert(amount, param, ctx)
    return found


def _by_name(cost: dict[str, float]) -> float | dict[str, float] | None:
    """Of every intervention what it costs: its own, else what was said without a name."""
    from modeler.predict.interventions import NAMES
    from modeler.study.value_costs import called

    named = {called(name): usd for name, usd in cost.items() if name}
    if not named:
        return cost.get("")
    rest = dict.fromkeys(NAMES, cost[""]) if "" in cost else {}
    return {**rest, **named}


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
    "cost",
    metavar="[NAME=]USD",
    multiple=True,
    callback=_priced,
    help="What an intervention costs once: the months until it is paid back. NAME as in the table, "
    "e.g. image-cache=$5000; without it for all others. May be repeated.",
)
@click.option(
    "--running",
    "running",
    metavar="NAME=USD",
    multiple=True,
    callback=_priced,
    help="What an intervention costs a month to keep, which is taken off what it saves, e.g. "
    "stopped-warm-pool=$200. May be repeated.",
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
    cost: dict[str, float],
    running: dict[str, float],
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
    modeler value --size 8GB,14GB --penalty $0.002 --cost $5000 --cost image-cache=$500
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
        from modeler.study.value_costs import called

    if step_s <= 0.0:
        raise click.BadParameter(f"{step_s:g}: expected more than 0", param_hint="'--step'")
    chosen = Goal(goal, weight, penalty or 0.0)
    if "" in running:
        raise click.BadParameter("expected NAME=USD", param_hint="'--running'")
    with lab_of(**asked) as (lab, varied):
        asked_sizes = [parse_size(size) for size in sizes or ()]
        found = start_value(
            lab,
            space_of(lab.base, varied, pinned=lab.pinned),
            sizes=asked_sizes or lab.base.sweep.get("model.size"),
            goal=chosen,
            step_s=step_s,
            cost_usd=_by_name(cost),
            running_usd={called(name): usd for name, usd in running.items()},
            interventions=interventions,
            replicates=replicates or 0,
        )
    draw_to(figure, drawing.draw, found)
    columns = {
        key: name for key, name in _COLUMNS.items() if replicates or key not in _OF_REPLICATES
    }
    emit(found.to_dict(), format=format, output=output, table=found.rows(), columns=columns)
    advise(found.sentence())
