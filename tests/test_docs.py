"""Documents say what the commands say, and every command shown in them exists."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from modeler.cli.main import cli
from modeler.scenario import Scenario, loads
from modeler.scenario.kinds import KINDS
from modeler.scenario.paths import known_paths
from modeler.scenario.schema import BLOCKS, LISTS
from modeler.scenario.tree import shapes
from modeler.study.choice_blocks import Choice
from modeler.study.choice_file import read_choice

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "script", ["make_cli_reference.py", "make_scenario_reference.py", "make_choice_reference.py"]
)
def test_generated_references_are_current(script: str) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "docs" / script, "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_example_of_the_scenario_reference_loads_and_shows_every_block() -> None:
    text = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    scenario = loads(example)
    assert scenario.model_fields_set == {*type(scenario).model_fields} - {*LISTS}
    assert scenario.sla.threshold_s == 10
    assert scenario.sweep["model.size"] == (7_000_000_000, 13_500_000_000)


def test_the_scenario_reference_has_every_key_with_its_default() -> None:
    text = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.N]+)` \| (.*) \|$", text, re.MULTILINE))
    keys = {path for path in known_paths() if not path.endswith(".kind")}
    # The items of a list have a table of their own, or that of the block they are like.
    keys = {path for path in keys if not path.startswith("policies.")}
    assert rows.keys() == keys - {"sweep", *BLOCKS, *LISTS}
    # As the contract with the platform has them.
    assert rows["policy.scale_in_cooldown_s"].startswith(
        "duration [s] | null: 300; 0 for provisioned concurrency"
    )
    assert rows["queue.queue_timeout_s"].startswith(
        "duration [s] | null: 10 on Cloud Run, elsewhere no timeout | > 0 |"
    )
    assert rows["model.size"].startswith("size | `14GB` | > 0 | assumed |")
    assert rows["policy.replicas"].startswith("whole number | must be given | ≥ 1 |")
    kinds = re.findall(r"^- `([a-z0-9_]+)`: ", text, re.MULTILINE)
    weather = shapes(Scenario)["weather"].classes
    assert kinds == [kind for block in (*KINDS.values(), weather) for kind in block]


def test_the_choice_reference_has_every_key_and_an_example_that_reads(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "choice.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-zN_.]+)` \| (.*) \|$", text, re.MULTILINE))
    keys = {*shapes(Choice)} - {"schema_"} | {"schema"}
    for name in ("variants", "places", "worlds"):
        keys |= {f"{name}.N.{key}" for key in shapes(shapes(Choice)[name].classes[""])}
    assert rows.keys() == keys
    assert rows["worlds.N.latency_share"].startswith("share | `0.99` |")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "shown.yaml"
    file.write_text(example, encoding="utf-8")
    assert read_choice(file).name == "mobile fraud detection"


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
