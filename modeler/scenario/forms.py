"""How each type of a setting is written: in words for people, in JSON Schema for editors."""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from modeler.scenario import fields as f

_DURATION: Final = r"^\s*([0-9.]+([eE][-+]?[0-9]+)?\s*(us|ms|min|s|m|h|d)\s*)+$"
_SIZE: Final = r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*([kKMGTP]?[bB]|[KMGTPkmgtp]i[bB]?)\s*$"
_RATE: Final = r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*([kKMGTP]?i?B/s|[kMGT]?(bps|bits?/s|b/s))\s*$"
_MONEY: Final = r"^\s*\$?\s*[0-9.]+\s*(USD)?\s*(/\s*(h|hr|hour))?\s*$"
_PERCENT: Final = r"^\s*[0-9.]+\s*%\s*$"
_GATE: Final = r"^\s*[A-Za-z_][A-Za-z0-9_.]*\s*(<=|>=|==|!=|<|>)\s*[^<>=!]+$"

_POSITIVE: Final = {"type": "number", "minimum": 0}


class Form(NamedTuple):
    """One way to write a value.

    Attributes
    ----------
    hint : type. The annotation of the field.
    name : str. What a value is called.
    written : str. Examples, in Markdown.
    limits : str. What a value is held to before any limit of its own.
    schemas : tuple of mapping. JSON Schemas, any of which a value meets; limits of a field apply
        to numbers alone.
    """

    hint: Any
    name: str
    written: str
    limits: str
    schemas: tuple[Mapping[str, Any], ...]


FORMS: Final[tuple[Form, ...]] = (
    Form(
        f.Bytes,
        "size",
        "with its unit: `4GB`, `12.6GiB`; GB is 10^9 bytes, GiB 2^30",
        "",
        ({"type": "string", "pattern": _SIZE},),
    ),
    Form(
        f.Seconds,
        "duration [s]",
        "`300`, `300ms`, `5m`, `1h30m`",
        "≥ 0",
        (_POSITIVE, {"type": "string", "pattern": _DURATION}),
    ),
    Form(
        f.Timeout,
        "duration [s] or `none`",
        "the same; `none` for no timeout",
        "≥ 0",
        (_POSITIVE, {"type": "string", "pattern": _DURATION}, {"const": "none"}),
    ),
    Form(
        f.BytesPerSecond,
        "rate [bytes/s]",
        "`500MB/s`, `10Gbps`, `5e8`",
        "≥ 0",
        (_POSITIVE, {"type": "string", "pattern": _RATE}),
    ),
    Form(
        f.UsdPerHour,
        "price [USD/h]",
        "`1.2`, `$1.20/h`",
        "≥ 0",
        (_POSITIVE, {"type": "string", "pattern": _MONEY}),
    ),
    Form(
        f.Share,
        "share",
        "`0.005`, `0.5%`",
        "0 to 1",
        ({**_POSITIVE, "maximum": 1}, {"type": "string", "pattern": _PERCENT}),
    ),
    Form(f.Count, "whole number", "`8`", "", ({"type": "integer"},)),
    Form(
        f.Ranks,
        "whole number or `all`",
        "`4`; `all` for each accelerator of the instance",
        "≥ 1",
        ({"type": "integer", "minimum": 1}, {"const": "all"}),
    ),
    Form(f.Number, "number", "`8`, `0.25`", "", ({"type": "number"},)),
    Form(
        f.GateText,
        "gate",
        "`p99 <= 2s`, `sla_violation_share <= 0.5%`, `usd_per_month <= $3000`",
        "",
        ({"type": "string", "pattern": _GATE},),
    ),
    Form(bool, "yes or no", "`true`, `false`", "", ({"type": "boolean"},)),
    Form(
        str,
        "text",
        "as it is; in quotes where YAML would read something else",
        "",
        ({"type": "string"},),
    ),
)


def form_of(hint: Any) -> Form | None:
    """The form of a type, or of what a type that may be None is otherwise."""
    if get_origin(hint) in (tuple, list):
        return None
    return next((form for form in FORMS if hint == form.hint or form.hint in get_args(hint)), None)


def choices_of(hint: Any) -> tuple[Any, ...]:
    """The values of a type that lists them; none for another type."""
    for one in (hint, *get_args(hint)):
        if get_origin(one) is Literal:
            return get_args(one)
    return ()


def item_of(hint: Any) -> Any:
    """What a list holds; None for a type that is none."""
    for one in (hint, *get_args(hint)):
        if get_origin(one) in (tuple, list):
            return get_args(one)[0]
        for inner in get_args(one):
            if get_origin(inner) in (tuple, list):
                return get_args(inner)[0]
    return None


def may_be_null(hint: Any) -> bool:
    """Whether a value may be left empty."""
    return NoneType in get_args(hint) or any(NoneType in get_args(one) for one in get_args(hint))
