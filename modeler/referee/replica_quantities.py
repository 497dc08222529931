"""What a case may ask of servers that go on and off, beside what it may ask of any queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from modeler.referee.parameters import Parameters, UnknownError
from modeler.referee.quantities import Quantity, canonical, divide, quantity, ratio
from modeler.referee.setup import SetupStation
from modeler.replay.simulate import Floats
from modeler.replay.totals import Totals

_Count = Callable[[Totals], float]

# Replicas on average. On is ready or draining, powered is on or in set-up.
_MEANS: Final[dict[str, tuple[_Count, tuple[str, ...]]]] = {
    "mean_on": (
        lambda w: w.replica_s,
        ("mean_servers_on", "mean_on_servers", "mean_ready", "mean_number_on", "mean_instances_on",
         "mean_replicas_on"),
    ),
    "mean_in_setup": (
        lambda w: w.pending_replica_s,
        ("mean_setup_servers", "mean_servers_in_setup", "mean_setups", "mean_in_set_up",
         "mean_number_in_setup", "mean_setting_up", "mean_starting", "mean_instances_in_setup",
         "mean_replicas_in_setup", "mean_pending"),
    ),
    "mean_idle": (
        lambda w: w.replica_s - w.busy_slot_s,
        ("mean_idle_servers", "mean_servers_idle", "mean_number_idle", "mean_idle_instances",
         "mean_instances_idle", "mean_replicas_idle"),
    ),
    "mean_powered": (
        lambda w: w.replica_s + w.pending_replica_s,
        ("mean_servers", "mean_instances", "mean_powered_servers", "mean_servers_powered",
         "mean_instances_alive", "mean_alive", "mean_replicas", "mean_servers_up"),
    ),
}  # fmt: skip
# Shares of all servers, of the time: of one server, the probability to find it so.
_SHARES: Final[dict[str, tuple[_Count, tuple[str, ...]]]] = {
    "fraction_on": (lambda w: w.replica_s, ("p_on", "probability_on", "share_on")),
    "fraction_in_setup": (
        lambda w: w.pending_replica_s,
        ("fraction_setup", "p_setup_state", "p_in_setup", "probability_in_setup", "share_in_setup",
         "fraction_setting_up", "fraction_of_time_in_setup"),
    ),
    "fraction_idle": (
        lambda w: w.replica_s - w.busy_slot_s,
        ("p_idle", "probability_idle", "idle_probability", "share_idle", "fraction_on_idle"),
    ),
    "fraction_powered": (
        lambda w: w.replica_s + w.pending_replica_s,
        ("p_powered", "fraction_up", "probability_powered", "share_powered", "fraction_billed",
         "fraction_of_time_powered"),
    ),
}  # fmt: skip
_OFF: Final = ("fraction_off", "p_off", "probability_off", "share_off", "fraction_of_time_off")
_MEAN_OFF: Final = ("mean_off", "mean_servers_off", "mean_off_servers")
_STARTS: Final = (
    "setups_per_unit_time", "setup_frequency", "setups_per", "setups_per_second", "setup_rate",
    "cold_starts_per_unit_time", "starts_per_unit_time", "cold_start_rate", "rate_of_setups",
)  # fmt: skip
_STARTS_SHARE: Final = (
    "setups_per_request", "setups_per_arrival", "cold_start_probability", "p_cold", "p_setup",
    "cold_start_share", "p_arrival_finds_off", "setup_probability",
)  # fmt: skip
_CYCLE: Final = (
    "mean_cycle", "mean_cycle_time", "mean_cycle_length", "mean_regeneration_cycle",
)  # fmt: skip


def replica_quantity(name: str, queue: SetupStation, params: Parameters) -> Quantity:
    """The quantity a case asks of a queue with set-up.

    Raises
    ------
    CaseError
        Unknown; names what is known and the nearest.
    """
    plain = canonical(name)
    servers = float(queue.servers)
    for house, (of, aliases) in _MEANS.items():
        if plain == house or plain in aliases:
            return Quantity(house, ratio(of=of, per=lambda w: w.time_s), divide)
    for house, (of, aliases) in _SHARES.items():
        if plain == house or plain in aliases:
            return _share(house, of, servers)
    if plain in _OFF:
        return _share(_OFF[0], lambda w: servers * w.time_s - _powered(w), servers)
    if plain in _MEAN_OFF:
        counts = ratio(of=lambda w: servers * w.time_s - _powered(w), per=lambda w: w.time_s)
        return Quantity(_MEAN_OFF[0], counts, divide)
    if plain in _STARTS:
        return Quantity(_STARTS[0], ratio(of=lambda w: w.started, per=lambda w: w.time_s), divide)
    if plain in _STARTS_SHARE:
        counts = ratio(of=lambda w: w.started, per=lambda w: w.requests)
        return Quantity(_STARTS_SHARE[0], counts, divide, "probability")
    if plain in _CYCLE:
        return Quantity(_CYCLE[0], _cycles, divide, occupancy="system")
    try:
        return quantity(name, queue, params)
    except UnknownError as error:
        known = ", ".join((*_MEANS, *_SHARES, _OFF[0], _MEAN_OFF[0], _STARTS[0], _STARTS_SHARE[0]))
        raise UnknownError(f"{error}; of servers that go on and off also {known}") from error


def _powered(w: Totals) -> float:
    return w.replica_s + w.pending_replica_s


def _share(name: str, of: _Count, servers: float) -> Quantity:
    counts = ratio(of=of, per=lambda w: servers * w.time_s)
    return Quantity(name, counts, divide, "probability")


def _cycles(w: Totals, found: Floats) -> Floats:
    """Time, and arrivals that found nobody: each begins a cycle."""
    return np.array([w.time_s, found[0]], dtype=np.float64)
