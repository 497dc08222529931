"""A step from one setting to another with more room, over the same replicates of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.intervals import Difference, band, paired
from modeler.study.nines import depth
from modeler.study.replicates import Replicates, apart

_POINT: Final = ("replicates", "usd_low", "usd_high", "short_low", "short_high")
_STEP: Final = (
    "usd_more_low", "usd_more_high", "usd_differs", "nines_low", "nines_high", "short_differs",
    "usd_per_nine_low", "usd_per_nine_high",
)  # fmt: skip
FROM_OWN: Final = "_from_own"


class Step(NamedTuple):
    """What a second setting changes, replicate by replicate.

    Attributes
    ----------
    usd : Difference. Of dollars a month: the second's less the first's. [USD]
    nines : Difference. Of the misses for want of room, in factors of ten fewer.
    nine_low, nine_high : float or None. Interval of dollars a month for each factor of ten fewer
        misses; none where it costs no more for sure, no upper end where it may save none. [USD]
    """

    usd: Difference
    nines: Difference
    nine_low: float | None
    nine_high: float | None


def step(first: Replicates, second: Replicates, requests: int) -> Step | None:
    """The step from one setting to another; None where it cannot be told.

    Parameters
    ----------
    requests : int. Of the traffic: the resolution of a share.

    Notes
    -----
    A price has no mean where what is bought may be nothing. Its interval is that of nines for each
    dollar, turned over.
    """
    usd = apart(first, second, "usd_per_hour")
    shares = (one.values("short_share") for one in (first, second))
    since, to = ([depth(share, requests) for share in of] for of in shares)
    nines = paired(since, to, first.drawn)
    if usd is None or nines is None:
        return None
    low_usd, high_usd, middle = (HOURS_A_MONTH * end for end in (usd.low, usd.high, usd.middle))
    monthly = Difference(low_usd, high_usd, middle, usd.differs, usd.replicates)
    low = high = None
    if usd.low > 0.0:
        more, gained = (
            np.array(b[: usd.replicates]) - np.array(a[: usd.replicates])
            for a, b in ((first.values("usd_per_hour"), second.values("usd_per_hour")), (since, to))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = band(gained / (HOURS_A_MONTH * more), first.drawn, signed=True)
        if ends is not None:
            low = 1.0 / ends.high if ends.high > 0.0 else None
            high = 1.0 / ends.low if nines.low > 0.0 and ends.low > 0.0 else None
    return Step(monthly, nines, low, high)


def point_columns(one: Replicates | None) -> dict[str, Any]:
    """Intervals of a setting, as columns; None where there are no replicates."""
    if one is None:
        return dict.fromkeys(_POINT)
    usd, short = one.band("usd_per_hour"), one.band("short_share")
    return {
        "replicates": one.count,
        "usd_low": None if usd is None else HOURS_A_MONTH * usd.low,
        "usd_high": None if usd is None else HOURS_A_MONTH * usd.high,
        "short_low": None if short is None else short.low,
        "short_high": None if short is None else short.high,
    }


def step_columns(one: Step | None, suffix: str = "") -> Mapping[str, Any]:
    """A step as columns; None where it cannot be told."""
    if one is None:
        return dict.fromkeys(name + suffix for name in _STEP)
    values = (
        one.usd.low, one.usd.high, one.usd.differs, one.nines.low, one.nines.high,
        one.nines.differs, one.nine_low, one.nine_high,
    )  # fmt: skip
    return dict(zip((name + suffix for name in _STEP), values, strict=True))
