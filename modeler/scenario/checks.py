"""Settings that are each fine and together are not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from modeler.scenario.hosting import Hosting
    from modeler.scenario.policy import Policy
    from modeler.scenario.schema import Fleet


@dataclass(frozen=True)
class Conflict:
    """One contradiction, laid at the door of one setting."""

    path: str
    value: object
    expected: str
    message: str


def conflicts_between(blocks: Mapping[str, Any]) -> list[Conflict]:
    """Every contradiction within and between the blocks given.

    Parameters
    ----------
    blocks : mapping of str to block. Those that are themselves valid; a check whose block is
        missing is left out, so that one report can hold every mistake.

    Returns
    -------
    list of Conflict
        Empty when the blocks agree.
    """
    found: list[Conflict] = []
    for needs, check in _CHECKS:
        if all(name in blocks for name in needs):
            found.extend(check(*(blocks[name] for name in needs)))
    return found


def _bounds(fleet: "Fleet") -> Iterator[Conflict]:
    if fleet.max < fleet.min:
        yield Conflict(
            "fleet.max",
            fleet.max,
            f"at least fleet.min = {fleet.min}",
            f"fleet.max = {fleet.max} is less than fleet.min = {fleet.min}",
        )
    elif fleet.initial is not None and not fleet.min <= fleet.initial <= fleet.max:
        yield Conflict(
            "fleet.initial",
            fleet.initial,
            f"from fleet.min = {fleet.min} to fleet.max = {fleet.max}",
            f"fleet.initial = {fleet.initial} is outside of "
            f"fleet.min = {fleet.min} to fleet.max = {fleet.max}",
        )


def _instance_name(hosting: "Hosting") -> Iterator[Conflict]:
    name = hosting.instance
    has_prefix = name.startswith("ml.")
    wants_prefix = hosting.kind == "sagemaker_realtime"
    if has_prefix != wants_prefix:
        write = f"ml.{name}" if wants_prefix else name.removeprefix("ml.")
        have = "start with ml." if wants_prefix else "have no ml. prefix"
        yield Conflict(
            "hosting.instance",
            name,
            write,
            f'instance types of hosting.kind {hosting.kind} {have}: write "{write}"',
        )


def _spot(hosting: "Hosting") -> Iterator[Conflict]:
    if hosting.kind == "sagemaker_realtime" and hosting.purchase == "spot":
        yield Conflict(
            "hosting.purchase",
            "spot",
            "on-demand",
            "SageMaker real-time endpoints do not run on spot capacity: write on-demand, "
            "or hosting.kind ec2_asg or eks_karpenter",
        )


def _scale_to_zero(hosting: "Hosting", fleet: "Fleet", policy: "Policy") -> Iterator[Conflict]:
    # Only endpoints that host inference components may reach zero instances (SageMaker
    # developer guide, read 2026-09). What no target tracking can do is said for it already.
    if hosting.kind == "sagemaker_realtime" and fleet.min < 1 and policy.kind == "fixed":
        yield Conflict(
            "fleet.min",
            fleet.min,
            "at least 1",
            "a SageMaker real-time variant keeps at least one instance: fleet.min must be >= 1, "
            "write fleet.min: 1",
        )


def _out_of_zero(fleet: "Fleet", policy: "Policy") -> Iterator[Conflict]:
    # Leaving zero takes a step policy on failed requests beside the target (SageMaker developer
    # guide, endpoint-auto-scaling-zero-instances, read 2026-09), on EC2 and Kubernetes as well.
    if policy.kind == "target_tracking" and fleet.min < 1:
        yield Conflict(
            "fleet.min",
            fleet.min,
            "at least 1",
            "target tracking cannot leave zero replicas, where its metric per instance is "
            "undefined: fleet.min must be >= 1, write fleet.min: 1",
        )


_Check = Callable[..., Iterator[Conflict]]
_CHECKS = cast(
    "tuple[tuple[tuple[str, ...], _Check], ...]",
    (
        (("fleet",), _bounds),
        (("hosting",), _instance_name),
        (("hosting",), _spot),
        (("hosting", "fleet", "policy"), _scale_to_zero),
        (("fleet", "policy"), _out_of_zero),
    ),
)
