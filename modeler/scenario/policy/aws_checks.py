"""What does not hold inside a policy of AWS, or between it and its platform."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from modeler.scenario.policy import schedule
from modeler.scenario.policy.aws import TargetTracking
from modeler.scenario.policy.aws_planned import Predictive, Scheduled
from modeler.scenario.policy.aws_steps import StepScaling

# Metrics that only some platforms publish; the others come from any fleet, as the vendor's own or
# as a custom metric.
_ONLY_ON: Final[dict[str, tuple[str, ...]]] = {
    "backlog_per_instance": ("sagemaker_async",),
    "has_backlog_without_capacity": ("sagemaker_async",),
    "no_capacity_invocation_failures": ("sagemaker_components",),
    "provisioned_concurrency_utilisation": ("lambda", "sagemaker_serverless"),
}
# There a replica is an environment of one request, and no instance metric exists.
_ENVIRONMENTS: Final = ("lambda", "sagemaker_serverless")
_SUMS: Final = {
    "invocations_per_instance": ("Sum", "Average"),
    "no_capacity_invocation_failures": ("Sum", "Average", "Minimum", "Maximum"),
}
_GAUGES: Final = ("Average", "Minimum", "Maximum")
# Defined with no instance there too, so that target tracking on them can leave zero.
FROM_ZERO: Final = ("backlog_per_instance", "queue_per_instance")


# What a step policy can see there: those, and the two that exist for it.
_STEPS_FROM_ZERO: Final = (
    *FROM_ZERO,
    "has_backlog_without_capacity",
    "no_capacity_invocation_failures",
)


def wakes_from_zero(policy: object) -> bool:
    """Whether a policy can leave zero replicas, as far as its own settings tell.

    A metric per instance is undefined where there is none; a backlog, a queue's length and the
    requests that failed are there. A schedule wakes by its minimum, a forecast where it acts.
    """
    if isinstance(policy, TargetTracking):
        return policy.metric in FROM_ZERO
    if isinstance(policy, StepScaling):
        adds = any(step.adjustment > 0 for step in policy.steps)
        return adds and policy.metric in _STEPS_FROM_ZERO
    if isinstance(policy, Scheduled):
        return bool(policy.min_replicas)
    if isinstance(policy, Predictive):
        return policy.mode == "forecast_and_scale"
    return True


class Fault(NamedTuple):
    """One contradiction: the key it is laid at, what was found, what is permitted, in words."""

    key: str
    value: object
    expected: str
    message: str


def metrics_of(hosting: str) -> tuple[str, ...]:
    """Metrics that a platform publishes, by its ``hosting.kind``."""
    known = StepScaling.model_fields["metric"].annotation.__args__  # type: ignore[union-attr]
    if hosting in _ENVIRONMENTS:
        return tuple(name for name in known if hosting in _ONLY_ON.get(name, ()))
    return tuple(name for name in known if hosting in _ONLY_ON.get(name, (hosting,)))


def faults(policy: object, hosting: str, minimum: int, maximum: int) -> Iterator[Fault]:
    """What does not hold in a policy of AWS; nothing for one of another platform.

    Parameters
    ----------
    policy : block.
    hosting : str. The scenario's ``hosting.kind``.
    minimum, maximum : int. ``fleet.min`` and ``fleet.max``. [replicas]
    """
    if isinstance(policy, TargetTracking | StepScaling | Predictive):
        permitted = metrics_of(hosting)
        if policy.metric not in permitted:
            yield Fault(
                "metric",
                policy.metric,
                f"one of {', '.join(permitted)}",
                f"{policy.metric} is no metric of hosting.kind {hosting}: "
                f"expected one of {', '.join(permitted)}",
            )
    if isinstance(policy, StepScaling):
        yield from _steps(policy)
    if isinstance(policy, Scheduled):
        yield from _scheduled(policy, hosting, minimum, maximum)
    if isinstance(policy, Predictive) and 0 < len(policy.history) < 24:
        yield Fault(
            "history",
            list(policy.history),
            "at least 24 hours",
            f"{len(policy.history)} hours of history: predictive scaling needs at least 24",
        )


def _steps(policy: StepScaling) -> Iterator[Fault]:
    wrong = step_fault([(step.lower, step.upper) for step in policy.steps])
    if wrong:
        yield Fault(
            "steps",
            [(step.lower, step.upper) for step in policy.steps],
            "intervals side by side, without gap or overlap",
            wrong,
        )
    else:
        yield from _idle_steps(policy)
    needed, periods = policy.datapoints_to_alarm, policy.evaluation_periods
    if needed is not None and needed > periods:
        yield Fault(
            "datapoints_to_alarm",
            needed,
            f"from 1 to evaluation_periods = {periods}",
            f"{needed} datapoints to alarm out of {periods}: expected 1 to {periods}",
        )
    permitted = _SUMS.get(policy.metric, _GAUGES)
    if policy.statistic is not None and policy.statistic not in permitted:
        yield Fault(
            "statistic",
            policy.statistic,
            f"one of {', '.join(permitted)}",
            f"{policy.statistic} of {policy.metric} says nothing: "
            f"expected one of {', '.join(permitted)}",
        )


def _idle_steps(policy: StepScaling) -> Iterator[Fault]:
    """Steps that no breach of the alarm can reach, and capacities that there cannot be."""
    above = policy.comparison in (">", ">=")
    reached = any(
        step.upper is None or step.upper > 0.0 if above else step.lower is None or step.lower < 0.0
        for step in policy.steps
    )
    if not reached:
        side, bound = ("above", "lower") if above else ("below", "upper")
        yield Fault(
            "steps",
            [(step.lower, step.upper) for step in policy.steps],
            f"a step {side} the threshold, e.g. {bound}: 0",
            f"the alarm breaches {side} its threshold (comparison {policy.comparison}), where no "
            f"step lies: expected one with {bound}: 0",
        )
    if policy.adjustment_type != "ExactCapacity":
        return
    for step in policy.steps:
        if step.adjustment < 0.0:
            yield Fault(
                "steps",
                step.adjustment,
                "at least 0",
                f"an adjustment of {step.adjustment:g} under ExactCapacity is no capacity: "
                "expected at least 0",
            )


def step_fault(bounds: list[tuple[float | None, float | None]]) -> str:
    """What is wrong with the intervals of a step policy, in words; empty when they hold together.

    Source: the API reference, StepAdjustment, read 2026-09.
    """
    infinite = float("inf")
    ordered = sorted(
        (-infinite if low is None else low, infinite if high is None else high)
        for low, high in bounds
    )
    if not ordered:
        return "at least one step is needed"
    for low, high in ordered:
        if low == -infinite and high == infinite:
            return "a step needs a lower or an upper bound"
        if low >= high:
            return f"a step's lower bound {low:g} is not less than its upper bound {high:g}"
    for (_, end), (start, _) in pairwise(ordered):
        if end < start:
            return f"the steps leave a gap from {end:g} to {start:g}"
        if end > start:
            return f"two steps overlap from {start:g} to {end:g}"
    if -infinite < ordered[0][0] < 0.0:
        return f"the lowest step begins at {ordered[0][0]:g}: below 0 one step must have no lower"
    if 0.0 < ordered[-1][1] < infinite:
        return f"the highest step ends at {ordered[-1][1]:g}: above 0 one step must have no upper"
    return ""


def _window(policy: Scheduled) -> Iterator[Fault]:
    """A schedule whose end comes before its start never fires."""
    if policy.start is None or policy.end is None:
        return
    try:
        start, end = schedule.moment(policy.start), schedule.moment(policy.end)
    except schedule.ScheduleError:
        return  # said where each is read
    if end < start:
        yield Fault(
            "end",
            policy.end,
            f"not before start = {policy.start}",
            f"{policy.end} comes before start = {policy.start}: the action never fires",
        )


def _scheduled(policy: Scheduled, hosting: str, minimum: int, maximum: int) -> Iterator[Fault]:
    for key in ("start", "end", "schedule"):
        text = getattr(policy, key)
        try:
            if key == "schedule":
                schedule.check(text, policy.timezone, crontab=hosting == "ec2_asg")
            elif text is not None:
                schedule.moment(text)
        except schedule.ScheduleError as error:
            at = "timezone" if "time zone" in str(error) else key
            expected = "a schedule that fires" if key == "schedule" else "an ISO 8601 time"
            yield Fault(at, getattr(policy, at), expected, str(error))
    yield from _window(policy)
    if policy.min_replicas is None and policy.max_replicas is None:
        yield Fault(
            "min_replicas",
            None,
            "min_replicas, max_replicas or both",
            "a scheduled action sets min_replicas, max_replicas or both",
        )
    least = minimum if policy.min_replicas is None else policy.min_replicas
    most = maximum if policy.max_replicas is None else policy.max_replicas
    if most < least:
        key, other = "min_replicas", most
        if policy.max_replicas is not None:
            key, other = "max_replicas", least
        yield Fault(
            key,
            getattr(policy, key),
            f"at {'most' if key == 'min_replicas' else 'least'} {other}",
            f"a scheduled minimum of {least} lies above the maximum of {most}",
        )
