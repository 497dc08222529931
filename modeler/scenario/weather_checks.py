"""Machines, weather and the rest of a scenario that do not go together."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modeler.scenario.nodes import LAYERS
from modeler.scenario.weather import (
    FailedStart,
    InsufficientCapacity,
    SlowRegistry,
    SlowStore,
    SpotReclaim,
    Weather,
    ZoneLost,
)

if TYPE_CHECKING:
    from modeler.scenario.cold_start import ColdStart
    from modeler.scenario.hosting import Hosting
    from modeler.scenario.schema import Fleet

# What can go wrong with a start alone.
OF_STARTS: Final = (SlowStore, SlowRegistry, FailedStart)


class Clash(NamedTuple):
    """A setting that does not go with the others."""

    path: str
    value: object
    expected: str
    message: str


def of_nodes(hosting: "Hosting") -> Iterator[Clash]:
    """A layer beneath the replicas that this platform does not have."""
    nodes: Any = getattr(hosting, "nodes", None)
    if nodes is None:
        return
    allowed = ("none", *LAYERS.get(hosting.kind, ()))
    if nodes.kind not in allowed:
        at = ", ".join(f"{layer} on {kind}" for kind, layers in LAYERS.items() for layer in layers)
        yield Clash(
            "hosting.nodes.kind",
            nodes.kind,
            f"one of {', '.join(allowed)}",
            f"hosting.nodes.kind = {nodes.kind}: {hosting.platform.title} has none such; there is "
            f"{at}",
        )
    elif nodes.kind == "warm_pool" and getattr(hosting, "purchase", "") == "spot":
        yield Clash(
            "hosting.purchase",
            "spot",
            "on-demand",
            "a warm pool takes no Spot instances (EC2 Auto Scaling user guide, warm pools): write "
            "hosting.purchase: on-demand",
        )
    if nodes.kind == "karpenter" and nodes.batch_max_s < nodes.batch_idle_s:
        yield Clash(
            "hosting.nodes.batch_max_s",
            nodes.batch_max_s,
            f"at least hosting.nodes.batch_idle_s = {nodes.batch_idle_s:g}",
            f"hosting.nodes.batch_max_s = {nodes.batch_max_s:g} is less than "
            f"hosting.nodes.batch_idle_s = {nodes.batch_idle_s:g}",
        )


def of_weather(
    hosting: "Hosting", fleet: "Fleet", cold_start: "ColdStart", weather: Sequence[Weather]
) -> Iterator[Clash]:
    """Weather that this platform does not have, or that says two things at once."""
    for kind in (SpotReclaim, FailedStart):
        at = [i for i, block in enumerate(weather) if isinstance(block, kind)]
        if len(at) > 1:
            name = weather[at[1]].kind
            yield Clash(
                f"weather.{at[1]}",
                name,
                f"one block of kind {name}",
                f"weather.{at[1]}: there is a block of kind {name} already: write one",
            )
    if hosting.platform.per_request:
        yield from _per_request(hosting, weather)
    zones = {block.zones for block in weather if isinstance(block, ZoneLost)}
    for i, block in enumerate(weather):
        if not hosting.platform.per_request or isinstance(block, OF_STARTS):
            yield from _of_block(f"weather.{i}", block, hosting, fleet, cold_start, zones)


def _per_request(hosting: "Hosting", weather: Sequence[Weather]) -> Iterator[Clash]:
    """Only starts can go wrong where the platform keeps the machines to itself."""
    for i, block in enumerate(weather):
        if not isinstance(block, OF_STARTS):
            yield Clash(
                f"weather.{i}.kind",
                block.kind,
                "one of slow_store, slow_registry, failed_start",
                f"weather.{i}: {hosting.platform.title} has no instances to take away: there is "
                "slow_store, slow_registry and failed_start",
            )
        elif isinstance(block, SlowStore | SlowRegistry) and hosting.kind == "lambda":
            image = hosting.package == "image"
            if image != isinstance(block, SlowRegistry):
                other = "slow_registry" if image else "slow_store"
                yield Clash(
                    f"weather.{i}.kind",
                    block.kind,
                    other,
                    f"weather.{i}.kind = {block.kind}: a function of hosting.package = "
                    f"{hosting.package} comes from the {other.removeprefix('slow_')} alone: write "
                    f"{other}",
                )
        elif isinstance(block, FailedStart) and block.probability == 1.0:
            yield Clash(
                f"weather.{i}.probability",
                1.0,
                "less than 1",
                f"weather.{i}.probability = 1: each failed start is tried again at once, and none "
                "would ever succeed",
            )


def _of_block(
    at: str,
    block: Weather,
    hosting: "Hosting",
    fleet: "Fleet",
    cold_start: "ColdStart",
    zones: set[int],
) -> Iterator[Clash]:
    if isinstance(block, InsufficientCapacity):
        yield from _fallback(at, block, hosting)
    if isinstance(block, SpotReclaim) and hosting.purchase != "spot":
        yield Clash(
            f"{at}.kind",
            block.kind,
            "hosting.purchase: spot",
            f"{at}: only Spot instances are reclaimed: write hosting.purchase: spot",
        )
    if isinstance(block, SpotReclaim | ZoneLost) and fleet.router != "central":
        yield Clash(
            "fleet.router",
            fleet.router,
            "central",
            f"{at}: requests lost in service are followed behind one queue only: write "
            "fleet.router: central",
        )
    if isinstance(block, ZoneLost):
        if block.which >= block.zones:
            yield Clash(
                f"{at}.which",
                block.which,
                f"from 0 to {block.zones - 1}",
                f"{at}.which = {block.which}: there are {block.zones} zones, from 0 to "
                f"{block.zones - 1}",
            )
        if len(zones) > 1:
            yield Clash(
                f"{at}.zones",
                block.zones,
                "the same number in every block",
                f"{at}.zones = {block.zones}: the blocks name different numbers of zones",
            )
    if isinstance(block, SlowStore | SlowRegistry) and cold_start.total_s is not None:
        yield Clash(
            f"{at}.kind",
            block.kind,
            "leave cold_start.total_s out",
            f"{at}: cold_start.total_s leaves no phase to slow down: leave it out",
        )
    if isinstance(block, FailedStart) and block.detected == "limit":
        no_limit = hosting.platform.service != "sagemaker" or cold_start.total_s is not None
        if cold_start.start_limit_s is None and no_limit:
            yield Clash(
                f"{at}.detected",
                block.detected,
                "ready, or a cold_start.start_limit_s",
                f"{at}.detected = limit: there is none here: write cold_start.start_limit_s",
            )


def _fallback(at: str, block: InsufficientCapacity, hosting: "Hosting") -> Iterator[Clash]:
    if "instance" not in type(hosting).model_fields:
        if block.fallback is not None:
            yield Clash(
                f"{at}.fallback",
                block.fallback,
                "leave it out",
                f"{at}.fallback: {hosting.platform.title} has no instance types: leave it out",
            )
        return
    prefix = hosting.platform.prefix
    for key in ("instance", "fallback"):
        name = getattr(block, key)
        if name is not None and name.startswith("ml.") != (prefix == "ml."):
            write = f"{prefix}{name.removeprefix('ml.')}"
            yield Clash(
                f"{at}.{key}",
                name,
                write,
                f'{at}.{key}: instance types of hosting.kind {hosting.kind} are written "{write}"',
            )
