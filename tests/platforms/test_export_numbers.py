"""Whatever numbers a policy has, they come back from its file to the last digit."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exports import AWS_FORMS, check, of
from hypothesis import given, settings
from hypothesis import strategies as st

numbers = st.floats(0.01, 1e6, allow_nan=False)
times = st.integers(0, 86_400)
shares = st.floats(0.01, 1.0)


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps above the threshold, side by side, the last without an end."""
    ends = sorted(draw(st.sets(st.floats(0.5, 1e4), max_size=3)))
    lows, highs = [0.0, *ends], [*ends, None]
    return [
        {"lower": low, "upper": high, "adjustment": draw(st.integers(1, 50))}
        for low, high in zip(lows, highs, strict=True)
    ]


tracking = st.fixed_dictionaries(
    {"kind": st.just("target_tracking"), "target": numbers, "disable_scale_in": st.booleans()},
    optional={"scale_out_cooldown_s": times, "scale_in_cooldown_s": times},
)
stepping = st.fixed_dictionaries(
    {
        "kind": st.just("step_scaling"),
        "metric": st.just("cpu_utilisation"),
        "threshold": numbers,
        "steps": steps(),
        "evaluation_periods": st.integers(5, 9),
        "treat_missing": st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
    },
    optional={
        "period_s": st.sampled_from([10, 30, 60, 300]),
        "datapoints_to_alarm": st.integers(1, 5),
        "cooldown_s": times,
    },
)
rates = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["pods", "percent"]),
        "value": st.integers(1, 1000),
        "period_s": st.integers(1, 1800),
    }
)
rules = st.fixed_dictionaries(
    {"select_policy": st.sampled_from(["max", "min", "disabled"])},
    optional={
        "stabilization_window_s": st.integers(0, 3600),
        "tolerance": st.floats(0, 1),
        "policies": st.lists(rates, min_size=1, max_size=3),
    },
)
behaviors = st.fixed_dictionaries({}, optional={"scale_up": rules, "scale_down": rules})
hpas = st.fixed_dictionaries(
    {
        "kind": st.just("hpa"),
        "metrics": st.lists(
            st.one_of(
                st.fixed_dictionaries({"target": st.integers(1, 1000)}),
                st.fixed_dictionaries(
                    {
                        "metric": st.sampled_from(["concurrency", "requests_per_second"]),
                        "source": st.sampled_from(["object", "external"]),
                        "target_type": st.sampled_from(["average_value", "value"]),
                        "target": numbers,
                    }
                ),
            ),
            min_size=1,
            max_size=4,
        ),
    },
    optional={"behavior": behaviors},
)
triggers = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["queue_length", "concurrency", "requests_per_second"]),
        "target": numbers,
        "activation_target": st.floats(0, 1e4),
        "use_cached_metrics": st.booleans(),
    }
)
kedas = st.fixed_dictionaries(
    {
        "kind": st.just("keda"),
        "triggers": st.lists(triggers, min_size=1, max_size=3),
        "polling_interval_s": st.integers(1, 600),
        "cooldown_s": times,
        "initial_cooldown_s": times,
    },
    optional={"behavior": behaviors, "paused": st.booleans()},
)
knatives = st.fixed_dictionaries(
    {
        "kind": st.just("knative_kpa"),
        "metric": st.sampled_from(["concurrency", "rps"]),
        "target_utilisation": shares,
        "target_burst_capacity": st.floats(-1, 1e4),
        "stable_window_s": st.integers(6, 3600),
        "panic_window_share": shares,
        "panic_threshold": st.floats(1.1, 10),
        "scale_down_delay_s": st.integers(0, 3600),
        "activation_scale": st.integers(1, 99),
        "pod_retention_s": st.floats(0, 1e4),
    },
    optional={
        "target": numbers,
        "max_scale_up_rate": st.floats(1.01, 1e4),
        "max_scale_down_rate": st.floats(1.01, 1e4),
        "scale_to_zero_grace_s": st.floats(6, 1e4),
        "enable_scale_to_zero": st.booleans(),
    },
)
aws = st.lists(st.one_of(tracking, stepping), min_size=1, max_size=3)
drawn = st.one_of(
    st.tuples(st.sampled_from(AWS_FORMS), st.just("sagemaker_realtime"), aws),
    st.tuples(st.just("hpa"), st.just("eks_karpenter"), hpas),
    st.tuples(st.just("keda"), st.just("eks_karpenter"), kedas),
    st.tuples(st.just("knative"), st.just("eks_karpenter"), knatives),
)


@settings(max_examples=100, deadline=None)
@given(drawn, st.integers(1, 50), st.integers(0, 500))
def test_any_numbers_come_back_to_the_last_digit(
    what: tuple[str, str, Any], fewest: int, more: int
) -> None:
    form, hosting, policy = what
    scenario = of(hosting, policy, **{"fleet.min": fewest, "fleet.max": fewest + more})
    with TemporaryDirectory() as folder:
        check(scenario, form, Path(folder))
