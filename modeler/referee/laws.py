"""Laws of gaps and service times, drawn from the counter-based hash of `traces.draws`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from modeler.referee.parameters import CaseError
from traces.draws import exponential, normal, uniform

Floats = NDArray[np.float64]


class Law(Protocol):
    """A positive random time with known mean and squared coefficient of variation."""

    @property
    def mean(self) -> float:
        """Its mean. [s]"""

    @property
    def cv2(self) -> float:
        """Variance over squared mean. [-]"""

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """Draws number `first` to ``first + count - 1`` of a stream. [s]"""


@dataclass(frozen=True)
class Deterministic:
    """Always the same."""

    mean: float
    cv2: float = 0.0

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """`count` times the mean. [s]"""
        return np.full(count, self.mean)


@dataclass(frozen=True)
class Exponential:
    """Without memory."""

    mean: float
    cv2: float = 1.0

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """Exponential draws. [s]"""
        drawn = exponential(seed, stream, first, count)
        drawn *= self.mean
        return drawn


@dataclass(frozen=True)
class Uniform:
    """Between ``mean - half`` and ``mean + half``."""

    mean: float
    half: float

    @property
    def cv2(self) -> float:
        """Variance over squared mean. [-]"""
        return (self.half / self.mean) ** 2 / 3.0

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """Uniform draws. [s]"""
        drawn = uniform(seed, stream, first, count)
        drawn *= 2.0 * self.half
        drawn += self.mean - self.half
        return drawn


@dataclass(frozen=True)
class Hyperexponential:
    """Two exponential branches of equal weight in the mean (balanced means), for cv2 above 1.

    A branch is taken with probability p = (1 + sqrt((cv2 - 1) / (cv2 + 1))) / 2 and mean
    mean / (2 p); the other with 1 - p and mean / (2 (1 - p)) (Whitt, "Approximating a point process
    by a renewal process", Operations Research 30, 1982, section 3).
    """

    mean: float
    cv2: float

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """One uniform a draw: which branch, and what is left of it, stretched, the draw. [s]"""
        p = (1.0 + math.sqrt((self.cv2 - 1.0) / (self.cv2 + 1.0))) / 2.0
        u = uniform(seed, stream, first, count)
        often = u < p
        u = np.where(often, u / p, (u - p) / (1.0 - p))
        np.log(np.maximum(u, 2.0**-53), out=u)
        u *= np.where(often, -self.mean / (2.0 * p), -self.mean / (2.0 * (1.0 - p)))
        return u


@dataclass(frozen=True)
class Erlang:
    """A sum of `stages` exponential stages; with probability `fewer` of one stage less.

    The mixture takes any cv2 between 1 / stages and 1 / (stages - 1) (Tijms, "Stochastic Models:
    An Algorithmic Approach", 1994, appendix B).
    """

    mean: float
    stages: int
    fewer: float = 0.0

    @property
    def cv2(self) -> float:
        """Variance over squared mean. [-]"""
        n = self.stages - self.fewer
        return (n + self.fewer * (1.0 - self.fewer)) / n**2

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """One uniform a stage, one more to choose their number. [s]"""
        k = self.stages
        u = uniform(seed, stream, k * first, k * count).reshape(count, k)
        if self.fewer > 0.0:
            short = uniform(seed, f"{stream}.stages", first, count) < self.fewer
            u[short, k - 1] = 1.0
        return -np.log(u).sum(axis=1) * (self.mean / (k - self.fewer))


@dataclass(frozen=True)
class Lognormal:
    """The exponential of a normal."""

    mean: float
    cv2: float

    def draw(self, seed: int, stream: str, first: int, count: int) -> Floats:
        """Lognormal draws. [s]"""
        variance = math.log1p(self.cv2)
        z = normal(seed, stream, first, count)
        return np.exp(math.sqrt(variance) * z + (math.log(self.mean) - variance / 2.0))


def two_moments(mean: float, cv2: float) -> Law:
    """A law with this mean and this squared coefficient of variation.

    Deterministic at 0, a mixture of Erlang laws under 1, exponential at 1, balanced
    hyperexponential above.
    """
    if cv2 <= 0.0:
        return Deterministic(mean)
    if math.isclose(cv2, 1.0, rel_tol=1e-9):
        return Exponential(mean)
    if cv2 > 1.0:
        return Hyperexponential(mean, cv2)
    k = max(math.ceil(1.0 / cv2 - 1e-9), 2)
    root = math.sqrt(max(k * (1.0 + cv2) - k * k * cv2, 0.0))
    fewer = (k * cv2 - root) / (1.0 + cv2)
    return Erlang(mean, k, 0.0 if abs(fewer) < 1e-9 else fewer)


# Erlang laws of more stages than this cost more than they tell.
_MOST_STAGES: Final = 64
_NUMBER: Final = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"


def service_law(name: str, mean: float, cv2: float | None) -> tuple[Law, str]:
    """The service law of a case, by the name of its distribution and its two moments.

    Parameters
    ----------
    name : str. As the case has it: "hyperexponential cv2=9", "uniform(0,2)", "erlang-4"; may be
        empty.
    mean : float. [s]
    cv2 : float, optional. Squared coefficient of variation; read from the name when not given. [-]

    Returns
    -------
    tuple
        The law, and a note when it is not the one named but one of the same two moments.

    Raises
    ------
    CaseError
        The name alone does not tell cv2, or no law of that name has it.
    """
    plain = name.strip().lower()
    if cv2 is None:
        cv2 = cv2_of(plain)
    if cv2 is None:
        raise CaseError(f"params.cv2_service is missing and {name!r} does not tell it")
    if cv2 < 0.0:
        raise CaseError(f"params.cv2_service: found {cv2:g}, expected 0 or more")
    if cv2 > 0.0 and plain.startswith(("unif", "u(")):
        half = mean * math.sqrt(3.0 * cv2)
        if half > mean * (1.0 + 1e-9):
            raise CaseError(f"a uniform law has no cv2 of {cv2:g}: at most 1/3")
        return Uniform(mean, min(half, mean)), ""
    if cv2 > 0.0 and plain.replace("-", "").startswith("lognorm"):
        return Lognormal(mean, cv2), ""
    if 0.0 < cv2 < 1.0 / _MOST_STAGES:
        return _nearly_constant(name, mean, cv2)
    law = two_moments(mean, cv2)
    known: Any = {
        Deterministic: ("det", "const", "d", "fixed"),
        Exponential: ("exp", "m", "markov"),
        Hyperexponential: ("hyper", "h2", "h_2"),
        Erlang: ("erl", "e"),
    }[type(law)]
    # An Erlang law proper has a whole number of stages; a mixture stands in for another law.
    proper = not (isinstance(law, Erlang) and law.fewer > 0.0)
    if plain.startswith(known) and proper:
        return law, ""
    what = f"distribution {name!r}" if name else "an unnamed distribution"
    return law, f"{what}: replayed as {type(law).__name__.lower()} of the same mean and cv2"


def _nearly_constant(name: str, mean: float, cv2: float) -> tuple[Law, str]:
    half = mean * math.sqrt(3.0 * cv2)
    return Uniform(mean, half), f"distribution {name!r}: replayed as uniform of the same mean, cv2"


def cv2_of(plain: str) -> float | None:
    """cv2 as far as a distribution's name tells it."""
    told = re.search(rf"(?:cv2|scv|cv\^2|cv²)\s*=?\s*({_NUMBER})", plain)
    if told:
        return float(told.group(1))
    if plain.startswith(("det", "const", "fixed")) or plain == "d":
        return 0.0
    if plain.startswith(("exp", "markov")) or plain == "m":
        return 1.0
    stages = re.match(r"(?:erlang|e)\D*(\d+)", plain)
    if stages and int(stages.group(1)) > 0:
        return 1.0 / int(stages.group(1))
    ends = re.match(rf"u(?:niform)?\W*({_NUMBER})\s*,\s*({_NUMBER})", plain)
    if ends:
        low, high = float(ends.group(1)), float(ends.group(2))
        return ((high - low) / (high + low)) ** 2 / 3.0
    return None
