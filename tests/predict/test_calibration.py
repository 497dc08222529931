"""Constants from measurements: recovered where they are known, checked where they are not."""

import json
import math
from statistics import median

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.predict import cold_start_law, instance_of
from modeler.predict.calibration import (
    Calibration,
    MeasurementsError,
    Missing,
    cross_validated,
    from_rows,
    predict_measured,
    published,
    read_measurements,
    shipped,
)
from modeler.predict.calibration.constants_file import ConstantsError, read_constants, settings_of
from modeler.predict.constants import defaults, in_force
from modeler.referee import validate
from modeler.scenario import Scenario, ScenarioError, load, with_values


def row(phase="weights_load", seconds=10.0, **more):
    return {"phase": phase, "seconds": str(seconds), **{k: str(v) for k, v in more.items()}}


def measured(*rows):
    return from_rows(rows, "mine.csv")


def errors_by_source(rows, keep=lambda m: True):
    found = {}
    for m, got, _ in cross_validated(rows, published()):
        if got is not None and keep(m):
            error = abs(got / m.seconds - 1.0) if m.seconds else float(got != 0.0)
            found.setdefault(m.source, []).append(error)
    return [median(errors) for errors in found.values()]


def test_published_starts_are_predicted_without_their_source():
    # Required: 30 % over all sources, 20 % over AWS rows that state instance and size.
    everything = errors_by_source(shipped())
    assert len(everything) >= 45
    assert median(everything) <= 0.30
    aws = errors_by_source(shipped(), lambda m: m.aws_instance and m.weights_gb is not None)
    assert len(aws) >= 7
    assert median(aws) <= 0.20


def test_a_row_is_never_predicted_by_its_own_source():
    alone = {m.source for m in shipped() if m.id.startswith("smz")}
    (source,) = alone
    without = published().without(source)
    assert not any(source in told for told in without._by_source.values())
    provision = next(m for m in shipped() if m.id == "smz-002")
    with pytest.raises(Missing, match="other source that measures provision / sagemaker"):
        predict_measured(provision)
    assert published().predict(provision) == pytest.approx(104.9)


@given(rate=st.floats(0.05, 20.0), sizes=st.lists(st.floats(1.0, 400.0), min_size=1, max_size=8))
def test_a_known_rate_is_recovered(rate, sizes):
    rows = [row(seconds=size / rate, artifact_gb=size, medium="efs", source="a") for size in sizes]
    (constant,) = Calibration(measured(*rows)).constants()
    assert constant.value == pytest.approx(rate)
    assert (constant.rows, constant.sources, constant.spread) == (len(sizes), 1, 0.0)


@given(base=st.floats(1.0, 60.0), sizes=st.lists(st.floats(0.1, 400.0), min_size=1, max_size=6))
def test_a_known_start_of_an_engine_is_recovered(base, sizes):
    rows = [
        row("framework_init", base * (1 + 0.04 * p), params_b=p, condition="vLLM initialisation")
        for p in sizes
    ]
    (constant,) = Calibration(measured(*rows)).constants()
    assert constant.value == pytest.approx(base)


def test_every_source_counts_once():
    many = [row(seconds=100, artifact_gb=10, medium="efs", source="a") for _ in range(50)]
    others = [row(seconds=10, artifact_gb=10, medium="efs", source=s) for s in "bc"]
    (constant,) = Calibration(measured(*many, *others)).constants()
    assert constant.value == pytest.approx(1.0)  # the median of 0.1, 1 and 1
    assert constant.sources == 3
    assert constant.spread == pytest.approx(math.log(10) / math.sqrt(3), rel=1e-6)


def test_unsharded_streams_read_the_artifact_once_a_rank():
    stated = {"artifact_gb": 140, "instance_type": "p5.48xlarge TP=4", "medium": "s3"}
    whole, sharded = measured(
        row(seconds=90, loader="runai_streamer", **stated),
        row(seconds=26, loader="runai_streamer_sharded", **stated),
    )
    rates = [Calibration([m]).constants()[0].value for m in (whole, sharded)]
    # Published: 4 x 141 GB in 91.9 s is 6.1 GB/s and 141 GB in 26 s is 5.4: one rate of a node.
    assert rates[0] / rates[1] == pytest.approx(6.2 / 5.4, rel=0.02)
    assert published().predict(whole) == pytest.approx(91.9, rel=0.2)


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (row(medium="s3", instance_type="g5.xlarge"), "artifact_gb or params_b"),
        (row(artifact_gb=1), "medium"),
        (row(artifact_gb=1, medium="s3", loader="runai_streamer"), "instance_type"),
        (row("framework_init", 3, condition="init engine"), "params_b"),
        (row("framework_init", 3, params_b=1, condition="CUDA graph capture"), "captured batch"),
        (row("image_pull", 3), "artifact_gb of the image"),
        (row("total_cold_start", 3, condition="snapshot"), "bytes of the snapshot"),
        (row("detection", 3), "an autoscaler whose period is documented"),
    ],
)
def test_what_is_missing_is_named(content, missing):
    (m,) = measured(content)
    with pytest.raises(Missing, match=missing):
        published().predict(m)


def test_all_that_is_wrong_with_a_table_is_named_at_once(tmp_path):
    with pytest.raises(MeasurementsError) as error:
        measured(row("boots", 3), row("boot", "soon"), row("boot", ""), row("boot", 1, params_b=-2))
    said = str(error.value)
    assert 'line 2: phase "boots"' in said
    assert "did you mean boot?" in said
    assert "line 3: seconds = 'soon'" in said
    assert "line 4: seconds is empty" in said
    assert "line 5: params_b = '-2'" in said
    path = tmp_path / "x.csv"
    path.write_text("phase,time\nboot,3\n")
    with pytest.raises(MeasurementsError, match="column seconds is missing; found phase, time"):
        read_measurements(path)


def test_constants_that_a_scenario_can_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(
        "phase,seconds,params_b,artifact_gb,instance_type,medium,condition\n"
        "artifact_download,40,,16,g6.2xlarge,s3,\n"
        "provision,55,,,g6.2xlarge,,node\n"
        "framework_init,33,8,,g6.2xlarge,,vLLM initialisation\n"
    )
    ran = CliRunner().invoke(cli, ["calibrate", "mine.csv", "--write", "mine.json"])
    assert ran.exit_code == 0, ran.output
    assert "store / download / small" in ran.stdout
    assert "wrote mine.json" in ran.stderr
    kept = read_constants("mine.json")
    assert kept["store_bytes_per_s"][0] == pytest.approx(0.4e9)
    assert kept["provision_s"][0] == pytest.approx(55)
    assert kept["init_s"][0] == pytest.approx(33 / 1.32)
    assert set(settings_of(Calibration(read_measurements("mine.csv")))) == set(kept)
    (tmp_path / "one.yaml").write_text("cold_start: {constants: mine.json, provision_s: 60}\n")
    scenario = load("one.yaml")
    constants = in_force(scenario)
    assert constants["store_bytes_per_s"].value == pytest.approx(0.4e9)
    assert "fitted to 1 rows" in constants["store_bytes_per_s"].source
    assert (constants["provision_s"].value, constants["provision_s"].origin) == (60, "set")
    # The law of the start follows.
    law = cold_start_law(scenario, instance_of(scenario))
    plain = cold_start_law(Scenario(), instance_of(Scenario()))
    assert law.waterfall().total_p50_s != plain.waterfall().total_p50_s
    (tmp_path / "two.yaml").write_text("cold_start: {constants: gone.json}\n")
    with pytest.raises(ScenarioError, match="there is no file"):
        load("two.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"schema": "x"}', "expected the schema cold-start-constants/1"),
        ('{"schema": "cold-start-constants/1", "settings": {"x": {"value": 1}}}', "settings.x"),
        (
            '{"schema": "cold-start-constants/1", "settings": {"boot_s": {"value": -1}}}',
            "expected a number above 0",
        ),
    ],
)
def test_constants_that_cannot_be_read(tmp_path, text, said):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ConstantsError, match=said):
        read_constants(path)
    with pytest.raises(ConstantsError, match=said):
        in_force(with_values(Scenario(), {"cold_start.constants": str(path)}))


def test_the_published_table_is_fitted_by_the_same_command():
    ran = CliRunner().invoke(cli, ["calibrate", "--format", "json"])
    found = json.loads(ran.stdout)
    assert found["schema"] == "calibrate/1"
    assert all(c["published"] == pytest.approx(c["value"]) for c in found["constants"])
    assert found["checked"]["predicted"] == "without its source"


def test_rows_of_a_file_are_compared_by_phase_and_hosting(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,system,phase,model,params_b,artifact_gb,instance_type,medium,loader,seconds,condition\n"
        "a,EC2,weights_load,X,,16,g5.12xlarge,s3,runai_streamer,4.2,\n"
        "b,EC2,weights_load,X,,,g5.12xlarge,s3,runai_streamer,4.2,\n"
    )
    found = validate([path]).to_dict()["files"][0]
    assert (found["schema"], found["compared"], found["out_of_scope"]) == (
        "cold-start-measurements/1", 1, 1,
    )  # fmt: skip
    errors = found["errors"]
    assert set(errors["by_group"]) == {"EC2", "AWS, instance and size stated"}
    assert errors["by_kind"]["weights_load"]["median_pct"] < 20


@pytest.mark.parametrize(
    ("law", "key", "hosting", "names", "within"),
    [
        # One measurement is behind both: the same figure, to its printed digits.
        ("duration", ("boot", "device"), "ec2_asg", ("device_s",), 0.001),
        ("rate", ("pull", "copy"), "ec2_asg", ("registry_bytes_per_s",), 0.001),
        ("duration", ("boot", "launch"), "ec2_asg", ("provision_s", "boot_s"), 0.002),
        ("duration", ("provision", "sagemaker"), "sagemaker_realtime",
         ("provision_s", "boot_s"), 0.001),
        ("duration", ("provision", "fargate", "ecs"), "ecs_fargate", ("provision_s",), 0.001),
        ("duration", ("provision", "fargate", "eks"), "eks_fargate", ("provision_s",), 0.001),
        # One of three sources was taken for the hosting: within the spread of the three.
        ("rate", ("store", "stream", "small"), "eks_karpenter", ("store_bytes_per_s",), 0.25),
    ],
)  # fmt: skip
def test_constants_of_hostings_are_what_the_command_finds(law, key, hosting, names, within):
    found = {(one.law, one.key): one.value for one in published().constants()}[law, key]
    table = defaults(hosting)
    held = sum(table[name].value for name in names)
    assert held == pytest.approx(found * (1e9 if law == "rate" else 1.0), rel=within)
