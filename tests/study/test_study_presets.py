"""Every policy on its platform replays, is compared in one table, and says what it rests on."""

import numpy as np
import pytest

from modeler.report import sweep_table
from modeler.scenario import ScenarioError, default, with_values
from modeler.study import PRESETS, is_preset, presets_of, sweep
from traces import Trace

SERVED = {"model.size": "1GB", "service.kind": "fixed", "service.mean_s": 0.5, "sweep": {}}


@pytest.fixture(scope="module")
def compared():
    """An hour of 2 requests a second under every preset, with a law that needs no accelerator."""
    trace = Trace(np.arange(7200) * 0.5, source="two a second")
    return sweep(with_values(default(), SERVED), presets=PRESETS, references=False, trace=trace)


def test_every_preset_replays(compared):
    assert [(row["preset"], row["error"]) for row in compared.rows if row["error"]] == []
    assert [row["preset"] for row in compared.rows] == [preset.name for preset in PRESETS]


def test_each_row_has_dollars_violations_lag_and_both_bounds(compared):
    for row in compared.rows:
        assert row["usd_total"] >= row["bounds"]["work_bound"]["usd_total"] - 1e-9
        assert 0.0 <= row["sla_violation_share"] <= 1.0
        assert row["decision_to_ready_s"]["p50"] > 0.0
        assert row["requests"] == row["served"] + row["rejected"] + row["timed_out"] + row["lost"]


def test_the_table_names_each_and_cites_their_defaults(compared):
    text = sweep_table(compared.to_dict(), width=200)
    for preset in PRESETS:
        assert preset.name in text
    assert "× zero" in text
    assert "sync_period_s 15 [" in text
    assert "documented: kubernetes.io" in text


def test_a_model_that_a_platform_does_not_hold_is_a_row_of_its_own():
    trace = Trace(np.arange(100) * 1.0, source="one a second")
    scenario = with_values(default(), {**SERVED, "model.size": "14GB"})
    result = sweep(scenario, presets=presets_of(["lambda", "hpa"]), references=False, trace=trace)
    assert [row["status"] for row in result.rows] == ["failed", "ok"]
    assert "does not fit" in result.rows[0]["error"]


def test_names_are_told_from_files_and_unknown_ones_refused():
    assert is_preset("hpa,keda")
    assert not is_preset("hpa.yaml")
    assert presets_of(["all"]) == PRESETS
    assert [preset.key for preset in presets_of(["keda,hpa"])] == ["keda", "hpa"]
    with pytest.raises(ScenarioError, match='unknown policy "hpaa".*'):
        presets_of(["hpaa"])
