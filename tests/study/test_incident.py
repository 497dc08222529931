"""An incident whose starts, ends, misses and dollars are worked out apart, and windows of it."""

from __future__ import annotations

import csv
import heapq
import os
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.plain import to_json, to_plain
from modeler.scenario import ScenarioError, loads, with_values
from modeler.study import IncidentError, incident, presets_of, replay
from modeler.study.intervals import seed_of
from traces import CountSeries, Trace

# From 2026-03-02 08:00 UTC on one request in two seconds, from 08:20 to 08:50 one a second, then as
# before until 10:30. A service takes 1.25 s, so that one replica of one slot falls behind between.
T0_NS = 1_772_438_400_000_000_000
ARRIVALS = np.concatenate(
    [np.arange(0.0, 1200.0, 2.0), np.arange(1200.0, 3000.0), np.arange(3000.0, 9000.0, 2.0)]
)
TRACE = Trace(ARRIVALS, t0_ns=T0_NS, t0_is_absolute=True, source="a step")
UNDATED = Trace(ARRIVALS, source="a step")
SERVICE_S, START_S, LIMIT_S = 1.25, 120.0, 2.0
# A second replica from 08:35 on, by a schedule; a cent a second for each.
SCENARIO = """
model: {size: 2GB}
hosting: {usd_per_hour: 36}
service: {kind: fixed, mean_s: 1.25s}
cold_start: {total_s: 2m, sigma_log: 0}
fleet: {min: 1, max: 4, slots: 1, initial: 1}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
sla: {threshold_s: 2s}
policies:
  - {kind: target_tracking, target: 1000, disable_scale_in: true}
  - {kind: scheduled, schedule: "at(2026-03-02T08:35:00)", min_replicas: 2}
"""
EARLIER = {"policies.1.schedule": ["at(2026-03-02T08:25:00)"]}
HOUR = ("2026-03-02T08:20", "2026-03-02T09:20:00Z")


def misses(asked_s: float, from_s: float, to_s: float) -> np.ndarray:
    """Of a queue with a second server from `asked_s` and a start on: arrivals in a window, late."""
    free = [0.0, asked_s + START_S]
    late = []
    for arrival in ARRIVALS.tolist():
        start = max(arrival, heapq.heappop(free))
        heapq.heappush(free, start + SERVICE_S)
        if from_s <= arrival < to_s:
            late.append(start + SERVICE_S - arrival > LIMIT_S)
    return np.array(late)


@cache
def worked(window=HOUR):
    return incident(loads(SCENARIO), window, settings=EARLIER, trace=TRACE)


def test_the_step_is_as_worked_out_by_hand():
    found = worked()
    ran, earlier = found.rows
    late, then = misses(2100.0, 1200.0, 4800.0), misses(1500.0, 1200.0, 4800.0)
    assert ran["name"] == "the policy that ran"
    assert earlier["name"] == "policies.1.schedule = at(2026-03-02T08:25:00)"
    assert (ran["requests"], ran["violations"]) == (len(late), late.sum())
    assert (earlier["requests"], earlier["violations"]) == (len(late), then.sum())
    assert earlier["saved"] == late.sum() - then.sum() > 0
    assert earlier["rescued"] == (late & ~then).sum()
    assert earlier["harmed"] == (then & ~late).sum()
    assert (ran["acted_s"], ran["ready_s"]) == (2100.0, 2220.0)
    assert ran["acted_at"] == "2026-03-02T08:35:00Z"
    assert (earlier["acted_s"], earlier["ready_s"]) == (1500.0, 1620.0)
    assert earlier["earlier_s"] == 600.0
    # The first for the hour, the second from its request on: SageMaker bills from there.
    assert ran["usd"] == pytest.approx(0.01 * (3600.0 + 2700.0), rel=1e-12)
    assert earlier["usd"] == pytest.approx(0.01 * (3600.0 + 3300.0), rel=1e-12)
    assert earlier["usd_added"] == pytest.approx(6.0, rel=1e-12)
    assert earlier["usd_run_added"] == pytest.approx(6.0, rel=1e-9)
    assert (ran["peak_replicas"], ran["ready_at_start"]) == (2, 1)
    # One more waits every 5 s from 1200 s on, until the second replica is there.
    assert ran["peak_backlog"] == pytest.approx((2220.0 - 1200.0) / 5.0, abs=2)
    assert found.sentence() == (
        "Had policies.1.schedule been at(2026-03-02T08:25:00), capacity would have been asked for "
        f"10 m 0 s earlier: {(late & ~then).sum():,} of {late.sum():,} late or failed requests "
        "saved for $6.00 more in the window."
    )


def test_what_was_asked_for_before_the_window_is_on_its_way():
    found = worked(("36m", "1h20m"))
    ran, earlier = found.rows
    assert (ran["ready_at_start"], ran["pending_at_start"]) == (1, 1)
    assert (earlier["ready_at_start"], earlier["pending_at_start"]) == (2, 0)
    assert ran["acted_s"] is earlier["earlier_s"] is None
    found = worked(("26m", "1h20m"))
    assert [row["pending_at_start"] for row in found.rows] == [0, 1]
    assert found.sentence().startswith(
        "Had policies.1.schedule been at(2026-03-02T08:25:00), 2 replicas instead of 1 would have "
        "been ready or on their way as it began: "
    )


def test_a_first_arrival_between_milliseconds_is_no_hindrance():
    odd = Trace(ARRIVALS, t0_ns=T0_NS + 400_410, t0_is_absolute=True)
    found = incident(loads(SCENARIO), HOUR, trace=odd)
    assert found.meta["window"]["from"] == "2026-03-02T08:20:00Z"


def test_the_law_of_what_is_saved():
    found = worked()
    ran = found.rows[0]
    for row in found.rows:
        causes = ran["violations_by_cause"]
        assert row["saved"] == ran["violations"] - row["violations"]
        assert row["saved"] == row["rescued"] - row["harmed"]
        assert row["saved"] == sum(row["saved_by_cause"].values())
        for cause, saved in row["saved_by_cause"].items():
            assert saved == causes[cause] - row["violations_by_cause"][cause]


def test_the_whole_traffic_gives_the_totals_of_a_replay():
    found = incident(loads(SCENARIO), (0.0, None), settings=EARLIER, trace=TRACE)
    values = {path: values[0] for path, values in EARLIER.items()}
    for row, scenario in zip(
        found.rows, (loads(SCENARIO), with_values(loads(SCENARIO), values)), strict=True
    ):
        outcome = replay(scenario, trace=TRACE).outcome
        assert row["requests"] == outcome.requests
        assert row["violations_by_cause"] == outcome.violations_by_cause
        assert row["usd"] == pytest.approx(outcome.usd_total, rel=1e-9)
        assert row["usd_run"] == outcome.usd_total
        assert row["peak_replicas"] == outcome.replicas["peak"]


@given(cut=st.floats(1.0, 8998.0))
@settings(max_examples=10, deadline=None)
def test_two_windows_are_the_whole(cut):
    def of(window):
        return incident(loads(SCENARIO), window, settings=EARLIER, trace=TRACE).rows

    for whole, before, after in zip(of((0.0, None)), of((None, cut)), of((cut, None)), strict=True):
        for key in ("requests", "violations", "saved", "rescued", "harmed"):
            assert whole[key] == before[key] + after[key]
        for key in ("usd", "usd_added"):
            assert whole[key] == pytest.approx(before[key] + after[key], rel=1e-9)


@pytest.mark.parametrize(
    "window",
    [
        ("20m", "1h20m"),
        (1200, 4800.0),
        ("2026-03-02T09:20:00+01:00", "1h20m"),
        (datetime(2026, 3, 2, 8, 20, tzinfo=UTC), datetime(2026, 3, 2, 9, 20)),
    ],
)
def test_a_moment_may_be_said_in_several_ways(window):
    assert worked(window).rows == worked().rows
    assert worked(window).meta["window"]["from"] == "2026-03-02T08:20:00Z"


def test_without_chance_every_luck_is_the_same():
    found = incident(loads(SCENARIO), HOUR, settings=EARLIER, trace=TRACE, replicates=30)
    ran, earlier = found.rows
    # Settled at once: it saves as many in each of the least number of lucks.
    assert found.meta["replicates"] == 20
    assert ran["violations_low"] == ran["violations_high"] == ran["violations"]
    assert earlier["saved_low"] == earlier["saved_high"] == earlier["saved"] > 0
    assert earlier["saved_differs"]
    assert earlier["usd_added_low"] == pytest.approx(6.0) == earlier["usd_added_high"]
    assert (ran["saved_low"], ran["saved_differs"]) == (None, None)
    saved = earlier["saved"]
    assert f" Over 20 other lucks of the same traffic it is between {saved:,} and {saved:,} " in (
        found.sentence()
    )
    # What the scenario's own seed gives is what it gave without them.
    same = ("violations", "saved", "rescued", "usd", "usd_run_added", "acted_s")
    for row, plain in zip(found.rows, worked().rows, strict=True):
        assert {key: row[key] for key in same} == {key: plain[key] for key in same}
        assert plain["saved_low"] is None
    assert worked().meta["replicates"] == 0


def test_lucks_are_paired():
    """Service times vary: what is saved varies less than what two lucks of their own would."""
    slow = with_values(loads(SCENARIO), {"service.kind": "exponential"})
    found = incident(slow, HOUR, settings=EARLIER, trace=TRACE, replicates=20)
    ran, earlier = found.rows
    wide = [row["violations_high"] - row["violations_low"] for row in (ran, earlier)]
    assert 0.0 < earlier["saved_high"] - earlier["saved_low"] < sum(wide)
    assert earlier["saved_low"] > 0.0
    assert earlier["saved_differs"]
    again = incident(slow, HOUR, settings=EARLIER, trace=TRACE, replicates=20)
    assert to_json(again.to_dict()) == to_json(found.to_dict())
    lucks = [
        incident(
            with_values(slow, {"seed": seed_of(slow.seed, k)}), HOUR, settings=EARLIER, trace=TRACE
        )
        for k in range(20)
    ]
    saved = np.median([one.rows[1]["saved"] for one in lucks])
    assert earlier["saved_low"] < saved < earlier["saved_high"]


def test_policies_that_do_the_same_are_not_told_apart():
    found = incident(
        with_values(loads(SCENARIO), {"service.kind": "exponential"}), HOUR,
        {"large": with_values(loads(SCENARIO), {"model.size": "900GB"})},
        settings={"fleet.max": [5]}, trace=TRACE, replicates=20,
    )  # fmt: skip
    failed, same = found.rows[1], found.rows[2]
    assert (failed["status"], failed["saved_low"]) == ("failed", None)
    assert (same["saved_low"], same["saved_high"], same["saved_differs"]) == (0.0, 0.0, False)
    assert same["usd_run_added_differs"] is False


def test_a_window_that_runs_past_the_traffic_says_what_is_left_of_it():
    found = incident(loads(SCENARIO), ("2026-03-02T10:00", "2026-03-02T12:00"), trace=TRACE)
    assert found.meta["window"]["cut"] == (
        "asked for from 2026-03-02T10:00:00Z until 2026-03-02T12:00:00Z, the traffic lasts from "
        "2026-03-02T08:00:00Z to 2026-03-02T10:29:58Z: only 2026-03-02T10:00:00Z until "
        "2026-03-02T10:29:58Z is looked at"
    )
    assert found.meta["notes"][0].startswith("window: as asked for, but cut: asked for from ")
    early = incident(loads(SCENARIO), (-7200.0, "1h"), trace=UNDATED).meta["window"]["cut"]
    assert early.startswith("asked for from 2 h 0 m before the traffic until 1 h 0 m, ")
    # The last request comes two seconds before the end that is asked for: nothing is lost.
    assert incident(loads(SCENARIO), ("2h", "2h30m"), trace=TRACE).meta["window"]["cut"] is None
    assert worked().meta["window"]["cut"] is None


def test_the_worst_hour_is_found():
    late = misses(2100.0, 0.0, np.inf)
    found = worked((None, None))
    window = found.meta["window"]
    assert found.rows[0]["violations"] == late.sum()  # all of them come within an hour
    assert window["to_s"] - window["from_s"] == 3600.0
    # The hours that begin within the first 20 minutes hold them all: the one in the middle.
    first, last = ARRIVALS[late][[0, -1]]
    assert (first // 60.0, last < 3600.0) == (20.0, True)
    assert window["from_s"] == 600.0
    assert window["how"] == "the hour with the most misses under the policy that ran"
    calm = with_values(loads(SCENARIO), {"fleet.initial": 4, "fleet.min": 4})
    busy = incident(calm, trace=TRACE)
    assert busy.meta["window"]["how"].startswith("the busiest hour: no request missed")
    assert busy.sentence() == "Every request of the window had its answer within 2.0 s as it was."
    short = incident(loads(SCENARIO), trace=Trace(np.arange(100.0)))
    assert short.meta["window"]["how"].startswith("all of the traffic")
    assert short.rows[0]["requests"] == 100


def test_a_pad_replays_a_part():
    # The queue is empty before the step: five minutes before it are as good as all.
    found = incident(loads(SCENARIO), HOUR, settings=EARLIER, trace=TRACE, pad_s=300.0)
    same = ("requests", "violations_by_cause", "acted_s", "acted_at", "ready_s", "saved")
    for row, whole in zip(found.rows, worked().rows, strict=True):
        assert {key: row[key] for key in same} == {key: whole[key] for key in same}
        assert row["usd"] == pytest.approx(whole["usd"], rel=1e-9)
    assert found.meta["replayed"]["from_s"] == 900.0
    assert found.timeline["t_s"] == worked().timeline["t_s"]
    assert any("replayed from 2026-03-02T08:15:00Z on" in note for note in found.meta["notes"])
    with pytest.raises(IncidentError, match="a pad needs a window"):
        incident(loads(SCENARIO), trace=TRACE, pad_s=300.0)


def test_a_pad_on_counts():
    counts = CountSeries(
        np.array([30] * 20 + [60] * 30 + [30] * 100), 60.0, t0_ns=T0_NS, t0_is_absolute=True
    )
    found = incident(loads(SCENARIO), HOUR, settings=EARLIER, trace=counts, pad_s=330.0)
    assert found.meta["replayed"]["from_s"] == 840.0
    assert [row["requests"] for row in found.rows] == [60 * 30 + 30 * 30] * 2
    assert found.rows[1]["earlier_s"] == 600.0
    assert sum(found.timeline["arrivals_rps"]) * found.timeline["bin_s"] == pytest.approx(2700)


def test_a_lower_target_alarms_earlier():
    # Steps to 50 and to 120 a minute at 20 and 40 min: the documented alarm takes 250 s each.
    steps = ((0.0, 1200.0, 2.0), (1200.0, 2400.0, 1.2), (2400.0, 4200.0, 0.5))
    arrivals = np.concatenate([np.arange(*step) for step in steps])
    scenario = with_values(
        loads(SCENARIO),
        {"policy": {"kind": "target_tracking", "target": 60}, "service.mean_s": "0.4s"},
    )
    found = incident(
        scenario, (0, None), settings={"policy.target": [60, 40]}, trace=Trace(arrivals)
    )
    ran, same, lower = found.rows
    assert (ran["acted_s"], lower["acted_s"]) == (2650.0, 1450.0)
    assert (same["saved"], same["earlier_s"], same["usd_added"]) == (0, 0.0, 0.0)
    assert lower["earlier_s"] == 1200.0
    assert lower["acted_at"] is None


def test_presets_and_scenarios_stand_beside_it():
    four = with_values(loads(SCENARIO), {"policy.kind": "fixed", "policy.replicas": 4})
    found = incident(
        loads(SCENARIO), HOUR, {"four": four}, presets=presets_of(["hpa,lambda"]), trace=TRACE
    )
    names = [row["name"] for row in found.rows]
    assert names == ["the policy that ran", "four", "HPA", "Lambda"]
    row = dict(zip(names, found.rows, strict=True))
    assert row["four"]["violations"] == 0
    assert row["four"]["acted_s"] is None
    assert row["four"]["ready_at_start"] == 4
    assert row["four"]["usd"] == pytest.approx(4 * 36.0, rel=1e-12)
    assert {len(one.keys() - {"error_kind"}) for one in found.rows} == {len(found.rows[0])}
    assert any(note.startswith("what is metered") for note in found.meta["notes"])


def test_one_that_cannot_be_replayed_keeps_its_row():
    large = with_values(loads(SCENARIO), {"model.size": "900GB"})
    found = incident(loads(SCENARIO), HOUR, {"large": large}, trace=TRACE)
    row = found.rows[1]
    assert (row["status"], row["violations"], row["error_kind"]) == (
        "failed", None, "ModelDoesNotFit"
    )  # fmt: skip
    assert found.sentence().endswith("1 policy could not be replayed; its row says why.")


def test_other_traffic_is_no_alternative():
    with pytest.raises(ScenarioError, match="seed = 1: an alternative meets the same requests"):
        incident(loads(SCENARIO), HOUR, settings={"seed": [1]}, trace=TRACE)


@pytest.mark.parametrize(
    ("trace", "window", "said"),
    [
        (TRACE, ("2026-03-05", None), "outside the traffic: the traffic lasts from 2026-03-02T08:"),
        (TRACE, (None, "2026-03-01"), "to 2026-03-02T10:29:58Z"),
        (UNDATED, ("3h", "4h"), "lasts from 0 s to 2 h 30 m"),
        (TRACE, ("2h", "1h"), "ends at 1h, and begins only at 2h"),
        (TRACE, ("noon", None), "'noon' is no time: expected a duration since the start of the"),
        (UNDATED, ("2026-03-02", "3h"), "no date, for the start 2026-03-02: expected a duration"),
        (TRACE, ("2.1", "3.9"), "no request came from .*: the nearest came at .*02Z and .*04Z"),
    ],
)
def test_a_window_that_cannot_be(trace, window, said):
    with pytest.raises(IncidentError, match=said):
        incident(loads(SCENARIO), window, trace=trace)


def test_both_moments_are_refused_at_once():
    with pytest.raises(IncidentError) as error:
        incident(loads(SCENARIO), ("soon", "later"), trace=TRACE)
    assert str(error.value).count("is no time") == 2


def test_the_timeline_adds_up():
    found = worked()
    line = found.timeline
    assert line["t_s"][0] == 1200.0
    assert sum(line["arrivals_rps"]) * line["bin_s"] == pytest.approx(found.rows[0]["requests"])
    for row, policy in zip(found.rows, line["policies"], strict=True):
        assert sum(policy["missed"]) == row["violations"]
        ready_s = sum(policy["ready"]) * line["bin_s"]
        assert ready_s == pytest.approx(3600.0 + 4800.0 - row["ready_s"], rel=1e-9)


def test_the_contract_is_plain():
    shown = to_plain(worked())
    assert shown["schema"] == "incident/1"
    assert {"trace", "window", "replayed", "sla", "notes", "policies", "advice", "timeline"} <= (
        shown.keys()
    )
    assert to_json(shown)
    assert list(worked().frame()["name"]) == [row["name"] for row in worked().rows]


def test_every_column_is_declared():
    file = files("modeler.study").joinpath("columns.csv").read_text(encoding="utf-8")
    declared = [row["column"] for row in csv.DictReader(file.splitlines())]
    assert list(worked().rows[0]) == declared


@pytest.mark.parametrize(
    "name", ["nab_cloudwatch_elb_request_count.csv.gz", "azure_llm_2023_conv.csv.gz"]
)
def test_real_traffic(name):
    folder = os.environ.get("MODELER_TRACES")
    if not folder:
        pytest.skip("MODELER_TRACES names no folder of real traces")
    scenario = with_values(loads("model: {size: 7GB}"), {"trace": str(Path(folder) / name)})
    found = incident(scenario, settings={"fleet.min": [2]})
    ran, more = found.rows
    assert ran["requests"] == more["requests"] > 0
    assert more["saved"] == more["rescued"] - more["harmed"]
    assert found.sentence()
