"""The choice among variants and places: bills by hand, laws of limits, the example's worlds."""

import json
import math
import time

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import pricing
from modeler.cli.main import cli
from modeler.study.choice_file import Choice, ChoiceError, World, examples, read_choice
from modeler.study.choose import card, choose
from modeler.study.queueing import erlang_c, wait_s

HOUR = float(pricing.price("g4dn.xlarge", "us-east-1").usd_per_hour)


def choice(**changed):
    content = {
        "schema": "choice/1", "name": "n", "requests_per_second": 10.0,
        "variants": [
            {"name": "small", "size": "10MB", "latency_s": 0.02, "accuracy": 90, "source": "s"},
            {"name": "large", "size": "80MB", "latency_s": 0.2, "accuracy": 96, "source": "s",
             "parameters": 1e7, "training_tokens": 1e9},
            {"name": "unknown", "size": "20MB", "latency_s": 0.05, "source": "s"},
        ],
        "places": [
            {"name": "phone", "kind": "device", "memory": "100MB", "watts": 3, "source": "s"},
            {"name": "cloud", "kind": "cloud", "instance": "g4dn.xlarge", "speed": 4,
             "round_trip_s": 0.1, "utilisation": 0.5, "source": "s"},
            {"name": "nightly", "kind": "batch", "instance": "g4dn.xlarge", "speed": 4,
             "deadline_s": 86400, "start_s": 600, "source": "s"},
        ],
        "worlds": [{"name": "w"}],
    }  # fmt: skip
    return Choice.model_validate(content | changed)


def pairs_of(found):
    (decision,) = choose(found)
    return {(p.variant, p.place): p for p in decision.pairs}, decision


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


def test_a_published_model_by_its_name(tmp_path):
    content = choice().model_dump(by_alias=True, mode="json")
    content["variants"] = [{"catalogue": "resnet50"}, {"catalogue": "mobilenet_v2", "size": "4MB"}]
    content["places"] = [
        {"name": "phone", "kind": "device", "flops_per_s": 1e11, "storage": "50MB", "source": "s"},
        {"name": "cloud", "kind": "cloud", "instance": "g4dn.xlarge", "source": "s"},
    ]
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(content))
    found = read_choice(path)
    resnet, mobile = found.variants
    assert resnet.parameters == 25_557_032
    assert resnet.accuracy is not None
    assert "torchvision" in resnet.source
    assert mobile.size == 4_000_000
    pairs = {(p.variant, p.place): p for p in choose(found)[0].pairs}
    # 4.09 G multiply-adds on 1e11 operations a second.
    phone = pairs["resnet50", "phone"]
    assert phone.latency_s == pytest.approx(2 * 4.089e9 / 1e11, rel=1e-3)
    assert phone.latency_from == "compute budget"
    assert "size 103 MB over 50 MB" in phone.excluded[0]
    cloud = pairs["resnet50", "cloud"]
    assert cloud.latency_from == "one-pass rule" or "no latency stated" in cloud.latency_from
    content["variants"] = [{"catalogue": "resnet5O"}]
    path.write_text(json.dumps(content))
    with pytest.raises(ChoiceError, match=r'variants.0.catalogue: no model "resnet5O".*resnet50'):
        read_choice(path)


LLAMA = {"catalogue": "llama-3.1-8b", "prompt_tokens": 6000, "output_tokens": 200}


def filled(tmp_path, *variants, **changed):
    content = choice(**changed).model_dump(by_alias=True, mode="json")
    return read(tmp_path, content | {"variants": list(variants)})


def test_a_precision_decides_the_bytes_with_what_stays_in_16_bits(tmp_path):
    found = filled(
        tmp_path,
        LLAMA | {"name": "16"}, LLAMA | {"name": "8", "dtype": "int8"},
        LLAMA | {"name": "4", "dtype": "awq"},
    )  # fmt: skip
    by = {v.name: v.size for v in found.variants}
    assert by["16"] == 2 * 8_030_261_248
    # Llama 3.1 8B: 32 layers of matrices, 6,979,321,856 weights; table, head and norms remain.
    matrices = 32 * (4096 * (4096 + 1024 + 1024 + 4096) + 3 * 4096 * 14336)
    rest = 8_030_261_248 - matrices
    assert by["8"] == matrices + 2 * rest
    # hugging-quants publishes its AWQ files, groups of 128, at 5.73 GB together.
    assert by["4"] == pytest.approx(5.73e9, rel=0.005)


def test_an_accuracy_published_in_16_bits_is_none_in_4(tmp_path):
    published = {"catalogue": "Qwen2.5-7B"}
    found = filled(tmp_path, published | {"name": "16"}, published | {"name": "4", "dtype": "int4"})
    assert [v.accuracy for v in found.variants] == [74.2, None]
    assert found.variants[1].size < 0.4 * found.variants[0].size


def test_a_token_model_takes_its_cache_and_its_steps(tmp_path):
    places = [
        {"name": "one", "kind": "cloud", "instance": "g5.xlarge", "slots": 8, "source": "s"},
        {"name": "room", "kind": "cloud", "instance": "g5.xlarge", "source": "s"},
        {"name": "alone", "kind": "cloud", "instance": "g5.xlarge", "slots": 1, "source": "s"},
        {"name": "four", "kind": "cloud", "instance": "g6e.12xlarge", "slots": 1, "source": "s"},
        {"name": "host", "kind": "cloud", "instance": "m5.8xlarge", "source": "s"},
        {"name": "phone", "kind": "device", "flops_per_s": 1e13, "source": "s"},
    ]
    found = filled(tmp_path, LLAMA, places=places, requests_per_second=0.5)
    pairs = {p.place: p for p in choose(found)[0].pairs}
    # 16.1 GB and 8 x 6,200 tokens of 128 KiB are more than a card of 24 GB holds; one is not.
    (why,) = pairs["one"].excluded
    assert "16.1 GB of weights and the cache of 8 sequences of 6200 tokens do not fit g5" in why
    # 22.2 GB at 0.92, without weights, 1.5 GB and activations, over 0.81 GB a sequence.
    assert why.endswith("with slots: 4 it does")
    assert pairs["room"].slots == 4
    assert pairs["room"].passes
    assert pairs["one"].usd_per_month is None
    # 200 steps that read 15 GB at 0.75 of 600 GB/s, and a prompt of 2 x 7.5e9 x 6,000 operations at
    # half of 70 TFLOP/s: 6.7 and 2.6 s; 2 ms a step are 0.4 s, attention to the prompt 0.3 s.
    assert pairs["alone"].latency_from == "token rule"
    assert pairs["alone"].service_s == pytest.approx(6.7 + 2.6 + 0.4 + 0.3, rel=0.05)
    # Four cards hold four copies: a quarter of the instances that one would take, or fewer.
    assert pairs["four"].slots == 4
    assert pairs["four"].instances <= math.ceil(pairs["alone"].instances / 4)
    # Prompts alone share nothing: four of them take four times as long, within their launches.
    reads = filled(tmp_path, LLAMA | {"output_tokens": 0}, places=places, requests_per_second=0.5)
    read_only = {p.place: p.service_s for p in choose(reads)[0].pairs}
    assert read_only["room"] == pytest.approx(4 * read_only["alone"], rel=0.01)
    late = filled(tmp_path, LLAMA, places=places[1:2], requests_per_second=0.5,
                  worlds=[{"name": "w", "latency_at_most_s": 10}])  # fmt: skip
    (why,) = choose(late)[0].pairs[0].excluded
    assert why.endswith("with however many instances; fewer slots are faster")
    assert "m5.8xlarge has no accelerator to predict it on" in pairs["host"].excluded[0]
    assert pairs["phone"].latency_s == pytest.approx(6200 * 2 * 8.03e9 / 1e13, rel=0.07)


def test_what_no_rule_covers_says_what_to_state(tmp_path):
    found = filled(tmp_path, {"catalogue": "resnet50"}, {"catalogue": "vgg11"})
    (why,) = next(p for p in choose(found)[0].pairs if p.place == "cloud").excluded
    # Three times the work of one image is launched: the rule has no say at a batch of one.
    assert why.endswith("state latency_s, or more slots of the place, a batch served together")
    places = [{"name": "c", "kind": "cloud", "instance": "g4dn.xlarge", "slots": 8, "source": "s"}]
    found = filled(tmp_path, {"catalogue": "resnet50"}, {"catalogue": "vgg11"}, places=places)
    resnet, vgg = choose(found)[0].pairs
    assert resnet.latency_from == "one-pass rule"
    assert "give a" not in vgg.latency_from
    assert 'operations and activations of "vgg11" are not known' in vgg.latency_from


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


def read(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return read_choice(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"variants": []}, "variants: [] has no entry"),
        ({"colour": 1}, 'unknown key "colour": expected one of schema, name, requests_per_second'),
        ({"requests_per_second": 0}, "requests_per_second: 0 is not more than 0"),
        ({"requests_per_second": "many"}, "requests_per_second: 'many' is not a number"),
        ({"requests_per_second": 1e13}, "10000000000000.0 is not at most 1e+12"),
        ({"worlds": [{"name": "w", "latency_at_most": 1}]}, 'did you mean "latency_at_most_s"'),
        ({"worlds": [{"name": "w", "latency_share": 99}]}, "99 is not between 0 and 1"),
        ({"worlds": [{"name": "w", "size_at_most": 64}]}, "write 64MB or 64GB"),
        ({"worlds": [3]}, "worlds.0: 3 is not a mapping of settings"),
        ({"places": [{"name": "c", "kind": "cloud", "source": "s"}]},
         "places.0.instance is missing for places.0.kind cloud"),
        ({"places": [{"name": "c", "kind": "clod", "source": "s"}]}, 'did you mean "cloud"?'),
        ({"places": [{"name": "c", "kind": "device", "source": "s", "deadline_s": "8h"}]},
         "places.0.deadline_s belongs to kind batch; here kind is device"),
        ({"places": [{"name": "c", "kind": "cloud", "instance": "g5.xlarg", "source": "s"}]},
         'unknown instance type "g5.xlarg"; nearest: g5.xlarge'),
        ({"places": [{"name": "c", "kind": "cloud", "instance": "g5.xlarge", "region": "us-eest-1",
                      "source": "s"}]}, 'unknown region "us-eest-1"; nearest: '),
        ({"places": [{"name": "p", "kind": "device", "source": "s"}] * 2},
         'places.1.name: "p" is that of places.0 already'),
        ({"variants": [{"name": "v", "size": "10", "latency_s": 1, "source": "s"}]},
         "size needs a unit, e.g. 10GB"),
        ({"variants": [{"name": "v", "size": "1MB"}]},
         "variants.0.source is missing; or name a published model with catalogue"),
        ({"variants": [{"catalogue": "resnet50", "dtype": "int5"}]},
         'unknown precision "int5": expected a precision such as'),
        ({"variants": [{"name": "v", "size": "1GB", "source": "s", "architecture": "llama-3.1-8"}]},
         'the architecture of "llama-3.1-8" is not known; the nearest known are llama-3.1-8b'),
        ({"variants": [{"catalogue": "mistral"}]}, 'did you mean "mistral-7b'),
        ({"variants": [{"catalogue": "gpt2", "context": 8192}]}, 'did you mean "prompt_tokens"?'),
        ({"variants": [{"catalogue": "resnet50"}, {"catalogue": "Qwen2.5-7B"}]},
         'variants.1: accuracy is of "MMLU", that of variants.0 is of "ImageNet-1K acc@1": only'),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say(tmp_path, changed, said):
    content = choice().model_dump(by_alias=True, mode="json")
    with pytest.raises(ChoiceError) as error:
        read(tmp_path, content | changed)
    assert len(error.value.problems) == 1, str(error.value)
    assert said in str(error.value)
    assert f"{tmp_path}/mine.yaml:1:" in str(error.value)


WRONG = """\
schema: choice/2
name: mine
requests_per_second: -3
varients:
  - {name: a, size: 10MB, source: s}
variants:
  - name: a
    catalogue: resnet5O
  - name: a
    size: 10MB
    latency: 3
    source: s
places:
  - {name: p, kind: cloud, sorce: s, instanc: g5.xlarge}
  - {name: q, kind: device, source: s, round_trip_s: 5x}
worlds:
  - {name: w, offline: maybe}
"""


def test_every_mistake_at_once_each_in_its_line(tmp_path):
    with pytest.raises(ChoiceError) as error:
        read(tmp_path, WRONG)
    assert [(p.line, p.path, p.nearest) for p in error.value.problems] == [
        (1, "schema", "choice/1"),
        (3, "requests_per_second", ""),
        (4, "varients", "variants"),
        (8, "variants.0.catalogue", ""),
        (9, "variants.1.name", ""),
        (11, "variants.1.latency", "latency_s"),
        (14, "places.0.sorce", "source"),
        (14, "places.0.instanc", "instance"),
        (15, "places.1.round_trip_s", ""),
        (17, "worlds.0.offline", ""),
    ]
    told = str(error.value)
    assert "10 errors" in told
    assert 'no model "resnet5O" in the catalogue; did you mean "resnet50' in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty file: a choice is a mapping of name, requests_per_second"),
        ("- a\n", "a choice is a mapping of name, requests_per_second"),
        ("name: [\n", "not valid YAML"),
        ("name: a\nname: b\n", 'key "name" is written twice, first in line 1'),
        ("name: \xe9\n".encode("latin-1"), "not a text file in UTF-8"),
    ],
)
def test_what_is_no_choice_at_all(tmp_path, text, said):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ChoiceError) as error:
        read_choice(path)
    assert said in str(error.value)


def test_a_name_that_is_no_example():
    with pytest.raises(
        ChoiceError, match=r'(?s)no example "mobile_frod".*did you mean "mobile_fraud"'
    ):
        read_choice("mobile_frod")
    with pytest.raises(ChoiceError, match="cannot read nothing.yaml: no such file"):
        read_choice("nothing.yaml")


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
