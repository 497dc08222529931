"""``modeler headroom``: what room costs, and what an extra nine does."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit
from modeler.cli.study_options import advise, lab_of, leave, study_options


@click.command("headroom")
@study_options()
@figure_option
@output_options(parquet=True)
def command(figure: str | None, format: str, output: str | None, **asked: Any) -> None:
    """What more room costs, and what it saves: dollars for each factor of ten fewer misses.

    Varies fleet.min and how full the policy holds its replicas, or what --set names with several
    values. Counted are requests that are missed for want of room; those that take too long by
    themselves stand apart.

    \b
    modeler headroom --set fleet.min=1,2,3 --set policy.target_utilisation=0.4,0.6,0.8
    modeler headroom scenario.yaml --figure headroom.svg

    In Python: modeler.study.headroom(Lab(SCENARIO), space_of(SCENARIO, delays=False)).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import headroom as drawing
        from modeler.study import headroom, space_of
        from modeler.study.headroom import flat

    check_output(output)
    with lab_of(**asked) as (lab, varied):
        found = headroom(lab, space_of(lab.base, varied, delays=False, pinned=lab.pinned))
    draw_to(figure, drawing.draw, found)
    ranked = [*found.frontier, *(row for row in found.rows if not row["frontier"]), *found.failed]
    emit(found.to_dict(), format=format, output=output, table=[flat(row) for row in ranked])
    advise(found.sentence())
    leave([*found.rows, *found.failed])
