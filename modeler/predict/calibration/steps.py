"""Which law a measured phase tells of: a duration, a rate, or one that grows with parameters.

The words of a row decide: what was read from where and by what, which step of an engine's start,
on what kind of machine. A row from which that cannot be told, or that lacks the size its law needs,
is out of scope and says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from modeler.predict.calibration.measurements import Measurement

DURATION: Final = "duration"  # [s]
RATE: Final = "rate"  # [GB/s]
GROWING: Final = "growing"  # k (1 + 0.04 P), k in [s]
DOCUMENTED: Final = "documented"  # by the platform, and not fitted

# Growth of an engine's start with its parameters: total start-up on three hosts is 20.3 + 0.78 P,
# 21.2 + 0.75 P and 33.7 + 1.95 P seconds for 0.5 to 14 billion (vLLM 0.10, open data).
GROWTH_PER_B: Final = 0.04


class Missing(Exception):
    """What a row would have to say for its law to hold."""


@dataclass(frozen=True)
class Step:
    """A law and what goes into it.

    Parameters
    ----------
    law : str. One of the laws of this module.
    key : tuple of str. Whose constant.
    amount : float. Bytes to move [1e9 bytes], parameters [1e9], or the documented duration [s].
    """

    law: str
    key: tuple[str, ...]
    amount: float = 0.0


# What turns the words after it, or before it, into their contrary.
_NOT_BEFORE: Final = re.compile(r"\b(?:no|not|non|without|before)[\s-]+$", re.IGNORECASE)
_NOT_AFTER: Final = re.compile(r"\s+(?:is\s+|was\s+)?(?:off|disabled|cold|miss)\b", re.IGNORECASE)


def has(text: str, *patterns: str) -> bool:
    """Whether a text says one of some patterns, whatever its case, and does not deny it.

    >>> has("image not cached", "cached"), has("no unpack", "no unpack")
    (False, True)
    """
    return any(
        not _NOT_BEFORE.search(text[: found.start()]) and not _NOT_AFTER.match(text[found.end() :])
        for pattern in patterns
        for found in re.finditer(pattern, text, re.IGNORECASE)
    )


# What platforms say of themselves: system, words, duration. [s]
_DOCUMENTED: Final = (
    ("KEDA", "cooldown", 300.0),
    ("KEDA", "poll", 30.0),
    ("Knative", "stable-window", 60.0),
    ("Knative", "panic window", 6.0),
    ("Knative", "scrape", 1.0),
    ("Knative", "grace", 30.0),
    ("HPA", "sync", 15.0),
    ("Cluster Autoscaler", "scan", 10.0),
    ("high-resolution", "every 10", 10.0),
    ("SageMaker", "scale-IN: target tracking", 900.0),
    ("SageMaker", "step-scaling", 60.0),
    ("Karpenter", "NodeClaim", 10.0),
)
_MEDIA: Final = {
    "hub": "hub", "registry+hub": "hub", "ecr+hub": "hub", "s3": "store", "object store": "store",
    "ecr+s3": "store", "gcs": "store", "nvme": "disk", "local disk": "disk", "local": "disk",
    "object store+nvme": "disk", "memory": "memory", "page cache": "memory", "ebs_gp3": "gp3",
    "gp3": "gp3", "ebs_io2": "io2", "io2": "io2", "efs": "efs", "peer": "peer",
    "parallel fs": "file system", "weka": "file system", "vast": "file system",
    "fsx": "file system", "snapshot": "snapshot",
    "huggingface": "hub", "hugging face": "hub", "hf": "hub", "hf hub": "hub",
    "huggingface hub": "hub", "hugging face hub": "hub",
    "ebs gp3": "gp3", "ebs-gp3": "gp3", "ebs io2": "io2", "local ssd": "disk",
    "local nvme": "disk", "nvme ssd": "disk", "tmpfs": "memory", "ram": "memory",
    "lustre": "file system", "fsx lustre": "file system", "fsx for lustre": "file system",
    "gcs bucket": "store", "s3 bucket": "store", "azure blob": "store", "blob": "store",
}  # fmt: skip
NETWORK: Final = ("store", "hub")


def medium_of(m: Measurement) -> str:
    """Where the bytes come from; empty where it is not said."""
    if has(m.condition, r"page cache\)", "page cache warm", "hot page cache", "GPT-2 warm"):
        return "memory"
    if has(m.medium, r"\(not stated\)"):
        return ""
    return _MEDIA.get(m.medium.lower(), m.medium.lower())


def loader_of(m: Measurement) -> str:
    """How they are read: as the default does, streamed, pre-sharded, fast, or woken."""
    text = m.loader or m.condition
    for name, patterns in (
        ("sharded", ("shard", "distributed")),
        ("sleep", ("sleep", "wake")),
        ("fast", ("sllm", "fastsafetensors", "nogds", "nixl", "instant", "tensorizer")),
        ("stream", ("stream", "anyscale")),
    ):
        if has(text, *patterns):
            return name
    return "default"


def transfer(m: Measurement, gigabytes: float, *, download: bool) -> Step:
    """Bytes to a machine, or into its accelerators.

    Unsharded streaming under tensor parallelism reads the whole artifact once a rank.

    Raises
    ------
    Missing
    """
    medium, loader = medium_of(m), loader_of(m)
    if loader == "sleep":
        medium = "memory"
    if not medium:
        raise Missing("medium")
    if medium == "snapshot" or loader == "snapshot":
        raise Missing("bytes of the snapshot")
    if medium == "disk" and loader == "fast":
        raise Missing("bandwidth of the disk")
    ranks = m.tensor_parallel if loader == "stream" and not download else 1
    size = "large" if m.large_host else "small"
    if download:
        loader = "contended" if has(m.condition, r"\bcontended\b") else "download"
    if medium in NETWORK and loader in ("stream", "sharded") and m.large_host:
        several = ranks > 1 or loader == "sharded" or has(m.condition, "multiple")
        loader = "several streams" if several else "one stream"
    return Step(RATE, (medium, loader, size), gigabytes * ranks)


def step_of(m: Measurement) -> Step:
    """The law of a row that is a single phase.

    Raises
    ------
    Missing
    """
    if has(m.condition, r"download \+ init", "includes artifact download"):
        raise Missing("its phases apart")
    return _OF_PHASE[m.phase](m)


def _detection(m: Measurement) -> Step:
    for system, words, seconds in _DOCUMENTED:
        if has(m.system, system) and has(m.condition, words):
            return Step(DOCUMENTED, ("detection",), seconds)
    raise Missing("an autoscaler whose period is documented")


def _weights(m: Measurement) -> Step:
    gigabytes = m.weights_gb
    if gigabytes is None:
        raise Missing("artifact_gb or params_b")
    return transfer(m, gigabytes, download=m.phase == "artifact_download")


_IMAGE_THERE: Final = ("cache", "cached", "image cache", "node cache")


def _pull(m: Measurement) -> Step:
    if m.medium.lower() in _IMAGE_THERE or has(m.condition, r"cached on (?:the )?node"):
        return Step(DOCUMENTED, ("pull", "cached"), 0.0)
    text = f"{m.loader} {m.condition}"
    if has(text, "image streaming", "lazy"):
        return Step(DURATION, ("pull", "streamed"))
    gigabytes = m.artifact_gb
    span = re.search(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) GB", m.condition)
    if gigabytes is None and span:
        gigabytes = (float(span[1]) + float(span[2])) / 2.0
    stated = re.search(r"(\d+(?:\.\d+)?) ?GB image|image of (\d+(?:\.\d+)?) ?GB", m.condition)
    if gigabytes is None and stated:
        gigabytes = float(stated[1] or stated[2])
    if gigabytes is None:
        raise Missing("artifact_gb of the image")
    kind = "plain"
    for name, pattern in (
        ("parallel", "soci|parallel pull"),
        ("copy", "no unpack"),
        ("contended", "compet"),
    ):
        if has(text, pattern):
            kind = name
            break
    return Step(RATE, ("pull", kind), gigabytes)


def _provision(m: Measurement) -> Step:
    text = f"{m.system} {m.condition}"
    if has(m.condition, "scale-IN"):
        raise Missing("a start: this is a release")
    for key, pattern in (
        (("sagemaker",), "SageMaker"),
        (("api",), "RunInstances|API call"),
        (("running",), "pending to running"),
        (("bare metal",), "bare-metal"),
        (("fargate", "eks"), "EKS on Fargate"),
        (("fargate", "ecs"), "Fargate"),
        (("node", "cluster autoscaler"), "Cluster Autoscaler"),
        (("gpu cloud",), "health checks"),
        (("node", "gpu registered"), "GPU registered"),
        (("node", "container"), "on EC2"),
        (("node", "ready"), "Karpenter|node"),
    ):
        if has(text, pattern):
            return Step(DURATION, ("provision", *key))
    if m.phase_alone:
        return Step(DURATION, ("provision", "whole"))
    raise Missing("what was provisioned")


def _boot(m: Measurement) -> Step:
    for key, pattern in (
        ("from stopped", r"start(?:ing)? a stopped|stopped (?:instance )?start"),
        ("streamed root", "streaming"),
        ("managed pool", "managed"),
        ("running pool", "already running"),
        (
            "launch",
            r"cold,? launch|API \+ provision|default launch|stripped|launch to (?:SSH|ready)",
        ),
        ("device", "GPU operator|device plugin"),
        ("kernel", "kernel"),
        ("sshd", "sshd"),
    ):
        if has(m.condition, pattern):
            return Step(DURATION, ("boot", key))
    if m.phase_alone or has(m.condition, "running to|node ready|userspace"):
        return Step(DURATION, ("boot", "system"))
    raise Missing("from where to where it booted")


def _container(m: Measurement) -> Step:
    if has(m.system, "Lambda"):
        runtime = re.search(r"python|nodejs|java|go|rust|dotnet|ruby", m.condition, re.IGNORECASE)
        package = "image" if "image" in m.system else "zip"
        return Step(DURATION, ("lambda", (runtime[0] if runtime else "").lower(), package))
    if has(m.condition, "waits for"):
        raise Missing("how long the other process takes")
    if has(m.condition, "created .* to started"):
        return Step(DURATION, ("container", "sandbox"))
    return Step(DURATION, ("container", "start"))


_OUTSIDE: Final = (
    ("RDMA", "tensors to register"),
    ("peer-to-peer", "topology of the devices"),
    ("context restore", "bytes of the snapshot"),
    ("first inference", "whether warm-up was skipped"),
    ("API server|orchestration|collectives", "a step that the model of a start has"),
    ("outlier", "a case that is not an outlier"),
    ("no native", "kernels of this precision"),
)


def size_of(m: Measurement) -> float:
    """Parameters an engine's start grows with. [1e9]

    Raises
    ------
    Missing
    """
    if has(m.model, r"\bMoE\b") and not re.search(r"-A\d", m.model):
        raise Missing("active parameters")
    if m.size_b is None:
        raise Missing("params_b")
    return m.size_b


def compiled_before(m: Measurement) -> bool:
    """Whether compiled graphs were at hand."""
    if has(m.condition, "first run"):
        return False
    return has(
        m.condition, "cache hit", "from cache", "disk cache", "compile cache",
        "compiled graph load", "cached", "persist",
    )  # fmt: skip


def _engine(m: Measurement) -> Step:
    for pattern, missing in _OUTSIDE:
        if has(m.condition, pattern):
            raise Missing(missing)
    if not has(m.condition, "sum of table", "init engine"):
        if has(m.condition, "import|bootstrap"):
            return Step(DURATION, ("engine", "imports"))
        if has(m.condition, "graph capture") and not re.search(r"\d+ sizes", m.condition):
            raise Missing("captured batch sizes")
    size = size_of(m)
    key: tuple[str, ...]
    state = "warm" if compiled_before(m) or has(m.condition, "no compile") else "cold"
    if has(m.condition, "sum of table|other start-up|vLLM initialisation|engine start"):
        return Step(GROWING, ("engine", "whole"), size)
    for pattern, key in (
        (r"init engine|profiling \+ warm-up", ("engine", "init", state)),
        ("dynamo trans|dynamo byte", ("engine", "trace")),
        ("compile|compiled|kernel compilation", ("engine", "compile", state)),
        ("graph capture", ("engine", "graphs")),
        ("profil|KV cache alloc", ("engine", "profile")),
        ("warm-up", ("engine", "warm-up")),
    ):
        if has(m.condition, pattern):
            return Step(GROWING, key, size)
    if m.phase_alone:
        return Step(GROWING, ("engine", "whole"), size)
    raise Missing("which step of the engine's start")


_OF_PHASE: Final = {
    "detection": _detection,
    "provision": _provision,
    "boot": _boot,
    "image_pull": _pull,
    "container_start": _container,
    "artifact_download": _weights,
    "weights_load": _weights,
    "framework_init": _engine,
}


def steps_of(m: Measurement) -> Iterator[Step]:
    """The laws whose sum a row is: one of a phase, several of a whole start.

    Raises
    ------
    Missing
    """
    if m.phase in _OF_PHASE:
        step = step_of(m)
        if step.law == RATE and step.key[0] in NETWORK and not m.instance_type:
            raise Missing("instance_type")
        yield step
        return
    from modeler.predict.calibration.totals import total_steps

    yield from total_steps(m)
