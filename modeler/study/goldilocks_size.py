"""Dollars over model size with the policy tuned anew at each size, and where the curve bends.

A smaller model needs less headroom, for its replicas start sooner: a policy that suits the large
one would not give it that credit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario import format_size
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.scenario.gates import Gate
from modeler.study.goal import Goal
from modeler.study.intervals import Difference
from modeler.study.lab import Lab
from modeler.study.optimize import Optimum, optimize
from modeler.study.replicates import apart, count_of, replicates_of
from modeler.study.search import WITHIN
from traces.blocks import blocks_of

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

_GB: Final = 1e9
# A bend is one where the chord lies so far above the curve, of the curve's own height.
_LEAST_BEND: Final = 0.1


@dataclass(frozen=True)
class SizePoint:
    """One size at its best setting.

    Parameters
    ----------
    size_bytes : int. [bytes]
    row : dict. Of the best setting, with replicates where they were asked for.
    settings : dict. What was chosen.
    keeps : bool. Whether it keeps the service level and the gates.
    usd_per_month : float or None. Penalties included; None where nothing could be replayed. [USD]
    low, high : float or None. Interval of that, where there are replicates; each has the penalties
        of its own misses. [USD]
    usd_per_gb : float or None. Dollars a month for each gigabyte more than the size before. [USD]
    usd_per_gb_low, usd_per_gb_high : float or None. Interval of that, replicate by replicate. [USD]
    as_cheap : bool. Whether it costs what the size of the knee costs: within a hundredth, or by
        chance alone.
    """

    size_bytes: int
    row: Row
    settings: dict[str, Any]
    keeps: bool
    usd_per_month: float | None
    low: float | None
    high: float | None
    usd_per_gb: float | None
    usd_per_gb_low: float | None
    usd_per_gb_high: float | None
    as_cheap: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "size_bytes": self.size_bytes,
            "settings": self.settings,
            "keeps": self.keeps,
            "usd_per_month": self.usd_per_month,
            "usd_per_month_low": self.low,
            "usd_per_month_high": self.high,
            "usd_per_gb": self.usd_per_gb,
            "usd_per_gb_low": self.usd_per_gb_low,
            "usd_per_gb_high": self.usd_per_gb_high,
            "as_cheap": self.as_cheap,
            "sla_violation_share": self.row["sla_violation_share"],
            "decision_to_ready_p50_s": (self.row["decision_to_ready_s"] or {}).get("p50"),
            "error": self.row["error"],
        }


@dataclass(frozen=True, repr=False)
class GoldilocksSize:
    """The curve, and the sizes it points at.

    Parameters
    ----------
    goal : Goal.
    points : tuple of SizePoint. By size.
    cheapest, knee, largest : SizePoint or None. Of the sizes that keep their promises: the
        cheapest, the one before the curve bends upward (None without a bend), and the largest.
    replays : float. In replays of the whole traffic.
    """

    goal: Goal
    points: tuple[SizePoint, ...]
    cheapest: SizePoint | None
    knee: SizePoint | None
    largest: SizePoint | None
    replays: float

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``goldilocks/1``."""
        named = {"cheapest": self.cheapest, "knee": self.knee, "largest": self.largest}
        return {
            "schema": "goldilocks/1",
            "points": [point.to_dict() for point in self.points],
            **{key: None if one is None else one.size_bytes for key, one in named.items()},
            "band": [point.size_bytes for point in self.points if point.as_cheap],
            "replays": self.replays,
            "advice": self.sentence(),
        }

    def frame(self) -> pd.DataFrame:
        """One row a size."""
        import pandas as pd

        return pd.json_normalize([point.to_dict() for point in self.points])

    def sentence(self) -> str:
        """The advice in words."""
        if self.cheapest is None or self.largest is None:
            return (
                "No size keeps the service level under any setting that was tried: let replicas be "
                "held less busy, serve faster, or promise less."
            )
        cheap, large = _money(self.cheapest), _money(self.largest)
        if self.cheapest is self.largest:
            return f"{_name(self.largest)} alone keeps the service level, for {cheap} a month."
        text = f"{_name(self.cheapest)} is cheapest at {cheap} a month"
        if self.knee is None or self.knee is self.largest:
            per_gb = _per_gb(self.cheapest, self.largest, self.goal)
            text += f"; {_name(self.largest)} still keeps the service level for {large}"
            return (
                f"{text}, about {per_gb} a month for each GB more: no size stands out, so "
                "take the smallest that answers well enough."
            )
        before = _per_gb(self.cheapest, self.knee, self.goal)
        after = _per_gb(self.knee, self.largest, self.goal)
        if self.knee is not self.cheapest:
            text += f", and each GB up to {_name(self.knee)} costs {before} a month"
        text += (
            f". Beyond {_name(self.knee)} each GB costs {after} a month, up to "
            f"{_name(self.largest)} for {large}: {_name(self.knee)} is the size to start from"
        )
        band = [point for point in self.points if point.as_cheap]
        if len(band) > 1:
            text += f", and {_name(band[0])} to {_name(band[-1])} cost the same"
        return f"{text}."

    def __repr__(self) -> str:
        return f"GoldilocksSize of {len(self.points)} sizes: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def goldilocks_size(
    lab: Lab,
    sizes: Sequence[int],
    axes: Mapping[str, Sequence[Any]],
    goal: Goal | None = None,
    *,
    gates: Sequence[Gate] = (),
    replicates: int = 0,
) -> GoldilocksSize:
    """Tune the policy at each size, and say what a gigabyte costs.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    sizes : sequence of int. [bytes]
    axes : mapping of path to values. What is chosen at each size; see `space_of`.
    goal : Goal, optional. By default the cheapest that keeps the service level.
    gates : sequence of Gate. What each must keep besides.
    replicates : int. Of the best setting of each size, for its interval; 0 for none.

    Raises
    ------
    As a sweep; traces.TraceError too where there is too little traffic to draw it again.

    Notes
    -----
    The knee is where the curve lies furthest below the straight line from the cheapest to the
    largest size that keep their promises, both scaled to 1 (Satopaa and others 2011, "Finding a
    Kneedle in a Haystack").
    """
    if replicates:
        blocks_of(lab.traffic())  # too little is refused now, and not after the work
    goal = goal or Goal()
    tuned: list[tuple[int, Lab, Optimum]] = []
    for size in sorted(set(sizes)):
        own = lab.at({"model.size": size})
        tuned.append((size, own, optimize(own, axes, goal, gates=gates)))
    rows = _drawn(lab, tuned, replicates)
    replays = sum(found.replays for _, _, found in tuned)
    replays += sum(map(count_of, rows))
    points: list[SizePoint] = []
    for (size, _, found), row in zip(tuned, rows, strict=True):
        points.append(_point(size, row, found.best["settings"], found.keeps, goal, points))
    kept = [point for point in points if point.keeps]
    cheapest = min(kept, key=lambda point: _usd(point), default=None)
    knee = _knee(kept)
    start = knee or cheapest
    return GoldilocksSize(
        goal=goal,
        points=tuple(
            point if start is None or not point.keeps else _held(point, start, goal)
            for point in points
        ),
        cheapest=cheapest,
        knee=knee,
        largest=kept[-1] if kept else None,
        replays=replays,
    )


def _drawn(lab: Lab, tuned: Sequence[tuple[int, Lab, Optimum]], replicates: int) -> list[Row]:
    """The best row of each size; with replicates all drawn at once, and so paired."""
    best = [found.best for _, _, found in tuned]
    sound = [k for k, row in enumerate(best) if row["status"] == "ok"]
    if replicates and sound:
        scenarios = [tuned[k][1].variant(best[k]["settings"]) for k in sound]
        rows = lab.rows(scenarios, replicates=replicates)
        for k, row in zip(sound, rows, strict=True):
            best[k] = {**row, "settings": best[k]["settings"]}
    return best


def _point(
    size: int,
    row: Row,
    settings: dict[str, Any],
    keeps: bool,
    goal: Goal,
    before: Sequence[SizePoint],
) -> SizePoint:
    usd = low = high = per_gb = None
    ends: tuple[float | None, float | None] = (None, None)
    if row["status"] == "ok":
        usd = HOURS_A_MONTH * goal.usd_per_hour(row)
        own = replicates_of(row, goal)
        of = None if own is None else own.band("usd_per_hour")
        if of is not None:
            low, high = HOURS_A_MONTH * of.low, HOURS_A_MONTH * of.high
        last = next((one for one in reversed(before) if one.usd_per_month is not None), None)
        if last is not None:
            gigabytes = (size - last.size_bytes) / _GB
            per_gb = (usd - _usd(last)) / gigabytes
            ends = _per_gb_ends(_difference(last.row, row, goal), gigabytes)
    keeps = keeps and usd is not None  # replicates may fail where the search did not
    return SizePoint(size, row, dict(settings), keeps, usd, low, high, per_gb, *ends)


def _difference(first: Row, second: Row, goal: Goal) -> Difference | None:
    one, other = (replicates_of(row, goal) for row in (first, second))
    return apart(one, other, "usd_per_hour")


def _held(point: SizePoint, start: SizePoint, goal: Goal) -> SizePoint:
    """A point with whether it costs what another does."""
    near = abs(_usd(point) / _usd(start) - 1.0) <= WITHIN if _usd(start) else False
    difference = _difference(start.row, point.row, goal)
    chance = difference is not None and not difference.differs
    return SizePoint(**{**point.__dict__, "as_cheap": near or chance})


def _knee(kept: Sequence[SizePoint]) -> SizePoint | None:
    """Where dollars bend upward; None where they rise evenly, or fall."""
    if len(kept) < 3 or _usd(kept[-1]) <= _usd(kept[0]):
        return None
    first, last = kept[0], kept[-1]
    wide = last.size_bytes - first.size_bytes
    tall = max(map(_usd, kept)) - min(map(_usd, kept))
    below = [
        (
            _usd(first)
            + (_usd(last) - _usd(first)) * (point.size_bytes - first.size_bytes) / wide
            - _usd(point)
        )
        / tall
        for point in kept
    ]
    at = max(range(len(kept)), key=below.__getitem__)
    return kept[at] if below[at] >= _LEAST_BEND else None


def _usd(point: SizePoint) -> float:
    assert point.usd_per_month is not None
    return point.usd_per_month


def _per_gb(one: SizePoint, other: SizePoint, goal: Goal) -> str:
    """Dollars for each gigabyte between two sizes, with their interval; none between one and it."""
    gigabytes = (other.size_bytes - one.size_bytes) / _GB
    if not gigabytes:
        return "$0"
    text = _dollars((_usd(other) - _usd(one)) / gigabytes)
    low, high = _per_gb_ends(_difference(one.row, other.row, goal), gigabytes)
    if low is None or high is None:
        return text
    return f"{text} (between {_dollars(low)} and {_dollars(high)})"


def _per_gb_ends(found: Difference | None, gigabytes: float) -> tuple[float | None, float | None]:
    """The interval of a difference of dollars an hour, as dollars a month for each gigabyte."""
    if found is None:
        return None, None
    return HOURS_A_MONTH * found.low / gigabytes, HOURS_A_MONTH * found.high / gigabytes


def _dollars(usd: float) -> str:
    return f"{'-' if round(usd) < 0 else ''}${abs(usd):,.0f}"


def _money(point: SizePoint) -> str:
    text = f"${_usd(point):,.0f}"
    if point.low is not None and point.high is not None:
        text += f" (between ${point.low:,.0f} and ${point.high:,.0f})"
    return text


def _name(point: SizePoint) -> str:
    return format_size(point.size_bytes)
