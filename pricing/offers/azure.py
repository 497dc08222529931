"""Azure Retail Prices: one item a meter; Linux machines by the hour, spot apart."""

from typing import Any

from pricing.offers.offer import Offer, Tally, Wanted, day, not_a_price, not_names, part, text


class RetailPrices:
    """Items of any number of pages."""

    def __init__(self, tally: Tally, wanted: Wanted, read_on: str) -> None:
        self._tally, self._wanted, self._read_on = tally, wanted, read_on
        self._offers: list[Offer] = []

    def item(self, value: Any) -> None:
        """Take a meter, or count why not."""
        region, kind = text(part(value, "armRegionName")), text(part(value, "armSkuName"))
        meter = f"{text(part(value, 'skuName'))} {text(part(value, 'meterName'))}".lower()
        usd = text(part(value, "retailPrice"))
        said = f"{region} {kind} {text(part(value, 'meterName'))}".strip()
        why_not = self._why_not(value, meter)
        if not why_not and (not_names((region, kind)) or not kind.startswith("Standard_")):
            why_not = "not a machine size"
        why_not = why_not or not_a_price(usd) or self._wanted.refuses(region, kind)
        if why_not:
            self._tally.reject(why_not, said)
            return
        self._tally.take()
        table = "cloud_spot" if "spot" in meter.split() else "cloud_on_demand"
        since = text(part(value, "effectiveStartDate"))
        self._offers.append(Offer(table, (region, kind), usd, self._read_on, since, "azure-retail"))

    def _why_not(self, value: Any, meter: str) -> str:
        service, unit = text(part(value, "serviceName")), text(part(value, "unitOfMeasure"))
        kind, currency = text(part(value, "type")), text(part(value, "currencyCode"))
        ends, tier = day(part(value, "effectiveEndDate")), text(part(value, "tierMinimumUnits"))
        product = text(part(value, "productName")).lower()
        refusals = (
            (service not in ("", "Virtual Machines"), f"service is {service}"),
            (kind not in ("", "Consumption"), f"type is {kind}"),
            ("windows" in product, "product is Windows"),
            ("cloud services" in product or "dedicated host" in product, "not a virtual machine"),
            ("low priority" in meter, "low priority"),
            (unit != "1 Hour", f"unit is {unit or 'not said'}"),
            (currency != "USD", f"currency is {currency or 'not said'}"),
            (tier.strip("0.") != "", "not the first tier"),
            (day(part(value, "effectiveStartDate")) > self._read_on, "not yet in force"),
            ("" < ends < self._read_on, "no longer in force"),
        )
        return next((why for refused, why in refusals if refused), "")

    def close(self) -> list[Offer]:
        """Every price taken."""
        return self._offers
