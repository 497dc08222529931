"""``modeler replay``: one run, looked at closely."""

from __future__ import annotations

from typing import Any, Final

import click

from modeler.cli.gates import fail_on_option, tell_gates, with_gates
from modeler.cli.options import output_options, scenario_options
from modeler.cli.output import (
    check_output,
    deliver,
    emit,
    tell_old_prices,
    to_parquet,
    write_atomic,
)
from modeler.plain import to_csv

_RECORDS: Final = (".csv", ".parquet")


@click.command("replay")
@scenario_options
@fail_on_option
@click.option(
    "--records",
    "records_file",
    metavar="FILE",
    help="Write one row per request to FILE (.csv or .parquet).",
)
@output_options(focus=True)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    fail_on: tuple[str, ...],
    records_file: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Replay one scenario: summary, decisions with reasons, lag by phase.

    JSON holds everything, also the timeline (arrivals, replicas ready, pending and draining) and
    each replica; CSV holds the decisions. --set pins any field (--set policy.target=6).

    In Python: modeler.study.replay(modeler.scenario.load(FILE)).
    """
    from modeler.cli.progress import compiling
    from modeler.cli.scenario import one_scenario

    check_output(output)
    check_output(records_file)
    if records_file is not None and not records_file.endswith(_RECORDS):
        raise click.UsageError(
            f"--records {records_file}: expected a name that ends in {' or '.join(_RECORDS)}"
        )
    scenario = one_scenario("replay", **asked)
    scenario = with_gates(scenario, fail_on)
    with compiling():
        from modeler.report import focus_rows, replay_text
        from modeler.study import replay

    result = replay(scenario, records=records_file is not None)
    if records_file is not None:
        rows = result.requests()
        binary = records_file.endswith(".parquet")
        records = rows.to_dict(orient="records")
        write_atomic(records_file, to_parquet(records) if binary else to_csv(records))
    if scenario.hosting.as_of is None:
        tell_old_prices(result.outcome.to_dict()["prices"])
    if format == "table":
        metric = getattr(scenario.in_force[0], "metric", None)
        deliver(replay_text(result.to_dict(), metric=metric), output)
    elif format == "focus":
        deliver(to_csv(focus_rows(result.to_dict())), output)
    else:
        emit(result, format=format, output=output, table=result.decisions)
    ctx.exit(tell_gates(result.gates))
