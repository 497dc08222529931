"""``modeler backtest``: a replay beside what was seen, before any what-if is believed."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from modeler.cli.options import output_options, set_option
from modeler.cli.output import check_output, emit, talk

_COLUMNS = {
    "quantity": "quantity",
    "seen": "seen",
    "predicted": "predicted",
    "unit": "unit",
    "error_pct": "error %",
    "note": "note",
}


@click.command("backtest")
@click.argument("folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False))
@set_option
@output_options()
def command(
    folder: str, settings: dict[str, tuple[str, ...]], format: str, output: str | None
) -> None:
    """Replay what init wrote to FOLDER under its own policy, beside what was seen.

    Compares instance counts by period, hours in service and latency, each with its error. A what-if
    is worth as much as this agrees. --set pins any field, as for replay.

    \b
    modeler init --from-endpoint chat --out chat
    modeler backtest chat

    In Python: modeler.study.backtest(SCENARIO, read_seen(FILE)).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.cli.scenario import one_scenario
        from modeler.study.backtest import BacktestError, backtest, read_seen

    check_output(output)
    missing = [
        name for name in ("scenario.yaml", "observed.json")
        if not os.path.exists(os.path.join(folder, name))
    ]  # fmt: skip
    if missing:
        raise BacktestError(
            f"{folder} has no {' and no '.join(missing)}: expected what modeler init writes"
        )
    file = os.path.join(folder, "scenario.yaml")
    scenario = one_scenario("backtest", file, settings=settings)
    rows = [asdict(row) for row in backtest(scenario, read_seen(f"{folder}/observed.json"))]
    report = {"schema": "backtest/1", "folder": folder, "compared": rows}
    emit(report, format=format, output=output, table=rows, columns=_COLUMNS)
    named = {row["quantity"]: row["error_pct"] for row in rows}
    off = named.get("mean instances")
    if off is not None:
        talk(f"instances are predicted {off:+.0f} % off on average")
