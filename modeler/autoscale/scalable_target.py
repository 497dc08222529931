"""One scalable target of AWS with all its policies: from the scenario's blocks to a policy.

Target tracking, step scaling, scheduled actions and predictive scaling stand side by side on one
target; a single block is a target with one policy. `scalable_loop` is what decides in the replay;
scheduled actions are changes of the bounds, which the engine itself carries out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import aws_metrics as a
from modeler.autoscale import step_scaling, target_tracking
from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.autoscale.predictive import Forecast
from modeler.autoscale.scalable_layout import Bounds, Rule, assemble
from modeler.autoscale.scalable_loop import entry
from modeler.autoscale.target_tracking import full_utilisation, target_of, warm_up_s
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.kinds import platform_of
from modeler.scenario.policy import Predictive, Scheduled, StepScaling, TargetTracking, schedule

Block = TargetTracking | StepScaling | Scheduled | Predictive
# Actions of a trace without an end are laid out for so long. [days]
_LONGEST: Final = 366


def from_block(block: Block, context: Context) -> Policy:
    """Make the policy of a target with one policy."""
    return from_blocks([block], context)


def from_blocks(blocks: Sequence[Block], context: Context) -> Policy:
    """Make the policy of a target with several.

    Parameters
    ----------
    blocks : sequence of TargetTracking, StepScaling, Scheduled and Predictive.

    Raises
    ------
    ScenarioError : the bounds of scheduled actions contradict each other, a schedule never fires,
        or there is more than one predictive policy.
    """
    rules: list[Rule] = []
    actions: list[Scheduled] = []
    forecasts: list[Predictive] = []
    warm = 0.0
    asked: list[bool] = []
    for block in blocks:
        if isinstance(block, TargetTracking):
            rules.append(target_tracking.rule_of(block, context))
            if block.refuse_while_updating is not None:
                asked.append(block.refuse_while_updating)
            warm = max(warm, warm_up_s(block.instance_warmup_s, context.hosting))
        elif isinstance(block, StepScaling):
            rules.append(step_scaling.rule_of(block, context))
            warm = max(warm, warm_up_s(block.instance_warmup_s, context.hosting))
        elif isinstance(block, Scheduled):
            actions.append(block)
        else:
            forecasts.append(block)
    if len(forecasts) > 1:
        raise _refusal("policies", "a target has at most one predictive policy")
    acting = [each for each in forecasts if each.mode == "forecast_and_scale"]
    least, most, bounds, notes = scheduled_bounds(actions, context)
    notes += ["predictive scaling forecasts only and changes nothing"] * (
        len(forecasts) - len(acting)
    )
    return assemble(
        blocks[0].kind if len(blocks) == 1 else "scalable_target",
        entry,
        rules,
        Bounds(least, most, _within(context, least, most), bounds),
        refuse_while_updating=any(asked)
        if asked
        else platform_of(context.hosting).refuses_while_updating,
        warm_up_s=warm,
        forecast=_forecast(acting[0], context) if acting else None,
        notes=notes,
    )


def _forecast(block: Predictive, context: Context) -> Forecast:
    known = a.METRICS[block.metric]
    # Requests are summed; per minute they are the load's rate.
    scale = a.MINUTE_S if known.measure == a.REQUESTS else full_utilisation(block, context)
    return Forecast(
        target=target_of(block, context),
        measure=known.measure,
        scale=scale,
        period_s=known.period_s,
        buffer_s=block.scheduling_buffer_s,
        increase_max=block.max_capacity_behaviour == "increase",
        buffer_percent=block.max_capacity_buffer_percent,
        history=tuple(block.history),
    )


def _within(context: Context, least: int, most: int) -> int:
    """The warm fleet: as set or the minimum, moved into bounds that were set before the trace."""
    if (least, most) == (context.minimum, context.maximum):
        return context.warm
    return min(max(context.warm, least), most)


def scheduled_bounds(
    actions: Sequence[Scheduled], context: Context
) -> tuple[int, int, NDArray[np.float64], list[str]]:
    """The bounds at the trace's start, their changes inside it, and what to say of the others.

    What an action set when it last ran before the trace is in force at its start.

    Returns
    -------
    least, most, bounds, notes : int, int, float64[k, 3], list of str
        Bounds at the start [replicas]; changes as `Policy.bounds`: instant, minimum, maximum, NaN
        for one that stays.

    Raises
    ------
    ScenarioError : a schedule that never fires, or a minimum above the maximum in force.
    """
    origin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=context.t0_ns / 1000)
    length = timedelta(days=_LONGEST)
    if np.isfinite(context.horizon_s):
        length = min(length, timedelta(seconds=context.horizon_s))
    rows: list[tuple[float, float, float]] = []
    notes = []
    for action in actions:
        try:
            schedule.check(action.schedule, action.timezone)
            begins = None if action.start is None else schedule.moment(action.start)
            ends = None if action.end is None else schedule.moment(action.end)
            rule = (action.schedule, action.timezone)
            before = schedule.last_before(*rule, origin, begins=begins, ends=ends)
            inside = schedule.firings(*rule, origin, origin + length, begins=begins, ends=ends)
            instants = [*([] if before is None else [before]), *inside]
        except schedule.ScheduleError as error:
            raise _refusal("policy.schedule", str(error)) from error
        if before is not None:
            notes.append(
                f"scheduled action {action.schedule} last ran at {before:%Y-%m-%d %H:%M} UTC, "
                "before this trace: what it set is in force at the start"
            )
        elif not instants:
            notes.append(f"scheduled action {action.schedule} does not fire within this trace")
        rows += [
            (
                (at - origin).total_seconds(),
                np.nan if action.min_replicas is None else float(action.min_replicas),
                np.nan if action.max_replicas is None else float(action.max_replicas),
            )
            for at in instants
        ]
    rows.sort(key=lambda row: row[0])  # of one instant the later block comes last and stays
    least, most = float(context.minimum), float(context.maximum)
    start = (least, most)
    for k, (at_s, low, high) in enumerate(rows):
        least = least if np.isnan(low) else low
        most = most if np.isnan(high) else high
        if at_s < 0.0:
            start = (least, most)
            if k + 1 < len(rows) and rows[k + 1][0] < 0.0:
                continue  # of what ran before the trace only the end counts
        if least > most:
            when = "before the trace" if at_s < 0.0 else f"after {at_s:g} s"
            raise _refusal(
                "policy.min_replicas",
                f"{when} a scheduled minimum of {least:g} lies above the maximum of {most:g}",
            )
    later = [row for row in rows if row[0] >= 0.0]
    table = np.array(later, dtype=np.float64).reshape(-1, 3)
    return int(start[0]), int(start[1]), table, notes


def _refusal(path: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(f"{path}: {message}", path)])
