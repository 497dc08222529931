"""The root command: help without weight, exit codes, one clear message."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from modeler import __version__
from modeler.cli import exits
from modeler.cli.main import COMMANDS, cli, describe, main
from modeler.scenario import Scenario, ScenarioError, with_values

HEAVY = ("pandas", "scipy", "numba", "boto3", "matplotlib")


def modeler(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modeler", *args], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["price", "--help"],
        ["price", "g5.2xlarge", "--region", "us-east-1", "--format", "json"],
        ["price", "g5.2xlarge", "--region", "us-east-1"],
    ],
)
def test_help_and_price_import_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\n"
        "from modeler.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n"
        f"    heavy = [name for name in {HEAVY} if name in sys.modules]\n"
        "    sys.exit(f'{end.code}: {heavy}' if end.code or heavy else 0)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
    )
    # A price that is old by now is warned of.
    said = [line for line in result.stderr.splitlines() if not line.startswith("warning: the pri")]
    assert (result.returncode, said) == (0, [])


def test_help_lists_every_command_in_the_table() -> None:
    result = modeler("--help")
    assert result.returncode == 0
    for entry in COMMANDS:
        assert f"  {entry.name} " in result.stdout
        assert entry.help in result.stdout


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_loads_and_has_help(entry: object) -> None:
    name = entry.name  # type: ignore[attr-defined]
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: cli {name}")
    command = cli.get_command(click.Context(cli), name)  # type: ignore[attr-defined]
    assert command is not None
    assert command.help
    undocumented = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert undocumented == []


def test_version() -> None:
    assert modeler("--version").stdout == f"modeler, version {__version__}\n"


def test_a_misspelt_command_names_the_nearest() -> None:
    result = modeler("swep")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == 'error: no command "swep": did you mean "sweep"?\nsee: modeler --help\n'


def test_a_command_with_no_near_name_lists_all() -> None:
    assert "one of sweep, optimize, " in modeler("xyzzy").stderr


def _raise(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (click.UsageError("two of them"), 2, "error: two of them"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), 2, "a.csv: No such file"),
        (NoCredentialsError(), 5, "Unable to locate credentials"),
        (ZeroDivisionError("division by zero"), 1, "This is a fault of modeler"),
        (OSError(28, "No space left on device"), 2, "cannot write the output: No space left"),
    ],
)
def test_what_ends_a_command_has_a_code_and_one_message(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(type(cli), "get_command", lambda *_: _raise(error))
    monkeypatch.delenv("MODELER_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["sweep"])
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_a_code_handed_to_the_context_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def partial(ctx: click.Context) -> None:
        ctx.exit(exits.PARTIAL)

    monkeypatch.setattr(type(cli), "get_command", lambda *_: partial)
    with pytest.raises(SystemExit) as ended:
        main(["sweep"])
    assert ended.value.code == 4


def test_debug_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cli), "get_command", lambda *_: _raise(ZeroDivisionError()))
    monkeypatch.setenv("MODELER_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["sweep"])


def test_a_scenario_error_is_printed_as_it_renders_itself() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_values(Scenario(), {"fleet.min": -1, "fleet.max": 0})
    assert describe(caught.value) == str(caught.value)
    assert exits.code_of(caught.value) == 2


def test_the_names_in_the_table_are_the_rooms_own() -> None:
    """A table of names could go stale; the classes it means must exist."""
    import pricing
    import traces
    from modeler import predict, scenario

    homes = (pricing, traces, predict, scenario)
    for name, code in exits._BY_NAME.items():
        home = next((home for home in homes if hasattr(home, name)), None)
        assert home is not None, f"no package exports {name}"
        error = getattr(home, name)
        assert exits.code_of(error.__new__(error)) == code


@pytest.mark.parametrize(
    ("codes", "reported"),
    [([0, 4], 4), ([4, 3], 3), ([3, 5, 4], 5), ([5, 2], 2), ([2, 130, 4], 130), ([], 0)],
)
def test_the_most_urgent_code_is_reported(codes: list[int], reported: int) -> None:
    assert exits.most_urgent(codes) == reported


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_finds_no_room_is_told() -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "modeler", "price", "ml.g5.2xlarge"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.stderr == "error: cannot write the output: No space left on device\n"
    assert ran.returncode == 2
