"""What the sweep says in words, and which rows it marks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.study.level import level_of
from modeler.study.verdict import best_row, pareto, verdict

GB = 10**9


def row(size_gb: float, usd: float, missed: float, **changes) -> dict:
    causes = {"service_time": 0, "cold_start": round(800 * missed), "decision": round(200 * missed)}
    return {
        "settings": {"model.size": int(size_gb * GB)},
        "size_bytes": int(size_gb * GB),
        "instance_type": "ml.g5.2xlarge",
        "policy": "target_tracking",
        "requests": 1000,
        "usd_total": 100 * usd,
        "usd_per_hour": usd,
        "sla_violation_share": missed,
        "meets_sla": missed <= 0.005,
        "sla": {"metric": "latency", "threshold_s": 10.0, "max_violation_share": 0.005},
        "violations_by_cause": causes,
        "decision_to_ready_s": {"p50": 423.0, "p95": 470.0},
        "status": "ok",
        "error": None,
        **changes,
    }


def failed(size_gb: float) -> dict:
    return row(size_gb, 0, 0, status="failed", error="40 GB does not fit", usd_total=None)


def test_the_cheapest_that_keeps_the_level_and_the_largest():
    text = verdict([row(1, 1.5, 0.001), row(4, 2.25, 0.004), row(8, 1.0, 0.2)])
    assert text == (
        "Cheapest that keeps 99.5 % of requests with their answer within 10.0 s: "
        "1 GB on ml.g5.2xlarge, target tracking: $1.50 an hour, 0.10 % missed, "
        "a new replica takes 7 m 3 s. "
        "The largest that still keeps it: 4 GB on ml.g5.2xlarge, target tracking: $2.25 an hour."
    )


def test_where_none_keeps_it_the_closest_and_why():
    text = verdict([row(1, 1.5, 0.25), row(4, 2.0, 0.5)])
    assert text.startswith("Nothing here keeps 99.5 % of requests with their answer within 10.0 s.")
    assert "Closest: 1 GB on ml.g5.2xlarge, target tracking: $1.50 an hour, 25.00 % missed" in text
    assert text.endswith("most of it (80 %) by cold_start.")


def test_where_service_times_alone_break_it_no_fleet_can():
    causes = {"service_time": 200, "cold_start": 50, "decision": 0}
    text = verdict([row(1, 1.5, 0.25, violations_by_cause=causes)])
    assert text.endswith(
        "(80 %) by service_time. No fleet can keep it: service times alone break it for 20.00 %."
    )


def test_failed_rows_are_counted_and_never_chosen():
    rows = [row(1, 1.5, 0.001), failed(40), failed(80)]
    assert best_row(rows) is rows[0]
    assert verdict(rows).endswith("2 scenarios could not be replayed; the rows say why.")
    assert verdict([failed(40)]) == "No scenario could be replayed: 40 GB does not fit"
    assert best_row([failed(40)]) is None
    assert verdict([]) == "No scenario."


def test_settings_that_vary_are_named():
    settings_of = [{"model.size": GB, "policy.target": t, "fleet.max": 5} for t in (4, 6)]
    rows = [row(1, 2.0 - 0.1 * k, 0.001, settings=s) for k, s in enumerate(settings_of)]
    assert "target tracking, policy.target=6: $1.90 an hour" in verdict(rows)


def test_settings_that_change_nothing_are_said_to_tie():
    settings_of = [{"model.size": GB, "policy.target": t} for t in (4, 5, 6)]
    noise = (0.0, 1e-9, -1e-9)
    rows = [row(1, 2.0 + e, 0.001, settings=s) for e, s in zip(noise, settings_of, strict=True)]
    assert "; 2 more settings come to the same." in verdict(rows)
    assert pareto(rows) == [True, True, True]


def test_a_fixed_fleet_that_is_cheaper_is_the_answer_and_the_best_that_scales_is_named():
    rows = [row(1, 1.5, 0.001), row(8, 1.0, 0.2)]
    text = verdict(rows, [row(1, 1.4, 0.0, label="fixed 1")])
    assert "1 GB on ml.g5.2xlarge, fixed 1: $1.40 an hour, 0.00 % missed." in text
    assert "Of those that scale: 1 GB on ml.g5.2xlarge, target tracking: $1.50" in text


def test_a_fixed_fleet_is_named_where_it_reaches_further():
    rows = [row(1, 1.5, 0.001), row(8, 1.0, 0.2)]
    text = verdict(rows, [row(8, 9.0, 0.0, label="fixed 6")])
    assert "The largest that still keeps it: 8 GB on ml.g5.2xlarge, fixed 6: $9.00" in text


def again(low: float, high: float, usd: float) -> dict:
    """Replicates that cost what the week did, with an interval of misses."""
    bands = {"usd_per_hour": None, "sla_violation_share": {"low": low, "high": high}}
    values = {
        "usd_per_hour": [usd, usd], "sla_violation_share": [low, high], "slow_share": [0.0, 0.0],
        "latency_p99_s": [1.0, 1.0], "breach_to_ready_p95_s": [None, None],
        "requests_per_hour": [100.0, 100.0],
    }  # fmt: skip
    return {"bands": bands, "values": values, "seed": 1, "kinds": [0, 0, 0], "blocks": 3,
            "note": "three days", "lead_s": 3600.0, "replicates": 2}  # fmt: skip


def test_what_keeps_it_for_sure_goes_before_what_may_and_that_says_what_it_would_save():
    """Of the 0.5 % that may be missed intervals lie below, about and above it."""
    rows = [
        row(1, 2.0, 0.001, uncertainty=again(0.0, 0.003, 2.0)),
        row(1, 1.5, 0.004, uncertainty=again(0.002, 0.006, 1.5), preset="brisk"),
        row(1, 1.8, 0.006, uncertainty=again(0.004, 0.009, 1.8), preset="slow"),
        row(1, 1.0, 0.004, uncertainty=again(0.006, 0.009, 1.0)),
    ]
    assert [level_of(one) for one in rows] == ["keeps", "unsure", "unsure", "breaks"]
    assert best_row(rows) is rows[0]
    text = verdict(rows)
    assert text.startswith("Cheapest that keeps 99.5 % of requests")
    assert "$2.00 an hour, 0.10 [0.00, 0.30] % missed" in text
    assert text.endswith(
        "Cheaper, but may or may not keep it: 1 GB on ml.g5.2xlarge, brisk, 0.40 [0.20, 0.60] % "
        "missed, would save $0.50 an hour; 1 GB on ml.g5.2xlarge, slow, 0.60 [0.40, 0.90] % "
        "missed, would save $0.20 an hour."
    )


def test_where_nothing_is_sure_that_is_said():
    rows = [
        row(1, 1.5, 0.004, uncertainty=again(0.002, 0.006, 1.5)),
        row(1, 1.4, 0.006, uncertainty=again(0.002, 0.004, 1.4)),
        row(1, 1.3, 0.2, uncertainty=again(0.1, 0.3, 1.3)),
    ]
    # The week that came broke the second, whatever its replicates say.
    assert [level_of(one) for one in rows] == ["unsure", "unsure", "breaks"]
    assert best_row(rows) is rows[0]
    assert verdict(rows).startswith(
        "Nothing here is sure to keep 99.5 % of requests with their answer within 10.0 s. "
        "Cheapest that may: 1 GB on ml.g5.2xlarge, target tracking: $1.50 an hour"
    )
    assert verdict(rows[1:]).startswith("Nothing here keeps 99.5 %")
    assert verdict(rows[1:]).endswith("Over the replicates it may or may not keep it.")
    lucky = row(1, 1.0, 0.0, uncertainty=again(0.006, 0.009, 1.0))
    assert verdict([lucky]).endswith("a new replica takes 7 m 3 s.")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_pareto_front_is_what_nothing_beats(points):
    rows = [row(1, usd, missed / 10) for usd, missed in points] + [failed(40)]
    marks = pareto(rows)
    for (usd, missed), marked in zip(points, marks, strict=False):
        beaten = any(u <= usd and v <= missed and (u < usd or v < missed) for u, v in points)
        assert marked is not beaten
    assert marks[-1] is False
    assert marks[rows.index(best_row(rows))] or not any(r["meets_sla"] for r in rows)
