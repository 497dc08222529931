"""The two kinds of traffic: what they accept, refuse and promise."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from traces import CountSeries, Trace, TraceError

COUNTS = hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 40)).filter(np.any)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    gaps = draw(hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(0, 10**12)))
    arrivals = np.concatenate(([0], np.cumsum(gaps))) / 1e9
    tokens = draw(hnp.arrays(np.int64, arrivals.size, elements=st.integers(0, 9999)))
    return Trace(arrivals, {"prompt_tokens": tokens}, t0_ns=draw(st.integers(0, 2 * 10**18)))


@pytest.mark.parametrize(
    ("arrivals", "row", "value", "what"),
    [
        ([], None, None, "empty"),
        ([1.0, 2.0], 1, "1.0", "does not start the trace"),
        ([0.0, 2.0, 1.0], 3, "1.0", "earlier than the row before"),
        ([0.0, -1.0, -2.0], 2, "-1.0", "negative"),
        ([0.0, 1.0, np.nan, np.nan], 3, "nan", "not finite"),
        ([0.0, np.inf], 2, "inf", "not finite"),
    ],
)
def test_bad_arrivals_are_refused(arrivals, row, value, what) -> None:
    with pytest.raises(TraceError, match=what) as caught:
        Trace(arrivals)
    assert (caught.value.row, caught.value.value) == (row, value)


def test_a_bad_row_beyond_the_first_slice_is_named() -> None:
    arrivals = np.arange(600_000.0)
    arrivals[524_288] = 1.0
    with pytest.raises(TraceError) as caught:
        Trace(arrivals)
    assert caught.value.row == 524_289


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"prompt_tokens": [1.0]}, "has 1 values; expected 2, as arrival_s"),
        ({"prompt_tokens": [1.0, -1.0]}, "row 2: prompt_tokens = '-1.0': negative"),
        ({"service_s": [np.nan, 1.0]}, "row 1: service_s = 'nan': not finite"),
        ({"tokens": [1.0, 2.0]}, "one of prompt_tokens, output_tokens, service_s"),
        ({"service_s": ["a", "b"]}, "not numbers"),
        ({"service_s": [[1.0, 2.0]]}, "2 dimensions"),
    ],
)
def test_bad_columns_are_refused(columns, message) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        Trace([0.0, 1.0], columns)


def test_arrays_are_read_only_views() -> None:
    given_ = np.array([0.0, 1.0])
    trace = Trace(given_, {"service_s": given_})
    assert np.shares_memory(trace.arrival_s, given_)
    for array in (trace.arrival_s, trace.columns["service_s"]):
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    assert given_.flags.writeable
    with pytest.raises(TypeError):
        trace.columns["x"] = given_


def test_unaligned_arrays_are_aligned() -> None:
    raw = np.zeros(17, dtype=np.uint8)[1:].view(np.float64)
    assert not raw.flags.aligned
    assert Trace(raw).arrival_s.flags.aligned


@given(traces(), st.integers(1, 70))
def test_chunks_are_views_that_cover_the_trace(trace: Trace, size: int) -> None:
    chunks = list(trace.chunks(size))
    assert [chunk.first for chunk in chunks] == list(range(0, trace.requests, size))
    assert np.array_equal(np.concatenate([c.arrival_s for c in chunks]), trace.arrival_s)
    tokens = np.concatenate([c.columns["prompt_tokens"] for c in chunks])
    assert np.array_equal(tokens, trace.columns["prompt_tokens"])
    assert all(np.shares_memory(chunk.arrival_s, trace.arrival_s) for chunk in chunks)


@given(traces())
def test_a_pickled_trace_comes_back(trace: Trace) -> None:
    back = pickle.loads(pickle.dumps(trace))
    assert back.content_hash == trace.content_hash
    assert not back.arrival_s.flags.writeable


@given(traces(), st.data())
def test_the_hash_follows_the_content_and_not_the_source(trace: Trace, data: st.DataObject) -> None:
    def rebuilt(**changes):
        parts = {"t0_ns": trace.t0_ns, "t0_is_absolute": trace.t0_is_absolute} | changes
        columns = parts.pop("columns", dict(trace.columns))
        return Trace(parts.pop("arrival_s", trace.arrival_s), columns, **parts).content_hash

    same = trace.content_hash
    assert rebuilt(source="elsewhere") == same
    row = data.draw(st.integers(0, trace.requests - 1))
    tokens = trace.columns["prompt_tokens"].copy()
    tokens[row] += 1
    later = trace.arrival_s.copy()
    later[-1] += 1.0
    changed = [
        rebuilt(columns={"prompt_tokens": tokens}),
        rebuilt(columns={"output_tokens": trace.columns["prompt_tokens"]}),
        rebuilt(columns={}),
        rebuilt(t0_ns=trace.t0_ns + 1),
        rebuilt(t0_is_absolute=True),
    ]
    if trace.requests > 1:
        changed.append(rebuilt(arrival_s=later))
    assert same not in changed
    assert len(set(changed)) == len(changed)


@pytest.mark.parametrize(
    ("counts", "bin_s", "message"),
    [
        ([], 60.0, "empty"),
        ([0, 0], 60.0, "no requests"),
        ([1, -2], 60.0, "row 2: counts = '-2': negative"),
        ([1.0, np.nan], 60.0, "row 2: counts = 'nan': not finite"),
        ([1.0, 2.5], 60.0, "row 2: counts = '2.5': not whole"),
        ([1, 2], 0.0, "bin_s = '0.0'"),
        ([1, 2], np.nan, "bin_s = 'nan'"),
    ],
)
def test_bad_counts_are_refused(counts, bin_s, message) -> None:
    with pytest.raises(TraceError, match=re.escape(message)):
        CountSeries(counts, bin_s)


@given(COUNTS, st.integers(1, 50), st.integers(1, 500), st.integers(0, 5))
def test_drawn_arrivals_do_not_depend_on_the_chunk_size(
    counts: np.ndarray,
    size: int,
    other: int,
    seed: int,
) -> None:
    series = CountSeries(counts, 60.0)
    chunks = list(series.chunks(size, seed=seed))
    arrivals = np.concatenate([chunk.arrival_s for chunk in chunks])
    assert all(chunk.arrival_s.size == size for chunk in chunks[:-1])
    assert [chunk.first for chunk in chunks] == list(range(0, series.requests, size))
    again = np.concatenate([chunk.arrival_s for chunk in series.chunks(other, seed=seed)])
    assert np.array_equal(arrivals, again)
    assert (np.diff(arrivals) >= 0.0).all()
    found = np.bincount((arrivals // 60.0).astype(int), minlength=counts.size)
    assert np.array_equal(found, counts)
    assert series.duration_s == 60.0 * counts.size


def test_large_bins_are_split_without_changing_counts_or_law() -> None:
    counts = [3, 400_000, 0, 70_000, 1]
    series = CountSeries(counts, 10.0)
    one = np.concatenate([chunk.arrival_s for chunk in series.chunks(1_000)])
    other = np.concatenate([chunk.arrival_s for chunk in series.chunks(300_001)])
    assert np.array_equal(one, other)
    assert (np.diff(one) >= 0.0).all()
    assert np.bincount((one // 10.0).astype(int)).tolist() == counts
    inside = one[(one >= 10.0) & (one < 20.0)] - 10.0
    # Kolmogorov's distance at the level 1e-4.
    assert stats.kstest(inside / 10.0, "uniform").statistic < 2.23 / np.sqrt(inside.size)


def test_another_seed_draws_other_arrivals() -> None:
    series = CountSeries([50], 10.0)
    first, second = (next(series.chunks(seed=seed)).arrival_s for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_a_pickled_series_comes_back() -> None:
    series = CountSeries([1, 2, 3], 5.0, t0_ns=7, t0_is_absolute=True, source="s")
    back = pickle.loads(pickle.dumps(series))
    assert back.content_hash == series.content_hash
    assert back.source == "s"
    assert CountSeries([1, 2, 3], 5.5, t0_ns=7, t0_is_absolute=True).content_hash != (
        series.content_hash
    )


def test_errors_survive_pickling() -> None:
    with pytest.raises(TraceError) as caught:
        Trace([0.0, -1.0])
    back = pickle.loads(pickle.dumps(caught.value))
    assert str(back) == str(caught.value)
    assert back.row == 2
