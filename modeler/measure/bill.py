"""The lines of a bill, and the price of a unit with its provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from modeler.replay.simulate import Floats


@dataclass(frozen=True)
class UnitPrice:
    """The price a run is billed at, with its provenance."""

    instance_type: str
    region: str
    purchase: str
    service: str
    usd_per_hour: float
    as_of: str | None
    source: str
    confidence: str

    def to_dict(self) -> dict[str, object]:
        """As the sweep's ``prices`` shows it."""
        return {
            "instance_type": self.instance_type,
            "region": self.region,
            "purchase": self.purchase,
            "usd_per_hour": self.usd_per_hour,
            "currency": "USD",
            "as_of": self.as_of,
            "source": self.source,
            "confidence": self.confidence,
        }


@dataclass(frozen=True)
class CostLine:
    """One line of the bill."""

    component: str
    quantity: float
    unit: str
    unit_price_usd: float
    amount_usd: float
    source: str
    as_of: str | None

    def to_dict(self) -> dict[str, object]:
        """As the sweep's ``cost_lines`` shows it."""
        return dict(vars(self))


class BilledRows(NamedTuple):
    """A bill machine by machine, one row each.

    Attributes
    ----------
    start_s, stop_s : float64[n]. When it is billed. [s]
    extra_s : float64[n]. What the provider's minimum and whole seconds add; due when it stops. [s]
    usd_per_hour : float64[n]. Its price; 0 for one that costs nothing. [USD/h]
    """

    start_s: Floats
    stop_s: Floats
    extra_s: Floats
    usd_per_hour: Floats
