"""Lists of blocks: several policies on one target, written, changed, varied and refused."""

import json

import pytest

from modeler.scenario import (
    Scenario,
    ScenarioError,
    assumptions,
    loads,
    scenario_id,
    value_at,
    with_values,
)
from modeler.scenario.policy import Fixed, TargetTracking

TWO = """
policies:
  - {metric: invocations_per_instance, target: 60}
  - kind: target_tracking
    metric: concurrency_high_resolution
    scale_in_cooldown_s: 5m
"""


def refused(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        loads(text, file="modeler.yaml")
    return caught.value


def test_several_policies_take_the_place_of_the_one() -> None:
    scenario = loads(TWO)
    assert [policy.kind for policy in scenario.in_force] == ["target_tracking"] * 2
    assert value_at(scenario, "policies.0.target") == 60
    assert value_at(scenario, "policies.1.scale_in_cooldown_s") == 300
    assert loads("policy: {target: 6}").in_force == (TargetTracking(target=6),)


def test_one_item_is_changed_by_its_number() -> None:
    scenario = loads(TWO)
    changed = with_values(scenario, {"policies.1.target": "4", "policies.0.period_s": "2m"})
    assert value_at(changed, "policies.1.target") == 4
    assert value_at(changed, "policies.1.metric") == "concurrency_high_resolution"
    assert value_at(changed, "policies.0.target") == 60
    assert value_at(changed, "policies.0.period_s") == 120


def test_an_item_of_a_list_may_be_varied() -> None:
    scenario = loads(TWO + "sweep: {policies.0.target: [30, 60], policies.1.period_s: [10s, 20s]}")
    assert scenario.sweep == {"policies.0.target": (30, 60), "policies.1.period_s": (10, 20)}


def test_whole_lists_may_be_given_and_varied() -> None:
    given = with_values(Scenario(), {"policies": [TargetTracking(target=5), {"target": 6}]})
    assert [policy.target for policy in given.policies] == [5, 6]  # type: ignore[union-attr]
    swept = loads("sweep: {policies: [[{target: 5}], [{target: 5}, {target: 6}]]}")
    assert [len(policies) for policies in swept.sweep["policies"]] == [1, 2]


def test_the_last_given_whole_takes_the_place_of_the_other() -> None:
    several = loads(TWO)
    one = with_values(several, {"policy.kind": "fixed", "policy.replicas": 3})
    assert one.in_force == (Fixed(replicas=3),)
    again = with_values(one, {"policies": [{"target": 5}]})
    assert again.in_force == (TargetTracking(target=5),)
    with pytest.raises(ScenarioError, match="policy and policies are both given"):
        with_values(several, {"policy.target": 6})


def test_assumptions_are_listed_by_item() -> None:
    paths = {setting.path for setting in assumptions(loads(TWO))}
    assert "policies.0.target" not in paths
    assert {"policies.1.target", "policies.0.high_datapoints"} <= paths
    assert not any(path.startswith("policy.") for path in paths)


def test_the_list_is_part_of_the_name_and_survives_json() -> None:
    scenario = loads(TWO)
    assert scenario_id(scenario) != scenario_id(Scenario())
    assert scenario_id(with_values(scenario, {"policies.0.target": 61})) != scenario_id(scenario)
    again = Scenario.model_validate(json.loads(scenario.model_dump_json()))
    assert again.policies == scenario.policies
    assert scenario_id(again) == scenario_id(scenario)
    assert "policies" not in json.loads(Scenario().model_dump_json())


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("policies: [{targt: 6}]", 'unknown key "targt" in policies.0', 1, 13),
        ("policies:\n- {target: 1}\n- {target: 0}", "policies.1.target: 0 is not more than", 3, 12),
        ("policies:\n- {kind: fixd}", 'unknown policies.0.kind "fixd": one of', 2, 10),
        ("policies: [{kind: fixed}]", "policies.0.replicas is missing for policies.0.kind", 1, 12),
        (
            "policies: [{replicas: 2}]",
            "policies.0.replicas belongs to policies.0.kind",
            1,
            13,
        ),
        ("policies: [{target: [1, 2]}]", "write sweep: {policies.0.target: [...]}", 1, 21),
        ("policies: {target: 6}", "policies: {'target': 6} is not a list of values", 1, 11),
        ("policies: [6]", "policies.0: 6 is not a mapping of settings, e.g. {kind: ", 1, 12),
        ("policy: {target: 6}\npolicies: [{target: 6}]", "are both given", 2, 1),
        (
            "policies: [{target: 6}, {kind: fixed, replicas: 2}]",
            "policies.1 holds the fleet fixed",
            1,
            25,
        ),
        ("sweep: {policies.0.target: [1]}", "policies has no item 0: it is empty", 1, 9),
        ("policies: [{}]\nsweep: {policies.1.target: [1]}", "it holds 1, write 0", 2, 9),
        ("policies: [{}]\nsweep: {policies.0.target: [1, 0]}", "policies.0.target: 0", 2, 32),
        ("policies: [{}]\nsweep: {policies.one.target: [1]}", "items have numbers", 2, 9),
        ("policies: [{}]\nsweep: {policies.0.targt: [1]}", 'unknown key "targt"', 2, 9),
        ("sweep: {policy.target.low: [1]}", 'policy.target is one value and has no "low"', 1, 9),
    ],
)
def test_refusals_say_what_and_where(text: str, message: str, line: int, column: int) -> None:
    error = refused(text)
    assert len(error.problems) == 1, str(error)
    (problem,) = error.problems
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_every_item_is_heard_at_once() -> None:
    error = refused(
        "fleet: {min: 3, max: 2}\npolicies:\n- {target: 0}\n- {targt: 1}\n- {period_s: x}"
    )
    assert [(problem.line, problem.path) for problem in error.problems] == [
        (1, "fleet.max"),
        (3, "policies.0.target"),
        (4, "policies.1.targt"),
        (5, "policies.2.period_s"),
    ]
    assert error.problems[2].nearest == "target"


def test_a_misspelt_setting_of_an_item_names_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_values(loads(TWO), {"policies.1.targt": 3})
    assert caught.value.problems[0].nearest == "policies.1.target"


HPA = "hosting: {kind: eks_karpenter}\n"


@pytest.mark.parametrize(
    ("policy", "message", "column"),
    [
        ("{metrics: [{targt: 3}]}", 'unknown key "targt" in policy.metrics.0', 21),
        ("{metrics: [{metric: cpu}]}", "policy.metrics.0.metric: 'cpu' is not one of", 29),
        ("{metrics: []}", "policy.metrics: [] has no entry", 19),
        ("{metrics: {target: 3}}", "policy.metrics: {'target': 3} is not a list of values", 19),
        ("{behavior: {scale_ip: {}}}", 'unknown key "scale_ip" in policy.behavior', 21),
        (
            "{behavior: {scale_up: {policies: [{type: pods, value: 0, period_s: 15}]}}}",
            "policy.behavior.scale_up.policies.0.value: 0 is not more than 0",
            63,
        ),
        (
            "{behavior: {scale_up: {policies: [{type: pods, value: 1}]}}}",
            "policy.behavior.scale_up.policies.0.period_s is missing",
            43,
        ),
        (
            "{behavior: {scale_down: {tolerance: [0, 1]}}}",
            "to vary it write sweep: {policy.behavior.scale_down.tolerance: [...]}",
            45,
        ),
    ],
)
def test_settings_inside_of_settings_are_refused_in_their_place(
    policy: str, message: str, column: int
) -> None:
    (problem,) = refused(f"{HPA}policy: {policy}").problems
    assert message in problem.message
    assert (problem.line, problem.column) == (2, column)


def test_settings_inside_of_settings_are_changed_varied_and_listed() -> None:
    scenario = loads(
        HPA
        + "policy: {metrics: [{metric: concurrency, target: 4}, {target: 60}]}\n"
        + "sweep: {policy.metrics.1.target: [50, 70], "
        + "policy.behavior.scale_down.stabilization_window_s: [5m, 60]}"
    )
    assert scenario.sweep["policy.behavior.scale_down.stabilization_window_s"] == (300, 60)
    changed = with_values(
        scenario, {"policy.metrics.0.target": "5", "policy.behavior.scale_up.tolerance": 0.2}
    )
    assert value_at(changed, "policy.metrics.0.target") == 5
    assert value_at(changed, "policy.metrics.0.metric") == "concurrency"
    assert value_at(changed, "policy.metrics.1.target") == 60
    assert value_at(changed, "policy.behavior.scale_up.tolerance") == 0.2
    paths = {setting.path for setting in assumptions(changed)}
    assert "policy.metrics.0.target" not in paths
    assert {"policy.metrics.1.metric", "policy.behavior.scale_up.select_policy"} <= paths
    for path, near in (
        ("policy.metrics.0.targt", "policy.metrics.0.target"),
        ("policy.behavior.scale_up.tolerence", "policy.behavior.scale_up.tolerance"),
    ):
        with pytest.raises(ScenarioError) as caught:
            with_values(scenario, {path: 3})
        assert caught.value.problems[0].nearest == near
