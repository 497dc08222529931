"""What interventions cost: once to build, and every month to keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from modeler.predict.interventions import NAMES
from modeler.scenario.errors import nearest
from modeler.study.goal import GoalError
from modeler.study.intervals import Difference

# Those that hold something ready which no replay bills: volumes, prepared disks, sleeping engines.
HELD: Final = ("data cache", "stopped warm pool", "sleep and wake")


@dataclass(frozen=True)
class Costs:
    """What each intervention costs.

    Parameters
    ----------
    once_usd : float or mapping of name to float, optional. One number is for all of them. [USD]
    running_usd : mapping of name to float. To keep it, every month. [USD/month]

    Raises
    ------
    modeler.study.goal.GoalError : a name that is no intervention, or less than nothing.
    """

    once_usd: float | Mapping[str, float] | None = None
    running_usd: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        once = self.once_usd if isinstance(self.once_usd, Mapping) else {"": self.once_usd or 0.0}
        wrong = []
        for what, given in (("cost", once), ("running", self.running_usd or {})):
            for name, usd in given.items():
                at = f'{what} of "{name}"' if name else what
                if name and name not in NAMES:
                    near = nearest(name, NAMES) or ", ".join(NAMES)
                    wrong.append(f"{at}: no such intervention; expected {near}")
                elif not 0.0 <= usd < math.inf:
                    wrong.append(f"{at}: {usd:g}: expected 0 dollars or more")
        if wrong:
            raise GoalError("; ".join(wrong))

    def once(self, name: str) -> float | None:
        """What one costs once; None where it is not said. [USD]"""
        if isinstance(self.once_usd, Mapping):
            return self.once_usd.get(name)
        return self.once_usd

    def running(self, name: str) -> float | None:
        """What it costs to keep; None where it is not said. [USD/month]"""
        return (self.running_usd or {}).get(name)


def called(name: str) -> str:
    """An intervention as an option may name it: ``image-cache``.

    >>> called("weights-on-local_nvme"), called("int8")
    ('weights on local NVMe', 'int8')
    """
    plain = name.strip().replace("_", " ")
    known = {_key(one): one for one in NAMES}
    return known.get(_key(plain), plain)


def less(found: Difference, usd: float) -> Difference:
    """An interval of what is saved, with a sum taken off that does not vary."""
    low, high = found.low - usd, found.high - usd
    return Difference(low, high, found.middle - usd, low > 0.0 or high < 0.0, found.replicates)


def _key(name: str) -> str:
    return name.lower().replace("_", " ").replace("-", " ")
