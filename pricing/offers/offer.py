"""One price as a provider states it, and the count of what was taken and what was not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from pricing.own import TABLES

# How each source is cited; its id is the key and the day.
SOURCES: Final = {
    "offer-AmazonEC2": "AWS Price List, offer file of AmazonEC2",
    "offer-AmazonSageMaker": "AWS Price List, offer file of AmazonSageMaker",
    "offer-AWSLambda": "AWS Price List, offer file of AWSLambda",
    "products-AmazonEC2": "AWS Price List, GetProducts of AmazonEC2",
    "products-AmazonSageMaker": "AWS Price List, GetProducts of AmazonSageMaker",
    "products-AWSLambda": "AWS Price List, GetProducts of AWSLambda",
    "spot-history": "EC2 DescribeSpotPriceHistory",
    "savings-plans": "AWS DescribeSavingsPlansOfferingRates",
    "azure-retail": "Azure Retail Prices",
    "gcp-catalog": "Google Cloud Billing Catalog, cores, memory and accelerators summed",
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,20})?(?:[eE]-?[0-9]{1,2})?")
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")


class Offer(NamedTuple):
    """One price, its decimal text as written.

    Attributes
    ----------
    table : str. Table that holds such prices.
    key : tuple of str. Cells of the table's key columns, as `pricing.own.TABLES` names them.
    usd : str. [USD a unit of the table]
    as_of : str. Day of the reading.
    since : str. When the price took effect; of two of one key the later holds.
    kind : str. Key of `SOURCES`.
    """

    table: str
    key: tuple[str, ...]
    usd: str
    as_of: str
    since: str
    kind: str

    @property
    def region(self) -> str:
        """Of the key."""
        return self.key[TABLES[self.table].key.index("region")]

    @property
    def name(self) -> str:
        """Instance type, or what is metered."""
        return self.key[TABLES[self.table].key.index(TABLES[self.table].name)]

    @property
    def said(self) -> str:
        """The key in words, for a person."""
        return " ".join(self.key)


@dataclass
class Tally:
    """Items read, and why those were not taken that were not.

    Attributes
    ----------
    items : int. Items seen.
    taken : int. Items that are prices, or parts of one.
    rejected : dict of str to int. Items by reason.
    first : dict of str to str. The first item of each reason.
    """

    items: int = 0
    taken: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def take(self) -> None:
        """Count an item that is a price."""
        self.items += 1
        self.taken += 1

    def reject(self, reason: str, name: str) -> None:
        """Count an item that is none."""
        self.items += 1
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        self.first.setdefault(reason, name)

    def give_back(self, reason: str, name: str) -> None:
        """Reject an item that had been taken."""
        self.items -= 1
        self.taken -= 1
        self.reject(reason, name)


class Wanted(NamedTuple):
    """What was asked for: nothing named is everything.

    Attributes
    ----------
    regions, types : frozenset of str.
    """

    regions: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    def refuses(self, region: str, name: str) -> str:
        """Why a price is not wanted; empty if it is."""
        if self.regions and region not in self.regions:
            return "region not asked for"
        return "type not asked for" if self.types and name not in self.types else ""


def text(value: Any) -> str:
    """A text of JSON; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def part(value: Any, *keys: str) -> Any:
    """What lies under keys, one inside the other; None where a step is no mapping or lacks it."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def day(value: Any) -> str:
    """The day of a timestamp; empty if it is none."""
    match = _DAY.fullmatch(text(value))
    try:
        return date.fromisoformat(match.group(1)).isoformat() if match else ""
    except ValueError:
        return ""


def not_a_price(usd: str) -> str:
    """Why a text is no price; empty if it is one.

    >>> [not_a_price(one) for one in ("0.0116000000", "0", "-1", "1,5", "NaN")]
    ['', 'price is zero', 'price is negative', 'price is not a number', 'price is not a number']
    """
    try:
        value = Decimal(usd) if _NUMBER.fullmatch(usd) else None
    except InvalidOperation:
        value = None
    if value is None:
        return "price is not a number"
    if value == 0:
        return "price is zero"
    return "price is negative" if value < 0 else ""


def not_names(cells: Iterable[str]) -> bool:
    """Whether any cell could not be a name of a region, a type or a zone."""
    return not all(_NAME.fullmatch(cell) for cell in cells)
