"""What keeps a scenario from being replayed."""

from __future__ import annotations

from typing import Final


class StartsTooSlowly(Exception):
    """A cold start that the platform does not wait for.

    Attributes
    ----------
    start_s : float. Median of the cold start. [s]
    limit_s : float. What the platform allows. [s]
    setting : str. The setting that holds the limit.
    """

    exit_code: Final = 2

    def __init__(self, start_s: float, limit_s: float, setting: str) -> None:
        super().__init__(start_s, limit_s, setting)
        self.start_s, self.limit_s, self.setting = start_s, limit_s, setting

    def __str__(self) -> str:
        return (
            f"a cold start takes {self.start_s:.4g} s (median), but the platform gives up after "
            f"{self.limit_s:.4g} s ({self.setting}): nothing would ever serve; raise "
            f"{self.setting}, or take a smaller model or a faster start"
        )
