"""What a setting would come to on all of the traffic, from what a piece of it says.

The whole is foreseen as the piece times a correction that changes slowly with the settings, learned
from the few that were replayed on both: the linear autoregressive model of Kennedy and O'Hagan
2000 ("Predicting the output from a complex computer code when fast approximations are available"),
on logarithms, with the likeliest of a few slopes: a piece may say much of dollars and little of
misses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Length over which corrections are alike, in widths of an axis; the likeliest of these is taken.
_LENGTHS: Final = (0.2, 0.4, 0.8, 1.6, 3.2)
_SHORTEST: Final = 0.15  # of an axis, in lengths of the longest
_SLOPES: Final = (1.0, 0.5, 0.0)
# Scatter that no setting explains, in standard deviations of the corrections. [1]
_NUGGET: Final = 0.05
_LEAST_SPREAD: Final = 0.01  # of the corrections' logarithm, before they are known
_FIRST_SPREAD: Final = 0.3
_FEW: Final = 3  # corrections, of which neither spread nor slope can be told


def places(
    settings: Sequence[Mapping[str, Any]],
    axes: Mapping[str, Sequence[Any]],
    rough: Sequence[Floats] = (),
) -> Floats:
    """Where settings stand: numbers along their axis from 0 to 1, names each apart.

    Parameters
    ----------
    settings : sequence of mapping.
    axes : mapping of path to values.
    rough : sequence of array of float, shape (settings,). What pieces say of them: an axis along
        which little changes there is made short, for little will change on the whole.

    Returns
    -------
    array of float, shape (settings, columns)
    """
    columns: list[list[float]] = []
    lengths = _lengths(settings, axes, rough)
    for path, values in axes.items():
        long = lengths[path]
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        if numeric or len(values) < 2:
            step = long / max(len(values) - 1, 1)
            columns.append([list(values).index(one[path]) * step for one in settings])
        else:
            columns += [
                [float(one[path] == value) * long / math.sqrt(2.0) for one in settings]
                for value in values
            ]
    return np.array(columns).T.reshape(len(settings), -1)


def _lengths(
    settings: Sequence[Mapping[str, Any]],
    axes: Mapping[str, Sequence[Any]],
    rough: Sequence[Floats],
) -> dict[str, float]:
    """How long each axis is, of the one along which most changes."""
    moved = dict.fromkeys(axes, 0.0)
    for path, values in axes.items():
        for one in rough:
            means = [
                float(np.mean(one[[setting[path] == value for setting in settings]]))
                for value in values
            ]
            wide = float(np.ptp(one))
            moved[path] = max(moved[path], (max(means) - min(means)) / wide if wide else 0.0)
    most = max(moved.values(), default=0.0)
    if most <= 0.0:
        return dict.fromkeys(axes, 1.0)
    return {path: max(value / most, _SHORTEST) for path, value in moved.items()}


class Foreseen:
    """Mean and standard deviation of a quantity's logarithm at every setting.

    Parameters
    ----------
    at : array of float, shape (settings, columns). As `places` gives it.
    rough : array of float, shape (settings,). Logarithm on the piece; zeros without one.
    """

    def __init__(self, at: Floats, rough: Floats) -> None:
        self._square = ((at[:, None, :] - at[None, :, :]) ** 2).sum(axis=2)
        self._rough = rough
        self._known: dict[int, float] = {}

    def learn(self, number: int, value: float) -> None:
        """The logarithm on all of the traffic at one setting."""
        self._known[number] = value

    def everywhere(self, more: Mapping[int, float] | None = None) -> tuple[Floats, Floats]:
        """Mean and standard deviation at every setting.

        Parameters
        ----------
        more : mapping of int to float, optional. Values to believe besides those learned.
        """
        known = {**self._known, **(more or {})}
        if not known:
            return self._rough.copy(), np.full(self._rough.shape, _FIRST_SPREAD)
        numbers = np.array(sorted(known))
        values = np.array([known[k] for k in numbers])
        slopes = _SLOPES if numbers.size > _FEW else _SLOPES[:1]
        found = [
            self._fitted(numbers, values, slope, length) for slope in slopes for length in _LENGTHS
        ]
        _, mean, spread = max(found, key=lambda one: one[0])
        return mean, spread

    def _fitted(
        self, numbers: NDArray[np.int64], values: Floats, slope: float, length: float
    ) -> tuple[float, Floats, Floats]:
        """Log likelihood, and mean and standard deviation everywhere, of a Gaussian process."""
        rough = slope * self._rough
        off = values - rough[numbers]
        near = np.exp(-0.5 * self._square / length**2)
        inner = near[np.ix_(numbers, numbers)] + _NUGGET**2 * np.eye(numbers.size)
        lower = np.linalg.cholesky(inner)
        centre = float(np.median(off))
        deviations = off - centre
        weights = np.linalg.solve(lower.T, np.linalg.solve(lower, deviations))
        spread = max(math.sqrt(float(deviations @ weights) / numbers.size), _LEAST_SPREAD)
        if numbers.size <= _FEW:
            spread = max(spread, _FIRST_SPREAD)
        likelihood = (
            -0.5 * float(deviations @ weights) / spread**2
            - numbers.size * math.log(spread)
            - float(np.log(np.diag(lower)).sum())
        )
        across = near[:, numbers]
        reach = np.linalg.solve(lower, across.T)
        variance = np.maximum(1.0 + _NUGGET**2 - (reach**2).sum(axis=0), 1e-12)
        return likelihood, rough + centre + across @ weights, spread * np.sqrt(variance)


def expected_gain(mean: Floats, spread: Floats, best: float) -> Floats:
    """How far below the best a logarithm is expected to fall, where it does; 0 or more.

    Expected improvement (Jones, Schonlau and Welch 1998, "Efficient Global Optimization").
    """
    from scipy.special import ndtr

    z = (best - mean) / spread
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    gain: Floats = spread * (z * ndtr(z) + density)
    return gain


def chance(mean: Floats, spread: Floats, limit: float) -> Floats:
    """Probability that a logarithm lies below a limit."""
    from scipy.special import ndtr

    found: Floats = ndtr((limit - mean) / spread)
    return found
