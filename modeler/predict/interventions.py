"""What would shorten a start: the same start with one thing changed, by model size.

Each changes the phases it concerns and leaves the others as they are, so that what is saved is
what the intervention saves here, and not what an advertisement says of another place. Rates of
what is not in use yet are the published ones of `modeler.predict.calibration`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.predict.batched_service import sizes_by_precision
from modeler.predict.calibration import published
from modeler.predict.calibration.steps import RATE, Step
from modeler.predict.cold_start import cold_start_law
from modeler.predict.constants import LARGE_BYTES_PER_S, in_force, of_option
from modeler.predict.fit import ModelDoesNotFit, check_fit
from modeler.predict.hardware import instance_of
from modeler.predict.start_laws import from_warm_pool
from modeler.predict.timeline import BegunAgain, Staged, Timeline, Transfer
from modeler.predict.weights_path import ranks_of, wake_s
from modeler.scenario.nodes import RUNNING_START_S, STOPPED_START_S

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec

AS_IT_IS: Final = "as it is"
_GB: Final = 1e9
_GP3_MOST_BYTES_PER_S: Final = 1000.0 * 2**20


@dataclass(frozen=True)
class Saving:
    """One intervention on one size.

    Parameters
    ----------
    size_bytes : int. The weights as they are now. [bytes]
    intervention : str. Its name; ``as it is`` for none.
    total_p50_s : float, optional. Median of the start with it; None where it does not apply. [s]
    saved_s : float, optional. Less than without it; negative where it takes longer. [s]
    why : str. What it changes; or why it does not apply.
    """

    size_bytes: int
    intervention: str
    total_p50_s: float | None
    saved_s: float | None
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)


class _DoesNotApply(Exception):
    """Why an intervention changes nothing here."""


# What a change gives: another scenario, or another timeline of the same one.
Change = Callable[["Scenario", "InstanceSpec", Timeline], "Scenario | Timeline"]


def compare(scenario: Scenario, sizes: Sequence[int] | None = None) -> tuple[Saving, ...]:
    """Every intervention on every size.

    Parameters
    ----------
    scenario : Scenario. Hosting, model and constants of the start are read.
    sizes : sequence of int, optional. The scenario's own by default. [bytes]

    Returns
    -------
    tuple of Saving
        For each size the start as it is, then the interventions; of one that does not fit the
        instance a single row without a start, which says so.
    """
    from modeler.scenario import with_values

    instance = instance_of(scenario)
    found: list[Saving] = []
    for size in sizes if sizes is not None else (scenario.model.size,):
        try:
            check_fit(instance, size)
        except ModelDoesNotFit as error:
            found.append(Saving(size, AS_IT_IS, None, None, str(error)))
            continue
        found += [one for one, _ in starts(with_values(scenario, {"model.size": size}))]
    return tuple(found)


def starts(scenario: Scenario) -> Iterator[tuple[Saving, Scenario | Timeline | None]]:
    """The start as it is and under every intervention, each with what it changes.

    Parameters
    ----------
    scenario : Scenario. Its own size is taken.

    Yields
    ------
    Saving, and the scenario or the timeline that the intervention gives; None where it does not
    apply.

    Raises
    ------
    ModelDoesNotFit : the model does not fit the instance.
    """
    from modeler.scenario import Scenario

    instance, size = instance_of(scenario), scenario.model.size
    check_fit(instance, size)
    base = cold_start_law(scenario, instance)
    before = base.waterfall().total_p50_s
    yield Saving(size, AS_IT_IS, before, 0.0, ""), scenario
    for name, (words, change) in _INTERVENTIONS.items():
        try:
            changed = change(scenario, instance, base.timeline)
            if isinstance(changed, Scenario):
                law = cold_start_law(changed, instance)
            else:
                law = dataclasses.replace(base, timeline=changed)
            after = law.waterfall().total_p50_s
            yield Saving(size, name, after, before - after, words), changed
        except (_DoesNotApply, ModelDoesNotFit) as error:
            yield Saving(size, name, None, None, str(error)), None


def _staged(timeline: Timeline) -> Staged:
    inner = timeline.once if isinstance(timeline, BegunAgain) else timeline
    if not isinstance(inner, Staged):
        raise _DoesNotApply("cold_start.total_s leaves no phase to change")
    return inner


def _image_cache(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    start = _staged(timeline)
    if start.pull.bytes == 0.0:
        raise _DoesNotApply("no image is pulled as it is")
    pull = dataclasses.replace(start.pull, bytes=0.0)
    return dataclasses.replace(start, pull=pull, unpack_s=0.0)


def _streamer(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    if scenario.hosting.platform.per_request:
        raise _DoesNotApply("no loader was measured on functions")
    start = _staged(timeline)
    if start.fetch.bytes == 0.0:
        raise _DoesNotApply("nothing is fetched as it is")
    large = instance.network_burst_bytes_per_s >= LARGE_BYTES_PER_S
    key = ("store", "one stream", "large") if large else ("store", "stream", "small")
    rate = published().value(Step(RATE, key)) * _GB
    alone = min(max(rate, start.fetch.alone_bytes_per_s), instance.network_burst_bytes_per_s)
    together = max(start.fetch.together_bytes_per_s, min(alone, rate) / 2.0)
    # Each rank streams the whole checkpoint unless it is sharded.
    repeats = 1
    if not start.streaming and not scenario.cold_start.presharded:
        repeats = ranks_of(scenario, instance)
    fetch = Transfer(start.fetch.bytes * repeats, alone, together)
    return dataclasses.replace(start, fetch=fetch, streaming=True)


def _int8(scenario: Scenario, instance: InstanceSpec, timeline: Timeline) -> Scenario | Timeline:
    model = scenario.model
    size = sizes_by_precision(scenario)[0]["int8"]
    if size >= model.size:
        raise _DoesNotApply(f"{model.dtype} takes no more than int8")
    return _with(scenario, {"model.size": size, "model.dtype": "int8"})


def _warm_pool(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    _own_instances(scenario)
    return from_warm_pool(_staged(timeline), "stopped", STOPPED_START_S)


def _asleep(scenario: Scenario, instance: InstanceSpec, timeline: Timeline) -> Scenario | Timeline:
    _own_instances(scenario)
    _accelerated(instance)
    if scenario.model.size > instance.memory_bytes:
        raise _DoesNotApply(f"the weights do not fit the main memory of {instance.instance_type}")
    values = {name: constant.value for name, constant in of_option("asleep").items()}
    values |= {
        name: getattr(scenario.cold_start, name)
        for name in values
        if getattr(scenario.cold_start, name) is not None
    }
    seconds = wake_s(values, scenario.model.size)
    return from_warm_pool(_staged(timeline), "asleep", RUNNING_START_S, seconds)


def _nvme(scenario: Scenario, instance: InstanceSpec, timeline: Timeline) -> Scenario | Timeline:
    _own_disks(scenario, timeline)
    if not instance.nvme_bytes:
        raise _DoesNotApply(f"{instance.instance_type} has no local NVMe")
    size = "large" if instance.network_burst_bytes_per_s >= LARGE_BYTES_PER_S else "small"
    rate = scenario.cold_start.nvme_bytes_per_s
    if rate is None:
        rate = published().value(Step(RATE, ("disk", "default", size))) * _GB
    return _held(scenario, {"weights_from": "disk", "disk": "nvme", "nvme_bytes_per_s": rate})


def _data_cache(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    _own_disks(scenario, timeline)
    if instance.ebs_baseline_bytes_per_s is None:
        raise _DoesNotApply(f"the rate of volumes on {instance.instance_type} is not listed")
    rate = scenario.cold_start.ebs_bytes_per_s or _GP3_MOST_BYTES_PER_S
    return _held(scenario, {"weights_from": "disk", "disk": "ebs", "ebs_bytes_per_s": rate})


def _page_cache(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    _own_disks(scenario, timeline)
    return _held(scenario, {"weights_from": "page_cache"})


def _peer(scenario: Scenario, instance: InstanceSpec, timeline: Timeline) -> Scenario | Timeline:
    _own_disks(scenario, timeline)
    _accelerated(instance)
    large = instance.network_burst_bytes_per_s >= LARGE_BYTES_PER_S
    return _held(scenario, {"weights_from": "peer_rdma" if large else "peer"})


def _snapshot(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    hosting = scenario.hosting
    if hosting.platform.per_request:
        raise _DoesNotApply("on Lambda it is hosting.package: snapstart; elsewhere there is none")
    _staged(timeline)
    _accelerated(instance)
    if scenario.cold_start.snapshot:
        raise _DoesNotApply("it is restored from a snapshot as it is")
    return _with(scenario, {"cold_start.snapshot": True})


def _presharded(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    start = _staged(timeline)
    if ranks_of(scenario, instance) == 1:
        raise _DoesNotApply("one rank loads all of it: cold_start.tensor_parallel is 1")
    if scenario.cold_start.presharded:
        raise _DoesNotApply("it is sharded as it is")
    if not start.streaming:
        raise _DoesNotApply("the page cache absorbs what several ranks read")
    return _with(scenario, {"cold_start.presharded": True})


def _compile_cache(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> Scenario | Timeline:
    _staged(timeline)
    if scenario.hosting.platform.per_request or instance.accelerator is None:
        raise _DoesNotApply("nothing is compiled without an accelerator")
    if scenario.cold_start.compile_cached or scenario.cold_start.snapshot:
        raise _DoesNotApply("nothing is compiled as it is")
    if not {"init_compile_s", "init_compile_s_per_gparam"} & set(in_force(scenario)):
        raise _DoesNotApply("cold_start.init_s does not say what of it is compilation")
    return _with(scenario, {"cold_start.compile_cached": True})


# --- what the changes share ---


def _with(scenario: Scenario, values: dict[str, Any]) -> Scenario:
    from modeler.scenario import with_values

    return with_values(scenario, values)


def _held(scenario: Scenario, values: dict[str, Any]) -> Scenario:
    """The scenario with its weights elsewhere, whatever was said of caches and snapshots of it."""
    plain = {"weights_cache_hit": 0.0, "ebs_from_snapshot": False, **values}
    return _with(scenario, {f"cold_start.{key}": value for key, value in plain.items()})


def _own_instances(scenario: Scenario) -> None:
    platform = scenario.hosting.platform
    if platform.per_request or platform.service in ("cloud_run", "fargate"):
        raise _DoesNotApply(f"{platform.title} has no pool of one's own instances")


def _own_disks(scenario: Scenario, timeline: Timeline) -> None:
    _staged(timeline)
    if scenario.hosting.platform.per_request:
        raise _DoesNotApply(f"{scenario.hosting.platform.title} has no instances of one's own")


def _accelerated(instance: InstanceSpec) -> None:
    if instance.accelerator is None:
        raise _DoesNotApply("measured on accelerators alone")


_INTERVENTIONS: Final[dict[str, tuple[str, Change]]] = {
    "image cache": ("the image lies on the instance: nothing is pulled", _image_cache),
    "data cache": ("the weights lie on a gp3 volume of the instance, at 1000 MiB/s unless set",
                   _data_cache),
    "streaming loader": ("weights go from the store to the accelerator as they come", _streamer),
    "int8": ("half the bytes of 16 bit; whether its accuracy will do is yours to say", _int8),
    "stopped warm pool": ("instances that were prepared and stopped: image and weights lie on "
                          "their disk", _warm_pool),
    "weights on local NVMe": ("a node that has held the model before: read from its disk", _nvme),
    "weights in page cache": ("a node that has just held the model: read from main memory",
                              _page_cache),
    "peer transfer": ("from a replica that serves: RDMA from 40 Gbit/s on, else one TCP flow",
                      _peer),
    "snapshot restore": ("process and accelerator memory restored; weights come as they do now",
                         _snapshot),
    "sleep and wake": ("an instance whose engine sleeps with its weights in main memory, billed "
                       "meanwhile", _asleep),
    "pre-sharded weights": ("each rank reads its own shard", _presharded),
    "compile cache": ("compiled graphs are at hand", _compile_cache),
}  # fmt: skip
NAMES: Final = tuple(_INTERVENTIONS)
