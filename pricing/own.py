"""Tables of your own beside the shipped ones: where they lie, and how they are read.

A folder holds CSV files with the names and the columns of the shipped dated tables, and
``sources.csv`` with the texts of their source ids. It is the one that the environment variable
``MODELER_PRICES`` names, else ``modeler/prices`` in the user's data folder; where it does not
exist nothing is read. ``pricing.tables`` puts its rows beside the shipped ones.
"""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pricing.cells import first_day, last_day, positive
from pricing.errors import OwnTableError

VARIABLE: Final = "MODELER_PRICES"
# What a source is followed by, where the price is from an own table.
MARK: Final = " (your prices)"
SOURCES: Final = "sources"


class Shape(NamedTuple):
    """Columns of a dated table: the key, the price, the date, and the rest.

    Attributes
    ----------
    key : tuple of str. Columns that name a price.
    name : str. The one of them that is an instance type or what is metered.
    price : str. Column of the price.
    rest : tuple of str. Columns after the date.
    """

    key: tuple[str, ...]
    name: str = "instance_type"
    price: str = "usd_per_hour"
    rest: tuple[str, ...] = ("source_id",)

    @property
    def columns(self) -> tuple[str, ...]:
        """In the order of the file."""
        return (*self.key, self.price, "as_of", *self.rest)

    @property
    def reading(self) -> tuple[str, ...]:
        """Key columns of what is read at once: the zones of a spot price are one reading."""
        return tuple(column for column in self.key if column != "az_id")


_TYPE: Final = ("region", "instance_type")
_METER: Final = ("service", "item", "region")
# Tables that own rows may join.
TABLES: Final = {
    "ec2_on_demand": Shape(_TYPE),
    "ec2_spot_samples": Shape((*_TYPE, "az_id")),
    "sagemaker_hosting": Shape((*_TYPE, "component"), rest=("confidence", "source", "note")),
    "cloud_on_demand": Shape(_TYPE),
    "cloud_spot": Shape(_TYPE),
    "savings_plans": Shape((*_TYPE, "plan", "term_years", "payment")),
    "serverless": Shape(_METER, name="item", price="usd"),
    "meters": Shape(_METER, name="item", price="usd"),
}


def folder() -> Path | None:
    """Where own tables lie, whether or not it exists; None where no place can be named."""
    named = os.environ.get(VARIABLE)
    try:
        if named is not None:
            return Path(named).expanduser() if named else None
        return _data_folder() / "modeler" / "prices"
    except RuntimeError:  # no home
        return None


def _data_folder() -> Path:
    """The platform's folder for a user's data (XDG base directories; Apple; Windows)."""
    if sys.platform == "win32":
        named = os.environ.get("LOCALAPPDATA")
        return Path(named) if named else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_DATA_HOME", "")
    # A relative path is to be ignored (XDG base directory specification).
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"


def own_rows(table: str) -> list[dict[str, str]]:
    """Rows of an own table, each checked; none where there is no such file.

    Parameters
    ----------
    table : str. Name in `TABLES`.

    Raises
    ------
    OwnTableError
        Names file and line: columns, a field too many, a price that is none, a date that is none.
    """
    shape = TABLES[table]
    rows = []
    for path, line, row in _lines(table, shape.columns):
        _checked(path, line, shape.price, row[shape.price], positive)
        _checked(path, line, "as_of", row["as_of"], last_day)
        empty = [column for column in (*shape.key, *shape.rest[:1]) if not row[column]]
        if empty:
            raise OwnTableError(str(path), line, f"{', '.join(empty)} must not be empty")
        rows.append(row)
    return rows


def own_sources() -> dict[str, str]:
    """Texts by the ids that own tables use beside the shipped ones."""
    return {
        row["source_id"]: row["source"] for _, _, row in _lines(SOURCES, ("source_id", "source"))
    }


def first_line(table: str, column: str, value: str) -> tuple[str, int]:
    """File and line of the first own row with a value, for an error to name."""
    for path, line, row in _lines(table, TABLES[table].columns):
        if row[column] == value:
            return str(path), line
    return f"{table}.csv", 1


def _checked(path: Path, line: int, column: str, cell: str, check: Callable[[str], object]) -> None:
    try:
        check(cell)
    except ValueError as error:
        raise OwnTableError(str(path), line, f"{column}: {error}") from None


def _lines(table: str, columns: tuple[str, ...]) -> Iterator[tuple[Path, int, dict[str, str]]]:
    """Every row with its file and line, whatever the order of the columns."""
    place = folder()
    path = place / f"{table}.csv" if place else None
    if path is None or not path.is_file():
        return
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        header: list[str] = []
        try:
            for fields in reader:
                cells = [field.strip() for field in fields]
                if not any(cells):
                    continue
                if not header:
                    header = cells
                    if sorted(header) != sorted(columns):
                        said = f"columns are {','.join(header)}, expected {','.join(columns)}"
                        raise OwnTableError(str(path), reader.line_num, said)
                    continue
                if len(cells) != len(header):
                    said = f"{len(cells)} fields, expected {len(header)}"
                    raise OwnTableError(str(path), reader.line_num, said)
                yield path, reader.line_num, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise OwnTableError(str(path), reader.line_num, str(error)) from None
        except UnicodeDecodeError as error:
            # The reader is ahead of the line that it gave last.
            line = reader.line_num + 1
            raise OwnTableError(str(path), line, f"not UTF-8: {error.reason}") from None
    if not header:
        raise OwnTableError(str(path), 1, f"is empty, expected the columns {','.join(columns)}")


def outdated(held: str, own: str) -> bool:
    """Whether a shipped reading gives way to an own one: its date may stand for that very day."""
    return first_day(held) <= last_day(own) <= last_day(held)
