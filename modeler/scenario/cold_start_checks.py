"""Settings of a start that are each fine and together are not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario.cold_start import INIT_FIXED, INIT_GROWING
from modeler.scenario.weather_checks import Clash

if TYPE_CHECKING:
    from modeler.scenario.cold_start import ColdStart
    from modeler.scenario.hosting import Hosting

# What a function's environment does not have: instances of one's own, engines, accelerators.
_OF_INSTANCES: Final = (
    "preset", "weights_from", "disk", "weights_cache_hit", "tensor_parallel", "presharded",
    "captured_sizes", "compile_cached", "snapshot", "store_total_bytes_per_s",
    "registry_total_bytes_per_s",
)  # fmt: skip
_OF_PHASES: Final = (
    "image_cache_hit", "weights_cache_hit", "store_total_bytes_per_s",
    "registry_total_bytes_per_s",
)  # fmt: skip
_LAYERS_THAT_SHARE: Final = ("karpenter", "cluster_autoscaler", "managed_instances")


def of_start(hosting: "Hosting", start: "ColdStart") -> Iterator[Clash]:
    """Every contradiction of the ``cold_start`` block, within it and with the hosting."""
    yield from _of_source(start)
    yield from _of_init(start)
    yield from _of_hosting(hosting, start)


def _said(start: "ColdStart", names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Settings that differ from their default."""
    for name in names:
        value = getattr(start, name)
        if value != type(start).model_fields[name].default:
            yield name, value


def _of_source(start: "ColdStart") -> Iterator[Clash]:
    if start.weights_from == "disk" and start.disk == "none":
        wanted = "cold_start.disk: nvme or ebs"
        message = f"cold_start.weights_from = disk: which? Write {wanted}"
        yield Clash("cold_start.weights_from", "disk", wanted, message)
    if start.ebs_from_snapshot and (start.weights_from, start.disk) != ("disk", "ebs"):
        yield Clash(
            "cold_start.ebs_from_snapshot",
            True,
            "cold_start.weights_from: disk and cold_start.disk: ebs",
            "cold_start.ebs_from_snapshot: the weights are not read from a volume: write "
            "cold_start.weights_from: disk and cold_start.disk: ebs, or leave it out",
        )
    if start.weights_cache_hit and start.weights_from in ("disk", "page_cache"):
        yield Clash(
            "cold_start.weights_cache_hit",
            start.weights_cache_hit,
            "leave it out",
            f"cold_start.weights_cache_hit: cold_start.weights_from = {start.weights_from} says "
            "that every start finds them: leave one out",
        )
    if start.image_cache_hit and start.image_cached:
        yield Clash(
            "cold_start.image_cache_hit",
            start.image_cache_hit,
            "leave it out",
            "cold_start.image_cache_hit: cold_start.image_cached says that every start finds the "
            "image: leave one out",
        )


def _of_init(start: "ColdStart") -> Iterator[Clash]:
    for whole, parts in (
        ("init_s", (*INIT_FIXED, "captured_sizes")),
        ("init_s_per_gb", INIT_GROWING),
    ):
        if getattr(start, whole) is None:
            continue
        for part, value in _said(start, parts):
            yield Clash(
                f"cold_start.{part}",
                value,
                "leave it out",
                f"cold_start.{part} bears on a part of cold_start.{whole}, which is set whole: "
                "leave one out",
            )


def _of_hosting(hosting: "Hosting", start: "ColdStart") -> Iterator[Clash]:
    if hosting.platform.per_request:
        for name, value in _said(start, _OF_INSTANCES):
            yield Clash(
                f"cold_start.{name}",
                value,
                "leave it out",
                f"cold_start.{name} = {value}: {hosting.platform.title} has no instances of one's "
                "own that this could bear on: leave it out",
            )
    if start.total_s is not None:
        for name, value in _said(start, _OF_PHASES):
            yield Clash(
                f"cold_start.{name}",
                value,
                "leave it out",
                f"cold_start.{name}: cold_start.total_s leaves no phase it could bear on: leave "
                "one out",
            )
    nodes = getattr(getattr(hosting, "nodes", None), "kind", "none")
    if start.warm_node_has_weights and nodes not in _LAYERS_THAT_SHARE:
        yield Clash(
            "cold_start.warm_node_has_weights",
            True,
            f"hosting.nodes.kind: {' or '.join(_LAYERS_THAT_SHARE)}",
            f"cold_start.warm_node_has_weights: with hosting.nodes.kind = {nodes} no replica "
            "starts on an instance that was another's: leave it out",
        )
    yield from _of_ranks(hosting, start)


def _of_ranks(hosting: "Hosting", start: "ColdStart") -> Iterator[Clash]:
    import pricing

    asked = start.tensor_parallel
    if asked == "all" or asked == 1 or hosting.platform.per_request:
        return
    try:
        held = pricing.instance(hosting.instance).accelerator_count
    except pricing.PricingError:
        return  # the name itself is refused elsewhere
    if asked > held:
        yield Clash(
            "cold_start.tensor_parallel",
            asked,
            f"at most {max(held, 1)}, or all",
            f"cold_start.tensor_parallel = {asked}: {hosting.instance} has {held} accelerators",
        )
