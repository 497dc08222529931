"""What cannot be said in a form: collected, so that all of it is told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from modeler.scenario import Problem, ScenarioError


@dataclass
class Refusals:
    """The settings that the asked form has no words for.

    Attributes
    ----------
    form : str. What is written, such as ``terraform``.
    problems : list of Problem. One a setting.
    """

    form: str
    problems: list[Problem] = field(default_factory=list)

    def say(self, path: str, value: object, why: str, expected: str = "") -> None:
        """Note a setting that does not fit."""
        shown = f"{path} = {_shown(value)} cannot be written as {self.form}: {why}"
        message = f"{shown}; expected {expected}" if expected else shown
        self.problems.append(Problem(message, path, value, expected))

    def whole(self, path: str, value: float) -> int:
        """A whole number where the platform takes no other; the nearest where it is none."""
        nearest = round(value)
        if nearest != value:
            self.say(path, value, "the platform takes whole numbers", f"{nearest}")
        return nearest

    def end(self) -> None:
        """Refuse if anything was noted.

        Raises
        ------
        ScenarioError
            With all problems.
        """
        if self.problems:
            raise ScenarioError(self.problems)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
