"""Service laws against arithmetic done by hand, closed forms and their own promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pricing
from modeler.predict import ServiceError, service_law
from modeler.predict.precision import BYTES_PER_PARAMETER
from modeler.predict.service import token_rates
from traces import Chunk, CountSeries, Trace

BARE = Trace(np.arange(1000.0))
TOKENS = Trace(
    np.arange(4.0),
    {
        "prompt_tokens": np.array([1000.0, 200.0, 50.0, 10.0]),
        "output_tokens": np.array([100.0, 1.0, 0.0, 40.0]),
    },
)
TIMED = Trace(np.arange(3.0), {"service_s": np.array([0.5, 1.0, 3.0])})
BOTH = Trace(
    np.arange(3.0),
    {
        "prompt_tokens": np.full(3, 100.0),
        "output_tokens": np.full(3, 10.0),
        "service_s": np.array([0.5, 1.0, 3.0]),
    },
)
G5 = pricing.instance("ml.g5.2xlarge")


def law(make, trace, instance=G5, **values):
    return service_law(make.scenario(**values), trace, instance)


def draw(found, trace):
    chunks = [found.draw(chunk) for chunk in trace.chunks()]
    return tuple(np.concatenate(part) for part in zip(*chunks, strict=True))


def test_token_rule_by_hand(make):
    # 14 GB in 16 bits are 7e9 parameters. A10G: 70 TFLOP/s dense, 600 GB/s.
    # Prompt token 2 * 7e9 / (0.5 * 70e12) = 0.4 ms; output token 14e9 / (0.75 * 600e9) + 2 ms.
    found = law(make, TOKENS, model__size=14_000_000_000)
    step = 14 / 450 + 0.002
    service, first = draw(found, TOKENS)
    assert service == pytest.approx(
        [0.4 + 100 * step, 0.08 + step, 0.02, 0.004 + 40 * step], rel=1e-12
    )
    # A request without output ends with its prefill.
    assert first == pytest.approx([0.4 + step, 0.08 + step, 0.02, 0.004 + step], rel=1e-12)
    assert found.mean_s(TOKENS) == pytest.approx(service.mean(), rel=1e-12)
    assert (found.kind, found.tokens, found.slots_default) == ("tokens", True, 8)
    assert "0.4 ms a prompt token" in found.describe()


def test_accelerators_add_up():
    one = token_rates(14e9, "fp16", pricing.instance("g5.xlarge"), step_overhead_s=0.0)
    four = token_rates(14e9, "fp16", pricing.instance("g5.12xlarge"), step_overhead_s=0.0)
    assert four.prompt_s == pytest.approx(one.prompt_s / 4, rel=1e-12)
    assert four.output_s == pytest.approx(one.output_s / 4, rel=1e-12)


def test_precision_changes_the_arithmetic_and_not_the_bytes():
    # The same bytes hold four times the parameters at int4.
    half, quarter = (token_rates(7e9, dtype, G5) for dtype in ("fp16", "int4"))
    assert quarter.prompt_s == pytest.approx(4 * half.prompt_s, rel=1e-12)
    assert quarter.output_s == half.output_s


def test_prompts_run_in_the_arithmetic_of_their_precision():
    # Data sheets: L4 121 TFLOPS in 16 bits and 242 in 8, A10G 70 and 140 (int8; no fp8), 35 in
    # fp32; half of the peak is reached.
    cases = {
        ("g6.xlarge", "fp16"): 121e12, ("g6.xlarge", "fp8"): 242e12, ("g6.xlarge", "int8"): 242e12,
        ("g5.xlarge", "int8"): 140e12, ("g5.xlarge", "fp8"): 70e12, ("g5.xlarge", "fp32"): 35e12,
    }  # fmt: skip
    for (instance, dtype), peak in cases.items():
        size = 1e9 * BYTES_PER_PARAMETER[dtype]
        found = token_rates(size, dtype, pricing.instance(instance))
        assert found.prompt_s == pytest.approx(2 * 1e9 / (0.5 * peak), rel=1e-12), (instance, dtype)
    assert token_rates(1e9, "fp8", pricing.instance("g5.xlarge")).maths == "fp16"
    # Turing has neither fp8 nor the kernels that expand it.
    with pytest.raises(ServiceError, match=r"model.dtype = fp8: T4 has no figure"):
        token_rates(1e9, "fp8", pricing.instance("g4dn.xlarge"))


def test_token_settings_count(make):
    found = law(
        make,
        TOKENS,
        service__kind="tokens",
        service__prefill_efficiency=0.25,
        service__bandwidth_efficiency=0.5,
        service__step_overhead_s=0,
        model__size=14_000_000_000,
    )
    service, _ = draw(found, TOKENS)
    assert service[0] == pytest.approx(0.8 + 100 * 14 / 300, rel=1e-12)


@pytest.mark.parametrize(
    ("trace", "kind", "slots", "mean"),
    [(TIMED, "trace", 1, 1.5), (BOTH, "trace", 8, 1.5), (BARE, "exponential", 1, 0.2)],
)
def test_auto_by_what_the_trace_holds(make, trace, kind, slots, mean):
    found = law(make, trace)
    assert (found.kind, found.slots_default) == (kind, slots)
    assert found.mean_s(trace) == pytest.approx(mean, rel=1e-12)


def test_trace_times_are_the_traces_own(make):
    service, first = draw(law(make, TIMED, model__size="1GB"), TIMED)
    assert service.tolist() == first.tolist() == [0.5, 1.0, 3.0]


def test_a_law_of_ones_own_keeps_the_traffic_a_token_traffic(make):
    found = law(make, TOKENS, service__kind="fixed", service__mean_s=0.25)
    service, first = draw(found, TOKENS)
    assert service.tolist() == first.tolist() == [0.25] * 4
    assert (found.tokens, found.slots_default) == (True, 8)


@pytest.mark.parametrize(
    ("values", "mean", "cv"),
    [
        ({"service__kind": "exponential", "service__mean_s": 2.0}, 2.0, 1.0),
        ({"service__kind": "lognormal", "service__mean_s": 2.0, "service__cv": 0.5}, 2.0, 0.5),
        ({"service__kind": "lognormal", "service__mean_s": 3.0, "service__cv": 0}, 3.0, 0.0),
    ],
)
def test_moments_of_drawn_laws(make, values, mean, cv):
    trace = Trace(np.arange(50_000.0))
    found = law(make, trace, **values)
    service, first = draw(found, trace)
    assert found.mean_s(trace) == mean
    assert np.array_equal(service, first)
    # 99.9 % interval of the mean; the deviation within 5 %, some 5 of its own errors at cv 1.
    assert service.mean() == pytest.approx(
        mean, rel=1e-12, abs=3.29 * mean * cv / np.sqrt(len(service))
    )
    assert service.std() == pytest.approx(mean * cv, rel=0.05, abs=1e-9)


def test_empirical_draws_what_was_measured(make, tmp_path):
    file = tmp_path / "seconds.txt"
    file.write_text("0.1\n\n0.4\n0.4\n1.1\n")
    trace = Trace(np.arange(20_000.0))
    found = law(make, trace, service__kind="empirical", service__file=str(file))
    service, _ = draw(found, trace)
    assert found.mean_s(trace) == pytest.approx(0.5, rel=1e-12)
    values, counts = np.unique(service, return_counts=True)
    assert values.tolist() == [0.1, 0.4, 1.1]
    # 99.9 % binomial interval of the widest share.
    assert counts / len(service) == pytest.approx([0.25, 0.5, 0.25], abs=3.29 * 0.5 / 141)


@pytest.mark.parametrize(
    ("text", "named"),
    [("", "no service times"), ("0.1\nfast\n", "line 2"), ("-1\n", "line 1"), ("nan\n", "line 1")],
)
def test_empirical_refuses(make, tmp_path, text, named):
    file = tmp_path / "seconds.txt"
    file.write_text(text)
    with pytest.raises(ServiceError, match=named):
        law(make, BARE, service__kind="empirical", service__file=str(file))


def test_empirical_file_must_be_there(make, tmp_path):
    with pytest.raises(ServiceError, match="cannot read"):
        law(make, BARE, service__kind="empirical", service__file=str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    ("trace", "values", "named"),
    [
        (BARE, {"service__kind": "tokens"}, "prompt_tokens"),
        (BARE, {"service__kind": "trace"}, "service_s"),
        (TIMED, {"sla__metric": "first_token"}, "nothing of a first token"),
        (BOTH, {"sla__metric": "first_token"}, "service.kind to tokens"),
    ],
)
def test_a_missing_column_is_named(make, trace, values, named):
    with pytest.raises(ServiceError, match=named) as refusal:
        law(make, trace, **values)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("name", ["m5.2xlarge", "g4ad.xlarge"])
def test_tokens_need_figures_of_an_accelerator(make, name):
    with pytest.raises(ServiceError, match="service.mean_s"):
        law(make, TOKENS, pricing.instance(name))


def test_counts_are_served_too(make):
    series = CountSeries(np.array([3, 0, 5]), 60.0)
    service, _ = draw(law(make, series), series)
    assert len(service) == 8
    assert np.all(service > 0)


@settings(max_examples=30, deadline=None)
@given(
    first=st.integers(0, 10**9),
    cut=st.integers(0, 40),
    seed=st.integers(0, 2**40),
    values=st.sampled_from(
        [
            {"service__kind": "exponential", "service__mean_s": 1.0},
            {"service__kind": "lognormal", "service__mean_s": 1.0, "service__cv": 2.0},
        ]
    ),
)
def test_a_request_draws_the_same_in_any_chunk(make, first, cut, seed, values):
    found = law(make, BARE, seed=seed, **values)

    def times(begin: int, count: int):
        return found.draw(Chunk(begin, np.zeros(count), {}))[0]

    assert np.array_equal(
        times(first, 40), np.concatenate([times(first, cut), times(first + cut, 40 - cut)])
    )


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(10**8, 10**11), min_size=2, max_size=2).map(sorted))
def test_a_larger_model_is_never_faster(make, sizes):
    small, large = (draw(law(make, TOKENS, model__size=size), TOKENS)[0] for size in sizes)
    assert np.all(large >= small)
