"""A whole start as the sum of its phases, by where it runs and what was at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modeler.predict.calibration.measurements import Measurement
from modeler.predict.calibration.steps import (
    DOCUMENTED,
    DURATION,
    GROWING,
    NETWORK,
    RATE,
    Missing,
    Step,
    compiled_before,
    has,
    loader_of,
    medium_of,
    size_of,
    transfer,
)

# A serving image where a row does not give its own: between 8 and 12 GB in those that do. [GB]
_IMAGE_GB: Final = 10.0
_SAGEMAKER_IMAGE_GB: Final = 17.7
# Fetched while that image is pulled, both sharing the interface: 16.4 GB took 168 s of its 333 s
# [smcc-001, smcc-002]. [GB]
_FETCHED_BESIDE_GB: Final = 16.4 * 333.0 / 168.0
# The alarm of a step policy from zero: one period of a minute. [s]
_STEP_ALARM_S: Final = 60.0
_WARM_ENGINES: Final = (r"0\.10\.1", r"0\.11", r"0\.28")  # versions whose rows keep their cache


def total_steps(m: Measurement) -> Iterator[Step]:
    """The phases of a whole start.

    Raises
    ------
    Missing
    """
    if has(m.system, "container orchestrators"):
        raise Missing("a single start: these are thousands")
    if has(f"{m.loader} {m.condition} {m.medium} {m.system}", "snapshot"):
        raise Missing("bytes of the snapshot")
    if has(m.system, "Lambda") and m.artifact_gb is None:
        raise Missing("artifact_gb")
    gigabytes = m.weights_gb
    if gigabytes is None:
        raise Missing("params_b or artifact_gb")
    if has(m.system, "SageMaker Serverless") or has(m.condition, "serverless"):
        raise Missing("a hosting whose start was measured: serverless endpoints were not")
    if has(m.system, "SageMaker"):
        yield from _sagemaker(m, gigabytes)
        return
    size = size_of(m)
    fresh = has(m.condition, "fresh node", "new node", "standard path", "parallel image pull")
    if fresh:
        kind = "parallel" if has(m.condition, "parallel") else "plain"
        yield Step(DURATION, ("provision", "node", "ready"))
        yield Step(DURATION, ("boot", "device"))
        yield Step(RATE, ("pull", kind), _IMAGE_GB)
    if fresh or has(m.condition, "warm node", r"\bpod\b", "running node"):
        yield Step(DURATION, ("container", "start"))
    yield _weights(m, gigabytes)
    if has(m.condition, "download first"):
        yield transfer(m, gigabytes, download=True)
    yield Step(GROWING, ("engine", "whole"), size)
    if not _warm(m):
        yield Step(GROWING, ("engine", "compile", "cold"), size)


def _weights(m: Measurement, gigabytes: float) -> Step:
    """What reads the weights; locally, and often, it is the page cache."""
    if not m.medium or medium_of(m) == "":
        if not has(m.condition, "local", "fork", "cache persisted"):
            raise Missing("medium")
        return Step(RATE, ("memory", "default", "large" if m.large_host else "small"), gigabytes)
    if medium_of(m) in NETWORK and not m.instance_type:
        raise Missing("instance_type")
    if loader_of(m) == "sharded" and not m.large_host:
        raise Missing("instance_type")
    return transfer(m, gigabytes, download=False)


def _warm(m: Measurement) -> bool:
    if has(m.condition, "cold compile", "baseline", "first run", "standard path"):
        return False
    if has(m.system, "Ray Serve LLM"):
        return has(m.condition, "compile cache")
    return (
        compiled_before(m)
        or has(m.condition, "caches? warm", "warm compile", "cache warm")
        or has(m.system, *_WARM_ENGINES)
    )


def _sagemaker(m: Measurement, gigabytes: float) -> Iterator[Step]:
    """Provision, then the longer of pull and fetch, which share the interface; then the engine."""
    yield Step(DURATION, ("provision", "sagemaker"))
    cached = has(m.condition, "cache hit", "container caching")
    if cached:
        yield transfer(m, gigabytes, download=True)
    else:
        yield Step(RATE, ("pull", "contended"), _SAGEMAKER_IMAGE_GB)
        # What of the artifact the pull leaves to fetch is fetched alone.
        size = "large" if m.large_host else "small"
        alone = gigabytes - _FETCHED_BESIDE_GB
        if alone > 0.0:
            yield Step(RATE, ("store", "download", size), alone)
    yield Step(GROWING, ("engine", "whole"), size_of(m))
    if has(m.condition, "first request"):
        yield Step(DOCUMENTED, ("detection",), _STEP_ALARM_S)
