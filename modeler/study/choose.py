"""Which variant, and where: every pair of variant and place held against the limits of a world.

The smallest and the cheapest that pass are named with the runner-up; every other pair carries the
limits that exclude it, with its own figure and the limit's.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import pricing
from modeler.scenario import format_size
from modeler.study.choice_file import Choice, Place, Variant, World

_HOURS_A_MONTH: Final = 730.0
_DAY_S: Final = 86_400.0
# Classes of power of what serves, by the watts a place states or its accelerators' design power:
# a phone, a small card, a large card or more (the limits are a choice of this tool).
_CLASSES: Final = ((10.0, "A, up to 10 W"), (100.0, "B, up to 100 W"), (math.inf, "C, above 100 W"))


@dataclass(frozen=True)
class Pair:
    """A variant in a place.

    Parameters
    ----------
    variant, place : str.
    size_bytes : int. [bytes]
    accuracy : float, optional. In the metric's own unit.
    latency_s : float. Round trip or deadline included. [s]
    usd_per_month : float. [USD]
    excluded : tuple of str. Why it does not pass; empty where it does.
    """

    variant: str
    place: str
    size_bytes: int
    accuracy: float | None
    latency_s: float
    usd_per_month: float
    excluded: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether no limit excludes it."""
        return not self.excluded


@dataclass(frozen=True)
class Decision:
    """What one world comes to.

    Parameters
    ----------
    world : str.
    chosen, smallest, runner_up : Pair, optional. The cheapest that passes; the smallest; the next.
    reason : str. One sentence.
    pairs : tuple of Pair. All of them.
    """

    world: str
    chosen: Pair | None
    smallest: Pair | None
    runner_up: Pair | None
    reason: str
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def choose(choice: Choice) -> tuple[Decision, ...]:
    """A decision for every world.

    Raises
    ------
    pricing.PricingError : an instance or its price is not known.
    """
    return tuple(_decide(choice, world) for world in choice.worlds)


def _decide(choice: Choice, world: World) -> Decision:
    pairs = tuple(
        _pair(variant, place, world, choice.requests_per_second)
        for variant in choice.variants
        for place in choice.places
    )
    passing = sorted((p for p in pairs if p.passes), key=_by_cost)
    if not passing:
        least = min(pairs, key=lambda p: (len(p.excluded), *_by_cost(p)))
        by = " and ".join(least.excluded)
        reason = f"Nothing passes; nearest is {_name(least)}, excluded by {by}."
        return Decision(world.name, None, None, None, reason, pairs)
    chosen = passing[0]
    smallest = min(passing, key=lambda p: (p.size_bytes, *_by_cost(p)))
    runner_up = passing[1] if len(passing) > 1 else None
    return Decision(
        world.name, chosen, smallest, runner_up, _reason(chosen, runner_up, pairs), pairs
    )


def _by_cost(pair: Pair) -> tuple[float, int, float, str, str]:
    """Cheapest first; of equals the smaller, then the faster."""
    return (
        round(pair.usd_per_month, 6), pair.size_bytes, pair.latency_s, pair.variant, pair.place,
    )  # fmt: skip


def _name(pair: Pair) -> str:
    return f"{pair.variant} on {pair.place}"


def _reason(chosen: Pair, runner_up: Pair | None, pairs: tuple[Pair, ...]) -> str:
    text = (
        f"{_name(chosen)}: {chosen.latency_s * 1000.0:.0f} ms, ${chosen.usd_per_month:,.2f} a "
        f"month, {format_size(chosen.size_bytes)}"
    )
    if chosen.accuracy is not None:
        text += f", accuracy {chosen.accuracy:g}"
    if runner_up is not None:
        text += f"; next is {_name(runner_up)} at ${runner_up.usd_per_month:,.2f}"
    better = [
        p for p in pairs
        if p.excluded and p.accuracy is not None and chosen.accuracy is not None
        and p.accuracy > chosen.accuracy
    ]  # fmt: skip
    if better:
        best = max(better, key=lambda p: (p.accuracy or 0.0, -len(p.excluded)))
        text += f"; the more accurate {_name(best)} is excluded by {best.excluded[0]}"
    return text + "."


def _pair(variant: Variant, place: Place, world: World, rate: float) -> Pair:
    work_s = variant.latency_s / place.speed
    latency = work_s + place.round_trip_s
    if place.kind == "batch":
        latency = place.deadline_s or 0.0
    usd = _usd_per_month(place, work_s, rate)
    return Pair(
        variant.name, place.name, variant.size, variant.accuracy, latency, usd,
        tuple(_excluded(variant, place, world, latency, usd)),
    )  # fmt: skip


def _usd_per_month(place: Place, work_s: float, rate: float) -> float:
    """Of a device nothing; of a cloud whole instances all month; of a batch what it runs.

    Instances in a cloud are as many as keep them at their utilisation, at least one. A batch runs
    once a deadline: its work and one start.
    """
    if place.kind == "device" or place.instance is None:
        return 0.0
    hour = float(pricing.price(place.instance, place.region).usd_per_hour)
    if place.kind == "cloud":
        return math.ceil(max(rate * work_s / place.utilisation, 1e-9)) * hour * _HOURS_A_MONTH
    deadline = place.deadline_s or _DAY_S
    busy_s = rate * deadline * work_s + place.start_s
    runs = _HOURS_A_MONTH * pricing.SECONDS_PER_HOUR / deadline
    return runs * busy_s / pricing.SECONDS_PER_HOUR * hour


def _excluded(
    variant: Variant, place: Place, world: World, latency: float, usd: float
) -> list[str]:
    found = []
    if world.offline and place.kind != "device":
        found.append(f"no connection, which {place.name} needs")
    if world.accuracy_at_least is not None:
        if variant.accuracy is None:
            found.append("no accuracy stated")
        elif variant.accuracy < world.accuracy_at_least:
            found.append(f"accuracy {variant.accuracy:g} under {world.accuracy_at_least:g}")
    if world.latency_at_most_s is not None and latency > world.latency_at_most_s:
        found.append(
            f"latency {latency * 1000.0:.0f} ms over {world.latency_at_most_s * 1000.0:.0f} ms"
        )
    limits = [limit for limit in (world.size_at_most, place.memory) if limit is not None]
    if limits and variant.size > min(limits):
        found.append(f"size {format_size(variant.size)} over {format_size(min(limits))}")
    if world.usd_per_month_at_most is not None and usd > world.usd_per_month_at_most:
        found.append(f"${usd:,.2f} a month over ${world.usd_per_month_at_most:,.2f}")
    return found


def card(choice: Choice) -> list[dict[str, Any]]:
    """Variants side by side, a row each with its place: every count on which they differ.

    ``gain_per_doubling`` is the accuracy gained for each doubling of size since the next smaller
    variant: where it falls, returns diminish.
    """
    ordered = sorted(choice.variants, key=lambda v: v.size)
    free = World(name="no limits")
    rows = []
    for number, variant in enumerate(ordered):
        before = ordered[number - 1] if number else None
        gain = None
        if before is not None and None not in (variant.accuracy, before.accuracy):
            doublings = math.log2(variant.size / before.size) if variant.size > before.size else 0.0
            change = (variant.accuracy or 0.0) - (before.accuracy or 0.0)
            gain = change / doublings if doublings else None
        for place in choice.places:
            pair = _pair(variant, place, free, choice.requests_per_second)
            rows.append(
                {
                    "variant": variant.name,
                    "place": place.name,
                    "size_bytes": variant.size,
                    "accuracy": variant.accuracy,
                    "gain_per_doubling": gain,
                    "latency_s": pair.latency_s,
                    "usd_per_month": pair.usd_per_month,
                    "energy_class": _energy(place),
                    "training_flops": variant.training,
                    "source": variant.source,
                }
            )
    return rows


def _energy(place: Place) -> str | None:
    """By the watts of what serves; None where nobody has stated them."""
    watts = place.watts
    if watts is None and place.instance is not None:
        watts = _watts(place.instance)
    if watts is None:
        return None
    return next(name for limit, name in _CLASSES if watts <= limit)


def _watts(instance_type: str) -> float | None:
    """Design power of the accelerators of an instance; a host without any is not told. [W]"""
    spec = pricing.instance(instance_type)
    if spec.accelerator is None:
        return None
    try:
        one = pricing.accelerator(spec.accelerator).power_watts
    except pricing.SpecNotFound:
        return None
    return None if one is None else one * spec.accelerator_count
