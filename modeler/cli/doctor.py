"""``modeler doctor``: what is wrong with a policy, before any replay."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

import click

from modeler.cli import exits
from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import output_options, scenario_options
from modeler.cli.output import check_output, deliver, emit, talk

if TYPE_CHECKING:
    from modeler.study import Diagnosis
    from modeler.study.doctor import Finding

_WIDTH: Final = 98
_GATES: Final = {"critical": ("critical",), "warning": ("critical", "warning")}


@click.command("doctor")
@scenario_options
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning"]),
    help="Leave with exit code 3 if something so severe is found; warning means critical too.",
)
@figure_option
@output_options()
@click.pass_context
def command(
    ctx: click.Context,
    /,
    fail_on: str | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Examine a policy without replaying it: what in it cannot work, why, and what cures it.

    Every finding names the settings, the values that were held against each other, and the --set
    that cures it. critical: requests or replicas are lost; warning: dollars or seconds are; note:
    worth knowing. The figure shows the times and capacities that were looked at, with the findings.

    In Python: modeler.study.doctor(modeler.scenario.load(FILE)).
    """
    from modeler.cli.progress import compiling
    from modeler.cli.scenario import one_scenario

    check_output(output)
    scenario = one_scenario("doctor", **asked)
    with compiling():
        from modeler.report.studies import diagnosis
        from modeler.study import doctor

    found = doctor(scenario)
    draw_to(figure, diagnosis.draw, found)
    if format == "table":
        deliver(_text(found), output)
    else:
        emit(found, format=format, output=output, table=found.rows())
        talk(found.sentence())
    if fail_on is not None and found.worst in _GATES[fail_on]:
        ctx.exit(exits.GATE)


def _text(found: Diagnosis) -> str:
    """The findings one below the other, the most severe first, and the advice."""
    blocks = [_block(one) for one in found.findings]
    return "\n".join([*blocks, textwrap.fill(found.sentence(), _WIDTH) + "\n"])


def _block(one: Finding) -> str:
    from modeler.study.doctor import shown

    cure = one.cure.words + (f": {one.cure.how}" if one.cure.how else "")
    lines = [
        ("", one.reason),
        ("held", "; ".join(shown(held) for held in one.held)),
        ("set by", ", ".join(one.paths)),
        ("cure", cure),
        ("source", f"{one.ground}: {one.source}"),
    ]
    body = [
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"  {name:<8}" if name else "  ",
            subsequent_indent=" " * (10 if name else 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in lines
        if text
    ]
    return "\n".join([f"{one.severity}: {one.id}", *body, ""])
