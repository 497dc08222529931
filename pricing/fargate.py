"""Fargate: a task is so many vCPUs, so much memory and storage, each with a price.

The clock runs from the start of the image's download until the task ends, in whole seconds and at
least a minute (AWS Fargate pricing, quoted at devops.stackexchange.com/questions/4830 and
cloudburn.io, 2026-04-01). There is no GPU.
"""

import re
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from pricing import tables
from pricing.errors import InvalidArgument
from pricing.places import region_code
from pricing.query import Price
from pricing.serverless import serverless_price
from pricing.specs import InstanceSpec

# Storage that every task has free of charge, and the most it can have (Amazon ECS API reference,
# EphemeralStorage; AWS Fargate pricing). [GiB]
STORAGE_FREE_GB: Final = 20
STORAGE_MOST_GB: Final = 200
_GIB: Final = 2**30
_ARCHITECTURES: Final = {"x86_64": "x86", "arm64": "arm"}
# No figure is published; one flow between EC2 and S3 has at most 5 Gbit/s (EC2 user guide,
# instance network bandwidth). [bytes/s]
_NETWORK_BYTES_PER_S: Final = 5e9 / 8
_NAME: Final = re.compile(
    r"fargate-(?P<vcpu>[\d.]+)vcpu-(?P<memory>[\d.]+)gb-(?P<arch>x86_64|arm64)"
    r"(?:-(?P<storage>\d+)gb-storage)?"
)
# Memory that goes with each number of vCPUs: fewest, most, step (Amazon ECS developer guide, task
# definition parameters, task size). The smallest has 0.5, 1 and 2. [GB]
_MEMORY_GB: Final = {
    0.25: (0.5, 1.0, 2.0),
    0.5: tuple(float(n) for n in range(1, 5)),
    1.0: tuple(float(n) for n in range(2, 9)),
    2.0: tuple(float(n) for n in range(4, 17)),
    4.0: tuple(float(n) for n in range(8, 31)),
    8.0: tuple(float(n) for n in range(16, 61, 4)),
    16.0: tuple(float(n) for n in range(32, 121, 8)),
}


class Task(NamedTuple):
    """The size of a task.

    Attributes
    ----------
    vcpu : float.
    memory_bytes : int. A GB of Fargate is 1,024 MiB. [bytes]
    architecture : str. ``x86_64`` or ``arm64``.
    storage_gb : int. Ephemeral storage. [GiB]
    """

    vcpu: float
    memory_bytes: int
    architecture: str = "x86_64"
    storage_gb: int = STORAGE_FREE_GB

    @property
    def name(self) -> str:
        """What the tables and reports call it; `task_of` reads it again."""
        size = f"fargate-{self.vcpu:g}vcpu-{self.memory_bytes / _GIB:g}gb-{self.architecture}"
        more = self.storage_gb > STORAGE_FREE_GB
        return f"{size}-{self.storage_gb}gb-storage" if more else size


def task_of(name: str) -> Task | None:
    """The task of a name; None of another name.

    >>> task_of("fargate-4vcpu-16gb-x86_64")
    Task(vcpu=4.0, memory_bytes=17179869184, architecture='x86_64', storage_gb=20)
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    storage = int(found["storage"] or STORAGE_FREE_GB)
    return Task(float(found["vcpu"]), round(float(found["memory"]) * _GIB), found["arch"], storage)


def least_task(memory_bytes: float) -> Task | None:
    """The smallest task with so much memory; None where the largest has less.

    >>> least_task(40 * 2**30).name
    'fargate-8vcpu-40gb-x86_64'
    """
    for vcpu, sizes in _MEMORY_GB.items():
        for size in sizes:
            if size * _GIB >= memory_bytes:
                return Task(vcpu, round(size * _GIB))
    return None


def fargate_fault(task: Task) -> tuple[str, object, str] | None:
    """What of a task's size is not to be had: its key, its value and the nearest that is.

    >>> fargate_fault(Task(4, 2**30))
    ('memory', '1GiB', '8 to 30 GiB with 4 vCPUs; the nearest is 8GiB')
    """
    if task.vcpu not in _MEMORY_GB:
        return "vcpu", task.vcpu, f"one of {', '.join(f'{n:g}' for n in _MEMORY_GB)}"
    sizes, asked = _MEMORY_GB[task.vcpu], task.memory_bytes / _GIB
    if asked not in sizes:
        near = min(sizes, key=lambda size: abs(size - asked))
        steps = {round(b - a, 2) for a, b in pairwise(sizes)}
        by = f" by {steps.pop():g}" if len(steps) == 1 and sizes[1] - sizes[0] != 1 else ""
        span = f"{sizes[0]:g} to {sizes[-1]:g} GiB{by} with {task.vcpu:g} vCPUs"
        return "memory", f"{asked:g}GiB", f"{span}; the nearest is {near:g}GiB"
    if not STORAGE_FREE_GB <= task.storage_gb <= STORAGE_MOST_GB:
        return "storage_gb", task.storage_gb, f"{STORAGE_FREE_GB} to {STORAGE_MOST_GB}"
    return None


def fargate_instance(task: Task) -> InstanceSpec:
    """Describe the machine a task has.

    >>> fargate_instance(Task(4, 16 * 2**30)).instance_type
    'fargate-4vcpu-16gb-x86_64'
    """
    return InstanceSpec(
        instance_type=task.name,
        vcpu=max(int(task.vcpu), 1),
        memory_bytes=task.memory_bytes,
        accelerator=None,
        accelerator_count=0,
        accelerator_memory_bytes=0,
        nvme_bytes=0,
        network_baseline_bytes_per_s=_NETWORK_BYTES_PER_S,
        network_burst_bytes_per_s=_NETWORK_BYTES_PER_S,
        ebs_baseline_bytes_per_s=None,
        ebs_max_bytes_per_s=None,
        arch="arm64" if task.architecture == "arm64" else "amd64",
        source="Amazon ECS developer guide, task definition parameters; network assumed",
    )


def fargate_price(task: Task, region: str, *, as_of: str | None = None) -> Price:
    """The hourly price of a task: vCPUs, memory and storage above the free 20 GB together.

    Parameters
    ----------
    task : Task.
    region : str. ``us-east-1``, or in words as `region_code` reads them.
    as_of : str, optional. ``YYYY-MM-DD``: nothing read after this day is used.

    Raises
    ------
    InvalidArgument
        A size that is not to be had; the nearest is named.
    UnknownRegion, PriceNotFound
        No table knows the region, or no price is held for it by that day.

    >>> fargate_price(Task(1, 2 * 2**30), "us-east-1").usd_per_hour
    Decimal('0.049370')
    """
    wrong = fargate_fault(task)
    if wrong is not None:
        raise InvalidArgument(*wrong)
    arch = _ARCHITECTURES[task.architecture]
    amounts = {
        f"vcpu_hour_{arch}": Decimal(str(task.vcpu)),
        f"gb_hour_{arch}": Decimal(task.memory_bytes) / _GIB,
        "ephemeral_gb_hour_above_20": Decimal(task.storage_gb - STORAGE_FREE_GB),
    }
    used = {
        item: serverless_price("fargate", item, region, as_of=as_of)
        for item, amount in amounts.items()
        if amount
    }
    per_hour = sum((amounts[item] * one.usd for item, one in used.items()), Decimal())
    return Price(
        instance_type=task.name,
        region=region_code(region),
        provider="aws",
        service="fargate",
        purchase="on-demand",
        per_hour=per_hour.quantize(Decimal("0.000001")),
        currency="USD",
        as_of=min((one.as_of for one in used.values()), key=tables.last_day),
        source=" ; ".join(dict.fromkeys(one.source for one in used.values())),
        confidence="quoted",
        note=", ".join(f"{amounts[item]:g} {item} at {one.usd:f}" for item, one in used.items()),
    )
