"""``--figure FILE``: the drawing of a study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from modeler.cli.output import check_output, talk, write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = TypeVar("Result")
_KINDS: Final = ("png", "svg", "pdf")


def _checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if value.rpartition(".")[2].lower() not in _KINDS:
        raise click.BadParameter(f"{value}: expected a name that ends in .png, .svg or .pdf")
    check_output(value)
    return value


figure_option: Callable[..., Any] = click.option(
    "--figure", metavar="FILE", callback=_checked, help="Draw it to FILE (.png, .svg or .pdf)."
)


def draw_to(path: str | None, draw: Callable[[Result], Figure], result: Result) -> None:
    """Draw a result to a file in one step, where one was asked for.

    Raises
    ------
    modeler.cli.output.OutputError
        The file cannot be written.
    """
    if path is None:
        return
    from modeler.report.studies import figure_bytes

    write_atomic(path, figure_bytes(draw, result, path.rpartition(".")[2].lower()))
    talk(f"wrote {path}")
