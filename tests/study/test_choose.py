"""The choice among variants and places: bills by hand, laws of limits, the example's worlds."""

import json
import math
import time

import pytest
from choices import choice, pairs_of
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import pricing
from modeler.cli.main import cli
from modeler.study.choice_file import Choice, World, examples, read_choice
from modeler.study.choose import card, choose
from modeler.study.queueing import erlang_c, wait_s

HOUR = float(pricing.price("g4dn.xlarge", "us-east-1").usd_per_hour)


def test_bills_by_hand():
    pairs, _ = pairs_of(choice())
    assert pairs["large", "phone"].usd_per_month == 0
    # 10/s x 0.05 s at half use is one instance, all 730 hours. One in a hundred waits longer than
    # the wait of M/D/1 in the approximation: half of the load waits, half as long as exponential.
    cloud = pairs["large", "cloud"]
    assert cloud.usd_per_month == pytest.approx(730 * HOUR)
    wait = math.log(0.5 / 0.01) / 2 / (1 / 0.05 - 10)
    assert cloud.latency_s == pytest.approx(0.2 / 4 + 0.1 + wait)
    # A batch a day: 864,000 x 0.05 s and 600 s of start.
    nightly = pairs["large", "nightly"]
    runs = 730 * 3600 / 86400
    assert nightly.usd_per_month == pytest.approx(runs * (864000 * 0.05 + 600) / 3600 * HOUR)
    assert nightly.latency_s == 86400
    busy, _ = pairs_of(choice(requests_per_second=100.0))
    assert busy["large", "cloud"].usd_per_month == pytest.approx(
        math.ceil(100 * 0.05 / 0.5) * 730 * HOUR
    )


def test_the_wait_is_erlangs():
    # M/M/10 at rho 0.8 and a mean service of 1 s: mean wait C / (10 - 8) = 0.2046 s (a table of
    # queueing theory, and what the replay and two other simulators find).
    assert erlang_c(10, 8.0) / 2 == pytest.approx(0.2046, abs=5e-5)
    assert erlang_c(1, 0.5) == pytest.approx(0.5)
    # M/M/1: P(T > t) = rho exp(-(mu - lambda) t).
    found = wait_s(0.5, 1.0, 1, 1.0, 0.99)
    assert 0.5 * math.exp(-0.5 * found) == pytest.approx(0.01)
    assert wait_s(0.001, 1.0, 5, 1.0, 0.99) == 0.0


@given(
    rate=st.floats(0.1, 50), work=st.floats(0.001, 0.5), cv=st.floats(0, 3),
    share=st.floats(0.5, 0.999), more=st.integers(1, 5),
)  # fmt: skip
def test_more_servers_wait_less(rate, work, cv, share, more):
    least = math.floor(rate * work) + 1
    few = wait_s(rate, work, least, cv, share)
    assert wait_s(rate, work, least + more, cv, share) <= few
    assert wait_s(rate, work, least, cv + 1.0, share) >= few


def test_more_instances_while_only_the_wait_breaks_the_limit():
    def bought(limit):
        pairs, _ = pairs_of(choice(worlds=[{"name": "w", "latency_at_most_s": limit}]))
        return pairs["large", "cloud"]

    assert bought(0.4).instances == 1
    assert bought(0.2).instances == 2
    assert bought(0.2).latency_s <= 0.2
    assert bought(0.2).passes
    # What service and round trip alone break, no number of instances mends.
    assert bought(0.14).instances == 1
    assert not bought(0.14).passes


@pytest.mark.parametrize("name", examples())
def test_every_example_decides_in_all_its_worlds(name):
    decisions = choose(read_choice(name))
    assert len(decisions) == 2
    first, second = (d.chosen for d in decisions)
    assert first is not None
    assert second is not None
    assert (first.variant, first.place) != (second.variant, second.place)
    assert all(d.nearest is None for d in decisions)


def test_percentiles_are_of_what_varies():
    slow = {"name": "v", "size": "1MB", "latency_s": 0.1, "cv": 1, "accuracy": 1, "source": "s"}
    places = [
        {"name": "phone", "kind": "device", "source": "s"},
        {"name": "cloud", "kind": "cloud", "instance": "g4dn.xlarge", "source": "s"},
    ]
    pairs, _ = pairs_of(choice(variants=[slow], places=places, requests_per_second=5.0))
    # Exponential: 99 of 100 are through in ln(100) means. Alone at half of the time, M/M/1 is
    # exponential as a whole, of mean 1 / (10 - 5).
    assert pairs["v", "phone"].latency_s == pytest.approx(0.1 * math.log(100))
    cloud = pairs["v", "cloud"]
    assert cloud.instances == 1
    assert cloud.latency_s == pytest.approx(math.log(100) / 5)
    assert cloud.wait_s == pytest.approx(math.log(0.5 / 0.01) / 5)
    assert cloud.service_s == 0.1


@pytest.mark.parametrize("cv", [0.0, 1.5])
def test_a_million_million_requests_are_counted_at_once(cv):
    started = time.perf_counter()
    variant = {"name": "v", "size": "1MB", "latency_s": 0.05, "cv": cv, "source": "s"}
    places = [{"name": "c", "kind": "cloud", "instance": "g4dn.xlarge", "source": "s",
               "utilisation": 1}]  # fmt: skip
    world = {"name": "w", "latency_at_most_s": 0.05 if cv == 0.0 else 0.36}
    demand = {"variants": [variant], "places": places, "worlds": [world]}
    pairs, _ = pairs_of(choice(**demand, requests_per_second=1e12))
    assert pairs["v", "c"].passes
    assert pairs["v", "c"].instances == pytest.approx(5e10, rel=1e-4)
    beyond = variant | {"latency_s": 1e7}
    pairs, _ = pairs_of(choice(**demand | {"variants": [beyond]}, requests_per_second=1e12))
    assert pairs["v", "c"].excluded == ("needs more than 1e+15 instances",)
    # The bisection takes some fifty steps; a second is far from what they need.
    assert time.perf_counter() - started < 1.0


def test_the_nearest_misses_least_and_by_how_much():
    world = {
        "name": "w",
        "accuracy_at_least": 97,
        "latency_at_most_s": 0.15,
        "size_at_most": "60MB",
    }
    _, decision = pairs_of(choice(worlds=[world]))
    # small: accuracy short by 7.2 %; large: a third more bytes, and twice the time in the cloud.
    near = decision.nearest
    assert (near.variant, near.place) == ("small", "phone")
    (miss,) = near.misses
    assert (miss.limit, miss.found, miss.bound, miss.by) == ("accuracy_at_least", 90, 97, 7)
    assert decision.reason == (
        "Nothing passes; nearest is small on phone, excluded by accuracy 90 under 97, by 7."
    )
    told = decision.to_dict()
    assert told["nearest"]["misses"] == [
        {"limit": "accuracy_at_least", "text": "accuracy 90 under 97, by 7", "found": 90,
         "bound": 97, "by": 7}
    ]  # fmt: skip
    assert told["nearest"]["excluded"] == ["accuracy 90 under 97, by 7"]
    # One limit missed fivefold is farther than two that are missed by a tenth.
    wide = {"name": "w", "latency_at_most_s": 0.0182, "accuracy_at_least": 91, "offline": True}
    _, decision = pairs_of(choice(worlds=[wide]))
    assert (decision.nearest.variant, len(decision.nearest.misses)) == ("small", 2)


def test_a_batch_that_cannot_start_in_time():
    place = {"name": "b", "kind": "batch", "instance": "g4dn.xlarge", "deadline_s": 60,
             "start_s": 90, "source": "s"}  # fmt: skip
    pairs, _ = pairs_of(choice(places=[place]))
    assert pairs["small", "b"].excluded == (
        "a start of 90 s and an inference of 0.02 s are no shorter than the deadline of 60 s",
    )


def test_a_cold_start_may_be_limited():
    pairs, _ = pairs_of(choice(worlds=[{"name": "w", "cold_start_at_most_s": 60}]))
    median, high = pairs["small", "cloud"].cold_start_s
    assert 60 < median < high
    assert pairs["small", "cloud"].excluded == (f"a new replica takes {median:.0f} s, over 60 s",)
    assert pairs["small", "phone"].passes


def test_what_does_not_fit_an_instance_is_excluded():
    content = choice().model_dump(by_alias=True, mode="json")
    content["variants"][0]["size"] = "40GB"
    pairs, _ = pairs_of(Choice.model_validate(content))
    assert any("does not fit g4dn.xlarge" in why for why in pairs["small", "cloud"].excluded)


def test_every_limit_excludes_and_says_so():
    world = {"name": "w", "accuracy_at_least": 95, "latency_at_most_s": 0.1, "size_at_most": "50MB",
             "usd_per_month_at_most": 1, "offline": True}  # fmt: skip
    pairs, decision = pairs_of(choice(worlds=[world]))
    assert decision.chosen is None
    assert decision.reason.startswith("Nothing passes; nearest is ")
    said = "; ".join(pairs["small", "cloud"].excluded)
    for words in ("no connection, which cloud needs", "accuracy 90 under 95", "109 ms over 100 ms",
                  "a month over $1.00"):  # fmt: skip
        assert words in said
    assert "size 80 MB over 50 MB" in pairs["large", "phone"].excluded
    assert "no accuracy stated" in pairs["unknown", "phone"].excluded


@given(
    accuracy=st.none() | st.floats(80, 100), latency=st.none() | st.floats(0.01, 1e5),
    size=st.none() | st.integers(1, 10**9), usd=st.none() | st.floats(0, 1e4),
    offline=st.booleans(), which=st.sampled_from(["accuracy", "latency", "size", "usd"]),
)  # fmt: skip
def test_laws_of_limits(accuracy, latency, size, usd, offline, which):
    world = World(name="w", accuracy_at_least=accuracy, latency_at_most_s=latency,
                  size_at_most=size, usd_per_month_at_most=usd, offline=offline)  # fmt: skip
    tighter = {"accuracy": {"accuracy_at_least": (accuracy or 80) + 1},
               "latency": {"latency_at_most_s": (latency or 1e5) / 2},
               "size": {"size_at_most": max((size or 10**9) // 2, 1)},
               "usd": {"usd_per_month_at_most": (usd if usd is not None else 1e4) / 2}}  # fmt: skip
    loose, decision = pairs_of(choice().model_copy(update={"worlds": (world,)}))
    narrow = world.model_copy(update=tighter[which])
    strict, _ = pairs_of(choice().model_copy(update={"worlds": (narrow,)}))
    assert {k for k, p in strict.items() if p.passes} <= {k for k, p in loose.items() if p.passes}
    passing = [p for p in loose.values() if p.passes]
    assert (decision.chosen is None) == (not passing)
    if passing:
        assert decision.chosen.usd_per_month == min(p.usd_per_month for p in passing)
        assert decision.smallest.size_bytes == min(p.size_bytes for p in passing)
        if decision.runner_up:
            assert decision.runner_up.usd_per_month >= decision.chosen.usd_per_month


def test_the_card_counts_on_every_side():
    rows = {(r["variant"], r["place"]): r for r in card(choice())}
    assert rows["large", "phone"]["training_flops"] == 6e16  # 6 x 1e7 x 1e9
    assert rows["small", "phone"]["training_flops"] is None
    assert rows["large", "phone"]["energy_class"].startswith("A")
    assert rows["large", "cloud"]["energy_class"].startswith("B")  # a T4 of 70 W
    both = choice(variants=[v.model_dump() for v in choice().variants[:2]])
    gain = {r["variant"]: r["gain_per_doubling"] for r in card(both)}
    assert gain == {"small": None, "large": pytest.approx(6 / 3)}  # eight times the bytes


def test_the_shipped_example_decides_in_both_worlds():
    road, connected = choose(read_choice("mobile_fraud"))
    assert (road.chosen.variant, road.chosen.place) == ("50-tree forest", "the device")
    assert (
        "the more accurate 50-layer network on the device is excluded by latency 300 ms over "
        "100 ms and size 200 MB over 64 MB" in road.reason
    )
    assert (connected.chosen.variant, connected.chosen.place) == ("50-layer network", "the cloud")
    forest = [p for p in connected.pairs if p.variant == "50-tree forest"]
    assert all("accuracy 96 under 98, by 2" in p.excluded for p in forest)
    # The network on the device has no bill, and misses one budget.
    assert (
        "the cheaper 50-tree forest on the device is excluded by accuracy 96 under 98, by 2"
        in connected.reason
    )


def test_the_command(tmp_path):
    ran = CliRunner().invoke(cli, ["choose", "mobile_fraud", "--format", "json"])
    assert ran.exit_code == 0, ran.output
    assert len(json.loads(ran.stdout)["decisions"]) == 2
    assert CliRunner().invoke(cli, ["choose", "mobile_fraud", "--card"]).exit_code == 0
    content = choice(worlds=[{"name": "w", "size_at_most": 1000}]).model_dump(
        by_alias=True, mode="json"
    )
    path = tmp_path / "none.yaml"
    path.write_text(json.dumps(content))
    assert CliRunner().invoke(cli, ["choose", str(path)]).exit_code == 3
