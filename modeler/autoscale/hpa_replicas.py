"""Kubernetes HPA: how many replicas one metric asks for.

Pods come as rows of a flat vector, `ROW` numbers each: how many pods alike, their value and their
request in whole milli-units, and their class. A conformance case has a row for every pod, the
replay one for each class, and both get the same arithmetic: utilisation in whole percent and
averages in whole milli-units, both truncated, divided by the target as doubles, and rounded up.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/replica_calculator.go and
metrics/utilization.go, read 2026-09.
"""

from __future__ import annotations

import numpy as np

from modeler.compiled import kernel

# A row of pods.
COUNT, VALUE, REQUEST, CLASS = 0, 1, 2, 3
ROW = 4

# Classes. Ignored pods are those that cannot serve yet (the controller's "unready" ones); gone are
# failed, finished or being deleted; a stranger is a sample of a pod that the selector does not see.
READY, IGNORED, MISSING, GONE, STRANGER = 0.0, 1.0, 2.0, 3.0, 4.0

# Phases of a pod.
RUNNING, PENDING, ENDED = 0, 1, 2

FAILED = -1.0  # the metric gives no proposal
MOST = 2147483647.0  # a replica count is an int32


@kernel()
def classify(  # type: ignore[no-untyped-def]
    phase, has_sample, cpu, start_age_s, ready, ready_age_s, sample_age_s, window_s,
    cpu_initialization_period_s, initial_readiness_delay_s,
):  # fmt: skip
    """Class of one pod.

    Parameters
    ----------
    phase : int. `RUNNING`, `PENDING` or `ENDED`, which includes being deleted.
    has_sample : bool. Whether the metric has a sample of it.
    cpu : bool. Whether the metric is the CPU as a resource; no other looks at readiness.
    start_age_s : float. Since it started, NaN if it has not. [s]
    ready : float. Readiness: 1 true, 0 false, NaN where there is no such condition.
    ready_age_s : float. Since readiness last changed, NaN for never. [s]
    sample_age_s, window_s : float. Age of the sample, NaN where it plays no part, and the time it
        covers. [s]
    cpu_initialization_period_s, initial_readiness_delay_s : float. The controller's two start-up
        constants. [s]
    """
    if phase == ENDED:
        return GONE
    if phase == PENDING:
        return IGNORED
    if not has_sample:
        return MISSING
    if not cpu:
        return READY
    if np.isnan(start_age_s) or np.isnan(ready):
        return IGNORED
    changed_ago_s = np.inf if np.isnan(ready_age_s) else ready_age_s
    if start_age_s < cpu_initialization_period_s:
        # Not ready, or its sample began before it was.
        unready = ready == 0.0 or changed_ago_s < window_s + sample_age_s
    else:
        # Not ready, and readiness has not changed since it started: it never was.
        unready = ready == 0.0 and changed_ago_s > start_age_s - initial_readiness_delay_s
    return IGNORED if unready else READY


@kernel(inline="always")
def within(ratio, down, up):  # type: ignore[no-untyped-def]
    """Whether a ratio is close enough to 1 to do nothing; both ends included."""
    return (1.0 - down) <= ratio and ratio <= (1.0 + up)


@kernel()
def _settled(first, second, pods, current, down, up):  # type: ignore[no-untyped-def]
    """Replicas from the ratio with pods filled in, which may only confirm the first's direction."""
    if within(second, down, up) or (first < 1.0 < second) or (second < 1.0 < first):
        return current
    replicas = np.ceil(second * pods)
    if (second < 1.0 and replicas > current) or (second > 1.0 and replicas < current):
        return current
    return replicas


@kernel()
def utilisation_replicas(pods, first, rows, current, target, down, up):  # type: ignore[no-untyped-def]
    """Replicas for a share of what pods request.

    Parameters
    ----------
    pods : float64[]. Rows, from `first` on. [milli-units]
    current : float. ``spec.replicas``. [replicas]
    target : float. [percent]
    down, up : float. Tolerances. [1]

    Returns
    -------
    replicas, percent, average : float, float, float
        `FAILED` where no ready pod has a sample or a pod requests nothing; utilisation [percent],
        usage per pod [milli-units].
    """
    usage = requested = ready = strangers = 0.0
    missing = missing_usage = missing_requested = ignored = ignored_requested = 0.0
    filled = max(100.0, target)
    for k in range(rows):
        at = first + ROW * k
        count = pods[at + COUNT]
        kind = pods[at + CLASS]
        if kind == STRANGER:
            strangers += count
            continue
        request = pods[at + REQUEST]
        if np.isnan(request):
            return FAILED, 0.0, 0.0
        if kind == READY:
            usage += count * pods[at + VALUE]
            requested += count * request
            ready += count
        elif kind == MISSING:
            missing += count
            missing_requested += count * request
            missing_usage += count * np.floor(request * filled / 100.0)
        elif kind == IGNORED:
            ignored += count
            ignored_requested += count * request
    if requested == 0.0:
        return FAILED, 0.0, 0.0
    percent = np.floor(usage * 100.0 / requested)
    average = np.floor(usage / ready)
    ratio = percent / target
    rising = ignored > 0.0 and ratio > 1.0
    if not rising and missing == 0.0:
        if within(ratio, down, up):
            return current, percent, average
        return np.ceil(ratio * ready), percent, average
    values = ready + strangers
    if ratio != 1.0:
        values += missing
        requested += missing_requested
        if ratio < 1.0:
            usage += missing_usage
    if rising:
        values += ignored
        requested += ignored_requested
    second = np.floor(usage * 100.0 / requested) / target
    return _settled(ratio, second, values, current, down, up), percent, average


@kernel()
def average_replicas(pods, first, rows, current, target, down, up):  # type: ignore[no-untyped-def]
    """Replicas for an average over pods; `target` and the average are in milli-units.

    Parameters as for `utilisation_replicas`; requests play no part.

    Returns
    -------
    replicas, average : float, float. `FAILED` where no pod counts.
    """
    total = ready = known = values = missing = ignored = 0.0
    for k in range(rows):
        at = first + ROW * k
        count = pods[at + COUNT]
        kind = pods[at + CLASS]
        if kind != STRANGER:
            known += count
        if kind in (READY, STRANGER):
            # A stranger's sample is not told from the others here, only not counted as a pod.
            total += count * pods[at + VALUE]
            values += count
            if kind == READY:
                ready += count
        elif kind == MISSING:
            missing += count
        elif kind == IGNORED:
            ignored += count
    if known == 0.0 or values == 0.0:
        return FAILED, 0.0
    average = np.floor(total / values)
    ratio = average / target
    rising = ignored > 0.0 and ratio > 1.0
    if not rising and missing == 0.0:
        if within(ratio, down, up):
            return current, average
        return np.ceil(ratio * ready), average
    if ratio != 1.0:
        values += missing
        if ratio < 1.0:
            total += missing * target
    if rising:
        values += ignored
    second = np.floor(total / values) / target
    return _settled(ratio, second, values, current, down, up), average


@kernel()
def value_replicas(total, target, current, ready, down, up):  # type: ignore[no-untyped-def]
    """Replicas for one value of an object or an external source.

    Parameters
    ----------
    total, target : float. [milli-units]
    current : float. ``spec.replicas``. [replicas]
    ready : float. Ready pods that the selector sees; negative when it sees no pods. [pods]
    """
    ratio = total / target
    if current == 0.0:
        return np.ceil(ratio)
    if within(ratio, down, up):
        return current
    if ready < 0.0:
        return FAILED
    return min(np.ceil(ratio * ready), MOST)


@kernel()
def average_value_replicas(total, target, status, down, up):  # type: ignore[no-untyped-def]
    """Replicas for a value to be shared by the pods there are.

    Parameters
    ----------
    total, target : float. The whole, and the share of one pod. [milli-units]
    status : float. ``status.replicas``. [replicas]

    Returns
    -------
    replicas, average : float, float. The average is rounded up. [milli-units]
    """
    if status == 0.0:
        return min(np.ceil(total / target), MOST), 0.0
    average = np.ceil(total / status)
    if within(total / (target * status), down, up):
        return status, average
    return min(np.ceil(total / target), MOST), average


@kernel(inline="always")
def combined(most, failed, metrics, current):  # type: ignore[no-untyped-def]
    """What several metrics ask for together, or `FAILED` for nothing.

    Parameters
    ----------
    most : float. Largest proposal of those that gave one. [replicas]
    failed, metrics : float. How many failed, of how many.
    """
    if failed >= metrics or (failed > 0.0 and most < current):
        return FAILED
    return most
