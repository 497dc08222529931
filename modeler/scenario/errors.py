"""What is wrong with a scenario: every problem at once, each where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final


@dataclass(frozen=True)
class Problem:
    """One mistake.

    Attributes
    ----------
    message : str. What is wrong.
    path : str. The setting, e.g. ``policy.target``; empty for the file as a whole.
    value : object. What was found.
    expected : str. What would be right; empty when the message says it.
    nearest : str. The closest known name; empty when none is close.
    file : str, optional. The file, None for a setting made in code or on the command line.
    line, column : int, optional. Where it starts, counted from 1.
    source_line : str. That line's text.
    width : int. Characters to underline.
    """

    message: str
    path: str = ""
    value: object = None
    expected: str = ""
    nearest: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    source_line: str = ""
    width: int = 1

    def render(self) -> str:
        """The problem as a compiler would show it."""
        help_text = f'did you mean "{self.nearest}"?' if self.nearest else ""
        head = f"error: {self.message}"
        if self.line is None or self.column is None:
            where = f"  --> {self.file}\n" if self.file else ""
            tail = f"\n{where}   = {help_text}" if help_text else f"\n{where}"
            return f"{head}{tail}".rstrip()
        gutter = " " * len(str(self.line))
        caret = " " * (self.column - 1) + "^" * max(1, self.width)
        return "\n".join(
            [
                head,
                f"{gutter}--> {self.file}:{self.line}:{self.column}",
                f"{gutter} |",
                f"{self.line} | {self.source_line}",
                f"{gutter} | {caret} {help_text}".rstrip(),
            ]
        )


class ScenarioError(Exception):
    """A scenario that cannot be used.

    Attributes
    ----------
    problems : tuple of Problem. All that was found, in the order of the file.
    """

    exit_code: Final = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(
            sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        )
        super().__init__(self.problems)

    @property
    def summary(self) -> str:
        """All of it in one line, for a cell of a table."""
        return "; ".join(problem.message for problem in self.problems)

    def __str__(self) -> str:
        shown = [problem.render() for problem in self.problems]
        if len(shown) > 1:
            shown.append(f"{len(shown)} errors")
        return "\n".join(shown)


def nearest(name: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """The known name closest to a misspelt one, or an empty string.

    The first that begins with its words comes before one that merely looks alike.

    >>> nearest("targt", ["kind", "target", "target_utilisation"])
    'target'
    >>> nearest("eks", ["ecs", "eks_karpenter"])
    'eks_karpenter'
    """
    if name in known:
        return name
    begun = [one for one in known if one.lower().startswith(f"{name.lower()}_")]
    if begun:
        return begun[0]
    close = get_close_matches(name, known, n=1, cutoff=cutoff)
    if close:
        return close[0]
    lowered = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[close[0]] if close else ""
