"""How much room to keep: dollars against what is missed for want of it, and the price of a nine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from modeler.replay.run import Traffic, run
from modeler.scenario import Scenario, value_at
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import GoalError
from modeler.study.lab import Lab
from modeler.study.nines import frontier, price, worth
from modeler.study.settings_words import explained
from modeler.study.space import combinations

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
# What more replicas do nothing about: the request itself takes longer than is allowed.
_NO_ROOM_HELPS: Final = "service_time"
_MINUTE_S: Final = 60.0
_TOLD: Final = 1e-5  # a smaller share is said to be smaller


@dataclass(frozen=True, repr=False)
class Headroom:
    """Settings by what they cost and what is missed for want of room.

    Parameters
    ----------
    axes : mapping. What was varied.
    rows : tuple of dict. One a setting that was replayed, the scenario's own first.
    failed : tuple of dict. Settings that could not be, with why.
    allowed_share : float. Of requests, that the service level lets be missed.
    """

    axes: Mapping[str, tuple[Any, ...]]
    rows: tuple[Row, ...]
    failed: tuple[Row, ...]
    allowed_share: float

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
        }

    def frame(self) -> pd.DataFrame:
        """One row a setting."""
        import pandas as pd

        return pd.DataFrame([flat(row) for row in (*self.rows, *self.failed)])

    def sentence(self) -> str:
        """The advice in words."""
        own, along = self.rows[0], self.frontier
        text = (
            f"As it is ({_text(own['settings'])}) it costs ${own['usd_per_month']:,.0f} a month; "
            f"{_share(own['short_share'])} of requests are missed for want of room, in "
            f"{own['breach_minutes_per_month']:,.0f} minutes of a month."
        )
        # Of the steps worth taking, the first that misses fewer than the own setting does.
        better = [row for row in along if row["worth"] and row["short_share"] < own["short_share"]]
        if better:
            text += f" {self._step(own, better[0])}"
        else:
            text += f" None of the {len(self.rows)} settings misses fewer."
        if len(better) > 1:
            text += (
                f" Beyond it {_text(better[1]['settings'])} leaves "
                f"{_share(better[1]['short_share'])} for "
                f"${better[1]['usd_per_month'] - better[0]['usd_per_month']:,.0f} more."
            )
        if own["slow_share"] > self.allowed_share:
            text += (
                f" {_share(own['slow_share'])} take too long even where they need not wait: no "
                "room helps those."
            )
        return text

    def _step(self, own: Row, one: Row) -> str:
        more = one["usd_per_month"] - own["usd_per_month"]
        text = (
            f"{explained(one['settings'])} brings that to {_share(one['short_share'])} and "
            f"{one['breach_minutes_per_month']:,.0f} minutes for "
        )
        if more <= 0.5:
            return f"{text}${max(-more, 0.0):,.0f} less."
        each = one["usd_per_nine_from_own"]
        return f"{text}${more:,.0f} more: ${each:,.0f} a month for each step to ten times fewer."

    def __repr__(self) -> str:
        return f"Headroom of {len(self.rows)} settings: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def headroom(lab: Lab, axes: Mapping[str, Sequence[Any]]) -> Headroom:
    """Replay settings that keep more or less room, and price what the room is for.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    axes : mapping of path to values. See `modeler.study.space.space_of`, with ``delays=False``.

    Returns
    -------
    Headroom

    Raises
    ------
    modeler.study.goal.GoalError : nothing is varied, or the scenario itself cannot be replayed.
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
    for k in sorted({0, *along}):
        scenario = lab.variant(done[k]["settings"]) if k else lab.scenario
        done[k]["breach_minutes_per_month"] = breach_minutes(scenario, traffic)
    return Headroom(space, tuple(done), tuple(failed), lab.scenario.sla.max_violation_share)


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


def _share(share: float) -> str:
    if 0.0 < share < _TOLD:
        return f"less than {100.0 * _TOLD:g} %"
    return f"{float(f'{100.0 * share:.2g}'):g} %"


def _text(settings: Mapping[str, Any]) -> str:
    words = (
        f"{path} = {value:.4g}" if isinstance(value, float) else f"{path} = {value}"
        for path, value in settings.items()
    )
    return ", ".join(words)
