"""Known answers of Knative's own test tables, worked out by hand where they are not."""

from __future__ import annotations

import pytest

from modeler.referee.conformance.inputs import Inputs
from modeler.referee.conformance.knative import KINDS
from modeler.referee.parameters import CaseError

CONFIG = {
    "metric": "concurrency",
    "target_value": 10,
    "total_value": 13.333333,
    "target_burst_capacity": 100,
    "panic_threshold": 2.0,
    "max_scale_up_rate": 10.0,
    "max_scale_down_rate": 10.0,
    "stable_window_s": 60,
    "scale_down_delay_s": 0,
    "activation_scale": 0,
    "reachable": True,
    "initial_ready_pods": 1,
}
ZERO = {
    "current_replicas": 1,
    "autoscaler_desired": 0,
    "activity_state": "active",
    "state_for_s": 0,
    "stable_window_s": 300,
    "scale_to_zero_grace_s": 60,
    "target_burst_capacity": 200,
    "activation_timeout_s": 151,
}


def answer(kind: str, values: dict) -> dict:
    inputs = Inputs(values)
    result = KINDS[kind](inputs)
    assert list(inputs.unread()) == []
    return result


def desired(steps: list[dict], initial: dict | None = None, **config) -> list[int]:
    values = {"config": CONFIG | config, "steps": steps}
    if initial is not None:
        values["initial_state"] = initial
    return [step["desired_pods"] for step in answer("kpa_scale_sequence", values)["steps"]]


def step(t_s: float, ready: int | None, stable: float | None, panic: float, **more) -> dict:
    return {"t_s": t_s, "ready_pods": ready, "stable_value": stable, "panic_value": panic, **more}


@pytest.mark.parametrize(
    ("config", "steps", "expected"),
    [
        ({"target_value": 181}, [step(0, 1, 21, 26)], [1]),
        ({}, [step(0, 1, 50, 50), step(1, 5, 50, 50)], [5, 5]),
        ({"max_scale_down_rate": 1.1}, [step(0, 100, 1, 1)], [90]),
        ({"max_scale_down_rate": 1.1, "reachable": False}, [step(0, 100, 1, 1)], [1]),
        ({"activation_scale": 2}, [step(0, 1, 0, 0), step(0, 1, 1, 0)], [0, 2]),
        ({}, [step(0, 0, 1000, 888)], [10]),
        (
            {"target_value": 1, "total_value": 1.333333},
            [step(0, 1, 6, 6), step(0, 6, 36, 36), step(1, 36, 216, 216), step(1, 216, 1296, 1296)],
            [6, 36, 216, 1296],
        ),
        (
            {},
            [step(0, 1, 100, 100), step(0, 10, 100, 1000), step(30, 10, 1, 1), step(61, 10, 1, 1)],
            [10, 100, 100, 1],
        ),
        (
            {"panic_threshold": 100, "scale_down_delay_s": 300, "initial_ready_pods": 0},
            [
                step(2, 0, 40, 40),
                step(300, 0, 0, 0),
                step(302, 0, 0, 0),
                step(540, 0, 40, 40),
                step(600, 0, 30, 30),
                step(660, 0, 0, 0),
                step(840, 0, 0, 0),
                step(900, 0, 0, 0),
            ],
            [4, 4, 0, 4, 4, 4, 3, 0],
        ),
    ],
)
def test_sequences(config, steps, expected):
    assert desired(steps, **config) == expected


def test_a_panic_under_way_and_its_start():
    state = {"panic_since_s": 0, "max_panic_pods": 5}
    one = {"target_value": 1, "total_value": 1.333333}
    assert desired([step(5, 5, 50, 30)], state, **one) == [50]
    assert desired([step(5, 5, 20, 30)], state, **one) == [30]
    values = {"config": CONFIG | one, "steps": [step(0, 10, 11, 25), step(30, 40, 30, 80)]}
    got = answer("kpa_scale_sequence", values)["steps"]
    assert [row["panic_since_s"] for row in got] == [0.0, 30.0]
    assert [row["in_panic"] for row in got] == [True, True]


@pytest.mark.parametrize(
    "broken",
    [
        step(0, 1, None, 0),
        step(0, None, 1000, 888),
        step(0, 1, 5, 5, pod_count_error=True),
        step(0, 1, 5, 5, metrics_error="no metrics"),
    ],
)
def test_without_data_or_pods_there_is_no_decision(broken):
    (row,) = answer("kpa_scale_sequence", {"config": CONFIG, "steps": [broken]})["steps"]
    assert (row["valid"], row["desired_pods"], row["excess_burst_capacity"]) == (False, 0, 0)


def test_the_platforms_defaults_stand_in_for_what_is_missing():
    # 100 a pod, 70 of them to be carried; a burst of 211; rates of 1,000 and 2.
    (row,) = answer("kpa_scale_sequence", {"steps": [step(0, 2, 141, 141)]})["steps"]
    assert (row["desired_pods"], row["excess_burst_capacity"]) == (3, 200 - 211 - 141)
    values = {
        "config": {"metric": "rps", "container_concurrency": None},
        "steps": [step(0, 1, 141, 0)],
    }
    assert answer("kpa_scale_sequence", values)["steps"][0]["desired_pods"] == 2


@pytest.mark.parametrize("key", ["target_value", "max_scale_down_rate"])
def test_a_quotient_by_zero_is_refused(key):
    with pytest.raises(CaseError, match=f"{key}: found 0"):
        desired([step(0, 1, 1, 1)], **{key: 0})


@pytest.mark.parametrize(
    ("ready", "in_panic", "most"), [(0, False, 0), (1, False, 1), (2, True, 2), (None, False, 0)]
)
def test_a_new_decider(ready, in_panic, most):
    got = answer("kpa_initial_state", {"ready_pods_at_creation": ready})
    assert (got["in_panic"], got["max_panic_pods"]) == (in_panic, most)


@pytest.mark.parametrize(
    ("values", "scale", "applied"),
    [
        ({"state_for_s": 299}, 1, False),
        ({"state_for_s": 299, "current_replicas": 10}, 1, True),
        ({"state_for_s": 300}, 0, False),
        ({"activity_state": "inactive", "state_for_s": 59}, 0, False),
        ({"activity_state": "inactive", "state_for_s": 60}, 0, True),
        ({"activity_state": "inactive", "state_for_s": 59, "proxy_mode_for_s": 59}, 0, False),
        ({"activity_state": "inactive", "state_for_s": 59, "proxy_mode_for_s": 60}, 0, True),
        (
            {"activity_state": "inactive", "state_for_s": 60, "activator_in_path": False,
             "target_burst_capacity": -1},
            0, True,
        ),
        ({"activity_state": "activating", "state_for_s": 75}, -1, False),
        ({"activity_state": "activating", "state_for_s": 152}, 0, True),
        ({"autoscaler_desired": -1, "current_replicas": 12}, -1, False),
        ({"autoscaler_desired": -1, "activity_state": "inactive", "current_replicas": 0},
         -1, False),
        ({"min_scale": 2, "current_replicas": 10, "reachable": None}, 2, True),
        ({"min_scale": 2, "current_replicas": 10, "reachable": False, "state_for_s": 60,
          "activity_state": "inactive"}, 0, True),
        ({"autoscaler_desired": 1, "initial_scale": 2, "initial_scale_reached": False,
          "activity_state": "activating", "current_replicas": 0}, 2, True),
        ({"autoscaler_desired": 1, "initial_scale": 5, "initial_scale_reached": False,
          "current_replicas": 5}, 5, False),
        ({"enable_scale_to_zero": False, "autoscaler_desired": -1}, -1, False),
    ],
)  # fmt: skip
def test_the_two_steps_to_zero(values, scale, applied):
    got = answer("kpa_scale_to_zero", ZERO | values)
    assert (got["scale"], got["replica_change_applied"]) == (scale, applied)


def test_windows():
    operations = [{"record": [second, second + 1]} for second in range(6)]
    operations += [{"read": 5}, {"resize": 10}, {"read": 5}, {"record": [6, 7]}, {"read": 6}]
    operations += [{"resize": 4}, {"read": 6}, {"is_empty": 10}, {"is_empty": 11}]
    got = answer("window_average", {"window_s": 5, "operations": operations})
    assert got == {"reads": [4.0, 4.0, 4.5, 5.5], "is_empty": [False, True]}
    # 0.6 of the newest, 0.4 of it before and so on would be 5.544 of 10, 10, 5, 5; Knative's own
    # coefficient for four buckets is 0.9.
    operations = [{"record": [second, value]} for second, value in enumerate([10, 10, 5, 5])]
    values = {"window_s": 4, "algorithm": "weighted", "operations": [*operations, {"read": 3}]}
    (read,) = answer("window_average", values)["reads"]
    assert read == pytest.approx(5 * 0.9 + 5 * 0.09 + 10 * 0.009 + 10 * 0.0009, rel=1e-12)


def test_coefficients_and_samples():
    assert answer("smoothing_coefficient", {"window_s": 60})["coefficient"] == 0.2
    got = answer("smoothing_coefficient", {"buckets": 6})["coefficient"]
    assert got == pytest.approx(0.784557, abs=1e-6)
    assert answer("scrape_sample_size", {"pods": 10}) == {"sample_size": 7}
