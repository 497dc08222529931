"""Offers beside the tables in force, and offers written into tables of one's own.

Each file is written whole beside its place and moved there, the texts of sources before the tables
that cite them: whenever the process ends, every file is the old one or the new one, and both read.
What was there before is kept beside it, for `restore`.
"""

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from pricing import own, serverless, tables
from pricing.errors import StoreError
from pricing.offers.checks import InForce
from pricing.offers.offer import SOURCES, Offer

PREVIOUS: Final = "previous"
_LOCK: Final = ".lock"


class Difference(NamedTuple):
    """One price beside the one in force.

    Attributes
    ----------
    status : str. ``new``, ``changed``, ``same`` or ``gone``: on sale before and no more, as far as
        a list that has everything on sale in its region tells.
    table : str. Where it belongs.
    key : tuple of str. Region, type and what else names it.
    old, new : str or None. Decimal text. [USD a unit]
    old_as_of, as_of : str or None. Days of the readings.
    percent : float or None. By how much it changed. [%]
    """

    status: str
    table: str
    key: tuple[str, ...]
    old: str | None
    new: str | None
    old_as_of: str | None
    as_of: str | None
    percent: float | None


def differences(
    offers: Sequence[Offer], whole: Iterable[tuple[str, str]] = (), in_force: InForce | None = None
) -> list[Difference]:
    """Every offer beside the price in force, and what is gone.

    Parameters
    ----------
    offers : sequence of Offer. Those that are believed, one a key.
    whole : iterable of (str, str). Tables and regions of which the lists have everything on sale.
    in_force : InForce, optional. By default the tables as they are.

    Returns
    -------
    list of Difference
        In order of table and key.
    """
    known = in_force or InForce()
    found = []
    for offer in offers:
        before = known.prices(offer.table).get(offer.key)
        if before is None:
            found.append(
                Difference("new", offer.table, offer.key, None, offer.usd, None, offer.as_of, None)
            )
            continue
        old, new = before[0], Decimal(offer.usd)
        changed = old != new
        percent = float((new / old - 1) * 100) if changed else 0.0
        status = "changed" if changed else "same"
        told = (str(old), offer.usd, before[1], offer.as_of, percent)
        found.append(Difference(status, offer.table, offer.key, *told))
    listed = {(offer.table, offer.key) for offer in offers}
    for table, region in sorted(set(whole)):
        at = own.TABLES[table].key.index("region")
        for key, (usd, as_of) in known.prices(table).items():
            if key[at] == region and (table, key) not in listed:
                found.append(Difference("gone", table, key, str(usd), None, as_of, None, None))
    return sorted(found, key=lambda one: (one.table, one.key))


def apply(offers: Sequence[Offer], folder: Path | None = None) -> list[Path]:
    """Write offers into tables of one's own; earlier readings of other days stay.

    Parameters
    ----------
    offers : sequence of Offer.
    folder : Path, optional. By default `pricing.own.folder`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    StoreError
        No folder can be named, another refresh is at work, or a file cannot be written; what was
        there still is.
    """
    place = _place(folder)
    by_table: dict[str, list[Offer]] = {}
    for offer in offers:
        by_table.setdefault(offer.table, []).append(offer)
    with _locked(place):
        contents = {own.SOURCES: _sources(offers)}
        contents |= {table: _table(table, mine) for table, mine in sorted(by_table.items())}
        try:
            _keep_previous(place)
            written = [_write(place / f"{name}.csv", text) for name, text in contents.items()]
        except OSError as error:
            said = f"cannot be written: {error.strerror}; the tables are as they were"
            raise StoreError(str(place), said) from error
    _forget()
    return written


def restore(folder: Path | None = None) -> list[Path]:
    """Put back the tables as they were before the last `apply`, which can itself be put back.

    Raises
    ------
    StoreError
        Nothing is kept, or a file cannot be moved.
    """
    place = _place(folder)
    kept = place / PREVIOUS
    with _locked(place):
        if not kept.is_dir():
            raise StoreError(str(place), "nothing to restore: no refresh was applied here")
        try:
            before = {path.name: path.read_text(encoding="utf-8") for path in kept.glob("*.csv")}
            _keep_previous(place)
            written = [_write(place / name, text) for name, text in sorted(before.items())]
            for path in place.glob("*.csv"):
                if path.name not in before:
                    path.unlink()
        except OSError as error:
            raise StoreError(str(place), f"cannot be restored: {error.strerror}") from error
    _forget()
    return written


def _place(folder: Path | None) -> Path:
    place = folder or own.folder()
    if place is None:
        said = f"set it to a folder: it is empty, or there is no home to put {own.SOURCES}.csv into"
        raise StoreError(own.VARIABLE, said)
    return place


def _sources(offers: Sequence[Offer]) -> str:
    """Texts of the sources of these offers beside those that are there."""
    texts = own.own_sources()
    texts |= {_source_id(offer): f"{SOURCES[offer.kind]}, {offer.as_of}" for offer in offers}
    rows = [{"source_id": key, "source": text} for key, text in sorted(texts.items())]
    return _csv(("source_id", "source"), rows)


def _source_id(offer: Offer) -> str:
    return f"{offer.kind}-{offer.as_of}"


def _table(table: str, offers: Sequence[Offer]) -> str:
    """The own rows of a table with these among them; one of the same key and day gives way."""
    shape = own.TABLES[table]
    rows = {_named(row, shape): row for row in own.own_rows(table)}
    for offer in offers:
        row = dict(zip(shape.key, offer.key, strict=True))
        row |= {shape.price: offer.usd, "as_of": offer.as_of}
        row |= _rest(shape, offer)
        rows[_named(row, shape)] = row
    return _csv(shape.columns, [rows[key] for key in sorted(rows)])


def _named(row: Mapping[str, str], shape: own.Shape) -> tuple[str, ...]:
    return (*(row[column] for column in shape.key), row["as_of"])


def _rest(shape: own.Shape, offer: Offer) -> dict[str, str]:
    if "source_id" in shape.rest:
        return {"source_id": _source_id(offer)}
    said = f"{SOURCES[offer.kind]}, {offer.as_of}"
    return {"confidence": "confirmed", "source": said, "note": ""}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _keep_previous(place: Path) -> None:
    """A copy of the tables as they are, complete before the former copy goes."""
    fresh = place / f".{PREVIOUS}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for path in place.glob("*.csv"):
        shutil.copy2(path, fresh / path.name)
    kept = place / PREVIOUS
    if kept.exists():
        shutil.rmtree(kept)
    fresh.rename(kept)


def _write(path: Path, text: str) -> Path:
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        Path(scratch).unlink(missing_ok=True)
    return path


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """One refresh at a time; the lock of a process that was killed is gone with it."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        file = (place / _LOCK).open("a", encoding="utf-8")
    except OSError as error:
        raise StoreError(str(place), f"cannot be written: {error.strerror}") from error
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # no such lock on this platform: two at once end with the later one's tables
        except BlockingIOError:
            raise StoreError(str(place), "another refresh is at work; try again") from None
        yield


def _forget() -> None:
    """Tables that were read before are read again."""
    for value in (*vars(tables).values(), *vars(serverless).values()):
        clear = getattr(value, "cache_clear", None)
        if clear is not None:
            clear()
