"""The lines of a bill, and the price of a unit with its provenance."""

from __future__ import annotations

from dataclasses import dataclass


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
