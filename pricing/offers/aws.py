"""AWS Price List: products joined with their on-demand terms, of an offer file or of GetProducts.

Both say the same: a product with attributes, and terms keyed by its SKU. An offer file has all
products first and then all terms; an item of GetProducts has one product with its own.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pricing.offers.offer import Offer, Tally, Wanted, day, not_a_price, not_names, part, text

# What sets the price of a Linux machine on demand apart from all others of its type: without
# tenancy a dedicated one would be taken, without capacitystatus an unused reservation.
_EC2: Final = (
    ("locationType", ("aws region",), True),
    ("operatingSystem", ("linux",), False),
    ("tenancy", ("shared",), False),
    ("preInstalledSw", ("na",), False),
    ("capacitystatus", ("used",), False),
    ("licenseModel", ("no license required",), False),
    ("marketoption", ("ondemand",), True),
)
_EC2_FAMILIES: Final = ("Compute Instance", "Compute Instance (bare metal)")
# Groups of Lambda's products, and the items of serverless.csv.
_LAMBDA: Final = {
    "AWS-Lambda-Requests": "request",
    "AWS-Lambda-Duration": "gb_second_x86",
    "AWS-Lambda-Duration-ARM": "gb_second_arm",
    "AWS-Lambda-Provisioned-Concurrency": "provisioned_gb_second_x86",
    "AWS-Lambda-Provisioned-Concurrency-ARM": "provisioned_gb_second_arm",
    "AWS-Lambda-Duration-Provisioned": "on_provisioned_gb_second_x86",
    "AWS-Lambda-Duration-Provisioned-ARM": "on_provisioned_gb_second_arm",
    "AWS-Lambda-Storage-Duration": "ephemeral_gb_second",
}
# SageMaker Serverless: what follows in the usage type, and what it is per second.
_MEMORY: Final = "ServerlessInf:Mem-"
_HOURS: Final = ("hrs", "hours", "hour")
_SECONDS: Final = ("second", "seconds")


class _Product(NamedTuple):
    """A product that passed: where its price belongs, and the unit it must have."""

    service: str
    table: str
    key: tuple[str, ...]
    units: tuple[str, ...]


class _Term(NamedTuple):
    """The first tier of one on-demand term."""

    since: str
    unit: str
    usd: str
    currency: str


class PriceList:
    """One document of the AWS Price List; give it products and terms, then close it.

    Parameters
    ----------
    tally : Tally. Counts every product.
    wanted : Wanted. Regions and types asked for.
    form : str. ``offer`` or ``products``: how prices are cited.
    """

    def __init__(self, tally: Tally, wanted: Wanted, form: str) -> None:
        self._tally, self._wanted, self.form = tally, wanted, form
        self._products: dict[str, _Product] = {}
        self._terms: dict[str, list[_Term]] = {}
        self._all_products = False
        self.seen = self.judged = False

    def product(self, sku: str, value: Any, service: str = "") -> None:
        """Take a product, or count why not."""
        self.seen = self.judged = True
        attributes = part(value, "attributes")
        sku = sku or text(part(value, "sku"))
        service = text(part(attributes, "servicecode")) or service
        found = _judged(service, value, attributes if isinstance(attributes, Mapping) else {})
        said = f"{sku} {text(part(attributes, 'usagetype'))}".strip()
        if isinstance(found, str):
            self._tally.reject(found, said)
        elif sku in self._products:
            self._tally.reject("the same SKU twice", said)
        elif not_names((sku, *found.key)):
            self._tally.reject("not a name", f"{said} {found.key}")
        else:
            region, name = _region_and_name(found)
            why_not = self._wanted.refuses(region, name)
            if why_not:
                self._tally.reject(why_not, f"{region} {name}")
            else:
                self._products[sku] = found

    def products_end(self) -> None:
        """From here on, a term of no wanted product is not kept."""
        self._all_products = True

    def term(self, key: str, value: Any) -> None:
        """Take the on-demand terms of a SKU, or one term of it."""
        self.seen = True
        sku = key.partition(".")[0]
        if self._all_products and sku not in self._products:
            return
        terms = [value] if part(value, "priceDimensions") is not None else []
        if not terms and isinstance(value, Mapping):
            terms = list(value.values())
        self._terms.setdefault(sku, []).extend(filter(None, map(_first_tier, terms)))

    def close(self, as_of: str) -> list[Offer]:
        """Prices of every product taken; the rest is counted.

        Parameters
        ----------
        as_of : str. Day on which the list held.
        """
        offers = []
        for sku, product in self._products.items():
            found = _in_force(self._terms.get(sku, ()), product, as_of)
            if isinstance(found, str):
                self._tally.reject(found, f"{sku} {' '.join(product.key)}")
                continue
            self._tally.take()
            kind = f"{self.form}-{product.service}"
            offers.append(Offer(product.table, product.key, found.usd, as_of, found.since, kind))
        return offers


def _judged(service: str, value: Any, attributes: Mapping[str, Any]) -> "_Product | str":
    """Where the price of a product belongs, or why nowhere."""
    family = text(part(value, "productFamily"))
    region = text(attributes.get("regionCode"))
    if service == "AmazonEC2":
        if family not in _EC2_FAMILIES:
            return "not a machine"
        for attribute, allowed, may_lack in _EC2:
            said = text(attributes.get(attribute))
            if said.lower() not in allowed and not (may_lack and not said):
                return f"{attribute} is {said or 'not said'}"
        kind = text(attributes.get("instanceType"))
        return _Product(service, "ec2_on_demand", (region, kind), _HOURS)
    if service == "AmazonSageMaker":
        return _sagemaker(attributes, region)
    if service == "AWSLambda":
        group = text(attributes.get("group"))
        if group not in _LAMBDA:
            return f"group is {group or 'not said'}"
        return _Product(service, "serverless", ("lambda", _LAMBDA[group], region), ())
    return f"service is {service or 'not said'}"


def _sagemaker(attributes: Mapping[str, Any], region: str) -> "_Product | str":
    _, memory, size = text(attributes.get("usagetype")).partition(_MEMORY)
    if memory:
        gigabytes = size.removesuffix("GB")
        if not (size.endswith("GB") and gigabytes.isascii() and gigabytes.isdigit()):
            return "memory size not known"
        key = ("sagemaker_serverless", f"second_{int(gigabytes) * 1024}", region)
        return _Product("AmazonSageMaker", "serverless", key, _SECONDS)
    component = text(attributes.get("component"))
    if component.lower() != "hosting":
        return f"component is {component or 'not said'}"
    name = text(attributes.get("instanceName")) or text(attributes.get("instanceType"))
    name = name.removesuffix("-Hosting")
    return _Product("AmazonSageMaker", "sagemaker_hosting", (region, name, "hosting"), _HOURS)


def _region_and_name(product: _Product) -> tuple[str, str]:
    if product.table == "serverless":
        return product.key[2], product.key[1]
    return product.key[0], product.key[1]


def _first_tier(term: Any) -> _Term | None:
    """Where there are tiers, the first: the tables hold no other."""
    dimensions = part(term, "priceDimensions")
    if not isinstance(dimensions, Mapping) or not dimensions:
        return None
    # By its code where tiers begin alike, so that the order of the file decides nothing.
    first = min(dimensions.items(), key=lambda item: (_begins(item[1]), item[0]))[1]
    prices = part(first, "pricePerUnit")
    known = {code: text(usd) for code, usd in prices.items()} if isinstance(prices, Mapping) else {}
    currency = "USD" if "USD" in known else min(known, default="")
    return _Term(
        day(part(term, "effectiveDate")),
        text(part(first, "unit")),
        known.get(currency, ""),
        currency,
    )


def _begins(dimension: Any) -> float:
    try:
        return float(text(part(dimension, "beginRange")) or 0)
    except ValueError:
        return 0.0


def _in_force(terms: "list[_Term] | tuple[()]", product: _Product, as_of: str) -> "_Term | str":
    """The term that holds on a day, or why there is no price."""
    if not terms:
        return "no on-demand term"
    begun = [term for term in terms if term.since <= as_of]
    if not begun:
        return "not yet in force"
    newest = max(term.since for term in begun)
    latest = sorted({term for term in begun if term.since == newest})
    if len(latest) > 1:
        return "terms of one day disagree"
    (term,) = latest
    if term.currency != "USD":
        return f"currency is {term.currency or 'not said'}"
    if product.units and term.unit.lower() not in product.units:
        return f"unit is {term.unit or 'not said'}"
    return not_a_price(term.usd) or term
