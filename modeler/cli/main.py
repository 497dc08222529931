"""The root command: a table of subcommands, loaded only when one is called."""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple, NoReturn

import click

from modeler import __version__
from modeler._interrupt import end_at_once, raise_it
from modeler.cli import exits


class Entry(NamedTuple):
    """One subcommand: its name, the module that exports ``command``, its line in ``--help``."""

    name: str
    module: str
    help: str


COMMANDS: Final = (
    Entry("sweep", "modeler.cli.sweep", "Replay many scenarios: the table per model size."),
    Entry("optimize", "modeler.cli.optimize", "The best setting of many, as a region."),
    Entry("goldilocks", "modeler.cli.goldilocks", "Dollars over model size, the policy tuned."),
    Entry("compare", "modeler.cli.compare", "Two scenarios: what changes, beyond chance."),
    Entry("spot", "modeler.cli.spot", "How much to buy on spot, under reclaims."),
    Entry("breakeven", "modeler.cli.breakeven", "Zero, kept warm, by request: dollars by rate."),
    Entry("headroom", "modeler.cli.headroom", "Dollars against misses: what an extra nine costs."),
    Entry("growth", "modeler.cli.growth", "More traffic: dollars, misses, when the cap binds."),
    Entry("tornado", "modeler.cli.tornado", "Which assumption moves the answer most; flip points."),
    Entry("value", "modeler.cli.value", "What one second of cold start is worth."),
    Entry("runs", "modeler.cli.runs", "Sweeps that were kept: list, show, prune."),
    Entry("replay", "modeler.cli.replay", "Replay one scenario: summary, decisions, lag by phase."),
    Entry("explain", "modeler.cli.explain", "The arithmetic of a figure, line by line."),
    Entry("doctor", "modeler.cli.doctor", "Faults of a policy, before any replay."),
    Entry("size", "modeler.cli.size", "Bytes of a model: a literal, a file, a folder or s3://."),
    Entry("coldstart", "modeler.cli.coldstart", "The phases of a cold start, by model size."),
    Entry("calibrate", "modeler.cli.calibrate", "Constants of a start from measurements."),
    Entry("choose", "modeler.cli.choose", "Which variant of a model, and where."),
    Entry("accuracy", "modeler.cli.accuracy", "Accuracy against size of published models."),
    Entry("price", "modeler.cli.price", "What an instance costs, with date and source."),
    Entry("prices", "modeler.cli.prices", "The price tables: what is held, how to renew it."),
    Entry("commit", "modeler.cli.commit", "What to buy in advance, and its regret."),
    Entry("reprice", "modeler.cli.reprice", "Other prices on a finished run."),
    Entry("trace", "modeler.cli.trace", "Describe, convert or generate traffic."),
    Entry("init", "modeler.cli.init", "A scenario of what runs: an endpoint, a manifest."),
    Entry("export", "modeler.cli.export", "A policy as Terraform, CloudFormation, HPA, KEDA, ..."),
    Entry("backtest", "modeler.cli.backtest", "A replay beside what was seen, with its error."),
    Entry("incident", "modeler.cli.incident", "A window of traffic under other policies."),
    Entry("scenario", "modeler.cli.scenario_command", "Schema, explain and check of a scenario."),
    Entry("validate", "modeler.cli.validate", "Run known answers against the engine."),
)


class LazyGroup(click.Group):
    """A group whose help is a table and whose commands are imported on use.

    Import cost is a feature: ``--help`` must not pay for pandas, scipy or numba.
    """

    _entries: Final = {entry.name: entry for entry in COMMANDS}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the table's order: the main job first."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one subcommand asked for."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry.module).command
        raise_it()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for a misspelt command."""
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            near = get_close_matches(args[0], self._entries, n=1, cutoff=0.5)
            hint = f'did you mean "{near[0]}"?' if near else f"one of {', '.join(self._entries)}"
            raise click.UsageError(f'no command "{args[0]}": {hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the table; nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in COMMANDS])


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok; 2 usage, scenario or unknown name; 3 a gate or validation failed; "
    "4 some scenarios failed; 5 a known name without a price, or AWS denied or unreachable; "
    "130 interrupted.",
)
@click.version_option(__version__, prog_name="modeler")
def cli() -> None:
    """What a model's cold start costs: dollars, SLA violations and scale-out lag.

    Start with `modeler sweep`: with nothing given it runs the embedded scenario on embedded
    traffic, offline.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    args : sequence of str, optional. The arguments; by default those of the process.

    Raises
    ------
    SystemExit
        Always, with one of the codes of `modeler.cli.exits`.
    """
    try:
        # A command that ends well but not cleanly says so through ctx.exit(code), which click
        # hands back here.
        result = cli.main(
            args=None if args is None else list(args), prog_name="modeler", standalone_mode=False
        )
    except (click.Abort, KeyboardInterrupt):
        end_at_once()  # a second time does not wait for what is still ending
        click.echo("error: interrupted", err=True)
        sys.exit(exits.INTERRUPTED)
    except Exception as error:
        end_at_once()
        if os.environ.get("MODELER_DEBUG") == "1":
            raise
        click.echo(describe(error), err=True)
        sys.exit(exits.code_of(error))
    sys.exit(result if isinstance(result, int) else exits.OK)


# A number as click calls it, with bounds and without.
_NUMBER: Final = re.compile(r"is not a valid (float|integer)(?: range)?")


def _number(found: re.Match[str]) -> str:
    return "is not a number" if found[1] == "float" else "is not a whole number"


# A choice as click refuses it: what was written, and what may be.
_CHOICE: Final = re.compile(r"'([^']+)' is not one of (.+)", re.DOTALL)


def _with_choice_meant(message: str) -> str:
    """The same with which of an option's choices was probably meant."""
    found = _CHOICE.search(message)
    if found is None:
        return message
    choices = re.findall(r"'([^']+)'", found[2])
    begun = [one for one in choices if one.startswith(found[1].lower())]
    near = begun or get_close_matches(found[1].lower(), choices, n=1)
    return f'{message.rstrip(".")}; did you mean "{near[0]}"?' if near else message


def describe(error: Exception) -> str:
    """One clear message for an exception, as printed on stderr.

    Parameters
    ----------
    error : Exception. What ended the command.

    Returns
    -------
    str
        Starts with ``error:``; errors that render themselves are passed through.
    """
    if isinstance(error, click.NoSuchOption):
        name, near = error.option_name, error.possibilities or ()
        near = get_close_matches(name, near, n=1) or near
        error = click.NoSuchOption(name, possibilities=near, ctx=error.ctx)
    if isinstance(error, click.ClickException):
        message = _NUMBER.sub(_number, error.format_message())
        if message.startswith("Usage:"):  # a group called alone: its help is the message
            return message
        message = _with_choice_meant(message)
        context = getattr(error, "ctx", None)
        if context is not None:
            message = f"{message.rstrip('.')}\nsee: {context.command_path} --help"
    elif isinstance(error, OSError) and error.strerror:
        where = "cannot write the output" if error.filename is None else error.filename
        message = f"{where}: {error.strerror}"
    else:
        message = str(error) or type(error).__name__
        if exits.code_of(error) == exits.INTERNAL:
            message = (
                f"{type(error).__name__}: {message}\n"
                "This is a fault of modeler, not of your input; MODELER_DEBUG=1 shows where."
            )
    return message if message.startswith("error") else f"error: {message}"
