"""Traffic drawn again from its own days: what another week like it might have been.

A block is a day where the traffic lasts two days or more, else a tenth of it. Where the calendar is
known and both kinds are there, working days are drawn among working days and those of a weekend
among themselves; within a block everything stays as it came, bursts and their echoes included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traces import draws
from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.trace import Trace
from traces.transform import joined

_DAY_S: Final = 86_400.0
# A last day that lacks no more than this counts as whole, or no more than the longest gap between
# two requests, up to half a day: traffic ends with its last arrival.
_SHORT_OF_A_DAY: Final = 0.05
_MOST_SHORT: Final = 0.5
_LEAST_DAYS: Final = 2
_BLOCKS_WITHOUT_DAYS: Final = 10
LEAST_REQUESTS: Final = 20
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Blocks:
    """How traffic is cut.

    Parameters
    ----------
    width_s : float. Of each block. [s]
    kinds : tuple of int. The class of each block, which is drawn from its own class alone.
    note : str. What was assumed, for who reads the interval.
    """

    width_s: float
    kinds: tuple[int, ...]
    note: str

    @property
    def count(self) -> int:
        """Number of blocks."""
        return len(self.kinds)


def blocks_of(traffic: Trace | CountSeries) -> Blocks:
    """Cut traffic into blocks that may stand for each other.

    Raises
    ------
    TraceError : too few requests to say anything by.
    """
    if traffic.requests < LEAST_REQUESTS:
        raise TraceError(
            None,
            Problem("too little traffic for an interval", f"{LEAST_REQUESTS} requests or more",
                    column="requests", value=str(traffic.requests)),
        )  # fmt: skip
    days = int(traffic.duration_s / _DAY_S + _short_of_a_day(traffic))
    if days < _LEAST_DAYS:
        width_s = traffic.duration_s / _BLOCKS_WITHOUT_DAYS
        if isinstance(traffic, CountSeries):
            width_s = max(1.0, width_s // traffic.bin_s) * traffic.bin_s
        count = max(2, int(traffic.duration_s / width_s + _SHORT_OF_A_DAY))
        note = f"traffic of less than two days: {count} blocks of {width_s:,.0f} s, taken as alike"
        return Blocks(width_s, (0,) * count, note)
    kinds = _kinds(traffic, days)
    if len(set(kinds)) > 1:
        note = f"{days} days, working days and weekends drawn apart"
    else:
        note = f"{days} days, taken as alike"
    left_s = traffic.duration_s - days * _DAY_S
    if left_s > _SHORT_OF_A_DAY * _DAY_S:
        note += f"; the last {left_s / 3600.0:.0f} h are no whole day and are not drawn"
    return Blocks(_DAY_S, kinds, note)


def _short_of_a_day(traffic: Trace | CountSeries) -> float:
    """What a last day may lack. [days]"""
    if isinstance(traffic, CountSeries):
        return _SHORT_OF_A_DAY
    gap_s = float(np.diff(traffic.arrival_s).max())
    return min(max(_SHORT_OF_A_DAY, gap_s / _DAY_S), _MOST_SHORT)


def _kinds(traffic: Trace | CountSeries, days: int) -> tuple[int, ...]:
    """Working day 0 or weekend 1, where the calendar is known and each is there twice."""
    if not traffic.t0_is_absolute:
        return (0,) * days
    first = datetime.fromtimestamp(traffic.t0_ns // 1_000_000_000, UTC)
    # A block that begins in the evening is mostly the next day.
    middles = (first + timedelta(seconds=(day + 0.5) * _DAY_S) for day in range(days))
    kinds = tuple(int(middle.weekday() >= _SATURDAY) for middle in middles)
    return kinds if min(kinds.count(0), kinds.count(1)) >= _LEAST_DAYS else (0,) * days


class Resampled(NamedTuple):
    """Traffic drawn from another's blocks.

    Attributes
    ----------
    traffic : Trace or CountSeries.
    body_from_s : float. Where what comes before, to warm up on, ends. [s]
    """

    traffic: Trace | CountSeries
    body_from_s: float


def resampled(
    traffic: Trace | CountSeries, blocks: Blocks, seed: int, *, lead_s: float = 0.0
) -> Resampled:
    """New traffic of as many blocks, each drawn with replacement from its own class.

    Parameters
    ----------
    traffic : Trace or CountSeries.
    blocks : Blocks. Of the same traffic.
    seed : int. Another seed draws other blocks.
    lead_s : float. So much of another block's end comes before the first, for a replay to warm up
        on; at most a block. Of counts whole bins, rounded up. [s]

    Returns
    -------
    Resampled
        Its body begins when the traffic did, on the calendar.

    Raises
    ------
    TraceError : no request came in what was drawn.
    """
    chosen = _chosen(blocks.kinds, seed)
    width_s = blocks.width_s
    cuts = [(block * width_s, (block + 1) * width_s) for block in chosen]
    lead_s = min(lead_s, width_s)
    if isinstance(traffic, CountSeries):
        lead_s = ceil(lead_s / traffic.bin_s) * traffic.bin_s
    if lead_s > 0.0:
        end_s = (_chosen(blocks.kinds, seed, "lead")[-1] + 1) * width_s
        cuts.insert(0, (end_s - lead_s, end_s))
    how = f"{blocks.count} blocks of its own, drawn"
    if isinstance(traffic, Trace):
        made = joined(traffic, cuts, how, earlier_s=lead_s)
        first_s = (made.t0_ns - traffic.t0_ns) / 1e9 + lead_s
        return Resampled(made, max(lead_s - first_s, 0.0))
    bins = [(round(a / traffic.bin_s), round(b / traffic.bin_s)) for a, b in cuts]
    made_counts = CountSeries(
        np.concatenate([traffic.counts[a:b] for a, b in bins]),
        traffic.bin_s,
        t0_ns=traffic.t0_ns - round(lead_s * 1e9),
        t0_is_absolute=traffic.t0_is_absolute,
        source=f"{traffic.source} ({how})",
    )
    return Resampled(made_counts, lead_s)


def times_drawn(kinds: Sequence[int], seed: int) -> NDArray[np.int64]:
    """How often `resampled` draws each block; the lead-in does not count.

    Parameters
    ----------
    kinds : sequence of int. The class of each block.
    seed : int. Of the draw.
    """
    return np.bincount(_chosen(kinds, seed), minlength=len(kinds))


def _chosen(of_blocks: Sequence[int], seed: int, stream: str = "block") -> NDArray[np.int64]:
    kinds = np.array(of_blocks)
    at = draws.uniform(seed, stream, 0, len(kinds))
    chosen = np.empty(len(kinds), dtype=np.int64)
    for kind in set(of_blocks):
        own = np.flatnonzero(kinds == kind)
        here = kinds == kind
        chosen[here] = own[(at[here] * own.size).astype(np.int64)]
    return chosen
