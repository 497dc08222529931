"""What would shorten a start, beside arithmetic on its phases and published pairs."""

import json

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict import cold_start_law, instance_of
from modeler.predict.interventions import compare
from modeler.scenario import Scenario, with_values

EXACT = {"cold_start.sigma_log": 0.0}


def by_name(scenario, sizes=None):
    return {(s.size_bytes, s.intervention): s for s in compare(scenario, sizes)}


def test_an_image_cache_saves_what_was_published():
    # AWS: 525 s without and 258 s with the cache, an 8-billion model on ml.g6.2xlarge.
    scenario = with_values(
        Scenario(),
        EXACT | {"hosting.instance": "ml.g6.2xlarge", "model.size": 16_000_000_000},
    )
    found = by_name(scenario)
    saved = found[16_000_000_000, "image cache"].saved_s
    assert saved == pytest.approx(525 - 258, rel=0.05)
    # Less than the pull itself, for the fetch took part of the interface meanwhile.
    waterfall = cold_start_law(scenario, instance_of(scenario)).waterfall()
    pull = next(bar for bar in waterfall.phases if bar.phase == "image_pull")
    assert saved < pull.p50_s


def test_int8_saves_half_the_bytes_and_nothing_that_does_not_grow():
    scenario = with_values(Scenario(), EXACT | {"cold_start.image_cached": True})
    sizes = [4_000_000_000, 8_000_000_000, 16_000_000_000]
    found = by_name(scenario, sizes)
    halves = [found[size, "int8"].total_p50_s for size in sizes[1:]]
    wholes = [found[size, "as it is"].total_p50_s for size in sizes[:-1]]
    # Half of 8 GB starts as 4 GB does, but for what grows with the parameters, which stay.
    for half, whole in zip(halves, wholes, strict=True):
        assert half >= whole - 1e-9
        assert half == pytest.approx(whole, rel=0.1)


def test_what_does_not_apply_says_why():
    found = by_name(with_values(Scenario(), {"cold_start.image_cached": True}))
    size = Scenario().model.size
    assert found[size, "image cache"].why == "no image is pulled as it is"
    assert found[size, "image cache"].total_p50_s is None
    already = by_name(with_values(Scenario(), {"model.dtype": "int8"}))
    assert "takes no more than int8" in already[size, "int8"].why
    fixed = by_name(with_values(Scenario(), {"cold_start.total_s": 60.0}))
    assert "leaves no phase" in fixed[size, "streaming loader"].why
    none = by_name(with_values(Scenario(), {"hosting.instance": "ml.g4dn.xlarge",
                                            "model.size": "7GB"}))  # fmt: skip
    assert none[7_000_000_000, "weights on local NVMe"].saved_s is not None
    (large,) = compare(Scenario(), [100_000_000_000])
    assert (large.intervention, large.total_p50_s) == ("as it is", None)
    assert "a model of 100 GB does not fit ml.g5.2xlarge" in large.why


def test_every_intervention_helps_or_says_how_much_it_costs():
    found = compare(with_values(Scenario(), EXACT), [2_000_000_000, 14_000_000_000])
    for one in found:
        if one.total_p50_s is not None:
            assert one.total_p50_s > 0
            assert one.why or one.intervention == "as it is"
    # What is saved on bytes grows with the bytes.
    savings = {}
    for one in found:
        savings.setdefault(one.intervention, []).append(one.saved_s)
    for name in ("streaming loader", "int8"):
        small, large = savings[name]
        assert large > small > 0


def test_the_command():
    ran = CliRunner().invoke(cli, ["coldstart", "--compare", "--size", "7GB,14GB"])
    assert ran.exit_code == 0, ran.output
    assert "stopped warm pool" in ran.stdout
    plain = json.loads(
        CliRunner().invoke(cli, ["coldstart", "--compare", "--format", "json"]).stdout
    )
    assert plain["schema"] == "coldstart-compare/1"
    assert len(plain["interventions"]) == 13
    both = CliRunner().invoke(cli, ["coldstart", "--compare", "--replicas", "2"])
    assert both.exit_code == 2
    assert "leave --replicas out" in both.stderr


def test_what_is_saved_is_the_start_with_that_setting():
    scenario = with_values(Scenario(), EXACT)
    size = scenario.model.size
    found = by_name(scenario)
    for name, values in {
        "weights in page cache": {"cold_start.weights_from": "page_cache"},
        "snapshot restore": {"cold_start.snapshot": True},
        "compile cache": {"cold_start.compile_cached": True},
        "image cache": {"cold_start.image_cached": True},
        "peer transfer": {"cold_start.weights_from": "peer"},
    }.items():
        changed = with_values(scenario, values)
        total = cold_start_law(changed, instance_of(changed)).waterfall().total_p50_s
        assert found[size, name].total_p50_s == pytest.approx(total, rel=1e-12)
        assert found[size, name].saved_s > 0


def test_sharding_saves_what_several_ranks_read_again():
    # Four ranks over one rate: three quarters of the streaming, 80 GB at 0.904 GB/s. Exact: 1e-9.
    scenario = with_values(
        Scenario(),
        EXACT | {"hosting.kind": "eks_karpenter", "hosting.instance": "g5.12xlarge",
                 "model.size": "80GB", "cold_start.tensor_parallel": "all"},
    )  # fmt: skip
    saved = by_name(scenario)[80_000_000_000, "pre-sharded weights"].saved_s
    assert saved == pytest.approx(3 * 80e9 / 904494382, rel=1e-9)


def test_what_sleeps_needs_room_and_accelerators():
    scenario = with_values(
        Scenario(),
        {"hosting.kind": "ec2_asg", "hosting.instance": "c5.4xlarge", "model.size": "1GB"},
    )
    found = by_name(scenario)
    for name in ("sleep and wake", "snapshot restore", "peer transfer"):
        assert found[10**9, name].why == "measured on accelerators alone"
    assert found[10**9, "compile cache"].saved_s is None
    large = with_values(Scenario(), {"hosting.instance": "ml.g5.12xlarge"})
    assert by_name(large)[large.model.size, "sleep and wake"].saved_s > 100
