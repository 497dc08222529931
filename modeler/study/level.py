"""Whether a row keeps its service level, or may or may not: by its replicates where it has any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modeler.study.intervals import Band
from modeler.study.replicates import kept_band

KEEPS: Final = "keeps"
BREAKS: Final = "breaks"
UNSURE: Final = "unsure"


def standing(share: Band | None, allowed: float, *, kept: bool) -> str:
    """How a scenario stands to its service level.

    Parameters
    ----------
    share : Band, optional. The interval of the share of requests missed.
    allowed : float. What may be missed.
    kept : bool. Whether the one replay of the traffic as it came kept it.

    Returns
    -------
    str
        `UNSURE` where the interval holds what is allowed, or lies below it though the traffic as
        it came missed more.

    >>> standing(Band(0.001, 0.004), 0.005, kept=True)
    'keeps'
    >>> standing(Band(0.001, 0.004), 0.005, kept=False)
    'unsure'
    >>> standing(Band(0.004, 0.009), 0.005, kept=True)
    'unsure'
    >>> standing(Band(0.006, 0.009), 0.005, kept=True)
    'breaks'
    >>> standing(None, 0.005, kept=True)
    'keeps'
    """
    if share is None:
        return KEEPS if kept else BREAKS
    if share.low > allowed:
        return BREAKS
    return KEEPS if share.high <= allowed and kept else UNSURE


def level_of(row: Mapping[str, Any]) -> str:
    """How a row of a sweep stands to it; `BREAKS` of one without a result.

    Parameters
    ----------
    row : mapping. Its ``uncertainty`` is looked at where it has one.
    """
    if row["status"] != "ok":
        return BREAKS
    return standing(
        kept_band(row, "sla_violation_share"),
        row["sla"]["max_violation_share"],
        kept=bool(row["meets_sla"]),
    )
