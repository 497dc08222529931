"""What is scaled, under names that stand for the analyst's own; what its policies share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from modeler.platforms.writers.aws_metrics import described
from modeler.platforms.writers.refusals import Refusals
from modeler.scenario import Scenario

_VARIANT: Final = "AllTraffic"
_ALIAS: Final = "live"
_CLUSTER: Final = "CLUSTER"


@dataclass(frozen=True)
class Target:
    """What is scaled, under names that stand for the analyst's own.

    Attributes
    ----------
    hosting : str. As in a scenario.
    name : str. Of the endpoint, function or group.
    identity : mapping. What names the target in every call.
    dimensions : mapping. Dimensions of its metrics.
    """

    hosting: str
    name: str
    identity: Mapping[str, str]
    dimensions: Mapping[str, str]

    @property
    def group(self) -> bool:
        """Whether it is an EC2 Auto Scaling group, whose calls are others."""
        return self.hosting == "ec2_asg"

    @property
    def resource(self) -> str:
        """As its policies' names in full have it."""
        if self.group:
            return f"autoScalingGroupName/{self.name}"
        return f"resource/{self.identity['ServiceNamespace']}/{self.identity['ResourceId']}"


def target_of(scenario: Scenario) -> Target:
    """The target of a scenario, named after it."""
    hosting = scenario.hosting.kind
    name = slug(scenario.name)
    if hosting == "ec2_asg":
        dimensions = {"AutoScalingGroupName": name, "TargetGroup": f"targetgroup/{name}/ID"}
        return Target(hosting, name, {"AutoScalingGroupName": name}, dimensions)
    if hosting == "lambda":
        service, resource, scaled = "lambda", f"function:{name}:{_ALIAS}", "ProvisionedConcurrency"
        dimension = f"lambda:function:{scaled}"
    elif hosting == "ecs_fargate":
        service, resource = "ecs", f"service/{_CLUSTER}/{name}"
        dimension = "ecs:service:DesiredCount"
    elif hosting == "sagemaker_components":
        service, resource = "sagemaker", f"inference-component/{name}"
        dimension = "sagemaker:inference-component:DesiredCopyCount"
    else:
        service, resource = "sagemaker", f"endpoint/{name}/variant/{_VARIANT}"
        serverless = hosting == "sagemaker_serverless"
        scaled = "DesiredProvisionedConcurrency" if serverless else "DesiredInstanceCount"
        dimension = f"sagemaker:variant:{scaled}"
    identity = {
        "ServiceNamespace": service, "ResourceId": resource, "ScalableDimension": dimension
    }  # fmt: skip
    dimensions = {
        "EndpointName": name,
        "VariantName": _VARIANT,
        "InferenceComponentName": name,
        "FunctionName": name,
        "Resource": f"{name}:{_ALIAS}",
        "ClusterName": _CLUSTER,
        "ServiceName": name,
        "TargetGroup": f"targetgroup/{name}/ID",
    }
    return Target(hosting, name, identity, dimensions)


def slug(name: str) -> str:
    """A name of letters, digits and hyphens, as all of these platforms take it.

    >>> slug("Ranker, week 3")
    'ranker-week-3'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "scenario"


def metric_of(metric: str, target: Target, path: str, refusals: Refusals) -> dict[str, Any]:
    """Where CloudWatch keeps a metric of a target."""
    found = described(metric, target.hosting, dict(target.dimensions))
    if found is None:
        why = "CloudWatch has no metric of that name for such a target"
        refusals.say(f"{path}.metric", metric, why)
    return found or {}


def no_cooldown(block: Any, names: tuple[str, ...], path: str, refusals: Refusals) -> None:
    """Refuse a cooldown of an EC2 group's policy."""
    for ours in names:
        if getattr(block, ours) is not None:
            why = "an EC2 group's policy has a warm-up in place of a cooldown"
            refusals.say(f"{path}.{ours}", getattr(block, ours), why, "instance_warmup_s")


def warm_up(block: Any, path: str, refusals: Refusals) -> dict[str, int]:
    """The warm-up of an EC2 group's policy, where it is set. [s]"""
    at = f"{path}.instance_warmup_s"
    known = block.instance_warmup_s
    return {} if known is None else {"EstimatedInstanceWarmup": refusals.whole(at, known)}


def no_warm_up(block: Any, path: str, refusals: Refusals) -> None:
    """Refuse a warm-up of a policy of Application Auto Scaling."""
    if block.instance_warmup_s is not None:
        why = "Application Auto Scaling has no instance warm-up"
        at = f"{path}.instance_warmup_s"
        refusals.say(at, block.instance_warmup_s, why, "a cooldown")
