"""Architectures of published token models and encoders by name (known_models.json).

Sizes are those of each model's own published configuration; counts that follow are checked in the
tests beside published ones.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from modeler.predict.architecture import Architecture, from_config

_TABLE: Final = Path(__file__).with_name("known_models.json")
# What stands in names and says nothing of the architecture.
_WORDS: Final = re.compile(
    r"(-|_|\s)(instruct|chat|hf|it|base|v\d+(\.\d+)*|uncased|cased|fp8|bf16|fp16|\d{4}|\d+k|"
    r"coder|awq|gptq|int4|int8|nvfp4|fp4|w4a16|w8a8|99(\.9)?)(?=$|-|_|\s)"
)
_ALIASES: Final = {
    "llama2-": "llama-2-",
    "llama3-": "llama-3-",
    "llama3.1-": "llama-3.1-",
    "llama3.2-": "llama-3.2-",
    "llama3.3-": "llama-3.3-",
    "meta-llama": "llama",
    "gptj": "gpt-j",
    "gpt-j": "gpt-j-6b",
    "gpt-2": "gpt2",
    "gpt3-": "gpt-3-",
    "gemma2-": "gemma-2-",
    "deepseek-r1-distill-llama-8b": "llama-3.1-8b",
    "deepseek-r1-distill-llama-70b": "llama-3.1-70b",
    "deepseek-r1-distill-qwen-": "qwen2.5-",
    "qwq-32b": "qwen2.5-32b",
    "mistral-nemo": "mistral-nemo-12b",
    "qwen-2": "qwen2",
    "qwen-3": "qwen3",
    "opt-175b": "gpt-3-175b",
    "deepseek-r1": "deepseek-v3",
    "bloom": "bloom-176b",
}


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


def known_names() -> tuple[str, ...]:
    """Every model of the table."""
    return tuple(_table())


@cache
def known(name: str) -> Architecture:
    """The architecture of a published model.

    Parameters
    ----------
    name : str. Such as ``Llama-3.1-8B-Instruct``; case, organisation and words like ``Instruct``
        do not matter.

    Raises
    ------
    LookupError
        No such model; names the nearest.

    >>> known("meta-llama/Llama-3.1-8B-Instruct").parameters
    8030261248
    """
    found = _find(name)
    if found is None:
        near = difflib.get_close_matches(_plain(name), _table(), n=2)
        hint = (
            f"; the nearest known are {', '.join(near)}"
            if near
            else f": give its config.json, or one of {len(_table())} such as {_some()}"
        )
        raise LookupError(f'the architecture of "{name}" is not known{hint}')
    return from_config(_table()[found], found)


def _some() -> str:
    """A few names, far apart in the table."""
    names = known_names()
    return ", ".join(names[:: max(len(names) // 5, 1)][:5])


def _find(name: str) -> str | None:
    whole_name = name.lower().rpartition("/")[2].strip()
    if whole_name in _table():
        return whole_name
    plain = _plain(name)
    for candidate in (plain, f"{plain}-base"):
        if candidate in _table():
            return candidate
    for short, whole in _ALIASES.items():
        if plain.startswith(short) and not plain.startswith(whole):
            return _find(whole + plain.removeprefix(short))
    return None


def _plain(name: str) -> str:
    text = name.lower().rpartition("/")[2].strip().replace("_", "-").replace(" ", "-")
    before = ""
    while before != text:
        before = text
        text = _WORDS.sub("", text)
    return text
