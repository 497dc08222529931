"""A file that describes a model: a configuration, layers an analyst names, or an ensemble."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modeler.predict.architecture.config import from_config
from modeler.predict.architecture.estimators import from_library
from modeler.predict.architecture.fields import ArchitectureError, nearest
from modeler.predict.architecture.parts import Architecture
from modeler.predict.architecture.spec import from_spec
from modeler.predict.architecture.trees import Ensemble
from modeler.predict.architecture.yaml_text import parsed_yaml

# A configuration with names for 22,000 classes is under 3 MB. [bytes]
_MOST_BYTES: Final = 4_000_000
_MOST_YAML: Final = 50_000  # its reader takes six seconds for a megabyte [bytes]
_JSON: Final = ".json"
_YAML: Final = (".yaml", ".yml")
_CONFIG: Final = "config.json"
_KEYS: Final = ("model_type", "architectures", "type", "layers", "lib", "library", "cls")
_EXPECTED: Final = (
    "model_type (a configuration), type or layers (layers), or lib (trees, linear models)"
)
_MOST_PARAMETERS: Final = 1 << 56  # as of tensors in a header
_ENDS: Final = (b"}", b"]")


def read_description(path: str | os.PathLike[str]) -> Architecture | Ensemble | None:
    """Read a description by what is in it; None where the file is none.

    Parameters
    ----------
    path : path. JSON, or YAML by its suffix: with ``model_type`` a configuration as transformers
        writes it, with ``lib`` an ensemble of trees or a linear model, with ``type`` or ``layers``
        layers; a list is one of layers, or of the widths of dense layers.

    Raises
    ------
    ArchitectureError
        Not JSON or YAML under a name that promises it, with line and column, or as the three
        readers say.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    config = Path(path).name.endswith(_CONFIG)
    yaml = name.lower().endswith(_YAML)
    if not (config or yaml or name.lower().endswith(_JSON)):
        return None
    size = Path(path).stat().st_size
    if not size:
        raise ArchitectureError(name, ["empty: 0 bytes"])
    most = _MOST_YAML if yaml else _MOST_BYTES
    if size > most:
        if config or yaml:
            said = f"{size:,} bytes: expected a description of at most {most:,}"
            raise ArchitectureError(name, [said])
        _check_ends(name, size)
        return None
    content = parsed_yaml(name) if yaml else _parsed_json(name)
    if isinstance(content, list) and not config and (yaml or _may_be_layers(content)):
        return _believed(name, from_spec({"layers": content}, name))
    if not isinstance(content, dict):
        if config or yaml:
            said = "as transformers writes it" if config else f"with {_EXPECTED}"
            raise ArchitectureError(name, [f"expected an object, {said}"])
        return None
    found = _of_mapping(name, content, config=config, yaml=yaml)
    return _believed(name, found) if isinstance(found, Architecture) else found


def _believed(name: str, found: Architecture) -> Architecture:
    if found.parameters > _MOST_PARAMETERS:
        said = f"{found.parameters:,} parameters: expected at most {_MOST_PARAMETERS:,}"
        raise ArchitectureError(name, [said])
    return found


def _of_mapping(
    name: str, content: dict[str, Any], *, config: bool, yaml: bool
) -> Architecture | Ensemble | None:
    if "model_type" in content or "architectures" in content:
        return from_config(content, name)
    if any(key in content for key in ("lib", "library", "cls")):
        return from_library(content, name)
    if "type" in content or isinstance(content.get("layers"), list):
        return from_spec(content, name)
    if config:
        return from_config(content, name)
    if "layers" in content:
        return from_spec(content, name)
    found = ", ".join(str(key)[:40] for key in list(content)[:8]) or "nothing"
    hints = [nearest(str(key), _KEYS, cutoff=0.75) for key in list(content)[:50]]
    hint = next((each for each in hints if each), "")
    if yaml or hint:
        raise ArchitectureError(name, [f"expected {_EXPECTED}; found {found}{hint}"])
    return None


def _may_be_layers(content: list[Any]) -> bool:
    """Widths, or objects of which the first has a type; other lists are some other JSON."""
    first = content[0] if content else None
    if isinstance(first, Mapping):
        return "type" in first or any(nearest(str(key), ("type",), 0.75) for key in first)
    return isinstance(first, int | float)


def _check_ends(name: str, size: int) -> None:
    """Of JSON too long to parse: that it begins and ends as JSON."""
    with Path(name).open("rb") as file:
        first = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(size - 4096)
        last = file.read().rstrip()
    if not first.startswith((b"{", b"[")):
        raise ArchitectureError(name, [f"not JSON: begins {first[:12]!r}"])
    if not last.endswith(_ENDS):
        raise ArchitectureError(name, [f"not JSON: ends {last[-12:]!r}: truncated?"])


def _parsed_json(name: str) -> Any:
    try:
        return json.loads(Path(name).read_bytes())
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :].lstrip()
        before = error.doc[: error.pos].rstrip()
        what = error.msg[:1].lower() + error.msg[1:]
        if not rest:
            what = f"ends too early: {what}"
        elif rest[0] in "}]" and before.endswith(","):
            what = f"a comma before {rest[0]}"
        raise ArchitectureError(
            name, [f"not JSON: line {error.lineno}, column {error.colno}: {what}"]
        ) from error
    except UnicodeDecodeError as error:
        raise ArchitectureError(
            name, [f"not JSON: not a text: byte {error.start} cannot be read as {error.encoding}"]
        ) from error
    except RecursionError as error:
        raise ArchitectureError(name, ["not JSON that can be read: nested too deep"]) from error
    except ValueError as error:  # a number of more than 4,300 digits
        raise ArchitectureError(name, [f"not JSON that can be read: {error}"]) from error
