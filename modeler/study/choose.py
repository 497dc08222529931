"""Which variant, and where: every pair of variant and place held against the limits of a world.

The smallest and the cheapest that pass are named with the runner-up; every other pair carries the
limits that exclude it, with its own figure and the limit's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import pricing
from modeler.scenario import format_size
from modeler.study.choice_file import Choice, Place, Variant, World
from modeler.study.pairing import Taken, taken

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
    latency_s : float, optional. At the world's percentile, with round trip and wait, or the
        deadline; None where nothing says it. [s]
    latency_from : str. What says it.
    instances : int, optional. That are held, or work on a batch; None on a device. [instances]
    usd_per_month : float. [USD]
    cold_start_s : (float, float), optional. Median and 95th percentile of a new replica. [s]
    excluded : tuple of str. Why it does not pass; empty where it does.
    """

    variant: str
    place: str
    size_bytes: int
    accuracy: float | None
    latency_s: float | None
    latency_from: str
    instances: int | None
    usd_per_month: float
    cold_start_s: tuple[float, float] | None
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
        round(pair.usd_per_month, 6), pair.size_bytes, pair.latency_s or 0.0, pair.variant,
        pair.place,
    )  # fmt: skip


def _name(pair: Pair) -> str:
    return f"{pair.variant} on {pair.place}"


def _reason(chosen: Pair, runner_up: Pair | None, pairs: tuple[Pair, ...]) -> str:
    text = (
        f"{_name(chosen)}: {1000.0 * (chosen.latency_s or 0.0):.0f} ms, "
        f"${chosen.usd_per_month:,.2f} a month, {format_size(chosen.size_bytes)}"
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
    found = taken(variant, place, world, rate)
    return Pair(
        variant=variant.name,
        place=place.name,
        size_bytes=variant.size,
        accuracy=variant.accuracy,
        latency_s=found.latency_s,
        latency_from=found.latency_from,
        instances=found.instances,
        usd_per_month=found.usd_per_month,
        cold_start_s=found.cold_start_s,
        excluded=tuple(_excluded(variant, place, world, found)),
    )


def _excluded(variant: Variant, place: Place, world: World, found: Taken) -> Iterator[str]:
    if world.offline and place.kind != "device":
        yield f"no connection, which {place.name} needs"
    if world.accuracy_at_least is not None:
        if variant.accuracy is None:
            yield "no accuracy stated"
        elif variant.accuracy < world.accuracy_at_least:
            yield f"accuracy {variant.accuracy:g} under {world.accuracy_at_least:g}"
    latency, limit = found.latency_s, world.latency_at_most_s
    if latency is None:
        yield found.latency_from
    elif limit is not None and latency > limit:
        yield f"latency {latency * 1000.0:.0f} ms over {limit * 1000.0:.0f} ms"
    limits = [one for one in (world.size_at_most, place.memory, place.storage) if one is not None]
    if limits and variant.size > min(limits):
        yield f"size {format_size(variant.size)} over {format_size(min(limits))}"
    if found.fits:
        yield found.fits
    slow = world.cold_start_at_most_s
    # On a device nothing starts, and a batch has its start before the deadline.
    if slow is not None and found.cold_start_s is not None and place.kind == "cloud":
        median = found.cold_start_s[0]
        if median > slow:
            yield f"a new replica takes {median:.0f} s, over {slow:.0f} s"
    most = world.usd_per_month_at_most
    if most is not None and found.usd_per_month > most:
        yield f"${found.usd_per_month:,.2f} a month over ${most:,.2f}"


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
            start = pair.cold_start_s
            rows.append(
                {
                    "variant": variant.name,
                    "place": place.name,
                    "size_bytes": variant.size,
                    "accuracy": variant.accuracy,
                    "gain_per_doubling": gain,
                    "latency_s": pair.latency_s,
                    "latency_from": pair.latency_from,
                    "instances": pair.instances,
                    "usd_per_month": pair.usd_per_month,
                    "cold_start_p50_s": None if start is None else start[0],
                    "cold_start_p95_s": None if start is None else start[1],
                    "flops": variant.flops,
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
