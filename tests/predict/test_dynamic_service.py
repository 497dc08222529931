"""Seconds of a batch by its size: measured, predicted, given; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import pricing
from modeler.predict import ServiceError, explain, service_law
from modeler.predict.latency import Group, call_s, network
from modeler.scenario import ScenarioError, load, loads, with_values
from modeler.study import replay
from traces import Trace

TRACE = Trace(np.arange(2000) * 0.01)


def law_of(text: str, trace: Trace = TRACE):
    scenario = loads(f"model: {{size: 100MB}}\n{text}")
    return service_law(scenario, trace, pricing.instance(scenario.hosting.instance))


def test_as_given():
    law = law_of("service: {kind: dynamic, max_batch: 4, fixed_s: 10ms, per_item_s: 2ms}\n")
    assert law.batching.seconds == pytest.approx((0.012, 0.014, 0.016, 0.018))
    assert law.slots_default == 4
    # A full replica serves four in 18 ms.
    assert law.mean_s(TRACE) / law.slots_default == pytest.approx(0.018 / 4)
    assert "12 ms alone, 18 ms for 4, as given" in law.describe()


def test_by_the_rule_of_one_pass_models():
    law = law_of("service: {kind: dynamic, max_batch: 64, network: resnet50}\n")
    group = Group(pricing.accelerator("A10G"))
    assert law.batching.seconds[-1] == pytest.approx(call_s(network("resnet50"), group, 64))


def test_measured(tmp_path):
    (tmp_path / "mine.csv").write_text("batch,latency_ms\n1,10\n8,24\n")
    path = tmp_path / "mine.yaml"
    text = "service: {kind: dynamic, max_batch: 8, profile: mine.csv}\n"
    path.write_text(text)
    scenario = load(path)
    law = service_law(scenario, TRACE, pricing.instance(scenario.hosting.instance))
    assert law.batching.seconds == pytest.approx([0.01 + 0.002 * k for k in range(8)])


def test_beyond_what_was_measured_is_noted_and_then_refused(tmp_path):
    (tmp_path / "mine.csv").write_text("batch,latency_ms\n1,10\n8,24\n")
    path = tmp_path / "mine.yaml"

    def scenario(batch):
        path.write_text(
            "model: {size: 100MB}\nhosting: {instance: ml.m5.xlarge}\n"
            f"service: {{kind: dynamic, max_batch: {batch}, profile: mine.csv}}\n"
        )
        return load(path)

    assert replay(scenario(8), trace=TRACE).outcome.notes == ()
    farther = scenario(16)
    run = replay(farther, trace=TRACE)
    said = (
        "mine.csv ends at batch 8: from there to 16, the slope of the last two rows; not measured"
    )
    assert [note.rpartition("/")[2] for note in run.outcome.notes] == [said]
    # 24 ms and eight more at 2 ms each.
    law = service_law(farther, TRACE, pricing.instance("ml.m5.xlarge"))
    assert law.batching.seconds[-1] == pytest.approx(0.040)
    (row,) = [one for one in explain(farther) if one.path == "service.profile"]
    assert "2 rows, batch 1 to 8" in row.source
    assert row.source.endswith(said)
    with pytest.raises(ServiceError, match=r"service.max_batch = 17 is beyond .*max_batch: 16"):
        service_law(scenario(17), TRACE, pricing.instance("ml.m5.xlarge"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("service: {kind: dynamic, max_batch: 8, network: resnet5O}\n", "not known"),
        ("service: {kind: dynamic, max_batch: 1, network: resnet18}\n", "the runtime decides"),
        ("service: {kind: dynamic, max_batch: 1, network: resnet50}\n"
         "hosting: {instance: ml.m5.xlarge}\n", "has no accelerator"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted(text, said):
    with pytest.raises(ServiceError, match=said):
        law_of(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("service: {kind: dynamic, max_batch: 8}\n", "none of them is given"),
        ("service: {kind: dynamic, max_batch: 8, network: resnet50, per_item_s: 1ms}\n",
         "both network and per_item_s are given"),
        ("service: {kind: dynamic, max_batch: 8, fixed_s: 1ms}\n", "stands with"),
        ("service: {kind: dynamic, max_batch: 8, per_item_s: 1ms}\nfleet: {slots: 4}\n",
         "other than the service.max_batch = 8"),
        ("service: {kind: dynamic, per_item_s: 1ms}\n", "max_batch"),
    ],
)  # fmt: skip
def test_what_a_scenario_may_not_say(text, said):
    with pytest.raises(ScenarioError, match=said):
        loads(text)


def test_waiting_for_more_serves_a_rush_on_fewer_replicas():
    base = loads(
        "model: {size: 100MB}\nfleet: {min: 1, max: 1}\n"
        "service: {kind: dynamic, max_batch: 1, fixed_s: 20ms, per_item_s: 1ms}\n"
        "sla: {threshold_s: 200ms}\n"
    )
    alone, together = (
        replay(with_values(base, {"service.max_batch": size}), trace=TRACE).outcome
        for size in (1, 16)
    )
    # 100 a second: one at a time takes 21 ms each, which is twice too slow; in batches not.
    assert alone.sla_violation_share > 0.9
    assert together.sla_violation_share == 0.0
    assert together.first_token_s is None
    assert together.time_per_output_token_s is None
