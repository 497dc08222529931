"""What a Kubernetes metric shows of the fleet: late, averaged over a window, pod class by class.

At every sync the fleet's integrals are put into a ring. A metric of age `delay_s` and window
`window_s` is the difference of two of them, interpolated between syncs; with a window of zero it
is the value at the last sync at least `delay_s` ago. Ready pods share the load evenly (assumed: the
service spreads it). Which pods count follows from how long they have been ready, known to whole
syncs: pods are taken out newest first, so those ready at an earlier sync are the oldest now.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from modeler.autoscale.hpa_replicas import (
    CLASS,
    COUNT,
    IGNORED,
    MISSING,
    READY,
    REQUEST,
    ROW,
    RUNNING,
    VALUE,
    classify,
)
from modeler.autoscale.observation import (
    ARRIVED,
    IN_FLIGHT,
    IN_FLIGHT_SECONDS,
    NOW,
    PENDING,
    QUEUED,
    QUEUED_SECONDS,
    READY_SECONDS,
    SLOTS,
)
from modeler.autoscale.observation import READY as OBS_READY
from modeler.compiled import kernel

# Columns of the ring.
_AT, _BUSY_S, _QUEUED_S, _ARRIVED, _READY_S, _BUSY, _QUEUED, _READY = range(8)
COLUMNS = 8

# What a metric measures.
UTILISATION, CONCURRENCY, REQUESTS, QUEUE = 0.0, 1.0, 2.0, 3.0
MEASURES = {
    "cpu_utilisation": UTILISATION,
    "gpu_utilisation": UTILISATION,
    "concurrency": CONCURRENCY,
    "requests_per_second": REQUESTS,
    "queue_length": QUEUE,
}

# A quantity is read in whole milli-units, rounded up (k8s.io/apimachinery, Quantity.MilliValue);
# what exceeds a whole one by less is rounding of the integrals.
_MILLI = 1000.0
_ROUNDING = 1e-6


class Metric(NamedTuple):
    """One metric, in the order in which it is passed."""

    measure: float  # one of MEASURES
    form: float  # one of hpa.FORMS
    target: float  # [percent] for a utilisation, else [milli-units]
    delay_s: float
    window_s: float
    scale: float  # from a share of the slots to the metric's unit
    cpu: float  # 1 where readiness counts: the CPU as a resource
    activation: float  # KEDA: what must be exceeded to be active, in the metric's unit
    cached: float  # KEDA: 1 for the value as of the last poll


WIDTH = len(Metric._fields)


@kernel(inline="always")
def milli(value):  # type: ignore[no-untyped-def]
    """A quantity in whole milli-units."""
    return np.ceil(value * _MILLI - _ROUNDING) + 0.0  # no negative zero


@kernel()
def sample(obs, state, at, capacity, n):  # type: ignore[no-untyped-def]
    """Put the fleet as it is now into the ring; how many rows it has had."""
    if n == 0 and obs[NOW] > 0.0:
        # The fleet before the first sync: warm, and without load.
        state[at + _AT] = 0.0
        state[at + _READY] = obs[OBS_READY]
        n = 1
    row = at + COLUMNS * (n % capacity)
    state[row + _AT] = obs[NOW]
    state[row + _BUSY_S] = obs[IN_FLIGHT_SECONDS]
    state[row + _QUEUED_S] = obs[QUEUED_SECONDS]
    state[row + _ARRIVED] = obs[ARRIVED]
    state[row + _READY_S] = obs[READY_SECONDS]
    state[row + _BUSY] = obs[IN_FLIGHT]
    state[row + _QUEUED] = obs[QUEUED]
    state[row + _READY] = obs[OBS_READY]
    return n + 1


@kernel()
def _row_at(state, at, capacity, n, when):  # type: ignore[no-untyped-def]
    """Number of the last row not later than an instant; the oldest kept where all are later."""
    oldest = max(n - capacity, 0)
    k = n - 1
    while k > oldest and state[at + COLUMNS * (k % capacity) + _AT] > when + _ROUNDING:
        k -= 1
    return k


@kernel()
def _grown(state, at, capacity, n, first, begin, last, end, column):  # type: ignore[no-untyped-def]
    """By how much an integral grew from an instant in or after one row to one in or after another.

    Linear between rows.
    """
    total = 0.0
    for k, when, sign in ((last, end, 1.0), (first, begin, -1.0)):
        row = at + COLUMNS * (k % capacity)
        value = state[row + column]
        ahead = when - state[row + _AT]
        if k + 1 < n and ahead > _ROUNDING:
            following = at + COLUMNS * ((k + 1) % capacity)
            length = state[following + _AT] - state[row + _AT]
            value += (state[following + column] - value) * ahead / length
        total += sign * value
    return total


@kernel()
def load(state, at, capacity, n, now, measure, delay_s, window_s):  # type: ignore[no-untyped-def]
    """What a metric shows: the whole fleet's load, and the ready pods it lay on.

    Returns
    -------
    load, pods : float, float
        Busy slots, requests, requests per second or requests waiting; ready pods, both averaged
        over the window. Negative pods: nothing has been measured yet.
    """
    end = now - delay_s
    if end < 0.0 or (window_s > 0.0 and end <= 0.0):
        return 0.0, -1.0
    last = _row_at(state, at, capacity, n, end)
    if window_s == 0.0:
        row = at + COLUMNS * (last % capacity)
        if measure == QUEUE:
            amount = state[row + _QUEUED]
        elif measure == UTILISATION:
            amount = state[row + _BUSY]
        else:
            amount = state[row + _BUSY] + state[row + _QUEUED]
        return amount, state[row + _READY]
    begin = max(end - window_s, 0.0)
    first = _row_at(state, at, capacity, n, begin)
    begin = max(begin, state[at + COLUMNS * (first % capacity) + _AT])
    span = end - begin
    # Busy, waiting, arrived: the columns lie in this order.
    column = _BUSY_S
    if measure == QUEUE:
        column = _QUEUED_S
    elif measure == REQUESTS:
        column = _ARRIVED
    amount = _grown(state, at, capacity, n, first, begin, last, end, column)
    if measure == CONCURRENCY:
        amount += _grown(state, at, capacity, n, first, begin, last, end, column + 1)
    pods = _grown(state, at, capacity, n, first, begin, last, end, column * 0 + _READY_S)
    return amount / span, pods / span


@kernel()
def pod_rows(  # type: ignore[no-untyped-def]
    obs, state, at, capacity, n, rows_at, m, amount, pods,
    cpu_initialization_period_s, initial_readiness_delay_s,
):  # fmt: skip
    """Write the pods of one metric as three rows: counted, just ready, not ready yet.

    A pod that became ready less than the metric's age ago has no sample; with the CPU, one whose
    sample began before it was ready is ignored, as long as it is within the initialisation period,
    counted here from its readiness (assumed: the replay does not know when its container started).
    Pods that are not ready yet are taken to be pending (assumed).
    """
    ready = obs[OBS_READY]
    now = obs[NOW]
    counted = ready
    kind = READY
    oldest = max(n - capacity, 0)
    k = n - 1
    age = 0.0
    while counted > 0.0:
        one = classify(
            RUNNING, m.cpu != 0.0 or age >= m.delay_s - _ROUNDING, m.cpu != 0.0, age, 1.0, age,
            m.delay_s, m.window_s - _ROUNDING,
            cpu_initialization_period_s, initial_readiness_delay_s,
        )  # fmt: skip
        if one == READY:
            break
        kind = one
        # Those of this age and younger do not count; the others were ready one sync earlier.
        k -= 1
        if k < oldest:
            break  # the warm fleet: ready since before the start
        row = at + COLUMNS * (k % capacity)
        counted = min(counted, state[row + _READY])
        age = now - state[row + _AT]
    if pods <= 0.0:
        counted = 0.0
        kind = MISSING
    each = 0.0
    if pods > 0.0:
        each = amount / pods
        if m.measure == UTILISATION:
            each = min(each / obs[SLOTS], 1.0)
    for row in range(3):
        place = rows_at + ROW * row
        state[place + VALUE] = 0.0
        state[place + REQUEST] = _MILLI
    state[rows_at + COUNT] = counted
    state[rows_at + VALUE] = milli(each * m.scale)
    state[rows_at + CLASS] = READY
    state[rows_at + ROW + COUNT] = ready - counted
    state[rows_at + ROW + CLASS] = kind
    state[rows_at + 2 * ROW + COUNT] = obs[PENDING]
    state[rows_at + 2 * ROW + CLASS] = IGNORED
    return 3
