"""From replications to a confidence interval, and how wide it may be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from modeler.referee.quantities import Estimate, Quantity

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.999
QUICK_FACTOR: Final = 5.0
DETERMINISTIC_TIER: Final = 0.01
INTEGER_TIER: Final = 1.0
# Where nothing varies (a quantile that is zero) an interval is a point up to the last bits.
ROUNDING: Final = 1e-12
# A law without spread leaves rounding behind; a real one varies by far more than this.
_CONSTANT: Final = 1e-10


class Interval(NamedTuple):
    """An estimate and its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval's length."""
        return (self.high - self.low) / 2.0


def student_t(freedom: int) -> float:
    """Two-sided 99.9 % quantile of Student's t for so many degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2.0))


def interval(vectors: Floats, estimate: Estimate, controls: Floats) -> Interval:
    """Student t interval over the replications' pseudo-values, less what their inputs explain.

    Parameters
    ----------
    vectors : float64[replications, counts]. What each replication counted.
    estimate : function of a sum of such vectors -> value.
    controls : float64[replications, k]. By how much what was drawn for each replication exceeds
        its known mean; k may be 0.

    Returns
    -------
    Interval
        NaN throughout where the estimate is.

    Notes
    -----
    Jackknife: with f the estimate from all R replications and f_i the one without replication i,
    the pseudo-values R f - (R - 1) f_i are treated as independent observations. For a mean they
    are the replications' own means; for a ratio or a quantile they take off the bias of order 1/R
    (Miller, "The jackknife - a review", Biometrika 61, 1974).

    Controls: the pseudo-values are regressed on the k inputs whose means are known, and the
    intercept with its standard error and R - 1 - k degrees of freedom is the answer (Lavenberg and
    Welch, "A perspective on the use of control variables", Management Science 27, 1981). They come
    from the draws, never from the engine's counters: an engine that served for longer than it was
    told would not be excused by them.
    """
    count = len(vectors)
    total = vectors.sum(axis=0)
    whole = estimate(total)
    pseudo = np.array([count * whole - (count - 1) * estimate(total - row) for row in vectors])
    varied = controls[:, controls.std(axis=0) > _CONSTANT]
    design = np.column_stack([np.ones(count), varied])
    inverse = np.linalg.inv(design.T @ design)
    weights = inverse @ (design.T @ pseudo)
    rest = pseudo - design @ weights
    freedom = count - design.shape[1]
    error = math.sqrt(float(rest @ rest) / freedom * float(inverse[0, 0]))
    value = float(weights[0])
    half = student_t(freedom) * error
    return Interval(value, value - half, value + half)


def tier(quantity: Quantity, value: float, *, quick: bool) -> float:
    """Widest half-width allowed, in the unit of the value.

    2 % of the value; 5 % for p99 and beyond and for probabilities under 0.01; 30 % for
    probabilities under 0.001; 1 for integers. Quick runs allow `QUICK_FACTOR` times as much.
    """
    if quantity.kind == "integer":
        return INTEGER_TIER
    share = 0.02
    if quantity.kind == "quantile" and quantity.level >= 0.99 - 1e-9:
        share = 0.05
    elif quantity.kind == "probability" and value < 0.001:
        share = 0.30
    elif quantity.kind == "probability" and value < 0.01:
        share = 0.05
    return max(share * abs(value) * (QUICK_FACTOR if quick else 1.0), ROUNDING)
