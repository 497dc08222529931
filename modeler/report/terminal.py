"""What a terminal, a pipe or a log can show: width, colour, characters."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from typing import TextIO, TypedDict

PIPE_WIDTH = 120
Paint = Callable[[str, str], str]

_ASCII = str.maketrans(
    {"✓": "+", "✗": "!", "◆": "*", "×": "x", "–": "-", "·": ";", "→": ">", "─": "-", "…": "~"}
)
_INK = {"bold": "\x1b[1m", "dim": "\x1b[2m", "good": "\x1b[32m", "bad": "\x1b[31m"}
_PLAIN = "\x1b[0m"


class Look(TypedDict):
    """What `sweep_table` needs to know of the place it is shown."""

    width: int
    color: bool
    unicode: bool


def look_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Look:
    """How to write to a stream: its width, whether colour is welcome, whether it holds Unicode.

    Parameters
    ----------
    stream : text stream. A terminal or not.
    environ : mapping. ``NO_COLOR`` (any value but an empty one) and ``TERM=dumb`` switch colour
        off.

    Returns
    -------
    Look
        Keyword arguments of `sweep_table`.
    """
    terminal = stream.isatty()
    plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Look(
        width=shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if terminal else PIPE_WIDTH,
        color=terminal and not plain,
        unicode=encoding.startswith("utf"),
    )


def painter(color: bool) -> Paint:
    """A function that gives a text an ink, or leaves it plain without colour."""

    def paint(text: str, ink: str) -> str:
        bare = text.rstrip()
        if not (color and ink and bare):
            return text
        return f"{_INK[ink]}{bare}{_PLAIN}{' ' * (len(text) - len(bare))}"

    return paint


def to_ascii(text: str) -> str:
    """Signs become ASCII ones, cell for cell; other characters a question mark.

    >>> to_ascii("✓ 2.2× é")
    '+ 2.2x ?'
    """
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def clean(text: str) -> str:
    """Text from outside without the control characters that would steer a terminal.

    >>> clean("a\\x1b[31mb\\nc")
    'a?[31mb c'
    """
    return re.sub(r"[^\S ]", " ", re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "?", text))
