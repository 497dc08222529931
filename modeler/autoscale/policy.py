"""A policy made ready for a run: its compiled function, settings, clock and first capacity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clock:
    """When a policy samples and when it decides, aligned to the trace's own UTC minutes.

    A bucket covers ``[k period, (k + 1) period)`` of wall-clock time; ticks come at
    ``k tick_period + tick_delay``. An infinite period switches the event off.
    """

    bucket_s: float = float("inf")
    tick_s: float = float("inf")
    tick_delay_s: float = 0.0


@dataclass(frozen=True)
class Policy:
    """One policy of one run.

    Parameters
    ----------
    kind : str. The scenario's ``policy.kind``.
    function : compiled first-class function of `observation.SIGNATURE`.
    params : float64[]. Settings, in the order of the policy's own ``Params``.
    state_size : int. Length of the policy's memory. [float64 values]
    minimum, maximum, initial : int. Capacity bounds and the warm fleet at t = 0. [replicas]
    clock : Clock.
    hooks : int. Bit set of `observation.ARRIVAL`, `DEPARTURE`, `FROM_ZERO` and `WAITS`: when the
        policy is asked beside its clock.
    needs_in_flight : bool. Whether requests in service must be kept for it (a scan per bucket).
    idle_first : bool. Whether scale-in takes an idle replica before a busy one; otherwise the
        newest goes first, as the Kubernetes ReplicaSet controller does.
    target : float, optional. What it tracks, set or derived, in its metric's own unit.
    recent_s : float. For how long a replica counts as just ready (`observation.RECENT`). [s]
    bounds : float64[k, 3]. Changes of the bounds in order of time: instant since the trace's
        origin, minimum, maximum; NaN leaves one as it is. Each moves the capacity into the new
        bounds at once. [s, replicas, replicas]
    notes : tuple of str. What the reader of a result should know about the settings, in words.
    """

    kind: str
    function: Any
    params: NDArray[np.float64]
    state_size: int
    minimum: int
    maximum: int
    initial: int
    clock: Clock = field(default_factory=Clock)
    hooks: int = 0
    needs_in_flight: bool = False
    idle_first: bool = False
    target: float | None = None
    recent_s: float = 0.0
    bounds: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    notes: tuple[str, ...] = ()
