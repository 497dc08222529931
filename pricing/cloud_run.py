"""Cloud Run: an instance is so many vCPUs, so much memory and at most one GPU, each with a price.

Instance-based billing, which a GPU requires: the whole life of an instance is paid, in steps of
100 ms (Cloud Run documentation, pricing, read 2026-09).
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from pricing import tables
from pricing.errors import PriceNotFound, UnknownRegion
from pricing.places import region_code
from pricing.query import Price
from pricing.specs import InstanceSpec, accelerator

_GIB: Final = 2**30
_ACCELERATORS: Final = {"nvidia-l4": "L4"}
# Assumed: no figure is published; that of the Compute Engine machine with the same GPU and cores.
_NETWORK_BYTES_PER_S: Final = 10e9 / 8


def cloud_run_instance(vcpu: float, memory_bytes: int, gpu: str = "none") -> InstanceSpec:
    """Describe an instance of a Cloud Run service.

    Parameters
    ----------
    vcpu : float. Virtual CPUs.
    memory_bytes : int. Memory. [bytes]
    gpu : str. ``nvidia-l4`` or ``none``.

    Returns
    -------
    InstanceSpec

    >>> cloud_run_instance(4, 16 * 2**30, "nvidia-l4").instance_type
    'cloud-run-4vcpu-16gib-nvidia-l4'
    """
    name = _ACCELERATORS.get(gpu)
    return InstanceSpec(
        instance_type=_name(vcpu, memory_bytes, gpu),
        vcpu=max(int(vcpu), 1),
        memory_bytes=memory_bytes,
        accelerator=name,
        accelerator_count=1 if name else 0,
        accelerator_memory_bytes=accelerator(name).memory_bytes if name else 0,
        nvme_bytes=0,
        network_baseline_bytes_per_s=_NETWORK_BYTES_PER_S,
        network_burst_bytes_per_s=_NETWORK_BYTES_PER_S,
        ebs_baseline_bytes_per_s=None,
        ebs_max_bytes_per_s=None,
        arch="amd64",
        source="Cloud Run documentation, GPU support, read 2026-09; network assumed",
    )


def cloud_run_price(
    region: str,
    vcpu: float,
    memory_bytes: int,
    gpu: str = "none",
    *,
    zonal_redundancy: bool = False,
    as_of: str | None = None,
) -> Price:
    """The hourly price of an instance: vCPUs, memory and GPU together.

    Parameters
    ----------
    region : str. For example ``us-central1``.
    vcpu, memory_bytes, gpu : float, int, str. As for `cloud_run_instance`. [1, bytes]
    zonal_redundancy : bool. Whether the GPU is held in a second zone as well.
    as_of : str, optional. ``YYYY-MM-DD``: nothing read after this day is used.

    Returns
    -------
    Price

    Raises
    ------
    UnknownRegion
        No price is held for the region; those that have one are named.
    PriceNotFound
        None was read by `as_of`.

    >>> cloud_run_price("us-central1", 4, 16 * 2**30, "nvidia-l4").usd_per_hour
    Decimal('1.046520')
    """
    name = _name(vcpu, memory_bytes, gpu, zonal_redundancy)
    region = region_code(region, "gcp")
    rows = _rates().get(region)
    if rows is None:
        raise UnknownRegion(region, tables.nearest(region, _rates()) or cloud_run_regions())
    amounts = {"vcpu": Decimal(str(vcpu)), "memory_gib": Decimal(memory_bytes) / _GIB}
    if gpu != "none":
        amounts[f"{gpu}-zonal" if zonal_redundancy else gpu] = Decimal(1)
    unknown = sorted(amounts.keys() - rows.keys())
    if unknown:
        raise PriceNotFound(name, region, "on-demand", reason=f"no price of {unknown[0]} is held")
    used = [rows[resource] for resource in amounts]
    late = [row["as_of"] for row in used if as_of and tables.last_day(row["as_of"]) > as_of]
    if late:
        reason = f"none read by {as_of}, the earliest held is of {late[0]}"
        raise PriceNotFound(name, region, "on-demand", reason=reason)
    per_second = sum(
        (Decimal(rows[resource]["usd_per_second"]) * n for resource, n in amounts.items()),
        Decimal(),
    )
    return Price(
        instance_type=name,
        region=region,
        provider="gcp",
        service="cloud_run",
        purchase="on-demand",
        per_hour=(per_second * 3600).quantize(Decimal("0.000001")),
        currency="USD",
        as_of=max(row["as_of"] for row in used),
        source=" ; ".join(dict.fromkeys(s for row in used for s in row["source"].split(" ; "))),
        confidence="quoted",
        note=", ".join(f"{n:g} {resource}" for resource, n in amounts.items()),
    )


def cloud_run_size(name: str) -> tuple[float, int, str, bool] | None:
    """The size behind a name of `cloud_run_instance`; None of another name.

    Returns
    -------
    tuple
        vCPUs, memory [bytes], GPU, and whether it is held in a second zone as well.

    >>> cloud_run_size("cloud-run-4vcpu-16gib-nvidia-l4")
    (4.0, 17179869184, 'nvidia-l4', False)
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    memory = round(float(found["memory"]) * _GIB)
    return float(found["vcpu"]), memory, found["gpu"] or "none", bool(found["zonal"])


def cloud_run_regions() -> tuple[str, ...]:
    """Every region that holds prices, in order of name."""
    return tuple(sorted(_rates()))


_NAME: Final = re.compile(
    r"cloud-run-(?P<vcpu>[\d.]+)vcpu-(?P<memory>[\d.]+)gib"
    r"(?:-(?P<gpu>nvidia-[a-z0-9]+)(?P<zonal>-zonal)?)?"
)


def _name(vcpu: float, memory_bytes: int, gpu: str, zonal: bool = False) -> str:
    size = f"cloud-run-{vcpu:g}vcpu-{memory_bytes / _GIB:g}gib"
    return size if gpu == "none" else f"{size}-{gpu}{'-zonal' if zonal else ''}"


@lru_cache(maxsize=1)
def _rates() -> dict[str, dict[str, dict[str, str]]]:
    """The row of each resource, by region."""
    table: dict[str, dict[str, dict[str, str]]] = {}
    for row in tables.read_rows("cloud_run.csv"):
        table.setdefault(row["region"], {})[row["resource"]] = row
    return table
