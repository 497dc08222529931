"""``modeler explain``: the arithmetic of one figure, line by line."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.options import output_options, scenario_options
from modeler.cli.output import check_output, emit

_COLUMNS = ("figure", "expression", "value", "unit", "source")


@click.command("explain")
@scenario_options
@click.argument("figure", metavar="[FIGURE]", required=False)
@output_options()
def command(
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Replay SCENARIO and write the arithmetic of FIGURE, a line for each step.

    FIGURE is any number of the result by its dotted name, such as usd_per_hour,
    decision_to_ready_s.p50, latency_s.p99, bounds.work_bound.usd_total or target, or a short name,
    such as p99 or usd_per_month; without it dollars and violations are explained. Each line has its
    figure, expression, value, unit and source; the last is the figure. JSON holds the terms in
    full. A percentile says how it is measured and its error. For settings see scenario explain.

    \b
    modeler explain scenario.yaml usd_total
    modeler explain scenario.yaml decision_to_ready_s.p50 --size 8GB

    In Python: modeler.study.explain.explain_figure(modeler.study.replay(SCENARIO), FIGURE).
    """
    from modeler.cli.progress import compiling

    check_output(output)
    with compiling():
        from modeler.cli.scenario import one_scenario
        from modeler.study import replay
        from modeler.study.explain import HEADLINES, check_figure, explain_figure

    if figure is not None:
        check_figure(figure)
    scenario = one_scenario("explain", **asked)
    done = replay(scenario)
    found = [explain_figure(done, name) for name in ((figure,) if figure else HEADLINES)]
    rows = [line.to_dict() for one in found for line in one.lines]
    result = {"schema": "explain-figure/1", "figures": [one.to_dict() for one in found]}
    emit(result, format=format, output=output, table=rows, columns=_COLUMNS)
