"""``modeler goldilocks``: dollars over model size, the policy tuned anew at each."""

from __future__ import annotations

from typing import Any, Final

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.gates import fail_on_option
from modeler.cli.options import output_options, size_option
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import (
    advise,
    goal_options,
    lab_of,
    leave,
    replicates_option,
    study_options,
)

_COLUMNS: Final = (
    "size_bytes", "usd_per_month", "usd_per_month_low", "usd_per_month_high", "usd_per_gb",
    "usd_per_gb_low", "usd_per_gb_high",    "sla_violation_share", "keeps", "as_cheap",
)  # fmt: skip


@click.command("goldilocks")
@study_options()
@size_option
@goal_options
@fail_on_option
@replicates_option("Put a 95 % interval about each size")
@figure_option
@output_options(parquet=True)
def command(
    sizes: tuple[str, ...] | None,
    goal: str,
    weight: float,
    penalty: float | None,
    fail_on: tuple[str, ...],
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Find the model size that is neither too small nor too dear, its policy tuned at each size.

    Dollars a month over size, what each gigabyte more costs, the size before the curve bends, and
    the sizes that cost the same. --set PATH=V1,V2 names what may be tuned; without it what the
    policy is tuned by. Whether a larger model is more accurate is yours to say: see `choose`.

    \b
    modeler goldilocks --size 1GB,2GB,4GB,8GB,14GB --replicates 40

    In Python: modeler.study.goldilocks_size(Lab(SCENARIO), SIZES, space_of(SCENARIO)).
    """
    from modeler.cli.gates import with_gates
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import sizes as drawn
        from modeler.scenario import parse_size
        from modeler.scenario.gates import parse_gates
        from modeler.study import goldilocks_size, space_of
        from modeler.study.goal import Goal

    check_output(output)
    chosen = Goal(goal, weight, penalty or 0.0)
    with lab_of(**asked) as (lab, varied):
        gates = parse_gates(with_gates(lab.base, fail_on).gates)
        given = sizes or lab.base.sweep.get("model.size", (lab.base.model.size,))
        found = goldilocks_size(
            lab,
            [parse_size(size) if isinstance(size, str) else int(size) for size in given],
            space_of(lab.base, varied, pinned=lab.pinned),
            chosen,
            gates=gates,
            replicates=replicates or 0,
        )
    draw_to(figure, drawn.draw, found)
    rows = [point.to_dict() for point in found.points]
    emit(found.to_dict(), format=format, output=output, table=rows, columns=_COLUMNS)
    for point in found.points:
        if point.row["status"] != "ok":
            talk(f"{point.size_bytes:,} bytes: {point.row['error']}")
    advise(found.sentence())
    start = found.knee or found.cheapest or found.points[0]
    verdicts = [gate.check(start.row) for gate in gates]
    leave([point.row for point in found.points], verdicts)
