"""Columns of text laid out in a width: in one block if they fit, else in several."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from modeler.report import numbers
from modeler.report.terminal import Paint


@dataclass(frozen=True)
class Line:
    """A line of a table.

    Parameters
    ----------
    cells : tuple of str. One a column; a line with a reason has those of the key columns only.
    inks : tuple of str. One a cell, ``""`` for none.
    reason : str or None. Why there is nothing but the key columns.
    """

    cells: tuple[str, ...]
    inks: tuple[str, ...]
    reason: str | None = None


@dataclass(frozen=True)
class Layout:
    """Where the columns stand.

    Parameters
    ----------
    heads : sequence of tuples of str. Each column's heading, as many lines for all of them.
    lefts : sequence of bool. Which columns are flush left.
    keys : int. So many first columns name a line and are repeated in every block.
    lines : sequence of Line. All of them: they make the columns as wide as they are.
    width : int. Cells of a line. [characters]
    """

    heads: Sequence[tuple[str, ...]]
    lefts: Sequence[bool]
    keys: int
    lines: Sequence[Line]
    width: int

    def blocks(self, own: Sequence[Line], others: Sequence[Line], paint: Paint) -> Iterable[str]:
        """Text lines: headings, `own`, a rule, `others`; for each block in turn.

        A line with a reason stands in the first block only, one of `others` only in blocks in
        which it has something to say.
        """
        widths = [
            max(cell_len(text) for text in (*head, *self._cells(i)))
            for i, head in enumerate(self.heads)
        ]
        # Columns stand closer together if that spares a second block.
        gap = next((g for g in ("  ", " ") if len(self._fit(widths, len(g))) == 1), "  ")
        for number, chosen in enumerate(self._fit(widths, len(gap))):
            if number:
                yield ""
            for texts in zip(*(self.heads[i] for i in chosen), strict=True):
                if any(texts):
                    yield paint(gap.join(self._padded(texts, chosen, widths)), "bold")
            for line in own:
                if line.reason is None:
                    yield self._painted(line, chosen, widths, gap, paint)
                elif number == 0:
                    named = gap.join(self._padded(line.cells, range(self.keys), widths)) + gap
                    yield from self._reason(named, line.reason, paint)
            told = [line for line in others if _says(line, chosen[self.keys :])]
            if told:
                full = sum(widths[i] for i in chosen) + len(gap) * (len(chosen) - 1)
                yield paint("─" * min(self.width, full), "dim")
            for line in told:
                yield self._painted(line, chosen, widths, gap, paint)

    def _cells(self, column: int) -> list[str]:
        return [line.cells[column] for line in self.lines if column < len(line.cells)]

    def _fit(self, widths: Sequence[int], gap: int) -> list[list[int]]:
        """Column numbers of each block: the keys, and as many others as there is room for."""
        blocks: list[list[int]] = []
        room = 0
        for i in range(self.keys, len(widths)):
            need = widths[i] + gap
            if not blocks or need > room:
                blocks.append(list(range(self.keys)))
                room = self.width - sum(widths[: self.keys]) - gap * (self.keys - 1)
            blocks[-1].append(i)
            room -= need
        return blocks

    def _padded(
        self, cells: Iterable[str], chosen: Iterable[int], widths: Sequence[int]
    ) -> list[str]:
        return [_pad(text, widths[i], self.lefts[i]) for text, i in zip(cells, chosen, strict=True)]

    def _painted(
        self, line: Line, chosen: Sequence[int], widths: Sequence[int], gap: str, paint: Paint
    ) -> str:
        padded = self._padded((line.cells[i] for i in chosen), chosen, widths)
        return gap.join(paint(text, line.inks[i]) for text, i in zip(padded, chosen, strict=True))

    def _reason(self, named: str, reason: str, paint: Paint) -> Iterable[str]:
        """The reason beside the line's name, or below it where there is too little room."""
        indent = cell_len(named)
        if indent > self.width // 2:
            yield named
            indent = 4
            named = " " * indent
        for text in textwrap.wrap(reason, self.width - indent):
            yield named + paint(text, "bad")
            named = " " * indent


def _says(line: Line, chosen: Iterable[int]) -> bool:
    """Whether a line has anything in these columns."""
    return any(line.cells[i] not in ("", numbers.DASH) for i in chosen)


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * max(width - cell_len(text), 0)
    return text + blanks if left else blanks + text
