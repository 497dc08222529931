"""What AWS meters per request: Lambda and SageMaker Serverless Inference.

Duration is metered in GB-seconds, a GB being 1,024 MB of configured memory, in steps of a
millisecond (AWS Lambda pricing; SageMaker pricing). Monthly tiers and the free tier (one million
requests and 400,000 GB-seconds of Lambda a month) are left out: prices are those of the first
tier. No price of SageMaker's provisioned concurrency is held.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pricing import tables
from pricing.billing import rounded_up
from pricing.errors import InvalidArgument, PriceNotFound, UnknownRegion
from pricing.names import regions
from pricing.places import region_code
from pricing.specs import InstanceSpec

# Provisioned concurrency is charged from enabling to disabling, rounded up to 5 minutes (AWS
# Lambda pricing). [s]
PROVISIONED_STEP_S = 300
# A cached snapshot is charged for at least three hours (AWS Lambda pricing, SnapStart). [s]
SNAPSTART_LEAST_S = 10_800
# Ephemeral storage that every environment has free of charge (AWS Lambda pricing). [MB]
EPHEMERAL_FREE_MB = 512
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class ServerlessPrice:
    """One unit price.

    Attributes
    ----------
    service : str. ``lambda`` or ``sagemaker_serverless``.
    item : str. What is metered, as in the table.
    region : str. AWS region code.
    usd : Decimal. [USD a unit]
    as_of : str. Date of the reading.
    source : str. Where it was read.
    """

    service: str
    item: str
    region: str
    usd: Decimal
    as_of: str
    source: str


def serverless_price(
    service: str, item: str, region: str, *, as_of: str | None = None
) -> ServerlessPrice:
    """The dated price of one unit of what is metered otherwise than by the instance.

    Parameters
    ----------
    service : str. One of `metered_services`, such as ``lambda``, ``fargate`` or ``ebs_gp3``.
    item : str. One of its `metered_items`, such as ``gb_second_x86`` or ``vcpu_hour_x86``.
    region : str. AWS region code, or in words as `region_code` reads them.
    as_of : str, optional. Latest date of the reading, YYYY-MM-DD.

    Raises
    ------
    InvalidArgument
        No such service or item.
    UnknownRegion
        No table knows the region.
    PriceNotFound
        Known, and yet no price is held; names the regions that have one.

    >>> found = serverless_price("lambda", "gb_second_x86", "us-east-1")
    >>> found.usd, found.as_of
    (Decimal('0.0000166667'), '2025-06-05')
    """
    table = _table()
    region = region_code(region)
    services = sorted({known for known, _ in table})
    if service not in services:
        raise InvalidArgument("service", service, f"one of {', '.join(services)}")
    priced = table.get((service, item))
    if priced is None:
        items = sorted(name for known, name in table if known == service)
        raise InvalidArgument("item", item, f"one of {', '.join(items)}")
    readings = priced.get(region) or priced.get(_ANYWHERE)
    if readings is None:
        known = {*regions(), *tables.region_names()} | {
            where for each in table.values() for where in each
        }
        if region not in known:
            raise UnknownRegion(region, tables.nearest(region, known))
        raise PriceNotFound(f"{service} {item}", region, "on-demand", regions=sorted(priced))
    for found in readings:
        if as_of is None or tables.last_day(found.as_of) <= as_of:
            return found
    earliest = readings[-1].as_of
    raise PriceNotFound(
        f"{service} {item}", region, "on-demand", reason=f"the earliest held is {earliest}"
    )


# A price that holds in every region of its provider.
_ANYWHERE = "any"


def metered_services() -> tuple[str, ...]:
    """Services whose units have a price: what `serverless_price` knows."""
    return tuple(sorted({service for service, _ in _table()}))


def metered_items(service: str) -> tuple[str, ...]:
    """Units of a service that have a price; empty for a service that is not known."""
    return tuple(sorted(item for known, item in _table() if known == service))


def own_serverless_price(
    service: str, item: str, region: str, usd: float | None, setting: str
) -> ServerlessPrice:
    """A price that no table holds, as the analyst gives it.

    Parameters
    ----------
    usd : float or None. What was given. [USD a unit]
    setting : str. Where to give it.

    Raises
    ------
    PriceNotFound
        It was not given; names the setting.
    """
    if usd is None:
        raise PriceNotFound(
            f"{service} {item}", region, "on-demand", reason=f"none is published: set {setting}"
        )
    return ServerlessPrice(service, item, region, Decimal(str(usd)), "", f"yours ({setting})")


# A function has one vCPU for each 1,769 MB (Lambda developer guide, configuration-memory). [MB]
_MB_PER_VCPU = 1769
# No figure is published; one flow between EC2 and S3 has at most 5 Gbit/s (EC2 user guide,
# instance network bandwidth). [bytes/s]
_NETWORK_BYTES_PER_S = 5e9 / 8
# Largest memory, and the step by which it can be set. [MB]
MEMORY_MB = {"lambda": (10_240, 1), "sagemaker_serverless": (6_144, 1_024)}


def serverless_instance(service: str, memory_mb: int, arch: str = "x86_64") -> InstanceSpec:
    """Describe the execution environment of a function.

    Parameters
    ----------
    service : str. ``lambda`` or ``sagemaker_serverless``.
    memory_mb : int. Configured memory. [MB]
    arch : str. ``x86_64`` or ``arm64``.

    >>> serverless_instance("lambda", 1769).vcpu
    1
    """
    return InstanceSpec(
        instance_type=f"{service} {memory_mb} MB",
        vcpu=max(memory_mb // _MB_PER_VCPU, 1),
        memory_bytes=memory_mb * 2**20,
        accelerator=None,
        accelerator_count=0,
        accelerator_memory_bytes=0,
        nvme_bytes=0,
        network_baseline_bytes_per_s=_NETWORK_BYTES_PER_S,
        network_burst_bytes_per_s=_NETWORK_BYTES_PER_S,
        ebs_baseline_bytes_per_s=None,
        ebs_max_bytes_per_s=None,
        arch="arm64" if arch == "arm64" else "amd64",
        source="Lambda developer guide, configuration-memory, read 2026-09; network assumed",
    )


def billed_provisioned_seconds(held_s: float) -> float:
    """Seconds on the bill for one provisioned environment held for a while. [s]

    >>> billed_provisioned_seconds(301.0), billed_provisioned_seconds(0.0)
    (600.0, 0.0)
    """
    return rounded_up(held_s, Decimal(PROVISIONED_STEP_S))


@lru_cache(maxsize=1)
def _table() -> dict[tuple[str, str], dict[str, list[ServerlessPrice]]]:
    """Prices by service and item, then by region, the latest reading first."""
    texts = tables.sources()
    found: dict[tuple[str, str], dict[str, list[ServerlessPrice]]] = {}
    for name in ("serverless.csv", "meters.csv"):
        for row in tables.read_rows(name):
            one = ServerlessPrice(
                row["service"],
                row["item"],
                row["region"],
                tables.positive(row["usd"]),
                row["as_of"],
                texts[row["source_id"]],
            )
            regions = found.setdefault((one.service, one.item), {})
            regions.setdefault(one.region, []).append(one)
    for regions in found.values():
        for readings in regions.values():
            readings.sort(key=lambda one: tables.last_day(one.as_of), reverse=True)
    return found
