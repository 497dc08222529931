"""Other traffic made of given traffic: a part, more or less, slower, together, resampled.

Each returns a new `Trace` and says in `source` what was done. Random choices depend on the seed and
the request's ordinal alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traces import draws
from traces.errors import Problem, TraceError
from traces.trace import Floats, Trace

_DAY_S = 86_400.0
# Copies that raise a rate are moved within bins of a minute, the period of most metrics.
_BIN_S = 60.0


def part(trace: Trace, from_s: float, until_s: float) -> Trace:
    """The requests of a window.

    Parameters
    ----------
    from_s, until_s : float. Since the first arrival; the end is not in it. [s]

    Raises
    ------
    TraceError : no request came in it.
    """
    keep = (trace.arrival_s >= from_s) & (trace.arrival_s < until_s)
    return _kept(trace, keep, f"from {from_s:g} s to {until_s:g} s")


def thin(trace: Trace, share: float, seed: int = 0) -> Trace:
    """Each request with a probability; Poisson traffic stays so.

    Parameters
    ----------
    share : float. Above 0, at most 1. [1]

    Raises
    ------
    TraceError : a share that cannot be, or nothing is left.
    """
    if not 0.0 < share <= 1.0:
        raise _wrong("share", share, "above 0 and at most 1")
    keep = draws.uniform(seed, "thin", 0, trace.requests) < share
    return _kept(trace, keep, f"a share of {share:g}")


def warp(trace: Trace, factor: float) -> Trace:
    """The same requests with every gap multiplied: 0.5 is twice as fast, in half of the time.

    Raises
    ------
    TraceError : a factor of 0 or less.
    """
    if not 0.0 < factor < np.inf:
        raise _wrong("factor", factor, "a number above 0")
    return _new(trace, trace.arrival_s * factor, dict(trace.columns), f"time x {factor:g}")


def jitter(trace: Trace, quantum_s: float, seed: int = 0) -> Trace:
    """Each request moved by up to a quantum: stamps that stand for an interval become instants.

    Parameters
    ----------
    quantum_s : float. How far apart the recorder's stamps are, 3 s in Mooncake's traces. [s]
    seed : int. Of the moves, which are even over the quantum.

    Raises
    ------
    TraceError : a quantum of 0 or less.

    Notes
    -----
    Counts over whole quanta stay; within one, requests are spread as a Poisson process has them.
    """
    if not 0.0 < quantum_s < np.inf:
        raise _wrong("quantum_s", quantum_s, "a number above 0")
    moved = trace.arrival_s + quantum_s * draws.uniform(seed, "jitter", 0, trace.requests)
    return _sorted(trace, moved, np.arange(trace.requests), f"jitter of {quantum_s:g} s")


def scale(trace: Trace, factor: float, seed: int = 0) -> Trace:
    """More or fewer requests in the same time, with the same shape from a minute upwards.

    Whole copies of every request and a thinned one for the rest. The first copy keeps its instant;
    the others come anywhere in their minute, which keeps counts by the minute and leaves shorter
    bursts weaker.

    Raises
    ------
    TraceError : a factor of 0 or less.
    """
    if not 0.0 < factor < np.inf:
        raise _wrong("factor", factor, "a number above 0")
    if factor <= 1.0:
        return thin(trace, factor, seed)
    whole = int(factor)
    rest = factor - whole
    # The minutes are those of the clock, so that the first and the last are not cut short.
    since = (trace.t0_ns % round(_BIN_S * 1e9)) / 1e9
    minute = np.floor((trace.arrival_s + since) / _BIN_S)
    times, rows = [trace.arrival_s], [np.arange(trace.requests)]
    for copy in range(1, whole + (rest > 0.0)):
        u = draws.uniform(seed, f"copy {copy}", 0, trace.requests)
        moved = np.maximum((minute + u) * _BIN_S - since, 0.0)
        keep = np.ones(trace.requests, dtype=bool)
        if copy == whole:
            keep = draws.uniform(seed, "thin", 0, trace.requests) < rest
        times.append(moved[keep])
        rows.append(np.flatnonzero(keep))
    return _sorted(trace, np.concatenate(times), np.concatenate(rows), f"x {factor:g}")


def superpose(parts: Sequence[Trace]) -> Trace:
    """Several at once, each from its own first arrival on; columns that all of them have are kept.

    Raises
    ------
    TraceError : none is given.
    """
    if not parts:
        raise TraceError(None, Problem("nothing to superpose", "at least one trace"))
    arrival = np.concatenate([one.arrival_s for one in parts])
    order = np.argsort(arrival, kind="stable")
    shared = [name for name in parts[0].columns if all(name in one.columns for one in parts)]
    columns = {name: np.concatenate([one.columns[name] for one in parts])[order] for name in shared}
    first = parts[0]
    return Trace(
        arrival[order],
        columns,
        t0_ns=first.t0_ns,
        t0_is_absolute=first.t0_is_absolute,
        source=" + ".join(one.source for one in parts),
    )


def bootstrap_days(trace: Trace, days: int, seed: int = 0) -> Trace:
    """New traffic of whole days drawn with replacement from those of a trace.

    Days run from the first arrival, so the hour stays what it was; each new day takes one that was
    drawn, and with it what happens within a day. What lasts longer than a day is cut.

    Parameters
    ----------
    days : int. Length of the new traffic. [days]

    Raises
    ------
    TraceError : the trace has no whole day, or fewer than one is asked for.
    """
    if days < 1:
        raise _wrong("days", days, "at least 1")
    whole = int(trace.duration_s // _DAY_S)
    if whole < 1:
        raise TraceError(
            None,
            Problem("lasts less than a day", "at least one whole day to draw from",
                    column="duration_s", value=f"{trace.duration_s:g}"),
        )  # fmt: skip
    chosen = (draws.uniform(seed, "day", 0, days) * whole).astype(np.int64)
    cuts = [(float(day) * _DAY_S, float(day + 1) * _DAY_S) for day in chosen]
    return joined(trace, cuts, f"{days} of its {whole} days, drawn")


def joined(
    trace: Trace, cuts: Sequence[tuple[float, float]], how: str, *, earlier_s: float = 0.0
) -> Trace:
    """Stretches of a trace, one behind the other, from the trace's own t0 on.

    Parameters
    ----------
    cuts : sequence of (from, until). Each since the first arrival; the end is not in it. [s]
    how : str. For the source of the new trace.
    earlier_s : float. They begin so long before that t0. [s]

    Raises
    ------
    TraceError : no request came in them.
    """
    times, rows, at_s = [], [], -earlier_s
    for from_s, until_s in cuts:
        first, last = np.searchsorted(trace.arrival_s, (from_s, until_s))
        times.append(trace.arrival_s[first:last] + (at_s - from_s))
        rows.append(np.arange(first, last))
        at_s += until_s - from_s
    return _sorted(trace, np.concatenate(times), np.concatenate(rows), how)


def _kept(trace: Trace, keep: NDArray[np.bool_], how: str) -> Trace:
    if not keep.any():
        raise TraceError(None, Problem(f"no request is left ({how})", "at least one"))
    columns = {name: values[keep] for name, values in trace.columns.items()}
    return _new(trace, trace.arrival_s[keep], columns, how)


def _sorted(trace: Trace, times: Floats, rows: NDArray[np.int64], how: str) -> Trace:
    if not times.size:
        raise TraceError(None, Problem(f"no request is left ({how})", "at least one"))
    order = np.argsort(times, kind="stable")
    rows = rows[order]
    columns = {name: values[rows] for name, values in trace.columns.items()}
    return _new(trace, times[order], columns, how)


def _new(trace: Trace, times: Floats, columns: dict[str, Floats], how: str) -> Trace:
    """A trace from its first arrival on, which is when it came on the clock."""
    first = float(times[0])
    return Trace(
        times - first,
        columns,
        t0_ns=trace.t0_ns + round(first * 1e9),
        t0_is_absolute=trace.t0_is_absolute,
        source=f"{trace.source} ({how})",
    )


def _wrong(name: str, value: float, expected: str) -> TraceError:
    return TraceError(None, Problem("cannot be", expected, column=name, value=f"{value:g}"))
