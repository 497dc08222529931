"""How fast Lambda starts environments, both readings of its documents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.autoscale.keep_alive import KeepAlive, fixed
from modeler.autoscale.lambda_scaling import BUCKET, NO_LIMIT, WINDOW, may_start


def started(reading, times, limit=1000.0, per_s=100.0):
    state = np.array([limit, 0.0])
    return [t for t in times if may_start(reading, limit, per_s, t, state)]


def until_all(reading, wanted):
    """When the last of so many that ask again every 0.1 s has been started."""
    state = np.array([1000.0, 0.0])
    done, now = 0, 0.0
    while done < wanted:
        while done < wanted and may_start(reading, 1000.0, 100.0, now, state):
            done += 1
        now += 0.1
    return now - 0.1


def test_3500_at_once_take_25_seconds_of_a_bucket_and_30_of_windows():
    # 1,000 at once, then 100 a second; or 1,000 at 0, 10, 20 and 500 at 30 s. The step is 0.1 s.
    assert until_all(BUCKET, 3500) == pytest.approx(25.0, abs=0.11)
    assert until_all(WINDOW, 3500) == pytest.approx(30.0, abs=0.11)


def test_what_is_not_used_is_not_saved():
    times = [*([0.0] * 1000), *([100.0] * 1500)]
    assert len(started(BUCKET, times)) == 2000
    assert len(started(WINDOW, times)) == 2000
    assert len(started(NO_LIMIT, times)) == 2500


@given(st.lists(st.floats(0.0, 40.0), max_size=200), st.sampled_from([BUCKET, WINDOW]))
def test_no_reading_starts_more_than_twice_the_limit_in_a_period(times, reading):
    got = started(reading, sorted(times), limit=5.0, per_s=0.5)
    for t in got:
        assert sum(t <= other < t + 10.0 for other in got) <= 10
    if reading == BUCKET:
        # Never more than the bucket and what has refilled since.
        for k, t in enumerate(got):
            assert k + 1 <= 5.0 + 0.5 * t + 1e-6


@pytest.mark.parametrize(
    ("law", "cv"),
    [
        (KeepAlive("exponential", 600.0), 1.0),
        (KeepAlive("lognormal", 600.0, cv=0.5), 0.5),
        (KeepAlive("empirical", 0.0, values_s=(300.0, 900.0)), 0.5),
    ],
)
def test_keep_alive_has_its_mean_and_spread(law, cv):
    drawn = law.draw(0, 200_000)
    # Four standard errors of the mean; the spread to 2 %.
    assert drawn.mean() == pytest.approx(600.0, rel=4 * cv / np.sqrt(200_000))
    assert drawn.std() / drawn.mean() == pytest.approx(cv, rel=0.02)
    # By ordinal: any slice can be drawn alone.
    assert np.array_equal(law.draw(500, 10), drawn[500:510])


def test_a_fixed_keep_alive_is_one_value():
    assert fixed(7.0).draw(3, 1000).tolist() == [7.0]
