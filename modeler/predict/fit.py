"""Whether a model fits an instance, and which instance would hold it."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final

import pricing

if TYPE_CHECKING:
    from pricing import InstanceSpec

# Assumed: what the framework's context, activations and a first KV cache leave to the weights.
USABLE_SHARE: Final = 0.9


class ModelDoesNotFit(Exception):
    """The weights are larger than the memory an instance has for them.

    Attributes
    ----------
    size_bytes : int. The weights. [bytes]
    limit_bytes : int. What the instance can hold. [bytes]
    instance_type : str. The instance asked for.
    nearest : str or None. The smallest instance that would hold them: of the same family if there
        is one, otherwise of any.
    """

    exit_code: Final = 2

    def __init__(
        self, size_bytes: int, limit_bytes: int, instance_type: str, nearest: str | None
    ) -> None:
        super().__init__(size_bytes, limit_bytes, instance_type, nearest)
        self.size_bytes, self.limit_bytes = size_bytes, limit_bytes
        self.instance_type, self.nearest = instance_type, nearest

    def __str__(self) -> str:
        way_out = f"the nearest that holds it is {self.nearest}" if self.nearest else "none does"
        return (
            f"a model of {self.size_bytes / 1e9:.4g} GB does not fit {self.instance_type}, which "
            f"holds {self.limit_bytes / 1e9:.4g} GB ({USABLE_SHARE:.0%} of its memory): {way_out}"
        )


class NotHeld(ModelDoesNotFit):
    """The weights are larger than what an instance has to keep them in, other than accelerators.

    Attributes
    ----------
    setting : str. The setting that puts them there.
    place : str. Where they would lie.
    """

    def __init__(
        self, size_bytes: int, limit_bytes: int, instance_type: str, setting: str, place: str
    ) -> None:
        super().__init__(size_bytes, limit_bytes, instance_type, None)
        self.setting, self.place = setting, place

    def __str__(self) -> str:
        return (
            f"{self.setting}: the {self.place} of {self.instance_type} holds "
            f"{self.limit_bytes / 1e9:.4g} GB, a model of {self.size_bytes / 1e9:.4g} GB does not "
            "fit: choose an instance with more, or another way"
        )

    def __reduce__(self) -> tuple[type[NotHeld], tuple[int, int, str, str, str]]:
        # A worker process sends it back with all that it says.
        given = (self.size_bytes, self.limit_bytes, self.instance_type, self.setting, self.place)
        return NotHeld, given


def limit_bytes(instance: InstanceSpec) -> int:
    """Weights that an instance can hold.

    Parameters
    ----------
    instance : InstanceSpec.

    Returns
    -------
    int
        0.9 (assumed) of the memory of all its accelerators, or of main memory without any.
        [bytes]
    """
    memory = instance.accelerator_memory_bytes if instance.accelerator else instance.memory_bytes
    return int(USABLE_SHARE * memory)


def check_fit(instance: InstanceSpec, size_bytes: int) -> None:
    """Refuse a model that an instance cannot hold.

    Parameters
    ----------
    instance : InstanceSpec.
    size_bytes : int. The weights. [bytes]

    Raises
    ------
    ModelDoesNotFit
        Naming the limit and the nearest instance that holds the model.
    """
    limit = limit_bytes(instance)
    if size_bytes <= limit:
        return
    service = instance.instance_type.partition(" ")[0]
    if service in pricing.MEMORY_MB:
        raise ModelDoesNotFit(
            size_bytes, limit, instance.instance_type, _memory(service, size_bytes)
        )
    if instance.instance_type.startswith("cloud-run-"):  # the one GPU there is
        raise ModelDoesNotFit(size_bytes, limit, instance.instance_type, None)
    if instance.instance_type.startswith("fargate-"):
        raise ModelDoesNotFit(size_bytes, limit, instance.instance_type, _task(size_bytes))
    sagemaker = instance.instance_type.startswith("ml.")
    accelerated = instance.accelerator is not None
    nearest = smallest_instance(
        size_bytes,
        sagemaker=sagemaker,
        accelerated=accelerated,
        family=_family(instance.instance_type),
    ) or smallest_instance(size_bytes, sagemaker=sagemaker, accelerated=accelerated)
    raise ModelDoesNotFit(size_bytes, limit, instance.instance_type, nearest)


def _task(size_bytes: int) -> str | None:
    """The least memory of a task that holds a model; None when the most does not."""
    least = pricing.least_task(math.ceil(size_bytes / USABLE_SHARE))
    if least is None:
        return None
    return f"hosting.vcpu {least.vcpu:g} with hosting.memory {least.memory_bytes // 2**30}GiB"


def _memory(service: str, size_bytes: int) -> str | None:
    """The least memory of a function that holds a model; None when the most does not."""
    most, step = pricing.MEMORY_MB[service]
    needed = math.ceil(size_bytes / USABLE_SHARE / 2**20 / step) * step
    return f"hosting.memory_mb {needed}" if needed <= most else None


def smallest_instance(
    size_bytes: int,
    *,
    sagemaker: bool = False,
    accelerated: bool = True,
    family: str | None = None,
) -> str | None:
    """The instance with the least memory that holds a model.

    Parameters
    ----------
    size_bytes : int. The weights. [bytes]
    sagemaker : bool. Among ``ml.`` types; otherwise among EC2 types.
    accelerated : bool. Among types with GPUs, by their memory; otherwise among CPU types, by main
        memory.
    family : str, optional. Such as ``g5`` or ``inf2``; any by default.

    Returns
    -------
    str or None
        None when nothing described is large enough. Equals go to fewer vCPUs, then by name.
    """
    fitting = [
        (limit_bytes(spec), spec.vcpu, spec.instance_type)
        for spec in described(sagemaker, family)
        if (spec.accelerator is not None) == accelerated and limit_bytes(spec) >= size_bytes
    ]
    return min(fitting)[2] if fitting else None


@cache
def described(sagemaker: bool, family: str | None = None) -> tuple[InstanceSpec, ...]:
    """Instances with full figures; of all families together, those with GPUs or none.

    Other accelerators need a model compiled for them, which is not a matter of memory; one without
    figures is no advice either.
    """
    specs = []
    for name in pricing.instance_types():
        if name.startswith("ml.") != sagemaker or family not in (None, _family(name)):
            continue
        try:
            spec = pricing.instance(name)
            kind = "gpu" if spec.accelerator is None else pricing.accelerator(spec.accelerator).kind
        except pricing.SpecNotFound:
            continue
        if kind == "gpu" or family is not None:
            specs.append(spec)
    return tuple(specs)


def _family(instance_type: str) -> str:
    return instance_type.removeprefix("ml.").partition(".")[0]
