"""The options of every command that ends in a decision, and the lab they make."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from modeler.cli.ledger import ledger_of
from modeler.cli.options import USD, policy_option, seed_option, set_option, trace_option
from modeler.cli.output import talk

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from modeler.scenario.gates import Verdict
    from modeler.study.lab import Lab

F = TypeVar("F", bound=Callable[..., Any])

penalty_option = click.option(
    "--penalty",
    "penalty",
    type=USD,
    metavar="USD",
    default=None,
    help="What each missed request costs you, e.g. $0.002.",
)


def goal_options(command: F) -> F:
    """``--goal``, ``--weight`` and ``--penalty``."""
    command = penalty_option(command)
    command = click.option(
        "--weight",
        type=click.FloatRange(0.0, 1.0),
        default=0.5,
        show_default=True,
        help="Of cost in a balanced goal.",
    )(command)
    return click.option(
        "--goal",
        type=click.Choice(["cheapest", "cost", "speed", "balanced"]),
        default="cheapest",
        show_default=True,
        help="cheapest that keeps the service level and the gates; cost; speed, the 99th "
        "percentile of latency; or balanced between those two.",
    )(command)


class _Replicates(click.IntRange):
    """None at all, or enough for an interval."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return 0 if str(value).strip() == "0" else super().convert(value, param, ctx)


def replicates_option(
    what: str,
    *,
    drawn: str = "its traffic drawn again",
    default: int | None = None,
    least: int = 20,
) -> Callable[[F], F]:
    """``--replicates``: 0 for none, or `least` to 10,000.

    Parameters
    ----------
    what : str. Of what there are intervals, as the option's help begins.
    drawn : str. What differs from replay to replay.
    default : int, optional. How many there are unless asked otherwise.
    least : int. Fewer say nothing.
    """
    none = "" if default is None else "; 0 for none"
    return click.option(
        "--replicates",
        type=_Replicates(min=least, max=10_000),
        metavar="N",
        default=default,
        show_default=True,
        help=f"{what}, from at most N replays of each with {drawn}{none}.",
    )


def study_options(*, executor: bool = True) -> Callable[[F], F]:
    """SCENARIO, ``--trace``, ``--set``, ``--policy``, ``--seed``, the workers and the ledger."""

    def decorate(command: F) -> F:
        command = click.option(
            "--ledger",
            metavar="DIR",
            help="Keep rows in this folder of runs, and take over those of earlier studies.",
        )(command)
        command = click.option(
            "--workers",
            type=click.IntRange(min=1),
            default=None,
            help="Threads or processes; by default one a core.",
        )(command)
        if executor:
            command = click.option(
                "--executor",
                metavar="NAME",
                default="threads",
                show_default=True,
                help="Who replays, as for sweep.",
            )(command)
        for option in (set_option, policy_option, seed_option, trace_option):
            command = option(command)
        return click.argument("scenario_file", metavar="[SCENARIO]", required=False)(command)

    return decorate


@contextmanager
def lab_of(
    scenario_file: str | None,
    *,
    trace: str | None,
    seed: int | None,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    workers: int | None,
    ledger: str | None,
    executor: str = "threads",
) -> Iterator[tuple[Lab, dict[str, tuple[Any, ...]]]]:
    """The lab that the options mean, and the settings with several values, as typed.

    A setting with one value is laid over the scenario; ``sweep`` of the scenario is left to the
    study.

    Raises
    ------
    ScenarioError, click.UsageError : as the options say.
    """
    from modeler.cli.progress import shown
    from modeler.cli.scenario import scenario_of
    from modeler.scenario import with_values
    from modeler.study.lab import Lab

    if ledger is not None:
        ledger_of(ledger)  # refused now, and not after the work
    scenario = scenario_of(
        scenario_file, trace=trace, seed=seed, settings=settings, policies=policies
    )
    pinned: dict[str, Any] = {path: one for path, (one, *more) in settings.items() if not more}
    varied = {path: values for path, values in settings.items() if len(values) > 1}
    if pinned:
        axes = {path: v for path, v in scenario.sweep.items() if path not in pinned}
        scenario = with_values(scenario, {**pinned, "sweep": axes})
    with shown() as progress:
        lab = Lab(
            scenario, executor=executor, workers=workers, ledger=ledger, progress=progress,
            pinned=pinned,
        )  # fmt: skip
        yield lab, typed(scenario, varied)


def typed(scenario: Scenario, varied: dict[str, tuple[str, ...]]) -> dict[str, tuple[Any, ...]]:
    """Values of settings as the scenario reads them: ``60s`` to 60.0."""
    from modeler.scenario import value_at, with_values

    return {
        path: tuple(value_at(with_values(scenario, {path: value}), path) for value in values)
        for path, values in varied.items()
    }


def leave(rows: Iterable[Mapping[str, Any]], verdicts: Sequence[Verdict] = ()) -> NoReturn:
    """Tell the gates, and end with the exit code that failed rows and gates come to.

    Parameters
    ----------
    rows : iterable of mapping. With ``status``; where it is not ok, the ``error_kind`` tells.
    verdicts : sequence of Verdict. Of the winner.
    """
    from modeler.cli import exits
    from modeler.cli.gates import tell_gates

    click.get_current_context().exit(exits.most_urgent([exits.of_rows(rows), tell_gates(verdicts)]))


def advise(sentence: str) -> None:
    """Say what follows: on stderr where stdout is data for something else."""
    if sys.stdout.isatty():
        click.echo(f"\n{sentence}")
    else:
        talk(sentence)
