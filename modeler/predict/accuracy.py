"""Accuracy against size among published models of one benchmark, and how its returns diminish.

    accuracy(N) = top - a N^-b

over the models that no smaller one reaches, for N parameters. It describes those rows, says by how
much it misses each of them when it is fitted without it, and makes no model better than it is: what
a variant reaches comes from its source alone.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.predict.catalogue import Variant, catalogue

Floats = NDArray[np.float64]

# Of these less is better.
_ERRORS: Final = (" epe", " fl_all")
_LEAST_POINTS: Final = 5
_HIGHEST: Final = 100.0  # percent
_POWERS: Final = np.linspace(0.02, 2.0, 199)


class NoCurve(LookupError):
    """A benchmark without enough models of its own; names the nearest that has."""

    exit_code: Final = 2


@dataclass(frozen=True)
class AccuracyCurve:
    """The fitted law of one benchmark.

    Parameters
    ----------
    benchmark : str.
    frontier : tuple of Variant. Models that no smaller one reaches, smallest first.
    models : int. That it was drawn from.
    top, scale, power : float. Of the law; `top` in percent.
    spread : float. Root mean square of what the law misses each row by when it is fitted without
        it. [percentage points]
    """

    benchmark: str
    frontier: tuple[Variant, ...]
    models: int
    top: float
    scale: float
    power: float
    spread: float

    def at(self, parameters: float) -> float:
        """Accuracy of the frontier at a size. [percent]

        Raises
        ------
        ValueError : a size beyond the published ones; the law says nothing there.
        """
        low, high = (float(one.parameters or 0) for one in (self.frontier[0], self.frontier[-1]))
        if not low <= parameters <= high:
            raise ValueError(
                f"{parameters:.3g} parameters lie outside of the {low:.3g} to {high:.3g} of the "
                f"models published with {self.benchmark}"
            )
        return self._law(parameters)

    def gain_per_doubling(self, parameters: float) -> float:
        """Accuracy gained from twice the parameters. [percentage points]

        The law's own, and beyond half of the largest published model an extrapolation of it
        (`extrapolates`).
        """
        return self._law(2.0 * parameters) - self._law(parameters)

    def extrapolates(self, parameters: float) -> bool:
        """Whether twice a size is beyond the published ones, or the size before them."""
        low, high = (float(one.parameters or 0) for one in (self.frontier[0], self.frontier[-1]))
        return parameters < low or 2.0 * parameters > high

    def _law(self, parameters: float) -> float:
        return float(self.top - self.scale * parameters**-self.power)


def benchmarks() -> tuple[str, ...]:
    """Benchmarks with enough models for a curve, those with the most first."""
    counts: dict[str, int] = {}
    for variant in _usable():
        counts[variant.benchmark] = counts.get(variant.benchmark, 0) + 1
    ordered = sorted(counts, key=lambda name: -counts[name])
    return tuple(name for name in ordered if len(_frontier(name)) >= _LEAST_POINTS)


@cache
def accuracy_curve(benchmark: str) -> AccuracyCurve:
    """The law of a benchmark over the catalogue.

    Parameters
    ----------
    benchmark : str. As `benchmarks` names it, such as ``ImageNet-1K acc@1``.

    Raises
    ------
    NoCurve
        Not in the catalogue, an error rate, or too few models; names those that there are.
    """
    frontier = _frontier(benchmark)
    if len(frontier) < _LEAST_POINTS:
        known = benchmarks()
        near = difflib.get_close_matches(benchmark, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else f": there is {', '.join(known)}"
        raise NoCurve(f'no curve of "{benchmark}"{hint}')
    sizes = np.array([float(one.parameters or 0) for one in frontier])
    values = np.array([float(one.accuracy or 0.0) for one in frontier])
    top, scale, power = _fit(sizes, values)
    missed = []
    for k in range(len(sizes)):
        rest = np.arange(len(sizes)) != k
        one_top, one_scale, one_power = _fit(sizes[rest], values[rest])
        missed.append(one_top - one_scale * sizes[k] ** -one_power - values[k])
    return AccuracyCurve(
        benchmark=benchmark,
        frontier=frontier,
        models=sum(1 for one in _usable() if one.benchmark == benchmark),
        top=top,
        scale=scale,
        power=power,
        spread=math.sqrt(float(np.mean(np.square(missed)))),
    )


def _usable() -> list[Variant]:
    return [
        one
        for one in catalogue()
        if one.accuracy is not None and one.parameters and not one.benchmark.endswith(_ERRORS)
    ]


def _frontier(benchmark: str) -> tuple[Variant, ...]:
    """The models of a benchmark that are better than every smaller one."""
    found: list[Variant] = []
    rows = [one for one in _usable() if one.benchmark == benchmark]
    for one in sorted(rows, key=lambda one: (one.parameters or 0, -(one.accuracy or 0.0))):
        if not found or (one.accuracy or 0.0) > (found[-1].accuracy or 0.0):
            found.append(one)
    return tuple(found)


def _fit(sizes: Floats, values: Floats) -> tuple[float, float, float]:
    """Least squares: for each power the best top and scale in closed form, and the best power."""
    best = (math.inf, 0.0, 0.0, 0.0)
    for power in _POWERS:
        # Scaled to the smallest size, so that the columns are of one magnitude.
        falling = (sizes / sizes[0]) ** -power
        centred = falling - falling.mean()
        slope = float(centred @ (values - values.mean()) / (centred @ centred))
        top = float(values.mean() - slope * falling.mean())
        if top > _HIGHEST:
            top = _HIGHEST
            slope = float(falling @ (values - top) / (falling @ falling))
        error = float(np.sum(np.square(top + slope * falling - values)))
        if slope < 0.0 and error < best[0]:
            best = (error, top, -slope * float(sizes[0] ** power), float(power))
    return best[1:]
