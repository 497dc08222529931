"""The way of the weights: from where, over which hops, into the accelerators; the slowest wins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modeler.predict.fit import NotHeld

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec

# An instance is at its highest EBS rate for half an hour a day at least. [s]
EBS_CREDIT_S: Final = 1800.0


@dataclass(frozen=True)
class WeightsPath:
    """What a start moves until the weights are in the accelerators' memory.

    Parameters
    ----------
    fetch_bytes : float. Over the network. [bytes]
    fetch_bytes_per_s : float. Of the source and of the disk it is written to; infinite where the
        interface alone is the limit. [bytes/s]
    load_s : float. From where the fetch left them. [s]
    load_cached_s : float. Where the instance held them: from its disk or its page cache. [s]
    streaming : bool. The load keeps pace with the fetch.
    """

    fetch_bytes: float
    fetch_bytes_per_s: float
    load_s: float
    load_cached_s: float
    streaming: bool


def ranks_of(scenario: Scenario, instance: InstanceSpec) -> int:
    """Ranks that load a shard each: ``cold_start.tensor_parallel``; at least one."""
    asked = scenario.cold_start.tensor_parallel
    return max(instance.accelerator_count, 1) if asked == "all" else asked


def weights_path(
    scenario: Scenario, instance: InstanceSpec, values: Mapping[str, float]
) -> WeightsPath:
    """The way of a scenario's weights.

    Parameters
    ----------
    scenario : Scenario. ``model.size`` and what ``cold_start`` says of source, disk and ranks.
    instance : InstanceSpec. Accelerators, main memory, NVMe and EBS limits.
    values : mapping of str to float. The constants in force.

    Returns
    -------
    WeightsPath

    Raises
    ------
    NotHeld
        The disk or the page cache that is to hold the weights is too small.

    Notes
    -----
    With A the bytes and G the ranks, a node reads A where the checkpoint is sharded already, and
    also where the page cache absorbs the repeats; a streaming loader of an unsharded checkpoint
    reads G A. Ranks load at G times the rate of one, up to that of the host. What was just written
    to a disk is read from the page cache where main memory holds it, as measured [mar-005].
    """
    settings, size = scenario.cold_start, float(scenario.model.size)
    ranks = ranks_of(scenario, instance)
    streaming = bool(values["streaming_load"])
    read_bytes = size * (ranks if streaming and not settings.presharded else 1)
    into = min(values["load_bytes_per_s"] * ranks, values.get("load_node_bytes_per_s", math.inf))
    fixed_s = values["load_fixed_s"]
    if settings.snapshot:
        into, fixed_s, read_bytes = values["snapshot_bytes_per_s"], 0.0, size
    _check_held(scenario, instance)
    load_s = fixed_s + size / into
    disk_s = _disk_s(scenario, instance, values, read_bytes, streaming=streaming)
    cached_s = fixed_s + max(size / into, disk_s)
    if settings.weights_from in ("disk", "page_cache"):
        held_s = cached_s if settings.weights_from == "disk" else load_s
        return WeightsPath(0.0, math.inf, held_s, held_s, streaming)
    if settings.weights_from in ("peer", "peer_rdma"):
        # Each rank takes its shard from its like.
        rate = values.get("peer_bytes_per_s", math.inf)
        return WeightsPath(size, rate, load_s, cached_s, streaming=True)
    store = values.get("store_bytes_per_s", math.inf)
    if settings.store_connections is not None:
        store = min(store, settings.store_connections * values["connection_bytes_per_s"])
    if streaming:
        return WeightsPath(read_bytes, store, load_s, cached_s, streaming)
    written_s = _disk_s(scenario, instance, values, size, streaming=True)
    if written_s > 0.0:
        store = min(store, size / written_s)
    kept = settings.disk == "none" or size <= instance.memory_bytes
    return WeightsPath(size, store, load_s if kept else cached_s, cached_s, streaming)


def wake_s(values: Mapping[str, float], size_bytes: float) -> float:
    """Waking an engine whose weights lie in pinned host memory. [s]"""
    return values["wake_fixed_s"] + size_bytes / values["wake_bytes_per_s"]


def check_asleep(instance: InstanceSpec, size_bytes: int) -> None:
    """Refuse a model whose weights main memory does not hold while the engine sleeps.

    Raises
    ------
    NotHeld
    """
    if size_bytes > instance.memory_bytes:
        raise NotHeld(
            size_bytes, instance.memory_bytes, instance.instance_type,
            "hosting.nodes.state = asleep", "main memory",
        )  # fmt: skip


def _check_held(scenario: Scenario, instance: InstanceSpec) -> None:
    settings, size = scenario.cold_start, scenario.model.size
    limits = []
    if settings.disk == "nvme":
        limits.append((instance.nvme_bytes, "cold_start.disk = nvme", "local NVMe"))
    if settings.weights_from == "page_cache":
        limits.append(
            (instance.memory_bytes, "cold_start.weights_from = page_cache", "main memory")
        )
    for limit, setting, place in limits:
        if size > limit:
            raise NotHeld(size, limit, instance.instance_type, setting, place)


def _disk_s(
    scenario: Scenario,
    instance: InstanceSpec,
    values: Mapping[str, float],
    size_bytes: float,
    *,
    streaming: bool,
) -> float:
    """Bytes through the disk; 0 without one. [s]"""
    settings = scenario.cold_start
    if settings.disk == "none":
        return 0.0
    if settings.disk == "nvme":
        return size_bytes / values["nvme_bytes_per_s"]
    rate = values["ebs_bytes_per_s"]
    if not streaming:
        rate = min(rate, values["ebs_loader_bytes_per_s"])
    least = instance.ebs_baseline_bytes_per_s or math.inf
    most = instance.ebs_max_bytes_per_s or least
    credit_s = EBS_CREDIT_S if settings.ebs_credits else 0.0
    at_most = min(size_bytes, min(rate, most) * credit_s)
    seconds = at_most / min(rate, most) + (size_bytes - at_most) / min(rate, least)
    if settings.ebs_from_snapshot and settings.weights_from == "disk":
        # A block is brought from the snapshot once, however many ranks read it.
        seconds = max(seconds, scenario.model.size / values["ebs_initialisation_bytes_per_s"])
    return seconds
