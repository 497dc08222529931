"""AWS DescribeSavingsPlansOfferingRates: what a machine costs under a plan, by term and payment."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pricing.offers.offer import Offer, Tally, Wanted, not_a_price, not_names, part, text

_PLANS: Final = {"Compute": "compute", "EC2Instance": "ec2_instance", "SageMaker": "sagemaker"}
_PAYMENTS: Final = {
    "No Upfront": "no_upfront",
    "Partial Upfront": "partial_upfront",
    "All Upfront": "all_upfront",
}
# Years as the service writes them, in seconds of 365 days.
_YEARS: Final = {31_536_000: "1", 94_608_000: "3"}
_LINUX: Final = ("linux/unix", "linux/unix (amazon vpc)")


class PlanRates:
    """Rates of any number of replies."""

    def __init__(self, tally: Tally, wanted: Wanted, read_on: str) -> None:
        self._tally, self._wanted, self._read_on = tally, wanted, read_on
        self._offers: list[Offer] = []

    def item(self, value: Any) -> None:
        """Take a rate, or count why not."""
        properties = _properties(part(value, "properties"))
        region, kind = properties.get("region", ""), properties.get("instanceType", "")
        offering = part(value, "savingsPlanOffering")
        plan = text(part(offering, "planType"))
        payment = text(part(offering, "paymentOption"))
        years = _YEARS.get(_whole(part(offering, "durationSeconds")), "")
        usd = text(part(value, "rate"))
        unit, currency = text(part(value, "unit")), text(part(offering, "currency"))
        product = properties.get("productDescription", "Linux/UNIX")
        tenancy = properties.get("tenancy", "shared")
        usage = text(part(value, "usageType"))
        refusals = (
            (plan not in _PLANS, f"plan is {plan or 'not said'}"),
            (payment not in _PAYMENTS, f"payment is {payment or 'not said'}"),
            (not years, "term is neither 1 nor 3 years"),
            (unit != "Hrs", f"unit is {unit or 'not said'}"),
            (currency != "USD", f"currency is {currency or 'not said'}"),
            (product.lower() not in _LINUX, f"product is {product}"),
            (tenancy.lower() != "shared", f"tenancy is {tenancy}"),
            (plan == "SageMaker" and "Host:" not in usage, "component is not hosting"),
            (not_names((region, kind)), "no instance type"),
        )
        why_not = next((why for refused, why in refusals if refused), "")
        why_not = why_not or not_a_price(usd) or self._wanted.refuses(region, kind)
        if why_not:
            self._tally.reject(why_not, f"{region} {kind} {usage}".strip())
            return
        self._tally.take()
        key = (region, kind, _PLANS[plan], years, _PAYMENTS[payment])
        self._offers.append(Offer("savings_plans", key, usd, self._read_on, "", "savings-plans"))

    def close(self) -> list[Offer]:
        """Every rate taken."""
        return self._offers


def _properties(listed: Any) -> dict[str, str]:
    pairs = listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
    return {text(part(one, "name")): text(part(one, "value")) for one in pairs}


def _whole(value: Any) -> int:
    try:
        return int(Decimal(text(value)[:20]))
    except (InvalidOperation, ValueError, OverflowError):
        return 0
