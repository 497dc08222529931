"""Settings by path: changing, listing and naming a scenario."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.scenario import (
    Scenario,
    ScenarioError,
    assumptions,
    default,
    loads,
    scenario_id,
    with_values,
)
from modeler.scenario.paths import known_paths
from modeler.scenario.policy import Fixed
from modeler.scenario.schema import KINDS
from modeler.scenario.settings import value_at


def test_the_embedded_scenario_is_the_documented_one() -> None:
    scenario = default()
    assert scenario.trace == "office-week"
    assert scenario.sweep == {
        "model.size": (1_000_000_000, 4_000_000_000, 8_000_000_000, 14_000_000_000)
    }
    assert scenario.model.dtype == "fp16"
    assert (scenario.hosting.instance, scenario.hosting.region) == ("ml.g5.2xlarge", "us-east-1")
    assert scenario.policy.kind == "target_tracking"
    assert (scenario.fleet.min, scenario.fleet.max) == (1, 20)
    assert scenario.client_timeout_s == 60
    assert scenario.sla.max_violation_share == 0.005


def test_text_is_read_with_its_unit_and_numbers_as_typed() -> None:
    changed = with_values(
        Scenario(),
        {
            "model.size": "4GiB",
            "policy.target": "6",
            "policy.scale_in_cooldown_s": "5m",
            "queue.limit": "null",
        },
    )
    assert changed.model.size == 4 * 2**30
    assert value_at(changed, "policy.target") == 6
    assert value_at(changed, "policy.scale_in_cooldown_s") == 300
    assert changed.queue.limit is None
    assert with_values(Scenario(), {"model.size": 4_000_000_000}).model.size == 4_000_000_000
    assert with_values(Scenario(), {"fleet.max": np.int64(7)}).fleet.max == 7
    assert value_at(with_values(Scenario(), {"policy.target": np.float64(7)}), "policy.target") == 7


def test_a_bare_number_as_text_is_no_size() -> None:
    with pytest.raises(ScenarioError, match="size needs a unit, e.g. 14GB or 14GiB"):
        with_values(Scenario(), {"model.size": "14"})


def test_the_scenario_itself_never_changes() -> None:
    scenario = Scenario()
    with_values(scenario, {"policy.target": 6})
    assert scenario == Scenario()
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 1  # type: ignore[misc]
    assert hash(scenario) == hash(Scenario())


def test_another_kind_drops_the_settings_it_does_not_have() -> None:
    tracking = with_values(Scenario(), {"policy.target": 6})
    fixed = with_values(tracking, {"policy.replicas": 3, "policy.kind": "fixed"})
    assert fixed.policy == Fixed(replicas=3)
    # and the other hosting brings its own instance type along
    assert with_values(Scenario(), {"hosting.kind": "ec2_asg"}).hosting.instance == "g5.2xlarge"


@pytest.mark.parametrize("kind", ["ec2_asg", "eks_karpenter"])
def test_another_hosting_keeps_the_hardware(kind: str) -> None:
    said = {"hosting.instance": "ml.g5.xlarge", "hosting.region": "eu-west-1"}
    endpoint = with_values(Scenario(), said)
    there = with_values(endpoint, {"hosting.kind": kind})
    assert (there.hosting.kind, there.hosting.instance) == (kind, "g5.xlarge")
    assert there.hosting.region == "eu-west-1"
    assert with_values(there, {"hosting.kind": "sagemaker_realtime"}) == endpoint
    swept = loads(
        "hosting: {instance: ml.g5.xlarge}\n"
        f"sweep: {{hosting.kind: [sagemaker_realtime, {kind}]}}"
    )
    points = [with_values(swept, {"hosting.kind": k}) for k in swept.sweep["hosting.kind"]]
    assert [point.hosting.instance for point in points] == ["ml.g5.xlarge", "g5.xlarge"]


def test_an_instance_given_beside_the_hosting_is_taken_as_given() -> None:
    with pytest.raises(ScenarioError, match='have no ml. prefix: write "g5.xlarge"'):
        with_values(Scenario(), {"hosting.kind": "ec2_asg", "hosting.instance": "ml.g5.xlarge"})
    block = {"instance": "ml.g5.xlarge"}
    with pytest.raises(ScenarioError, match='write "g5.xlarge"'):
        with_values(Scenario(), {"hosting": block, "hosting.kind": "ec2_asg"})


def test_unknown_names_come_with_every_other_mistake_of_a_change() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_values(
            Scenario(),
            {
                "hosting.instance": "ml.g5.2xlrge",
                "hosting.region": "us-eest-1",
                "fleet.min": 0,
                "policy.targt": 3,
                "sweep": {"policy.target": [], "hosting.instance": ["ml.g55.xlarge"]},
            },
        )
    assert {problem.path for problem in caught.value.problems} == {
        "policy.targt",
        "hosting.instance",
        "hosting.region",
        "sweep.hosting.instance.0",
        "fleet.min",
        "sweep.policy.target",
    }
    assert "nearest: ml.g5.2xlarge" in str(caught.value)
    assert "us-east-1" in str(caught.value)


def test_no_table_is_asked_for_a_region_with_a_price_of_ones_own() -> None:
    own = with_values(Scenario(), {"hosting.region": "here", "hosting.usd_per_hour": 1})
    assert own.hosting.region == "here"
    with pytest.raises(ScenarioError, match='unknown region "here"'):
        with_values(own, {"hosting.usd_per_hour": None})


def test_a_kind_given_by_its_class_is_kept() -> None:
    scenario = Scenario(policy=Fixed(replicas=3))
    assert with_values(scenario, {"policy.replicas": 4}).policy == Fixed(replicas=4)
    whole = with_values(Scenario(), {"policy": Fixed(replicas=5)})
    assert whole.policy == Fixed(replicas=5)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("policy.targt", "policy.target"),
        ("policy.min", "fleet.min"),
        ("min", "fleet.min"),
        ("targt", "policy.target"),
        ("polcy", "policy"),
        ("model.sise", "model.size"),
        ("cold_start.boot", "cold_start.boot_s"),
    ],
)
def test_an_unknown_path_names_the_nearest(path: str, near: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        with_values(Scenario(), {path: 3})
    assert caught.value.problems[0].nearest == near


def test_a_path_of_another_kind_is_explained() -> None:
    with pytest.raises(ScenarioError, match="belongs to policy.kind fixed; here policy.kind is"):
        with_values(Scenario(), {"policy.replicas": 3})


def test_all_problems_of_a_change_come_together() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_values(Scenario(), {"fleet.min": "x", "policy.target": -1, "model.size": "4"})
    assert len(caught.value.problems) == 3


def test_what_was_said_is_no_assumption() -> None:
    before = {setting.path: setting for setting in assumptions(Scenario())}
    after = {setting.path for setting in assumptions(with_values(Scenario(), {"fleet.max": 20}))}
    assert before.keys() - after == {"fleet.max"}
    assert before["policy.low_threshold_factor"].origin == "observed"
    assert before["fleet.slots"].value == "8 for token traffic, else 1"
    assert all(setting.source and setting.origin for setting in before.values())


def test_one_change_keeps_the_other_assumptions() -> None:
    once = with_values(Scenario(), {"policy.target": 6})
    twice = with_values(once, {"policy.target": 7})
    assert assumptions(once) == assumptions(twice)


def test_the_id_is_of_the_settings_alone() -> None:
    scenario = default()
    assert scenario_id(scenario) == scenario_id(Scenario())
    assert scenario_id(with_values(scenario, {"name": "other"})) == scenario_id(scenario)
    # A default that is spelt out is the same setting.
    assert scenario_id(with_values(scenario, {"fleet.max": 20})) == scenario_id(scenario)
    assert scenario_id(with_values(scenario, {"fleet.max": 21})) != scenario_id(scenario)


def test_the_id_is_the_same_in_another_process() -> None:
    code = "from modeler.scenario import *; print(scenario_id(default()))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == scenario_id(default())


@given(st.integers(1_000, 10**15), st.floats(1e-3, 1e6), st.integers(1, 50))
def test_a_scenario_survives_its_own_json(size: int, target: float, top: int) -> None:
    scenario = with_values(
        Scenario(), {"model.size": size, "policy.target": target, "fleet.max": top}
    )
    again = Scenario.model_validate(json.loads(scenario.model_dump_json()))
    assert again == scenario
    assert scenario_id(again) == scenario_id(scenario)


def test_every_path_has_a_place_in_some_kind() -> None:
    paths = known_paths()
    assert paths["policy.kind"] == tuple(KINDS["policy"])
    assert paths["policy.replicas"] == ("fixed",)
    assert paths["fleet.min"] == ()
    assert "service.cv" in paths


def test_seven_bytes_are_a_slip_of_the_unit() -> None:
    with pytest.raises(ScenarioError, match="7 bytes are no model; 7 billion parameters"):
        with_values(default(), {"model.size": "7B"})


def test_a_variant_shares_what_it_does_not_vary_and_nothing_else() -> None:
    base = default()
    variant = with_values(base, {"sla.threshold_s": 9.0})
    assert variant.model is base.model
    assert variant.sla is not base.sla
    said = with_values(base, {"queue.from_zero": "queue"})
    assert with_values(said, {"seed": 1}).queue is said.queue
    # What is said at its default is not what nobody said.
    settings = base.cold_start.model_dump()
    unsaid = next(name for name in settings if name not in base.cold_start.model_fields_set)
    again = with_values(base, {f"cold_start.{unsaid}": settings[unsaid]})
    assert unsaid in again.cold_start.model_fields_set
    assert unsaid not in base.cold_start.model_fields_set
