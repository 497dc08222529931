"""The hardware behind an instance type, in SI units.

Network figures are the aggregate over all network cards: on multi-card types (p4d, p5, trn) one
card, and so one download, gets less. A new instance starts with full network credits and so at
its burst figure (EC2 user guide, instance network bandwidth).
"""

from dataclasses import dataclass
from functools import lru_cache

from pricing import tables
from pricing.errors import SpecNotFound, UnknownInstance

_GIB = 2**30
_BYTES_PER_S_PER_GBPS = 1e9 / 8
_BYTES_PER_S_PER_MBPS = 1e6 / 8


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What one instance has.

    Attributes
    ----------
    instance_type : str. As asked for; ``ml.g5.2xlarge`` is the hardware of ``g5.2xlarge``.
    vcpu : int. Virtual CPUs.
    memory_bytes : int. Main memory. [bytes]
    accelerator : str or None. Name as in `accelerator`; None on a CPU host.
    accelerator_count : int. Accelerators; 0 on a CPU host.
    accelerator_memory_bytes : int. Over all of them together. [bytes]
    nvme_bytes : int. Local NVMe storage; 0 without. [bytes]
    network_baseline_bytes_per_s : float. Sustained. [bytes/s]
    network_burst_bytes_per_s : float. While credits last; the baseline where none is listed.
        [bytes/s]
    ebs_baseline_bytes_per_s : float or None. Sustained; None where not listed. [bytes/s]
    ebs_max_bytes_per_s : float or None. For half an hour a day; None where not listed. [bytes/s]
    arch : str. ``amd64`` or ``arm64``.
    source : str. Where the figures were read.
    """

    instance_type: str
    vcpu: int
    memory_bytes: int
    accelerator: str | None
    accelerator_count: int
    accelerator_memory_bytes: int
    nvme_bytes: int
    network_baseline_bytes_per_s: float
    network_burst_bytes_per_s: float
    ebs_baseline_bytes_per_s: float | None
    ebs_max_bytes_per_s: float | None
    arch: str
    source: str


@dataclass(frozen=True, slots=True)
class Accelerator:
    """Peak figures of one accelerator, dense (without structured sparsity).

    Attributes
    ----------
    name : str. Model and form factor.
    kind : str. ``gpu``, ``gpu-desktop`` or ``aws`` (Inferentia, Trainium).
    fp16_flops : float. Peak in 16-bit floating point. [FLOP/s]
    bf16_flops, fp8_flops, fp32_flops : float or None. Peak; None where not supported or not
        listed. [FLOP/s]
    int8_ops, fp4_flops : float or None. Peak; None where not supported or not listed. [op/s]
    memory_bytes : int. Nominal memory of one. [bytes]
    memory_bandwidth_bytes_per_s : float. Peak. [bytes/s]
    host_bandwidth_bytes_per_s, link_bytes_per_s : float or None. From the host and to another
        accelerator, theoretical, one way; None where not listed. [bytes/s]
    power_watts : float or None. Design power of one; None where not listed. [W]
    source : str. Where the figures were read.
    note : str. Disagreements between sources and other cautions.
    """

    name: str
    kind: str
    fp16_flops: float
    bf16_flops: float | None
    fp8_flops: float | None
    fp32_flops: float | None
    int8_ops: float | None
    fp4_flops: float | None
    memory_bytes: int
    memory_bandwidth_bytes_per_s: float
    host_bandwidth_bytes_per_s: float | None
    link_bytes_per_s: float | None
    power_watts: float | None
    source: str
    note: str


def instance(instance_type: str) -> InstanceSpec:
    """Describe the hardware of an EC2 or SageMaker instance type.

    Parameters
    ----------
    instance_type : str. ``g5.2xlarge`` or ``ml.g5.2xlarge``.

    Returns
    -------
    InstanceSpec

    Raises
    ------
    UnknownInstance
        No table knows the name; the nearest are named.
    SpecNotFound
        Priced but not described, or its accelerator's share is not listed.

    >>> spec = instance("ml.g5.2xlarge")
    >>> spec.accelerator, spec.accelerator_count, spec.memory_bytes // 2**30
    ('A10G', 1, 32)
    """
    name = instance_type.removeprefix("ml.")
    rows = _instances()
    row = rows.get(name)
    if row is None or (name != instance_type and instance_type not in tables.sagemaker_types()):
        known = tables.sagemaker_types() if name != instance_type else tables.ec2_types()
        if instance_type not in known:
            raise UnknownInstance(instance_type, tables.nearest(instance_type, known))
        raise SpecNotFound(instance_type, tables.nearest(name, rows))
    if row["gpu_name"] and not row["gpu_count"]:
        raise SpecNotFound(
            instance_type, reason=f"its share of the accelerator {row['gpu_name']} is not listed"
        )
    baseline = float(row["network_baseline_gbps"])
    return InstanceSpec(
        instance_type=instance_type,
        vcpu=int(row["vcpu"]),
        memory_bytes=_gib(row["memory_gib"]),
        accelerator=_accelerator_name(row["gpu_name"], name) if row["gpu_name"] else None,
        accelerator_count=int(row["gpu_count"] or 0),
        accelerator_memory_bytes=_gib(row["gpu_memory_gib"]),
        nvme_bytes=_gib(row["nvme_gib"]),
        network_baseline_bytes_per_s=baseline * _BYTES_PER_S_PER_GBPS,
        network_burst_bytes_per_s=float(row["network_burst_gbps"] or baseline)
        * _BYTES_PER_S_PER_GBPS,
        ebs_baseline_bytes_per_s=_times(row["ebs_baseline_mbps"], _BYTES_PER_S_PER_MBPS),
        ebs_max_bytes_per_s=_times(row["ebs_max_mbps"], _BYTES_PER_S_PER_MBPS),
        arch=row["arch"],
        source=tables.sources()[row["source_id"]],
    )


def accelerator(name: str) -> Accelerator:
    """Peak figures of an accelerator.

    Parameters
    ----------
    name : str. As in `InstanceSpec.accelerator`, for example ``A10G``.

    Returns
    -------
    Accelerator

    Raises
    ------
    SpecNotFound
        No figures are held; names like it are given.

    >>> accelerator("A10G").memory_bandwidth_bytes_per_s
    600000000000.0
    """
    rows = _accelerators()
    row = rows.get(name)
    if row is None:
        near = tables.nearest(name, [known.lower() for known in rows])
        raise SpecNotFound(name, [known for known in rows if known.lower() in near])
    return Accelerator(
        name=name,
        kind=row["class"],
        fp16_flops=float(row["fp16_tflops_dense"]) * 1e12,
        bf16_flops=_times(row["bf16_tflops_dense"], 1e12),
        fp8_flops=_times(row["fp8_tflops_dense"], 1e12),
        fp32_flops=_times(row["fp32_tflops"], 1e12),
        int8_ops=_times(row["int8_tops_dense"], 1e12),
        fp4_flops=_times(row["fp4_tflops_dense"], 1e12),
        memory_bytes=round(float(row["memory_gb"]) * 1e9),
        memory_bandwidth_bytes_per_s=float(row["memory_bw_gbs"]) * 1e9,
        host_bandwidth_bytes_per_s=_times(row["h2d_gbs_theoretical"], 1e9),
        link_bytes_per_s=_times(row["interconnect_gbs_one_way"], 1e9),
        power_watts=_times(row["tdp_w"], 1.0),
        source=row["source"],
        note=row["notes"],
    )


@lru_cache(maxsize=1)
def _instances() -> dict[str, dict[str, str]]:
    return {row["instance_type"]: row for row in tables.read_rows("instance_specs.csv")}


@lru_cache(maxsize=1)
def _accelerators() -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in tables.read_rows("accelerators.csv")}


def _accelerator_name(gpu_name: str, instance_type: str) -> str:
    """Full name for the short one of the instance table.

    One short name may cover several (a100 is 40 GB on p4d, 80 GB on p4de): the family tells. A
    short name without figures is kept as it is.
    """
    same = [row for row in _accelerators().values() if row["gpu_name"] == gpu_name]
    if len(same) > 1:
        family = instance_type.partition(".")[0]
        same = [row for row in same if family in row["families"].split()]
    return same[0]["name"] if same else gpu_name


def _gib(text: str) -> int:
    return round(float(text) * _GIB) if text else 0


def _times(text: str, factor: float) -> float | None:
    return float(text) * factor if text else None
