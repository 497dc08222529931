"""The law of steps of a scenario: sizes, defaults by device, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import pricing
from modeler.predict import ServiceError, service_law
from modeler.predict.batched_service import sizes_by_precision
from modeler.predict.known import known
from modeler.predict.latency import Group, TokenModel
from modeler.predict.latency.profile import Profile
from modeler.predict.latency.step_law import (
    default_batched_tokens,
    default_efficiency,
    default_max_num_seqs,
    described_law,
    generic_law,
    measured_law,
)
from modeler.scenario import loads
from traces import Trace

TRACE = Trace(
    np.array([0.0, 1.0, 2.0]),
    columns={
        "prompt_tokens": np.array([100.0, 200.0, 300.0]),
        "output_tokens": np.array([50.0, 100.0, 150.0]),
    },
)


def law_of(text: str):
    scenario = loads(text)
    return service_law(scenario, TRACE, pricing.instance(scenario.hosting.instance))


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Llama-3.1-70B"])
def test_a_model_of_which_only_the_size_is_known_is_like_llama(name):
    group = Group(pricing.accelerator("H100-SXM-80GB"), 8)
    model = TokenModel(known(name), "fp16", group)
    described = described_law(model, 1, default_efficiency())
    generic = generic_law(model.weight_bytes * 8, "fp16", group, "fp16", default_efficiency())
    # Fitted to these two, whose embedding is looked up and not multiplied: 0.5 to 7 % of weights.
    assert generic.token_s == pytest.approx(described.token_s, rel=0.08)
    assert generic.read_s[0] == pytest.approx(described.read_s[0], rel=0.08)
    for name in ("cache_s", "context_s", "overhead_s", "floor_s", "exchange_s"):
        assert getattr(generic, name) == pytest.approx(getattr(described, name), rel=0.01)


def test_defaults_follow_the_devices_memory():
    small, large = (Group(pricing.accelerator(one)) for one in ("A10G", "H100-SXM-80GB"))
    assert (default_max_num_seqs(small), default_batched_tokens(small)) == (256, 2048)
    assert (default_max_num_seqs(large), default_batched_tokens(large)) == (1024, 8192)


def test_experts_are_read_as_they_are_hit():
    group = Group(pricing.accelerator("H100-SXM-80GB"), 2)
    model = TokenModel(known("Mixtral-8x7B"), "fp16", group)
    law = described_law(model, 512, default_efficiency())
    assert len(law.read_s) == 512
    assert (np.diff(law.read_s) >= 0.0).all()
    # One token visits two of eight experts; many visit all.
    assert 0.2 < law.read_s[0] / law.read_s[-1] < 0.35
    assert law.step_s(4, 4000.0) == pytest.approx(model.step_s(4, 1000.0))


def test_a_measured_profile_is_the_step():
    group = Group(pricing.accelerator("A10G"))
    law = generic_law(16.06e9, "fp16", group, "fp16", default_efficiency())
    profile = Profile(np.array([1.0, 8.0, 64.0]), np.array([0.03, 0.04, 0.09]), "concurrency")
    measured = measured_law(law, profile, 64)
    for batch in (1, 8, 64):
        assert measured.step_s(batch, 1e4) == pytest.approx(profile.latency_s(batch))


def test_a_profile_bounds_the_sequences_in_flight(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("concurrency,seconds\n1,0.03\n32,0.05\n")
    text = f"service: {{kind: batched, profile: {path}}}\n"
    found = law_of(text)
    # The engine's own are 256; nobody measured so many.
    assert found.slots_default == 64
    assert found.notes == (
        f"{path} ends at concurrency 32: from there to 64, the slope of the last two rows; not "
        "measured",
        f"fleet.slots is 64 and not the engine's 256: {path} reaches no farther; measure more, or "
        "set fleet.slots",
    )
    assert law_of(f"{text}fleet: {{slots: 32}}\n").notes == ()
    with pytest.raises(ServiceError, match=r"fleet.slots = 100 is beyond .*write fleet.slots: 64"):
        law_of(f"{text}fleet: {{slots: 100}}\n")


def test_an_encoder_is_not_told_to_take_another_instance():
    with pytest.raises(
        ServiceError, match="no decoder of tokens; service.kind: dynamic is"
    ) as told:
        law_of("model: {size: 220MB}\nservice: {kind: batched, architecture: bert-base}\n")
    assert "another instance" not in str(told.value)


def test_what_a_request_takes_of_a_full_replica_adds_up_to_its_throughput():
    law = law_of("model: {size: 16.06GB}\nservice: {kind: batched, architecture: Llama-3.1-8B}\n")
    steps = law.batching
    assert steps is not None
    assert law.slots_default == 256
    assert not steps.law.text.startswith("steps measured")
    # Twice the tokens take about twice the time: prompts are bound by arithmetic.
    one, two, three = law.draw(next(iter(TRACE.chunks(10))))[0]
    assert two / one == pytest.approx(2.0, rel=0.1)
    assert three / one == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: {size: 14GB}\nservice: {kind: batched, architecture: Llama-3.1-70B}\n",
         "takes 141.1 GB in fp16, not the model.size of 14 GB"),
        ("service: {kind: batched, architecture: Lama-3.1-8B}\n", "llama-3.1-8b"),
        ("model: {size: 14GB}\nservice: {kind: batched, batched_tokens: 16}\n",
         "write at least 256, or fleet.slots: 16"),
        ("model: {size: 14GB}\nhosting: {instance: ml.m5.2xlarge}\nservice: {kind: batched}\n",
         "has no accelerator to derive the steps from"),
    ],
)  # fmt: skip
def test_refused(text, said):
    with pytest.raises(ServiceError) as caught:
        law_of(text)
    assert said in str(caught.value)


def test_a_size_is_what_lies_in_memory():
    # 8.03 billion parameters: 6.98 in matrices at 4.156 bits, the rest in 16.
    text = "model: {size: 5.73GB, dtype: int4}\n"
    batched = "service: {kind: batched, architecture: Llama-3.1-8B}\n"
    assert law_of(f"{text}{batched}").batching
    sizes, complete = sizes_by_precision(loads(f"{text}{batched}"))
    assert complete
    assert sizes["int4"] == pytest.approx(6.979e9 * 4.15625 / 8 + 1.051e9 * 2, rel=1e-3)
    sizes, complete = sizes_by_precision(loads(text))
    assert (sizes["bf16"], complete) == (4 * 5_730_000_000, False)
    with pytest.raises(ServiceError, match=r"write model.size: 5.728GB"):
        law_of(f"model: {{size: 4.02GB, dtype: int4}}\n{batched}")
