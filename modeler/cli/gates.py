"""Gates on the command line: read before any replay, told at the end, and their exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from modeler.cli import exits
from modeler.cli.output import talk

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from modeler.scenario.gates import Verdict

fail_on_option = click.option(
    "--fail-on",
    "fail_on",
    metavar="CONDITION",
    multiple=True,
    help='End with exit code 3 where the result meets this, such as "p99 > 2s" or '
    '"usd_per_month > $3000"; may be repeated. As the opposite of a gate in a scenario.',
)


def with_gates(scenario: Scenario, fail_on: Sequence[str]) -> Scenario:
    """The scenario with the gates of ``--fail-on`` beside its own.

    Raises
    ------
    ScenarioError
        As for `gates_of`.
    """
    from modeler.scenario import with_values

    gates = gates_of(fail_on)
    return with_values(scenario, {"gates": [*scenario.gates, *gates]}) if gates else scenario


def gates_of(fail_on: Sequence[str]) -> list[str]:
    """The gates that the conditions of ``--fail-on`` are the opposite of.

    Raises
    ------
    ScenarioError
        With every condition that is none, or names no figure, and the nearest one.
    """
    from modeler.scenario import Problem, ScenarioError
    from modeler.scenario.gates import GateError, parse_fail_on

    gates, problems = [], []
    for text in fail_on:
        try:
            gates.append(parse_fail_on(text).text)
        except GateError as error:
            message = f"--fail-on {text!r}: {error}"
            problems.append(Problem(message, "gates", text, error.expected, error.nearest))
    if problems:
        raise ScenarioError(problems)
    return gates


def tell_gates(verdicts: Sequence[Verdict], *, of: str = "") -> int:
    """A line for each gate on stderr, and the exit code they come to.

    Parameters
    ----------
    verdicts : sequence of Verdict.
    of : str. What they were held against, where that is one of several.
    """
    from modeler.report.terminal import look_of

    if not verdicts:
        return exits.OK
    kept, missed = ("✓", "✗") if look_of(sys.stderr)["unicode"] else ("ok  ", "FAIL")
    wide = max(len(verdict.gate.text) for verdict in verdicts)
    if of:
        talk(f"gates, held against {of}:")
    for verdict in verdicts:
        mark = kept if verdict.passed else missed
        value = verdict.gate.shown(verdict.value)
        if verdict.gate.factor != 1.0:
            value += f" ({verdict.gate.figure} of {verdict.gate.factor:g} hours)"
        talk(f"{mark} {verdict.gate.text:<{wide}}   {value}{_why(verdict)}")
    return exits.OK if all(verdict.passed for verdict in verdicts) else exits.GATE


def _why(verdict: Verdict) -> str:
    """By how much a gate is missed, which rounding could hide; or that nothing was measured."""
    if verdict.value is None:
        return ": the result has none, so the gate fails"
    if verdict.passed or not verdict.margin:
        return ""
    return f", off by {verdict.gate.shown(abs(verdict.margin))}"
