"""Small random fleets for tests of the engine: policy, traffic, limits and cold starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from naive import INF, Naive, Request
from naive_fates import NaiveFates

from modeler.autoscale import fixed, scalable_loop, setup_per_job, target_tracking
from modeler.replay import Fates, Limits, Result, Work, simulate


@dataclass
class Case:
    policy: object
    decide: object
    arrival: np.ndarray
    service: np.ndarray
    judged: np.ndarray
    limits: Limits
    running: np.ndarray
    ready: np.ndarray
    horizon_s: float
    t0_ns: int

    def draws(self, first: int, count: int):
        """Cold starts repeat beyond those drawn."""
        at = np.arange(first, first + count) % len(self.ready)
        return self.running[at], self.ready[at]

    def simulate(self, cuts: tuple[int, ...] = ()) -> Result:
        bounds = [0, *cuts, len(self.arrival)]
        work = [
            Work(a, self.arrival[a:b], self.service[a:b], self.judged[a:b])
            for a, b in pairwise(bounds)
        ]
        return simulate(
            self.policy,
            work,
            self.limits,
            draws=self.draws,
            horizon_s=self.horizon_s,
            t0_ns=self.t0_ns,
            records=len(self.arrival),
        )

    def naive(self, result: Result) -> Naive:
        asked = np.arange(max(1000, len(result.replicas) + 100))
        running, ready = self.draws(0, len(asked))
        requests = [
            Request(*row)
            for row in zip(
                self.arrival.tolist(), self.service.tolist(), self.judged.tolist(), strict=True
            )
        ]
        kind = Naive if self.limits.fates.plain() else NaiveFates
        return kind(
            self.policy,
            self.decide,
            requests,
            self.limits,
            running_s=running.tolist(),
            ready_s=ready.tolist(),
            horizon_s=self.horizon_s,
            t0_ns=self.t0_ns,
            chosen=result.record[:, 2].tolist(),
        ).run()


@st.composite
def policies(draw, grid: bool):
    kind = draw(st.sampled_from(["fixed", "target_tracking", "target_tracking"]))
    minimum = draw(st.integers(1, 3))
    maximum = draw(st.integers(minimum, 6))
    if kind == "fixed":
        initial = draw(st.one_of(st.none(), st.integers(0, maximum + 2)))
        return fixed.build(maximum, initial=initial), fixed.decide
    quick = st.sampled_from([0.0, 0.5, 1.0, 3.0])
    period = draw(st.sampled_from([1.0, 2.0, 4.0]))
    metric = draw(st.sampled_from(["invocations_per_instance", "concurrency_high_resolution"]))
    policy = target_tracking.build(
        metric=metric,
        target=draw(st.sampled_from([15.0, 30.0, 45.0, 90.0]))
        / (1.0 if metric == "invocations_per_instance" else 60.0),
        minimum=minimum,
        maximum=maximum,
        initial=draw(st.sampled_from([minimum, minimum, maximum])),
        period_s=period,
        publish_delay_s=draw(quick),
        alarm_eval_delay_s=draw(quick),
        scale_in_cooldown_s=draw(st.sampled_from([0.0, 5.0, 20.0])),
        disable_scale_in=draw(st.booleans()),
        high_datapoints=draw(st.integers(1, 2)),
        low_datapoints=draw(st.integers(1, 3)),
        low_period_s=draw(st.sampled_from([period, 4.0])),
        low_threshold_factor=draw(st.sampled_from([0.5, 0.9])),
        refuse_while_updating=draw(st.booleans()),
        scale_in_step_limit=draw(st.sampled_from([None, 1, 2])),
    )
    return policy, scalable_loop.decide.py_func


@st.composite
def cases(draw, grid: bool):
    policy, decide = draw(policies(grid))
    n = draw(st.integers(1, 80))
    # The shape is drawn by hypothesis, the numbers by a seed: quick to make, and it still shrinks.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gap = draw(st.sampled_from([0.2, 0.5, 1.0]))
    mean = draw(st.sampled_from([0.5, 0.5, 2.0, 4.0]))
    start_s = draw(st.sampled_from([0.0, 1.0, 4.0, 8.0]))
    gaps = rng.exponential(gap, n)
    gaps[0] = 0.0
    service = rng.exponential(mean, n)
    judged = service * rng.choice([0.5, 1.0], n)
    ready = rng.exponential(start_s, 16)
    arrival = np.cumsum(gaps)
    after = draw(st.sampled_from([0.0, 0.0, 2.5, 60.0, 200.0]))
    if grid:
        arrival, service, judged, ready = (
            np.round(4.0 * x) / 4.0 for x in (arrival, service, judged, ready)
        )
    running = ready * rng.choice([0.0, 0.5, 1.0], 16)
    timeout = st.sampled_from([INF, INF, 2.0, 5.0])
    limits = Limits(
        slots=draw(st.sampled_from([1, 1, 2, 3, 4])),
        queue_limit=draw(st.sampled_from([None, None, None, 0, 1, 2, 5])),
        queue_timeout_s=draw(timeout),
        client_timeout_s=draw(timeout),
        threshold_s=draw(st.sampled_from([0.5, 2.0, 5.0, 10.0])),
    )
    t0_ns = draw(st.sampled_from([0, 250_000_000, 59_500_000_000, 1_700_000_000_123_456_789]))
    return Case(
        policy, decide, arrival, service, judged, limits, running, ready, arrival[-1] + after, t0_ns
    )


@st.composite
def fates(draw):
    """Anything that is set beside one queue; pauses and hold times fall on the grid of quarters."""
    retries = draw(st.sampled_from([0, 0, 1, 2, 4]))
    return Fates(
        from_zero=draw(st.sampled_from(["queue", "fail", "hold"])),
        hold_limit=draw(st.sampled_from([None, None, 0, 2])),
        hold_timeout_s=draw(st.sampled_from([INF, INF, 1.5, 6.0])),
        router=draw(st.sampled_from(["central", "least_outstanding", "round_robin", "random"])),
        false_ready_s=draw(st.sampled_from([0.0, 0.0, 0.5, 3.0])),
        retries=retries,
        retry_base_s=draw(st.sampled_from([0.0, 0.25, 1.0])),
        retry_factor=draw(st.sampled_from([1.0, 2.0])),
        retry_max_s=draw(st.sampled_from([0.5, 20.0])),
        retry_jitter=draw(st.sampled_from(["none", "none", "full"])),
        retry_client_timeouts=draw(st.booleans()),
        seed=draw(st.integers(0, 3)),
    )


@st.composite
def fated_cases(draw, grid: bool):
    """Cases with fates; one in three has a fleet that follows its requests from and to zero."""
    case = draw(cases(grid))
    case.limits = replace(case.limits, fates=draw(fates().filter(lambda f: not f.plain())))
    if draw(st.integers(0, 2)) == 0:
        case.policy = setup_per_job.build(draw(st.integers(1, 4)))
        case.decide = setup_per_job.decide.py_func
        # A service without length is in flight for the arrival's own event to one and not another.
        case.service = np.maximum(case.service, 0.25)
    return case


def assert_same_bits(one: Result, other: Result) -> None:
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            assert value.tobytes() == getattr(other, name).tobytes(), name
        else:
            assert value == getattr(other, name), name


def fixed_fleet(limits: Limits, *arrays, replicas: int = 1, ready=()) -> Result:
    """Arrivals, and two figures of each, on a fleet that stays; every request is recorded.

    `ready` are the cold starts of those that are not warm at first.
    """
    starts = np.concatenate([np.zeros(replicas - len(ready)), np.array(ready), np.ones(1000)])
    columns = [np.array(one, dtype=float) for one in arrays]
    return simulate(
        fixed.build(replicas, initial=replicas - len(ready)),
        [Work(0, *columns)],
        limits,
        draws=lambda first, count: (np.zeros(count), starts[first : first + count]),
        horizon_s=float(columns[0][-1]) + 1.0,
        records=len(columns[0]),
    )
