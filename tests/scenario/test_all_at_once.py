"""However many mistakes a scenario has, and wherever they stand, all are told at once."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.scenario import ScenarioError, default, load, with_values
from modeler.scenario.build import build

# Settings, and the path at whose door their mistake is laid; no two of them share a setting.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"fleet.min": 5, "fleet.max": 2}, "fleet.max"),
    ({"fleet.slots": -1}, "fleet.slots"),
    ({"fleet.router": "centrl"}, "fleet.router"),
    ({"fleet.tail_s": "2 bananas"}, "fleet.tail_s"),
    ({"fleet.minn": 2}, "fleet.minn"),
    ({"policy.target": -3}, "policy.target"),
    ({"queue.retry_base_s": 9.0, "queue.retry_max_s": 3.0}, "queue.retry_base_s"),
    ({"queue.retries": "x"}, "queue.retries"),
    ({"hosting.purchase": "spot"}, "hosting.purchase"),
    ({"hosting.usd_per_hour": -1.0}, "hosting.usd_per_hour"),
    ({"sla.threshold_s": 0.0}, "sla.threshold_s"),
    ({"model.size": "7"}, "model.size"),
]


def data_of(mistakes: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path, value in itertools.chain.from_iterable(one.items() for one, _ in mistakes):
        block, _, key = path.partition(".")
        data.setdefault(block, {})[key] = value
    return data


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(MISTAKES), min_size=1, unique_by=lambda one: one[1]))
def test_no_mistake_hides_another_nor_makes_one_up(
    mistakes: list[tuple[dict[str, Any], str]],
) -> None:
    with pytest.raises(ScenarioError) as caught:
        build(data_of(mistakes), from_file=True)
    found = sorted(problem.path for problem in caught.value.problems)
    assert found == sorted(path for _, path in mistakes)


def test_what_is_wrong_is_not_held_against_the_others_at_its_default() -> None:
    # A default fleet.max of 20 would be less than fleet.min; the analyst wrote another, badly.
    with pytest.raises(ScenarioError) as caught:
        with_values(default(), {"fleet.min": 30, "fleet.max": "many", "fleet.initial": 2})
    assert [problem.path for problem in caught.value.problems] == ["fleet.max"]


QUEUE: dict[str, Any] = {
    "hosting": {"kind": "eks_karpenter", "instance": "g5.2xlarge", "region": "us-east-1"},
    "fleet": {"min": 0, "max": 6},
    "policy": {"kind": "keda"},
}


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"hosting": {**QUEUE["hosting"], "nodes": "karpenter"}}, "hosting.nodes"),
        ({"hosting": {**QUEUE["hosting"], "kind": "eks_karpentr"}}, "hosting.kind"),
        ({"hosting": {**QUEUE["hosting"], "colour": "red"}}, "hosting.colour"),
        ({"policy": {"kind": "kedda"}}, "policy.kind"),
        ({"policy": {"kind": "keda", "polling_interval_s": "often"}}, "policy.polling_interval_s"),
        ({"fleet": {"min": 0, "max": "six"}}, "fleet.max"),
    ],
)
@pytest.mark.parametrize(
    "sweep",
    [{}, {"fleet.min": [0, 1], "policy.kind": ["keda", "knative_kpa"]}],
)
def test_no_block_is_held_against_the_defaults_of_a_broken_one(
    tmp_path: Any, wrong: dict[str, Any], path: str, sweep: dict[str, Any]
) -> None:
    # A scenario file: what is wrong with its sweep is looked for beside its other mistakes.
    file = tmp_path / "queue.yaml"
    file.write_text(json.dumps({**QUEUE, **wrong, "sweep": sweep}))
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert [problem.path for problem in caught.value.problems] == [path]
