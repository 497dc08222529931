"""What the vendor calls a metric of a target, and where CloudWatch keeps it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

# Source of names, namespaces and dimensions: SageMaker developer guide, monitoring-cloudwatch and
# endpoint-auto-scaling-add-code-define; Application Auto Scaling API reference,
# PredefinedMetricSpecification; EC2 Auto Scaling API reference; Lambda developer guide,
# monitoring-metrics. Read 2026-09.
_VARIANT: Final = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrency_high_resolution": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}
_PREDEFINED: Final[dict[str, dict[str, str]]] = {
    "sagemaker_realtime": _VARIANT,
    "sagemaker_async": _VARIANT,
    "sagemaker_components": {
        "invocations_per_instance": "SageMakerInferenceComponentInvocationsPerCopy",
        "concurrency_high_resolution": (
            "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
        ),
    },
    "sagemaker_serverless": {
        "provisioned_concurrency_utilisation": "SageMakerVariantProvisionedConcurrencyUtilization"
    },
    "lambda": {"provisioned_concurrency_utilisation": "LambdaProvisionedConcurrencyUtilization"},
    "ecs_fargate": {
        "cpu_utilisation": "ECSServiceAverageCPUUtilization",
        "invocations_per_instance": "ALBRequestCountPerTarget",
    },
    "ec2_asg": {
        "cpu_utilisation": "ASGAverageCPUUtilization",
        "invocations_per_instance": "ALBRequestCountPerTarget",
    },
}


class _Known(NamedTuple):
    """Namespace, name, and the dimensions that tell one target from another."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]


_ENDPOINT: Final = ("EndpointName", "VariantName")
_COMPONENT: Final = ("InferenceComponentName",)
_SAGEMAKER: Final = {
    "invocations_per_instance": _Known("AWS/SageMaker", "InvocationsPerInstance", _ENDPOINT),
    "concurrency_high_resolution": _Known("AWS/SageMaker", "ConcurrentRequestsPerModel", _ENDPOINT),
    "cpu_utilisation": _Known("/aws/sagemaker/Endpoints", "CPUUtilization", _ENDPOINT),
    "gpu_utilisation": _Known("/aws/sagemaker/Endpoints", "GPUUtilization", _ENDPOINT),
    "backlog_per_instance": _Known(
        "AWS/SageMaker", "ApproximateBacklogSizePerInstance", ("EndpointName",)
    ),
    "has_backlog_without_capacity": _Known(
        "AWS/SageMaker", "HasBacklogWithoutCapacity", ("EndpointName",)
    ),
    "provisioned_concurrency_utilisation": _Known(
        "AWS/SageMaker", "ServerlessProvisionedConcurrencyUtilization", _ENDPOINT
    ),
}
_PER_TARGET: Final = _Known("AWS/ApplicationELB", "RequestCountPerTarget", ("TargetGroup",))
_KNOWN: Final[dict[str, dict[str, _Known]]] = {
    **dict.fromkeys(("sagemaker_realtime", "sagemaker_async", "sagemaker_serverless"), _SAGEMAKER),
    "sagemaker_components": {
        **_SAGEMAKER,
        "invocations_per_instance": _Known("AWS/SageMaker", "InvocationsPerCopy", _COMPONENT),
        "concurrency_high_resolution": _Known(
            "AWS/SageMaker", "ConcurrentRequestsPerCopy", _COMPONENT
        ),
        "no_capacity_invocation_failures": _Known(
            "AWS/SageMaker", "NoCapacityInvocationFailures", _COMPONENT
        ),
    },
    "lambda": {
        "provisioned_concurrency_utilisation": _Known(
            "AWS/Lambda", "ProvisionedConcurrencyUtilization", ("FunctionName", "Resource")
        )
    },
    "ecs_fargate": {
        "cpu_utilisation": _Known("AWS/ECS", "CPUUtilization", ("ClusterName", "ServiceName")),
        "invocations_per_instance": _PER_TARGET,
        "concurrency_high_resolution": _Known(  # of one's own: the vendor has none for a service
            "Inference", "ConcurrentRequestsPerModel", ("ClusterName", "ServiceName")
        ),
    },
    "ec2_asg": {
        "cpu_utilisation": _Known("AWS/EC2", "CPUUtilization", ("AutoScalingGroupName",)),
        "invocations_per_instance": _PER_TARGET,
        # Of the CloudWatch agent, and of one's own: the vendor has none for a group.
        "gpu_utilisation": _Known("CWAgent", "GPUUtilization", ("AutoScalingGroupName",)),
        "concurrency_high_resolution": _Known(
            "Inference", "ConcurrentRequestsPerModel", ("AutoScalingGroupName",)
        ),
    },
}
# Pairs of a load and a utilisation that a forecast takes (PredictiveScalingPredefinedMetricPair).
PAIRS: Final = {
    "cpu_utilisation": "ASGCPUUtilization",
    "invocations_per_instance": "ALBRequestCount",
}


def predefined(metric: str, hosting: str) -> str:
    """The vendor's predefined type of a tracked metric; empty where there is none."""
    return _PREDEFINED.get(hosting, {}).get(metric, "")


def described(metric: str, hosting: str, names: dict[str, str]) -> dict[str, Any] | None:
    """``Namespace``, ``MetricName`` and ``Dimensions`` of a metric; None without a name.

    Parameters
    ----------
    metric, hosting : str. As in a scenario.
    names : dict of str to str. Dimension to what this target is called.
    """
    known = _KNOWN.get(hosting, {}).get(metric)
    if known is None:
        return None
    return {
        "Namespace": known.namespace,
        "MetricName": known.name,
        "Dimensions": [{"Name": name, "Value": names[name]} for name in known.dimensions],
    }
