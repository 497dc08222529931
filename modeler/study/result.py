"""What a sweep gives: rows, references, verdict, and where the numbers come from."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import modeler
from modeler.replay.run import Traffic
from modeler.scenario.gates import Gate, Verdict, parse_gates
from modeler.study.goal import Goal
from modeler.study.grid import Point
from modeler.study.jobs.task import Packed, Shelf, Unpacker
from modeler.study.verdict import best_row, pareto, verdict

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

# What a verdict and a table of marks look at; the rest of a row is unpacked when it is asked for.
_BRIEF = (
    "scenario_id", "settings", "preset", "label", "size_bytes", "instance_type", "policy",
    "requests", "usd_total", "usd_per_hour", "sla_violation_share", "meets_sla", "sla",
    "violations_by_cause", "decision_to_ready_s", "uncertainty", "status", "error",
    "error_kind",
)  # fmt: skip


class Rows(Sequence[Row]):
    """Finished rows, each unpacked when it is looked at: kept so, one takes half a kilobyte.

    Parameters
    ----------
    packed : iterable of Packed. Those without a row (no fleet can run) are left out.
    gates : sequence of Gate. Held against each row as it is looked at.

    Attributes
    ----------
    brief : list of dict. Of each row what verdicts look at.
    """

    def __init__(self, packed: Iterable[Packed], gates: Sequence[Gate] = ()) -> None:
        self._gates = gates
        self._unpacker = Unpacker()
        self._shelf = Shelf()
        self.brief: list[Row] = []
        brief: Row = {}
        for one in packed:
            row = self._unpacker.add(one).row(one)
            if row:
                self._shelf.add(one)
                brief = _brief(row, brief)
                self.brief.append(brief)
        self._pareto = pareto(self.brief)

    def __len__(self) -> int:
        return len(self._shelf)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        row = self._unpacker.read(*self._shelf[index])
        row["pareto"] = self._pareto[index]
        if self._gates:
            row["gates"] = [gate.check(row).to_dict() for gate in self._gates]
        return row

    def __iter__(self) -> Iterator[Row]:
        return (self[k] for k in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _brief(row: Row, last: Row) -> Row:
    """What verdicts look at; neighbours share what they have in common, names of keys as well."""
    found = {}
    for key in _BRIEF:
        if key in row:
            value, known = row[key], last.get(key)
            if type(value) is dict:
                value = {sys.intern(name): one for name, one in value.items()}
            found[key] = known if type(value) is type(known) and value == known else value
    return found


@dataclass(frozen=True, repr=False)
class SweepResult:
    """A sweep's rows, references and verdict.

    ``rows`` has one row a scenario, in the grid's order; a failed one keeps its place with
    ``status`` and ``error``. ``references`` are the smallest fixed fleets that keep the service
    level, or whose waits do not break it where service times alone do. ``points`` are the
    scenarios themselves; ``gates`` are the scenario's gates held against the best row; ``run``
    names the ledger's file, where there is one; ``goal`` is what an optimisation went by.
    """

    meta: dict[str, Any]
    rows: Rows
    references: Rows
    verdict: str
    points: tuple[Point, ...]
    gates: tuple[Verdict, ...] = ()
    run: str | None = None
    goal: Goal | None = None

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``sweep/1``."""
        whole = self.lazy()
        return {**whole, **{key: list(whole[key]) for key in ("scenarios", "references")}}

    def lazy(self) -> dict[str, Any]:
        """As `to_dict`, with rows that are unpacked one by one as they are looked at."""
        return document(self.meta, self.rows, self.references, self.verdict)

    def frame(self) -> pd.DataFrame:
        """One row a scenario; nested values become dotted columns."""
        import pandas as pd

        return pd.json_normalize(list(self.rows))

    def __repr__(self) -> str:
        return f"SweepResult of {len(self.rows)} scenarios: {self.verdict}"

    def _repr_html_(self) -> str:
        columns = ["size_bytes", "usd_per_hour", "sla_violation_share", "pareto", "status"]
        table: str = self.frame().reindex(columns=columns).to_html()
        return f"<p>{self.verdict}</p>{table}"

    @property
    def failed(self) -> int:
        """Number of scenarios without a result."""
        return sum(1 for row in self.rows.brief if row["status"] != "ok")


def result_of(
    packed: Iterable[Packed],
    scenarios: int,
    meta: Mapping[str, Any],
    points: Sequence[Point] = (),
    *,
    gates: Sequence[str] = (),
    run: str | None = None,
    goal: Goal | None = None,
) -> SweepResult:
    """The result of packed rows.

    Parameters
    ----------
    packed : iterable of Packed. The scenarios' rows, then the references'; gone through once.
    scenarios : int. How many of them are scenarios.
    meta : mapping. As `meta_of` gives it.
    points : sequence of Point. The scenarios, where they are known.
    gates : sequence of str. The scenario's.
    run : str, optional. Name of the ledger's file.
    goal : Goal, optional. What an optimisation went by.
    """
    asked = parse_gates(gates)
    each = iter(packed)
    rows, references = Rows(islice(each, scenarios), asked), Rows(each)
    best = best_row(rows.brief)
    # Where no scenario could be replayed there is nothing to hold gates against, and none is kept.
    held = {} if best is None else rows[rows.brief.index(best)]
    dates = {price["as_of"] for row in rows for price in row["prices"] if price["as_of"]}
    return SweepResult(
        meta={**meta, "price_dates": sorted(dates)},
        rows=rows,
        references=references,
        verdict=verdict(rows.brief, references.brief),
        points=tuple(points),
        gates=tuple(gate.check(held) for gate in asked),
        run=run,
        goal=goal,
    )


def document(
    meta: Mapping[str, Any], rows: Sequence[Row], references: Sequence[Row], said: str
) -> dict[str, Any]:
    """A sweep as schema ``sweep/1`` has it."""
    return {
        "schema": "sweep/1",
        "run": meta,
        "verdict": said,
        "scenarios": rows,
        "references": references,
    }


_PAYLOAD = (
    "sizes in fp8, int8 and int4 are those of the parameters alone: a quantised file adds scales "
    "and keeps embeddings and norms in 16 bits, which service.architecture would count"
)


def meta_of(points: Sequence[Point], load: Callable[[str, int], Traffic]) -> dict[str, Any]:
    """Where the numbers come from; nothing that changes from one run to the next."""
    seen: dict[str, dict[str, Any]] = {}
    for point in points:
        traffic = load(point.scenario.trace, point.scenario.seed)
        seen[traffic.content_hash] = {
            "source": traffic.source,
            "content_hash": traffic.content_hash,
            "requests": traffic.requests,
            "duration_s": traffic.duration_s,
        }
    return {
        "name": points[0].scenario.name if points else "",
        "versions": {
            "modeler": modeler.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba")},
        },
        "traces": list(seen.values()),
        "price_dates": [],
        "seed": points[0].scenario.seed if points else 0,
        "notes": [_PAYLOAD] if any(point.payload for point in points) else [],
    }
