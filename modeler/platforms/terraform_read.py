"""Terraform as resources with their values: configuration, plan or state.

Of a configuration (``.tf``) references to variables with a value, to locals and to arguments of
other resources are followed. What needs Terraform itself (functions, conditions, data, modules,
what only exists once it is applied) stays as it is written, and is named where it is asked for;
``terraform show -json`` has it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from modeler.scenario import Problem, ScenarioError

_MARK: Final = "__"  # of what the parser adds
_WHOLE: Final = re.compile(r"\$\{([^{}]*)\}")
_PATH: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[(?:\d+|\"[^\"]*\")\])*")
_INDEX: Final = re.compile(r"\[(?:\d+|\"[^\"]*\")\]")
_DEPTH: Final = 20  # of references to references
_INSTALL: Final = (
    "reading .tf needs python-hcl2: pip install python-hcl2, or give what "
    "terraform show -json prints"
)


@dataclass(frozen=True)
class Unknown:
    """A value that only Terraform can tell: the expression as it is written."""

    expression: str


@dataclass(frozen=True)
class Resource:
    """One resource.

    Attributes
    ----------
    type, name : str. Such as ``aws_appautoscaling_target`` and ``chat``.
    file : str. Where it is written.
    body : mapping. Arguments and blocks; a block is a list of mappings.
    """

    type: str
    name: str
    file: str
    body: Mapping[str, Any]

    @property
    def address(self) -> str:
        """As Terraform prints it."""
        return f"{self.type}.{self.name}"


@dataclass
class Module:
    """The resources of one folder, plan or state.

    Attributes
    ----------
    resources : list of Resource.
    region : str. Of the provider; empty where it is not said.
    gaps : list of str. What could not be followed, in words.
    """

    resources: list[Resource] = field(default_factory=list)
    region: str = ""
    gaps: list[str] = field(default_factory=list)
    _named: dict[str, Any] = field(default_factory=dict)  # var.x and local.x to values

    def of(self, *types: str) -> list[Resource]:
        """Resources of some types, in their order."""
        return [one for one in self.resources if one.type in types]

    def value(self, written: Any, depth: int = 0) -> Any:
        """A value with its references followed; `Unknown` where that cannot be."""
        if isinstance(written, list):
            return [self.value(item, depth) for item in written]
        if isinstance(written, Mapping):
            return {key: self.value(item, depth) for key, item in written.items()}
        if not isinstance(written, str) or "${" not in written or depth > _DEPTH:
            return written
        whole = _WHOLE.fullmatch(written)
        if whole:
            return self._reference(whole[1].strip(), depth)

        def inner(match: re.Match[str]) -> str:
            found = self._reference(match[1].strip(), depth)
            return match[0] if isinstance(found, Unknown | list | dict) else str(found)

        return _WHOLE.sub(inner, written)

    def _reference(self, expression: str, depth: int) -> Any:
        if not _PATH.fullmatch(expression):
            return Unknown(expression)
        parts = _INDEX.sub("", expression).split(".")
        if parts[0] in ("var", "local") and len(parts) >= 2:
            name, rest = ".".join(parts[:2]), parts[2:]
            if name not in self._named:
                return Unknown(expression)
            found = self.value(self._named[name], depth + 1)
        else:
            owner = ".".join(parts[:2])
            resource = next((one for one in self.resources if one.address == owner), None)
            if resource is None or len(parts) < 3:
                return Unknown(expression)
            rest = parts[3:]
            if parts[2] in ("arn", "id") and parts[2] not in resource.body:
                return resource.address  # what it will be called is not known: the same everywhere
            if parts[2] not in resource.body:
                return Unknown(expression)
            found = self.value(resource.body[parts[2]], depth + 1)
        for key in rest:
            if isinstance(found, list) and len(found) == 1:
                found = found[0]
            if not isinstance(found, Mapping) or key not in found:
                return Unknown(expression)
            found = found[key]
        return found


def read_module(path: str | Path) -> Module:
    """Read a folder of ``.tf``, one such file, a plan or state as JSON, or ``terraform.tfstate``.

    Raises
    ------
    ScenarioError
        No such file, nothing of Terraform in it, or a mistake in it.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(place.glob("*.tf"))
        if not files:
            expected = "a folder with .tf files, or the JSON of terraform show -json"
            raise _refused(str(path), f"{path} holds no .tf file", expected)
        return _of_configuration(files, sorted(place.glob("*.tfvars")))
    if not place.exists():
        raise _refused(str(path), f"cannot read {path}: no such file or directory")
    if place.suffix == ".tf":
        return _of_configuration([place], [])
    return _of_json(place)


def _refused(file: str, message: str, expected: str = "") -> ScenarioError:
    return ScenarioError([Problem(message, file=file, expected=expected)])


def _of_configuration(files: Sequence[Path], values: Sequence[Path]) -> Module:
    module = Module()
    for file in files:
        content = _hcl(file)
        for block in content.get("variable", ()):
            for name, body in _entries(block):
                if isinstance(body, Mapping) and body.get("default") is not None:
                    module._named[f"var.{name}"] = body["default"]
        for block in content.get("locals", ()):
            module._named |= {f"local.{name}": value for name, value in _entries(block)}
        for block in content.get("provider", ()):
            for name, body in _entries(block):
                if name == "aws" and isinstance(body, Mapping) and "alias" not in body:
                    module._named["provider.region"] = body.get("region", "")
        for block in content.get("module", ()):
            for name, _ in _entries(block):
                module.gaps.append(
                    f"{file.name}: module {name} is not followed; terraform show -json has what "
                    "it makes"
                )
        for block in content.get("resource", ()):
            for kind, named in _entries(block):
                for name, body in _entries(named):
                    module.resources.append(Resource(kind, name, file.name, body))
    for file in values:
        module._named |= {f"var.{name}": value for name, value in _entries(_hcl(file))}
    region = module.value(module._named.get("provider.region", ""))
    module.region = region if isinstance(region, str) else ""
    module.resources = [
        one for one in module.resources if module.value(one.body.get("count")) not in (0, False)
    ]
    return module


def _entries(block: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a block, without what the parser adds."""
    if isinstance(block, Mapping):
        yield from ((k, v) for k, v in block.items() if not k.startswith(_MARK))


def _hcl(file: Path) -> dict[str, Any]:
    """A file of Terraform's language as plain data, whichever release of the parser reads it."""
    try:
        import hcl2
    except ImportError as error:
        raise _refused(str(file), _INSTALL) from error
    try:
        with file.open(encoding="utf-8") as text:
            content = hcl2.load(text)
    except UnicodeDecodeError as error:
        raise _refused(str(file), f"{file}: not a text file in UTF-8") from error
    except Exception as error:  # the parser's own, of any of its releases
        said = str(error).strip().partition("\n")[0]
        place = {"line": getattr(error, "line", None), "column": getattr(error, "column", None)}
        line = place["line"] if isinstance(place["line"], int) and place["line"] > 0 else None
        raise ScenarioError(
            [Problem(f"not valid Terraform: {said}", file=str(file), line=line)]
        ) from error
    plain = _unquoted(content)
    return plain if isinstance(plain, dict) else {}


def _unquoted(value: Any) -> Any:
    """Strings without the quotes that newer releases keep, and without marks."""
    if isinstance(value, Mapping):
        return {
            _text(str(key)): _unquoted(item)
            for key, item in value.items()
            if not str(key).startswith(_MARK)
        }
    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


def _of_json(file: Path) -> Module:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _refused(str(file), f"{file}: not JSON: {error}") from error
    module = Module()
    if isinstance(content, Mapping):
        planned = content.get("planned_values") or content.get("values")
        if isinstance(planned, Mapping):
            module.resources = list(_shown(planned.get("root_module"), file.name))
            configured = content.get("configuration")
            provider = configured.get("provider_config") if isinstance(configured, Mapping) else {}
            module.region = _region_of(provider)
        elif isinstance(content.get("resources"), list):
            module.resources = list(_stated(content["resources"], file.name))
    if not module.resources:
        expected = "what terraform show -json prints of a plan or a state, or terraform.tfstate"
        raise _refused(str(file), f"{file}: no resources: expected {expected}", expected)
    return module


def _region_of(provider: Any) -> str:
    found: Any = provider
    for key in ("aws", "expressions", "region", "constant_value"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _shown(module: Any, file: str) -> Iterator[Resource]:
    """Resources of ``terraform show -json``, of modules within as well."""
    if not isinstance(module, Mapping):
        return
    for one in _mappings(module.get("resources")):
        if one.get("mode", "managed") == "managed" and isinstance(one.get("values"), Mapping):
            yield Resource(str(one.get("type")), str(one.get("name")), file, one["values"])
    for child in _mappings(module.get("child_modules")):
        yield from _shown(child, file)


def _stated(resources: Any, file: str) -> Iterator[Resource]:
    """Resources of a state file."""
    for one in _mappings(resources):
        for instance in _mappings(one.get("instances")):
            body = instance.get("attributes")
            if one.get("mode", "managed") == "managed" and isinstance(body, Mapping):
                yield Resource(str(one.get("type")), str(one.get("name")), file, body)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))
