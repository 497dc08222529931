"""How much room to keep: dollars against what is missed for want of it, and the price of a nine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from modeler.replay.run import Traffic, run
from modeler.scenario import Scenario, value_at
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import GoalError
from modeler.study.headroom_words import advice
from modeler.study.intervals import CONFIDENCE
from modeler.study.lab import Lab
from modeler.study.nines import frontier, price, worth
from modeler.study.replicates import BILL, Replicates, drawn_again, notes_of
from modeler.study.space import combinations
from modeler.study.steps import FROM_OWN, Step, point_columns, step, step_columns

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
# What more replicas do nothing about: the request itself takes longer than is allowed.
_NO_ROOM_HELPS: Final = "service_time"
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, repr=False)
class Headroom:
    """Settings by what they cost and what is missed for want of room.

    Parameters
    ----------
    axes : mapping. What was varied.
    rows : tuple of dict. One a setting that was replayed, the scenario's own first.
    failed : tuple of dict. Settings that could not be, with why.
    allowed_share : float. Of requests, that the service level lets be missed.
    requests : int. That were replayed.
    drawn : tuple of Replicates or None. Of each row: of the frontier and of the scenario's own,
        where they were asked for.
    notes : tuple of str. How the traffic was drawn again.
    """

    axes: Mapping[str, tuple[Any, ...]]
    rows: tuple[Row, ...]
    failed: tuple[Row, ...]
    allowed_share: float
    requests: int
    drawn: tuple[Replicates | None, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def frontier(self) -> tuple[Row, ...]:
        """Rows of which no other is as cheap and misses as little, the cheapest first."""
        on = [row for row in self.rows if row["frontier"]]
        return tuple(sorted(on, key=lambda row: float(row["usd_per_month"])))

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``headroom/1``."""
        return {
            "schema": "headroom/1",
            "axes": {path: list(values) for path, values in self.axes.items()},
            "allowed_share": self.allowed_share,
            "advice": self.sentence(),
            "frontier": list(self.frontier),
            "rows": list(self.rows),
            "failed": list(self.failed),
            "confidence": CONFIDENCE if self.notes else None,
            "notes": list(self.notes),
        }

    def frame(self) -> pd.DataFrame:
        """One row a setting."""
        import pandas as pd

        return pd.DataFrame([flat(row) for row in (*self.rows, *self.failed)])

    def sentence(self) -> str:
        """The advice in words."""
        return advice(self)

    def step(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> Step | None:
        """From one row to another over their replicates; None where they have none."""
        one, other = (self._drawn(row) for row in (first, second))
        return None if one is None or other is None else step(one, other, self.requests)

    def _drawn(self, row: Mapping[str, Any]) -> Replicates | None:
        pairs = zip(self.rows, self.drawn, strict=False)
        return next((found for one, found in pairs if one is row), None)

    def __repr__(self) -> str:
        return f"Headroom of {len(self.rows)} settings: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def headroom(lab: Lab, axes: Mapping[str, Sequence[Any]], *, replicates: int = 0) -> Headroom:
    """Replay settings that keep more or less room, and price what the room is for.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    axes : mapping of path to values. See `modeler.study.space.space_of`, with ``delays=False``.
    replicates : int. Of the frontier and of the scenario's own, for intervals; 0 for none.

    Returns
    -------
    Headroom

    Raises
    ------
    modeler.study.goal.GoalError : nothing is varied, the scenario itself cannot be replayed, or
        its traffic not drawn again.
    ScenarioError, traces.TraceError : as a sweep's.
    """
    space = {path: tuple(values) for path, values in axes.items()}
    if not space:
        raise GoalError("headroom: nothing to vary; name settings, as --set fleet.min=1,2,3")
    own = {path: value_at(lab.scenario, path) for path in space}
    settings = [own, *(one for one in combinations(space) if one != own)]
    replayed = lab.rows([{}, *settings[1:]])
    if replayed[0]["status"] != "ok":
        raise GoalError(f"the scenario itself cannot be replayed: {replayed[0]['error']}")
    done = [
        _row(one, row)
        for one, row in zip(settings, replayed, strict=True)
        if row["status"] == "ok"
    ]  # fmt: skip
    failed = [
        {"settings": one, "error": row["error"]}
        for one, row in zip(settings, replayed, strict=True)
        if row["status"] != "ok"
    ]
    shares = [row["short_share"] for row in done]
    usd = [row["usd_per_month"] for row in done]
    along = frontier(usd, shares)
    requests = replayed[0]["requests"]
    chosen = worth([usd[k] for k in along], [shares[k] for k in along], requests)
    for number, k in enumerate(along):
        done[k]["frontier"], done[k]["worth"] = True, number in chosen
        if number:
            nine = price(usd, shares, requests, since=along[number - 1], to=k)
            done[k]["usd_per_nine"], done[k]["usd_at_most"] = nine
        if shares[k] < shares[0]:
            nine = price(usd, shares, requests, since=0, to=k)
            done[k]["usd_per_nine_from_own"] = nine.usd_per_nine
    traffic = lab.traffic()
    known = sorted({0, *along})
    for k in known:
        scenario = lab.variant(done[k]["settings"]) if k else lab.scenario
        done[k]["breach_minutes_per_month"] = breach_minutes(scenario, traffic)
    drawn: list[Replicates | None] = [None] * len(done)
    notes: tuple[str, ...] = ()
    if replicates:
        asked = [done[k]["settings"] if k else {} for k in known]
        again = drawn_again(lab.rows(asked, replicates=replicates), BILL)
        notes = notes_of(again)
        for k, one in zip(known, again, strict=True):
            drawn[k] = one
    found = Headroom(
        space, tuple(done), tuple(failed), lab.scenario.sla.max_violation_share, requests,
        tuple(drawn), notes,
    )  # fmt: skip
    before = dict(itertools.pairwise(along))
    for k, row in enumerate(done):
        last = next((a for a, b in before.items() if b == k), None)
        row |= point_columns(drawn[k])
        row |= step_columns(None if last is None else found.step(done[last], row))
        row |= step_columns(found.step(done[0], row) if k else None, FROM_OWN)
    return found


def breach_minutes(scenario: Scenario, traffic: Traffic) -> float:
    """Minutes of a month in which more than the allowed share was missed for want of room.

    Minutes are whole ones since the first arrival; a request belongs to the one it came in.

    Raises
    ------
    As a replay.
    """
    from modeler.replay import layout as m

    done = run(scenario, traffic, records=True)
    minute = (done.arrivals() / _MINUTE_S).astype(np.int64)
    cause = done.result.record[:, 1]
    helpless = next(code for code, name in m.CAUSES.items() if name == _NO_ROOM_HELPS)
    short = (cause != 0) & (cause != helpless)
    missed = np.bincount(minute, weights=short)
    came = np.bincount(minute)
    count = int(np.count_nonzero(missed > scenario.sla.max_violation_share * came))
    hours = done.result.end_s / 3600.0
    return count * HOURS_A_MONTH / hours if hours else 0.0


def flat(row: Row) -> Row:
    """A row with its settings as columns."""
    return {**row["settings"], **{key: value for key, value in row.items() if key != "settings"}}


def _row(settings: Mapping[str, Any], row: Row) -> Row:
    slow = row["violations_by_cause"][_NO_ROOM_HELPS] / row["requests"]
    return {
        "settings": dict(settings),
        "usd_per_month": HOURS_A_MONTH * row["usd_per_hour"],
        "short_share": max(row["sla_violation_share"] - slow, 0.0),
        "slow_share": slow,
        "sla_violation_share": row["sla_violation_share"],
        "meets_sla": row["meets_sla"],
        "latency_p99_s": row["latency_s"]["p99"],
        "utilisation": row["utilisation"],
        "frontier": False,
        "worth": False,
        "usd_per_nine": None,  # from the one before it on the frontier
        "usd_at_most": None,
        "usd_per_nine_from_own": None,
        "breach_minutes_per_month": None,
        "error": None,
    }
