"""The cold-start law against published measurements, closed forms and its own promises."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.predict import cold_start_law, serial_stages
from modeler.predict.constants import TABLE, defaults
from modeler.predict.timeline import PHASES
from modeler.scenario.cold_start import ColdStart

QWEN = {  # Qwen3-8B: 8.2 billion parameters in bf16
    "model__size": 16_400_000_000,
    "model__dtype": "bf16",
    "hosting__instance": "ml.g6.2xlarge",
    "cold_start__sigma_log": 0,
}
LLAMA = {  # DeepSeek-R1-Distill-Llama-8B, 15 GiB
    "model__size": 16_100_000_000,
    "model__dtype": "bf16",
    "hosting__kind": "eks_karpenter",
    "hosting__instance": "g6e.2xlarge",
    "cold_start__sigma_log": 0,
}


def durations(law) -> dict[str, float]:
    return {bar.phase: bar.p50_s for bar in law.waterfall().phases}


# smcc-001..006: AWS, container caching for SageMaker, 2026-06-16. The phases were fitted (0.1 %);
# both totals share one remainder, 184.6 s for the published 192 s and 181 s, hence 1.5 %.
@pytest.mark.parametrize(
    ("cached", "pull_s", "fetch_s", "total_s"), [(False, 333, 168, 525), (True, 0, 77, 258)]
)
def test_sagemaker_as_published(make, cached, pull_s, fetch_s, total_s):
    law = make.law(**QWEN, cold_start__image_cached=cached)
    phases = durations(law)
    assert phases["image_pull"] == pytest.approx(pull_s, rel=1e-3)
    assert phases["artifact_fetch"] == pytest.approx(fetch_s, rel=1e-3)
    assert law.waterfall().total_p50_s == pytest.approx(total_s, rel=0.015)


def test_sagemaker_copy_on_a_live_instance_not_fitted(make):
    # smz-003 (AWS, scale to zero, 2024-12): an 8B copy placed with its image cached is in service
    # after 136.8 s. Not used in the fit, other post, optimised loading on: 25 %.
    law = make.law(**{**QWEN, "model__size": 16_060_000_000}, cold_start__image_cached=True)
    table = law.sample(0, 1)
    placed = table.ready_s[0] - table.starts_s[0, PHASES.index("artifact_fetch")]
    assert placed == pytest.approx(136.8, rel=0.25)


def test_eks_worked_example(make):
    # deks-001..010 (Data on EKS, 2026-07-14): 393 s on a new node. Fitted, so 0.5 %.
    law = make.law(**LLAMA)
    assert law.waterfall().total_p50_s == pytest.approx(393, rel=0.005)
    phases = durations(law)
    assert phases["provision"] + phases["boot"] == pytest.approx(13 + 40, rel=1e-6)
    assert phases["image_pull"] == pytest.approx(121, rel=0.005)
    assert phases["artifact_fetch"] == pytest.approx(17.8, rel=0.005)
    assert phases["init"] == pytest.approx(36 + 33.8, rel=0.005)


def test_ec2_boots_as_measured(make):
    # ec2-004: 25.8 s from the launch call to SSH, 25.655 to 26.017 s over three runs.
    phases = durations(make.law(hosting__kind="ec2_asg", cold_start__sigma_log=0))
    assert 25.655 <= phases["provision"] + phases["boot"] <= 26.017


def test_overlap_is_not_a_sum(make):
    law = make.law(**QWEN)
    table = law.sample(0, 1)
    pull, fetch = PHASES.index("image_pull"), PHASES.index("artifact_fetch")
    assert table.starts_s[0, pull] == table.starts_s[0, fetch]
    assert sum(durations(law).values()) > table.ready_s[0] + 100
    # Each slows the other: 168 s against 77 s, and a smaller model pulls its image sooner.
    small = make.law(**{**QWEN, "model__size": 1_000_000_000})
    assert durations(small)["image_pull"] < durations(law)["image_pull"] - 50


def test_every_phase_can_be_set(make):
    law = make.law(
        model__size=10_000_000_000,
        cold_start__provision_s=11,
        cold_start__boot_s=12,
        cold_start__device_s=13,
        cold_start__image_size=4_000_000_000,
        cold_start__registry_bytes_per_s=400e6,
        cold_start__store_bytes_per_s=500e6,
        cold_start__nic_bytes_per_s=600e6,
        cold_start__shared_nic=True,
        cold_start__load_bytes_per_s=2e9,
        cold_start__load_fixed_s=3,
        cold_start__init_s=20,
        cold_start__init_s_per_gb=0.5,
        cold_start__register_s=6,
        cold_start__sigma_log=0,
    )
    # 300 MB/s each: the pull of 4 GB ends at 40/3 s with 6 GB of the fetch left at 500 MB/s.
    expected = {
        "provision": 11,
        "boot": 12,
        "device": 13,
        "image_pull": 40 / 3,
        "artifact_fetch": 40 / 3 + 12,
        "load": 3 + 5,
        "init": 20 + 5,
        "register": 6,
    }
    assert durations(law) == pytest.approx(expected, rel=1e-12)
    assert law.waterfall().total_p50_s == pytest.approx(36 + 40 / 3 + 12 + 8 + 25 + 6, rel=1e-12)
    set_here = {constant.name for constant in law.constants() if constant.origin == "set"}
    assert {"provision_s", "registry_bytes_per_s", "init_s", "sigma_log"} <= set_here


def test_one_after_the_other_when_the_interface_is_not_shared(make):
    law = make.law(**QWEN, cold_start__shared_nic=False)
    table = law.sample(0, 1)
    pull, fetch = PHASES.index("image_pull"), PHASES.index("artifact_fetch")
    assert table.starts_s[0, fetch] == table.ends_s[0, pull]
    assert durations(law)["artifact_fetch"] == pytest.approx(77, rel=1e-3)


def test_total_replaces_every_phase(make):
    law = make.law(cold_start__total_s="5m", cold_start__sigma_log=0.5)
    table = law.sample(3, 4)
    assert law.phases == ("cold_start",)
    assert table.ready_s.tolist() == [300.0] * 4
    assert table.running_s.tolist() == [0.0] * 4


def test_a_slow_port_bounds_every_transfer(make):
    # 0.5 Gbit/s: below both transfers' own rates.
    law = make.law(**QWEN, cold_start__nic_bytes_per_s=62.5e6, cold_start__image_cached=True)
    assert durations(law)["artifact_fetch"] == pytest.approx(16.4e9 / 62.5e6, rel=1e-9)


def test_a_host_without_accelerator_pays_no_driver_and_no_compilation(make):
    law = make.law(
        model__size=1_000_000_000,
        hosting__kind="ec2_asg",
        hosting__instance="m5.2xlarge",
        cold_start__sigma_log=0,
    )
    phases = durations(law)
    assert phases["device"] == 0
    assert phases["init"] == pytest.approx(8.4 + 25.8)
    assert "device_s" not in {constant.name for constant in law.constants()}


def test_serial_stages_are_the_sum():
    # 40 + 45 + 15 GB / 0.25 GB/s + 0.5 GB / 0.2 GB/s + 0.5 GB / 2 GB/s + 3 = 150.75 s
    law = serial_stages(
        {
            "provision": 40,
            "boot": 45,
            "image_pull": 15 / 0.25,
            "artifact_fetch": 0.5 / 0.2,
            "load": 0.5 / 2,
            "init": 3,
        }
    )
    table = law.sample(0, 2)
    assert table.ready_s == pytest.approx([150.75, 150.75], rel=1e-12)
    assert table.running_s.tolist() == [40.0, 40.0]
    assert law.waterfall().total_p95_s == pytest.approx(150.75)


@pytest.mark.parametrize("stages", [{}, {"boot": -1.0}, {"boot": float("nan")}])
def test_serial_stages_refuse(stages):
    with pytest.raises(ValueError, match="stage"):
        serial_stages(stages)


@settings(max_examples=40, deadline=None)
@given(
    gigabytes=st.lists(st.floats(0.05, 300.0), min_size=2, max_size=2).map(sorted),
    kind=st.sampled_from(["sagemaker_realtime", "ec2_asg", "eks_karpenter"]),
    seed=st.integers(0, 2**32),
)
def test_seconds_never_fall_as_bytes_grow(make, gigabytes, kind, seed):
    small, large = (
        make.law(model__size=round(gb * 1e9), hosting__kind=kind, seed=seed).sample(0, 20)
        for gb in gigabytes
    )
    assert np.all(large.ready_s >= small.ready_s - 1e-9)
    assert np.all(large.ends_s >= small.ends_s - 1e-9)
    assert np.array_equal(large.running_s, small.running_s)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), first=st.integers(0, 10_000), cut=st.integers(0, 30))
def test_a_replica_draws_the_same_alone_or_in_a_batch(make, seed, first, cut):
    law = make.law(seed=seed)
    whole = law.sample(first, 30)
    parts = law.sample(first, cut), law.sample(first + cut, 30 - cut)
    for column, (left, right) in enumerate(zip(*parts, strict=True)):
        assert np.array_equal(whole[column], np.concatenate([left, right]))


def test_phases_are_in_order(make):
    for kind in ("sagemaker_realtime", "ec2_asg", "eks_karpenter"):
        table = make.law(hosting__kind=kind).sample(0, 200)
        assert np.all(table.starts_s >= 0)
        assert np.all(table.ends_s >= table.starts_s)
        assert np.array_equal(table.ready_s, table.ends_s.max(axis=1))
        assert np.array_equal(table.running_s, table.ends_s[:, 0])


def test_spread_is_lognormal_about_the_median(make):
    sigma, count = 0.3, 20_000
    law = make.law(cold_start__sigma_log=sigma, cold_start__provision_s=100)
    drawn = law.sample(0, count).running_s
    # Lognormal with median m: mean m exp(s^2/2), variance m^2 exp(s^2) (exp(s^2) - 1).
    mean = 100 * np.exp(sigma**2 / 2)
    deviation = mean * np.sqrt(np.exp(sigma**2) - 1)
    # 99.9 % intervals of a mean, of the mean and of the deviation of the logarithm, of a median.
    z = 3.29
    assert drawn.mean() == pytest.approx(mean, abs=z * deviation / np.sqrt(count))
    logs = np.log(drawn)
    assert logs.mean() == pytest.approx(np.log(100), abs=z * sigma / np.sqrt(count))
    assert logs.std() == pytest.approx(sigma, abs=z * sigma / np.sqrt(2 * count))
    assert np.mean(drawn < 100) == pytest.approx(0.5, abs=z * 0.5 / np.sqrt(count))


def test_phases_are_drawn_apart(make):
    count = 5_000
    table = make.law(cold_start__device_s=5).sample(0, count)
    columns = [PHASES.index(name) for name in ("provision", "boot", "device", "init", "register")]
    correlation = np.corrcoef(np.log(table.ends_s - table.starts_s)[:, columns].T)
    # 99.9 % bound over 10 pairs of independent columns: 3.9 / sqrt(n).
    assert np.abs(correlation - np.eye(len(columns))).max() < 3.9 / np.sqrt(count)


def test_another_policy_starts_the_same_replicas(make):
    one = make.law(policy__target=4).sample(0, 50)
    other = make.law(policy__target=8, fleet__max=50).sample(0, 50)
    assert np.array_equal(one.ready_s, other.ready_s)


def test_every_constant_has_its_origin_and_source():
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["origin"] for row in rows} <= {"documented", "observed", "assumed"}
    assert all(row["source"] for row in rows)
    assert all(float(row["value"]) >= 0 for row in rows)


def test_every_constant_of_a_way_to_start_can_be_set():
    with TABLE.open(newline="", encoding="utf-8") as file:
        names = {row["name"] for row in csv.DictReader(file)}
    # The unpacking is a part of registry_bytes_per_s, which replaces both.
    assert names - {"unpack_bytes_per_s"} <= set(ColdStart.model_fields)


def test_the_constants_have_the_declared_columns():
    with TABLE.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    with TABLE.with_name("columns.csv").open(newline="", encoding="utf-8") as file:
        declared = [row["column"] for row in csv.DictReader(file) if row["table"] == TABLE.stem]
    assert header == declared


def test_an_unknown_hosting_names_the_known():
    with pytest.raises(KeyError, match="ec2_asg"):
        defaults("fargate")


def test_law_is_made_from_the_scenario_alone(make):
    import pricing

    scenario = make.scenario()
    instance = pricing.instance(scenario.hosting.instance)
    first, second = (cold_start_law(scenario, instance).sample(0, 10) for _ in range(2))
    assert np.array_equal(first.ends_s, second.ends_s)
