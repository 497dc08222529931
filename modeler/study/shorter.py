"""Settings under which a start has phases of given lengths, and is otherwise what it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from modeler.predict import cold_start_law, instance_of
from modeler.predict.cold_start import WHOLE, ColdStartLaw
from modeler.predict.timeline import BegunAgain, Serial, Staged, Timeline
from modeler.scenario import Scenario

Settings = dict[str, Any]
Seconds = Mapping[str, float]

# So that each transfer has the rate that is set for it, and no interface beside it. [bytes/s]
_WIDE: Final = 1e15
# A phase that is taken away where its setting has to be above 0. [s]
_NOTHING_S: Final = 1e-6
_PLAIN: Final = ("provision", "boot", "device")


def timeline_of(scenario: Scenario) -> Timeline:
    """The phases of one uninterrupted start on a new instance."""
    return _once(cold_start_law(scenario, instance_of(scenario)).timeline)


def lengths(timeline: Timeline) -> dict[str, float]:
    """The phases that last at all, where every factor is 1; of a mixture where no cache hits. [s]

    What is loaded while it is fetched counts as the fetch alone.
    """
    inner = _once(timeline)
    starts, ends = inner.place(np.ones((1, len(inner.phases))))
    found = dict(zip(inner.phases, (ends - starts)[0].tolist(), strict=True))
    if isinstance(inner, Staged) and inner.streaming:
        found["load"] = inner.load_s
    return {phase: seconds for phase, seconds in found.items() if seconds > 0.0}


def total_s(timeline: Timeline) -> float:
    """From the request until it serves, where every factor is 1. [s]"""
    inner = _once(timeline)
    return float(inner.place(np.ones((1, len(inner.phases))))[1][0, -1])


def settings_for(scenario: Scenario, timeline: Timeline, seconds: Seconds) -> Settings:
    """What to set so that phases last as long as they should.

    Parameters
    ----------
    scenario : Scenario. Whose start it is now.
    timeline : Timeline. Its phases, as they are or as an intervention leaves them.
    seconds : mapping of phase to float. Lengths to have; the others keep that of `timeline`. [s]

    Returns
    -------
    dict
        By path. Pull and fetch get rates of their own in the place of an interface that they
        share: as long as before, whatever the other does.
    """
    inner = _once(timeline)
    if isinstance(inner, Serial):
        return {"cold_start.total_s": float(seconds.get(WHOLE, inner.seconds.get(WHOLE, 0.0)))}
    assert isinstance(inner, Staged)
    now, own = lengths(inner), _once(timeline_of(scenario))
    assert isinstance(own, Staged)
    want = {**now, **seconds}
    found: Settings = {}
    for phase, field in zip(_PLAIN, ("provision_s", "boot_s", "device_s"), strict=True):
        if _differ(want.get(phase, 0.0), getattr(own, field)):
            found[field] = want.get(phase, 0.0)
    found |= _transfers(scenario, own, inner, want)
    found |= _rest(scenario, own, inner, want)
    return {f"cold_start.{key}": value for key, value in found.items()}


def _transfers(scenario: Scenario, own: Staged, to: Staged, want: Seconds) -> Settings:
    """Image pull and artifact fetch."""
    found: Settings = {}
    pull_s, fetch_s = want.get("image_pull", 0.0), want.get("artifact_fetch", 0.0)
    if own.pull.bytes > 0.0:
        if pull_s <= 0.0:
            found |= {"image_cached": True, "image_cache_hit": 0.0}
        else:
            found["registry_bytes_per_s"] = own.pull.bytes / pull_s
    if own.fetch.bytes > 0.0:
        bytes_ = to.fetch.bytes or own.fetch.bytes
        rate = bytes_ / max(fetch_s, _NOTHING_S)
        peer = scenario.cold_start.weights_from in ("peer", "peer_rdma")
        found["peer_bytes_per_s" if peer else "store_bytes_per_s"] = rate
        if scenario.cold_start.store_connections is not None:
            found["store_connections"] = None
    if found:
        found["nic_bytes_per_s"] = _WIDE
    if to.streaming != own.streaming:
        found["streaming_load"] = to.streaming
    return found


def _rest(scenario: Scenario, own: Staged, to: Staged, want: Seconds) -> Settings:
    """Load, framework init and registration."""
    settings, found = scenario.cold_start, {}
    load_s, init_s = want.get("load", 0.0), want.get("init", 0.0)
    register_s = want.get("register", 0.0)
    values = {one.name: one.value for one in _law(scenario).constants()}
    if _differ(load_s, own.load_s) and own.load_s > 0.0:
        part = max(load_s, _NOTHING_S) / own.load_s
        rate = "snapshot_bytes_per_s" if settings.snapshot else "load_bytes_per_s"
        for name in (rate, "load_node_bytes_per_s"):
            if name in values:
                found[name] = values[name] / part
        if "load_fixed_s" in values:
            found["load_fixed_s"] = values["load_fixed_s"] * part
    if _differ(init_s, own.init_s) and own.init_s > 0.0:
        registered = values.get("peer_fixed_s", 0.0)
        rest = max(init_s - registered, 0.0)
        if settings.snapshot:
            found["snapshot_fixed_s"] = rest
        else:
            part = max(rest, _NOTHING_S) / (own.init_s - registered)
            found["host_factor"] = settings.host_factor * part
    if _differ(register_s, own.register_s):
        found |= {"register_s": register_s, "gap_s": 0.0}
    return found


def _law(scenario: Scenario) -> ColdStartLaw:
    return cold_start_law(scenario, instance_of(scenario))


def _differ(a: float, b: float) -> bool:
    return not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def _once(timeline: Timeline) -> Timeline:
    return timeline.once if isinstance(timeline, BegunAgain) else timeline
