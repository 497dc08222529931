"""Scale per request against an event-by-event simulator, and its laws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_per_request import Naive

from modeler.autoscale import fixed as fixed_fleet
from modeler.autoscale.keep_alive import KeepAlive, fixed
from modeler.replay import Limits, Work
from modeler.replay import layout as m
from modeler.replay.fates import Fates
from modeler.replay.per_request import Capacity, simulate

INF = float("inf")


class Listed(KeepAlive):
    """Keep-alives as a test lists them, one a request."""

    def draw(self, first, count):
        return np.asarray(self.values_s, dtype=np.float64)[first : first + count]


@dataclass
class Scene:
    arrival: np.ndarray
    service: np.ndarray
    keep: np.ndarray
    slots: int = 1
    cap: int | None = None
    client: float = INF
    init: tuple = (1.0,)
    whole: tuple | None = None
    provisioned: int = 0
    bounds: tuple = ()
    burst: tuple | None = None
    horizon: float = 0.0
    retries: int = 0
    after_time_out: bool = False

    def cold(self, first, count):
        at = np.arange(first, first + count)
        ready = np.asarray(self.init, dtype=np.float64)[at % len(self.init)]
        whole = None
        if self.whole is not None:
            whole = np.asarray(self.whole, dtype=np.float64)[at % len(self.whole)]
        return ready / 2.0, ready, whole

    def run(self, cuts=(), **more):
        edges = [0, *cuts, len(self.arrival)]
        work = [
            Work(a, self.arrival[a:b], self.service[a:b], self.service[a:b])
            for a, b in pairwise(edges)
        ]
        policy = replace(
            fixed_fleet.build(self.provisioned),
            bounds=np.array([[t, n, n] for t, n in self.bounds]).reshape(-1, 3),
        )
        burst = {}
        if self.burst is not None:
            burst = {"burst": self.burst[0], "burst_limit": self.burst[1], "burst_period_s": 10.0}
        keep = (
            fixed(float(self.keep[0]))
            if len(set(self.keep)) == 1
            else Listed("empirical", 1.0, values_s=tuple(self.keep))
        )
        return simulate(
            work,
            Limits(
                slots=self.slots,
                client_timeout_s=self.client,
                threshold_s=3.0,
                fates=Fates(
                    retries=self.retries,
                    retry_base_s=0.5,
                    retry_factor=2.0,
                    retry_max_s=1.5,
                    retry_jitter="none",
                    retry_client_timeouts=self.after_time_out,
                ),
            ),
            keep,
            draws=self.cold,
            horizon_s=self.horizon,
            capacity=Capacity(cap=self.cap, **burst),
            provisioned=policy,
            records=len(self.arrival),
            **more,
        )

    def naive(self):
        def cold(ordinal):
            running_s, ready_s, whole_s = self.cold(ordinal, 1)
            return running_s[0], ready_s[0], None if whole_s is None else whole_s[0]

        return Naive(
            list(zip(*(c.tolist() for c in (self.arrival, self.service, self.keep)), strict=True)),
            slots=self.slots,
            cap=INF if self.cap is None else self.cap,
            client_timeout=self.client,
            cold=cold,
            provisioned=self.provisioned,
            bounds=self.bounds,
            may_start=self.starts(),
            horizon=self.horizon,
            retries=self.retries,
            pause=lambda attempt: min(0.5 * 2.0**attempt, 1.5),
            after_time_out=self.after_time_out,
        ).run()

    def starts(self):
        """The burst rate over again: a bucket in whole tokens, or counts by window."""
        if self.burst is None:
            return lambda now: True
        kind, limit = self.burst
        given: list[float] = []

        def window(now):
            if sum(1 for t in given if int(t // 10.0) == int(now // 10.0)) >= limit:
                return False
            given.append(now)
            return True

        level = [float(limit), 0.0]

        def bucket(now):
            level[0] = min(limit, level[0] + limit / 10.0 * (now - level[1]))
            level[1] = now
            if level[0] < 1.0 - 1e-9:
                return False
            level[0] -= 1.0
            return True

        return window if kind == "window" else bucket


@st.composite
def scenes(draw):
    # Multiples of 1/4 are exact in binary, and meet each other often.
    count = draw(st.integers(1, 60))
    quarter = st.integers(0, 12).map(lambda k: k / 4.0)
    arrival = np.cumsum(
        draw(
            st.lists(
                st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 6.0]), min_size=count, max_size=count
            )
        )
    )
    service = np.array(draw(st.lists(quarter, min_size=count, max_size=count)))
    if draw(st.booleans()):
        keep = np.full(count, draw(st.sampled_from([0.0, 0.5, 2.0, 5.0, 100.0])))
    else:
        keep = np.array(draw(st.lists(quarter, min_size=count, max_size=count)))
    end = float(arrival[-1])
    changes = draw(
        st.lists(
            st.tuples(st.integers(0, int(4 * end) + 4), st.integers(0, 3)),
            max_size=3,
            unique_by=lambda pair: pair[0],
        )
    )
    return Scene(
        arrival,
        service,
        keep,
        slots=draw(st.sampled_from([1, 1, 2, 3])),
        cap=draw(st.sampled_from([None, 1, 2, 4])),
        client=draw(st.sampled_from([INF, 2.0])),
        init=tuple(draw(st.lists(quarter, min_size=1, max_size=5))),
        whole=draw(st.sampled_from([None, None, (0.5, 2.5, 4.0)])),
        provisioned=draw(st.integers(0, 2)),
        bounds=tuple(sorted((time / 4.0, number) for time, number in changes)),
        burst=draw(st.sampled_from([None, None, ("bucket", 2), ("window", 2)])),
        horizon=end + draw(st.sampled_from([0.0, 0.0, 3.0, 50.0])),
        retries=draw(st.sampled_from([0, 0, 1, 3])),
        after_time_out=draw(st.booleans()),
    )


SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_CAUSE = {"replica_cap": m.REPLICA_CAP, "decision": m.DECISION}


def test_a_running_environment_keeps_its_slots_when_others_are_provisioned():
    # Expired environments still in the table once counted against the room that was left.
    scene = Scene(
        np.array([0.0, 0, 0, 6, 12, 18, 24, 24, 24, 30, 30, 30, 36, 36]),
        np.array([0.0] * 12 + [0.25, 0.0]),
        np.array([0.0] * 11 + [1.0, 0.0, 0.0]),
        slots=2,
        cap=2,
        init=(1.25,),
        whole=(0.5, 2.5, 4.0),
        bounds=((35.0, 1),),
        horizon=36.0,
    )
    result = scene.run()
    assert result.record[-2:, 0].tolist() == [m.SERVED] * 2
    assert result.record_s[-1, 0] == 36.0


@SLOW
@given(scenes(), st.integers(0, 59))
def test_every_request_and_environment_is_the_naive_simulators(scene, cut):
    result = scene.run(cuts=(cut,) if 0 < cut < len(scene.arrival) else ())
    naive = scene.naive()
    counts = result.environments
    for i, (start, end, outcome, ordinal) in enumerate(naive.records):
        # Exact: every time is a multiple of 1/4.
        assert result.record_s[i, 0] == start
        assert result.record_s[i, 1] == end
        if outcome in ("served", "timed_out"):
            assert m.OUTCOMES[result.record[i, 0]] == outcome
            assert result.record[i, 2] == ordinal
        else:
            assert result.record[i, 0] == m.REJECTED
            assert result.record[i, 1] in (_CAUSE[outcome], m.SERVICE_TIME)
    rows = [(x.requested, x.running, x.ready, x.drain, x.stop) for x in naive.environments]
    assert result.replicas.tolist() == [list(row) for row in rows]
    assert counts.cold == naive.cold_count
    assert result.attempts == naive.attempts
    assert result.wait_sum_s == pytest.approx(naive.waited, abs=1e-9)
    assert result.end_s == naive.end
    assert result.busy_slot_s == pytest.approx(naive.busy, abs=1e-9)
    assert counts.idle_s == pytest.approx(naive.idle, abs=1e-9)
    if scene.slots == 1:
        assert counts.running_s == pytest.approx(naive.running, abs=1e-9)


@SLOW
@given(scenes())
def test_laws(scene):
    result = scene.run()
    counts = result.environments
    served = result.record[:, 0] == m.SERVED
    started = np.isfinite(result.record_s[:, 0])
    # One outcome each; nothing is lost or waits for good.
    assert result.served + result.rejected + result.timed_out == len(scene.arrival)
    assert counts.throttled_by_cap + counts.throttled_by_burst == result.rejected
    assert np.all(result.record_s[started, 0] >= scene.arrival[started])
    assert np.all(result.record_s[served, 1] >= result.record_s[served, 0])
    # Billed: the sum of the rounded durations, and INIT.
    total = counts.billed_ms + counts.billed_provisioned_ms
    assert total == pytest.approx(1000.0 * result.busy_slot_s, abs=1.0)
    assert counts.billed_init_ms == pytest.approx(1000.0 * counts.init_s, abs=1.0)
    # The cap holds at every instant a request starts its environment.
    if scene.cap is not None and not scene.bounds:
        assert counts.peak <= max(scene.cap, scene.provisioned)
    # Alive is running and idle: the environments' lives on demand are made of both.
    if scene.slots == 1 and not scene.bounds and scene.provisioned == 0:
        lives = (result.replicas[:, m.STOP_S] - result.replicas[:, m.REQUESTED_S]).sum()
        assert counts.running_s + counts.idle_s == pytest.approx(lives, abs=1e-9)
    # The same bytes without rows.
    bare = scene.run(rows=False)
    assert bare.environments.idle_s == counts.idle_s
    assert bare.record_s.tobytes() == result.record_s.tobytes()


def poisson(rate, count, keep, **more):
    rng = np.random.default_rng(5)
    return Scene(
        np.cumsum(rng.exponential(1.0 / rate, count)),
        rng.exponential(2.0, count),
        np.full(count, keep),
        **more,
    )


def test_a_long_run_of_the_fast_path_is_the_naive_simulators():
    scene = poisson(3.0, 4000, 8.0, init=(0.7, 1.9), cap=12)
    scene.horizon = float(scene.arrival[-1])
    result, naive = scene.run(cuts=(1000, 1001)), scene.naive()
    assert result.record_s.tolist() == [list(one[:2]) for one in naive.records]
    # Without records the loop takes its shorter way; the sums differ by rounding alone.
    fast = simulate(
        [Work(0, scene.arrival, scene.service, scene.service)],
        Limits(threshold_s=3.0),
        fixed(8.0),
        draws=scene.cold,
        horizon_s=scene.horizon,
        capacity=Capacity(cap=12),
    )
    assert fast.environments.cold == naive.cold_count == result.environments.cold
    assert fast.causes == result.causes
    assert fast.latency.tolist() == result.latency.tolist()
    assert fast.environments.billed_ms == result.environments.billed_ms
    assert fast.replicas.tolist() == result.replicas.tolist()
    assert fast.environments.idle_s == pytest.approx(naive.idle, rel=1e-12)


def test_marks_tell_what_happened_between():
    scene = poisson(3.0, 3000, 8.0, init=(0.5,))
    result = scene.run(marks=(1000, 3000))
    first, last = result.totals
    between = last.since(first)
    begin, end = scene.arrival[999], scene.arrival[2999]
    start_s, end_s = result.record_s[:, 0], result.record_s[:, 1]
    inside = np.clip(np.minimum(end_s, end) - np.maximum(start_s, begin), 0.0, None).sum()
    assert between.busy_slot_s == pytest.approx(inside, rel=1e-9)
    waiting = np.clip(np.minimum(start_s, end) - np.maximum(scene.arrival, begin), 0.0, None)
    assert between.queued_request_s == pytest.approx(waiting.sum(), rel=1e-9)
    rows = result.replicas
    alive = np.minimum(rows[:, m.STOP_S], end) - np.maximum(rows[:, m.REQUESTED_S], begin)
    assert between.running_s + between.idle_s == pytest.approx(
        np.clip(alive, 0.0, None).sum(), rel=1e-9
    )
    assert between.cold == ((rows[:, 0] > begin) & (rows[:, 0] <= end)).sum()
