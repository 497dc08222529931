"""What a cell of a price table may be: a positive decimal number, and a date as exact as known."""

from calendar import monthrange
from datetime import date
from decimal import Decimal, InvalidOperation
from re import fullmatch


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
    year, _, last, day = _parts(as_of)
    return date(year, last, day or monthrange(year, last)[1]).isoformat()


def first_day(as_of: str) -> str:
    """The earliest day that a date as held may stand for.

    >>> [first_day(held) for held in ("2026-06-19", "2024-02", "2026-Q3", "2024")]
    ['2026-06-19', '2024-02-01', '2026-07-01', '2024-01-01']
    """
    year, first, _, day = _parts(as_of)
    return date(year, first, day or 1).isoformat()


def _parts(as_of: str) -> tuple[int, int, int, int]:
    """Year, first and last month, and day; 0 where none is said."""
    match = fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d\d)(?:-(\d\d))?))?", as_of)
    if match is None:
        raise ValueError(f"{as_of!r} is not YYYY, YYYY-Qn, YYYY-MM or YYYY-MM-DD")
    year, quarter, month, day = (int(part) if part else 0 for part in match.groups())
    if quarter:
        return year, quarter * 3 - 2, quarter * 3, 0
    return year, month or 1, month or 12, day
