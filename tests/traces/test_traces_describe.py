"""Summaries against small cases done by hand, and the figures promised of ``office-week``."""

import math

import numpy as np
import pytest

from traces import CountSeries, Trace, describe, generate
from traces.trace import trace_columns

# Relative, of rounding alone: every figure below is a short sum.
EXACT = 1e-12


def test_events_by_hand() -> None:
    trace = Trace(
        [0.0, 0.5, 1.5, 61.0],
        {"prompt_tokens": [1, 2, 3, 4], "output_tokens": [5, 5, 5, 5]},
        t0_ns=1_767_571_200_500_000_000,
        t0_is_absolute=True,
    )
    row = describe(trace)
    assert row["t0"] == "2026-01-05T00:00:00.5Z"
    assert (row["kind"], row["requests"], row["records"]) == ("events", 4, 4)
    assert row["duration_s"] == 61.0
    assert row["mean_rps"] == pytest.approx(4 / 61, rel=EXACT)
    # Minutes hold 3 and 1; seconds hold 2, 1 and 1 of 62.
    assert (row["peak_1min_requests"], row["peak_1s_requests"]) == (3, 2)
    assert row["iod_60s"] == pytest.approx(1.0 / 2.0, rel=EXACT)
    mean = 4 / 62
    assert row["iod_1s"] == pytest.approx((6 / 62 - mean**2) / mean, rel=EXACT)
    # Gaps 0.5, 1, 59.5: mean 61/3.
    spread = math.sqrt((0.5**2 + 1 + 59.5**2) / 3 - (61 / 3) ** 2)
    assert row["cv_interarrival"] == pytest.approx(spread / (61 / 3), rel=EXACT)
    assert row["max_gap_s"] == 59.5
    assert (row["prompt_tokens"], row["output_tokens"]) == (10, 20)
    assert row["bin_s"] is None


def test_counts_by_hand() -> None:
    row = describe(CountSeries([2, 4, 0, 6], 30.0))
    assert (row["kind"], row["requests"], row["records"], row["bin_s"]) == ("counts", 12, 4, 30.0)
    assert row["duration_s"] == 120.0
    assert row["mean_rps"] == 0.1
    # Two bins make a minute: 6 and 6.
    assert (row["peak_1min_requests"], row["iod_60s"]) == (6, 0.0)
    unknown = ("peak_1s_requests", "iod_1s", "cv_interarrival", "max_gap_s", "t0", "prompt_tokens")
    assert all(row[name] is None for name in unknown)


def test_wide_bins_scale_their_peak_to_a_minute() -> None:
    row = describe(CountSeries([10, 25], 300.0))
    assert row["peak_1min_requests"] == 5.0
    assert row["iod_60s"] is None


def test_bins_of_a_second_know_both_dispersions() -> None:
    row = describe(CountSeries([1, 3], 1.0))
    assert (row["peak_1s_requests"], row["iod_1s"]) == (3, 0.5)
    assert row["peak_1min_requests"] == 4


@pytest.mark.parametrize("arrivals", [[0.0], [0.0, 0.0]])
def test_no_duration_gives_no_rate(arrivals) -> None:
    row = describe(Trace(arrivals))
    assert row["mean_rps"] is None
    assert row["cv_interarrival"] is None
    assert row["requests"] == len(arrivals)


def test_a_trace_of_years_needs_no_bin_per_second() -> None:
    row = describe(Trace([0.0, 3e12]))
    # Two requests in n bins: variance 2/n - 4/n², mean 2/n.
    assert row["iod_1s"] == pytest.approx(1.0, rel=1e-9)


def test_every_key_is_declared() -> None:
    import csv
    from importlib.resources import files

    text = files("traces").joinpath("columns.csv").read_text(encoding="utf-8")
    declared = [r["column"] for r in csv.DictReader(text.splitlines()) if r["table"] == "describe"]
    assert sorted(declared) == sorted(describe(Trace([0.0, 1.0])))
    assert trace_columns() == ("prompt_tokens", "output_tokens", "service_s")


@pytest.fixture(scope="module")
def week() -> Trace:
    return generate("office-week", seed=0)


def hourly(trace: Trace) -> np.ndarray:
    return np.bincount((trace.arrival_s // 3600).astype(int), minlength=168).reshape(7, 24) / 3600


# Tolerances of the generated figures span seeds 0 to 9, widened by about a half: the wandering
# rate and the flash crowds differ by seed, and are meant to.
def test_office_week_in_figures(week: Trace) -> None:
    row = describe(week)
    assert row["t0"] == "2026-01-05T00:00:00Z"
    assert week.arrival_s[0] == 0.0
    assert 604_000 < row["duration_s"] < 604_800
    assert row["requests"] == pytest.approx(2 * 604_800, rel=0.005)
    assert row["iod_1s"] == pytest.approx(4.0, rel=0.15)
    assert row["iod_60s"] == pytest.approx(165, rel=0.15)


@pytest.mark.parametrize("seed", [0, 1])
def test_office_week_has_its_shape(seed: int) -> None:
    trace = generate("office-week", seed=seed)
    rate = hourly(trace)
    day = rate[:5].mean(axis=0)
    assert 5.5 < day[10:12].max() < 8.0
    assert 0.6 < day[12] / day[[10, 11, 14, 15]].mean() < 0.9
    assert day[1:5].max() < 0.06 * day[10:12].max()
    assert 0.2 < rate[5:].mean() / rate[:5].mean() < 0.33


@pytest.mark.parametrize("seed", [0, 1])
def test_office_week_is_bursty_inside_busy_hours(seed: int) -> None:
    trace = generate("office-week", seed=seed)
    iod_1s, iod_60s, cv = [], [], []
    for day in range(5):
        for hour in (10, 14, 15):
            start = day * 86_400 + hour * 3600
            inside = trace.arrival_s[np.searchsorted(trace.arrival_s, start) :]
            inside = inside[: np.searchsorted(inside, start + 3600)] - start
            row = describe(Trace(inside - inside[0]))
            iod_1s.append(row["iod_1s"])
            iod_60s.append(row["iod_60s"])
            cv.append(row["cv_interarrival"])
    assert np.median(iod_1s) == pytest.approx(1.7, rel=0.15)
    # Poisson traffic has 1, and gaps of this variation alone about cv² = 1.6.
    assert np.median(iod_60s) == pytest.approx(15, rel=0.4)
    assert np.median(cv) == pytest.approx(1.3, rel=0.05)


def test_office_week_tokens(week: Trace) -> None:
    prompt, output = week.columns["prompt_tokens"], week.columns["output_tokens"]
    # A million draws: the median's standard error is 0.1 %; rounding adds half a token.
    assert np.median(prompt) == pytest.approx(400, abs=2)
    assert np.median(output) == pytest.approx(90, abs=1)
    assert (prompt.min(), prompt.max()) == (8, 4096)
    assert output.min() >= 1
    assert output.max() <= 1024
    assert (prompt == np.rint(prompt)).all()


def test_generation_repeats_and_seeds_differ(week: Trace) -> None:
    assert generate("office-week", seed=0).content_hash == week.content_hash
    assert generate("office-week", seed=1).content_hash != week.content_hash


@pytest.mark.parametrize(("days", "rate"), [(1.0, 5.0), (0.1, 0.5), (9.0, 0.2), (0.001, 1.0)])
def test_length_and_rate_can_be_chosen(days: float, rate: float) -> None:
    trace = generate(days=days, mean_rps=rate)
    expected = days * 86_400 * rate
    assert trace.duration_s < days * 86_400
    # Gaps with cv 1.25: five standard deviations of the count, and the first arrival.
    assert abs(trace.requests - expected) <= 5 * 1.25 * math.sqrt(expected) + 1
