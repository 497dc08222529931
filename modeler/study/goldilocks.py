"""The variant between too small and too large, and why, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from modeler.scenario import format_duration, format_size
from modeler.study.level import KEEPS, level_of
from modeler.study.verdict import best_row

Row = dict[str, Any]


class Goldilocks(NamedTuple):
    """A row and the reason for it."""

    row: Row
    reason: str


def goldilocks(rows: Sequence[Row]) -> Goldilocks | None:
    """The cheapest variant that keeps the service level, held against its neighbours in size.

    Parameters
    ----------
    rows : sequence of dict. Of a sweep, failed ones included.

    Returns
    -------
    Goldilocks or None
        None where no row keeps the service level.
    """
    finished = [row for row in rows if row["status"] == "ok"]
    chosen = best_row([row for row in finished if row["meets_sla"]])
    if chosen is None:
        return None
    smaller = _nearest([r for r in finished if r["size_bytes"] < chosen["size_bytes"]], chosen)
    larger = _nearest([r for r in finished if r["size_bytes"] > chosen["size_bytes"]], chosen)
    parts = [
        f"Goldilocks: {_name(chosen)} at ${chosen['usd_per_hour']:,.2f} an hour is the cheapest "
        f"that {'keeps' if level_of(chosen) == KEEPS else 'may keep'} the service level"
    ]
    if smaller is not None:
        parts.append(f"smaller, {_name(smaller)} {_against(smaller, chosen)}")
    if larger is not None:
        parts.append(f"larger, {_name(larger)} {_against(larger, chosen)}")
    return Goldilocks(chosen, "; ".join(parts) + ".")


def _nearest(rows: Sequence[Row], chosen: Row) -> Row | None:
    return min(rows, key=lambda row: abs(row["size_bytes"] - chosen["size_bytes"]), default=None)


def _name(row: Row) -> str:
    dtype = row["settings"].get("model.dtype")
    return f"{format_size(row['size_bytes'])}{f' in {dtype}' if dtype else ''}"


def _against(row: Row, chosen: Row) -> str:
    """What another variant costs or misses beside the chosen one."""
    if not row["meets_sla"]:
        return f"misses {100.0 * row['sla_violation_share']:.2g} %"
    more = row["usd_per_hour"] - chosen["usd_per_hour"]
    lag = row["decision_to_ready_s"]["p50"] - chosen["decision_to_ready_s"]["p50"]
    price = f"costs ${more:,.2f} more" if more > 0.005 else "costs the same"
    if abs(lag) < 1.0:
        return price
    return f"{price} and starts {format_duration(abs(lag))} {'later' if lag > 0.0 else 'sooner'}"
