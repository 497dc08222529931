"""Kubernetes HPA and KEDA: settings and memory of a run, as the numbers the engine holds.

``params`` is a `Header`, then the metrics, then the rules of both directions; ``state`` holds
counts, what KEDA keeps, three rows of pods, a value for each metric as of the last poll, and four
lists: recommendations, scale events up and down, samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale.hpa_limits import Events, store_event
from modeler.autoscale.hpa_replicas import ROW
from modeler.autoscale.hpa_samples import COLUMNS, WIDTH, Metric, sample
from modeler.compiled import kernel

Pairs = Sequence[tuple[float, float]]


class Header(NamedTuple):
    """The settings that are single numbers, in the order in which they are passed."""

    metrics: float
    behavior: float  # 0: the legacy path
    tolerance_down: float
    tolerance_up: float
    up_window_s: float
    down_window_s: float
    up_longest_s: float  # longest period of a policy
    down_longest_s: float
    recommendations: float  # room of each list, below [entries]
    events: float
    samples: float
    cpu_initialization_period_s: float
    initial_readiness_delay_s: float
    outage_from_s: float  # no metric can be read from here
    outage_until_s: float  # to here
    fallback: float  # replicas, NaN for none
    fallback_behavior: float
    failure_threshold: float  # failed reads that a fallback waits for
    recommendations_at: float  # places in the memory
    ups_at: float
    downs_at: float
    samples_at: float
    up_rules_at: float  # places in the settings
    down_rules_at: float
    hpa_minimum: float  # ``minReplicas``; NaN for the fleet's
    # Of KEDA alone.
    keda_minimum: float  # ``minReplicaCount``
    idle: float  # replicas, NaN for none
    cooldown_s: float
    initial_cooldown_s: float
    pause_in: float
    pause_out: float
    force: float
    paused: float  # replicas held, -1 for those there are, NaN for not paused


_HEADER = len(Header._fields)

# The memory: counts, what KEDA keeps, three rows of pods, a cached value for each metric, lists.
_RECOMMENDED, _UPS, _DOWNS, SAMPLES, FAILURES = range(5)
ACTIVE_AT, EVER_ACTIVE, POLLED, COOLING = 5, 6, 7, 8
ROWS = 9
_CACHE = ROWS + 3 * ROW


@kernel()
def header(params):  # type: ignore[no-untyped-def]
    """The settings by name."""
    return Header(
        params[0], params[1], params[2], params[3], params[4], params[5], params[6], params[7],
        params[8], params[9], params[10], params[11], params[12], params[13], params[14],
        params[15], params[16], params[17], params[18], params[19], params[20], params[21],
        params[22], params[23], params[24], params[25], params[26], params[27], params[28],
        params[29], params[30], params[31], params[32],
    )  # fmt: skip


@kernel(inline="always")
def metric_at(params, k):  # type: ignore[no-untyped-def]
    """A metric by its number."""
    at = _HEADER + WIDTH * k
    return Metric(
        params[at], params[at + 1], params[at + 2], params[at + 3], params[at + 4], params[at + 5],
        params[at + 6], params[at + 7], params[at + 8],
    )  # fmt: skip


@kernel(inline="always")
def cache_at(k):  # type: ignore[no-untyped-def]
    """Place of a metric's value as of the last poll."""
    return _CACHE + k


def arranged(h: Header) -> Header:
    """The header with the places of the lists behind one another, each with its room."""
    at = float(_CACHE) + h.metrics
    ups_at = at + 2.0 * h.recommendations
    downs_at = ups_at + 2.0 * h.events
    return h._replace(
        recommendations_at=at,
        ups_at=ups_at,
        downs_at=downs_at,
        samples_at=downs_at + 2.0 * h.events,
    )


def placed(h: Header, metrics: int, up: list[float]) -> Header:
    """The header with the places of the lists, and of the rules behind so many metrics."""
    at = float(_HEADER + WIDTH * metrics)
    return arranged(h._replace(metrics=float(metrics), up_rules_at=at, down_rules_at=at + len(up)))


def state_size(h: Header) -> int:
    """Length of the memory. [float64 values]"""
    return int(h.samples_at) + COLUMNS * int(h.samples)


def load_history(
    state: NDArray[np.float64], h: Header, recommended: Pairs, ups: Pairs, downs: Pairs
) -> None:
    """Start a memory with lists of (replicas, time) and (replicas changed, time)."""
    for place, count, pairs in (
        (int(h.recommendations_at), _RECOMMENDED, recommended),
        (int(h.ups_at), _UPS, ups),
        (int(h.downs_at), _DOWNS, downs),
    ):
        flat = [value for pair in pairs for value in pair]
        state[place : place + len(flat)] = flat
        state[count] = len(pairs)


@kernel(inline="always")
def remember(state, h, wanted, now):  # type: ignore[no-untyped-def]
    """Keep a recommendation as it was before it was stabilised."""
    n = int(state[_RECOMMENDED])
    place = int(h.recommendations_at) + 2 * (n % int(h.recommendations))
    state[place] = wanted
    state[place + 1] = now
    state[_RECOMMENDED] = n + 1


@kernel(inline="always")
def seed(state, h, current, now):  # type: ignore[no-untyped-def]
    """Start the history with the replicas there are, once."""
    if state[_RECOMMENDED] == 0.0:
        remember(state, h, current, now)


@kernel()
def note_event(state, h, before, after, now):  # type: ignore[no-untyped-def]
    """Keep a change, which only policies of a behavior look at."""
    if h.behavior == 0.0 or before == after:
        return
    up = after > before
    count = _UPS if up else _DOWNS
    at = int(h.ups_at if up else h.downs_at)
    longest_s = h.up_longest_s if up else h.down_longest_s
    state[count] = store_event(state, at, int(state[count]), longest_s, abs(after - before), now)


@kernel(inline="always")
def watch(obs, state, h):  # type: ignore[no-untyped-def]
    """Put the fleet as it is now into the ring of samples."""
    n = int(state[SAMPLES])
    state[SAMPLES] = sample(obs, state, int(h.samples_at), int(h.samples), n)


@kernel(inline="always")
def recommended(state, h):  # type: ignore[no-untyped-def]
    """Where the recommendations stand, and how many there are."""
    return int(h.recommendations_at), min(int(state[_RECOMMENDED]), int(h.recommendations))


@kernel(inline="always")
def scale_events(state, h):  # type: ignore[no-untyped-def]
    """Where the two lists of scale events stand, and how many there are."""
    return Events(int(h.ups_at), int(state[_UPS]), int(h.downs_at), int(state[_DOWNS]))
