"""What a setting does, for a sentence that names it to someone who never wrote one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_DOES: Final[Mapping[str, str]] = {
    "policy.target_utilisation": "replicas held {percent:.3g} % busy",
    "fleet.min": "never fewer than {value:g} running",
    "fleet.max": "never more than {value:g} running",
    "fleet.slots": "{value:g} requests at once on each replica",
}


def explained(settings: Mapping[str, Any]) -> str:
    """Settings as they are written, each with what it does where that is not its name.

    >>> explained({"fleet.min": 2, "policy.kind": "hpa"})
    'fleet.min = 2 (never fewer than 2 running), policy.kind = hpa'
    """
    return ", ".join(_one(path, value) for path, value in settings.items())


def _one(path: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{path} = {value:.4g}" if isinstance(value, float) else f"{path} = {value}"
    if path not in _DOES or not number:
        return text
    return f"{text} ({_DOES[path].format(value=value, percent=100.0 * value)})"
