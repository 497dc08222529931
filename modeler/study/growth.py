"""More of the same traffic: what it costs and misses, and when the cap on replicas binds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario import Scenario, with_values
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import GoalError
from modeler.study.growth_words import advice
from modeler.study.lab import Lab
from modeler.study.rated import at_factor
from modeler.study.replicates import kept_band

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
FACTORS: Final = (1.0, 1.5, 2.0, 3.0, 4.0)
PRECISION: Final = 0.02
DAYS_A_YEAR: Final = 365.2425
# Without a cap a fleet may grow to so many times it: what the policy wants is then seen.
_UNCAPPED: Final = 64
# The search for the factor that binds goes so far beyond those that were asked for.
_FARTHEST: Final = 16.0
_LEAST: Final = 1.0 / 64.0
_MOST_REQUESTS: Final = 20_000_000


@dataclass(frozen=True)
class Binding:
    """Where the cap begins to bind: where it alone costs more than the share allowed to miss.

    Parameters
    ----------
    low, high : float. Factors: at the first it does not bind, at the second it does. Of the traffic
        as it came.
    years : float, optional. Until then, at the growth that was named; below zero where it binds
        already.
    day : date, optional. Counted from the end of the traffic, where that is dated.
    """

    low: float
    high: float
    years: float | None = None
    day: date | None = None


@dataclass(frozen=True, repr=False)
class Growth:
    """A scenario under more of its traffic.

    Parameters
    ----------
    rows : tuple of dict. One a factor.
    cap : str. What bounds the fleet, as ``fleet.max = 8``.
    allowed_share : float. Of requests that may miss the service level.
    binding : Binding, optional. None where it does not bind in `searched`.
    searched : float. The largest factor that was tried.
    per_year : float, optional. Times the traffic from one year to the next.
    """

    rows: tuple[Row, ...]
    cap: str
    allowed_share: float
    binding: Binding | None
    searched: float
    per_year: float | None

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``growth/1``."""
        found = self.binding
        return {
            "schema": "growth/1",
            "cap": self.cap,
            "allowed_share": self.allowed_share,
            "per_year": self.per_year,
            "searched_factor": self.searched,
            "binding": None
            if found is None
            else {
                "low": found.low,
                "high": found.high,
                "years": found.years,
                "day": None if found.day is None else found.day.isoformat(),
            },
            "advice": self.sentence(),
            "rows": list(self.rows),
        }

    def frame(self) -> pd.DataFrame:
        """One row a factor."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def sentence(self) -> str:
        """The advice in words."""
        return advice(self)

    def __repr__(self) -> str:
        return f"Growth: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def growth(
    lab: Lab,
    factors: Sequence[float] = FACTORS,
    *,
    per_year: float | None = None,
    replicates: int = 0,
) -> Growth:
    """Replay more and more of the traffic, and find where the cap binds.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    factors : sequence of float. Times the requests, with the same shape from a minute upwards.
    per_year : float, optional. Times the traffic from one year to the next, above 1: gives a date.
    replicates : int. Of the traffic's days, for bands about dollars and misses; 0 for none.
        The factor at which the cap binds is of the traffic as it came.

    Returns
    -------
    Growth

    Raises
    ------
    modeler.study.goal.GoalError : no factor, a growth of 1 or less, or a factor in between
        that cannot be replayed.
    traces.TraceError : a factor that cannot be.
    """
    if not factors or not all(0.0 < factor < math.inf for factor in factors):
        raise GoalError(f"factors {list(factors)}: expected one or more numbers above 0")
    if per_year is not None and not 1.0 < per_year < math.inf:
        raise GoalError(f"per year {per_year:g}: expected times the traffic, above 1, as 2")
    chosen = sorted(set(factors))
    fleet = _Fleet(lab)
    rows = tuple(fleet.row(factor, replicates) for factor in chosen)
    if per_year is not None:
        for row in rows:
            row["years"] = math.log(row["factor"]) / math.log(per_year)
    ends = fleet.binding(chosen) if rows[0]["status"] == "ok" else None
    found = None if ends is None else _dated(lab, *ends, per_year)
    return Growth(rows, fleet.words, fleet.allowed, found, max(fleet.tried, default=0.0), per_year)


class _Fleet:
    """A scenario under so many times its traffic, beside the same without a cap."""

    def __init__(self, lab: Lab) -> None:
        self._lab, self._traffic = lab, lab.traffic()
        self._metered = lab.scenario.hosting.platform.per_request
        self.tried: dict[float, bool] = {}
        self.allowed = lab.scenario.sla.max_violation_share
        hosting: Any = lab.scenario.hosting
        if self._metered:
            self.cap = int(hosting.cap)
            names = ("reserved_concurrency", "max_concurrency", "account_concurrency")
            name = next(one for one in names if getattr(hosting, one, None) is not None)
            self.words = f"hosting.{name} = {self.cap}"
        else:
            self.cap = lab.scenario.fleet.max
            self.words = f"fleet.max = {self.cap}"

    def row(self, factor: float, replicates: int = 0) -> Row:
        """What is shown of a factor."""
        lab = self._lab
        traffic = at_factor(self._traffic, factor, lab.scenario.seed)
        row = lab.rows([lab.scenario], traffic=traffic, replicates=replicates)[0]
        if row["status"] != "ok":
            return {**_empty(factor), "status": "failed", "error": row["error"]}
        free = row
        if not self._metered:
            without = lab.rows([self._uncapped()], traffic=traffic)[0]
            free = without if without["status"] == "ok" else row
        wanted = free["environments"]["peak"] if self._metered else free["replicas"]["peak"]
        capped = row["violations_by_cause"]["replica_cap"] / row["requests"]
        self.tried[factor] = capped > self.allowed
        ends, missed = kept_band(row, "usd_per_hour"), kept_band(row, "sla_violation_share")
        return {
            **_empty(factor),
            "requests_per_hour": 3600.0 * row["requests"] / row["duration_s"],
            "usd_per_month": HOURS_A_MONTH * row["usd_per_hour"],
            "usd_low": None if ends is None else HOURS_A_MONTH * ends.low,
            "usd_high": None if ends is None else HOURS_A_MONTH * ends.high,
            "usd_per_1k_requests": row["usd_per_1k_requests"],
            "sla_violation_share": row["sla_violation_share"],
            "sla_violation_share_low": None if missed is None else missed.low,
            "sla_violation_share_high": None if missed is None else missed.high,
            "cap_share": capped,
            "latency_p99_s": row["latency_s"]["p99"],
            "peak_replicas": wanted if self._metered else row["replicas"]["peak"],
            "wanted_replicas": wanted,
            "binds": self.tried[factor],
            "meets_sla": row["meets_sla"],
        }

    def binding(self, factors: Sequence[float]) -> tuple[float, float] | None:
        """Factors between which the cap begins to bind, within `PRECISION`; None where it does not.

        More traffic holds all of the requests of less, so that it is taken to bind from one factor
        on.
        """
        low, high = 0.0, math.inf
        for factor in factors:
            if self.tried.get(factor):
                high = factor
                break
            low = factor
        while math.isinf(high):
            factor = 2.0 * low
            if factor > _FARTHEST or factor * self._traffic.requests > _MOST_REQUESTS:
                return None
            low, high = (low, factor) if self._binds(factor) else (factor, high)
        while low == 0.0:
            factor = high / 2.0
            if factor < _LEAST:
                return low, high
            low, high = (low, factor) if self._binds(factor) else (factor, high)
        while high > (1.0 + PRECISION) * low:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self._binds(middle) else (middle, high)
        return low, high

    def _binds(self, factor: float) -> bool:
        row = self.row(factor)
        if row["status"] != "ok":
            raise GoalError(f"{factor:.3g} times the traffic: {row['error']}")
        return self.tried[factor]

    def _uncapped(self) -> Scenario:
        return with_values(self._lab.scenario, {"fleet.max": _UNCAPPED * self.cap})


def _dated(lab: Lab, low: float, high: float, per_year: float | None) -> Binding:
    if per_year is None:
        return Binding(low, high)
    years = math.log(high) / math.log(per_year)
    traffic = lab.traffic()
    if not traffic.t0_is_absolute:
        return Binding(low, high, years)
    end = datetime.fromtimestamp(traffic.t0_ns / 1e9 + traffic.duration_s, UTC)
    return Binding(low, high, years, (end + timedelta(days=DAYS_A_YEAR * years)).date())


def _empty(factor: float) -> Row:
    names = (
        "requests_per_hour", "usd_per_month", "usd_low", "usd_high", "usd_per_1k_requests",
        "sla_violation_share", "sla_violation_share_low", "sla_violation_share_high", "cap_share",
        "latency_p99_s", "peak_replicas", "wanted_replicas", "binds", "meets_sla", "years",
    )  # fmt: skip
    return {"factor": factor, **dict.fromkeys(names), "status": "ok", "error": None}
