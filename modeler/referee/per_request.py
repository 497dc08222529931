"""Scale per request as theory knows it: environments kept alive, without a queue before them.

``keep-alive, S=0``: requests that take no time. ``keep-alive loss, one slot``: at most so many
environments, a request that finds none is refused, and a cold response has a mean of its own.
``scale-per-request, exponential keep-alive``: no bound, cold like warm. ``infinite-server with
private setup``: nothing is kept, each request waits for an environment of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from modeler.autoscale.keep_alive import KeepAlive
from modeler.referee.kendall import enough_servers
from modeler.referee.laws import Deterministic, Exponential, Law
from modeler.referee.parameters import CaseError, Parameters, UnknownError
from modeler.referee.quantities import Quantity, canonical, divide, quantity, ratio
from modeler.referee.station import Station, watched
from modeler.replay.per_request import Capacity, ColdDraws, simulate
from modeler.replay.result import Result
from modeler.replay.simulate import Floats, Limits
from modeler.replay.simulate import Work as Chunk

_NAME: Final = re.compile(
    r"(?:keep-?alive|scale-?per-?request|infinite-?server with private set-?up)\b", re.IGNORECASE
)
# Where one environment serves all, a chain of requests less than the keep-alive apart has
# exp(lambda T) of them: how long a replay remembers its first cold start. [requests]
_LONGEST_CHAIN: Final = 20_000.0


@dataclass(frozen=True, kw_only=True)
class EnvironmentStation(Station):
    """Environments that start per request; ``servers`` is the cap, where there is one.

    Parameters
    ----------
    keep_alive_s, exponential_keep : float, bool. Mean keep-alive, and whether it varies. [s]
    cold : Law, optional. The whole response of a request that starts an environment.
    setup : Law, optional. From the request for an environment until it serves. [s]
    bounded : bool. Whether ``servers`` bounds the environments.
    """

    keep_alive_s: float
    exponential_keep: bool = False
    cold: Law | None = None
    setup: Law | None = None
    bounded: bool = False

    def relaxation_requests(self) -> float:
        """Arrivals within a keep-alive and the times of service, and within a chain of them."""
        rate = 1.0 / self.gap.mean
        longest = max(self.service.mean, self.cold.mean if self.cold else 0.0)
        longest += self.setup.mean if self.setup else 0.0
        kept = rate * self.keep_alive_s
        chain = 0.0
        if self.servers == 1 or self.service.mean == 0.0:
            chain = min(math.exp(min(kept, 50.0)), _LONGEST_CHAIN)
        return max(kept + rate * longest, chain, 1.0)

    def starts(self, seed: int, replication: str) -> ColdDraws:
        """Cold starts by the ordinals of the environments."""

        def draws(first: int, count: int) -> tuple[Floats, Floats, Floats | None]:
            nothing = np.zeros(count)
            ready_s, whole_s = nothing, None
            if self.setup is not None:
                ready_s = self.setup.draw(seed, f"{replication}.setup", first, count)
            if self.cold is not None:
                whole_s = self.cold.draw(seed, f"{replication}.cold", first, count)
            return nothing, ready_s, whole_s

        return draws

    def kept(self, seed: int, replication: str) -> KeepAlive:
        """The law of the keep-alive, on draws of this replication."""
        kind = "exponential" if self.exponential_keep else "fixed"
        return KeepAlive(kind, self.keep_alive_s, seed=seed, stream=f"{replication}.keep_alive")

    def replay(
        self, seed: int, replication: str, warmup: int, measured: int, *, records: bool = False
    ) -> tuple[Result, Floats]:
        """As for a queue; controls are the gaps, the services and what was drawn of cold starts."""
        requests = warmup + measured
        drawn = np.zeros(3)
        result = simulate(
            self._chunks(seed, replication, requests, warmup, drawn),
            Limits(slots=1),
            self.kept(seed, replication),
            draws=self.starts(seed, replication),
            horizon_s=0.0,
            capacity=Capacity(cap=self.servers if self.bounded else None),
            records=requests if records else 0,
            rows=False,
            marks=(warmup, requests),
        )
        beyond = [drawn[0] / (measured * self.gap.mean) - 1.0]
        if self.service.mean > 0.0:
            beyond.append(drawn[1] / (measured * self.service.mean) - 1.0)
        before, after = result.totals
        for law, name in ((self.cold, "cold"), (self.setup, "setup")):
            if law is not None:
                count = after.cold - before.cold
                some = law.draw(seed, f"{replication}.{name}", before.cold, count)
                beyond.append(float((some - law.mean).sum()) / (measured * law.mean))
        return result, np.array(beyond)

    def _chunks(
        self, seed: int, replication: str, requests: int, warmup: int, drawn: Floats
    ) -> Iterator[Chunk]:
        return watched(self.work(seed, replication, requests), warmup, drawn)


def is_per_request(model: str) -> bool:
    """Whether a model's name is one that `environment_station` reads."""
    return _NAME.match(model.strip()) is not None


def environment_station(model: str, params: Parameters) -> EnvironmentStation:
    """The environments of a case.

    Raises
    ------
    CaseError
        A parameter is missing or out of range.
    """
    words = model.strip().lower()
    gap = Exponential(1.0 / params.positive("arrival_rate"))
    private = words.startswith("infinite")
    warm = _warm(params, nothing="s=0" in words.replace(" ", ""))
    keep_s, varies = (0.0, False) if private else _keep(params, words)
    cold = params.number("mean_cold_service")
    most = params.whole("max_instances", least=1)
    if most is None and "one slot" in words:
        most = 1
    setup = _setup(params, needed=private)
    load = (warm.mean + (setup.mean if setup else 0.0)) / gap.mean
    return EnvironmentStation(
        gap,
        warm,
        most if most is not None else enough_servers(load),
        None,
        keep_alive_s=keep_s,
        exponential_keep=varies,
        cold=None if cold is None else _response(cold, "mean_cold_service"),
        setup=setup,
        bounded=most is not None,
    )


def _warm(params: Parameters, *, nothing: bool) -> Law:
    """The law of a warm response: exponential, unless a request takes no time."""
    mean = params.number("mean_service")
    rate = params.number("service_rate")
    if nothing and mean is None and rate is None:
        return Deterministic(0.0)
    if mean is None:
        mean = 1.0 / params.positive("service_rate", "mean_service")
    return _response(mean, "mean_service")


def _response(mean: float, name: str) -> Law:
    if mean < 0.0:
        raise CaseError(f"params.{name}: found {mean:g}, expected 0 or more")
    return Exponential(mean) if mean > 0.0 else Deterministic(0.0)


def _keep(params: Parameters, words: str) -> tuple[float, bool]:
    """Mean keep-alive, and whether it is exponential: by name, or by its parameter's. [s, -]"""
    mean = params.number("mean_keep_alive")
    rate = params.number("keep_alive_rate")
    fixed = params.number("keep_alive")
    if fixed is None and mean is None and rate is None:
        params.need("keep_alive", "mean_keep_alive")
    if mean is None and rate is not None:
        mean = 1.0 / params.positive("keep_alive_rate")
    varies = "exponential keep-alive" in words or (fixed is None and "fixed" not in words)
    seconds = fixed if fixed is not None else float(mean or 0.0)
    if seconds < 0.0:
        raise CaseError(f"params.keep_alive: found {seconds:g}, expected 0 or more")
    return seconds, varies


def _setup(params: Parameters, *, needed: bool) -> Law | None:
    """The law of the set-up, where there is one: constant as ``setup``, else exponential."""
    fixed, mean = params.number("setup"), params.number("mean_setup")
    rate = params.number("setup_rate")
    if mean is None and rate is not None:
        mean = 1.0 / params.positive("setup_rate")
    if fixed is None and mean is None:
        if needed:
            params.need("mean_setup", "setup")
        return None
    length = float(fixed if fixed is not None else mean or 0.0)
    if not length > 0.0:
        raise CaseError(f"params.setup: found {length:g}, expected a number above 0")
    return Deterministic(length) if fixed is not None else Exponential(length)


_Count = Callable[[Any], float]


def _alive(w: Any) -> float:
    return float(w.running_s + w.idle_s)


def _accepted(w: Any) -> float:
    return float(w.requests - w.rejected)


# House name: kind, counts, per which counts, other names.
_RATIOS: Final[dict[str, tuple[str, _Count, _Count, tuple[str, ...]]]] = {
    "cold_start_probability": (
        "probability", lambda w: w.cold, _accepted,
        ("p_cold", "cold_probability", "probability_of_cold_start", "cold_start_share",
         "cold_share", "fraction_cold", "cold_fraction", "p_cold_start", "cold_start_fraction",
         "cold_start_prob", "prob_cold"),
    ),
    "warm_start_probability": (
        "probability", lambda w: _accepted(w) - w.cold, _accepted,
        ("p_warm", "warm_probability", "warm_share", "fraction_warm_requests", "warm_hit_ratio",
         "hit_ratio", "p_warm_start", "warm_start_share"),
    ),
    "cold_rate": (
        "mean", lambda w: w.cold, lambda w: w.time_s,
        ("cold_start_rate", "cold_starts_per_unit_time", "cold_starts_per",
         "cold_starts_per_second", "setups_per_unit_time", "setup_rate", "rate_of_cold_starts",
         "instance_creation_rate"),
    ),
    "mean_instance_life": (
        "mean", _alive, lambda w: w.cold,
        ("mean_life", "mean_lifetime", "mean_instance_lifetime", "mean_instance_lifespan",
         "mean_instance_life_span", "mean_environment_life", "mean_life_of_instance"),
    ),
    "requests_per_instance": (
        "mean", _accepted, lambda w: w.cold,
        ("mean_requests_per_instance", "mean_requests_per_life", "requests_per_life"),
    ),
    "mean_busy": (
        "mean", lambda w: w.busy_slot_s, lambda w: w.time_s,
        ("mean_running", "mean_running_instances", "mean_instances_running"),
    ),
    "mean_idle": (
        "mean", lambda w: w.idle_s, lambda w: w.time_s,
        ("mean_idle_instances", "mean_instances_idle", "mean_idle_servers", "mean_warm_idle",
         "mean_warm_idle_instances", "warm_idle_fraction", "fraction_warm_idle", "idle_fraction",
         "fraction_idle", "fraction_of_time_warm", "warm_fraction", "fraction_warm", "p_warm_idle"),
    ),
    "mean_instances_alive": (
        "mean", _alive, lambda w: w.time_s,
        ("mean_warm_instances", "mean_alive", "mean_instances", "mean_alive_instances",
         "mean_environments", "mean_powered", "mean_servers", "mean_instance_count",
         "mean_servers_alive", "mean_warm", "mean_number_of_instances", "fraction_alive",
         "fraction_powered"),
    ),
    "mean_in_setup": (
        "mean", lambda w: w.queued_request_s, lambda w: w.time_s,
        ("mean_setup_count", "mean_setups", "mean_in_set_up", "mean_setting_up", "mean_starting",
         "mean_instances_in_setup", "mean_number_in_setup", "mean_servers_in_setup"),
    ),
    "utilisation": (
        "mean", lambda w: w.busy_slot_s, _alive,
        ("utilization", "mean_utilisation", "mean_utilization", "busy_fraction"),
    ),
    "reject_probability": ("probability", lambda w: w.rejected, lambda w: w.requests, ()),
    "reject_rate": (
        "mean", lambda w: w.rejected, lambda w: w.time_s, ("rejects_per_unit_time",),
    ),
    "mean_accepted_service": (
        "mean", lambda w: w.started_service_s, _accepted,
        ("mean_service_accepted", "mean_effective_service", "mean_service"),
    ),
}  # fmt: skip
_NONE_ALIVE: Final = (
    "fraction_off",
    "p_off",
    "probability_off",
    "p_no_instance",
    "fraction_cold_off",
)


def environment_quantity(name: str, queue: EnvironmentStation, params: Parameters) -> Quantity:
    """The quantity a case asks of environments.

    Raises
    ------
    CaseError
        Unknown; names what is known and the nearest.
    """
    # "Of those accepted" is how each share of requests is meant here.
    plain = canonical(name)
    wanted = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    for house, (kind, of, per, aliases) in _RATIOS.items():
        if {plain, wanted} & {house, *aliases, canonical(house)}:
            return Quantity(house, ratio(of=of, per=per), divide, kind)
    if plain in _NONE_ALIVE:
        if queue.service.mean > 0.0 and queue.servers > 1:
            raise UnknownError(f"{name!r} is asked of several environments")
        counts = ratio(of=lambda w: w.time_s - _alive(w), per=lambda w: w.time_s)
        return Quantity(_NONE_ALIVE[0], counts, divide, "probability")
    try:
        return quantity(name, queue, params)
    except UnknownError as error:
        raise UnknownError(f"{error}; of environments also {', '.join(_RATIOS)}") from error
