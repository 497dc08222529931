"""What does not go with replicas that batch continuously."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario.queue import Queue
from modeler.scenario.service import Service
from modeler.scenario.weather_checks import Clash

if TYPE_CHECKING:
    from modeler.scenario.hosting import Hosting
    from modeler.scenario.schema import Fleet
    from modeler.scenario.weather import Weather

# They take a machine from under a replica, whose sequences would have to begin again elsewhere.
_TAKES_MACHINES: Final = ("spot_reclaim", "zone_lost")
_CONSOLIDATES: Final = ("karpenter", "cluster_autoscaler")


def of_batching(
    service: Service, hosting: "Hosting", fleet: "Fleet", queue: Queue, weather: "Sequence[Weather]"
) -> Iterator[Clash]:
    """Settings that the replay of batches does not know."""
    if service.kind != "batched":
        return
    if hosting.platform.per_request:
        yield Clash(
            "service.kind",
            "batched",
            "tokens",
            f"service.kind = batched: an environment of {hosting.platform.title} serves one "
            "request at a time: write service.kind: tokens",
        )
    tokens = service.batched_tokens
    slots = fleet.slots
    if service.prefill == "mixed" and tokens is not None and slots is not None and tokens < slots:
        yield Clash(
            "service.batched_tokens",
            tokens,
            f"at least fleet.slots = {slots}",
            f"service.batched_tokens = {tokens} has no room for a token of each of the "
            f"fleet.slots = {slots} sequences in flight",
        )
    if queue.retry_client_timeouts:
        yield Clash(
            "queue.retry_client_timeouts",
            True,
            "false",
            "queue.retry_client_timeouts = true: not with service.kind batched, where a client's "
            "time-out is known only as its sequence ends: leave it out",
        )
    nodes: Any = getattr(hosting, "nodes", None)
    if nodes is not None and nodes.kind in _CONSOLIDATES:
        yield Clash(
            "hosting.nodes.kind",
            nodes.kind,
            "none",
            f"hosting.nodes.kind = {nodes.kind}: not with service.kind batched, whose sequences "
            "cannot be moved: write none, or service.kind: tokens",
        )
    for k, one in enumerate(weather):
        fallback = getattr(one, "fallback", None)
        if one.kind in _TAKES_MACHINES or fallback is not None:
            yield Clash(
                f"weather.{k}.kind",
                one.kind,
                "service.kind: tokens",
                f"weather.{k}: {one.kind} is not replayed with service.kind batched: leave it "
                "out, or write service.kind: tokens",
            )
