"""How long a new replica takes until it serves, phase by phase.

``cold_start_law(scenario, instance)`` gives a law; ``law.sample(first, count)`` gives that many
replicas at once. The order of the phases: provision, boot, device registration; then the image
pull and the artifact fetch (together on one network interface, or one after the other); then load
into accelerator memory, framework init, and registration with whatever routes requests.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.predict.constants import SET, Constant, in_force
from modeler.predict.precision import parameters_of
from modeler.predict.timeline import PHASES, BegunAgain, Serial, Staged, Timeline, Transfer
from modeler.predict.together import UNSHARED, Shared, place_together
from modeler.predict.weights_path import ranks_of, weights_path
from modeler.scenario.cold_start import CAPTURED_SIZES, INIT_FIXED, INIT_GROWING
from traces import draws

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec

Floats = NDArray[np.float64]

_CACHED: Final = {"image_pull": "image", "artifact_fetch": "weights"}
# The one phase of a cold start whose total the scenario gives.
WHOLE: Final = "cold_start"


class ColdStartTable(NamedTuple):
    """Cold starts of a run of replicas, timed from each one's request.

    Attributes
    ----------
    running_s : array of float. Request until the instance runs (end of provision). [s]
    ready_s : array of float. Request until the replica serves. [s]
    starts_s, ends_s : array of float, replicas by phases. [s]
    """

    running_s: Floats
    ready_s: Floats
    starts_s: Floats
    ends_s: Floats


@dataclass(frozen=True)
class PhaseQuantiles:
    """One bar of a waterfall.

    Parameters
    ----------
    phase : str.
    p50_s, p95_s : float. Duration of the phase. [s]
    starts_s, ends_s : float. Medians, from the request for the replica. [s]
    """

    phase: str
    p50_s: float
    p95_s: float
    starts_s: float
    ends_s: float


@dataclass(frozen=True)
class Waterfall:
    """The phases of a cold start as a distribution.

    Parameters
    ----------
    phases : tuple of PhaseQuantiles. In order; overlapping phases overlap.
    total_p50_s, total_p95_s : float. Request until the replica serves. [s]
    """

    phases: tuple[PhaseQuantiles, ...]
    total_p50_s: float
    total_p95_s: float


@dataclass(frozen=True)
class ColdStartLaw:
    """Distribution of the cold start of one model on one instance and hosting.

    Parameters
    ----------
    timeline : Timeline. Places the phases for given factors.
    sigma_log : float. Standard deviation of the logarithm of each phase's factor; the factor's
        median is 1, and 0 makes the law deterministic. [1]
    seed : int. Seed of the scenario.
    in_force : tuple of Constant. The constants the timeline was built from.
    image_hit, weights_hit : float. Share of starts that find the image, the weights, on their
        instance, drawn apart for each replica: the law is a mixture of its modes. [1]
    shared : Shared. What store and registry give to all starts together.
    """

    timeline: Timeline
    sigma_log: float = 0.0
    seed: int = 0
    in_force: tuple[Constant, ...] = ()
    image_hit: float = 0.0
    weights_hit: float = 0.0
    shared: Shared = UNSHARED

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases: the columns of a sample."""
        return self.timeline.phases

    def sample(self, first: int, count: int) -> ColdStartTable:
        """Cold starts of the replicas ``first .. first + count - 1``.

        A replica's draws depend on the seed, the phase and its ordinal alone, so scenarios share
        them and it does not matter in how many calls they are asked for.

        Parameters
        ----------
        first : int. Ordinal of the first replica.
        count : int. How many.

        Returns
        -------
        ColdStartTable
        """
        return self._table(*self.timeline.place(self.factors(first, count)))

    def sample_together(self, replicas: int, batches: int) -> ColdStartTable:
        """Cold starts of replicas that are asked for at one instant and share store and registry.

        Parameters
        ----------
        replicas : int. Asked for at once.
        batches : int. Independent repetitions, of consecutive replicas.

        Returns
        -------
        ColdStartTable
            Of ``replicas * batches`` replicas, a batch after the other.
        """
        factors = self.factors(0, replicas * batches)
        if not isinstance(self.timeline, Staged) or not self.shared:
            return self._table(*self.timeline.place(factors))
        return self._table(*place_together(self.timeline, factors, replicas, self.shared))

    def _table(self, starts: Floats, ends: Floats) -> ColdStartTable:
        first = ends[:, 0].copy() if self.phases[0] == PHASES[0] else np.zeros(len(ends))
        return ColdStartTable(first, ends[:, -1].copy(), starts, ends)

    def factors(self, first: int, count: int) -> Floats:
        """What each phase's work is multiplied by, replicas by phases; 0 where a cache hits."""
        factors = np.ones((count, len(self.phases)))
        if self.sigma_log > 0.0:
            for column, phase in enumerate(self.phases):
                normal = _normal(self.seed, f"cold_start.{phase}", first, count)
                factors[:, column] = np.exp(self.sigma_log * normal)
        for phase, share in self._caches():
            # One number a replica decides, so that a larger share hits wherever a smaller one did.
            drawn = draws.uniform(self.seed, f"cold_start.hit.{phase}", first, count)
            factors[drawn < share, self.phases.index(phase)] = 0.0
        return factors

    def all_at(self, factor: float) -> Floats:
        """One value for every factor, in each mode of the law: modes by phases."""
        rows = []
        for mode in self.modes():
            hits = [phase for phase, share in mode.law._caches() if share == 1.0]
            rows.append([0.0 if phase in hits else factor for phase in self.phases])
        return np.array(rows)

    def _caches(self) -> list[tuple[str, float]]:
        """Phases that a cache may spare, and the share of starts in which it does."""
        found = zip(_CACHED, (self.image_hit, self.weights_hit), strict=True)
        return [(phase, share) for phase, share in found if share > 0.0 and phase in self.phases]

    def with_hits(self, phase: str, share: float) -> ColdStartLaw:
        """The law with another share of starts whose pull or fetch a cache spares."""
        if phase == "image_pull":
            return dataclasses.replace(self, image_hit=share)
        return dataclasses.replace(self, weights_hit=share)

    @property
    def varies(self) -> bool:
        """Whether two replicas can differ."""
        return self.sigma_log > 0.0 or any(share < 1.0 for _, share in self._caches())

    def modes(self) -> tuple[Mode, ...]:
        """The laws of which this one is a mixture, none of share 0; itself alone without caches."""
        found = [Mode((), 1.0, self)]
        for phase, share in self._caches():
            found = [
                Mode(
                    (*mode.words, f"{_CACHED[phase]} {'hit' if hit else 'miss'}"),
                    mode.share * (share if hit else 1.0 - share),
                    mode.law.with_hits(phase, float(hit)),
                )
                for mode in found
                for hit in (True, False)
            ]
        return tuple(mode for mode in found if mode.share > 0.0)

    def constants(self) -> list[Constant]:
        """The constants in force, each with its origin and source."""
        return list(self.in_force)

    def waterfall(self, samples: int = 2000) -> Waterfall:
        """Quantiles of the phases over the first replicas of the seed.

        Parameters
        ----------
        samples : int. Replicas to draw.

        Returns
        -------
        Waterfall
        """
        return _waterfall(self, samples if self.varies else 1)

    def mean_s(self, samples: int = 2000) -> float:
        """Mean of the start over the first replicas of the seed. [s]"""
        return _mean_s(self, samples)


@dataclass(frozen=True)
class Mode:
    """One way a start can go: what was found on the instance and what was not.

    Parameters
    ----------
    words : tuple of str. Such as ``image hit``.
    share : float. Of the starts. [1]
    law : ColdStartLaw. Of those.
    """

    words: tuple[str, ...]
    share: float
    law: ColdStartLaw


# Scenarios of a sweep share their draws: each stretch of a stream is drawn once.
_STRETCH: Final = 1024


def _normal(seed: int, stream: str, first: int, count: int) -> Floats:
    """Numbers of a stream, as `traces.draws.normal`."""
    from_stretch, to_stretch = first // _STRETCH, -(-(first + count) // _STRETCH)
    stretches = [_stretch(seed, stream, k) for k in range(from_stretch, to_stretch)]
    from_first = first - from_stretch * _STRETCH
    return np.concatenate(stretches or [np.empty(0)])[from_first : from_first + count]


@lru_cache(maxsize=256)
def _stretch(seed: int, stream: str, number: int) -> Floats:
    drawn = draws.normal(seed, stream, number * _STRETCH, _STRETCH)
    drawn.flags.writeable = False
    return drawn


# Policies of a sweep share their starts: the quantiles of a law are taken once.
@lru_cache(maxsize=64)
def _waterfall(law: ColdStartLaw, samples: int) -> Waterfall:
    return waterfall_of(law.phases, law.sample(0, samples))


@lru_cache(maxsize=64)
def _mean_s(law: ColdStartLaw, samples: int) -> float:
    return float(law.sample(0, samples).ready_s.mean())


def waterfall_of(phases: tuple[str, ...], table: ColdStartTable) -> Waterfall:
    """Quantiles of the phases of some starts."""
    p50, p95 = np.quantile(table.ends_s - table.starts_s, (0.5, 0.95), axis=0)
    starts, ends = (np.quantile(edge, 0.5, axis=0) for edge in (table.starts_s, table.ends_s))
    total_p50, total_p95 = np.quantile(table.ready_s, (0.5, 0.95))
    bars = tuple(
        PhaseQuantiles(phase, float(p50[i]), float(p95[i]), float(starts[i]), float(ends[i]))
        for i, phase in enumerate(phases)
    )
    return Waterfall(bars, float(total_p50), float(total_p95))


def serial_stages(durations: Mapping[str, float]) -> ColdStartLaw:
    """A deterministic cold start of stages one after another.

    Parameters
    ----------
    durations : mapping of str to float. Stages in order; one named ``provision``, when it comes
        first, ends when the instance runs. [s]

    Returns
    -------
    ColdStartLaw

    Raises
    ------
    ValueError
        Without stages, or for a duration that is negative or not finite; names the stage.
    """
    if not durations:
        raise ValueError("a cold start needs at least one stage")
    for name, seconds in durations.items():
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f"stage {name!r} lasts {seconds} s: expected 0 or more, finite")
    return ColdStartLaw(Serial(dict(durations)))


def cold_start_law(scenario: Scenario, instance: InstanceSpec) -> ColdStartLaw:
    """The cold start of a scenario's model on its hosting.

    Parameters
    ----------
    scenario : Scenario. ``hosting.kind``, ``model``, ``cold_start`` and ``seed`` are read.
    instance : InstanceSpec. Network burst rate and whether there is an accelerator.

    Returns
    -------
    ColdStartLaw

    Notes
    -----
    Formulas and constants: ``cold_start_constants.csv``, each row with its measurement. A transfer
    alone moves at its own rate, bounded by the interface; while pull and fetch both run each has
    half of ``nic_bytes_per_s``, bounded by its own rate. The interface is the instance's burst
    rate (a new instance has full network credits) unless the scenario sets it.

    ``cold_start.total_s`` replaces all of it by one fixed duration, during all of which the
    instance counts as running.
    """
    settings = scenario.cold_start
    if settings.total_s is not None:
        given = Constant("total_s", settings.total_s, "s", SET, "scenario: cold_start.total_s")
        return ColdStartLaw(Serial({WHOLE: settings.total_s}), in_force=(given,))
    constants = in_force(scenario)
    if instance.accelerator is None:
        for name in _ACCELERATOR_ONLY:
            if name in constants and constants[name].origin != SET:
                del constants[name]
    values = {name: constant.value for name, constant in constants.items()}
    image_bytes = 0.0 if values["image_cached"] else values["image_size"]
    port = constants.get("nic_bytes_per_s")
    if port is None or port.origin != SET:
        port = Constant(
            "network_burst_bytes_per_s",
            instance.network_burst_bytes_per_s,
            "bytes/s",
            "documented",
            instance.source,
            "a new instance has full network credits",
        )
        constants[port.name] = port
    line = port.value
    half = min(values.get("nic_bytes_per_s", line), line) / 2.0
    path = weights_path(scenario, instance, values)
    # What a hosting's own clients reach together does not bound those of a peer.
    from_peer = settings.weights_from in ("peer", "peer_rdma")
    timeline: Timeline = Staged(
        provision_s=values["provision_s"],
        boot_s=values["boot_s"],
        device_s=values.get("device_s", 0.0),
        pull=_transfer(image_bytes, values["registry_bytes_per_s"], line, half),
        fetch=_transfer(
            path.fetch_bytes, path.fetch_bytes_per_s, line, line / 2.0 if from_peer else half
        ),
        unpack_s=image_bytes / values.get("unpack_bytes_per_s", math.inf),
        parallel=bool(values["shared_nic"]),
        load_s=path.load_s,
        load_cached_s=path.load_cached_s,
        streaming=path.streaming,
        init_s=_init_s(scenario, values, ranks_of(scenario, instance)),
        register_s=values["register_s"] + values.get("gap_s", 0.0),
    )
    hosting = scenario.hosting
    if hosting.kind == "lambda" and hosting.package != "snapstart" and hosting.init_limit_s:
        timeline = BegunAgain(timeline, hosting.init_limit_s)
    return ColdStartLaw(
        timeline,
        values["sigma_log"],
        scenario.seed,
        tuple(constants.values()),
        image_hit=settings.image_cache_hit,
        weights_hit=settings.weights_cache_hit,
        shared=Shared.of(
            settings.store_total_bytes_per_s if settings.weights_from == "store" else None,
            settings.registry_total_bytes_per_s,
        ),
    )


# Driver, graph capture and compilation: a host without an accelerator pays none of them.
_ACCELERATOR_ONLY: Final = (
    "device_s", "init_engine_s", "init_compile_s", *INIT_GROWING, "init_graphs_s",
    "init_graphs_s_per_gparam",
)  # fmt: skip


def _transfer(size_bytes: float, own: float, line: float, half: float) -> Transfer:
    """A transfer with its own rate, on an interface of a line rate and a shared half. [bytes/s]"""
    return Transfer(size_bytes, min(own, line), min(own, half))


def _init_s(scenario: Scenario, values: Mapping[str, float], ranks: int) -> float:
    """Framework init: fixed terms, terms per 1e9 parameters, per 1e9 bytes and per rank. [s]

    A restored snapshot takes its own time instead; memory registered for peers comes on top.
    """
    settings, size_bytes = scenario.cold_start, float(scenario.model.size)
    registered = values.get("peer_fixed_s", 0.0)
    if settings.snapshot:
        return values["snapshot_fixed_s"] + registered
    parameters = parameters_of(size_bytes, scenario.model.dtype)
    fixed = sum(values.get(name, 0.0) for name in ("init_s", *INIT_FIXED))
    per_gparam = sum(values.get(name, 0.0) for name in INIT_GROWING)
    per_gb = values.get("init_s_per_gb", 0.0)
    engine = fixed + per_gparam * parameters / 1e9 + per_gb * size_bytes / 1e9
    captured = values.get("init_graphs_s", 0.0)
    captured += values.get("init_graphs_s_per_gparam", 0.0) * parameters / 1e9
    engine += (settings.captured_sizes / CAPTURED_SIZES - 1.0) * captured
    if ranks > 1:
        engine += values["init_ranks_s"] + (ranks - 1) * values["init_s_per_rank"]
    return engine * settings.host_factor + registered
