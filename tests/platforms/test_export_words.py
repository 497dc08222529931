"""What a form has no word for, what stands on top of a file, and the command that writes it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from exports import CHEAP, SHORT, of
from ruamel.yaml import YAML

from modeler.cli.export import command
from modeler.cli.main import cli
from modeler.platforms import apply, export, read_policy
from modeler.platforms.writers import FORMS, exported
from modeler.scenario import Scenario, ScenarioError, scenario_id, with_values


@pytest.mark.parametrize(
    ("form", "scenario", "paths", "forms"),
    [
        ("terraform", of("eks_karpenter", {"kind": "hpa"}), ["policy.kind"], "--as hpa"),
        ("keda", of("sagemaker_realtime", {"kind": "target_tracking"}), ["policy.kind"], "boto3"),
        ("hpa", of("eks_karpenter", {"kind": "fixed", "replicas": 3}), ["policy.kind"], "never"),
        ("hpa", of("eks_karpenter", {"kind": "ray_serve"}), ["policy.kind"], "no form has such"),
        ("terraform", of("lambda", {"kind": "per_request"}), ["policy.kind"], "by itself"),
        (
            "boto3-json",
            of(
                "sagemaker_realtime",
                [
                    {
                        "kind": "target_tracking",
                        "target": 5,
                        "scale_out_cooldown_s": 60.5,
                        "instance_warmup_s": 10,
                    },
                    {
                        "kind": "step_scaling",
                        "metric": "queue_per_instance",
                        "threshold": 3,
                        "period_s": 45,
                        "steps": {"lower": 0, "adjustment": 1.5},
                    },
                ],
            ),
            [
                "policies.0.scale_out_cooldown_s",
                "policies.0.instance_warmup_s",
                "policies.1.steps.0.adjustment",
                "policies.1.period_s",
                "policies.1.metric",
            ],
            "whole numbers",
        ),
        (
            "hpa",
            of("eks_karpenter", {"kind": "hpa", "target": 62.5}),
            ["policy.target"],
            "expected 62",
        ),
        (
            "knative",
            of("eks_karpenter", {"kind": "knative_kpa", "container_concurrency": 9}),
            ["fleet.slots"],
            "fleet.slots: 9",
        ),
    ],
)
def test_what_a_form_cannot_say_is_refused_all_at_once(
    form: str, scenario: Scenario, paths: list[str], forms: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        export(scenario, form, trace=SHORT)
    assert [problem.path for problem in caught.value.problems] == paths
    assert forms in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_form_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match='did you mean "terraform"'):
        export(Scenario(), "teraform")


def test_the_comment_on_top_says_what_the_file_does_not() -> None:
    scenario = with_values(
        CHEAP["keda"],
        {"name": "a\nb: c", "cold_start.image_size": "9GB", "policy.sync_period_s": 20},
    )
    text = export(scenario, "keda", run="r1", usd_per_hour=1.25, trace=SHORT)
    assert f"# scenario {scenario_id(scenario)}, run r1, expected 1.2500 USD an hour" in text
    for line in (
        "trace = office-week",
        "model.size = 14000000000",
        "cold_start.image_size = 9000000000",
        "policy.sync_period_s = 20.0",
    ):
        assert f"\n#   {line}\n" in text
    assert "policy.target" in text
    assert "\n# b: c" not in text
    assert YAML(typ="safe").load(text).keys() == {"apiVersion", "kind", "metadata", "spec"}
    written = exported(CHEAP["boto3-json"], "boto3-json", trace=SHORT)
    assert json.loads(written.text).keys() == {"ScalableTargets", "ScalingPolicies"}
    assert "  trace = office-week" in written.notes


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "hpa.yaml"
    arguments = ["export", "--as", "hpa", "--set", "hosting.kind=eks_karpenter", "-o", str(out)]
    result = CliRunner().invoke(cli, [*arguments, "--set", "fleet.max=7"])
    assert result.exit_code == 0, result.stderr
    scenario, _ = apply(Scenario(), read_policy(out))
    assert scenario.fleet.max == 7
    refused = CliRunner().invoke(cli, ["export", "--as", "hpa"])
    assert isinstance(refused.exception, ScenarioError)
    # The command offers what the room writes.
    assert command.params[1].type.choices == tuple(FORMS)
