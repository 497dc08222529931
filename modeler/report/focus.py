"""A bill as FOCUS 1.2 (FinOps Open Cost and Usage Specification, focus.finops.org, read 2026-11).

A row for each line of the bill of each scenario. The 21 mandatory columns come first in the order
of their names, then conditional ones that have a value here, then our own, which the specification
wants to begin with ``x_``. Nothing was billed: every row says that it is an estimate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

VERSION: Final = "1.2"
COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory",
    "ServiceName",
    "ChargeFrequency", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice",
    "PricingCategory", "RegionId", "ResourceId", "ResourceName", "ResourceType", "Tags",
    "x_Estimate", "x_FocusVersion", "x_ScenarioId", "x_Policy", "x_Phase", "x_ColdStartSeconds",
    "x_BreachToReadySeconds", "x_Requests", "x_Violations", "x_PriceAsOf", "x_PriceConfidence",
    "x_PriceSource",
)  # fmt: skip
_ACCOUNT: Final = "modeler-estimate"
# Category and name of the service, and who sells it, by what an instance is called.
_SERVICES: Final = (
    ("ml.", ("AI and Machine Learning", "Amazon SageMaker", "AWS")),
    ("serverless", ("AI and Machine Learning", "Amazon SageMaker", "AWS")),
    ("lambda", ("Compute", "AWS Lambda", "AWS")),
    ("cloud", ("Compute", "Cloud Run", "Google Cloud")),
)
_EC2: Final = ("Compute", "Amazon Elastic Compute Cloud", "AWS")
# The specification's unit format: plural, GB for 10^9 bytes.
_UNITS: Final = {
    "instance-hour": "Hours", "GB-second": "GB-Seconds", "request": "Requests",
    "vCPU-second": "vCPU-Seconds", "GiB-second": "GiB-Seconds", "GB-month": "GB-Months",
}  # fmt: skip


class FocusError(Exception):
    """A bill that FOCUS has no place for."""

    exit_code: Final = 2


def focus_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bills of a sweep, or of a replay, as rows of FOCUS.

    Parameters
    ----------
    result : mapping. As `SweepResult.to_dict` or `Replay.to_dict` gives it.

    Raises
    ------
    FocusError
        The traffic has no date, and FOCUS needs the period of each charge.
    """
    outcomes = result["scenarios"] if "scenarios" in result else [result["outcome"]]
    return [row for outcome in outcomes if outcome["status"] == "ok" for row in _of(outcome)]


def _of(outcome: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    start = outcome.get("start")
    if start is None:
        raise FocusError(
            "the traffic has no date, and FOCUS wants the period of each charge: take a trace with "
            "dates, or another --format"
        )
    begins = datetime.fromisoformat(start)
    ends = begins + timedelta(seconds=outcome["duration_s"])
    month, after = _months(begins, ends)
    category, service, provider = _service(str(outcome["instance_type"]))
    price = outcome["prices"][0] if outcome["prices"] else {}
    lag = outcome.get("breach_to_ready_s") or {}
    cold = outcome.get("decision_to_ready_s") or {}
    for line in outcome["cost_lines"]:
        unit = _UNITS.get(line["unit"], line["unit"])
        amount = line["amount_usd"]
        values = {
            "BilledCost": 0.0,
            "BillingAccountId": _ACCOUNT,
            "BillingAccountName": "Estimate of modeler",
            "BillingCurrency": price.get("currency", "USD"),
            "BillingPeriodEnd": _iso(after),
            "BillingPeriodStart": _iso(month),
            "ChargeCategory": "Usage",
            "ChargeClass": None,
            "ChargeDescription": f"{line['component']} of {outcome['instance_type']} (estimate)",
            "ChargePeriodEnd": _iso(ends),
            "ChargePeriodStart": _iso(begins),
            "ContractedCost": amount,
            "EffectiveCost": amount,
            "InvoiceIssuerName": provider,
            "ListCost": amount,
            "PricingQuantity": line["quantity"],
            "PricingUnit": unit,
            "ProviderName": provider,
            "PublisherName": provider,
            "ServiceCategory": category,
            "ServiceName": service,
            "ChargeFrequency": "Usage-Based",
            "ConsumedQuantity": line["quantity"],
            "ConsumedUnit": unit,
            "ContractedUnitPrice": line["unit_price_usd"],
            "ListUnitPrice": line["unit_price_usd"],
            "PricingCategory": "Dynamic" if price.get("purchase") == "spot" else "Standard",
            "RegionId": outcome["region"],
            "ResourceId": outcome["scenario_id"],
            "ResourceName": f"{outcome['size_bytes'] / 1e9:g} GB model",
            "ResourceType": outcome["instance_type"],
            "Tags": json.dumps({k: str(v) for k, v in (outcome.get("settings") or {}).items()}),
            "x_Estimate": True,
            "x_FocusVersion": VERSION,
            "x_ScenarioId": outcome["scenario_id"],
            "x_Policy": outcome.get("preset") or outcome["policy"],
            "x_Phase": line["component"],
            "x_ColdStartSeconds": cold.get("p50"),
            "x_BreachToReadySeconds": lag.get("p95"),
            "x_Requests": outcome["requests"],
            "x_Violations": round(outcome["sla_violation_share"] * outcome["requests"]),
            "x_PriceAsOf": line["as_of"],
            "x_PriceConfidence": price.get("confidence"),
            "x_PriceSource": line["source"],
        }
        yield {name: values[name] for name in COLUMNS}


def _service(instance: str) -> tuple[str, str, str]:
    return next((told for start, told in _SERVICES if instance.startswith(start)), _EC2)


def _months(begins: datetime, ends: datetime) -> tuple[datetime, datetime]:
    """The first of the month in which it begins, and that after the one in which it ends."""
    first = begins.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (ends - timedelta(microseconds=1)).replace(day=1)
    following = (last + timedelta(days=32)).replace(day=1)
    return first, following.replace(hour=0, minute=0, second=0, microsecond=0)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
