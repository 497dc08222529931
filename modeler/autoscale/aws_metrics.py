"""The CloudWatch metrics that AWS policies act on: what each measures, and how often it comes.

Each is taken from the engine's counters once per sampling period, as a value (the metric) and a
load (the metric times the replicas it was divided by, from which capacity follows). When the number
of replicas changes inside a period, neither its last nor its first value is the one the metric was
normalised by; the load is right in any case.

A metric per replica has no value while no replica is there. Zero is not missing: an idle fleet
publishes zeros (SageMaker developer guide, endpoint-auto-scaling-prerequisites, read 2026-09). Of a
fleet with replicas in warm-up the others' mean is published (EC2 Auto Scaling); the load is taken
to be spread evenly, so that it is every replica's, and there is none while all warm up (assumed).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from modeler.autoscale.observation import (
    ARRIVED,
    IN_FLIGHT_SECONDS,
    INVOCATIONS,
    NOW,
    QUEUED,
    QUEUED_SECONDS,
    READY,
    READY_SECONDS,
    RECENT,
    SLOTS,
    UNPLACED,
)
from modeler.compiled import kernel

MINUTE_S: Final = 60.0

# What is measured.
REQUESTS: Final = 0  # requests per replica (sum)
CONCURRENCY: Final = 1  # in service and waiting, per replica
BACKLOG: Final = 2  # in service and waiting, per instance, one when there is none
QUEUE: Final = 3  # waiting, per instance, one when there is none
STRANDED: Final = 4  # 1 while requests wait and no instance is there
UNPLACED_REQUESTS: Final = 5  # requests refused for want of any replica (sum)
UTILISATION: Final = 6  # share of slots in use, of the ready replicas

# Statistics.
AVERAGE: Final = 0
MINIMUM: Final = 1
MAXIMUM: Final = 2
SUM: Final = 3
STATISTICS: Final = {"Average": AVERAGE, "Minimum": MINIMUM, "Maximum": MAXIMUM, "Sum": SUM}


class Metric(NamedTuple):
    """One metric by its name in a scenario.

    Parameters
    ----------
    measure : int. What is taken from the engine.
    period_s, publish_delay_s : float. How often a datapoint comes (documented: SageMaker developer
        guide, monitoring-cloudwatch), and how long after its period (assumed: no vendor figure
        exists). [s]
    statistic : int. The statistic the platform's own alarms use.
    """

    measure: int
    period_s: float
    publish_delay_s: float
    statistic: int


_STANDARD: Final = (60.0, 60.0)
METRICS: Final[dict[str, Metric]] = {
    "invocations_per_instance": Metric(REQUESTS, *_STANDARD, SUM),
    "concurrency_high_resolution": Metric(CONCURRENCY, 10.0, 10.0, AVERAGE),
    "cpu_utilisation": Metric(UTILISATION, *_STANDARD, AVERAGE),
    "gpu_utilisation": Metric(UTILISATION, *_STANDARD, AVERAGE),
    "backlog_per_instance": Metric(BACKLOG, *_STANDARD, AVERAGE),
    "queue_per_instance": Metric(QUEUE, *_STANDARD, AVERAGE),
    "provisioned_concurrency_utilisation": Metric(UTILISATION, *_STANDARD, AVERAGE),
    "has_backlog_without_capacity": Metric(STRANDED, *_STANDARD, AVERAGE),
    "no_capacity_invocation_failures": Metric(UNPLACED_REQUESTS, *_STANDARD, SUM),
}
SUMMED: Final = frozenset({REQUESTS, UNPLACED_REQUESTS})

# Where the sampling keeps the counters as the last period ended, from an offset of 0.
_SAMPLED_AT, _ARRIVED, _BUSY_S, _QUEUED_S, _READY_S, _UNPLACED = range(6)
SAMPLE_SIZE: Final = 6
# One sample.
LENGTH, INVOKED, ARRIVALS, BUSY_S, QUEUED_S, READY_S, UNPLACED_N, QUEUE_NOW, READY_NOW = range(9)
SLOTS_EACH, COLD = 9, 10
ROW_SIZE: Final = 11


@kernel()
def sample(obs, state, row):  # type: ignore[no-untyped-def]
    """Difference the engine's counters over the period that ends now into `row`."""
    row[LENGTH] = obs[NOW] - state[_SAMPLED_AT]
    row[INVOKED] = obs[INVOCATIONS]
    row[ARRIVALS] = obs[ARRIVED] - state[_ARRIVED]
    row[BUSY_S] = obs[IN_FLIGHT_SECONDS] - state[_BUSY_S]
    row[QUEUED_S] = obs[QUEUED_SECONDS] - state[_QUEUED_S]
    row[READY_S] = obs[READY_SECONDS] - state[_READY_S]
    row[UNPLACED_N] = obs[UNPLACED] - state[_UNPLACED]
    row[QUEUE_NOW] = obs[QUEUED]
    row[READY_NOW] = obs[READY]
    row[SLOTS_EACH] = obs[SLOTS]
    row[COLD] = 1.0 if obs[RECENT] > 0.0 and obs[RECENT] >= obs[READY] else 0.0
    state[_SAMPLED_AT] = obs[NOW]
    state[_ARRIVED] = obs[ARRIVED]
    state[_BUSY_S] = obs[IN_FLIGHT_SECONDS]
    state[_QUEUED_S] = obs[QUEUED_SECONDS]
    state[_READY_S] = obs[READY_SECONDS]
    state[_UNPLACED] = obs[UNPLACED]


@kernel()
def has_value(row, measure):  # type: ignore[no-untyped-def]
    """Whether the metric has a datapoint for this sample."""
    if measure in (REQUESTS, CONCURRENCY, UTILISATION):
        return row[READY_S] > 0.0 and row[COLD] == 0.0
    return True


@kernel()
def measured(row, measure):  # type: ignore[no-untyped-def]
    """Value and load of one sample; of a gauge both times the seconds they held for."""
    length = row[LENGTH]
    if measure == REQUESTS:
        return row[INVOKED], row[ARRIVALS]
    if measure == UNPLACED_REQUESTS:
        return row[UNPLACED_N], row[UNPLACED_N]
    if measure == STRANDED:
        stranded = 1.0 if row[QUEUE_NOW] > 0.0 and row[READY_NOW] == 0.0 else 0.0
        return stranded * length, stranded * length
    if measure == UTILISATION:
        load = row[BUSY_S] / row[SLOTS_EACH]
        return load / (row[READY_S] / length), load
    load = row[QUEUED_S]
    if measure != QUEUE:
        load += row[BUSY_S]
    return load / max(row[READY_S] / length, 1.0), load


@kernel()
def of_statistic(statistic, summed, value, seconds, events, least, most):  # type: ignore[no-untyped-def]
    """The datapoint of a period from what its samples added up to."""
    if statistic == SUM:
        return value
    if statistic == MINIMUM:
        return least
    if statistic == MAXIMUM:
        return most
    if summed:
        return value / events if events > 0.0 else 0.0
    return value / seconds if seconds > 0.0 else np.nan
