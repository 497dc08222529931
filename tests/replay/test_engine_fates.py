"""What may happen to a request beside one queue, against the slow simulator and by hand."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import INF
from scenes import Case, assert_same_bits, cases, fated_cases
from test_engine import compare

from modeler.replay import Fates

QUICK = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def with_counts(case: Case, *, exact: bool) -> None:
    compare(case, exact=exact)
    result = case.simulate()
    naive = case.naive(result)
    assert result.attempts == len(case.arrival) + naive.comebacks
    assert result.unplaced == naive.unplaced


@QUICK
@given(fated_cases(grid=True))
def test_every_record_as_the_simulator_says_with_ties(case):
    with_counts(case, exact=case.limits.fates.retry_jitter == "none")


@QUICK
@given(fated_cases(grid=False))
def test_every_record_as_the_simulator_says_without_ties(case):
    with_counts(case, exact=False)


@QUICK
@given(fated_cases(grid=True), st.data())
def test_chunks_change_nothing(case, data):
    whole = case.simulate()
    cuts = data.draw(st.sets(st.integers(0, len(case.arrival)), max_size=5).map(sorted))
    assert_same_bits(whole, case.simulate(tuple(cuts)))


@QUICK
@given(st.one_of(cases(grid=True), cases(grid=False)))
def test_fates_that_never_come_change_no_bit(case):
    # The slow way round: retries that a queue without bounds and time-outs never calls for.
    case.limits = replace(case.limits, queue_limit=None, queue_timeout_s=INF)
    plain = case.simulate()
    case.limits = replace(case.limits, fates=Fates(retries=3))
    assert not case.limits.fates.plain
    assert_same_bits(plain, case.simulate())
