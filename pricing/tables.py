"""The CSV tables beside this file, and those of your own (`pricing.own`), read once and kept.

Prices stay text until one is chosen: turning 18,000 of them into decimals would cost more than
the look-up they serve.
"""

import csv
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from pricing import own
from pricing.cells import last_day as last_day
from pricing.cells import positive as positive
from pricing.errors import OwnTableError, TableError

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
    """Read every row of a table as text; own rows take the place of shipped ones of their day.

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
    mine = own_prices(name)
    return [*_still_held(name, rows, mine), *mine] if mine else rows


@lru_cache(maxsize=16)
def own_prices(name: str) -> list[dict[str, str]]:
    """Rows of your own of a table, their sources marked as such; none of most tables.

    Raises
    ------
    OwnTableError
        A row does not read, or its source id has no text.
    """
    table = name.removesuffix(".csv")
    if table not in own.TABLES:
        return []
    rows = own.own_rows(table)
    for row in rows:
        if "source" in row:
            row["source"] += own.MARK
        elif _OWN + row["source_id"] in sources():
            row["source_id"] = _OWN + row["source_id"]
        else:
            file, line = own.first_line(table, "source_id", row["source_id"])
            raise OwnTableError(
                file, line, f"source_id {row['source_id']} is not in {own.SOURCES}.csv"
            )
    return rows


# Before the source id of an own row, whose text says that it is one.
_OWN = "own:"


def _still_held(
    name: str, rows: list[dict[str, str]], mine: list[dict[str, str]]
) -> list[dict[str, str]]:
    """Shipped rows that no own reading takes the place of."""
    columns = own.TABLES[name.removesuffix(".csv")].reading
    days: dict[tuple[str, ...], set[str]] = {}
    for row in mine:
        days.setdefault(tuple(row[column] for column in columns), set()).add(row["as_of"])
    return [
        row
        for row in rows
        if not any(
            own.outdated(row["as_of"], day)
            for day in days.get(tuple(row[column] for column in columns), ())
        )
    ]


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Full text of each source by the short id that large tables carry."""
    shipped = {row["source_id"]: row["source"] for row in read_rows("sources.csv")}
    place = own.folder()
    if place is None or not place.is_dir():
        return shipped
    mine = {**shipped, **own.own_sources()}
    return {**shipped, **{_OWN + key: text + own.MARK for key, text in mine.items()}}


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
        self._found: dict[Key, tuple[PriceRow, ...]] = {}
        self._own: dict[Key, list[dict[str, str]]] = {}
        for row in own_prices(name):
            self._own.setdefault((row["region"], row["instance_type"]), []).append(row)

    def get(self, key: Key) -> tuple[PriceRow, ...]:
        """Every reading of a region and type; none for a key that is not held."""
        if key not in self._found:
            self._found[key] = tuple(self._search(key))
        return self._found[key]

    def _search(self, key: Key) -> list[PriceRow]:
        start = f"\n{key[0]},{key[1]},"
        rows: list[PriceRow] = []
        at = self._text.find(start)
        while at >= 0:
            end = self._text.find("\n", at + 1)
            rows.append(self._parse(self._text[at + 1 : end]))
            at = end if self._text.startswith(start, end) else -1
        mine = self._own.get(key, ())
        days = {row["as_of"] for row in mine}
        held = [row for row in rows if not any(own.outdated(row.as_of, day) for day in days)]
        return [*held, *map(self._priced, mine)] if mine else rows

    def held(self) -> frozenset[Key]:
        """Every region and type held."""
        return self._held

    @cached_property
    def _held(self) -> frozenset[Key]:
        lines = self._text.splitlines()[1:]
        shipped = {(region, kind) for region, kind, _ in (line.split(",", 2) for line in lines)}
        return frozenset(shipped | self._own.keys())

    def _parse(self, line: str) -> PriceRow:
        fields = line.split(",")
        if len(fields) != len(self._fields):
            where = self._text[: self._text.index(line)].count("\n") + 1
            raise TableError(
                self.name, where, f"{len(fields)} fields, expected {len(self._fields)}"
            )

        return self._priced({column: fields[at] for column, at in self._fields.items()})

    def _priced(self, row: dict[str, str]) -> PriceRow:
        return PriceRow(
            row[f"{self._currency.lower()}_per_hour"],
            row["as_of"],
            sources()[row["source_id"]],
            row[self._note] if self._note else "",
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
