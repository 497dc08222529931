"""Settings that are each fine and together are not."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from modeler.scenario import (
    batching_checks,
    cold_start_checks,
    serverless_checks,
    weather_checks,
)
from modeler.scenario.hosting import Hosting
from modeler.scenario.kinds import policies_of
from modeler.scenario.policy import Policy
from modeler.scenario.policy.aws_checks import faults, wakes_from_zero
from modeler.scenario.queue import Queue, from_zero
from modeler.scenario.serverless import Lambda, SageMakerServerless

if TYPE_CHECKING:
    from modeler.scenario.cold_start import ColdStart
    from modeler.scenario.schema import Fleet


@dataclass(frozen=True)
class Conflict:
    """One contradiction, laid at the door of one setting."""

    path: str
    value: object
    expected: str
    message: str
    at_key: bool = False


# A policy in force and where it was written.
Placed = tuple[str, Policy]


def conflicts_between(blocks: Mapping[str, Any], partial: Collection[str] = ()) -> list[Conflict]:
    """Every contradiction within and between the blocks given.

    Parameters
    ----------
    blocks : mapping of str to block. Those that are themselves valid, and under ``said`` the
        names of those that were written; a check whose block is missing is left out, so that one
        report can hold every mistake.
    partial : collection of str. Blocks that lack the settings that are themselves wrong: a check
        that comes upon one ends there.

    Returns
    -------
    list of Conflict
        Empty when the blocks agree.
    """
    known = dict(blocks)
    if "policy" in blocks and "policies" in blocks:
        known["in_force"] = _in_force(blocks)
    found: list[Conflict] = []
    for needs, check in _CHECKS:
        if all(name in known for name in needs):
            try:
                for conflict in check(*(known[name] for name in needs)):
                    found.append(conflict)  # one by one: what came before the end stays
            except AttributeError:
                if not partial:
                    raise
    return found


def _in_force(blocks: Mapping[str, Any]) -> list[Placed]:
    several = blocks["policies"]
    if several:
        return [(f"policies.{i}", policy) for i, policy in enumerate(several)]
    return [("policy", blocks["policy"])]


def _one_or_several(said: frozenset[str], policies: Sequence[Policy]) -> Iterator[Conflict]:
    if "policy" in said and policies:
        yield Conflict(
            "policies",
            None,
            "policy or policies",
            "policy and policies are both given: write policy for one, policies for several "
            "(policies.0.target for a setting of the first)",
            at_key=True,
        )


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


def _instance_name(hosting: Hosting) -> Iterator[Conflict]:
    if "instance" not in type(hosting).model_fields:
        return
    name, prefix = hosting.instance, hosting.platform.prefix
    if name.startswith("ml.") != bool(prefix):
        write = f"{prefix}{name.removeprefix('ml.')}"
        have = "start with ml." if prefix else "have no ml. prefix"
        yield Conflict(
            "hosting.instance",
            name,
            write,
            f'instance types of hosting.kind {hosting.kind} {have}: write "{write}"',
        )


def _spot(hosting: Hosting) -> Iterator[Conflict]:
    if hosting.purchase == "spot" and not hosting.platform.spot:
        yield Conflict(
            "hosting.purchase",
            "spot",
            "on-demand",
            f"instances of {hosting.platform.title} do not run on spot capacity: write on-demand, "
            "or hosting.kind ec2_asg, eks_karpenter or eks_cluster_autoscaler",
        )


# Least size of an instance with an L4 (Cloud Run documentation, GPU support, read 2026-09).
_L4_VCPU: Final = 4
_L4_MEMORY_BYTES: Final = 16 * 2**30


def _room_for_a_gpu(hosting: Hosting) -> Iterator[Conflict]:
    if hosting.kind != "cloud_run" or hosting.gpu == "none":
        return
    if hosting.vcpu < _L4_VCPU:
        message = f"hosting.vcpu = {hosting.vcpu:g}: an L4 on Cloud Run needs at least {_L4_VCPU}"
        yield Conflict("hosting.vcpu", hosting.vcpu, f"at least {_L4_VCPU}", message)
    if hosting.memory < _L4_MEMORY_BYTES:
        message = "hosting.memory: an L4 on Cloud Run needs at least 16GiB"
        yield Conflict("hosting.memory", hosting.memory, "at least 16GiB", message)


def _size_of_a_task(hosting: Hosting) -> Iterator[Conflict]:
    if hosting.kind != "ecs_fargate":
        return
    import pricing

    wrong = pricing.fargate_fault(hosting.task)
    if wrong is not None:
        key, value, expected = wrong
        message = f"hosting.{key} = {value}: Fargate has {expected}"
        yield Conflict(f"hosting.{key}", value, expected, message)


def _policy_of_the_platform(hosting: Hosting, policies: Sequence[Placed]) -> Iterator[Conflict]:
    platform = hosting.platform
    choices = policies_of(hosting.kind)
    for path, policy in policies:
        if policy.kind not in choices:
            yield Conflict(
                f"{path}.kind",
                policy.kind,
                f"one of {', '.join(choices)}",
                f"{platform.title} (hosting.kind {hosting.kind}) is not scaled by "
                f"{policy.kind}: it has {', '.join(choices)}",
            )
    if len(policies) > 1 and not platform.several:
        yield Conflict(
            "policies",
            len(policies),
            "one policy",
            f"{platform.title} (hosting.kind {hosting.kind}) takes one policy, not "
            f"{len(policies)}: write policy",
            at_key=True,
        )
    if len(policies) > 1 and any(policy.kind == "fixed" for _, policy in policies):
        at = next(path for path, policy in policies if policy.kind == "fixed")
        message = f"{at} holds the fleet fixed: it goes with no other policy, write policy"
        yield Conflict(at, "fixed", "a policy that scales", message)


def _scale_to_zero(
    hosting: Hosting, fleet: "Fleet", policies: Sequence[Placed]
) -> Iterator[Conflict]:
    # Only endpoints that host inference components, and asynchronous ones, may reach zero
    # instances (SageMaker developer guide, read 2026-09). Leaving zero takes a step policy on
    # failed requests beside the target (endpoint-auto-scaling-zero-instances, same guide), on EC2
    # and Kubernetes as well: a metric per instance is undefined where there is none.
    if fleet.min >= 1:
        return
    platform = hosting.platform
    if not any(wakes_from_zero(policy) for _, policy in policies):
        kinds = dict.fromkeys(policy.kind.replace("_", " ") for _, policy in policies)
        acting = " with ".join(kinds)
        yield Conflict(
            "fleet.min",
            fleet.min,
            "at least 1",
            f"{acting} cannot leave zero replicas, where a metric per instance is "
            "undefined: fleet.min must be >= 1, write fleet.min: 1"
            + (f", or add {platform.zero}" if platform.zero else ""),
        )
    elif not platform.zero:
        yield Conflict(
            "fleet.min",
            fleet.min,
            "at least 1",
            f"{platform.title} keeps at least one instance: fleet.min must be >= 1, "
            "write fleet.min: 1",
        )


def _hpa_at_zero(fleet: "Fleet", policies: Sequence[Placed]) -> Iterator[Conflict]:
    # minReplicas 0 needs the feature gate and a metric that exists without pods (kubernetes.io,
    # HorizontalPodAutoscaler v2 API, read 2026-09).
    for path, policy in policies:
        if policy.kind != "hpa" or fleet.min > 0:
            continue
        if not policy.scale_to_zero:
            yield Conflict(
                "fleet.min",
                fleet.min,
                "at least 1",
                "an HPA keeps at least one replica without the feature gate HPAScaleToZero: write "
                f"fleet.min: 1, or {path}.scale_to_zero: true",
            )
        elif all(one.source_in_force in ("resource", "pods") for one in policy.all_metrics):
            yield Conflict(
                f"{path}.metrics" if policy.metrics else f"{path}.metric",
                policy.all_metrics[0].metric,
                "a metric with source object or external",
                "an HPA leaves zero replicas on an object or external metric alone: add one, e.g. "
                "queue_length, or write fleet.min: 1",
            )


def _knative(fleet: "Fleet", policies: Sequence[Placed]) -> Iterator[Conflict]:
    # One figure on the platform: the queue proxy lets so many requests into a pod.
    for path, policy in policies:
        if policy.kind != "knative_kpa" or fleet.slots is None:
            continue
        if policy.container_concurrency not in (0, fleet.slots):
            yield Conflict(
                f"{path}.container_concurrency",
                policy.container_concurrency,
                f"fleet.slots = {fleet.slots}, or 0 for no limit",
                f"{path}.container_concurrency = {policy.container_concurrency} lets in other "
                f"than the fleet.slots = {fleet.slots} requests that a pod serves at once",
            )


def _keda(fleet: "Fleet", policies: Sequence[Placed]) -> Iterator[Conflict]:
    # What KEDA's admission webhook and its documents refuse (keda.sh, ScaledObject specification
    # and CPU scaler, read 2026-09).
    for path, policy in policies:
        if policy.kind != "keda":
            continue
        idle, fallback = policy.idle_replicas, policy.fallback_replicas
        if idle is not None and idle >= fleet.min:
            yield Conflict(
                f"{path}.idle_replicas",
                idle,
                f"less than fleet.min = {fleet.min}",
                f"{path}.idle_replicas = {idle} is not less than fleet.min = {fleet.min}",
            )
        if fleet.min < 1 and all(one.metric == "cpu_utilisation" for one in policy.all_triggers):
            yield Conflict(
                "fleet.min",
                fleet.min,
                "at least 1",
                "a CPU trigger cannot leave zero replicas: add another, or write fleet.min: 1",
            )
        if fallback is not None and fallback > fleet.max:
            yield Conflict(
                f"{path}.fallback_replicas",
                fallback,
                f"at most fleet.max = {fleet.max}",
                f"{path}.fallback_replicas = {fallback} is more than fleet.max = {fleet.max}",
            )


def _fates(
    hosting: Hosting,
    fleet: "Fleet",
    queue: Queue,
    cold_start: "ColdStart",
    policies: Sequence[Placed],
) -> Iterator[Conflict]:
    if hosting.platform.per_request:
        of_fleets = {
            "fleet.router": (fleet.router, "central"),
            "queue.from_zero": (queue.from_zero, None),
            "cold_start.false_ready_s": (cold_start.false_ready_s, 0.0),
        }
        for path, (value, without) in of_fleets.items():
            if value != without:
                yield Conflict(
                    path,
                    value,
                    "leave it out",
                    f"{path} = {value}: {hosting.platform.title} starts an environment for each "
                    "request, which this does not bear on: leave it out",
                )
    holds = queue.from_zero or from_zero(hosting, [policy for _, policy in policies])
    for key in ("hold_limit", "hold_timeout_s"):
        value = getattr(queue, key)
        if value is not None and holds != "hold":
            yield Conflict(
                f"queue.{key}",
                value,
                "queue.from_zero: hold",
                f"queue.{key} = {value:g}: nothing is held where queue.from_zero is {holds}: write "
                "queue.from_zero: hold, or leave it out",
            )
    if queue.retry_base_s > queue.retry_max_s:
        yield Conflict(
            "queue.retry_base_s",
            queue.retry_base_s,
            f"at most queue.retry_max_s = {queue.retry_max_s:g}",
            f"queue.retry_base_s = {queue.retry_base_s:g} is more than "
            f"queue.retry_max_s = {queue.retry_max_s:g}",
        )


def _aws(hosting: Hosting, fleet: "Fleet", policies: Sequence[Placed]) -> Iterator[Conflict]:
    fewest, most = fleet.min, fleet.max
    if isinstance(hosting, Lambda | SageMakerServerless):
        fewest, most = hosting.provisioned_bounds
    for path, policy in policies:
        for fault in faults(policy, hosting.kind, fewest, most):
            at = f"{path}.{fault.key}"
            yield Conflict(at, fault.value, fault.expected, f"{at}: {fault.message}")


def _told(check: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Conflict]]:
    return lambda *blocks: (Conflict(*clash) for clash in check(*blocks))


_Check = Callable[..., Iterator[Conflict]]
_CHECKS = cast(
    "tuple[tuple[tuple[str, ...], _Check], ...]",
    (
        (("said", "policies"), _one_or_several),
        (("fleet",), _bounds),
        (("hosting",), _instance_name),
        (("hosting",), _spot),
        (("hosting", "fleet", "queue", "cold_start", "in_force"), _fates),
        (("hosting",), _room_for_a_gpu),
        (("hosting",), _size_of_a_task),
        (("hosting",), _told(serverless_checks.of_concurrency)),
        (("hosting", "fleet", "in_force", "weather"), _told(serverless_checks.of_requests)),
        (("hosting", "in_force"), _told(serverless_checks.of_provisioned)),
        (("hosting", "in_force"), _policy_of_the_platform),
        (("hosting", "fleet", "in_force"), _scale_to_zero),
        (("fleet", "in_force"), _hpa_at_zero),
        (("fleet", "in_force"), _keda),
        (("fleet", "in_force"), _knative),
        (("hosting", "fleet", "in_force"), _aws),
        (("hosting", "cold_start"), _told(cold_start_checks.of_start)),
        (("hosting",), _told(weather_checks.of_nodes)),
        (
            ("service", "hosting", "fleet", "queue", "weather"),
            _told(batching_checks.of_batching),
        ),
        (("hosting", "fleet", "cold_start", "weather"), _told(weather_checks.of_weather)),
    ),
)
