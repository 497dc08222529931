"""Scale-out and cold starts without chance, against fluid arithmetic, within 1 %."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.referee import Case, run_case

FLUID = {
    "rate_after": 40,
    "instances_before": 2,
    "per_instance_rate": 10,
    "lag": 100,
    "instances_after": 6,
}
# 20 rps in excess for 100 s, drained at 20 rps.
ANSWERS = {
    "peak_backlog_requests": 2000.0,
    "drain_time_after_ready": 100.0,
    "max_wait_s": 50.0,
    "total_delay_seconds": 2000.0 * 200.0 / 2.0,
    "delayed_requests": 40.0 * 200.0,
}


@pytest.mark.parametrize("quantity", ANSWERS)
def test_fluid_scale_out(quantity):
    result = run_case(Case("f", "fluid scale-out", FLUID, quantity, ANSWERS[quantity]))
    assert result.status == "passed", result
    assert result.requests >= 200_000


@settings(max_examples=10, deadline=None)
@given(
    before=st.integers(1, 8),
    more=st.integers(1, 6),
    excess=st.floats(0.2, 0.8),
    lag=st.floats(30.0, 900.0),
)
def test_fluid_scale_out_anywhere(before, more, excess, lag):
    after = before + more
    rate = 10.0 * (before + excess * more)
    params = FLUID | {
        "rate_after": rate,
        "instances_before": before,
        "instances_after": after,
        "lag": lag,
    }
    peak = (rate - 10.0 * before) * lag
    drain = peak / (10.0 * after - rate)
    expected = {
        "peak_backlog_requests": peak,
        "drain_time_after_ready": drain,
        "max_wait_s": lag * (1.0 - 10.0 * before / rate),
        "total_delay_seconds": peak * (lag + drain) / 2.0,
    }
    for quantity, value in expected.items():
        result = run_case(Case("f", "fluid scale-out", params, quantity, value))
        assert result.status == "passed", (result, params)


def test_backlog_that_never_drains_is_said():
    params = FLUID | {"instances_after": 3}
    result = run_case(Case("f", "fluid scale-out", params, "max_wait_s", 50.0))
    assert result.status == "failed"
    assert "does not drain" in result.why


def test_backlog_that_stays_has_a_peak():
    params = FLUID | {"instances_after": 4}
    result = run_case(Case("f", "fluid scale-out", params, "peak_backlog_requests", 2000.0))
    assert result.status == "passed", result
    assert run_case(Case("f", "fluid scale-out", params, "drain", 1.0)).status == "failed"


def test_wrong_answer_fails():
    result = run_case(Case("f", "fluid scale-out", FLUID, "max_wait_s", 51.0))
    assert result.status == "failed"
    assert "1% from the expected" in result.why


def test_cold_start_stages():
    params = {
        "provision_s": 20,
        "boot_s": 30,
        "image_GB": 6,
        "image_GBps": 0.3,
        "weights_GB": 9,
        "store_GBps": 0.6,
        "load_GBps": 1.8,
        "init_s": 7,
    }
    value = 20 + 30 + 6 / 0.3 + 9 / 0.6 + 9 / 1.8 + 7
    result = run_case(Case("s", "cold start stages", params, "time_to_ready_s", value))
    assert result.status == "passed", result
    assert result.got == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"image_GB": 6, "boot_s": 3}, "image_pull needs image_GB and image_GBps above 0"),
        ({"boot_s": -3}, "boot"),
        ({"colour": 3}, "no stage"),
    ],
)
def test_stages_that_cannot_be(params, said):
    result = run_case(Case("s", "cold start stages", params, "time_to_ready_s", 1.0))
    assert result.status == "failed"
    assert said in result.why
