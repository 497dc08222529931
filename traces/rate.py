"""The rate of a law of traffic, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, expm1, log, sqrt
from typing import Final

import numpy as np

from traces.draws import exponential, normal, uniform
from traces.errors import Problem, TraceError
from traces.law import HOURS_A_WEEK, Crowds, Floats, Outage, States, TrafficLaw, Wander

DAY_S: Final = 86_400.0
_HOUR_S: Final = 3600.0
_MOST_STEPS: Final = 50_000_000
# Draws of a path that are compared cost this many steps at most.
_MOST_COMPARED: Final = 4_000_000
# Widths over which paths are compared: a controller's period and its metric's. [s]
_WIDTHS_S: Final = (10.0, 60.0, 120.0)


def edges_of(law: TrafficLaw, days: float) -> Floats:
    """Times at which the rate changes, from 0 to the end. [s]

    Raises
    ------
    TraceError : more steps than memory should hold.
    """
    end_s = days * DAY_S
    if end_s / law.step_s > _MOST_STEPS:
        problem = Problem(
            f"{end_s / law.step_s:.3g} steps of {law.step_s:g} s",
            f"at most {_MOST_STEPS:,}: fewer days or a longer step_s",
            column="step_s",
        )
        raise TraceError(None, problem)
    return np.append(np.arange(0.0, end_s, law.step_s), end_s)


def shared_rate(law: TrafficLaw, edges_s: Floats, seed: int) -> Floats:
    """Relative rate of each step, of what all clients share."""
    at_s = edges_s[:-1] + law.step_s / 2
    base = shape(law, at_s)
    rate = base * typical_wander(law, law.wander, base, seed, "generate.wander")
    if law.states is not None:
        rate *= _visited(law.states, edges_s, seed)
    if law.crowds is not None:
        rate *= _crowds(law.crowds, base, edges_s, seed)
    for outage in law.outages:
        _interrupt(rate, outage, edges_s)
    if not rate.any():
        raise TraceError(None, Problem("no request is left", "a rate above 0 at some time"))
    return rate


def shape(law: TrafficLaw, at_s: Floats) -> Floats:
    """Relative rate by hour and waves, straight lines between the middles of hours."""
    rate = np.ones(at_s.size)
    if law.hours is not None:
        days = int(at_s[-1] // DAY_S) + 1
        first = 0.0 if law.start is None else _since_monday_s(law)
        whole = np.asarray(law.hours)
        week = whole if whole.size == HOURS_A_WEEK else np.tile(whole, 7)
        # A day before the start and one after the end, so that no edge is special.
        number = np.arange(-24, (days + 2) * 24) + int(first // _HOUR_S)
        middles_s = (np.arange(-24, (days + 2) * 24) + 0.5) * _HOUR_S - first % _HOUR_S
        rate = np.interp(at_s, middles_s, week[number % HOURS_A_WEEK])
    if law.harmonics:
        waves = np.ones(at_s.size)
        for period_s, cosine, sine in law.harmonics:
            turn = 2.0 * np.pi * at_s / period_s
            waves += cosine * np.cos(turn) + sine * np.sin(turn)
        rate = rate * np.maximum(waves, 0.0)
    return rate


def _since_monday_s(law: TrafficLaw) -> float:
    """The start as a time of its week. [s]"""
    assert law.start is not None
    start = law.start
    of_day = start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6
    return start.weekday() * DAY_S + of_day


def typical_wander(
    law: TrafficLaw, parts: Sequence[Wander], base: Floats, seed: int, stream: str
) -> Floats:
    """The product of the wandering factors; of several draws, the one most like the law."""
    if not parts:
        return np.ones(base.size)
    count = max(1, min(law.paths, _MOST_COMPARED // base.size))
    widths = [max(round(width / law.step_s), 1) for width in _WIDTHS_S]
    widths = [width for width in dict.fromkeys(widths) if base.size // width >= 8]
    best, nearest = np.ones(base.size), np.inf
    for number in range(count):
        name = stream if number == 0 else f"{stream}.{number}"
        path = np.ones(base.size)
        for k, part in enumerate(parts):
            path = path * _wander(
                part, base.size, law.step_s, seed, name if k == 0 else f"{name}/{k}"
            )
        if count == 1 or not widths:
            return path
        distance = _distance(base * path, base, parts, law.step_s, widths)
        if distance < nearest:
            best, nearest = path, distance
    return best


def _distance(
    rate: Floats, base: Floats, parts: Sequence[Wander], step_s: float, widths: Sequence[int]
) -> float:
    """How far the scatter of a path is from the law's, over several widths."""
    total = 0.0
    for width in widths:
        size = rate.size // width * width
        bins = rate[:size].reshape(-1, width).mean(axis=1)
        means = base[:size].reshape(-1, width).mean(axis=1)
        expected = float(np.var(means)) + float(np.mean(means**2)) * excess(parts, width * step_s)
        found = float(np.var(bins)) * (float(means.mean()) / float(bins.mean())) ** 2
        if expected > 0.0 and found > 0.0:
            total += log(found / expected) ** 2
    return total


def excess(parts: Sequence[Wander], width_s: float) -> float:
    """Variance of the mean of the wandering factor over a width, its mean being 1. [1]

    Twice the integral of (1 - u) C(u width) for u from 0 to 1, where C(t) is the product of
    exp(sigma^2 exp(-t / tau)) over the factors, less 1; by Gauss-Legendre in the logarithm of u.
    """
    if not parts:
        return 0.0
    u = _NODES
    exponent = sum(part.sigma**2 * np.exp(-u * width_s / part.tau_s) for part in parts)
    return float(2.0 * np.sum(_WEIGHTS * (1.0 - u) * np.expm1(exponent)))


def _nodes() -> tuple[Floats, Floats]:
    """Nodes and weights on (0, 1), dense near 0, where short correlations live."""
    x, w = np.polynomial.legendre.leggauss(64)
    y = (x + 1.0) / 2.0
    return y**4, w / 2.0 * 4.0 * y**3


_NODES, _WEIGHTS = _nodes()


def _wander(part: Wander, steps: int, step_s: float, seed: int, stream: str) -> Floats:
    from scipy.signal import lfilter

    keep = exp(-step_s / part.tau_s)
    fresh = sqrt(-expm1(-2.0 * step_s / part.tau_s))
    shocks = normal(seed, stream, 0, steps)
    shocks[1:] *= fresh
    levels = lfilter([1.0], [1.0, -keep], shocks)
    sigma = part.sigma
    return np.exp(levels * sigma - sigma * sigma / 2.0)


def _visited(states: States, edges_s: Floats, seed: int) -> Floats:
    """Mean factor of each step along a walk through the states, each other one equally likely."""
    end_s = float(edges_s[-1])
    changes, level = [0.0], [0]
    number, now, state = 0, 0.0, 0
    count = len(states.factors)
    while now < end_s:
        piece = 4096
        stays = exponential(seed, "generate.state_stay", number, piece)
        picks = uniform(seed, "generate.state", number, piece)
        for stay, pick in zip(stays.tolist(), picks.tolist(), strict=True):
            now += stay * states.mean_stay_s[state]
            step = 1 + int(pick * (count - 1))
            state = (state + step) % count
            changes.append(now)
            level.append(state)
            if now >= end_s:
                break
        number += piece
        if len(changes) > _MOST_STEPS:
            problem = Problem("the states change too often", "longer mean_stay_s", column="states")
            raise TraceError(None, problem)
    factors = np.asarray(states.factors)[level]
    at = np.asarray(changes)
    passed = np.concatenate(([0.0], np.cumsum(factors[:-1] * np.diff(at))))
    return np.diff(np.interp(edges_s, at, passed)) / np.diff(edges_s)


def _crowds(crowds: Crowds, base: Floats, edges_s: Floats, seed: int) -> Floats:
    """Factor of 1 and above: flash crowds that start at once and fade."""
    count = round(crowds.per_day * float(edges_s[-1]) / DAY_S)
    load = np.concatenate(([0.0], np.cumsum(base * np.diff(edges_s))))
    starts_s = np.interp(uniform(seed, "generate.crowd", 0, count) * load[-1], load, edges_s)
    low, high = crowds.height
    starts_s = np.concatenate((starts_s, np.asarray(crowds.at_s)))
    heights = low + (high - low) * uniform(seed, "generate.crowd_height", 0, starts_s.size)
    factor = np.ones(base.size)
    for start_s, height in zip(starts_s, heights, strict=True):
        since = edges_s[:-1] - start_s
        after = since >= 0.0
        factor[after] += height * np.exp(-since[after] / crowds.tau_s)
    return factor


def _interrupt(rate: Floats, outage: Outage, edges_s: Floats) -> None:
    """No rate while it lasts; then the share that comes back, fading."""
    begins, ends = outage.at_s, outage.at_s + outage.lasts_s
    widths = np.diff(edges_s)
    inside = np.clip(np.minimum(edges_s[1:], ends) - np.maximum(edges_s[:-1], begins), 0.0, None)
    lost = float(np.sum(rate * inside))
    rate *= 1.0 - inside / widths
    # What is left to come back at the edges of each step; all of it before the end of the outage.
    left = np.exp(-np.clip(edges_s - ends, 0.0, None) / outage.tau_s)
    rate += outage.come_back * lost * -np.diff(left) / widths
