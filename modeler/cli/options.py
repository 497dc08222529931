"""Options that several commands share, so that one word means one thing everywhere."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def output_options(*, parquet: bool = False, focus: bool = False) -> Callable[[F], F]:
    """``--format`` and ``-o``; the command receives ``format`` and ``output``.

    Parameters
    ----------
    parquet : bool. Offer Parquet too, where rows are many.
    focus : bool. Offer the bill as FOCUS.
    """
    formats = ["table", "json", "csv", *(["parquet"] if parquet else [])]
    formats += ["focus"] if focus else []

    def decorate(command: F) -> F:
        command = click.option(
            "-o",
            "--output",
            metavar="FILE",
            default=None,
            help="Write to FILE in one step instead of stdout ('-').",
        )(command)
        return click.option(
            "--format",
            "format",
            type=click.Choice(formats),
            default="table",
            show_default=True,
            help="How to print the result.",
        )(command)

    return decorate


def split_list(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Callback: ``1GB,7GB`` to its parts.

    Raises
    ------
    click.BadParameter
        For an empty part.
    """
    if value is None:
        return None
    parts = tuple(part.strip() for part in value.split(","))
    if not all(parts):
        raise click.BadParameter(f"{value!r} has an empty part", ctx, param)
    return parts


def split_settings(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Callback: ``policy.target=4,6,8`` to ``{"policy.target": ("4", "6", "8")}``.

    Raises
    ------
    click.BadParameter
        Without ``=``, for an empty part, or for a path given twice.
    """
    settings: dict[str, tuple[str, ...]] = {}
    for item in value:
        path, equals, values = (text.strip() for text in item.partition("="))
        if not (equals and path and values):
            raise click.BadParameter(f"{item!r} is not PATH=V1,V2", ctx, param)
        if path in settings:
            raise click.BadParameter(f"{path} is set twice", ctx, param)
        parts = split_list(ctx, param, values)
        assert parts is not None
        settings[path] = parts
    return settings


if TYPE_CHECKING:
    _Float = click.ParamType[float]
else:
    _Float = click.ParamType  # which older versions of click do not take a type of


class Quantity(_Float):
    """A value with its unit; what cannot be read is told with the option's name.

    Parameters
    ----------
    name : str. Of what it is.
    parser : str. The function of `modeler.scenario.units` that reads it.
    """

    def __init__(self, name: str, parser: str) -> None:
        self.name, self._parser = name, parser

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """As read; a default that is a number stays."""
        from modeler.scenario import units

        try:
            return float(getattr(units, self._parser)(value))
        except units.UnitError as error:
            self.fail(str(error), param, ctx)


USD = Quantity("dollars", "parse_usd")
DURATION = Quantity("time", "parse_duration")

size_option = click.option(
    "--size",
    "sizes",
    metavar="SIZES",
    callback=split_list,
    help="Model sizes with unit, e.g. 1GB,7GB,12.6GiB.",
)
trace_option = click.option(
    "--trace", metavar="TRACE", help="Traffic: the name of a sample or a file."
)
instance_option = click.option(
    "--instance", "instance", metavar="TYPE", help="Instance type, e.g. ml.g5.2xlarge."
)
region_option = click.option("--region", metavar="REGION", help="Region, e.g. us-east-1.")
seed_option = click.option("--seed", type=click.IntRange(min=0), help="Seed of every draw.")
policy_option = click.option(
    "--policy",
    "policies",
    metavar="FILE",
    multiple=True,
    help="A platform's own policy file, in place of the scenario's policy: HPA, ScaledObject or "
    "Knative YAML, Application Auto Scaling JSON, CloudFormation, Terraform. FILE#NAME picks one "
    "of several. May be repeated: the files of one target (policies, bounds, alarms, schedules) "
    "add up.",
)
set_option = click.option(
    "--set",
    "settings",
    metavar="PATH=V1,V2",
    multiple=True,
    callback=split_settings,
    help="Any scenario field, several values to vary it; may be repeated.",
)


def scenario_options(command: F) -> F:
    """SCENARIO and what is laid over it, of a command that takes one scenario.

    The command hands them on to `modeler.cli.scenario.one_scenario`: ``scenario_file``, ``trace``,
    ``size``, ``instance``, ``region``, ``seed``, ``policies`` and ``settings``.
    """
    size = click.option("--size", metavar="SIZE", help="Model size with unit, e.g. 7GB.")
    for option in (
        set_option, policy_option, seed_option, region_option, instance_option, size, trace_option,
    ):  # fmt: skip
        command = option(command)
    return click.argument("scenario_file", metavar="[SCENARIO]", required=False)(command)
