"""The CSV tables beside this file, read once and kept.

Prices stay text until one is chosen: turning 18,000 of them into decimals would cost more than
the look-up they serve.
"""

import csv
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from re import fullmatch
from typing import NamedTuple

from pricing.errors import TableError

FOLDER = Path(__file__).parent
OLD_DAYS = 90  # prices of hosted instances change a few times a year


class PriceRow(NamedTuple):
    """One dated price: its decimal text, its date as held, its source and anything to note."""

    per_hour: str
    as_of: str
    source: str
    note: str = ""
    currency: str = "USD"


class Change(NamedTuple):
    """A list price known to have changed between two readings."""

    old: PriceRow
    first_seen_new: str


class Advice(NamedTuple):
    """Mean saving of spot against on demand [%], and how many are interrupted in a month."""

    savings_pct: int
    interruption_band: str
    as_of: str
    source: str


class Markup(NamedTuple):
    """SageMaker hosting over EC2, for one type or (``g5.*``) the other sizes of a family."""

    ec2_type: str
    ratio: str
    basis: str


Key = tuple[str, str]  # region, instance type


def read_rows(name: str) -> list[dict[str, str]]:
    """Read every row of a table as text.

    Parameters
    ----------
    name : str. File name inside the package.

    Returns
    -------
    list of dict

    Raises
    ------
    TableError
        A row has more or fewer fields than the header.
    """
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader)
        rows = []
        for fields in reader:
            if len(fields) != len(header):
                raise TableError(
                    name, reader.line_num, f"{len(fields)} fields, expected {len(header)}"
                )
            rows.append(dict(zip(header, fields, strict=True)))
    return rows


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Full text of each source by the short id that large tables carry."""
    return {row["source_id"]: row["source"] for row in read_rows("sources.csv")}


@lru_cache(maxsize=1)
def ec2_on_demand() -> "LongTable":
    """Linux, shared tenancy; every dated reading of each region and type."""
    return LongTable("ec2_on_demand.csv")


@lru_cache(maxsize=1)
def ec2_on_demand_cny() -> "LongTable":
    """The same of the regions that bill in CNY, in CNY."""
    return LongTable("ec2_on_demand_cny.csv", currency="CNY")


@lru_cache(maxsize=1)
def region_names() -> dict[str, str]:
    """What AWS calls each region in words, by its code: ``US East (N. Virginia)``."""
    return {row["region"]: row["name"] for row in read_rows("region_names.csv")}


@lru_cache(maxsize=1)
def ec2_spot() -> "LongTable":
    """Readings per availability zone, the zone in the note."""
    return LongTable("ec2_spot_samples.csv", note="az_id")


@lru_cache(maxsize=1)
def cloud_on_demand() -> "LongTable":
    """Readings of machines of Google Cloud and Azure by region and type."""
    return LongTable("cloud_on_demand.csv")


@lru_cache(maxsize=1)
def cloud_spot() -> "LongTable":
    """Spot readings of machines of Google Cloud by region and type."""
    return LongTable("cloud_spot.csv")


@lru_cache(maxsize=1)
def spot_advice() -> dict[Key, Advice]:
    """What AWS's adviser says of spot, by region and type."""
    texts = sources()
    return {
        (row["region"], row["instance_type"]): Advice(
            int(row["savings_pct"]), row["interruption_band"], row["as_of"], texts[row["source_id"]]
        )
        for row in read_rows("ec2_spot_advisor.csv")
    }


@lru_cache(maxsize=1)
def cloud_types() -> frozenset[str]:
    """Every machine type of Google Cloud and every size of Azure that has a price anywhere."""
    return frozenset(kind for _, kind in cloud_on_demand().held())


@lru_cache(maxsize=1)
def sagemaker_hosting() -> dict[Key, list[PriceRow]]:
    """Readings of the Hosting component that nothing has superseded."""
    table: dict[Key, list[PriceRow]] = {}
    for row in read_rows("sagemaker_hosting.csv"):
        if row["component"] == "hosting" and row["confidence"] != "superseded":
            note = "one source only" if row["confidence"] == "single" else ""
            table.setdefault((row["region"], row["instance_type"]), []).append(
                PriceRow(row["usd_per_hour"], row["as_of"], row["source"], note)
            )
    return table


@lru_cache(maxsize=1)
def sagemaker_other() -> dict[Key, list[PriceRow]]:
    """Readings of another SageMaker component, or of one the source does not name.

    Usually equal to the Hosting price and not always (ml.g5.8xlarge: 2.94 for Training, 3.06 for
    Hosting), so never quoted as such.
    """
    table: dict[Key, list[PriceRow]] = {}
    for row in read_rows("sagemaker_hosting.csv"):
        if row["component"] != "hosting":
            table.setdefault((row["region"], row["instance_type"]), []).append(
                PriceRow(row["usd_per_hour"], row["as_of"], row["source"], row["component"])
            )
    return table


@lru_cache(maxsize=1)
def sagemaker_markup() -> dict[str, Markup]:
    """Ratio of SageMaker hosting to EC2 by EC2 type, or by ``family.*``."""
    return {
        row["ec2_type"]: Markup(row["ec2_type"], row["ratio"], row["basis"])
        for row in read_rows("sagemaker_markup.csv")
    }


@lru_cache(maxsize=1)
def price_changes() -> dict[Key, Change]:
    """The price before a known change, and when the new one was first read."""
    return {
        (row["region"], row["instance_type"]): Change(
            PriceRow(
                row["old_usd_per_hour"],
                row["last_seen_old"],
                row["source"],
                f"the price before a change first seen {row['first_seen_new']}",
            ),
            row["first_seen_new"],
        )
        for row in read_rows("price_changes.csv")
    }


@lru_cache(maxsize=1)
def sagemaker_types() -> frozenset[str]:
    """Every ``ml.`` type: those the SageMaker API accepts for endpoints, and those priced."""
    named = {row["instance_type"] for row in read_rows("sagemaker_instance_types.csv")}
    priced = {kind for _, kind in (*sagemaker_hosting(), *sagemaker_other())}
    changed = {kind for _, kind in price_changes() if kind.startswith("ml.")}
    return frozenset(named | priced | changed)


@lru_cache(maxsize=1)
def ec2_types() -> frozenset[str]:
    """Every EC2 type with a price anywhere or a specification."""
    described = {row["instance_type"] for row in read_rows("instance_specs.csv")}
    priced = ec2_on_demand().held() | ec2_on_demand_cny().held()
    return frozenset({kind for _, kind in priced} | described)


def positive(text: str) -> Decimal:
    """A price as held; it must be positive, for no zero here is a price.

    Raises
    ------
    ValueError
        Not a positive decimal number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number") from None
    if not (value.is_finite() and value > 0):
        raise ValueError(f"{text!r} is not a positive price")
    return value


def last_day(as_of: str) -> str:
    """The latest day that a date as held may stand for, so that "2024" is never taken as early.

    Parameters
    ----------
    as_of : str. ``2026-06-19``, ``2026-06``, ``2026-Q2`` or ``2026``.

    Returns
    -------
    str
        An ISO date; ISO dates compare as text.

    Raises
    ------
    ValueError
        Not a date of any of these forms.

    >>> [last_day(held) for held in ("2026-06-19", "2024-02", "2026-Q3", "2024")]
    ['2026-06-19', '2024-02-29', '2026-09-30', '2024-12-31']
    """
    match = fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d\d)(?:-(\d\d))?))?", as_of)
    if match is None:
        raise ValueError(f"{as_of!r} is not YYYY, YYYY-Qn, YYYY-MM or YYYY-MM-DD")
    year, quarter, month, day = (int(part) if part else 0 for part in match.groups())
    month = quarter * 3 or month or 12
    return date(year, month, day or monthrange(year, month)[1]).isoformat()


def nearest(name: str, known: Iterable[str], count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Known names most like `name`, best first; case does not matter."""
    plain = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), sorted(plain), n=count, cutoff=cutoff)
    return [plain[one] for one in near]


class LongTable:
    """Price rows found by their text: one look-up need not part 18,000 lines into fields.

    The file opens each line with region and type, lines of one key stand together, and no field
    is quoted; a test holds all three.

    Parameters
    ----------
    name : str. File name inside the package.
    note : str, optional. Column to hand on as each row's note.
    currency : str. Of every price in it; its column is called ``usd_per_hour`` and the like.
    """

    def __init__(self, name: str, note: str | None = None, currency: str = "USD") -> None:
        self.name = name
        self._currency = currency
        self._text = (FOLDER / name).read_text(encoding="utf-8")
        header = self._text.partition("\n")[0].split(",")
        self._fields = {column: at for at, column in enumerate(header)}
        self._note = note

    def get(self, key: Key) -> list[PriceRow]:
        """Every reading of a region and type; none for a key that is not held."""
        start = f"\n{key[0]},{key[1]},"
        rows: list[PriceRow] = []
        at = self._text.find(start)
        while at >= 0:
            end = self._text.find("\n", at + 1)
            rows.append(self._parse(self._text[at + 1 : end]))
            at = end if self._text.startswith(start, end) else -1
        return rows

    def held(self) -> set[Key]:
        """Every region and type held."""
        lines = self._text.splitlines()[1:]
        return {(region, kind) for region, kind, _ in (line.split(",", 2) for line in lines)}

    def _parse(self, line: str) -> PriceRow:
        fields = line.split(",")
        if len(fields) != len(self._fields):
            where = self._text[: self._text.index(line)].count("\n") + 1
            raise TableError(
                self.name, where, f"{len(fields)} fields, expected {len(self._fields)}"
            )

        def cell(column: str) -> str:
            return fields[self._fields[column]]

        return PriceRow(
            cell(f"{self._currency.lower()}_per_hour"),
            cell("as_of"),
            sources()[cell("source_id")],
            cell(self._note) if self._note else "",
            self._currency,
        )


def age_warning(name: str, region: str, as_of: str | None, today: date) -> str:
    """What to know of a price that is old; empty of a younger one, or one without a date.

    A price dated to a month or a year counts from the last day of it.

    >>> age_warning("g5.xlarge", "us-east-1", "2026-01", date(2026, 6, 1)).partition(";")[0]
    'the price of g5.xlarge in us-east-1 is 121 days old (as of 2026-01)'
    """
    days = 0 if not as_of else (today - date.fromisoformat(last_day(as_of))).days
    if days <= OLD_DAYS:
        return ""
    return (
        f"the price of {name} in {region} is {days} days old (as of {as_of}); check it before "
        "you decide"
    )
