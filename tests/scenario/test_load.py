"""Scenario files: what is read, and how mistakes are reported."""

import re
from pathlib import Path

import pytest

from modeler.scenario import Scenario, ScenarioError, load, loads


def refused(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        loads(text, file="modeler.yaml")
    return caught.value


def test_an_empty_file_is_all_defaults() -> None:
    assert loads("") == Scenario()


def test_quantities_carry_units() -> None:
    scenario = loads(
        """
        model: {size: 12.6GiB, dtype: int8}
        policy: {scale_out_cooldown_s: 5m, publish_delay_s: 300ms}
        sla: {max_violation_share: 0.5%, threshold_s: 2}
        cold_start: {nic_bytes_per_s: 10Gbps, image_size: 11.6GB}
        queue: {client_timeout_s: none, queue_timeout_s: null}
        hosting: {as_of: 2026-11-01, usd_per_hour: $1.20/h}
        """
    )
    assert scenario.model.size == 13_529_146_982
    assert scenario.policy.kind == "target_tracking"
    assert scenario.policy.scale_out_cooldown_s == 300
    assert scenario.policy.publish_delay_s == 0.3
    assert scenario.sla.max_violation_share == 0.005
    assert scenario.cold_start.nic_bytes_per_s == 1.25e9
    assert scenario.queue.client_timeout_s == "none"
    assert scenario.client_timeout_s == float("inf")
    assert scenario.hosting.as_of == "2026-11-01"
    assert scenario.hosting.usd_per_hour == 1.2


def test_unknown_key_names_line_column_and_nearest() -> None:
    error = refused("name: mine\npolicy: {metric: invocations_per_instance, targt: 3}\n")
    (problem,) = error.problems
    assert (problem.file, problem.line, problem.column) == ("modeler.yaml", 2, 44)
    assert problem.nearest == "target"
    assert str(error) == (
        'error: unknown key "targt" in policy\n'
        " --> modeler.yaml:2:44\n"
        "  |\n"
        "2 | policy: {metric: invocations_per_instance, targt: 3}\n"
        f'  | {" " * 43}^^^^^ did you mean "target"?'
    )


def test_five_mistakes_are_reported_together() -> None:
    error = refused(
        """
model: {size: 14}
fleet:
  min: 5
  max: 3
  max: 4
polcy: {target: 3}
sla:
  threshold_s: soon
"""
    )
    assert [(problem.line, problem.column) for problem in error.problems] == [
        (2, 15),
        (5, 8),
        (6, 3),
        (7, 1),
        (9, 16),
    ]
    assert str(error).endswith("\n5 errors")
    messages = [problem.message for problem in error.problems]
    assert "size needs a unit, e.g. 14GB or 14GiB" in messages[0]
    assert messages[1] == "fleet.max = 3 is less than fleet.min = 5"
    assert messages[2] == 'key "max" is written twice, first in line 5'
    assert error.problems[3].nearest == "policy"


def test_names_of_the_price_tables_count_as_mistakes_of_the_file() -> None:
    error = refused(
        """
hosting: {instance: ml.g5.2xlrge, region: us-eest-1, zone: a}
fleet: {min: few}
sweep:
  hosting.instance: [ml.g5.xlarge, ml.g55.xlarge]
  model.size: [4GB, 14]
"""
    )
    assert [(problem.line, problem.column) for problem in error.problems] == [
        (2, 21),
        (2, 43),
        (2, 54),
        (3, 14),
        (5, 36),
        (6, 21),
    ]
    messages = [problem.message for problem in error.problems]
    assert 'unknown instance type "ml.g5.2xlrge"; nearest: ml.g5.2xlarge' in messages[0]
    assert 'unknown region "us-eest-1"; nearest: ' in messages[1]
    assert "us-east-1" in messages[1]
    assert error.problems[0].path == "hosting.instance"
    assert error.problems[4].path == "sweep.hosting.instance.1"


def test_a_region_without_a_price_is_no_mistake_of_the_file() -> None:
    # Known, and billed in another currency: the look-up says so, with its own exit code.
    assert loads("hosting: {region: cn-north-1}").hosting.region == "cn-north-1"
    # With a price of one's own no table is asked.
    own = loads("hosting: {region: on-premises, usd_per_hour: $1/h}")
    assert own.hosting.region == "on-premises"


def test_a_sweep_is_read_though_a_block_is_broken() -> None:
    error = refused(
        "policy: {kind: fixed, replicas: some}\n"
        "sweep: {policy.replicas: [2, many], fleet.max: [20, many], model.siz: [1GB]}\n"
    )
    assert [problem.path for problem in error.problems] == [
        "policy.replicas",
        "fleet.max",
        "model.siz",
    ]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("policy: {kind: fixd, replicas: 2}", 'unknown policy.kind "fixd": one of', 1, 16),
        ("policy: {kind: fixed}", "policy.replicas is missing for policy.kind fixed", 1, 1),
        ("policy: {replicas: 2}", "policy.replicas belongs to policy.kind fixed", 1, 10),
        ("policy: fixed", "is not a mapping of settings", 1, 9),
        ("policy: {target: 0}", "policy.target: 0 is not more than 0", 1, 18),
        ("policy: {target: .nan}", "is not a finite number", 1, 18),
        ("fleet: {slots: 0}", "fleet.slots: 0 is not at least 1", 1, 16),
        ("fleet: {slots: true}", "is not a number", 1, 16),
        ("fleet: {min: 0}", "fleet.min must be >= 1", 1, 14),
        ("fleet: {initial: 30}", "fleet.initial = 30 is outside", 1, 18),
        ("fleet: {max: [2, 4]}", "to vary it write sweep: {fleet.max: [...]}", 1, 14),
        ("hosting: {kind: ec2_asg, instance: ml.g5.xlarge}", 'write "g5.xlarge"', 1, 36),
        ("hosting: {instance: g5.xlarge}", 'write "ml.g5.xlarge"', 1, 21),
        ("hosting: {purchase: spot}", "do not run on spot", 1, 21),
        ("min: 2", 'unknown key "min"', 1, 1),
        ("model: {size: -4GB}", "a size is not negative", 1, 15),
        ("model: {size: 0GB}", "is not more than 0", 1, 15),
        ("sweep: {model.size: [4GB, 14]}", "size needs a unit", 1, 27),
        ("sweep: {model.siz: [4GB]}", 'unknown key "siz" in model', 1, 9),
        ("sweep: {policy.target: 4}", "is not a list of values", 1, 24),
        ("sweep: {policy.target: []}", "give at least one value", 1, 9),
        ("sweep: {model: [{size: 4GB}]}", "name one of its settings", 1, 9),
        ("sweep: {fleet.max: [20, 0]}", "fleet.max: 0 is not at least 1", 1, 25),
        ("- 1", "a scenario is a mapping of settings", 1, 1),
        ("fleet: [", "not valid YAML", 1, 9),
        ("fleet: &a {min: *a}", "an alias that contains itself", 1, 8),
    ],
)
def test_refusals_say_what_and_where(text: str, message: str, line: int, column: int) -> None:
    error = refused(text)
    assert len(error.problems) == 1, str(error)
    (problem,) = error.problems
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_yaml_words_are_not_reinterpreted() -> None:
    # YAML 1.1 read these as False and 330.
    assert loads("name: no").name == "no"
    assert "'5:30'" in refused("policy: {period_s: 5:30}").problems[0].message


def test_a_brace_in_what_was_written_is_not_a_placeholder() -> None:
    assert "{message}" in refused("model: {size: '{message}'}").problems[0].message


def test_files_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("data/access.csv.gz", "times.txt", "a.csv"):
        (tmp_path / name).touch()
    (tmp_path / "mine.yaml").write_text(
        "trace: data/access.csv.gz\n"
        "service: {kind: empirical, file: times.txt}\n"
        "sweep: {trace: [a.csv, office-week]}\n"
    )
    scenario = load(tmp_path / "mine.yaml")
    assert Path(scenario.trace) == tmp_path / "data" / "access.csv.gz"
    assert scenario.service.kind == "empirical"
    assert Path(scenario.service.file) == tmp_path / "times.txt"
    assert scenario.sweep["trace"] == (str(tmp_path / "a.csv"), "office-week")


def test_files_that_are_missing_count_as_mistakes_of_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "trace: access.csv.gz\n"
        "service: {kind: empirical, file: times.txt}\n"
        "fleet: {min: 0}\n"
        "sweep: {trace: [office-weak, office-week], service.file: [times.txt]}\n"
    )
    with pytest.raises(ScenarioError) as caught:
        load(path)
    problems = caught.value.problems
    assert [(problem.file, problem.line, problem.column) for problem in problems] == [
        (str(path), 1, 8),
        (str(path), 2, 34),
        (str(path), 3, 14),
        (str(path), 4, 17),
        (str(path), 4, 59),
    ]
    assert problems[0].message == (
        'trace: "access.csv.gz" is neither a file nor a sample; samples: office-week'
    )
    assert problems[1].message == 'service.file: there is no file "times.txt"'
    assert problems[3].nearest == "office-week"
    assert problems[3].value == "office-weak"


def test_files_that_are_replaced_or_not_read_need_not_be_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("trace: access.csv.gz")
    assert load(path, check_files=False).trace == str(tmp_path / "access.csv.gz")
    path.write_text("trace: access.csv.gz\nfleet: {min: -1}")
    with pytest.raises(ScenarioError) as caught:
        load(path, check_files=False)
    assert [problem.path for problem in caught.value.problems] == ["fleet.min"]


def test_a_contradiction_hides_nothing() -> None:
    error = refused(
        """
hosting: {instance: ml.g55.xlarge, region: us-eest-1, purchase: spot}
fleet: {min: 5, max: 3}
sweep:
  policy.target: []
  hosting.purchase: []
  fleet.slots: 4
"""
    )
    assert [(problem.line, problem.column) for problem in error.problems] == [
        (2, 21),
        (2, 44),
        (2, 65),
        (3, 22),
        (5, 3),
        (6, 3),
        (7, 16),
    ]


@pytest.mark.parametrize("kind", ["sagemaker_realtime", "ec2_asg", "sagemaker_components"])
def test_target_tracking_does_not_start_from_zero(kind: str) -> None:
    # Its metric is per instance: endpoint-auto-scaling-zero-instances, SageMaker developer guide.
    policy = "policy: {kind: target_tracking}"
    error = refused(f"hosting: {{kind: {kind}}}\nfleet: {{min: 0}}\n{policy}")
    (problem,) = error.problems
    assert (problem.line, problem.column, problem.path) == (2, 14, "fleet.min")
    assert "target tracking cannot leave zero" in problem.message
    assert "write fleet.min: 1" in problem.message
    sweep = "sweep: {fleet.min: [1, 0]}"
    (of_sweep,) = refused(f"hosting: {{kind: {kind}}}\n{sweep}\n{policy}").problems
    assert (of_sweep.line, of_sweep.column) == (2, 24)


def test_a_fixed_fleet_has_no_use_for_a_least_size() -> None:
    fixed = "policy: {kind: fixed, replicas: 2}\nfleet: {min: 0}\n"
    assert loads(fixed + "hosting: {kind: ec2_asg}").fleet.min == 0
    assert "SageMaker real-time variant keeps" in refused(fixed).problems[0].message


def test_a_sample_is_not_taken_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("trace: office-week")
    assert load(tmp_path / "mine.yaml").trace == "office-week"


@pytest.mark.parametrize("make", ["missing", "folder", "binary"])
def test_files_that_cannot_be_read(tmp_path: Path, make: str) -> None:
    path = tmp_path / "scenario.yaml"
    if make == "folder":
        path.mkdir()
    elif make == "binary":
        path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(ScenarioError, match=re.escape(str(path))):
        load(path)
