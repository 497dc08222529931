"""Values as the text of a file: YAML, Go durations, quantities, numbers without an exponent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString


def to_yaml(*documents: Any) -> str:
    """Documents of YAML in block style, keys in their order."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    parts = []
    for document in documents:
        out = StringIO()
        yaml.dump(document, out)
        parts.append(out.getvalue())
    return "---\n".join(parts)


def plain(value: float) -> str:
    """A number in as many digits as it has, without an exponent.

    >>> plain(2.5), plain(100.0), plain(1e-07)
    ('2.5', '100', '0.0000001')
    """
    return _digits(Decimal(repr(value)))


def quoted(value: float) -> str:
    """A number as text in quotes, as annotations and metadata of Kubernetes have to be."""
    return DoubleQuotedScalarString(plain(value))


def _digits(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def flagged(value: bool) -> str:
    """True or false as text in quotes."""
    return DoubleQuotedScalarString("true" if value else "false")


def percent(share: float) -> str:
    """A share as a percentage, to its last digit, as text in quotes.

    >>> percent(0.333)
    '33.3'
    """
    return DoubleQuotedScalarString(_digits(Decimal(repr(share)) * 100))


def seconds(value: float) -> str:
    """A Go duration in seconds, as text in quotes."""
    return DoubleQuotedScalarString(f"{plain(value)}s")


def number(value: float) -> float | int:
    """A whole number without its point.

    >>> number(80.0), number(2.5)
    (80, 2.5)
    """
    return int(value) if value == int(value) else value


def commented(lines: Sequence[str]) -> str:
    """Lines as comments of YAML and of Terraform."""
    # A name with a line break stays inside of the comment.
    return "".join(f"# {' '.join(line.splitlines())}".rstrip() + "\n" for line in lines)
