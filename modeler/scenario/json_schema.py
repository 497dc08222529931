"""The JSON Schema of a scenario file, for editors that complete and check while one types."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

from pydantic.fields import FieldInfo

from modeler.scenario.fields import Block
from modeler.scenario.forms import choices_of, form_of, item_of, may_be_null
from modeler.scenario.paths import known_paths
from modeler.scenario.policy_file import KEYS
from modeler.scenario.schema import Scenario
from modeler.scenario.tree import ITEM, Shape, default_of, shapes
from modeler.scenario.units import BYTES_PER_UNIT

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LIMITS: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}
_POLICY_FILE: Final = {
    "type": "object",
    "title": "file",
    "description": "A policy file of the platform itself.",
    "properties": {
        "kind": {"const": "file"},
        **{key: {"description": words, "type": "string"} for key, words in KEYS.items()},
    },
    "required": ["kind", "path"],
    "additionalProperties": False,
}
_EXAMPLE: Final = {
    "name": "ranker",
    "trace": "office-week",
    "model": {"size": "13.5GB"},
    "hosting": {"kind": "sagemaker_realtime", "instance": "ml.g5.2xlarge"},
    "fleet": {"min": 1, "max": 8},
    "policy": {"kind": "target_tracking", "scale_in_cooldown_s": "5m"},
    "sla": {"threshold_s": "10s", "max_violation_share": "0.5%"},
    "gates": ["p99 <= 10s", "usd_per_month <= $3000"],
    "sweep": {"model.size": ["7GB", "13.5GB"], "fleet.min": [1, 2]},
}


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file.

    Returns
    -------
    dict
        JSON Schema 2020-12. Each setting has its description, default, limits and, under ``x-``,
        its unit, origin and source. It says what one setting may be; that settings agree with
        each other, only `load` checks.
    """
    definitions: dict[str, Any] = {}
    properties = _properties(Scenario, definitions)
    properties["sweep"] = _sweep()
    definitions["PolicyFile"] = _POLICY_FILE
    properties["policy"]["anyOf"].append({"$ref": "#/$defs/PolicyFile"})
    return {
        "$schema": DIALECT,
        "$id": "urn:modeler:scenario:1",
        "title": "modeler scenario",
        "description": "One question: traffic, model, hosting, fleet, policy and service level.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "not": {"required": ["policy", "policies"]},
        "examples": [_EXAMPLE],
        "$defs": definitions,
    }


def _properties(cls: type[Block], definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    below = shapes(cls)
    return {
        name: _setting(cls, name, hints[name], below[name], definitions)
        for name in cls.model_fields
        if name != "kind"
    }


def _setting(
    cls: type[Block], name: str, hint: Any, shape: Shape, definitions: dict[str, Any]
) -> dict[str, Any]:
    field = cls.model_fields[name]
    about = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if shape.classes:
        schema = _blocks(shape, definitions, any_kind=cls is Scenario and name == "policy")
    else:
        schema = _value(hint, field)
    if may_be_null(hint):
        schema = _either([*_alternatives(schema), {"type": "null"}])
    words = _described(field, about)
    described = {"description": words, **schema} if words else schema
    default = default_of(cls, name)
    if not shape.classes and not field.is_required():
        described["default"] = _written(default, str(about.get("unit", "")))
    for key in ("unit", "origin", "source"):
        if about.get(key):
            described[f"x-{key}"] = about[key]
    return described


def _blocks(shape: Shape, definitions: dict[str, Any], *, any_kind: bool) -> dict[str, Any]:
    """References to the classes that may stand at a place."""
    references = []
    for kind, cls in shape.classes.items():
        may_be_left_out = any_kind or kind == shape.default
        name = cls.__name__ + ("" if may_be_left_out or not kind else "Named")
        if name not in definitions:
            definitions[name] = {}  # a place, for classes that hold themselves
            definitions[name] = _definition(cls, kind, definitions, named=not may_be_left_out)
        references.append({"$ref": f"#/$defs/{name}"})
    one = _either(references)
    return {"type": "array", "items": one} if shape.listed else one


def _definition(
    cls: type[Block], kind: str, definitions: dict[str, Any], *, named: bool
) -> dict[str, Any]:
    properties = _properties(cls, definitions)
    required = [name for name in properties if cls.model_fields[name].is_required()]
    if kind:
        properties = {"kind": {"const": kind, "description": cls.__doc__}, **properties}
        required = ["kind", *required] if named else required
    found: dict[str, Any] = {
        "type": "object",
        "title": kind or cls.__name__,
        "description": cls.__doc__,
        "properties": properties,
        "additionalProperties": False,
    }
    return {**found, "required": required} if required else found


def _value(hint: Any, field: FieldInfo | None) -> dict[str, Any]:
    """The schema of a plain value or of a list of them."""
    limits = dict(_limits(field)) if field is not None else {}
    form = form_of(hint)
    if form is not None:
        return _either([_limited(schema, limits) for schema in form.schemas])
    choices = choices_of(hint)
    if choices:
        return {"enum": list(choices)}
    item = item_of(hint)
    if item is not None:
        return {"type": "array", "items": _value(item, None)}
    return {}


def _limits(field: FieldInfo) -> Iterator[tuple[str, Any]]:
    for limit in field.metadata:
        for name, keyword in (*_LIMITS.items(), ("min_length", "minLength"), ("pattern",) * 2):
            if getattr(limit, name, None) is not None:
                yield keyword, getattr(limit, name)


def _limited(schema: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    of_text = ("minLength", "pattern")
    is_text = schema.get("type") == "string"
    if is_text and "pattern" in schema:  # a quantity with its unit
        return dict(schema)
    return {**schema, **{k: v for k, v in limits.items() if (k in of_text) == is_text}}


def _sweep() -> dict[str, Any]:
    """The settings that may be varied, each with a list of its own values."""
    paths: dict[str, Any] = {}
    patterns: dict[str, Any] = {}
    varied = {"type": "array", "minItems": 1}
    for path in known_paths():
        if path in ("name", "gates", "sweep"):
            continue
        if f".{ITEM}" in path:
            escaped = path.replace(".", r"\.").replace(rf"\.{ITEM}", r"\.[0-9]+")
            patterns[f"^{escaped}$"] = varied
        else:
            paths[path] = varied
    return {
        "type": "object",
        "description": "Settings to vary, by their path; every combination is replayed.",
        "properties": paths,
        "patternProperties": patterns,
        "additionalProperties": False,
    }


def _either(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]


def _described(field: FieldInfo, about: Mapping[str, Any]) -> str:
    text = field.description or ""
    unit, derived = about.get("unit"), about.get("derived")
    text += f" [{unit}]" if unit else ""
    return text + (f" Default: {derived}." if derived else "")


def _written(value: Any, unit: str) -> Any:
    """A default as one would write it in a file."""
    if unit == "bytes" and isinstance(value, int):
        for name in ("GiB", "GB", "MB", "kB"):
            if value and value % BYTES_PER_UNIT[name] == 0:
                return f"{value // BYTES_PER_UNIT[name]}{name}"
        return f"{value}B"
    return list(value) if isinstance(value, tuple) else value
