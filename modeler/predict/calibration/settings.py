"""What measurements say of a scenario's settings: of which hosting, on which size of machine.

A timed span can hold more than one setting (an endpoint's instance is provisioned and boots; a
launch is timed to the first login). Of such a span the settings that rows tell apart take what they
tell, the others what the hosting's table holds, and the last named takes what is left, so that the
sum is the span and nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final

from modeler.predict.calibration.fit import Calibration, Fitted, Key, interval
from modeler.predict.calibration.measurements import Measurement
from modeler.predict.calibration.places import INSTANCES, KNOWN, KUBERNETES, SAGEMAKER, places_of
from modeler.predict.calibration.steps import (
    DURATION,
    GROWING,
    NETWORK,
    RATE,
    Missing,
    Step,
    compiled_before,
    has,
    step_of,
)
from modeler.predict.constants import EVERY_HOSTING, WITHOUT_ACCELERATOR, defaults, of_option
from modeler.scenario.cold_start import INIT_GROWING

ANY_HOST: Final = "any"
_GB: Final = 1e9
# A slope is fitted where a source has this many rows, over this ratio of sizes; else it is held.
_ROWS_OF_A_SLOPE: Final = 3
_RATIO_OF_A_SLOPE: Final = 2.0


@dataclass(frozen=True)
class Told:
    """One setting as measurements have it.

    Parameters
    ----------
    place : str. Hosting, preset or way to start, as in ``cold_start_constants.csv``.
    host : str. ``small`` or ``large`` interface of the machine, or ``any``.
    setting : str. As under ``cold_start``.
    value, low, high : float. With the 95 % interval, where there is one. [as `UNITS`]
    told_by : str. Names of the fitted constants.
    rows, sources : int. Behind it.
    """

    place: str
    host: str
    setting: str
    value: float
    told_by: str
    rows: int
    sources: int
    low: float | None = None
    high: float | None = None


UNITS: Final = {
    "provision_s": "s", "boot_s": "s", "device_s": "s", "register_s": "s", "init_s": "s",
    "init_engine_s_per_gparam": "s per 1e9 parameters",
    "init_compile_s_per_gparam": "s per 1e9 parameters",
    "registry_bytes_per_s": "bytes/s", "store_bytes_per_s": "bytes/s",
    "load_bytes_per_s": "bytes/s", "nvme_bytes_per_s": "bytes/s",
    "ebs_loader_bytes_per_s": "bytes/s", "image_size": "bytes", "streaming_load": "flag",
}  # fmt: skip


@dataclass(frozen=True)
class _Span:
    """Keys whose sum is a span, the settings that it is made of, and where that holds."""

    places: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    settings: tuple[str, ...]  # the last takes what the others leave


# Nearest first: what one span tells, a later one does not tell again.
_SPANS: Final = (
    _Span(INSTANCES, (("provision", "whole"),), ("provision_s",)),
    _Span(INSTANCES, (("boot", "system"),), ("boot_s",)),
    _Span(INSTANCES, (("boot", "device"),), ("device_s",)),
    _Span(("ec2_asg",), (("boot", "launch"),), ("boot_s", "provision_s")),
    _Span(("ec2_asg",), (("provision", "api"), ("provision", "running")), ("provision_s",)),
    _Span(("ec2_asg",), (("boot", "kernel"), ("boot", "sshd")), ("boot_s",)),
    _Span(SAGEMAKER, (("provision", "sagemaker"),), ("provision_s", "boot_s")),
    _Span(KUBERNETES, (("provision", "node", "ready"),), ("provision_s", "boot_s")),
    _Span(
        ("eks_cluster_autoscaler",),
        (("provision", "node", "cluster autoscaler"),),
        ("boot_s", "provision_s"),
    ),
    _Span(
        KUBERNETES,
        (("provision", "node", "gpu registered"),),
        ("provision_s", "boot_s", "device_s"),
    ),
    _Span(KUBERNETES, (("container", "start"),), ("register_s",)),
    _Span(("ecs_fargate",), (("provision", "fargate", "ecs"),), ("provision_s",)),
    _Span(("eks_fargate",), (("provision", "fargate", "eks"),), ("provision_s",)),
    _Span(("ecs_ec2",), (("provision", "node", "container"),), ("provision_s",)),
    _Span(("gpu_cloud",), (("provision", "gpu cloud"),), ("provision_s",)),
    _Span(("bare_metal",), (("provision", "bare metal"),), ("provision_s",)),
    _Span(("lambda",), (("lambda", "python", "zip"),), ("boot_s",)),
    _Span(("lambda_image",), (("lambda", "python", "image"),), ("boot_s",)),
)
# Rates of what a place does; the first key that is told counts.
_PULLS: Final = (("pull", "plain"), ("pull", "parallel"))
_HOSTS: Final = ("small", "large")
# Images of one service differ by less than this ratio.
_ONE_IMAGE: Final = 1.02
# Rates of a machine, whoever hosts it: place, setting, size of the interface, key.
_STREAMING: Final = KUBERNETES
_MACHINE: Final = (
    *((place, "store_bytes_per_s", "small", ("store", "stream", "small")) for place in _STREAMING),
    *(
        (place, "store_bytes_per_s", "large", ("store", "one stream", "large"))
        for place in _STREAMING
    ),
    (EVERY_HOSTING, "load_bytes_per_s", "small", ("memory", "default", "small")),
    (EVERY_HOSTING, "load_bytes_per_s", "large", ("memory", "default", "large")),
    ("nvme", "nvme_bytes_per_s", "small", ("disk", "default", "small")),
    ("nvme", "nvme_bytes_per_s", "large", ("disk", "default", "large")),
    ("ebs", "ebs_loader_bytes_per_s", "small", ("gp3", "default", "small")),
    ("ebs", "ebs_loader_bytes_per_s", "large", ("gp3", "default", "large")),
)


def settings_of(measurements: Iterable[Measurement]) -> tuple[Told, ...]:
    """What a scenario's ``cold_start`` block could say from these measurements.

    Parameters
    ----------
    measurements : iterable of Measurement

    Returns
    -------
    tuple of Told
        By place, setting and host.
    """
    rows = tuple(measurements)
    constants = _by_key(Calibration(rows))
    found = [
        _scaled(place, host, setting, one)
        for place, setting, host, key in _MACHINE
        if (one := constants.get((RATE, key))) is not None
    ]
    of_machines = {(told.place, told.setting, told.host): told.value for told in found}
    found += [told for place in KNOWN for told in _of_place(place, rows, of_machines)]
    return tuple(sorted(found, key=lambda told: (told.place, told.setting, told.host)))


def used_by(measurements: Sequence[Measurement]) -> dict[str, list[str]]:
    """The settings that each fitted constant went into, by the constant's name."""
    found: dict[str, list[str]] = {}
    for told in settings_of(measurements):
        for name in told.told_by.split(" + "):
            settings = found.setdefault(name, [])
            if told.setting not in settings:
                settings.append(told.setting)
    return found


def gaps_left(measurements: Sequence[Measurement]) -> Iterator[tuple[str, float]]:
    """Hostings whose container start is told, and the unattributed seconds still added to it."""
    for told in settings_of(measurements):
        if told.setting == "register_s" and "gap_s" in (held := _held(told.place)):
            yield told.place, held["gap_s"]


def _of_place(
    place: str,
    measurements: Sequence[Measurement],
    of_machines: Mapping[tuple[str, str, str], float],
) -> Iterator[Told]:
    rows = [m for m in measurements if place in places_of(m)]
    if not rows:
        return
    constants = _by_key(Calibration(rows))
    held = _held(place)
    told: dict[str, Told] = {}
    for span in _SPANS:
        if place in span.places and all((DURATION, key) in constants for key in span.keys):
            parts = [constants[DURATION, key] for key in span.keys]
            for one in _apart(place, span.settings, parts, held, told):
                told.setdefault(one.setting, one)
    yield from told.values()
    if place in WITHOUT_ACCELERATOR:
        return
    pull = next((constants[RATE, key] for key in _PULLS if (RATE, key) in constants), None)
    if pull is not None:
        yield _scaled(place, ANY_HOST, "registry_bytes_per_s", pull)
        yield from _image(place, rows, pull)
    yield from _store(place, constants, of_machines)
    yield from _engine(place, rows, held)


def _image(place: str, rows: Sequence[Measurement], pull: Fitted) -> Iterator[Told]:
    """The image, where every pull was of one: of several the scenario's own stays."""
    sizes = [m.artifact_gb for m in rows if m.phase == "image_pull" and m.artifact_gb]
    if sizes and max(sizes) <= _ONE_IMAGE * min(sizes):
        size = fmean(sizes) * _GB
        yield Told(place, ANY_HOST, "image_size", size, pull.name, len(sizes), pull.sources)


def _store(
    place: str,
    constants: Mapping[Key, Fitted],
    of_machines: Mapping[tuple[str, str, str], float],
) -> Iterator[Told]:
    """The rate of the store: of the way that the place takes first, else of the way measured.

    Where the loader streams, a whole load from the store is as good as a stream: the slower of
    store and memory decides, and it was timed. Where it downloads first, a whole load leaves to
    the store what the copy from memory does not take.
    """
    streams = place in _STREAMING
    copying = of_option(EVERY_HOSTING)["load_bytes_per_s"].value
    for host in _HOSTS:
        stream = ("store", "one stream" if host == "large" else "stream", host)
        if (place, "store_bytes_per_s", host) in of_machines:
            continue  # a stream, told of the machine whoever hosts it
        loads = [(medium, "default", host) for medium in NETWORK]
        downloads = [(medium, "download", host) for medium in NETWORK]
        for key in (*loads, *downloads) if streams else (*downloads, *loads, stream):
            one = constants.get((RATE, key))
            if one is None:
                continue
            if not streams and key not in downloads:
                copy = of_machines.get((EVERY_HOSTING, "load_bytes_per_s", host), copying)
                one = _first_of_two(one, copy / _GB)
            if one is not None:
                yield _scaled(place, host, "store_bytes_per_s", one)
            if streams and one is not None and key in downloads:
                # Timed apart from the load, so the load comes after it.
                yield Told(place, host, "streaming_load", 0.0, one.name, one.rows, one.sources)
            break


def _first_of_two(both: Fitted, second: float) -> Fitted | None:
    """The first of two rates in turn, of which both and the second are known; None if not slower.

    1 / both = 1 / first + 1 / second.
    """
    if both.value >= second:
        return None
    low, high = (
        None if end is None or end >= second else 1.0 / (1.0 / end - 1.0 / second)
        for end in (both.low, both.high)
    )
    return replace(both, value=1.0 / (1.0 / both.value - 1.0 / second), low=low, high=high)


def _apart(
    place: str,
    settings: Sequence[str],
    parts: Sequence[Fitted],
    held: Mapping[str, float],
    told: Mapping[str, Told],
) -> Iterator[Told]:
    """A span shared out over its settings."""
    whole = sum(part.value for part in parts)
    name = " + ".join(part.name for part in parts)
    rows, sources = sum(p.rows for p in parts), min(p.sources for p in parts)
    free = [setting for setting in settings if setting not in told]
    if not free:
        return
    *others, last = free
    left = max(whole - sum(told[one].value for one in settings if one in told), 0.0)
    taken = {one: held.get(one, 0.0) for one in others}
    if sum(taken.values()) > left:
        taken = {one: value * left / sum(taken.values()) for one, value in taken.items()}
    spare = left - sum(taken.values())
    low = high = None
    if all(part.low is not None and part.high is not None for part in parts):
        least, most = (sum(getattr(part, end) for part in parts) for end in ("low", "high"))
        low, high = max(spare + least - whole, 0.0), max(spare + most - whole, 0.0)
    yield Told(place, ANY_HOST, last, spare, name, rows, sources, low, high)
    for one in others:
        # At the table's value, and written, so that the sum stays the span whatever the table says.
        yield Told(place, ANY_HOST, one, taken[one], name, rows, sources)


def _engine(place: str, rows: Sequence[Measurement], held: Mapping[str, float]) -> Iterator[Told]:
    """Framework start: its slope where sizes tell it, else the table's, and what is left.

    Rows whose graphs were compiled before count only where no others do; then no compilation is
    left to add.
    """
    starts = list(_engine_starts(rows))
    cold = [start for start in starts if not start.compiled]
    used = cold or starts
    if not used:
        return
    by_source: dict[str, list[_EngineStart]] = {}
    for start in used:
        by_source.setdefault(start.source, []).append(start)
    slopes = [slope for each in by_source.values() if (slope := _slope(each)) is not None]
    of_table = sum(held.get(name, 0.0) for name in (INIT_GROWING if cold else INIT_GROWING[:1]))
    slope = median(slopes) if slopes else of_table
    slope = min([slope, *(start.seconds / start.size for start in used if start.size)])
    fixed = [[start.seconds - slope * start.size for start in each] for each in by_source.values()]
    means = [fmean(values) for values in fixed]
    low, high = interval(means if len(means) > 1 else fixed[0])
    name = "engine / whole"
    yield Told(
        place, ANY_HOST, "init_s", median(means), name, len(used), len(means),
        None if low is None else max(low, 0.0), high,
    )  # fmt: skip
    if not cold or slope != of_table:
        for setting, value in zip(INIT_GROWING, (slope, 0.0), strict=True):
            yield Told(place, ANY_HOST, setting, value, name, len(used), len(means))


@dataclass(frozen=True)
class _EngineStart:
    """One measured start of an engine: billions of parameters, seconds, graphs at hand or not."""

    source: str
    size: float
    seconds: float
    compiled: bool


def _engine_starts(rows: Sequence[Measurement]) -> Iterator[_EngineStart]:
    """Starts of the whole engine; one timed up to the engine counts with that of the engine."""
    steps = []
    for m in rows:
        try:
            if m.phase == "framework_init":
                steps.append((m, step_of(m)))
        except Missing:
            continue
    for m, step in steps:
        if step.law != GROWING or step.key != ("engine", "whole"):
            continue
        seconds = m.seconds
        if has(m.condition, r"\bto (vLLM )?engine start"):
            rest = [n.seconds for n, other in steps if n.source == m.source and _is_init(n, other)]
            if len(rest) != 1:
                continue
            seconds += rest[0]
        yield _EngineStart(m.source, step.amount, seconds, compiled_before(m))


def _is_init(m: Measurement, step: Step) -> bool:
    """Whether a row is the engine's own start, compilation included."""
    return step.key[:2] == ("engine", "init") or has(m.condition, "engine init")


def _slope(starts: Sequence[_EngineStart]) -> float | None:
    """Least squares of seconds over size, not below 0; None where the sizes do not tell it."""
    sizes = [start.size for start in starts]
    if len(starts) < _ROWS_OF_A_SLOPE or max(sizes) < _RATIO_OF_A_SLOPE * min(sizes):
        return None
    centre, level = fmean(sizes), fmean(start.seconds for start in starts)
    across = sum((start.size - centre) * (start.seconds - level) for start in starts)
    return max(across / sum((size - centre) ** 2 for size in sizes), 0.0)


def _held(place: str) -> dict[str, float]:
    """The table's values of a hosting; of a preset, its own."""
    own = (*INSTANCES, "cloud_run", "ecs_fargate")
    table = defaults(place) if place in own else of_option(place)
    return {name: constant.value for name, constant in table.items()}


def _by_key(calibration: Calibration) -> dict[Key, Fitted]:
    return {(one.law, one.key): one for one in calibration.constants()}


def _scaled(place: str, host: str, setting: str, one: Fitted) -> Told:
    """A rate in bytes a second."""
    value, low, high = (
        None if part is None else part * _GB for part in (one.value, one.low, one.high)
    )
    assert value is not None
    return Told(place, host, setting, value, one.name, one.rows, one.sources, low, high)
