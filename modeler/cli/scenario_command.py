"""``modeler scenario``: the schema for editors, every setting in force, and a check."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.options import output_options, policy_option, set_option
from modeler.cli.output import check_output, deliver, emit, talk
from modeler.plain import to_json


@click.group("scenario")
def command() -> None:
    """What a scenario may say, and what one says: schema, explain, check."""


@command.command("schema")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=None,
    help="Write to FILE in one step instead of stdout ('-').",
)
def schema(output: str | None) -> None:
    """Print the JSON Schema of a scenario file, so that an editor completes its keys.

    Write it beside the scenario and put this line on top of it:

        # yaml-language-server: $schema=modeler.schema.json

    In Python: modeler.scenario.json_schema().
    """
    from modeler.scenario import json_schema

    check_output(output)
    deliver(to_json(json_schema()), output)


@command.command("explain")
@click.argument("scenario_file", metavar="[SCENARIO]", required=False)
@policy_option
@set_option
@output_options()
def explain(
    scenario_file: str | None,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    format: str,
    output: str | None,
) -> None:
    """List every setting in force: value, unit, origin and source.

    Origin is documented by the vendor, observed by users, assumed, or yours. Constants of the cold
    start and the price are those of the tables; what only the traffic decides is said in words.
    Without SCENARIO the embedded one is explained.

    In Python: modeler.predict.explain(modeler.scenario.load(FILE)).
    """
    from modeler.cli.scenario import scenario_of
    from modeler.predict import explain as explained
    from modeler.scenario import with_values

    check_output(output)
    # No traffic is read: the trace may be elsewhere.
    scenario = scenario_of(scenario_file, settings=settings, policies=policies, check_files=False)
    pinned: dict[str, Any] = {path: one for path, (one, *more) in settings.items() if not more}
    varied = {path: values for path, values in settings.items() if len(values) > 1}
    axes = {path: values for path, values in scenario.sweep.items() if path not in settings}
    changed = with_values(scenario, {**pinned, "sweep": {**axes, **varied}})
    rows = explained(changed, dict.fromkeys(settings, "--set"))
    emit(
        {"schema": "explain/1", "settings": [row._asdict() for row in rows]},
        format=format,
        output=output,
        table=None if format == "json" else [row._asdict() for row in rows],
        columns=["path", "value", "unit", "origin", "source"],
    )


@command.command("check")
@click.argument("scenario_file", metavar="SCENARIO")
def check(scenario_file: str) -> None:
    """Read a scenario and say all that is wrong with it, each mistake in its place.

    Its traffic is read too, whole.

    In Python: modeler.scenario.load(FILE).
    """
    from math import prod

    import traces
    from modeler.platforms import load
    from modeler.scenario.units import format_duration

    scenario = load(scenario_file, say=talk)
    count = prod(len(values) for values in scenario.sweep.values())
    several = f", {count} combinations to sweep" if scenario.sweep else ""
    for name in scenario.sweep.get("trace", (scenario.trace,)):
        traffic = traces.load(name, seed=scenario.seed)
        length = format_duration(traffic.duration_s)
        talk(f"trace {name}: {traffic.requests:,} requests over {length}")
    talk(f"{scenario_file} holds: {scenario.name}, {scenario.hosting.kind}{several}")
