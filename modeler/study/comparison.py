"""Two scenarios beside each other: what differs in settings, in figures, and from when on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from modeler.plain import to_plain
from modeler.study.compare_words import advice
from modeler.study.diverge import Changed, Divergence
from modeler.study.intervals import Band

if TYPE_CHECKING:
    import pandas as pd


class Compared(NamedTuple):
    """A headline figure of two scenarios.

    Attributes
    ----------
    figure : str. ``usd_per_month``, ``sla_violation_share``, ``latency_p99_s``,
        ``breach_to_ready_p95_s``, ``decision_to_ready_p50_s`` or ``peak_replicas``.
    unit : str.
    a, b : float, optional. Of the traffic as it came; None where there is none.
    difference : float, optional. The second less the first: the middle of its interval, without
        any of the traffic as it came. Of a share no more than `a` has to lose or `b` has, where the
        interval holds that.
    low, high : float, optional. Its interval; None where nothing was drawn again.
    differs : bool, optional. Whether it differs by more than chance; None where nothing says.
    """

    figure: str
    unit: str
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    differs: bool | None


class Level(NamedTuple):
    """How a scenario stands to its service level.

    Attributes
    ----------
    threshold_s : float. What takes longer is missed. [s]
    allowed : float. Share of requests that may be missed.
    share : Band, optional. Of requests missed, over the replicates.
    verdict : str. ``keeps``, ``breaks`` or ``unsure``; see `modeler.study.level.standing`.
    """

    threshold_s: float
    allowed: float
    share: Band | None
    verdict: str


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a second scenario changes, over the same traffic and luck.

    Parameters
    ----------
    names : (str, str). Of the first, A, and the second, B.
    changed : tuple of Changed. Settings in force that they do not share.
    figures : tuple of Compared. B's less A's.
    levels : (Level, Level). Of A and of B.
    replicates : int. Pairs that were replayed.
    values : mapping of figure to (sequence, sequence). Of each replicate, NaN where it has none.
    divergence : Divergence, optional. When the replays of the traffic as it came first part.
    replayed : bool. Whether both were replayed here, so that there is a divergence to find.
    trace : mapping. ``source``, ``content_hash``, ``requests`` and ``duration_s``.
    notes : tuple of str.
    """

    names: tuple[str, str]
    changed: tuple[Changed, ...]
    figures: tuple[Compared, ...]
    levels: tuple[Level, Level]
    replicates: int
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    divergence: Divergence | None
    replayed: bool
    trace: Mapping[str, Any]
    notes: tuple[str, ...]

    def __getitem__(self, figure: str) -> Compared:
        return {one.figure: one for one in self.figures}[figure]

    @property
    def differs(self) -> bool | None:
        """Whether any figure differs by more than chance; None where nothing says."""
        known = [one.differs for one in self.figures if one.differs is not None]
        return any(known) if known else None

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``compare/1``."""
        plain: dict[str, Any] = to_plain(
            {
                "schema": "compare/1",
                "a": self.names[0],
                "b": self.names[1],
                "trace": dict(self.trace),
                "changed": [one._asdict() for one in self.changed],
                "figures": [one._asdict() for one in self.figures],
                "differs": self.differs,
                "level": {"a": self.levels[0], "b": self.levels[1]},
                "replicates": self.replicates,
                "values": {
                    name: {"a": list(a), "b": list(b)} for name, (a, b) in self.values.items()
                },
                "replayed": self.replayed,
                "divergence": self.divergence,
                "notes": self.notes,
                "advice": self.sentence(),
            }
        )
        return plain

    def frame(self) -> pd.DataFrame:
        """One row a figure."""
        import pandas as pd

        return pd.DataFrame([one._asdict() for one in self.figures])

    def sentence(self) -> str:
        """What B changes in words."""
        return advice(self.names, self.figures, self.levels, self.replicates)

    def __repr__(self) -> str:
        return f"Comparison of {self.names[0]} and {self.names[1]}: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"
