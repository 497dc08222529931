"""What every block of a scenario is made of: typed quantities, and defaults with an origin."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from modeler.scenario import units
from modeler.scenario.gates import GateError, parse_gate

Origin = Literal["documented", "observed", "assumed"]

# Validation context of values that come out of a file: there a bare number is no size, because
# nobody can tell whether bytes, GB or GiB were meant. A Python int is a count of bytes.
FROM_FILE: Final = "from_file"
# Names of blocks that stand at defaults for want of what was written: no check reads them.
UNREAD: Final = "unread"


class Block(BaseModel):
    """A frozen group of settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def setting(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    origin: Origin | None = None,
    source: str = "",
    derived: str = "",
    **constraints: Any,
) -> Any:
    """A field that knows where its default comes from.

    Parameters
    ----------
    default : object. The default; ``...`` where there is none.
    meaning : str. What it sets.
    unit : str. Its unit, empty for counts and names.
    origin : str, optional. ``documented`` by the vendor, ``observed`` by users, or ``assumed``;
        None where the default is no claim about the world.
    source : str. Where the default was read, or why it was assumed.
    derived : str. For a default of None: what is used instead, in words.
    **constraints : object. As for `pydantic.Field` (``ge``, ``gt``, ...).
    """
    about: JsonDict = {"unit": unit, "origin": origin, "source": source, "derived": derived}
    return Field(default, description=meaning, json_schema_extra=about, **constraints)


def by_kind(default: str) -> Discriminator:
    """Choose the class of a block by its ``kind``, which may be left out."""

    def kind_of(value: Any) -> str:
        if isinstance(value, dict):
            return str(value.get("kind", default))
        return str(getattr(value, "kind", default))

    return Discriminator(kind_of)


def _read(parse: Callable[[Any], Any]) -> BeforeValidator:
    """Run a parser of `units`, keeping what it expected for the message."""

    def validate(value: Any) -> Any:
        try:
            return parse(_plain(value))
        except units.UnitError as error:
            raise _refusal(error) from error

    return BeforeValidator(validate)


def _size(value: Any, info: ValidationInfo) -> Any:
    value = _plain(value)
    from_file = bool(info.context and info.context.get(FROM_FILE))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not from_file:
        return value
    try:
        return units.parse_size(value)
    except units.UnitError as error:
        raise _refusal(error) from error


def _number(value: Any) -> Any:
    """Refuse ``true`` for 1, which Python would let pass."""
    if isinstance(value, bool):
        raise PydanticCustomError(
            "quantity", "{shown} is not a number", {"shown": str(value), "expected": "a number"}
        )
    return _plain(value)


def _timeout(value: Any) -> Any:
    if value is None or value == "none":
        return value
    try:
        return units.parse_duration(_plain(value))
    except units.UnitError as error:
        raise _refusal(error) from error


def _ranks(value: Any) -> Any:
    plain = _plain(value)
    if plain == "all":
        return plain
    if isinstance(plain, int | str) and str(plain).isdecimal() and int(plain) >= 1:
        return int(plain)
    expected = "a whole number of at least 1, or all"
    raise PydanticCustomError(
        "quantity",
        "{shown} is not {expected}",
        {"shown": f"{plain!r}", "expected": expected},
    )


def _gate(value: Any) -> Any:
    try:
        return parse_gate(value).text
    except GateError as error:
        about = {"message": str(error), "expected": error.expected, "nearest": error.nearest}
        raise PydanticCustomError("quantity", "{message}", about) from error


def _plain(value: Any) -> Any:
    """A Python number for a NumPy one, as notebooks pass them."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0
    return value.item() if is_scalar else value


def _refusal(error: units.UnitError) -> PydanticCustomError:
    # The message goes in as a value: a brace in what the user wrote is not a placeholder.
    return PydanticCustomError(
        "quantity", "{message}", {"message": str(error), "expected": error.expected}
    )


def _not_empty(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise PydanticCustomError("entries", "[] has no entry", {"expected": "at least one entry"})
    return entries


# Of a list of blocks; a list with a mistake in an entry is told by the entry alone.
SOME: Final = AfterValidator(_not_empty)

Bytes = Annotated[int, BeforeValidator(_size)]
Seconds = Annotated[float, _read(units.parse_duration)]
Share = Annotated[float, _read(units.parse_share)]
BytesPerSecond = Annotated[float, _read(units.parse_rate)]
UsdPerHour = Annotated[float, _read(units.parse_usd_per_hour)]
Count = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number)]
Timeout = Annotated[float | Literal["none"] | None, BeforeValidator(_timeout)]
GateText = Annotated[str, BeforeValidator(_gate)]
Ranks = Annotated[int | Literal["all"], BeforeValidator(_ranks)]
