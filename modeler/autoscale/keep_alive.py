"""How long an idle execution environment is kept: one law, drawn anew for each idle period."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces import draws

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KeepAlive:
    """The law of the keep-alive.

    Parameters
    ----------
    kind : str. ``fixed``, ``exponential``, ``lognormal`` or ``empirical``.
    mean_s : float. Mean; of ``fixed``, the value. Infinite: environments are never reclaimed. [s]
    cv : float. Standard deviation over mean of ``lognormal``. [1]
    values_s : tuple of float. Values of ``empirical``, all equally likely. [s]
    seed, stream : int, str. Of the draws.
    """

    kind: str
    mean_s: float
    cv: float = 1.0
    values_s: tuple[float, ...] = ()
    seed: int = 0
    stream: str = "keep_alive"

    @property
    def sampled(self) -> bool:
        """Whether the keep-alive varies."""
        return self.kind != "fixed"

    def draw(self, first: int, count: int) -> Floats:
        """Keep-alives of the idle periods after requests ``first .. first + count - 1``. [s]

        An idle period has the ordinal of the request that began it by ending last. A fixed
        keep-alive is one value, whatever the count.
        """
        if not self.sampled:
            return np.full(1, self.mean_s)
        if self.kind == "exponential":
            return self.mean_s * draws.exponential(self.seed, self.stream, first, count)
        if self.kind == "lognormal":
            sigma2 = math.log1p(self.cv**2)
            normal = draws.normal(self.seed, self.stream, first, count)
            return self.mean_s * np.exp(math.sqrt(sigma2) * normal - sigma2 / 2.0)
        values = np.asarray(self.values_s)
        chosen = draws.uniform(self.seed, self.stream, first, count) * len(values)
        return values[chosen.astype(np.int64)]


def fixed(seconds: float) -> KeepAlive:
    """A keep-alive that never varies. [s]"""
    return KeepAlive("fixed", seconds)
