"""``modeler choose``: which variant of a model, and where."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli import exits
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk


@click.command("choose")
@click.argument("source", metavar="FILE")
@click.option("--card", "side_by_side", is_flag=True, help="Variants side by side, no decision.")
@output_options()
@click.pass_context
def command(
    ctx: click.Context, source: str, side_by_side: bool, format: str, output: str | None
) -> None:
    """Choose among variants and places under the limits of each world.

    FILE is YAML of the schema choice/1: variants (size, latency, accuracy with its source), places
    (device, cloud, batch) and worlds (limits); or the name of an example: image_classifier,
    language_model, mobile_fraud, nightly_batch. docs/choice.md has every key. Prints the cheapest
    and the smallest that pass, the runner-up, and what excludes every other pair and by how much;
    where none passes, the nearest. Ends with exit code 3 when a world has none.

    A latency is that of the share of requests a world names, wait and service together.

    In Python: modeler.study.choose.choose(read_choice(FILE)).
    """
    from modeler.scenario import format_size
    from modeler.study.choice_file import read_choice
    from modeler.study.choose import card, choose

    check_output(output)
    choice = read_choice(source)
    if side_by_side:
        rows = card(choice)
        sheet = {"schema": "choice-card/1", "variants": rows}
        emit(sheet, format=format, output=output, table=rows)
        return
    decisions = choose(choice)
    table: list[dict[str, Any]] = []
    for decision in decisions:
        for pair in decision.pairs:
            marks = [
                name
                for name, one in (
                    ("chosen", decision.chosen),
                    ("smallest", decision.smallest),
                    ("runner-up", decision.runner_up),
                    ("nearest", decision.nearest),
                )
                if pair is one
            ]
            table.append(
                {
                    "world": decision.world,
                    "variant": pair.variant,
                    "place": pair.place,
                    "size": format_size(pair.size_bytes),
                    "accuracy": pair.accuracy,
                    "latency_s": pair.latency_s,
                    "wait_s": pair.wait_s,
                    "instances": pair.instances,
                    "usd_per_month": pair.usd_per_month,
                    "verdict": ", ".join(marks) or ("passes" if pair.passes else "excluded"),
                    "why": "; ".join(pair.excluded),
                }
            )
    report = {
        "schema": "choice-result/1",
        "name": choice.name,
        "decisions": [decision.to_dict() for decision in decisions],
    }
    emit(report, format=format, output=output, table=table)
    for decision in decisions:
        talk(f"{decision.world}: {decision.reason}")
    if any(decision.chosen is None for decision in decisions):
        ctx.exit(exits.GATE)
