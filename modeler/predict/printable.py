"""Words of files that others wrote, as a terminal may show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The same without what moves a cursor or changes a colour.

    >>> printable("a\\x1b[2J" + chr(10) + "b")
    'a?[2J b'
    """
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text
    )
