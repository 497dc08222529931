"""``modeler optimize``: the best setting of many, and how precise it needs to be."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.gates import fail_on_option
from modeler.cli.options import output_options, split_list
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import (
    advise,
    goal_options,
    lab_of,
    leave,
    replicates_option,
    study_options,
    typed,
)


@click.command("optimize")
@study_options()
@click.option(
    "--instance",
    "instances",
    metavar="TYPE[,TYPE]",
    callback=split_list,
    help="Instance types to choose from.",
)
@click.option(
    "--precision",
    "precisions",
    metavar="DTYPES",
    callback=split_list,
    help="Precisions of the same parameters to choose from, e.g. fp16,int8.",
)
@goal_options
@fail_on_option
@replicates_option(
    "Put a 95 % interval about the best, and say what else differs from it by more than chance"
)
@figure_option
@output_options(parquet=True)
def command(
    instances: tuple[str, ...] | None,
    precisions: tuple[str, ...] | None,
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
    """Find the setting that costs least and keeps its promises, with a fifth of the replays.

    --set PATH=V1,V2,.. names what may be chosen; without it the scenario's own sweep, or what its
    policy is tuned by: how full it holds its replicas, how long it keeps them, and fleet.min.
    --instance and --precision let it choose the machine and the precision of the weights too. The
    answer is a region: every setting that was found within 1 % of the best. With --replicates it
    says which of them differ from the best by more than chance, in how many replicates the best
    keeps what is asked, and what it saves against the scenario as it stands.

    \b
    modeler optimize --set policy.target_utilisation=0.4,0.6,0.8 --set fleet.min=1,2,3
    modeler optimize --goal balanced --weight 0.7
    modeler optimize scenario.yaml --replicates 40

    In Python: modeler.study.optimize(Lab(SCENARIO), space_of(SCENARIO)).
    """
    from modeler.cli.gates import with_gates
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import optimum
        from modeler.scenario.gates import parse_gates
        from modeler.study import optimize, space_of
        from modeler.study.goal import Goal

    check_output(output)
    chosen = Goal(goal, weight, penalty or 0.0)
    with lab_of(**asked) as (lab, varied):
        gates = parse_gates(with_gates(lab.base, fail_on).gates)
        axes = space_of(lab.base, varied, pinned=lab.pinned)
        named = {"hosting.instance": instances, "model.dtype": precisions}
        axes |= typed(lab.base, {path: values for path, values in named.items() if values})
        found = optimize(lab, axes, chosen, gates=gates, replicates=replicates or 0)
        run = lab.keep(found.tried, chosen, [gate.text for gate in gates])
    draw_to(figure, optimum.draw, found)
    rows = found.frame().to_dict("records")
    emit(found.to_dict(), format=format, output=output, table=rows)
    taken = f"{found.settings} settings, {found.replays:.1f} replays of all of the traffic"
    if found.certainty is not None:
        taken += f", {found.certainty.replays} of its replicates"
    talk(taken)
    advise(found.sentence())
    if found.keeps:
        talk(f"to write it out: {_export(asked, found.best['settings'], run)}")
    leave([found.best], [gate.check(found.best) for gate in gates])


def _export(asked: Mapping[str, Any], settings: Mapping[str, Any], run: str) -> str:
    """The command that writes the winner as a platform's own file."""
    words = ["modeler", "export"]
    if run:
        return shlex.join([*words, f"{run}:best", "--ledger", asked["ledger"], "--as", "terraform"])
    pinned = {path: one for path, (one, *more) in asked["settings"].items() if not more}
    words += [*filter(None, [asked["scenario_file"]]), "--as", "terraform"]
    for path, value in {**pinned, **settings}.items():
        text = f"{value:g}" if isinstance(value, float) else str(value)
        words += ["--set", f"{path}={text}"]
    return shlex.join(words)
