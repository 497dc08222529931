"""``modeler tornado``: which assumption moves the answer most, and where the advice changes."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import output_options, split_settings
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import (
    advise,
    goal_options,
    lab_of,
    replicates_option,
    study_options,
    typed,
)

_COLUMNS = {
    "path": "assumption", "value": "now", "low": "low", "high": "high", "unit": "unit",
    "origin": "origin", "usd_per_month_low": "$/month at low",
    "usd_per_month_high": "at high", "sla_violation_share_low": "missed at low",
    "sla_violation_share_high": "at high ", "swing_usd_per_month_low": "swing $/month from",
    "swing_usd_per_month_high": "to", "told_apart": "more than chance", "flip_words": "flip point",
}  # fmt: skip
_OF_REPLICATES = ("swing_usd_per_month_low", "swing_usd_per_month_high", "told_apart")


@click.command("tornado")
@study_options()
@click.option(
    "--assumption",
    "ranges",
    metavar="PATH=LOW,HIGH",
    multiple=True,
    callback=split_settings,
    help="How far a number may be off, instead of a factor of 1.5 to either side; traffic and "
    "service_time are factors. May be repeated.",
)
@click.option(
    "--against",
    metavar="PATH=V",
    multiple=True,
    callback=split_settings,
    help="The setting that the scenario is held against, e.g. fleet.min=2; by default the best of "
    "optimize is held against the best that is not as good.",
)
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How many of those that move dollars, and misses, most are searched for a flip point.",
)
@goal_options
@replicates_option("Put a 95 % interval about what each assumption moves")
@figure_option
@output_options(parquet=True)
def command(
    ranges: dict[str, tuple[str, ...]],
    against: dict[str, tuple[str, ...]],
    top: int,
    goal: str,
    weight: float,
    penalty: float | None,
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Say which assumption moves the answer most, and the value at which the advice changes.

    Every number in force that is assumed or observed, the price, the traffic and the service time
    are tried lower and higher, one at a time, with the same luck. Of those that move most, the
    value is sought at which the other of two settings becomes the better.

    \b
    modeler tornado --against fleet.min=2 --penalty $0.002
    modeler tornado --assumption cold_start.boot_s=60s,120s --assumption traffic=1,2 --replicates 40

    In Python: modeler.study.tornado(Lab(SCENARIO), against={"fleet.min": 2}).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import tornado as drawing
        from modeler.study import tornado
        from modeler.study.goal import Goal

    check_output(output)
    for path, values in ranges.items():
        if len(values) != 2:
            raise click.UsageError(f"--assumption {path}: expected two values, LOW,HIGH")
    for path, values in against.items():
        if len(values) != 1:
            raise click.UsageError(f"--against {path}: expected one value")
    chosen = Goal(goal, weight, penalty or 0.0)
    with lab_of(**asked) as (lab, varied):
        if varied:
            raise click.UsageError(f"--set {next(iter(varied))}: expected one value; see --against")
        found = tornado(
            lab,
            ranges={path: (low, high) for path, (low, high) in ranges.items()},
            against={path: one for path, (one,) in typed(lab.scenario, against).items()} or None,
            goal=chosen,
            top=top,
            replicates=replicates or 0,
        )
    draw_to(figure, drawing.draw, found)
    columns = {
        key: name for key, name in _COLUMNS.items() if replicates or key not in _OF_REPLICATES
    }
    emit(found.to_dict(), format=format, output=output, table=found.rows(), columns=columns)
    talk(f"{found.dropped} assumptions change nothing here; {lab.replays} replays")
    advise(found.sentence())
