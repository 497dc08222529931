"""The service law of replicas that batch dynamically: seconds of a batch by its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pricing
from modeler.predict.batched_service import BatchedError
from modeler.predict.latency.constants import value_of
from modeler.predict.latency.one_pass import example_s, network
from modeler.predict.latency.profile import ProfileError, read_profile
from modeler.predict.latency.roofline import Group, NotCovered
from modeler.predict.precision import precision

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec


@dataclass(frozen=True)
class DynamicBatching:
    """Batches of a replica.

    Parameters
    ----------
    seconds : tuple of float. Of a batch of 1, 2, .. up to the largest. [s]
    max_delay_s : float. How long the first of a batch may wait for more. [s]
    text : str. In words.
    notes : tuple of str. What of it is no measurement.
    """

    seconds: tuple[float, ...]
    max_delay_s: float
    text: str
    notes: tuple[str, ...] = ()

    @property
    def slots(self) -> int:
        """Requests in a batch at most."""
        return len(self.seconds)


def dynamic_batching(scenario: Scenario, instance: InstanceSpec) -> DynamicBatching:
    """The batches of a scenario's model on its instance.

    Raises
    ------
    BatchedError
        A profile that cannot be read; a network that is not known, or whose largest batch is still
        shorter than the launch of its kernels; no accelerator, or none with figures.
    """
    settings: Any = scenario.service
    sizes = range(1, settings.max_batch + 1)
    notes: tuple[str, ...] = ()
    try:
        if settings.profile is not None:
            profile = read_profile(settings.profile)
            profile.check(settings.max_batch, "service.max_batch")
            notes = profile.notes(settings.max_batch)
            seconds = tuple(profile.latency_s(size) for size in sizes)
            how = f"measured at {len(profile.sizes)} sizes"
        elif settings.network is not None:
            seconds = _of_network(settings.network, scenario.model.dtype, instance, sizes)
            how = f"{settings.network} by the rule of one-pass models"
        else:
            fixed = settings.fixed_s or 0.0
            seconds = tuple(fixed + settings.per_item_s * size for size in sizes)
            how = "as given"
    except (NotCovered, ProfileError, OSError) as error:
        raise BatchedError(str(error)) from error
    text = (
        f"dynamic batching: {1e3 * seconds[0]:.3g} ms alone, {1e3 * seconds[-1]:.3g} ms for "
        f"{settings.max_batch}, {how}; waits up to {1e3 * settings.max_delay_s:.3g} ms for more"
    )
    return DynamicBatching(seconds, settings.max_delay_s, text, notes)


def _of_network(name: str, dtype: str, instance: InstanceSpec, sizes: range) -> tuple[float, ...]:
    """Launch and work of batches on one accelerator. [s]

    Notes
    -----
    Batches whose work is shorter than the launch take what the runtime makes of it; here the sum of
    both, if the largest batch is longer.
    """
    if instance.accelerator is None:
        raise NotCovered(
            f"{instance.instance_type} has no accelerator that the rule was fitted to; give "
            "service.profile, or per_item_s"
        )
    try:
        group = Group(pricing.accelerator(instance.accelerator))
    except pricing.SpecNotFound as error:
        raise NotCovered(f"no figures are held for {instance.accelerator}") from error
    if group.accelerator.kind == "aws":
        raise NotCovered(f"{group.accelerator.name}: the rule was fitted to GPUs; give a profile")
    one = network(name)
    launch = one.kernels * value_of("kernel_launch_s")
    item = example_s(one, group, maths=group.maths_of(precision(dtype)))
    if sizes[-1] * item < launch:
        raise NotCovered(
            f"{name}: a batch of {sizes[-1]} takes {1e3 * sizes[-1] * item:.2g} ms of work and "
            f"{1e3 * launch:.2g} ms to launch: the runtime decides; give a measured profile"
        )
    return tuple(launch + size * item for size in sizes)
