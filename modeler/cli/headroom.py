"""``modeler headroom``: what room costs, and what an extra nine does."""

from __future__ import annotations

from typing import Any, Final

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit
from modeler.cli.study_options import advise, lab_of, leave, replicates_option, study_options

_COLUMNS: Final = (
    "usd_per_month", "short_share", "slow_share", "sla_violation_share", "meets_sla",
    "latency_p99_s", "utilisation", "frontier", "worth", "usd_per_nine", "usd_at_most",
    "usd_per_nine_from_own", "breach_minutes_per_month",
)  # fmt: skip
_INTERVALS: Final = (
    "usd_low", "usd_high", "short_low", "short_high", "usd_differs", "short_differs",
    "usd_per_nine_low", "usd_per_nine_high", "replicates",
)  # fmt: skip


@click.command("headroom")
@study_options()
@replicates_option("Put 95 % intervals about the frontier and the steps along it")
@figure_option
@output_options(parquet=True)
def command(
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """What more room costs, and what it saves: dollars for each factor of ten fewer misses.

    Varies fleet.min and how full the policy holds its replicas, or what --set names with several
    values. Counted are requests that are missed for want of room; those that take too long by
    themselves stand apart. With --replicates it says which neighbours on the frontier differ by no
    more than chance.

    \b
    modeler headroom --set fleet.min=1,2,3 --set policy.target_utilisation=0.4,0.6,0.8
    modeler headroom scenario.yaml --replicates 40 --figure headroom.svg

    In Python: modeler.study.headroom(Lab(SCENARIO), space_of(SCENARIO, delays=False)).
    """
    from modeler.cli.progress import compiling

    check_output(output)
    with compiling():
        from modeler.report.studies import headroom as drawing
        from modeler.study import headroom, space_of
        from modeler.study.headroom import flat

    with lab_of(**asked) as (lab, varied):
        axes = space_of(lab.base, varied, delays=False, pinned=lab.pinned)
        found = headroom(lab, axes, replicates=replicates or 0)
    draw_to(figure, drawing.draw, found)
    ranked = [*found.frontier, *(row for row in found.rows if not row["frontier"]), *found.failed]
    table = [flat(row) for row in ranked]
    columns = [*axes, *_COLUMNS, *(_INTERVALS if replicates else ()), "error"]
    emit(found.to_dict(), format=format, output=output, table=table, columns=columns)
    advise(found.sentence())
    leave([*found.rows, *found.failed])
