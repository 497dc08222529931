"""Results as plain data, and plain data as text: JSON and CSV, one way for every room."""

import csv
import dataclasses
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

_string = json.encoder.encode_basestring  # what `ensure_ascii=False` writes

Row = Mapping[Any, Any]  # keys are names; pandas types those of its records as Hashable


def to_plain(value: Any) -> Any:
    """Turn a result into dicts, lists, numbers, strings and None; NaN and infinity to None.

    >>> to_plain({"a": float("nan"), "b": (Decimal("1.5"), date(2026, 11, 1))})
    {'a': None, 'b': [1.5, '2026-11-01']}
    """
    if value is None or (isinstance(value, str | bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        # float() also strips numpy.float64, which is a float by inheritance.
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return to_plain(float(value))
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    for method in ("to_dict", "model_dump", "_asdict"):
        if callable(getattr(value, method, None)):
            return to_plain(getattr(value, method)())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: to_plain(getattr(value, name)) for name in names}
    if callable(getattr(value, "tolist", None)):  # numpy arrays and scalars
        return to_plain(value.tolist())
    if isinstance(value, Iterable):
        return [to_plain(item) for item in value]
    raise TypeError(f"cannot print a {type(value).__name__}")


def flatten(row: Row, prefix: str = "") -> dict[str, Any]:
    """One level of dotted keys; lists become JSON text.

    >>> flatten({"latency_s": {"p50": 1, "p99": 2}, "tags": ["a"]})
    {'latency_s.p50': 1, 'latency_s.p99': 2, 'tags': '["a"]'}
    """
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            flat[f"{prefix}{key}"] = json.dumps(value, ensure_ascii=False)
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def to_json(plain: Any) -> str:
    """JSON text of plain data: two spaces, keys in the order given, a newline at the end."""
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def json_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The text of `to_json` in pieces: a long list of rows is never held whole.

    >>> made = {"a": 1, "rows": [{"b": 2}, {"b": []}], "none": []}
    >>> "".join(json_lines(made)) == to_json(made)
    True
    """
    opening = "{"
    for key, value in document.items():
        yield f"{opening}\n  {_string(str(key))}: "
        opening = ","
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value):
            shared: dict[str, tuple[Any, str]] = {}
            for number, one in enumerate(value):
                yield f"{',' if number else '['}\n    {_row(one, shared)}"
            yield "\n  ]"
        else:
            yield _pretty(value, "  ")
    yield "\n}\n" if opening == "," else "{}\n"


def _row(row: Any, shared: dict[str, tuple[Any, str]]) -> str:
    """The text of one of many rows; a list that the row before has as well is not written anew."""
    if not isinstance(row, Mapping) or not row:
        return _pretty(row, "    ")
    parts = []
    for key, value in row.items():
        name = str(key)
        known = shared.get(name)
        if isinstance(value, list) and known is not None and known[0] is value:
            text = known[1]
        else:
            text = _pretty(value, "      ")
            if isinstance(value, list):
                shared[name] = (value, text)
        parts.append(f"      {_string(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n    }"


def _pretty(value: Any, pad: str) -> str:
    """What `to_json` makes of anything, in one pass: `json` writes indented text slowly."""
    if value is None:
        return "null"
    kind = type(value)
    if kind is str:
        return _string(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return repr(value)
    if kind is dict:
        if not value:
            return "{}"
        inner = pad + "  "
        parts = [f"{inner}{_string(str(k))}: {_pretty(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{pad}}}"
    if kind in (list, tuple):
        if not value:
            return "[]"
        inner = pad + "  "
        return "[\n" + ",\n".join([inner + _pretty(v, inner) for v in value]) + f"\n{pad}]"
    plain = to_plain(value)
    if type(plain) is kind:  # a class derived from one of these, such as numpy's text
        return _string(str(plain)) if isinstance(plain, str) else json.dumps(plain)
    return _pretty(plain, pad)


def to_csv(rows: Iterable[Row]) -> str:
    """CSV text with a header; columns in order of first appearance, None as an empty field."""
    rows = list(rows)
    return "".join(csv_lines(lambda: iter(rows)))


def csv_lines(rows: Callable[[], Iterator[Row]]) -> Iterator[str]:
    """The text of `to_csv` row by row, from rows that can be gone through twice."""
    names = list(dict.fromkeys(name for row in rows() for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows():
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()
