"""The blocks that come in several kinds: the class behind each, and each platform's own policy."""

from typing import Any, Final, get_args

from modeler.scenario.hosting import Hosting, SageMakerRealtime
from modeler.scenario.platform import Platform
from modeler.scenario.policy import Policy
from modeler.scenario.service import Service


def _classes(union: Any) -> dict[str, type[Any]]:
    tagged = get_args(get_args(union)[0])
    classes = [get_args(member)[0] for member in tagged]
    return {cls.model_fields["kind"].default: cls for cls in classes}


KINDS: Final[dict[str, dict[str, type[Any]]]] = {
    "hosting": _classes(Hosting),
    "service": _classes(Service),
    "policy": _classes(Policy),
}


def platform_of(hosting: str) -> Platform:
    """What a platform is, from its ``hosting.kind``."""
    platform: Platform = KINDS["hosting"].get(hosting, SageMakerRealtime).platform
    return platform


def policies_of(hosting: str) -> tuple[str, ...]:
    """The kinds of policy a platform has, its default first, from its ``hosting.kind``."""
    return tuple(kind for kind in platform_of(hosting).policies if kind in KINDS["policy"])


def default_policy(hosting: str) -> str:
    """The kind of policy that a platform has by itself, from its ``hosting.kind``."""
    return policies_of(hosting)[0]
