"""Continuous batching beside a simulator of every step, and its laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from naive_batching import INF, NaiveBatching
from scenes import assert_same_bits, fixed_fleet, policies

import pricing
from modeler.predict.known import known
from modeler.predict.latency import (
    Group,
    TokenModel,
    full_batch,
    full_throughput,
    static_batch_s,
)
from modeler.predict.latency.step_law import StepLaw, default_efficiency, described_law
from modeler.replay import Fates, Limits, Work, simulate
from modeler.replay import layout as m
from modeler.replay.batching import Batching

SERVED = 1
# Stretches are sums in closed form and the other side adds step by step: rounding alone differs.
ROUNDING = 1e-9


def replay(law, *arrays, slots, budget, mixed=True, replicas=1, ready=(), **of):
    """Arrivals, prompts and outputs on a fixed fleet of replicas that batch continuously."""
    limits = Limits(slots=slots, batching=Batching(law, budget, mixed), **of)
    return fixed_fleet(limits, *arrays, replicas=replicas, ready=ready)


def a_law(**other) -> StepLaw:
    shape = {
        "read_s": np.array([0.01]), "cache_s": 1e-5, "token_s": 2e-3, "context_s": 2e-6,
        "prompt_s": 3e-4, "prompt_context_s": 2e-6, "overhead_s": 1e-3, "floor_s": 8e-3,
        "exchange_s": 1e-6, "cache_tokens": 120.0,
    }  # fmt: skip
    return StepLaw(**{**shape, **other})


laws = st.builds(
    a_law,
    read_s=st.sampled_from([np.array([0.01]), np.array([0.004, 0.007, 0.009, 0.01])]),
    cache_s=st.sampled_from([0.0, 1e-5, 3e-4]),
    token_s=st.sampled_from([0.0, 2e-3, 8e-3]),
    context_s=st.sampled_from([0.0, 2e-6, 4e-4]),
    floor_s=st.sampled_from([0.0, 0.02]),
    cache_tokens=st.sampled_from([40.0, 60.0, 120.0, 1e6]),
)


@st.composite
def scenes(draw):
    count = draw(st.integers(1, 40))
    gaps = draw(
        st.lists(st.floats(0.0, 0.4, allow_subnormal=False), min_size=count, max_size=count)
    )
    if draw(st.booleans()):
        gaps = [gap / 20 for gap in gaps]
    prompt = draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    output = draw(st.lists(st.integers(0, 25), min_size=count, max_size=count))
    router = draw(st.sampled_from(["central", "central", "least_outstanding", "round_robin"]))
    replicas = draw(st.integers(1, 3))
    late = draw(st.integers(0, replicas - 1)) if router == "central" else 0
    slots = draw(st.integers(1, 6))
    return {
        "law": draw(laws),
        "requests": list(zip(np.cumsum(gaps).tolist(), prompt, output, strict=True)),
        "ready": [0.0] * (replicas - late) + [0.3 + 0.4 * k for k in range(late)],
        "slots": slots,
        "budget": draw(st.sampled_from([slots, 8, 50])) if slots <= 8 else slots,
        "mixed": draw(st.booleans()),
        "router": router,
        "queue_limit": draw(st.sampled_from([None, None, 0, 3])),
        "queue_timeout_s": draw(st.sampled_from([INF, INF, 0.5, 0.05])),
        "client_timeout_s": draw(st.sampled_from([INF, INF, 1.0])),
    }


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_every_request_as_step_by_step(scene):
    plain = NaiveBatching(
        scene["law"], scene["requests"], **{k: v for k, v in scene.items()
                                            if k not in ("law", "requests")}
    ).run()  # fmt: skip
    arrival, prompt, output = zip(*scene["requests"], strict=True)
    cold = [at for at in scene["ready"] if at > 0.0]
    result = replay(
        scene["law"], arrival, prompt, output,
        slots=scene["slots"], budget=scene["budget"], mixed=scene["mixed"],
        replicas=len(scene["ready"]), ready=cold,
        queue_limit=scene["queue_limit"], queue_timeout_s=scene["queue_timeout_s"],
        client_timeout_s=scene["client_timeout_s"], fates=Fates(router=scene["router"]),
    )  # fmt: skip
    event(f"put back: {plain.put_back > 0}")
    for k, one in enumerate(plain.sequences):
        assert m.OUTCOMES[int(result.record[k, 0])] == one.outcome, k
        assert result.record_s[k, 1] == pytest.approx(one.end, abs=ROUNDING), k
        if one.outcome == "served":
            assert result.record_s[k, 0] == pytest.approx(one.start, abs=ROUNDING), k
            assert result.record_s[k, 2] == pytest.approx(one.token, abs=ROUNDING), k
            assert result.record[k, 2] == one.replica, k
    served = [one for one in plain.sequences if one.outcome == "served"]
    assert result.served == len(served)
    assert result.busy_slot_s == pytest.approx(scene["slots"] * plain.stepping_s, abs=1e-6)
    assert result.served_sum_s == pytest.approx(
        sum(one.end - one.arrival for one in served), abs=1e-6
    )
    assert sum(result.causes.values()) >= len(plain.sequences) - len(served)


def llama(instance: str = "A10G", tokens: int = 2048) -> tuple[TokenModel, StepLaw]:
    model = TokenModel(known("Llama-3.1-8B"), "fp16", Group(pricing.accelerator(instance)))
    return model, described_law(model, tokens, default_efficiency())


def test_the_step_is_the_roofline():
    model, law = llama()
    for batch, context in ((1, 100), (17, 900), (250, 30)):
        assert law.step_s(batch, batch * context) == pytest.approx(model.step_s(batch, context))
    for prompt in (1, 128, 1000):
        assert law.step_s(0, 0.0, prompt, prompt**2 / 2) == pytest.approx(
            model.prefill_s(prompt, prompt)
        )


def test_one_sequence_is_its_prefill_and_its_steps():
    model, law = llama()
    result = replay(law, [0.0], [1000], [200], slots=8, budget=2048)
    first = model.prefill_s(1000, 1000)
    whole = first + sum(model.step_s(1, 1000 + j) for j in range(1, 200))
    assert result.record_s[0].tolist() == pytest.approx([0.0, whole, first], rel=1e-12)
    # The closed form takes every step at the middle of the output, which is the same sum where
    # memory bounds all of them, but for half a token of 1,000.
    assert whole == pytest.approx(static_batch_s(model, 1, 1000, 200), rel=1e-3)


def test_a_constant_batch_is_a_static_batch():
    model, law = llama()
    batch, prompt, output = 12, 100, 80
    # Who comes first begins at once, and the others wait for the end of its prefill; decoding
    # stands still while they pass through, so that all but the first put out their tokens together.
    result = replay(
        law, [0.0] * batch, [prompt] * batch, [output] * batch, slots=16, budget=8192, mixed=False
    )
    alone = model.prefill_s(prompt, prompt)
    others = model.prefill_s((batch - 1) * prompt, prompt)
    steps = sum(model.step_s(batch, prompt + j) for j in range(1, output))
    assert result.record_s[:, 1] == pytest.approx(alone + others + steps, rel=1e-12)
    assert result.record_s[0, 2] == pytest.approx(alone, rel=1e-12)
    assert result.record_s[1:, 2] == pytest.approx(alone + others, rel=1e-12)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(("prompt", "output", "slots"), [(500, 200, 48), (100, 400, 64)])
def test_a_saturated_replica_reaches_the_closed_form(prompt, output, slots, mixed):
    model, law = llama()
    count = 96 * slots
    result = replay(
        law, [0.0] * count, [prompt] * count, [output] * count,
        slots=slots, budget=8192, mixed=mixed,
    )  # fmt: skip
    ends = np.sort(result.record_s[:, 1])
    # Between the first third and the last, neither filling up nor running empty; whole waves of a
    # batch, for requests of one length come and go together.
    a, b = 32 * slots, 64 * slots
    found = (b - a) * output / (ends[b] - ends[a])
    full = full_batch(model, prompt, output, slots)
    steps = output * model.step_s(full, prompt + output / 2)
    closed = full * output / (steps + full * model.prefill_s(prompt, prompt))
    assert found == pytest.approx(closed, rel=0.02)


def test_a_full_cache_costs_what_passes_twice():
    model, law = llama()
    count, prompt, output = 1500, 500, 200
    result = replay(law, [0.0] * count, [prompt] * count, [output] * count, slots=1024, budget=8192)
    ends = np.sort(result.record_s[:, 1])
    a, b = count // 3, 2 * count // 3
    found = (b - a) * output / (ends[b] - ends[a])
    # The closed form knows of nobody who is put back: sequences are let in while their prompt
    # fits, the cache then grows full, and prompts pass through once more.
    assert 0.75 < found / full_throughput(model, prompt, output) < 1.0


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_laws_of_a_fleet_that_scales(data):
    policy, _ = data.draw(policies(grid=False))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = data.draw(st.integers(1, 120))
    arrival = np.cumsum(rng.exponential(data.draw(st.sampled_from([0.1, 0.4, 1.0])), count))
    prompt, output = rng.integers(0, 60, count), rng.integers(0, 40, count)
    slots = data.draw(st.integers(1, 6))
    law = data.draw(laws)
    ready = rng.exponential(4.0, 64)
    limits = Limits(
        slots=slots,
        queue_limit=data.draw(st.sampled_from([None, 4])),
        queue_timeout_s=data.draw(st.sampled_from([INF, 2.0])),
        client_timeout_s=data.draw(st.sampled_from([INF, 5.0])),
        threshold_s=1.0,
        fates=Fates(
            router=data.draw(st.sampled_from(["central", "least_outstanding", "random"])),
            retries=data.draw(st.integers(0, 1)),
        ),
        batching=Batching(law, 50, data.draw(st.booleans())),
    )

    def of(cuts):
        bounds = [0, *cuts, count]
        work = [
            Work(a, arrival[a:b], prompt[a:b].astype(float), output[a:b].astype(float))
            for a, b in pairwise(bounds)
        ]
        return simulate(
            policy, work, limits, horizon_s=float(arrival[-1]) + 30.0, records=count,
            draws=lambda first, n: (np.zeros(n), np.resize(np.roll(ready, -first), n)),
        )  # fmt: skip

    result = of(())
    outcome = result.record[:, 0]
    assert set(outcome) <= set(m.OUTCOMES)
    assert result.served + result.rejected + result.timed_out + result.lost == count
    served = outcome == SERVED
    start, end, token = result.record_s.T
    assert (arrival[served] <= start[served] + ROUNDING).all()
    assert (start[served] < token[served]).all()
    assert (token[served] <= end[served]).all()
    replica = result.record[served, 2]
    table = result.replicas[replica]
    assert (table[:, m.READY_S] <= start[served] + ROUNDING).all()
    assert (end[served] <= table[:, m.STOP_S] + ROUNDING).all()
    # Nobody is quicker than alone on a replica, and no replica holds more than its slots.
    for k in np.flatnonzero(served)[:20]:
        need = max(float(prompt[k]), 1.0)
        alone = law.step_s(0, 0.0, int(need), need**2 / 2) if need <= 50 else 0.0
        assert token[k] - start[k] >= alone - ROUNDING
    for one in np.unique(replica):
        mine = replica == one
        moments = np.concatenate([start[served][mine], end[served][mine]])
        steps = np.concatenate([np.ones(mine.sum()), -np.ones(mine.sum())])
        order = np.lexsort((steps, moments))
        assert np.cumsum(steps[order]).max() <= slots
    up = np.maximum(result.replicas[:, m.STOP_S] - result.replicas[:, m.READY_S], 0.0)
    assert result.busy_slot_s <= slots * up[np.isfinite(up)].sum() + 1e-6
    late = served & (end - arrival > 1.0)
    assert sum(result.causes.values()) == late.sum() + (~served).sum()
    # The same bytes wherever the chunks end.
    assert_same_bits(result, of((count // 3,)) if count > 3 else of(()))


def test_a_request_that_never_fits_is_refused():
    law = a_law(cache_tokens=100.0)
    result = replay(law, [0.0, 0.1], [80, 80], [21, 22], slots=4, budget=64)
    assert result.record[:, 0].tolist() == [SERVED, m.REJECTED]
    assert result.causes["service_time"] == 1


def test_a_step_has_room_for_every_sequence():
    with pytest.raises(ValueError, match="7 tokens a step are fewer than the 8 sequences"):
        Batching(a_law(), 7).batch(8, 1)
