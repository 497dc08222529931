"""Published models in a choice: bytes by precision, time and memory by rule, what none covers."""

import json
import math

import pytest
from choices import choice, filled

from modeler.study.choice_file import ChoiceError, read_choice
from modeler.study.choose import choose

LLAMA = {"catalogue": "llama-3.1-8b", "prompt_tokens": 6000, "output_tokens": 200}


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
    assert (
        'operations and activations of "vgg11" are not known; the nearest known is vgg16; state '
        in vgg.latency_from
    )
