"""Dollars a month against the request rate, of one way to serve and another, and where they cross.

All modes see the same traffic at a rate, and replicates the same days and luck, so that where two
of them cross is told more finely than either's dollars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from modeler.replay.run import Traffic
from modeler.study.breakeven_rows import TOKENS, by_token, failed_row, figures, taken_over
from modeler.study.breakeven_words import sentence
from modeler.study.crossings import at_rate, band_of, crossings, share_at
from modeler.study.intervals import Floats, Resamples
from modeler.study.lab import Lab
from modeler.study.modes import TO_ZERO, Mode, modes_of
from modeler.study.rated import at_factor, first_hours, rps_of, uneven
from traces import TraceError
from traces.blocks import LEAST_REQUESTS, blocks_of
from traces.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
REPLICATES: Final = 10
# Half a decade apart, about one's own rate.
_STEPS: Final = (-6, -5, -4, -3, -2, -1, 0, 1)


@dataclass(frozen=True, repr=False)
class Breakeven:
    """Ways to serve, over the request rate.

    Parameters
    ----------
    rows : tuple of dict. One a mode, burstiness and rate; a mode that cannot be is one row with
        its reason and no rate.
    crossings : tuple of dict. Where the dollars of two modes cross.
    own_rps : float. The analyst's own rate. [requests/s]
    replicates : int. Behind the bands.
    notes : mapping of mode to str. Whose service times are those of other hardware.
    """

    rows: tuple[Row, ...]
    crossings: tuple[Row, ...]
    own_rps: float
    replicates: int
    notes: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``breakeven/1``."""
        return {
            "schema": "breakeven/1",
            "own_requests_per_hour": 3600.0 * self.own_rps,
            "replicates": self.replicates,
            "notes": dict(self.notes),
            "advice": self.sentence(),
            "nearest": self.nearest(),
            "crossings": list(self.crossings),
            "rows": list(self.rows),
        }

    def frame(self) -> pd.DataFrame:
        """One row a mode, burstiness and rate."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def nearest(self) -> Row | None:
        """The crossing of the cheapest modes that is nearest to the own rate, in requests an hour.

        Where the cheapest never changes, the nearest of scaling to zero and another, or of any;
        None where nothing crosses.
        """
        of = [one for one in self.crossings if one["cheapest"]]
        of = of or [one for one in self.crossings if TO_ZERO in (one["below"], one["above"])]
        of = of or list(self.crossings)
        own = 3600.0 * self.own_rps
        if not of or not own:
            return None
        return min(of, key=lambda one: abs(math.log(one["requests_per_hour"] / own)))

    def sentence(self) -> str:
        """The advice in words."""
        return sentence(self.rows, self.nearest(), 3600.0 * self.own_rps, self.notes)

    def __repr__(self) -> str:
        return f"Breakeven: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def breakeven(
    lab: Lab,
    rates: Sequence[float] = (),
    *,
    modes: Sequence[str] = (),
    burstiness: Sequence[float] = (),
    replicates: int = REPLICATES,
    hours: float | None = None,
) -> Breakeven:
    """Hold ways to serve against each other over the request rate.

    Parameters
    ----------
    lab : Lab. Of the scenario, whose traffic is thinned or copied to each rate.
    rates : sequence of float. By default half a decade apart, from a thousandth of the own rate to
        three times it. The own rate is always one of them. [requests/s]
    modes : sequence of str. See `modeler.study.modes.MODES`.
    burstiness : sequence of float. Coefficients of variation of the gaps: traffic at an even rate
        instead of the analyst's own.
    replicates : int. Of the traffic's days, for the bands; 0 for none.
    hours : float, optional. Only the beginning of the traffic; with a burstiness the length of what
        is drawn, which may be longer. [h]

    Returns
    -------
    Breakeven

    Raises
    ------
    ScenarioError : an unknown mode.
    traces.TraceError : a rate or a burstiness that cannot be.
    """
    traffic = lab.traffic() if hours is None else first_hours(lab.traffic(), hours)
    own = rps_of(traffic)
    if not own:
        raise TraceError(None, Problem("a single instant", "traffic that lasts, to have a rate"))
    asked = rates or [own * 10.0 ** (step / 2.0) for step in _STEPS]
    if not all(0.0 < rate < math.inf for rate in asked):
        raise TraceError(None, Problem("out of range", "rates above 0", column="rates"))
    chosen = sorted({*asked, own})
    has_tokens = all(name in traffic.columns for name in TOKENS)
    known = modes_of(lab.scenario, tuple(modes), tokens=has_tokens)
    rows: list[Row] = [failed_row(mode.name, mode.reason) for mode in known if mode.reason]
    alive = [mode for mode in known if not mode.reason]
    found: list[Row] = []
    kinds: Sequence[float | None] = burstiness or [None]
    for cv in kinds:
        curves = _Curves(lab, traffic, own, cv, replicates, hours)
        for rate in chosen:
            alive = curves.add(alive, rate)
        rows += curves.failed + curves.rows
        found += curves.cross([mode.name for mode in alive])
    order = {mode.name: k for k, mode in enumerate(known)}
    rows.sort(key=lambda row: (row["burstiness"] or 0.0, order[row["mode"]], row["rate_rps"] or 0))
    notes = {mode.name: taken_over(lab.scenario, mode.scenario, traffic) for mode in alive}
    notes = {mode: note for mode, note in notes.items() if note}
    return Breakeven(tuple(rows), tuple(found), own, replicates, notes)


class _Curves:
    """Dollars of every mode over the rate, for traffic of one burstiness."""

    def __init__(
        self,
        lab: Lab,
        traffic: Traffic,
        own: float,
        cv: float | None,
        replicates: int,
        hours: float | None,
    ) -> None:
        self._lab, self._traffic, self._own, self._cv = lab, traffic, own, cv
        self._replicates, self._hours = replicates, hours
        self._values: dict[str, list[list[float]]] = {}
        self._seen: list[float] = []  # the rates that the traffic has, not those it was drawn for
        self._drawn: list[Resamples] = []
        self.rows: list[Row] = []
        self.failed: list[Row] = []

    def add(self, modes: list[Mode], rate: float) -> list[Mode]:
        """Replay at a rate; modes that cannot be replayed are left out of what is returned."""
        seed = self._lab.scenario.seed
        traffic: Traffic
        if self._cv is None:
            traffic = at_factor(self._traffic, rate / self._own, seed)
        else:
            traffic = uneven(self._traffic, rate, self._cv, seed, hours=self._hours)
        if not traffic.duration_s:
            problem = Problem(
                f"{traffic.requests} request is left at {rate:g} rps", "at least two: more hours"
            )
            raise TraceError(None, problem)
        self._seen.append(rps_of(traffic))
        # Of too few requests there is no interval; those of the other rates stand.
        blocks = blocks_of(traffic) if traffic.requests >= LEAST_REQUESTS else None
        if blocks is not None:
            self._drawn.append(Resamples.of_blocks(blocks, seed))
        count = self._replicates if blocks is not None else 0
        scenarios = [mode.scenario for mode in modes if mode.scenario is not None]
        replayed = iter(self._lab.rows(scenarios, traffic=traffic, replicates=count))
        left = []
        for mode in modes:
            if mode.scenario is None:
                row, values = by_token(traffic, blocks, self._lab.scenario, self._replicates)
            else:
                full = next(replayed)
                if full["status"] != "ok":
                    self.failed.append(failed_row(mode.name, full["error"], self._cv))
                    self._values.pop(mode.name, None)
                    self.rows = [row for row in self.rows if row["mode"] != mode.name]
                    continue
                row, values = figures(full)
            place = {
                "mode": mode.name,
                "burstiness": self._cv,
                "rate_rps": rate,
                "requests_per_hour": 3600.0 * self._seen[-1],
                "own": rate == self._own,
            }
            self.rows.append({**place, **row, "status": "ok", "error": None})
            self._values.setdefault(mode.name, []).append(values)
            left.append(mode)
        return left

    def cross(self, names: list[str]) -> list[Row]:
        """Every crossing of two modes, with its band."""
        # Two rates that are nearly one may have come out in the other order.
        order = np.argsort(self._seen)
        rate = np.array(self._seen)[order]
        for name in names:
            self._values[name] = [self._values[name][k] for k in order]
        self.rows.sort(key=lambda row: float(row["requests_per_hour"]))
        dollars = {name: np.array(self._column(name, "usd_per_month")) for name in names}
        found = []
        for k, name in enumerate(names):
            for other in names[k + 1 :]:
                for at in crossings(rate, dollars[name], dollars[other]):
                    found.append(self._crossing(at, (name, other), rate, dollars))
        return sorted(found, key=lambda one: float(one["requests_per_hour"]))

    def _crossing(
        self, at: float, pair: tuple[str, str], rate: Floats, dollars: dict[str, Floats]
    ) -> Row:
        usd = {name: at_rate(at, rate, list(values)) for name, values in dollars.items()}
        here = usd[pair[0]]
        first, second = dollars[pair[0]], dollars[pair[1]]
        below = int(np.searchsorted(rate, at)) - 1
        cheaper = pair if first[below] < second[below] else pair[::-1]
        ends, why = self._band(at, pair, rate)
        return {
            "burstiness": self._cv,
            "below": cheaper[0],
            "above": cheaper[1],
            "requests_per_hour": 3600.0 * at,
            "low": None if ends is None else 3600.0 * ends[0],
            "high": None if ends is None else 3600.0 * ends[1],
            "band_note": why,
            "distance_per_hour": 3600.0 * (at - self._own),
            "usd_per_month": here,
            "utilisation": {
                name: at_rate(at, rate, self._column(name, "utilisation")) for name in pair
            },
            "sla_violation_share": {
                name: share_at(at, rate, self._column(name, "sla_violation_share")) for name in pair
            },
            # No third mode costs less there.
            "cheapest": all(
                here is not None and one is not None and one >= here * (1.0 - 1e-9)
                for name, one in usd.items()
                if name not in pair
            ),
        }

    def _band(
        self, at: float, pair: tuple[str, str], rate: Floats
    ) -> tuple[tuple[float, float] | None, str | None]:
        """The interval of a crossing, or why there is none."""
        if not self._replicates:
            return None, "no replicates were asked for"
        one, other = (self._values[name] for name in pair)
        known = [k for k in range(len(rate)) if one[k] and other[k]]
        if len(known) < 2:
            return None, f"fewer than {LEAST_REQUESTS} requests at most of the rates"
        count = min(len(values[k]) for values in (one, other) for k in known)
        first, second = (np.array([each[k][:count] for k in known]) for each in (one, other))
        drawn = min(self._drawn, key=lambda one: one.freedom)
        # Traffic of other rates may have been cut otherwise.
        alike = all(one.kinds == drawn.kinds for one in self._drawn)
        found = band_of(at, rate[known], first, second, replace(drawn, known=alike))
        if found is not None:
            return found, None
        if len(known) < len(rate) and not rate[known][0] < at < rate[known][-1]:
            return None, f"fewer than {LEAST_REQUESTS} requests at the rates beside it"
        return None, "the two cross in fewer than half of the replicates"

    def _column(self, name: str, key: str) -> list[Any]:
        return [row[key] for row in self.rows if row["mode"] == name]
