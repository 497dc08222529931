"""Which setting to replay next: the one that may gain most, by what is foreseen of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.replay.run import Traffic
from modeler.scenario.gates import Gate
from modeler.study.goal import Goal
from modeler.study.lab import Lab
from modeler.study.surrogate import Foreseen, chance, expected_gain, places

Row = dict[str, Any]
Settings = Mapping[str, Any]
Floats = NDArray[np.float64]

WITHIN: Final = 0.01
_AT_ONCE: Final = 2  # replays between two looks, so that two cores have work
_FIRST: Final = 3
_LEAST_SHARE: Final = 1e-7
_HOPELESS: Final = 0.02  # below such a chance of keeping its promises nothing is tried
# A piece misjudges misses: the first settings are as if it did not, by this factor, or by its
# inverse. [logarithm]
_MISJUDGED: Final = (0.0, 1.5, -1.5)


class _Promise(NamedTuple):
    """Something to be kept: the logarithm of a quantity below a limit."""

    of: Callable[[Row], float]
    limit: float


class Search:
    """Rows on all of the traffic, what they took, and what is foreseen of the rest.

    Parameters
    ----------
    lab : Lab.
    settings : sequence of mapping. The whole space.
    axes : mapping. Of the space.
    goal : Goal.
    gates : tuple of Gate.

    Attributes
    ----------
    axes : mapping. Of the space.
    rows : list of dict. Replayed on all of the traffic.
    spent : float. In replays of all of the traffic.
    """

    def __init__(
        self,
        lab: Lab,
        settings: Sequence[Settings],
        axes: Mapping[str, Sequence[Any]],
        goal: Goal,
        gates: tuple[Gate, ...] = (),
    ) -> None:
        self.lab, self.settings, self.goal, self.gates = lab, settings, goal, gates
        self.rows: list[Row] = []
        self.spent = 0.0
        self.axes = axes
        self._number = {_key(one): k for k, one in enumerate(settings)}
        self._tried: set[int] = set()
        self._promises = _promises(lab, goal, gates)
        self._foresee(None)

    def keeps(self, row: Row) -> bool:
        """Whether a row may win."""
        return self.goal.keeps(row) and all(gate.check(row).passed for gate in self.gates)

    def best(self) -> Row:
        """The best row so far; where none keeps what is asked, the one that comes closest to it."""
        return min(self.rows, key=lambda row: (self._missed_by(row), *self.goal.rank(row)))

    def _missed_by(self, row: Row) -> float:
        """By how much of its limit a row misses what it misses most; 0 where it may win."""
        if self.keeps(row):
            return 0.0
        if row["status"] != "ok":
            return math.inf
        missed = []
        if not self.goal.keeps(row):
            allowed = row["sla"]["max_violation_share"]
            missed.append((row["sla_violation_share"] - allowed) / (allowed or 1.0))
        for held in (gate.check(row) for gate in self.gates):
            if not held.passed:
                short = math.inf if held.margin is None else -held.margin
                missed.append(short / (abs(held.gate.limit) or 1.0))
        # A limit that must be gone beyond is missed where it is met.
        return max(*missed, math.ulp(0.0))

    def plateau(self, best: Row) -> list[Row]:
        """Rows that are as good, the best first."""
        limit = self.goal.value(best) * (1.0 + WITHIN)
        rows = [row for row in self.rows if self.keeps(row) and self.goal.value(row) <= limit]
        return sorted(rows, key=self.goal.rank)

    def on_piece(self, short: Traffic) -> None:
        """Replay everything on a piece of the traffic; what cannot be replayed is left out."""
        rows = self.lab.rows(self.settings, traffic=short)
        share = short.duration_s / self.lab.traffic().duration_s
        self.spent += share * sum(row["status"] == "ok" for row in rows)
        self._tried |= {k for k, row in enumerate(rows) if row["status"] != "ok"}
        if len(self._tried) == len(rows):
            self.rows += rows  # so that the reason is told
        self._foresee(rows)

    def whole(self, settings: Sequence[Settings]) -> bool:
        """Replay settings on all of the traffic; whether any of them had not been."""
        numbers = dict.fromkeys(self._number[_key(one)] for one in settings)
        fresh = [k for k in numbers if k not in self._tried]
        for number, row in zip(
            fresh, self.lab.rows([self.settings[k] for k in fresh]), strict=True
        ):
            self._tried.add(number)
            self.rows.append(row)
            if row["status"] != "ok":
                continue
            self.spent += 1.0
            self._value.learn(number, math.log(max(self.goal.value(row), _LEAST_SHARE)))
            for promise, foreseen in zip(self._promises, self._kept, strict=True):
                foreseen.learn(number, promise.of(row))
        return bool(fresh)

    def more(self, least_gain: float, budget: float) -> bool:
        """Replay the settings that promise most; False where none promises enough."""
        chosen: list[int] = []
        for _ in range(_FIRST if not self.rows else _AT_ONCE):
            if self.spent + len(chosen) + 1.0 > budget:
                break
            number = self._next(chosen, least_gain)
            if number is None:
                break
            chosen.append(number)
        return self.whole([self.settings[k] for k in chosen]) if chosen else False

    def _foresee(self, rows: Sequence[Row] | None) -> None:
        """Begin to foresee, from rows on a piece where there are any."""

        def rough(of: Callable[[Row], float]) -> Floats:
            if rows is None:
                return np.zeros(len(self.settings))
            values = [of(row) if row["status"] == "ok" else math.nan for row in rows]
            filled = np.array(values)
            filled[np.isnan(filled)] = np.nanmean(filled) if np.isfinite(filled).any() else 0.0
            return filled

        value = rough(lambda row: math.log(max(self.goal.value(row), _LEAST_SHARE)))
        kept = [rough(promise.of) for promise in self._promises]
        at = places(self.settings, self.axes, () if rows is None else (value, *kept))
        self._value = Foreseen(at, value)
        self._kept = [Foreseen(at, one) for one in kept]

    def _next(self, believed: Sequence[int], least_gain: float) -> int | None:
        """The setting to replay, as if those believed had come out as foreseen."""
        mean, spread = self._value.everywhere()
        if believed:
            mean, spread = self._value.everywhere({k: float(mean[k]) for k in believed})
        likely = np.ones(mean.shape)
        for promise, foreseen in zip(self._promises, self._kept, strict=True):
            its_mean, its_spread = foreseen.everywhere()
            if believed:
                assumed = {k: float(its_mean[k]) for k in believed}
                its_mean, its_spread = foreseen.everywhere(assumed)
            off = 0.0 if self.rows else _MISJUDGED[len(believed) % len(_MISJUDGED)]
            likely *= chance(its_mean, its_spread, promise.limit + off)
        open_ = np.ones(mean.shape, dtype=bool)
        open_[[*self._tried, *believed]] = False
        if not open_.any():
            return None
        winners = [self.goal.value(row) for row in self.rows if self.keeps(row)]
        if winners:
            gain = likely * expected_gain(mean, spread, math.log(min(winners)))
            gain[likely < _HOPELESS] = 0.0
            number = int(np.argmax(np.where(open_, gain, -1.0)))
            return number if gain[number] > least_gain else None
        # Nothing keeps its promises yet: the cheapest that is likely to, else the likeliest.
        if self._promises and likely[open_].max() < 0.5:
            merit = np.where(open_, likely, -1.0)
            if likely[open_].max() <= 0.0:
                merit = np.where(open_, -self._kept[0].everywhere()[0], -math.inf)
            return int(np.argmax(merit))
        return int(np.argmin(np.where(open_ & (likely >= 0.5), mean, math.inf)))


def _promises(lab: Lab, goal: Goal, gates: tuple[Gate, ...]) -> list[_Promise]:
    found = []
    if goal.kind == "cheapest":
        allowed = lab.scenario.sla.max_violation_share
        found.append(_Promise(_log_share, math.log(max(allowed, _LEAST_SHARE)) + 1e-9))
    for gate in gates:
        if gate.comparison in ("<", "<=") and gate.limit > 0.0:
            found.append(_Promise(_log_of(gate), math.log(gate.limit) + 1e-9))
    return found


def _log_share(row: Row) -> float:
    # Half a request more: no miss in a thousand requests is less than none in a hundred.
    return math.log(row["sla_violation_share"] + 0.5 / max(row["requests"], 1))


def _log_of(gate: Gate) -> Callable[[Row], float]:
    def of(row: Row) -> float:
        value = gate.check(row).value
        return math.log(max(value if value is not None else math.inf, _LEAST_SHARE))

    return of


def _key(settings: Settings) -> str:
    return repr(sorted((path, str(value)) for path, value in settings.items()))
