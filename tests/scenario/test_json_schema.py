"""The JSON Schema: valid itself, true of every documented example, false of what `load` refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from modeler.scenario import json_schema, loads
from modeler.scenario.kinds import KINDS
from modeler.scenario.paths import known_paths

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json_schema()


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def complaints(text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(read(text))]


def examples() -> list[str]:
    texts = [(ROOT / "modeler" / "scenario" / "default.yaml").read_text(encoding="utf-8")]
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if document.name == "choice.md":  # its example is a choice (tests/test_docs.py)
            continue
        texts += re.findall(r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    return texts


def test_it_is_a_schema_of_its_dialect() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)
    (example,) = SCHEMA["examples"]
    assert not list(Draft202012Validator(SCHEMA).iter_errors(example))


@pytest.mark.parametrize("text", examples())
def test_every_documented_example_is_valid(text: str) -> None:
    assert complaints(text) == []
    loads(text, check_files=False)


@pytest.mark.parametrize(
    "text",
    [
        "model: {size: 12.6GiB}\nsla: {max_violation_share: 0.5%}",
        "queue: {client_timeout_s: none, queue_timeout_s: null}",
        "cold_start: {nic_bytes_per_s: 10Gbps, boot_s: 1h30m, store_bytes_per_s: 5e8}",
        "hosting: {usd_per_hour: $1.20/h}",
        "policies: [{target: 4}, {kind: target_tracking}]",
        "sweep: {policies.0.target: [4], model.size: [1GB]}",
        "policy: {kind: fixed, replicas: 2}",
        "policy: {kind: file, path: hpa.yaml, name: web}",
        "hosting: {kind: cloud_run, memory: 16GiB}",
    ],
)
def test_what_loads_is_valid(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "model: {size: 14}",
        "model: {sise: 14GB}",
        "polcy: {target: 3}",
        "policy: {targt: 3}",
        "policy: {kind: fixd}",
        "policy: {kind: fixed}",
        "policy: {kind: file}",
        "policy: {target: 0}",
        "policies: {target: 3}",
        "policies: [{targt: 3}]",
        "policy: {target: 3}\npolicies: [{target: 4}]",
        "fleet: {min: few}",
        "sla: {threshold_s: soon}",
        "sla: {max_violation_share: 1.5}",
        "sweep: {model.sise: [1GB]}",
        "sweep: {model.size: []}",
        "hosting: {as_of: yesterday}",
        "queue: {client_timeout_s: never}",
    ],
)
def test_what_does_not_load_is_not_valid(text: str) -> None:
    assert complaints(text)
    with pytest.raises(Exception, match="error"):
        loads(text)


def test_every_setting_is_described_with_its_ground() -> None:
    cooldown = SCHEMA["$defs"]["TargetTracking"]["properties"]["scale_in_cooldown_s"]
    assert cooldown["x-origin"] == "documented"
    assert "Application Auto Scaling" in cooldown["x-source"]
    assert "[s] Default: 300" in cooldown["description"]
    assert SCHEMA["$defs"]["TargetTracking"]["properties"]["low_datapoints"]["default"] == 15
    assert SCHEMA["$defs"]["Model"]["properties"]["size"]["default"] == "14GB"
    titles = {definition.get("title") for definition in SCHEMA["$defs"].values()}
    assert {kind for kinds in KINDS.values() for kind in kinds} <= titles


def test_every_path_may_be_varied() -> None:
    sweep = SCHEMA["properties"]["sweep"]
    for path in known_paths().keys() - {"name", "gates", "sweep"}:
        written = path.replace(".N", ".0")
        assert written in sweep["properties"] or any(
            re.search(pattern, written) for pattern in sweep["patternProperties"]
        )
