"""Capacity by the clock and by forecast, against the time that a start takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from modeler.scenario import format_duration
from modeler.scenario.policy import Predictive, Scheduled, schedule
from modeler.study.doctor.facts import MINUTE_S, Facts, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held

# A ramp is looked for from so long before a scheduled action to so long after it, in minutes.
_BEFORE, _AFTER = 120, 180
# Arrivals are averaged over so many minutes, so that no single one is a ramp.
_SMOOTH: Final = 5
_SCHEDULED: Final = "Application Auto Scaling user guide, scheduled scaling, read 2026-09"
# The longest buffer (EC2 Auto Scaling API reference, SchedulingBufferTime, read 2026-09).
_BUFFER_MOST_S: Final = 3599


def lead_under_start(facts: Facts) -> Iterator[Finding]:
    """A scheduled minimum that is asked for later than a start before the ramp it is for."""
    if facts.per_request:
        return
    minima = [one.min_replicas for _, one in facts.policies if isinstance(one, Scheduled)]
    for path, block in facts.policies:
        if not isinstance(block, Scheduled) or not block.min_replicas:
            continue
        below = [one for one in (*minima, facts.least) if one is not None]
        before = max((one for one in below if one < block.min_replicas), default=None)
        if before is None:
            continue  # it lowers the minimum
        leads = leads_s(facts, block, before)
        if not leads:
            continue
        lead_s = float(np.median(leads))
        missing_s = facts.start_p95_s - lead_s
        if missing_s <= 0.0:
            continue
        at = f"{path}.schedule"
        sooner_s = up_to_minute(missing_s)
        moved = earlier(block.schedule, sooner_s)
        yield Finding(
            "schedule-lead-under-start",
            "warning",
            (at,),
            (
                Held("lead before the ramp (median)", lead_s, "s"),
                facts.start_held(),
                Held("replicas before", before),
                facts.setting(f"{path}.min_replicas", "replicas from then on", block.min_replicas),
                Held("ramps in the traffic", len(leads)),
            ),
            f"The traffic outgrows {before} replicas {_when(lead_s)} the schedule raises the "
            f"minimum and a start takes {format_duration(facts.start_p95_s)}: the replicas come "
            f"{format_duration(missing_s)} late.",
            Cure(f"run it {format_duration(sooner_s)} earlier", {at: moved} if moved else {}),
            "documented",
            _SCHEDULED,
        )


def _when(lead_s: float) -> str:
    if lead_s >= 0.0:
        return f"{format_duration(lead_s)} after"
    return f"{format_duration(-lead_s)} before"


def leads_s(facts: Facts, block: Scheduled, before: int) -> list[float]:
    """From each run of an action to the minute at which the traffic outgrows the fleet before it.

    Negative where it has outgrown it already. Runs without such a ramp nearby are left out. [s]
    """
    trace = facts.trace
    origin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=trace.t0_ns / 1000)
    until = origin + timedelta(seconds=trace.duration_s)
    begins = None if block.start is None else schedule.moment(block.start)
    ends = None if block.end is None else schedule.moment(block.end)
    rates = facts.minute_rps
    if rates.size >= _SMOOTH:
        rates = np.convolve(rates, np.ones(_SMOOTH) / _SMOOTH, mode="same")
    above = rates > before * facts.replica_rps
    found = []
    for run in schedule.firings(
        block.schedule, block.timezone, origin, until, begins=begins, ends=ends
    ):
        at_s = (run - origin).total_seconds()
        minute = round(at_s / MINUTE_S)
        first = max(minute - _BEFORE, 0)
        window = above[first : minute + _AFTER]
        if window.size == 0 or not window.any() or window[0]:
            continue
        found.append(MINUTE_S * (first + int(np.argmax(window))) - at_s)
    return found


def earlier(text: str, seconds: int) -> str | None:
    """A cron expression so much earlier; None where its minute and hour are no plain numbers.

    >>> earlier("cron(0 7 ? * MON-FRI *)", 600)
    'cron(50 6 ? * MON-FRI *)'
    """
    matched = re.fullmatch(r"(cron\(|)(\d+) (\d+) (.*)", text.strip())
    if not matched:
        return None
    minutes = 60 * int(matched[3]) + int(matched[2]) - seconds // 60
    if minutes < 0:
        return None  # the day before: its days change as well
    return f"{matched[1]}{minutes % 60} {minutes // 60} {matched[4]}"


def buffer_under_start(facts: Facts) -> Iterator[Finding]:
    """A forecast that asks for an hour's capacity later than a start before the hour."""
    for path, block in facts.policies:
        if not isinstance(block, Predictive) or block.mode == "forecast_only":
            continue
        if block.scheduling_buffer_s >= facts.start_p95_s:
            continue
        at = f"{path}.scheduling_buffer_s"
        value = min(up_to_minute(facts.start_p95_s), _BUFFER_MOST_S)
        yield Finding(
            "forecast-buffer-under-start",
            "warning",
            (at,),
            (
                facts.setting(at, "asked for before the hour", block.scheduling_buffer_s, "s"),
                facts.start_held(),
            ),
            f"The capacity of an hour is asked for {format_duration(block.scheduling_buffer_s)} "
            f"before it and takes {format_duration(facts.start_p95_s)}: each hour begins short.",
            Cure(f"ask {format_duration(value)} before", {at: value}),
            "documented",
            "EC2 Auto Scaling API reference, SchedulingBufferTime, read 2026-09",
        )


def forecast_only(facts: Facts) -> Iterator[Finding]:
    """A forecast that changes nothing, beside nothing else or thought to act."""
    for path, block in facts.policies:
        if not isinstance(block, Predictive) or block.mode != "forecast_only":
            continue
        alone = len(facts.policies) == 1
        yield Finding(
            "forecast-does-not-act",
            "critical" if alone and facts.peak_rps > facts.least * facts.replica_rps else "note",
            (f"{path}.mode",),
            (Held("policies that act", len(facts.policies) - 1),),
            "Predictive scaling is set to forecast only, its default: it changes nothing.",
            Cure("let it act", {f"{path}.mode": "forecast_and_scale"}),
            "documented",
            "EC2 Auto Scaling API reference, PredictiveScalingConfiguration, Mode, read 2026-09",
        )


CHECKS: Final = (lead_under_start, buffer_under_start, forecast_only)
