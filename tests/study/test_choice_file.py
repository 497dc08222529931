"""Files of choices: every mistake at once in its line, what is no choice, slips at random."""

import json
from pathlib import Path

import pytest
from choices import choice, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import pricing
from modeler.study import choice_file
from modeler.study.choice_file import ChoiceError, examples, read_choice
from modeler.study.choose import choose


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


_ODD = [None, 0, -1, 1, 2.5, 1e-300, 1e300, True, "", "x", "10MB", "5m", "99%", [], {}, "gpt2",
        "resnet50", "int4", "g5.xlarge", "inf2.xlarge", "batch", "device", 1e12]  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(examples()), data=st.data())
def test_a_file_with_slips_is_told_or_decided(tmp_path, name, data):
    path = tmp_path / "slip.yaml"
    shipped = Path(choice_file.__file__).with_name("examples") / f"{name}.yaml"
    content = YAML(typ="safe", pure=True).load(shipped.read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 4))):
        block = data.draw(st.sampled_from([content, *_blocks(content)]))
        key = data.draw(st.sampled_from([*block, "dtype", "cv", "slots", "flops", "colour"]))
        block[key] = data.draw(st.sampled_from(_ODD))
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        decisions = choose(read_choice(path))
    except (ChoiceError, pricing.PricingError):
        return
    json.dumps([decision.to_dict() for decision in decisions], allow_nan=False)
    assert all(decision.chosen or decision.nearest for decision in decisions)


def _blocks(content):
    return [
        item
        for key in ("variants", "places", "worlds")
        if isinstance(content.get(key), list)
        for item in content[key]
    ]
