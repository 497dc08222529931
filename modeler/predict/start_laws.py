"""Several laws of one start: on a new instance, on a warm node, from a warm pool, in bad weather.

They share their random factors, replica by replica, so that what a layer or the weather changes is
the machine and not the luck. `cold_start` has the law of a new instance; the others are the same
phases with some of them left out or slowed down.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from modeler.predict.cold_start import ColdStartLaw, Floats
from modeler.predict.timeline import PHASES, BegunAgain, Serial, Staged, Timeline, Transfer

# Where a platform begins to count a start.
CONTAINER: Final = "container"  # image and artifact are there
IMAGE: Final = "image"  # the image is there; the container fetches the rest
RUNNING: Final = "running"

# Moments of a start, in the order of the columns of `StartLaws.moments`.
MOMENTS: Final = ("running", "up", "image", "begun", "ready")


def on_warm_node(
    timeline: Timeline, fixed_s: float | None = None, *, has_weights: bool = False
) -> Timeline:
    """The start on an instance that is there, with the image: no provision, no boot, no pull.

    Parameters
    ----------
    fixed_s : float, optional. One duration for all of it. A law without phases keeps its whole
        length unless this is given. [s]
    has_weights : bool. The weights lie there too: no fetch, and the load of an instance that
        holds them.
    """
    if fixed_s is not None:
        return _whole(fixed_s)
    if not isinstance(timeline, Staged):
        return timeline
    if has_weights:
        timeline = _holding_weights(timeline)
    return dataclasses.replace(
        timeline,
        provision_s=0.0,
        boot_s=0.0,
        device_s=0.0,
        pull=dataclasses.replace(timeline.pull, bytes=0.0),
        unpack_s=0.0,
    )


def _holding_weights(timeline: Staged) -> Staged:
    held_s = timeline.load_s if timeline.load_cached_s is None else timeline.load_cached_s
    fetch = dataclasses.replace(timeline.fetch, bytes=0.0)
    return dataclasses.replace(timeline, fetch=fetch, load_s=held_s)


def from_warm_pool(timeline: Timeline, state: str, start_s: float, wake_s: float = 0.0) -> Timeline:
    """The start of a prepared instance: its image and its artifact lie on its disk.

    A stopped or hibernated one is started, and loads its model again, for accelerator memory is
    not kept; a running one only has to be registered; one whose engine sleeps is woken first: its
    weights come from main memory, and nothing is initialised.

    Parameters
    ----------
    state : str. ``stopped``, ``hibernated``, ``running`` or ``asleep``.
    start_s : float. From the pool until the machine is up. [s]
    wake_s : float. Of an engine that sleeps. [s]
    """
    if not isinstance(timeline, Staged):
        return _whole(start_s + wake_s)
    if state != "running" and state != "asleep":
        timeline = _holding_weights(timeline)
    runs = state in ("running", "asleep")
    boot_s = 0.0 if runs else min(timeline.boot_s, start_s)
    return dataclasses.replace(
        timeline,
        provision_s=start_s - boot_s,
        boot_s=boot_s,
        device_s=0.0 if runs else timeline.device_s,
        pull=dataclasses.replace(timeline.pull, bytes=0.0),
        fetch=dataclasses.replace(timeline.fetch, bytes=0.0),
        unpack_s=0.0,
        load_s=wake_s if runs else timeline.load_s,
        load_cached_s=None,
        init_s=0.0 if runs else timeline.init_s,
    )


def sooner(timeline: Timeline, seconds: float) -> Timeline:
    """The same start with less provision: what a layer beneath it does itself. [s]"""
    if not isinstance(timeline, Staged):
        return timeline
    return dataclasses.replace(timeline, provision_s=max(timeline.provision_s - seconds, 0.0))


def slowed(timeline: Timeline, store: float, registry: float) -> Timeline:
    """The same start with the rates of the fetch and of the pull multiplied."""
    if isinstance(timeline, BegunAgain):
        return dataclasses.replace(timeline, once=slowed(timeline.once, store, registry))
    if not isinstance(timeline, Staged):
        return timeline
    return dataclasses.replace(
        timeline, pull=_at(timeline.pull, registry), fetch=_at(timeline.fetch, store)
    )


def _at(transfer: Transfer, factor: float) -> Transfer:
    return dataclasses.replace(
        transfer,
        alone_bytes_per_s=transfer.alone_bytes_per_s * factor,
        together_bytes_per_s=transfer.together_bytes_per_s * factor,
    )


def _whole(seconds: float) -> Serial:
    return Serial({"cold_start": seconds})


@dataclass(frozen=True)
class StartLaws:
    """Laws of one start that share their random factors.

    Parameters
    ----------
    base : ColdStartLaw. The law of a new instance, whose seed and spread all have.
    timelines : sequence of Timeline. The laws, by number.
    counted_from : str. Where the platform begins to count a start.
    """

    base: ColdStartLaw
    timelines: Sequence[Timeline]
    counted_from: str = CONTAINER

    def moments(self, first: int, count: int) -> Floats:
        """Running, up, image, begun, ready of replicas first .. first + count - 1, by law.

        Returns
        -------
        float64[count, laws, 5]
            From the beginning of the start. [s]
        """
        factors = self.base.factors(first, count)
        return np.stack(
            [self._of(timeline, self._factors(timeline, factors)) for timeline in self.timelines],
            axis=1,
        )

    def extreme(self, law: int, factor: float) -> Floats:
        """The moments of a law with every factor at one value, in the slowest of its modes. [s]"""
        timeline = self.timelines[law]
        found: Floats = self._of(timeline, self._factors(timeline, self.base.all_at(factor)))
        return found[np.argmax(found[:, -1])]

    def median(self, law: int) -> Floats:
        """The moments of a law with factors of 1, in its likeliest mode. [s]"""
        likeliest = max(self.base.modes(), key=lambda mode: mode.share).law
        timeline = self.timelines[law]
        factors = self._factors(timeline, likeliest.all_at(1.0)[:1])
        found: Floats = self._of(timeline, factors)[0]
        return found

    def phases(self, law: int, replicas: Floats) -> tuple[tuple[str, ...], Floats, Floats]:
        """Names, starts and ends of the phases of some replicas under a law. [s]"""
        timeline = self.timelines[law]
        chosen = replicas.astype(np.int64)
        factors = self.base.factors(0, int(chosen.max(initial=-1)) + 1)[chosen]
        starts, ends = timeline.place(self._factors(timeline, factors))
        return timeline.phases, starts, ends

    def _factors(self, timeline: Timeline, factors: Floats) -> Floats:
        if timeline.phases == self.base.phases:
            return factors
        return np.ones((len(factors), len(timeline.phases)))  # one fixed duration

    def _of(self, timeline: Timeline, factors: Floats) -> Floats:
        _, ends = timeline.place(factors)
        ready = ends[:, -1]
        if timeline.phases != PHASES:
            at_once = np.zeros_like(ready)
            running = ends[:, 0] if timeline.phases[0] == PHASES[0] else at_once
            return np.stack([running, running, running, running, ready], axis=1)
        running, up, image, fetched = ends[:, 0], ends[:, 2], ends[:, 3], ends[:, 4]
        begun = {CONTAINER: np.maximum(image, fetched), IMAGE: image, RUNNING: running}
        return np.stack([running, up, image, begun[self.counted_from], ready], axis=1)
