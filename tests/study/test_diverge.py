"""When two replays part, on a queue whose every start and end can be computed by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.plain import to_plain
from modeler.replay.run import run
from modeler.scenario import loads, with_values
from modeler.study.diverge import first_divergence, settings_changed
from traces import CountSeries, Trace

# 2026-03-02 08:00:00 UTC. One request a second, each 1.25 s on a replica of one slot: with one
# replica request k starts at 1.25 k. A second one is asked for by a schedule, ready 2 min later.
T0_NS = 1_772_438_400_000_000_000
TRACE = Trace(np.arange(2400.0), t0_ns=T0_NS, t0_is_absolute=True, source="one a second")
UNDATED = Trace(np.arange(2400.0), source="one a second")
SCENARIO = """
model: {size: 2GB}
service: {kind: fixed, mean_s: 1.25s}
cold_start: {total_s: 2m, sigma_log: 0}
fleet: {min: 1, max: 4, slots: 1, initial: 1}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
policies:
  - {kind: target_tracking, target: 1000}
  - {kind: scheduled, schedule: "at(2026-03-02T08:10:00)", min_replicas: 2}
"""


@cache
def replayed(when: str = "08:10", number: int = 2, initial: int = 1, trace=TRACE, records=True):
    schedule = f"at(2026-03-02T{when}:00)"
    values = {"policies.1.schedule": schedule, "policies.1.min_replicas": number}
    scenario = with_values(loads(SCENARIO), {**values, "fleet.initial": initial})
    return run(scenario, trace, records=records)


def test_a_replica_asked_for_ten_minutes_earlier():
    found = first_divergence(replayed("08:10"), replayed("08:20"))
    assert found.time_s == 600.0
    assert found.at == "2026-03-02T08:10:00Z"
    assert found.decision.time_s == 600.0
    assert found.decision.desired == (2, 1)
    here, there = found.decision.decisions
    assert (here.reason, here.from_replicas, here.to_replicas) == ("ScheduledAction", 1, 2)
    assert there is None
    assert found.replica.time_s == 600.0
    assert found.replica.events == (("requested", 1), None)
    # At 720 s the first replica ends request 575 and starts 576; the second takes 577 at once.
    assert found.request == (
        720.0, 577, 577.0, ("served", "served"), (720.0, 721.25), (721.25, 722.5)
    )  # fmt: skip


def test_one_replica_more_at_the_same_moment():
    found = first_divergence(replayed("08:10", 2), replayed("08:10", 3))
    assert found.decision.desired == (2, 3)
    assert [one.to_replicas for one in found.decision.decisions] == [2, 3]
    assert found.replica == (600.0, (None, ("requested", 2)))
    # The second replica takes 577 in both; the third takes 578, which else waits for 721.25 s.
    assert found.request.request == 578
    assert found.request.time_s == 720.0
    assert found.request.start_s == (721.25, 720.0)


def test_another_fleet_from_the_start():
    found = first_divergence(replayed(initial=1), replayed(initial=2))
    assert found.time_s == 0.0
    assert found.decision == (0.0, (1, 2), (None, None))
    assert found.replica.events[0] is None
    assert found.replica.events[1].replica == 1
    assert (found.request.request, found.request.time_s) == (1, 1.0)
    assert found.request.start_s == (1.25, 1.0)


def test_other_services_part_without_a_decision():
    a, b = replayed(), replayed()
    slower = with_values(b.scenario, {"service.mean_s": "1.5s"})
    found = first_divergence(a, run(slower, TRACE, records=True))
    assert found.decision is None
    assert (found.time_s, found.request.request, found.request.end_s) == (1.25, 0, (1.25, 1.5))


def test_without_records_requests_are_not_compared():
    found = first_divergence(replayed("08:10", records=False), replayed("08:20"))
    assert found.request is None
    assert found.time_s == 600.0


def test_without_a_date_there_are_seconds_only():
    # The clock of undated traffic begins in 1970, long before the schedule.
    found = first_divergence(replayed(trace=UNDATED), replayed(initial=2, trace=UNDATED))
    assert (found.time_s, found.at) == (0.0, None)


def test_plain_values_are_what_json_shows():
    shown = to_plain(first_divergence(replayed("08:10"), replayed("08:20")))
    assert shown["decision"]["desired"] == [2, 1]
    assert shown["decision"]["decisions"][0]["reason"] == "ScheduledAction"
    assert shown["replica"]["events"] == [{"event": "requested", "replica": 1}, None]
    assert shown["request"]["start_s"] == [720.0, 721.25]


@given(
    a=st.tuples(st.sampled_from(["08:10", "08:20"]), st.integers(1, 3), st.integers(1, 2)),
    b=st.tuples(st.sampled_from(["08:10", "08:20"]), st.integers(1, 3), st.integers(1, 2)),
)
@settings(max_examples=30, deadline=None)
def test_the_moment_is_the_same_from_either_side(a, b):
    here = first_divergence(replayed(*a), replayed(*b))
    there = first_divergence(replayed(*b), replayed(*a))
    if a == b:
        assert here is None
    if here is None:
        assert there is None
        return
    assert (here.time_s, here.at) == (there.time_s, there.at)
    for one, other in (
        (here.decision, there.decision),
        (here.replica, there.replica),
        (here.request, there.request),
    ):
        assert (one is None) == (other is None)
        for mine, others in zip(one or (), other or (), strict=True):
            turned = others[::-1] if isinstance(others, tuple) else others
            assert mine == turned


def test_other_traffic_is_refused():
    with pytest.raises(ValueError, match="different traffic: one a second"):
        first_divergence(replayed(), replayed(trace=UNDATED))
    counts = CountSeries(np.array([5, 5]), 60.0)
    scenario = loads(SCENARIO)
    other = with_values(scenario, {"seed": 1})
    with pytest.raises(ValueError, match=r"\(seed 0\).*\(seed 1\)"):
        first_divergence(run(scenario, counts), run(other, counts))


def test_settings_that_differ_are_marked():
    scenario = loads("fleet: {min: 1, max: 4}\npolicy: {kind: target_tracking, target: 8}\n")
    other = with_values(scenario, {"policy.kind": "fixed", "policy.replicas": 3, "fleet.max": 9})
    found = {row.path: row for row in settings_changed(scenario, other)}
    assert found["fleet.max"] == ("fleet.max", 4, 9, "~")
    assert found["policy.kind"] == ("policy.kind", "target_tracking", "fixed", "~")
    assert found["policy.target"] == ("policy.target", 8, None, "-")
    assert found["policy.replicas"] == ("policy.replicas", None, 3, "+")
    assert "fleet.min" not in found


@given(
    a=st.tuples(st.integers(1, 3), st.sampled_from(["target_tracking", "fixed"])),
    b=st.tuples(st.integers(1, 3), st.sampled_from(["target_tracking", "fixed"])),
)
def test_changes_turn_round_with_the_scenarios(a, b):
    one, other = (
        with_values(
            loads("name: some"),
            {"fleet.min": number, "policy.kind": kind, "name": f"{number}"}
            | ({"policy.replicas": 2} if kind == "fixed" else {}),
        )
        for number, kind in (a, b)
    )
    found, turned = settings_changed(one, other), settings_changed(other, one)
    assert (found == []) == (a == b)
    marks = {"+": "-", "-": "+", "~": "~"}
    assert [(row.path, row.b, row.a, marks[row.mark]) for row in found] == turned
