"""``modeler incident``: a window of real traffic under the policy that ran, and under others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from modeler.cli import exits
from modeler.cli.options import (
    DURATION,
    instance_option,
    output_options,
    region_option,
    seed_option,
    set_option,
    trace_option,
)
from modeler.cli.output import check_output, deliver, emit, talk, write_atomic
from modeler.cli.study_options import replicates_option

if TYPE_CHECKING:
    from modeler.scenario import Scenario

_FIGURES: Final = (".png", ".svg", ".pdf")


@click.command("incident")
@click.argument("scenario_file", metavar="[SCENARIO]", required=False)
@trace_option
@click.option(
    "--from",
    "start",
    metavar="T",
    help="Begin of the window: a time, UTC unless it says otherwise (2026-03-02T08:20), or since "
    "the start of the traffic (2d9h).",
)
@click.option("--to", "stop", metavar="T", help="End of the window, likewise; it is not in it.")
@click.option(
    "--policy",
    "policies",
    metavar="POLICY[,POLICY]|FILE",
    multiple=True,
    help="Policies to try, each on its own platform: all, or names such as hpa,keda, each a row; "
    "or a platform's own policy files, together one row. May be repeated.",
)
@set_option
@click.option(
    "--pad",
    "pad_s",
    type=DURATION,
    metavar="TIME",
    help="Replay only from so long before the window until so long after it, instead of the whole "
    "traffic.",
)
@replicates_option(
    "Put 95 % intervals about what each would have saved and cost",
    drawn="everything random but its traffic drawn anew",
)
@click.option("--size", metavar="SIZE", help="Model size with unit, e.g. 7GB, of every policy.")
@instance_option
@region_option
@seed_option
@click.option("--figure", metavar="FILE", help="Draw the window to FILE (.png, .svg or .pdf).")
@output_options()
@click.pass_context
def command(
    ctx: click.Context,
    scenario_file: str | None,
    trace: str | None,
    start: str | None,
    stop: str | None,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    pad_s: float | None,
    replicates: int | None,
    size: str | None,
    instance: str | None,
    region: str | None,
    seed: int | None,
    figure: str | None,
    format: str,
    output: str | None,
) -> None:
    """Replay an incident under the policy that ran, SCENARIO's own, and under others.

    Says of each when it would have added replicas, which requests it would have saved, paired one
    by one, and what it would have cost. Without --from and --to the hour with the most misses is
    found. Each combination of values of --set is a policy to try. All of the traffic is replayed,
    since what came before a window matters in it.

    \b
    modeler incident scenario.yaml --from 2026-03-02T08:20 --to 2026-03-02T09:20 --policy hpa,keda
    modeler incident scenario.yaml --set policy.target=4,6 --replicates 40 --figure incident.svg

    In Python: modeler.study.incident(modeler.scenario.load(FILE), ("2d9h", "2d10h")).
    """
    from modeler.cli.progress import compiling, shown

    with compiling():
        from modeler.cli.scenario import scenario_of
        from modeler.report import incident_figure, incident_text
        from modeler.scenario import with_values
        from modeler.study import incident, is_preset, presets_of

    check_output(output)
    check_output(figure)
    if figure is not None and not figure.endswith(_FIGURES):
        raise click.UsageError(f"--figure {figure}: expected a name that ends in .png, .svg, .pdf")
    named = [one for one in policies if is_preset(one) and not os.path.exists(one)]
    files = [one for one in policies if one not in named]
    pinned: dict[str, Any] = {
        "model.size": size, "hosting.instance": instance, "hosting.region": region
    }  # fmt: skip
    pinned = {path: value for path, value in pinned.items() if value is not None}

    def of(policy_files: list[str]) -> Scenario:
        scenario = scenario_of(scenario_file, trace=trace, seed=seed, policies=policy_files)
        return with_values(scenario, pinned) if pinned else scenario

    presets = presets_of(named)
    others: Mapping[str, Scenario] = {", ".join(files): of(files)} if files else {}
    base = of([])
    if base.sweep:
        talk(f"sweep: {', '.join(base.sweep)} not varied: --set names policies to try")
    with shown() as progress:
        result = incident(
            base,
            (start, stop),
            others,
            presets=presets,
            settings=settings,
            pad_s=pad_s,
            replicates=replicates or 0,
            progress=progress,
        )
    plain = result.to_dict()
    if plain["window"]["cut"]:
        talk(f"warning: window {plain['window']['cut']}")
    if figure is not None:
        write_atomic(figure, incident_figure(plain, figure.rpartition(".")[2]))
        talk(f"wrote {figure}")
    if format == "table":
        deliver(incident_text(plain), output)
    else:
        emit(plain, format=format, output=output, table=result.rows)
    ctx.exit(exits.of_rows(result.rows))
