"""What a study of spot found, and what it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario import format_duration
from modeler.study.compare_words import between, in_a_hundred, inside, percent, spread

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

_OFTEN_PER_HOUR: Final = 0.5  # said in minutes, what is rarer in whole hours


@dataclass(frozen=True, repr=False)
class SpotResult:
    """Dollars and misses of each way to buy, under each rate of reclaims and time of a start.

    Parameters
    ----------
    rows : tuple of dict. By combination of reclaims and reload, on demand first.
    penalty_usd : float. Of a missed request. [USD]
    short_s : float. How long spot is not to be had. [s]
    short_from_s : float. From when on. [s]
    replicates : int. Asked for, of each; fewer say enough where intervals are narrow.
    notes : tuple of str. What looks like a slip.
    """

    rows: tuple[Row, ...]
    penalty_usd: float
    short_s: float
    short_from_s: float
    replicates: int = 0
    notes: tuple[str, ...] = ()

    def cells(self) -> list[list[Row]]:
        """Rows by combination of reclaims and reload."""
        found: dict[tuple[float, float | None], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row["reclaims_per_hour"], row["reload_s"]), []).append(row)
        return list(found.values())

    def best(self, cell: Sequence[Row]) -> Row | None:
        """The cheapest, penalties included, that keeps the service level; else what misses least.

        None where nothing could be replayed.
        """
        done = [row for row in cell if row["status"] == "ok"]
        keeping = [row for row in done if row["meets_sla"]]
        if keeping:
            return min(keeping, key=lambda row: row["usd_per_hour_with_penalty"])
        return min(
            done,
            key=lambda row: (row["sla_violation_share"], row["usd_per_hour_with_penalty"]),
            default=None,
        )

    def worth_usd(self, row: Row) -> float | None:
        """What a missed request must cost for on demand to be as cheap as a row. [USD]

        Returns
        -------
        float or None
            Infinite where the row costs less and misses no more; None where it does not cost less.
        """
        own = next(
            one for one in self.rows
            if one["spot_share"] == 0.0 and one["reclaims_per_hour"] == row["reclaims_per_hour"]
            and one["reload_s"] == row["reload_s"]
        )  # fmt: skip
        if "failed" in (own["status"], row["status"]) or row["spot_share"] == 0.0:
            return None
        saved = own["usd_per_hour"] - row["usd_per_hour"]
        more = row["missed_per_hour"] - own["missed_per_hour"]
        if saved <= 0.0:
            return None
        return saved / more if more > 0.0 else math.inf

    def frame(self) -> pd.DataFrame:
        """One row a way to buy in each combination."""
        import pandas as pd

        return pd.DataFrame(self._told())

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``spot/1``."""
        return {
            "schema": "spot/1",
            "penalty_usd": self.penalty_usd,
            "replicates": self.replicates,
            "short": {"from_s": self.short_from_s, "for_s": self.short_s},
            "rows": self._told(),
            "notes": list(self.notes),
            "advice": self.sentence(),
        }

    def _told(self) -> list[Row]:
        best = [self.best(cell) for cell in self.cells()]
        told = []
        for row in self.rows:
            worth = self.worth_usd(row)
            told.append(
                {
                    **row,
                    "on_demand_from_usd_per_miss": worth if worth != math.inf else None,
                    "best": any(row is one for one in best),
                }
            )
        return told

    def sentence(self) -> str:
        """The advice in words."""
        cells = self.cells()
        texts = [self._of(cell) for cell in cells]
        if len(texts) == 1:
            return f"{texts[0][0].upper()}{texts[0][1:]}."
        said = zip(cells, texts, strict=True)
        return " ".join(f"With {often(cell[0])}: {text}." for cell, text in said)

    def _of(self, cell: Sequence[Row]) -> str:
        best, own = self.best(cell), cell[0]
        if best is None:
            return f"nothing could be replayed: {own['error']}"
        missed = f"{100.0 * best['sla_violation_share']:.2g} % of requests missed"
        text = f"buy {best['name']}: ${best['usd_per_hour']:,.2f} an hour, {missed}"
        if not best["meets_sla"]:
            text = f"no way to buy keeps the service level; {best['name']} misses least, {missed}"
            text += f" at ${best['usd_per_hour']:,.2f} an hour"
        if best is own:
            return text + self._else(cell) + _level(best)
        if best["saved_usd_per_hour"] is not None:
            text += f", {self._saved(best)}"
        elif own["status"] == "ok":
            less = own["usd_per_hour"] - best["usd_per_hour"]
            text += f", ${abs(less):,.2f} {'less' if less > 0.0 else 'more'} than on demand"
        worth = self.worth_usd(best)
        if worth is not None and math.isfinite(worth):
            text += f"; with its {missed} it pays while one costs you less than ${worth:.2g}"
        return text + _level(best)

    def _saved(self, row: Row) -> str:
        """How a row differs from all on demand, over the replicates."""
        low, high = row["saved_usd_per_hour_low"], row["saved_usd_per_hour_high"]
        penalties = " with penalties" if self.penalty_usd else ""
        if not row["saved_usd_per_hour_differs"]:
            ends = spread(low, high, _usd, "less", "more")
            return f"{ends}{penalties} than on demand, which of both this traffic does not say"
        less = row["saved_usd_per_hour"]
        text = f"{_usd(abs(less))}{inside(low, high, _usd)} {'less' if less > 0.0 else 'more'}"
        text += f"{penalties} than on demand"
        low, high = row["missed_share_more_low"], row["missed_share_more_high"]
        if low == high == 0.0:
            text += "; it misses as many"
        elif row["missed_share_more_differs"] is False:
            ends = spread(low, high, in_a_hundred, "more", "fewer")
            text += f"; whether it misses more this traffic does not say: {ends} of each 100"
        return text

    def _else(self, cell: Sequence[Row]) -> str:
        """What spot would have saved, where on demand is advised."""
        others = [row for row in cell[1:] if row["status"] == "ok"]
        if not others:
            return ""
        least = min(others, key=lambda row: row["usd_per_hour"])
        saved = cell[0]["usd_per_hour"] - least["usd_per_hour"]
        if saved <= 0.0:
            return "; spot costs no less"
        if least["saved_usd_per_hour_differs"] is False:
            return f"; {least['name']} costs {self._saved(least)}"
        return (
            f"; {least['name']} would cost ${saved:,.2f} less and miss "
            f"{100.0 * least['sla_violation_share']:.2g} %"
        )

    def __repr__(self) -> str:
        return f"SpotResult of {len(self.rows)} rows: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _level(row: Row) -> str:
    """That the traffic does not settle whether the service level is kept."""
    if row["keeps_level"] != "unsure":
        return ""
    ends = between(row["sla_violation_share_low"], row["sla_violation_share_high"], percent)
    return (
        f"; whether {row['name']} keeps the service level, that {percent(row['allowed'])} may be "
        f"missed, this traffic does not say{ends}"
    )


def _usd(value: float) -> str:
    return f"{'-' if value < 0.0 else ''}${abs(value):,.2f}"


def often(row: Row) -> str:
    """How often instances are taken back, and how long a start takes where that is varied."""
    per_hour = row["reclaims_per_hour"]
    text = "no spot instance taken back"
    if per_hour:
        minutes = per_hour > _OFTEN_PER_HOUR
        every = format_duration(3600.0 / per_hour) if minutes else f"{1.0 / per_hour:,.0f} hours"
        text = f"a spot instance taken back every {every}"
    if row["reload_s"] is None:
        return text
    return f"{text} and a start of {format_duration(row['reload_s'])}"
