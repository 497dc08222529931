"""Documents say what the commands say, and every command shown in them exists."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from modeler.cli.main import cli

ROOT = Path(__file__).parent.parent


def test_the_cli_reference_is_current() -> None:
    script = ROOT / "docs" / "make_cli_reference.py"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("document", ["README.md", "docs/model.md"])
def test_commands_and_options_shown_in_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    shown = re.findall(r"python -m modeler +([a-z]+)((?: [^\n`|]*)?)", text)
    for name, rest in shown:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        if isinstance(command, click.Group):
            below = rest.split()[0]
            command = command.get_command(click.Context(command), below)
            assert command is not None, f"{name} {below}"
        known = {flag for param in command.params for flag in param.opts}
        for flag in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert flag in known | {"--help"}, f"{name} {flag}"


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
