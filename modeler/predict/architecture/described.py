"""A file that describes a model: a configuration, layers an analyst names, or an ensemble."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from modeler.predict.architecture.config import from_config
from modeler.predict.architecture.fields import ArchitectureError
from modeler.predict.architecture.parts import Architecture
from modeler.predict.architecture.spec import from_spec
from modeler.predict.architecture.trees import Ensemble, from_ensemble

_MOST_BYTES: Final = 10_000_000
_JSON: Final = ".json"
_YAML: Final = (".yaml", ".yml")
_CONFIG: Final = "config.json"


def read_description(path: str | os.PathLike[str]) -> Architecture | Ensemble | None:
    """Read a description by what is in it; None where the file is none.

    Parameters
    ----------
    path : path. JSON, or YAML by its suffix: with ``model_type`` a configuration as transformers
        writes it, with ``lib`` an ensemble of trees, with ``type`` or ``layers`` layers.

    Raises
    ------
    ArchitectureError
        Not JSON or YAML under a name that promises it, or as the three readers say.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    config = Path(path).name.endswith(_CONFIG)
    yaml = name.lower().endswith(_YAML)
    if not (config or yaml or name.lower().endswith(_JSON)):
        return None
    if Path(path).stat().st_size > _MOST_BYTES:
        if config:
            raise ArchitectureError(name, ["over 10 MB: expected a config.json of a few kilobytes"])
        return None
    content = _parsed(name, yaml=yaml)
    if content is None and (config or yaml):
        raise ArchitectureError(name, [f"not {'YAML' if yaml else 'JSON'}"])
    if not isinstance(content, dict):
        if config or yaml:
            raise ArchitectureError(name, ["expected an object, as transformers writes it"])
        return None
    if config or "model_type" in content or "architectures" in content:
        return from_config(content, name)
    if "lib" in content or "library" in content:
        return from_ensemble(content, name)
    if "layers" in content or "type" in content:
        return from_spec(content, name)
    if yaml:
        found = ", ".join(map(str, content)) or "nothing"
        expected = "model_type (a configuration), type or layers (layers), or lib (trees)"
        raise ArchitectureError(name, [f"expected {expected}; found {found}"])
    return None


def _parsed(name: str, *, yaml: bool) -> Any:
    """What the file holds; None where it cannot be parsed."""
    text = Path(name).read_bytes()
    try:
        if not yaml:
            return json.loads(text)
        from ruamel.yaml import YAML

        return YAML(typ="safe", pure=True).load(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    except Exception as error:
        # ruamel's own errors have no common base but Exception's.
        if yaml and type(error).__module__.startswith("ruamel"):
            raise ArchitectureError(name, [f"not YAML: {error}"]) from error
        raise
