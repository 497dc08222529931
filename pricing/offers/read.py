"""Files of prices, recognised from what is in them, to offers and a count of the rest.

A file holds one document, several one after another (JSON lines, pages that were appended) or a
list of them. A document is an AWS offer file or any of the replies; what it is, its own keys say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from pricing import tables
from pricing.errors import OfferError
from pricing.offers.aws import PriceList
from pricing.offers.azure import RetailPrices
from pricing.offers.gcp import Catalog
from pricing.offers.offer import Offer, Tally, Wanted, day, text
from pricing.offers.savings import PlanRates
from pricing.offers.spot import SpotHistory
from pricing.offers.stream import Scanner, scan_file, scan_text

# The list that a reply carries, and which reader takes its items.
_LISTS: Final = {
    "PriceList": "products",
    "SpotPriceHistory": "spot",
    "Items": "azure",
    "skus": "gcp",
    "searchResults": "plans",
}
# A key that an item without its reply is known by.
_MARKS: Final = {
    "SpotPrice": "spot",
    "retailPrice": "azure",
    "pricingInfo": "gcp",
    "savingsPlanOffering": "plans",
}
_KNOWN: Final = (
    "an AWS offer file (products, terms), replies of GetProducts (PriceList), "
    "DescribeSpotPriceHistory, DescribeSavingsPlansOfferingRates (searchResults), "
    "Azure Retail Prices (Items) or the Google Cloud Billing Catalog (skus)"
)
# Objects inside each other in a reply: a list, a reply, an item.
_DEEPEST: Final = 8


@dataclass
class Reading:
    """What files gave.

    Attributes
    ----------
    offers : list of Offer. In order of table and key.
    tally : Tally. Every item of the files, taken or rejected.
    files : dict of str to list of str. What each file was taken for.
    whole : set of (str, str). Tables and regions of which an offer file has everything on sale.
    """

    offers: list[Offer] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    files: dict[str, list[str]] = field(default_factory=dict)
    whole: set[tuple[str, str]] = field(default_factory=set)


def read_offers(
    files: Iterable[str | Path],
    *,
    as_of: str | None = None,
    regions: Iterable[str] = (),
    types: Iterable[str] = (),
) -> Reading:
    """Read price lists as their providers publish them.

    Parameters
    ----------
    files : iterable of path. JSON or JSON lines, plain or gzipped.
    as_of : str, optional. Day on which they were fetched, ``YYYY-MM-DD``. By default the day that
        a file states (publication of an AWS list, newest change of a spot history), else the day
        on which the file was last written.
    regions, types : iterable of str. Keep only these; by default all.

    Returns
    -------
    Reading

    Raises
    ------
    OfferError
        A file that is no JSON, is cut off, or holds none of what is known.
    OSError
        It cannot be opened.
    """
    reader = _Reader(as_of, Wanted(frozenset(regions), frozenset(types)))
    for file in files:
        path = Path(file)
        with path.open("rb") as opened:
            reader.read(path, opened)
    return reader.close()


def read_replies(
    replies: Iterable[Any], *, as_of: str, regions: Iterable[str] = (), types: Iterable[str] = ()
) -> Reading:
    """Read replies at hand, as text of JSON, in the same way.

    Parameters
    ----------
    replies : iterable of str.
    as_of : str. Day on which they were given.
    regions, types : iterable of str. Keep only these; by default all.
    """
    reader = _Reader(as_of, Wanted(frozenset(regions), frozenset(types)))
    for at, reply in enumerate(replies, start=1):
        reader.scan(scan_text(reply, f"reply {at}"), f"reply {at}")
    return reader.close()


class _Reader:
    """All readers over all files: spot changes and parts of machines may be spread over several."""

    def __init__(self, as_of: str | None, wanted: Wanted) -> None:
        self._as_of, self._wanted = as_of, wanted
        self._reading = Reading()
        self._by_day: dict[str, tuple[RetailPrices, PlanRates]] = {}
        self._spot = SpotHistory(self._reading.tally, wanted)
        self._catalog: Catalog | None = None
        self._file_day, self._last_day = as_of or "", ""

    def read(self, path: Path, file: BinaryIO) -> None:
        """Read an open file."""
        written = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        self._file_day = self._as_of or written.date().isoformat()
        self.scan(scan_file(path, file), str(path))

    def scan(self, scanner: Scanner, name: str) -> None:
        """Read documents to the end.

        Raises
        ------
        OfferError
            None of what is known is in it.
        """
        self._reading.files[name] = []
        while scanner.peek():
            self._any(scanner, name, 0)
        if not self._reading.files[name]:
            raise OfferError(name, f"holds none of what is known: {_KNOWN}")

    def close(self) -> Reading:
        """Everything read, in an order that the files have no part in."""
        offers = [*self._reading.offers, *self._spot.close(self._as_of)]
        if self._catalog is not None:
            offers += self._catalog.close(self._last_day)
        for readers in self._by_day.values():
            offers += [offer for reader in readers for offer in reader.close()]
        self._reading.offers = sorted(offers)
        return self._reading

    def _any(self, scanner: Scanner, name: str, depth: int) -> None:
        """A document, a list of them, or an item of GetProducts, which is JSON in a text."""
        start = scanner.peek()
        if depth > _DEEPEST:
            raise scanner.wrong("nested too deeply")
        if start == "{":
            self._document(scanner, name, depth)
        elif start == "[":
            for _ in scanner.elements():
                self._any(scanner, name, depth + 1)
        else:
            value = scanner.value()
            if isinstance(value, str) and value.lstrip().startswith("{"):
                self._inner(value, name, depth)
            else:
                self._reading.tally.reject("not an item", str(value)[:40])

    def _inner(self, value: str, name: str, depth: int) -> None:
        inner = scan_text(value, name)
        before = self._reading.tally.items
        try:
            self._document(inner, name, depth + 1)
        except OfferError:
            if self._reading.tally.items == before:
                self._reading.tally.reject("not JSON", value[:40])

    def _document(self, scanner: Scanner, name: str, depth: int) -> None:
        head: dict[str, Any] = {}
        prices = PriceList(self._reading.tally, self._wanted, "offer")
        single: Any = None
        listed = False
        for key in scanner.members():
            start = scanner.peek()
            if key in _LISTS and start == "[":
                listed = True
                self._listed(scanner, name, _LISTS[key], depth)
            elif key == "products" and start == "{":
                listed = True
                service = text(head.get("offerCode"))
                for sku in scanner.members():
                    prices.product(sku, scanner.value(), service)
                prices.products_end()
            elif key == "terms" and start == "{":
                for sort in scanner.members():
                    _terms(scanner, prices if sort == "OnDemand" else None)
            elif key == "product" and start == "{":
                single = scanner.value()
            else:
                head[key] = scanner.value()
        if single is not None:
            prices.form = "products"
            prices.product("", single, text(head.get("serviceCode")))
        self._closed(prices, head, name, is_offer=single is None, listed=listed)
        if not (listed or prices.seen):
            self._bare(head, name)

    def _closed(
        self, prices: PriceList, head: dict[str, Any], name: str, *, is_offer: bool, listed: bool
    ) -> None:
        if not prices.seen:
            return
        if not prices.judged and not listed:
            self._reading.tally.reject("terms without a product", name)
        self._note(name, "AWS offer file" if is_offer else "GetProducts")
        published = day(head.get("publicationDate"))
        found = prices.close(self._as_of or published or self._file_day)
        self._reading.offers += found
        if is_offer:
            self._reading.whole |= {(offer.table, offer.region) for offer in found}

    def _listed(self, scanner: Scanner, name: str, reader: str, depth: int) -> None:
        if reader == "products":
            self._note(name, "GetProducts")
            for _ in scanner.elements():
                if scanner.peek() in ("{", '"'):
                    self._any(scanner, name, depth + 1)
                else:
                    self._reading.tally.reject("not an item", str(scanner.value())[:40])
            return
        for _ in scanner.elements():
            self._item(reader, scanner.value())
        self._note(name, _TITLES[reader])

    def _bare(self, value: dict[str, Any], name: str) -> None:
        """An item outside its reply, or something else."""
        for mark, reader in _MARKS.items():
            if mark in value:
                self._note(name, _TITLES[reader])
                self._item(reader, value)
                return
        self._reading.tally.reject("not an item", ", ".join(value)[:40] or "{}")

    def _item(self, reader: str, value: Any) -> None:
        tally, wanted, on = self._reading.tally, self._wanted, self._file_day
        if reader == "spot":
            self._spot.item(value)
        elif reader == "gcp":
            self._catalog = self._catalog or Catalog(tally, wanted, tables.cloud_types())
            self._last_day = max(self._last_day, on)
            self._catalog.item(value)
        else:
            if on not in self._by_day:
                self._by_day[on] = RetailPrices(tally, wanted, on), PlanRates(tally, wanted, on)
            azure, plans = self._by_day[on]
            (azure if reader == "azure" else plans).item(value)

    def _note(self, name: str, title: str) -> None:
        if title not in self._reading.files[name]:
            self._reading.files[name].append(title)


_TITLES: Final = {
    "spot": "DescribeSpotPriceHistory",
    "azure": "Azure Retail Prices",
    "gcp": "Google Cloud Billing Catalog",
    "plans": "DescribeSavingsPlansOfferingRates",
}


def _terms(scanner: Scanner, prices: PriceList | None) -> None:
    """Terms of one sort, SKU by SKU; those of none are passed over."""
    if scanner.peek() != "{":
        scanner.value()
        return
    for key in scanner.members():
        value = scanner.value()
        if prices is not None:
            prices.term(key, value)
