"""What does not go with replicas that batch."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario.queue import Queue
from modeler.scenario.service import Dynamic, Service
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
    if service.kind not in ("batched", "dynamic"):
        return
    kind = service.kind
    other = "tokens" if kind == "batched" else "fixed"
    if hosting.platform.per_request:
        yield Clash(
            "service.kind",
            kind,
            other,
            f"service.kind = {kind}: an environment of {hosting.platform.title} serves one "
            f"request at a time: write service.kind: {other}",
        )
    if service.kind == "dynamic":
        yield from _of_dynamic(service, fleet)
    tokens = getattr(service, "batched_tokens", None)
    mixed = getattr(service, "prefill", "alone") == "mixed"
    slots = fleet.slots
    if mixed and tokens is not None and slots is not None and tokens < slots:
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
            f"queue.retry_client_timeouts = true: not with service.kind {kind}, where a client's "
            "time-out is known only as its request ends: leave it out",
        )
    nodes: Any = getattr(hosting, "nodes", None)
    if nodes is not None and nodes.kind in _CONSOLIDATES:
        yield Clash(
            "hosting.nodes.kind",
            nodes.kind,
            "none",
            f"hosting.nodes.kind = {nodes.kind}: not with service.kind {kind}, whose requests "
            f"cannot be moved: write none, or service.kind: {other}",
        )
    for k, one in enumerate(weather):
        fallback = getattr(one, "fallback", None)
        if one.kind in _TAKES_MACHINES or fallback is not None:
            yield Clash(
                f"weather.{k}.kind",
                one.kind,
                f"service.kind: {other}",
                f"weather.{k}: {one.kind} is not replayed with service.kind {kind}: leave it "
                f"out, or write service.kind: {other}",
            )


def _of_dynamic(service: Dynamic, fleet: "Fleet") -> Iterator[Clash]:
    given = {
        "profile": service.profile is not None,
        "network": service.network is not None,
        "per_item_s": service.fixed_s is not None or service.per_item_s is not None,
    }
    named = [name for name, is_given in given.items() if is_given]
    if len(named) != 1:
        said = f"both {' and '.join(named)} are" if named else "none of them is"
        yield Clash(
            f"service.{named[-1]}" if named else "service.kind",
            "dynamic" if not named else getattr(service, named[-1]),
            "one of profile, network, per_item_s",
            f"service.kind = dynamic: what a batch takes is told by one of profile, network and "
            f"per_item_s (with fixed_s); {said} given",
        )
    elif service.fixed_s is not None and service.per_item_s is None:
        yield Clash(
            "service.fixed_s",
            service.fixed_s,
            "service.per_item_s",
            "service.fixed_s stands with service.per_item_s, what each request of a batch takes",
        )
    if fleet.slots not in (None, service.max_batch):
        yield Clash(
            "fleet.slots",
            fleet.slots,
            f"service.max_batch = {service.max_batch}, or leave it out",
            f"fleet.slots = {fleet.slots} is other than the service.max_batch = "
            f"{service.max_batch} requests that a replica takes at once",
        )
