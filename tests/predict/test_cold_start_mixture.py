"""Hits and misses of caches as a mixture of laws, not as a wider one."""

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.predict import StartLaws
from modeler.predict.timeline import PHASES
from modeler.predict.waterfall import coldstart

PULL, FETCH = PHASES.index("image_pull"), PHASES.index("artifact_fetch")


def test_each_start_is_a_hit_or_a_miss(make):
    law = make.law(cold_start__image_cache_hit=0.3, cold_start__sigma_log=0)
    hit = make.law(cold_start__image_cached=True, cold_start__sigma_log=0).sample(0, 1).ready_s[0]
    miss = make.law(cold_start__sigma_log=0).sample(0, 1).ready_s[0]
    ready = law.sample(0, 4000).ready_s
    assert sorted(set(ready.tolist())) == pytest.approx([hit, miss], rel=1e-12)
    # A binomial share: four standard deviations.
    share = np.mean(ready < (hit + miss) / 2)
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))


def test_the_modes_are_the_laws_of_all_hits_and_of_all_misses(make):
    law = make.law(cold_start__image_cache_hit=0.3, cold_start__weights_cache_hit=0.25)
    modes = {mode.words: mode for mode in law.modes()}
    assert {words: mode.share for words, mode in modes.items()} == pytest.approx(
        {
            ("image hit", "weights hit"): 0.075,
            ("image hit", "weights miss"): 0.225,
            ("image miss", "weights hit"): 0.175,
            ("image miss", "weights miss"): 0.525,
        }
    )
    plain = make.law().sample(0, 500).ready_s
    assert np.array_equal(modes["image miss", "weights miss"].law.sample(0, 500).ready_s, plain)
    cached = make.law(cold_start__image_cached=True).sample(0, 500).ready_s
    hit = modes["image hit", "weights miss"].law.sample(0, 500).ready_s
    assert np.allclose(hit, cached, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    image=st.floats(0.0, 1.0),
    weights=st.floats(0.0, 1.0),
    more=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**32),
)
def test_a_mixture_lies_between_its_modes_and_more_hits_are_never_slower(
    make, image, weights, more, seed
):
    def ready(image, weights):
        return (
            make.law(
                seed=seed,
                cold_start__image_cache_hit=image,
                cold_start__weights_cache_hit=weights,
            )
            .sample(0, 60)
            .ready_s
        )

    drawn = ready(image, weights)
    assert (drawn >= ready(1.0, 1.0) - 1e-9).all()
    assert (drawn <= ready(0.0, 0.0) + 1e-9).all()
    assert (ready(max(image, more), weights) <= drawn + 1e-9).all()


def test_a_replica_draws_its_hits_alone_as_in_a_batch(make):
    law = make.law(cold_start__image_cache_hit=0.5, cold_start__weights_cache_hit=0.5)
    whole = law.sample(10, 30).ready_s
    parts = [law.sample(10, 7).ready_s, law.sample(17, 23).ready_s]
    assert np.array_equal(whole, np.concatenate(parts))


def test_weights_that_hit_are_read_from_the_named_disk(make):
    law = make.law(
        cold_start__weights_cache_hit=1.0,
        cold_start__disk="nvme",
        cold_start__nvme_bytes_per_s=1e9,
        cold_start__load_fixed_s=0,
        cold_start__sigma_log=0,
    )
    table = law.sample(0, 1)
    seconds = table.ends_s - table.starts_s
    assert seconds[0, FETCH] == 0.0
    assert seconds[0, PHASES.index("load")] == pytest.approx(14.0, rel=1e-12)


def test_laws_of_machines_draw_the_same_hits(make):
    law = make.law(cold_start__image_cache_hit=0.4)
    moments = StartLaws(law, [law.timeline]).moments(0, 300)
    assert np.array_equal(moments[:, 0, 4], law.sample(0, 300).ready_s)
    # The median is that of the likeliest mode, the extreme that of the slowest.
    laws = StartLaws(law, [law.timeline])
    assert laws.median(0)[4] == pytest.approx(
        make.law(cold_start__sigma_log=0).sample(0, 1).ready_s[0]
    )
    likely = make.law(cold_start__image_cache_hit=0.6)
    cached = make.law(cold_start__image_cached=True, cold_start__sigma_log=0).sample(0, 1)
    assert StartLaws(likely, [likely.timeline]).median(0)[4] == pytest.approx(cached.ready_s[0])
    assert StartLaws(likely, [likely.timeline]).extreme(0, 1.0)[4] == laws.median(0)[4]


def test_the_report_has_the_quantiles_of_hits_and_of_misses(make):
    report = coldstart(make.scenario(cold_start__image_cache_hit=0.3)).to_dict()
    modes = {mode["mode"]: mode for mode in report["modes"]}
    assert set(modes) == {"image hit", "image miss"}
    assert modes["image hit"]["share"] == pytest.approx(0.3)
    assert modes["image hit"]["p95_s"] < modes["image miss"]["p50_s"]
    assert "modes" not in coldstart(make.scenario()).to_dict()
    several = coldstart(make.scenario(cold_start__registry_total_bytes_per_s=1e9), replicas=20)
    found = several.to_dict()["together"]
    assert found["replicas"] == 20
    assert found["last_s"]["p50"] > found["alone_s"]["p50"] + 100


def test_the_command_prints_modes_and_several_at_once():
    asked = ["coldstart", "--size", "7GB", "--set", "cold_start.image_cache_hit=25%"]
    shown = CliRunner().invoke(cli, asked)
    assert shown.exit_code == 0, shown.output
    assert "total: image hit (25%)" in shown.stdout
    assert "total: image miss (75%)" in shown.stdout
    total = ["--set", "cold_start.registry_total_bytes_per_s=0.5GB/s", "--replicas", "20"]
    several = CliRunner().invoke(cli, [*asked, *total])
    assert several.exit_code == 0, several.output
    assert "last of 20" in several.stdout
    unshared = CliRunner().invoke(cli, [*asked, "--replicas", "3"])
    assert "nothing is shared: write cold_start.store_total_bytes_per_s" in unshared.stderr
