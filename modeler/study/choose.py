"""Which variant, and where: every pair of variant and place held against the limits of a world.

The smallest and the cheapest that pass are named with the runner-up; every other pair carries the
limits that exclude it, with its own figure and the limit's. Where none passes, the nearest is
named: the pair whose largest miss, over its limit, is least.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import pricing
from modeler.scenario import format_duration, format_size
from modeler.study.choice_blocks import Choice, Place, Variant, World
from modeler.study.pairing import Taken, taken

# Classes of power of what serves, by the watts a place states or its accelerators' design power:
# a phone, a small card, a large card or more (the limits are a choice of this tool).
_CLASSES: Final = ((10.0, "A, up to 10 W"), (100.0, "B, up to 100 W"), (math.inf, "C, above 100 W"))


@dataclass(frozen=True)
class Miss:
    """A limit that a pair does not keep.

    Parameters
    ----------
    limit : str. Its key: of a world, or ``memory``, ``storage`` of a place; ``instance`` where it
        holds no copy or cannot be in time, ``source`` where a figure is not stated.
    text : str. In words, with both figures.
    found, bound : float, optional. The pair's figure and the limit's, in the unit of its key; None
        where it is no matter of degree.
    """

    limit: str
    text: str
    found: float | None = None
    bound: float | None = None

    @property
    def by(self) -> float | None:
        """How far it is missed, in the unit of its key; None where it is no matter of degree."""
        return None if self.found is None or self.bound is None else abs(self.found - self.bound)

    @property
    def share(self) -> float:
        """How far it is missed, over the limit; infinite where it is no matter of degree."""
        return math.inf if self.by is None or not self.bound else self.by / abs(self.bound)


@dataclass(frozen=True)
class Pair:
    """A variant in a place.

    Parameters
    ----------
    variant, place : str.
    size_bytes : int. [bytes]
    accuracy : float, optional. In the metric's own unit.
    latency_s : float, optional. At the world's percentile, of wait and service together, and the
        round trip, or the deadline; None where nothing says it. [s]
    latency_from : str. What says it.
    service_s : float, optional. Mean of one inference. [s]
    wait_s : float, optional. At that percentile the wait alone, of a cloud. [s]
    slots : int, optional. Requests that an instance serves at once, in all copies of the model.
    instances : int, optional. That are held, or work on a batch; None on a device. [instances]
    usd_per_month : float, optional. 0 on a device; None where it cannot be told. [USD]
    cold_start_s : (float, float), optional. Median and 95th percentile of a new replica. [s]
    misses : tuple of Miss. Limits that it does not keep; empty where it passes.
    """

    variant: str
    place: str
    size_bytes: int
    accuracy: float | None
    latency_s: float | None
    latency_from: str
    service_s: float | None
    wait_s: float | None
    slots: int | None
    instances: int | None
    usd_per_month: float | None
    cold_start_s: tuple[float, float] | None
    misses: tuple[Miss, ...]

    @property
    def passes(self) -> bool:
        """Whether no limit excludes it."""
        return not self.misses

    @property
    def excluded(self) -> tuple[str, ...]:
        """Why it does not pass, in words; empty where it does."""
        return tuple(miss.text for miss in self.misses)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with how far each limit is missed."""
        misses = [{**asdict(miss), "by": miss.by} for miss in self.misses]
        return {**asdict(self), "misses": misses, "excluded": list(self.excluded)}


@dataclass(frozen=True)
class Decision:
    """What one world comes to.

    Parameters
    ----------
    world : str.
    chosen, smallest, runner_up : Pair, optional. The cheapest that passes; the smallest; the next.
    nearest : Pair, optional. Where none passes, the one that comes nearest.
    reason : str. One sentence.
    pairs : tuple of Pair. All of them.
    """

    world: str
    chosen: Pair | None
    smallest: Pair | None
    runner_up: Pair | None
    nearest: Pair | None
    reason: str
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        named = {
            name: None if pair is None else pair.to_dict()
            for name, pair in (
                ("chosen", self.chosen), ("smallest", self.smallest),
                ("runner_up", self.runner_up), ("nearest", self.nearest),
            )
        }  # fmt: skip
        pairs = [pair.to_dict() for pair in self.pairs]
        return {"world": self.world, **named, "reason": self.reason, "pairs": pairs}


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
        near = min(pairs, key=_by_miss)
        reason = (
            f"Nothing passes; nearest is {_name(near)}, excluded by {' and '.join(near.excluded)}."
        )
        return Decision(world.name, None, None, None, near, reason, pairs)
    chosen = passing[0]
    smallest = min(passing, key=lambda p: (p.size_bytes, *_by_cost(p)))
    runner_up = passing[1] if len(passing) > 1 else None
    reason = _reason(chosen, runner_up, pairs)
    return Decision(world.name, chosen, smallest, runner_up, None, reason, pairs)


def _by_miss(pair: Pair) -> tuple[Any, ...]:
    """Fewest limits that are no matter of degree, then the least of the largest shares missed."""
    shares = [miss.share for miss in pair.misses]
    hard = sum(1 for share in shares if math.isinf(share))
    soft = [share for share in shares if math.isfinite(share)]
    return (hard, max(soft, default=0.0), len(shares), *_by_cost(pair))


def _by_cost(pair: Pair) -> tuple[float, int, float, str, str]:
    """Cheapest first; of equals the smaller, then the faster."""
    return (
        round(_usd(pair), 6), pair.size_bytes, pair.latency_s or 0.0, pair.variant,
        pair.place,
    )  # fmt: skip


def _usd(pair: Pair) -> float:
    return math.inf if pair.usd_per_month is None else pair.usd_per_month


def _name(pair: Pair) -> str:
    return f"{pair.variant} on {pair.place}"


def _reason(chosen: Pair, runner_up: Pair | None, pairs: tuple[Pair, ...]) -> str:
    text = (
        f"{_name(chosen)}: {_time(chosen.latency_s or 0.0)}, "
        f"${_usd(chosen):,.2f} a month, {format_size(chosen.size_bytes)}"
    )
    if chosen.accuracy is not None:
        text += f", accuracy {chosen.accuracy:g}"
    if runner_up is not None:
        text += f"; next is {_name(runner_up)} at ${_usd(runner_up):,.2f}"
    finer = [
        pair for pair in pairs
        if pair.passes and _usd(pair) < _usd(chosen) + 0.005
        and pair.accuracy is not None and pair.accuracy > (chosen.accuracy or -math.inf)
    ]  # fmt: skip
    if finer:
        best = max(finer, key=lambda pair: pair.accuracy or 0.0)
        text += f"; for the same price {_name(best)} reaches accuracy {best.accuracy:g}"
    lost = [pair for pair in pairs if pair.misses]
    better = [
        pair for pair in lost
        if pair.accuracy is not None and chosen.accuracy is not None
        and pair.accuracy > chosen.accuracy
    ]  # fmt: skip
    if better:
        most = max(pair.accuracy or 0.0 for pair in better)
        best = min((pair for pair in better if pair.accuracy == most), key=_by_miss)
        text += f"; the more accurate {_name(best)} is excluded by {' and '.join(best.excluded)}"
    cheaper = [pair for pair in lost if _by_cost(pair)[0] < _by_cost(chosen)[0]]
    if cheaper:
        near = min(cheaper, key=_by_miss)
        text += f"; the cheaper {_name(near)} is excluded by {' and '.join(near.excluded)}"
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
        service_s=found.service_s,
        wait_s=found.wait_s,
        slots=found.slots,
        instances=found.instances,
        usd_per_month=found.usd_per_month,
        cold_start_s=found.cold_start_s,
        misses=tuple(_misses(variant, place, world, found)),
    )


def _misses(variant: Variant, place: Place, world: World, found: Taken) -> Iterator[Miss]:
    if world.offline and place.kind != "device":
        yield Miss("offline", f"no connection, which {place.name} needs")
    least = world.accuracy_at_least
    if least is not None:
        if variant.accuracy is None:
            yield Miss("source", "no accuracy stated")
        elif variant.accuracy < least:
            accuracy = variant.accuracy
            short = f"accuracy {accuracy:g} under {least:g}, by {least - accuracy:.3g}"
            yield Miss("accuracy_at_least", short, accuracy, least)
    latency, limit = found.latency_s, world.latency_at_most_s
    if found.fits:
        yield Miss("instance", found.fits)
    elif latency is None:
        yield Miss("source", found.latency_from)
    elif limit is not None and latency > limit:
        yield Miss("latency_at_most_s", _late(latency, limit, found), latency, limit)
    sizes = {"size_at_most": world.size_at_most, "memory": place.memory, "storage": place.storage}
    limits = {key: one for key, one in sizes.items() if one is not None}
    if limits:
        key = min(limits, key=lambda name: limits[name])
        if variant.size > limits[key]:
            # More digits where three do not tell them apart.
            size, most = format_size(variant.size), format_size(limits[key])
            if size == most:
                size, most = f"{variant.size:,} bytes", f"{limits[key]:,}"
            yield Miss(key, f"size {size} over {most}", variant.size, limits[key])
    slow = world.cold_start_at_most_s
    # On a device nothing starts, and a batch has its start before the deadline.
    if slow is not None and found.cold_start_s is not None and place.kind == "cloud":
        median = found.cold_start_s[0]
        if median > slow:
            text = f"a new replica takes {median:.0f} s, over {slow:g} s"
            yield Miss("cold_start_at_most_s", text, median, slow)
    usd, most_usd = found.usd_per_month, world.usd_per_month_at_most
    if most_usd is not None and usd is not None and usd > most_usd:
        text = f"${usd:,.2f} a month over ${most_usd:,.2f}"
        yield Miss("usd_per_month_at_most", text, usd, most_usd)


def _late(latency: float, limit: float, found: Taken) -> str:
    """By how much, and whether more instances would help."""
    text = f"latency {_time(latency)} over {_time(limit)}"
    if _time(latency) == _time(limit):
        text = f"latency {latency:.9g} s over {limit:.9g} s"
    if found.instances is not None and found.wait_s is not None:
        text += ", with however many instances"
        if (found.slots or 1) > 1 and found.latency_from.endswith("rule"):
            text += "; fewer slots are faster"
    return text


def _time(seconds: float) -> str:
    """Milliseconds below a second, seconds below a minute."""
    if seconds >= 60.0:
        return format_duration(seconds)
    if seconds >= 0.9995:
        return f"{seconds:.3g} s"
    return f"{1000.0 * seconds:.3g} ms"


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
                    "service_s": pair.service_s,
                    "wait_s": pair.wait_s,
                    "slots": pair.slots,
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
