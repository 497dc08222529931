"""The same model in several precisions, the point between too small and too large, its figure."""

import numpy as np
import pytest

from modeler.report.figures import inline_svg, write_figures
from modeler.report.html import page
from modeler.scenario import Scenario, ScenarioError, with_values
from modeler.study import sweep
from modeler.study.goldilocks import goldilocks
from modeler.study.grid import grid
from traces import Trace

FOUR = ("fp16", "fp8", "int8", "int4")


def row(size, usd, missed, ready=10.0, **more):
    sla = {"metric": "latency", "threshold_s": 1.0, "max_violation_share": 0.01}
    return {
        "status": "ok", "size_bytes": size, "usd_per_hour": usd, "usd_total": usd,
        "sla_violation_share": missed, "meets_sla": missed <= 0.01, "sla": sla,
        "decision_to_ready_s": {"p50": ready}, "settings": {"model.dtype": "fp16"}, **more,
    }  # fmt: skip


def test_sizes_are_those_of_the_scenarios_own_precision():
    base = with_values(Scenario(), {"model.dtype": "bf16"})
    points = grid(base, sizes=["8GB", "16GB"], precisions=FOUR)
    found = [(p.scenario.model.dtype, p.scenario.model.size) for p in points]
    assert found == [
        ("fp16", 8_000_000_000), ("fp8", 4_000_000_000), ("int8", 4_000_000_000),
        ("int4", 2_000_000_000), ("fp16", 16_000_000_000), ("fp8", 8_000_000_000),
        ("int8", 8_000_000_000), ("int4", 4_000_000_000),
    ]  # fmt: skip
    assert points[3].settings == {"model.size": 2_000_000_000, "model.dtype": "int4"}
    alone = grid(base, precisions=["fp32"])
    assert [p.scenario.model.size for p in alone] == [28_000_000_000]
    with pytest.raises(ScenarioError, match='precision "fp3": expected one of fp32'):
        grid(base, precisions=["fp3"])
    # One dtype beside the precisions is that of the sizes; several would be a second axis.
    of_fp32 = grid(base, sizes=["8GB"], precisions=["int8"], settings={"model.dtype": ["fp32"]})
    assert [p.scenario.model.size for p in of_fp32] == [2_000_000_000]
    with pytest.raises(ScenarioError, match="model.dtype is varied as fp16, int8, and by the prec"):
        grid(base, precisions=["int4"], settings={"model.dtype": ["fp16", "int8"]})


def test_the_cheapest_that_keeps_the_level_is_held_against_its_neighbours():
    rows = [
        row(1_000_000_000, 1.0, 0.05), row(2_000_000_000, 2.0, 0.005),
        row(4_000_000_000, 3.0, 0.001, ready=70.0),
    ]  # fmt: skip
    found = goldilocks(rows)
    assert found.row is rows[1]
    assert found.reason == (
        "Goldilocks: 2 GB in fp16 at $2.00 an hour is the cheapest that keeps the service level; "
        "smaller, 1 GB in fp16 misses 5 %; "
        "larger, 4 GB in fp16 costs $1.00 more and starts 1 m 0 s later."
    )
    assert goldilocks([row(1_000_000_000, 1.0, 0.5)]) is None
    assert goldilocks([{"status": "failed"}]) is None


@pytest.fixture(scope="module")
def result():
    at = np.sort(np.random.default_rng(3).uniform(0.0, 1200.0, 900))
    at -= at[0]
    trace = Trace(at, {"prompt_tokens": np.full(900, 200.0), "output_tokens": np.full(900, 40.0)})
    base = with_values(Scenario(), {"fleet.max": 6})
    return sweep(
        base, sizes=["4GB", "14GB"], precisions=FOUR, trace=trace, references=False
    ).to_dict()


def test_the_headline_figure_is_drawn_and_stands_in_the_page(result, tmp_path):
    written = write_figures(result, tmp_path, formats=("png",))
    assert written[0].name == "goldilocks.png"
    assert written[0].read_bytes()[:4] == b"\x89PNG"
    svg = inline_svg(result)["goldilocks"]
    for name in FOUR:
        assert f">{name}<" in svg
    found = goldilocks(result["scenarios"])
    assert found is not None
    assert "Goldilocks" in svg
    assert found.reason[:40].replace("&", "&amp;") in svg
    starts = [row["decision_to_ready_s"]["p50"] for row in result["scenarios"]]
    assert f"Decision to ready: {min(starts):,.0f} to {max(starts):,.0f} s." in svg
    assert 'aria-label="Dollars, missed requests and lag' in page(result)


def test_precision_changes_what_is_read_and_what_is_computed(result):
    by = {(r["size_bytes"], r["settings"]["model.dtype"]): r for r in result["scenarios"]}
    # int8 and fp8 of one model weigh the same and start alike; prompts run in int8, and on a card
    # without 8-bit floats those of fp8 in 16 bits: 200 tokens of 7e9 parameters, half of 70e12/s
    # take 80 ms, at half of 140 take 40.
    whole, expanded = (by[7_000_000_000, dtype] for dtype in ("int8", "fp8"))
    assert whole["decision_to_ready_s"] == expanded["decision_to_ready_s"]
    prefill = 2 * 7e9 * 200 / (0.5 * 70e12)
    saved = expanded["latency_s"]["p50"] - whole["latency_s"]["p50"]
    assert saved >= 0.9 * prefill / 2  # and what queueing adds to it
    order = ((14_000_000_000, "fp16"), (7_000_000_000, "fp8"), (3_500_000_000, "int4"))
    latency = [by[key]["latency_s"]["p50"] for key in order]
    assert latency == sorted(latency, reverse=True)
    lag = [by[key]["decision_to_ready_s"]["p50"] for key in order]
    assert lag == sorted(lag, reverse=True)


def test_one_precision_has_no_such_figure(result):
    one = [r for r in result["scenarios"] if r["settings"]["model.dtype"] == "int8"]
    alone = {**result, "scenarios": one}
    assert "goldilocks" not in inline_svg(alone)
