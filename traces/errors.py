"""What may be wrong with a trace, as one exception whose attributes a caller can use."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes
    ----------
    what : str. What is wrong.
    expected : str, optional. What would do.
    row : int, optional. Row of data, the first being 1.
    line : int, optional. Line of the text file, the header (if any) being 1.
    column : str, optional. Column, as the file or the type names it.
    value : str, optional. What was found there.
    """

    what: str
    expected: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line is not None else None
        if place is None and self.row is not None:
            place = f"row {self.row}"
        found = None
        if self.column is not None:
            found = self.column if self.value is None else f"{self.column} = {self.value!r}"
        elif self.value is not None:
            found = repr(self.value)
        text = ": ".join(part for part in (place, found, self.what) if part)
        return text if self.expected is None else f"{text}; expected {self.expected}"


class TraceError(ValueError):
    """A trace that cannot be read, built or written.

    Attributes
    ----------
    path : str or None. The file, or None for a trace built from arrays.
    problems : tuple of Problem. The first ones found, in order of the file.
    more : int. How many further ones there are beyond `problems`.
    row, line, column, value, expected
        Those of the first problem.
    """

    exit_code = 2

    def __init__(
        self, path: str | None, problems: Problem | Sequence[Problem], more: int = 0
    ) -> None:
        found = (problems,) if isinstance(problems, Problem) else tuple(problems)
        # All arguments go to the base, so that the error survives the way back from a worker.
        super().__init__(path, found, more)
        self.path, self.problems, self.more = path, found, more
        first = found[0]
        self.row, self.line = first.row, first.line
        self.column, self.value, self.expected = first.column, first.value, first.expected

    def __str__(self) -> str:
        head = f"{self.path}: " if self.path is not None else ""
        if len(self.problems) == 1 and not self.more:
            return f"{head}{self.problems[0]}"
        total = len(self.problems) + self.more
        lines = [f"{head}{total:,} problems", *(f"  {problem}" for problem in self.problems)]
        if self.more:
            lines.append(f"  and {self.more:,} more")
        return "\n".join(lines)
