"""How much of the capacity to buy on spot: dollars against what reclaims and shortages cost.

A fleet is bought one way, so that a share of it is two groups behind a weighted router, each with
its part of the traffic and of the bounds. Beside them stands one group on spot that asks for
on-demand instances where spot is not to be had.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import pricing
from modeler.measure import unit_price
from modeler.replay.run import Traffic
from modeler.replay.weather_setup import of_kind, rate_per_s, weather_later
from modeler.scenario import Scenario, with_values
from modeler.scenario.hosting import Hosting
from modeler.scenario.weather import SpotReclaim
from modeler.study.goal import Goal
from modeler.study.lab import Lab
from modeler.study.pieces import per_bin
from modeler.study.spot_result import SpotResult
from modeler.study.spot_rows import row_of
from traces import Trace, draws
from traces.blocks import blocks_of

Row = dict[str, Any]
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
SHORT_S: Final = 3600.0
# A calm month of the Spot instance advisor, and one instance in twenty each hour.
_CALM: Final = "5-10%"
_ROUGH_PER_HOUR: Final = 0.05
_OWN_PRICE: Final = "say what an hour on spot costs with --spot-price USD, or spot_usd_per_hour="
_GROUPS: Final = ("fleet.min", "fleet.max", "fleet.initial", "policy.replicas")


class SpotError(Exception):
    """A scenario or a question that spot has no answer to."""

    exit_code: Final = 2


def spot(
    lab: Lab,
    *,
    shares: Sequence[float] = SHARES,
    reclaims_per_hour: Sequence[float] = (),
    reloads_s: Sequence[float | None] = (None,),
    short_s: float = SHORT_S,
    penalty_usd: float = 0.0,
    spot_usd_per_hour: float | None = None,
    replicates: int = 0,
) -> SpotResult:
    """Replay shares of spot under reclaims, and spot that falls back on demand.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    shares : sequence of float. Of the traffic that goes to spot; 0 and 1 are always there.
    reclaims_per_hour : sequence of float. How often an instance is taken back. By default as the
        scenario's weather has it, else of the advisor's band 5-10 % a month, and 0.05. [1/h]
    reloads_s : sequence of float or None. Time of a start; None as the scenario has it. [s]
    short_s : float. How long spot is not to be had at all, about the traffic's busiest time; 0 for
        never. [s]
    penalty_usd : float. What each missed request costs. [USD]
    spot_usd_per_hour : float, optional. Price of spot, instead of the dated tables. [USD/h]
    replicates : int. Of the traffic's days, for intervals about each way to buy and about what it
        saves against all on demand; 0 for none.

    Returns
    -------
    SpotResult

    Raises
    ------
    SpotError : the platform has no spot, a share is none, or a price is not above nothing.
    ScenarioError : its weather or machines do not go with spot.
    pricing.PriceNotFound : of on-demand or of spot.
    traces.TraceError : too little traffic, of a part too, to draw it again.

    Notes
    -----
    Replicates of every way to buy have the same days, luck and warm-up; the parts of a share are
    drawn alike. Spot is short at the same hour of the same day of each.
    """
    base = lab.scenario
    _check(base, shares, spot_usd_per_hour)
    middle = sorted({share for share in shares if 0.0 < share < 1.0})
    traffic = lab.traffic()
    busiest_s = _busiest(traffic, short_s)
    rates = tuple(reclaims_per_hour) or _rates(base)
    goal = Goal(penalty_usd=penalty_usd)
    ways = _Ways(base, spot_usd_per_hour, busiest_s, short_s)
    usd = unit_price(ways.on_demand(None)).usd_per_hour
    try:
        spot_usd = unit_price(ways.on_spot(rates[0], None)).usd_per_hour
    except pricing.PriceNotFound as error:
        error.reason = f"{error.reason}; {_OWN_PRICE}" if error.reason else _OWN_PRICE
        raise
    parts = {share: _split(traffic, share, base.seed) for share in middle}
    found: list[Row] = []
    if replicates:
        for load in (traffic, *itertools.chain(*parts.values())):
            blocks_of(load)  # too little is refused now, and not after the work
    for rate, reload_s in itertools.product(rates, reloads_s):
        own, other = ways.on_demand(reload_s), ways.on_spot(rate, reload_s)
        wanted: list[tuple[Scenario, Traffic]] = [(own, traffic)]
        for share in middle:
            for one, is_spot, half in zip((other, own), (True, False), parts[share], strict=True):
                moved = _moved(_part(one, share, spot=is_spot), traffic, half)
                wanted.append((moved, half))
        wanted.append((other, traffic))
        if short_s > 0.0:
            wanted.append((ways.on_spot(rate, reload_s, fallback=True), traffic))
        rows = iter(
            lab.rows(
                [scenario for scenario, _ in wanted],
                traffic=[load for _, load in wanted],
                replicates=replicates,
            )
        )
        whole = [next(rows)]
        cell = [row_of("on demand", 0.0, goal, whole, whole)]
        for share in middle:
            both = [next(rows), next(rows)]
            cell.append(row_of(f"{100.0 * share:g} % on spot", share, goal, both, whole))
        cell.append(row_of("spot", 1.0, goal, [next(rows)], whole))
        if short_s > 0.0:
            helped = [next(rows)]
            cell.append(row_of("spot, else on demand", 1.0, goal, helped, whole, fallback=True))
        found += [{**row, "reclaims_per_hour": rate, "reload_s": reload_s} for row in cell]
    notes = _dear(spot_usd, usd)
    return SpotResult(tuple(found), penalty_usd, short_s, busiest_s, replicates, notes)


def reclaims_of(band: str) -> float:
    """How often an instance is taken back in a band of the Spot instance advisor. [1/h]"""
    return 3600.0 * rate_per_s([SpotReclaim.model_validate({"band": band})])


class _Ways:
    """The scenario bought one way or the other."""

    def __init__(
        self, base: Scenario, spot_usd: float | None, busiest_s: float, short_s: float
    ) -> None:
        self._base = base
        own = base.hosting.usd_per_hour
        given = None if own is None else float(own)
        is_spot = base.hosting.purchase == "spot"
        self._spot_usd = spot_usd if spot_usd is not None else given if is_spot else None
        self._usd = None if is_spot else given
        self._short = {"from_s": busiest_s, "for_s": short_s} if short_s > 0.0 else None
        self._rest = [
            block.model_dump(mode="json")
            for block in base.weather
            if not isinstance(block, SpotReclaim)
        ]
        self._reclaim: dict[str, Any] = {"kind": "spot_reclaim"}
        for block in of_kind(base, SpotReclaim):
            self._reclaim = block.model_dump(mode="json")

    def on_demand(self, reload_s: float | None) -> Scenario:
        return self._made("on-demand", self._usd, self._rest, reload_s)

    def on_spot(self, rate: float, reload_s: float | None, *, fallback: bool = False) -> Scenario:
        weather = [*self._rest, {**self._reclaim, "per_hour": rate}]
        if self._short is not None:
            short: dict[str, Any] = {"kind": "insufficient_capacity", **self._short}
            if fallback:
                short |= {
                    "fallback": self._base.hosting.instance,
                    "fallback_purchase": "on-demand",
                    "fallback_usd_per_hour": self._usd,
                }
            weather.append(short)
        return self._made("spot", self._spot_usd, weather, reload_s)

    def _made(
        self, purchase: str, usd: float | None, weather: list[Any], reload_s: float | None
    ) -> Scenario:
        values: dict[str, Any] = {
            "hosting.purchase": purchase,
            "hosting.usd_per_hour": usd,
            "weather": weather,
        }
        if reload_s is not None:
            values["cold_start.total_s"] = reload_s
        return with_values(self._base, values)


def _dear(spot_usd: float, usd: float) -> tuple[str, ...]:
    """That spot costs more than it is held against, which is likelier a slip than a price."""
    if spot_usd <= usd:
        return ()
    return (f"spot at ${spot_usd:g} an hour is dearer than on demand at ${usd:g}: is it meant so?",)


def _check(base: Scenario, shares: Sequence[float], spot_usd: float | None) -> None:
    if not base.hosting.platform.spot:
        kinds = ", ".join(_kinds_with_spot())
        raise SpotError(
            f"hosting.kind {base.hosting.kind}: {base.hosting.platform.title} has no spot "
            f"capacity; expected one of {kinds}"
        )
    for share in shares:
        if not 0.0 <= share <= 1.0:
            raise SpotError(f"share {share:g}: expected 0 to 1")
    if spot_usd is not None and not 0.0 < spot_usd < math.inf:
        raise SpotError(
            f"price of spot ${spot_usd:g} an hour: expected more than $0; without one the price "
            "tables say it"
        )


def _kinds_with_spot() -> list[str]:
    from typing import get_args

    members = (get_args(one)[0] for one in get_args(get_args(Hosting)[0]))
    return [one.model_fields["kind"].default for one in members if one.platform.spot]


def _rates(base: Scenario) -> tuple[float, ...]:
    own = of_kind(base, SpotReclaim)
    return (3600.0 * rate_per_s(own),) if own else (reclaims_of(_CALM), _ROUGH_PER_HOUR)


def _busiest(traffic: Traffic, width_s: float) -> float:
    """When the stretch of so long with the most requests begins. [s]"""
    counts, bin_s = per_bin(traffic)
    bins = min(max(1, round(width_s / bin_s)), counts.size)
    sums = np.convolve(counts, np.ones(bins), "valid")
    return float(np.argmax(sums)) * bin_s


def _split(traffic: Traffic, share: float, seed: int) -> tuple[Traffic, Traffic]:
    """The requests that a weighted router sends to spot, and the others."""
    chunks = list(traffic.chunks(seed=seed))
    arrival_s = np.concatenate([chunk.arrival_s for chunk in chunks])
    names = chunks[0].columns
    columns = {name: np.concatenate([chunk.columns[name] for chunk in chunks]) for name in names}
    chosen = draws.uniform(seed, "spot.router", 0, arrival_s.size) < share
    halves = []
    for keep, which in ((chosen, "spot"), (~chosen, "on demand")):
        if not keep.any():
            raise SpotError(f"share {share:g}: no request of {arrival_s.size} is left for {which}")
        own_s = arrival_s[keep]
        halves.append(
            Trace(
                own_s - own_s[0],
                {name: values[keep] for name, values in columns.items()},
                t0_ns=traffic.t0_ns + round(float(own_s[0]) * 1e9),
                t0_is_absolute=traffic.t0_is_absolute,
                source=f"{traffic.source} (the part for {which}, {100.0 * share:g} % on spot)",
            )
        )
    return halves[0], halves[1]


def _moved(scenario: Scenario, whole: Traffic, half: Traffic) -> Scenario:
    """With the windows of its weather where they were: traffic begins with its first request."""
    return weather_later(scenario, (whole.t0_ns - half.t0_ns) / 1e9)


def _part(scenario: Scenario, share: float, *, spot: bool) -> Scenario:
    """A group's part of the bounds: together those of one fleet, each at least one replica."""
    fleet, policy = scenario.fleet, scenario.in_force[0]
    wholes = (fleet.min, fleet.max, fleet.initial, getattr(policy, "replicas", None))
    values = {}
    for path, whole in zip(_GROUPS, wholes, strict=True):
        if whole is not None and whole > 0:
            on_spot = min(max(round(share * whole), 1), max(whole - 1, 1))
            values[path] = on_spot if spot else max(whole - on_spot, 1)
    return with_values(scenario, values)
