"""What would shorten a start: the same start with one thing changed, by model size.

Each changes the phases it concerns and leaves the others as they are, so that what is saved is
what the intervention saves here, and not what an advertisement says of another place. Rates of
what is not in use yet are the published ones of `modeler.predict.calibration`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.predict.calibration import published
from modeler.predict.calibration.steps import RATE, Step
from modeler.predict.cold_start import cold_start_law
from modeler.predict.fit import check_fit
from modeler.predict.hardware import instance_of
from modeler.predict.precision import bytes_by_precision, parameters_of
from modeler.predict.start_laws import from_warm_pool
from modeler.predict.timeline import BegunAgain, Staged, Timeline

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec

_GB: Final = 1e9
_LARGE_BYTES_PER_S: Final = 5e9
# A stopped instance runs and answers again after so long (EC2 cold-boot research 2026-01). [s]
_STOPPED_START_S: Final = 21.2


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


Change = Callable[["Scenario", "InstanceSpec", Timeline], tuple["Scenario", Timeline]]


def compare(scenario: Scenario, sizes: Sequence[int] | None = None) -> tuple[Saving, ...]:
    """Every intervention on every size.

    Parameters
    ----------
    scenario : Scenario. Hosting, model and constants of the start are read.
    sizes : sequence of int, optional. The scenario's own by default. [bytes]

    Returns
    -------
    tuple of Saving
        For each size the start as it is, then the interventions.

    Raises
    ------
    ModelDoesNotFit
        A size does not fit the instance.
    """
    from modeler.scenario import with_values

    instance = instance_of(scenario)
    found: list[Saving] = []
    for size in sizes if sizes is not None else (scenario.model.size,):
        check_fit(instance, size)
        own = with_values(scenario, {"model.size": size})
        base = cold_start_law(own, instance)
        before = base.waterfall().total_p50_s
        found.append(Saving(size, "as it is", before, 0.0, ""))
        for name, (words, change) in _INTERVENTIONS.items():
            try:
                changed, timeline = change(own, instance, base.timeline)
                law = dataclasses.replace(base, timeline=timeline)
                if changed is not own:
                    law = cold_start_law(changed, instance)
                after = law.waterfall().total_p50_s
                found.append(Saving(size, name, after, before - after, words))
            except _DoesNotApply as error:
                found.append(Saving(size, name, None, None, str(error)))
    return tuple(found)


def _staged(timeline: Timeline) -> Staged:
    inner = timeline.once if isinstance(timeline, BegunAgain) else timeline
    if not isinstance(inner, Staged):
        raise _DoesNotApply("cold_start.total_s leaves no phase to change")
    return inner


def _image_cache(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> tuple[Scenario, Timeline]:
    start = _staged(timeline)
    if start.pull.bytes == 0.0:
        raise _DoesNotApply("no image is pulled as it is")
    pull = dataclasses.replace(start.pull, bytes=0.0)
    return scenario, dataclasses.replace(start, pull=pull, unpack_s=0.0)


def _streamer(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> tuple[Scenario, Timeline]:
    if scenario.hosting.platform.per_request:
        raise _DoesNotApply("no loader was measured on functions")
    start = _staged(timeline)
    large = instance.network_burst_bytes_per_s >= _LARGE_BYTES_PER_S
    key = ("store", "one stream", "large") if large else ("store", "stream", "small")
    rate = published().value(Step(RATE, key)) * _GB
    alone = min(max(rate, start.fetch.alone_bytes_per_s), instance.network_burst_bytes_per_s)
    together = max(start.fetch.together_bytes_per_s, min(alone, rate) / 2.0)
    fetch = dataclasses.replace(start.fetch, alone_bytes_per_s=alone, together_bytes_per_s=together)
    return scenario, dataclasses.replace(start, fetch=fetch, streaming=True)


def _int8(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> tuple[Scenario, Timeline]:
    from modeler.scenario import with_values

    model = scenario.model
    size = bytes_by_precision(parameters_of(model.size, model.dtype))["int8"]
    if size >= model.size:
        raise _DoesNotApply(f"{model.dtype} takes no more than int8")
    return with_values(scenario, {"model.size": size, "model.dtype": "int8"}), timeline


def _warm_pool(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> tuple[Scenario, Timeline]:
    platform = scenario.hosting.platform
    if platform.per_request or platform.service == "cloud_run":
        raise _DoesNotApply(f"{platform.title} has no pool of one's own instances")
    return scenario, from_warm_pool(_staged(timeline), "stopped", _STOPPED_START_S)


def _nvme(
    scenario: Scenario, instance: InstanceSpec, timeline: Timeline
) -> tuple[Scenario, Timeline]:
    start = _staged(timeline)
    if not instance.nvme_bytes:
        raise _DoesNotApply(f"{instance.instance_type} has no local NVMe")
    if instance.nvme_bytes < start.fetch.bytes:
        raise _DoesNotApply("the weights do not fit the local NVMe")
    size = "large" if instance.network_burst_bytes_per_s >= _LARGE_BYTES_PER_S else "small"
    rate = published().value(Step(RATE, ("disk", "default", size))) * _GB
    fetch = dataclasses.replace(start.fetch, bytes=0.0)
    load_s = max(start.load_s, start.fetch.bytes / rate)
    return scenario, dataclasses.replace(start, fetch=fetch, load_s=load_s)


_INTERVENTIONS: Final[dict[str, tuple[str, Change]]] = {
    "image cache": ("the image lies on the instance: nothing is pulled", _image_cache),
    "streaming loader": ("weights go from the store to the accelerator as they come", _streamer),
    "int8": ("half the bytes of 16 bit; whether its accuracy will do is yours to say", _int8),
    "stopped warm pool": ("instances that were prepared and stopped: image and weights lie on "
                          "their disk", _warm_pool),
    "weights on local NVMe": ("a node that has held the model before: read from its disk", _nvme),
}  # fmt: skip
