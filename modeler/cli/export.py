"""``modeler export``: the policy of a scenario as a file of its platform."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from modeler.cli.gates import fail_on_option, gates_of, tell_gates
from modeler.cli.ledger import ledger_option, row_of_a_run
from modeler.cli.options import policy_option, set_option
from modeler.cli.output import check_output, deliver, talk
from modeler.cli.study_options import goal_options

if TYPE_CHECKING:
    from modeler.study.kept import Kept

_FORMS: Final = ("terraform", "cloudformation", "boto3-json", "hpa", "keda", "knative")
_OF_A_SCENARIO: Final = ("policies", "settings")
_GOAL: Final = ("goal", "weight", "penalty")
_OF_BEST: Final = (*_GOAL, "fail_on")


@click.command("export")
@click.argument("scenario_file", metavar="[SCENARIO|RUN:ROW]", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMS),
    required=True,
    help="The form of the file.",
)
@policy_option
@set_option
@ledger_option
@goal_options
@fail_on_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=None,
    help="Write to FILE in one step instead of stdout ('-').",
)
@click.pass_context
def command(
    ctx: click.Context,
    scenario_file: str | None,
    form: str,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    ledger: str | None,
    goal: str,
    weight: float,
    penalty: float | None,
    fail_on: tuple[str, ...],
    output: str | None,
) -> None:
    """Write the policy of a scenario, or of a row of a kept run, in its platform's own words.

    What the scenario leaves to a rule, such as a target that follows from the traffic, is written
    as the number it comes to. Names of what is scaled and of its metrics are placeholders. What the
    file cannot say (traffic, model, cold start) stands in a comment on top; for JSON it goes to
    stderr. --policy FILE reads such a file back.

    RUN:best is the winner of a run (`modeler runs list`; latest is the latest): of an optimize with
    --ledger what it found, of a sweep the cheapest that keeps the service level and the gates, or
    what --goal and --fail-on say. RUN:ID and RUN:N are any of its rows, by the beginning of its
    scenario_id or by its place, from 1.

    \b
    modeler export scenario.yaml --as keda -o scaledobject.yaml
    modeler export scenario.yaml --as terraform --set policy.target=60
    modeler export latest:best --as terraform -o scaling.tf

    In Python: modeler.platforms.export(modeler.scenario.load(FILE), "keda"); of a row,
    modeler.platforms.export(modeler.study.kept_row(RUN).scenario, "keda").
    """
    from modeler.cli.progress import compiling

    check_output(output)
    with compiling():
        from modeler.cli.scenario import one_scenario
        from modeler.platforms.writers import exported

    place = row_of_a_run(scenario_file)
    if place is None:
        _refuse(ctx, ("ledger", *_OF_BEST), "of a run, such as latest:best")
        scenario = one_scenario("export", scenario_file, settings=settings, policies=policies)
        done = exported(scenario, form)
    else:
        _refuse(ctx, _OF_A_SCENARIO, "of a scenario: a row is written as it was replayed")
        if place[1] != "best":
            _refuse(ctx, _OF_BEST, f"of RUN:best, not of {scenario_file}")
        chosen = (goal, weight, penalty) if _given(ctx, _GOAL) else None
        kept = _kept(*place, ledger, chosen, fail_on)
        usd = kept.row["usd_per_hour"]
        done = exported(kept.scenario, form, run=kept.run, usd_per_hour=usd, trace=kept.traffic)
    deliver(done.text, output)
    for note in done.notes:
        talk(note)
    if place is not None:
        talk(kept.sentence())
        ctx.exit(tell_gates([gate.check(kept.row) for gate in kept.gates]))


def _given(ctx: click.Context, names: Sequence[str]) -> list[str]:
    """Those of some options that the command line has, as it has them."""
    return [
        next(text for text in option.opts if text.startswith("--"))
        for option in ctx.command.params
        if option.name in names
        and ctx.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE
    ]


def _refuse(ctx: click.Context, names: Sequence[str], why: str) -> None:
    """Refuse options that would have no effect."""
    given = _given(ctx, names)
    if given:
        word = "is an option" if len(given) == 1 else "are options"
        raise click.UsageError(f"{', '.join(given)} {word} {why}", ctx)


def _kept(
    run: str,
    row: str,
    ledger: str | None,
    goal: tuple[str, float, float | None] | None,
    fail_on: tuple[str, ...],
) -> Kept:
    """The row of a run that the options mean."""
    from modeler.scenario.gates import parse_gates
    from modeler.study.goal import Goal
    from modeler.study.kept import kept_row

    where = None if ledger is None else Path(ledger)
    gates = parse_gates(gates_of(fail_on))
    chosen = None
    if goal is not None:
        kind, weight, penalty = goal
        chosen = Goal(kind, weight, penalty or 0.0)
    return kept_row(run, row, where, goal=chosen, gates=gates)
