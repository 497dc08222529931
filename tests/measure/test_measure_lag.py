"""Lags, breaches and causes of violations, one small example each, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from modeler.autoscale import fixed, target_tracking
from modeler.measure import judge, lag
from modeler.measure.decisions import decisions
from modeler.predict.cold_start import serial_stages
from modeler.replay import Limits, Result, Work, run, simulate
from modeler.scenario import default, with_values
from traces import Trace

# Provision 30 s, load 50 s, init 20 s: requested to ready takes 100 s.
LAW = serial_stages({"provision": 30.0, "load": 50.0, "init": 20.0})


def tracking(*, target: float = 30.0, maximum: int = 3, **changes):
    """Looks every 2 s at the 2 s before, without delay; more than `target` a minute adds one."""
    settings = {
        "metric": "invocations_per_instance",
        "target": target,
        "minimum": 1,
        "maximum": maximum,
        "initial": 1,
        "period_s": 2.0,
        "publish_delay_s": 0.0,
        "alarm_eval_delay_s": 0.0,
        "high_datapoints": 1,
        "disable_scale_in": True,
        **changes,
    }
    return target_tracking.build(**settings)


def replay(policy, arrival, service, *, ready=None, horizon=0.0, judged=None, **limits) -> Result:
    arrival, service = np.array(arrival, dtype=float), np.array(service, dtype=float)
    judged = service if judged is None else np.array(judged, dtype=float)

    def draws(first, count):
        if ready is not None:
            return np.zeros(count), np.full(count, float(ready))
        table = LAW.sample(first, count)
        return table.running_s, table.ready_s

    return simulate(
        policy,
        [Work(0, arrival, service, judged)],
        Limits(**limits),
        draws=draws,
        horizon_s=max(float(arrival[-1]), horizon),
        records=len(arrival),
    )


def both(seconds):
    return {"p50": pytest.approx(seconds), "p95": pytest.approx(seconds)}


# --- lag ---


def test_a_breach_that_opens_while_a_replica_is_pending():
    # Requested at 0, ready at 100; the second request at 10 finds no slot.
    result = replay(fixed.build(2, initial=1), [0, 10], [500, 1], horizon=200.0)
    assert result.breaches.tolist() == [[10.0, 1.0, 100.0]]
    shown = lag.breach_to_ready(result, LAW)
    assert shown == {
        **both(90.0),
        "count": 1,
        # Ten of the thirty seconds of provision had passed when the breach opened.
        "phases": {
            "detect": both(0.0),
            "provision": both(20.0),
            "load": both(50.0),
            "init": both(20.0),
        },
    }


def test_a_breach_that_is_detected_first():
    # Two requests in the two seconds before 6 s: one replica more at 6 s, ready at 106 s.
    result = replay(tracking(), [0, 5, 5.5], [500, 1, 1], horizon=200.0)
    assert next((d.time_s, d.to_replicas) for d in result.decisions) == (6.0, 2)
    shown = lag.breach_to_ready(result, LAW)
    assert (shown["p50"], shown["count"]) == (101.0, 1)
    assert {name: phase["p50"] for name, phase in shown["phases"].items()} == {
        "detect": 1.0,
        "provision": 30.0,
        "load": 50.0,
        "init": 20.0,
    }


def test_phases_of_a_breach_to_ready_add_up_when_they_follow_one_another():
    for came in (0.0, 17.0, 30.0, 79.5, 99.0):
        result = replay(fixed.build(2, initial=1), [0, 0, came], [200, 0.5, 1], horizon=300.0)
        shown = lag.breach_to_ready(result, LAW)
        assert sum(phase["p50"] for phase in shown["phases"].values()) == pytest.approx(100.0)
        result = replay(fixed.build(2, initial=1), [0, came], [200, 1], horizon=300.0)
        shown = lag.breach_to_ready(result, LAW)
        assert sum(phase["p50"] for phase in shown["phases"].values()) == pytest.approx(100 - came)


def test_a_run_without_breaches_has_no_lag():
    result = replay(fixed.build(1), [0.0], [1.0])
    shown = lag.breach_to_ready(result, LAW)
    assert (shown["p50"], shown["p95"], shown["count"]) == (None, None, 0)
    assert set(shown["phases"]) == {"detect", "provision", "load", "init"}


def test_decision_to_ready_is_the_law_with_the_run_beside_it():
    result = replay(fixed.build(3, initial=1), [0, 10], [500, 1], horizon=200.0)
    shown = lag.decision_to_ready(result, LAW)
    assert (shown["p50"], shown["p95"]) == (100.0, 100.0)
    assert shown["observed"] == {**both(100.0), "count": 2}
    assert shown["phases"]["load"] == {"p50": 50.0, "p95": 50.0, "starts_s": 30.0}
    # Replicas that never became ready do not count.
    result = replay(fixed.build(3, initial=1), [0.0], [5.0])
    assert lag.decision_to_ready(result, LAW)["observed"] == {"p50": None, "p95": None, "count": 0}


# --- breaches ---


def counts(result: Result) -> tuple[int, int, int]:
    return len(result.breaches), result.self_cleared, result.censored


def test_a_breach_closed_by_a_finish_has_cleared_itself():
    assert counts(replay(fixed.build(1), [0, 1], [5, 1], horizon=50.0)) == (0, 1, 0)


def test_a_breach_closed_by_a_time_out_has_cleared_itself():
    result = replay(fixed.build(1), [0, 1], [50, 1], horizon=90.0, queue_timeout_s=3.0)
    assert counts(result) == (0, 1, 0)


def test_a_breach_open_at_the_end_of_the_trace_is_censored_even_if_it_would_have_been_measured():
    result = replay(fixed.build(2, initial=1), [0, 10], [500, 1])
    assert counts(result) == (0, 0, 1)
    assert result.served == 2


def test_a_breach_is_counted_once_however_many_replicas_come():
    result = replay(fixed.build(3, initial=1), [0, 10, 10, 10], [500, 500, 500, 1], horizon=900.0)
    assert counts(result) == (1, 0, 0)


def test_a_second_breach_opens_when_the_queue_has_been_empty():
    # Slot busy to 5: breach 1 s to 5 s. Busy to 7: breach 6 s to 7 s. The third request joins it.
    result = replay(fixed.build(1), [0, 1, 6, 6.5], [5, 2, 1, 1], horizon=50.0)
    assert counts(result) == (0, 2, 0)


def test_where_nothing_may_wait_a_breach_closes_as_it_opens():
    result = replay(fixed.build(1), [0, 1, 2], [9, 1, 1], horizon=50.0, queue_limit=0)
    assert counts(result) == (0, 2, 0)


# --- causes ---


def cause(result: Result, request: int = -1) -> str:
    [name] = [
        name
        for code, name in enumerate(
            ("", "service_time", "queue_limit", "replica_cap", "cold_start", "decision", "lost")
        )
        if code == result.record[request, 1]
    ]
    return name


def test_service_alone_above_the_threshold_comes_before_the_rest():
    assert cause(replay(fixed.build(1), [0], [5], threshold_s=4.0)) == "service_time"
    # Even where the request is refused, or waits.
    full = replay(fixed.build(1), [0, 1], [9, 5], threshold_s=4.0, queue_limit=0)
    assert cause(full) == "service_time"
    assert cause(replay(fixed.build(1), [0, 1], [3, 5], threshold_s=4.0)) == "service_time"
    # A service that outlives the client's patience can never be served in time either.
    late = replay(fixed.build(1), [0], [5], threshold_s=10.0, client_timeout_s=4.0)
    assert cause(late) == "service_time"


def test_the_judged_moment_is_what_counts():
    # Served at 5 s, but its first token came after 1 s.
    kept = replay(fixed.build(1), [0], [5], judged=[1], threshold_s=4.0)
    assert cause(kept) == ""
    late = replay(fixed.build(1), [0, 0], [5, 5], judged=[1, 1], threshold_s=4.0)
    assert cause(late) == "replica_cap"


def test_a_full_queue():
    assert cause(replay(fixed.build(1), [0, 1], [9, 1], threshold_s=2, queue_limit=0)) == (
        "queue_limit"
    )


def test_desired_capacity_at_its_maximum_throughout_the_wait():
    assert cause(replay(tracking(maximum=1), [0, 1], [9, 1], threshold_s=2)) == "replica_cap"
    # One of two is pending all the while: it could not have asked for more.
    cold = replay(fixed.build(2, initial=1), [0, 1], [9, 1], ready=5, threshold_s=2)
    assert cause(cold) == "replica_cap"


@pytest.mark.parametrize(
    ("ready_s", "expected"), [(1.5, "decision"), (2.0, "cold_start"), (2.5, "cold_start")]
)
def test_the_larger_part_of_the_wait_decides_and_a_tie_goes_to_the_cold_start(ready_s, expected):
    # The second waits from 0; at 2 s a replica is asked for, which takes `ready_s`.
    result = replay(tracking(), [0, 0], [9, 1], ready=ready_s, threshold_s=2.0)
    assert result.record_s[1].tolist() == [2.0 + ready_s, 3.0 + ready_s]
    assert cause(result) == expected


def test_nothing_pending_is_the_decisions_fault():
    assert cause(replay(tracking(target=1e6), [0, 1], [9, 1], threshold_s=2)) == "decision"


def test_a_maximum_reached_while_it_waited_is_not_throughout():
    # At most two: desired from 2 s on, so a request of 0 s waited without, one of 3 s with.
    result = replay(
        tracking(maximum=2), [0, 0, 3], [90, 90, 1], ready=50, threshold_s=5.0, horizon=99.0
    )
    assert [cause(result, k) for k in (1, 2)] == ["service_time", "replica_cap"]
    result = replay(
        tracking(maximum=2), [0, 0, 3], [90, 9, 1], ready=50, threshold_s=10.0, horizon=99.0
    )
    assert [cause(result, k) for k in (1, 2)] == ["cold_start", "replica_cap"]


def test_what_nothing_could_serve_is_lost_capacity():
    policy = target_tracking.build(
        metric="invocations_per_instance",
        target=1.0,
        minimum=0,
        maximum=3,
        initial=0,
        period_s=60.0,
        publish_delay_s=60.0,
    )
    assert cause(replay(policy, [0.0], [9.0], threshold_s=2.0)) == "lost"


# --- from a scenario ---


def test_an_outcome_holds_all_of_it():
    scenario = with_values(
        with_values(default(), {"sweep": {}}),
        {
            "service.kind": "trace",
            "hosting.usd_per_hour": 3.6,
            "hosting.release_s": 0,
            "cold_start.total_s": 4,
            "policy.target": 30,
            "policy.period_s": 2,
            "policy.low_period_s": 2,
            "policy.low_datapoints": 5,
            "policy.high_datapoints": 1,
            "policy.publish_delay_s": 0,
            "policy.alarm_eval_delay_s": 0,
            "fleet.max": 2,
            "sla.threshold_s": 3,
        },
    )
    # Two at once: one waits from 0 s; asked for at 2 s, ready at 6 s; nothing more until 30 s.
    trace = Trace([0.0, 0.0, 30.0], {"service_s": [10.0, 1.0, 1.0]})
    done = run(scenario, trace, records=True)
    outcome = judge(done)
    assert outcome.violations_by_cause == {
        "service_time": 1,
        "queue_limit": 0,
        "replica_cap": 0,
        "cold_start": 1,
        "decision": 0,
        "lost_capacity": 0,
    }
    assert outcome.sla_violation_share == pytest.approx(2 / 3)
    assert outcome.breaches == {"measured": 1, "self_cleared": 0, "censored": 0}
    assert outcome.breach_to_ready_s["p50"] == 6.0
    assert outcome.breach_to_ready_s["phases"]["detect"]["p50"] == 2.0
    rows = decisions(done)
    changes = [row for row in rows if row["from_replicas"] != row["to_replicas"]]
    # The load is gone after 2 s: low from 2 s to 12 s.
    assert [(row["time_s"], row["reason"]) for row in changes] == [
        (2.0, "ScaledOut"),
        (12.0, "ScaledIn"),
    ]
    assert [(row["ready_s"], row["released_s"]) for row in changes] == [(6.0, None), (None, 12.0)]
    assert all(row["ready_s"] is None for row in rows if row not in changes)
