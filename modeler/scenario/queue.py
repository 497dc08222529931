"""Where requests wait, what they meet from zero, and whether they come back."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, Timeout, setting
from modeler.scenario.hosting import Hosting

FromZero = Literal["queue", "fail", "hold"]

# A revision's requests wait at the activator, at most this many (knative/serving,
# pkg/activator/net/throttler.go, breakerQueueDepth) and as long as the revision's time-out allows
# (config-defaults, revision-timeout-seconds).
KNATIVE_HOLD_LIMIT: Final = 10_000
KNATIVE_HOLD_TIMEOUT_S: Final = 300.0
# A request waits for an instance that starts for 3.5 times the mean start-up, at least 10 s (Cloud
# Run documentation, about instance autoscaling, read 2026-09).
CLOUD_RUN_HOLD_STARTS: Final = 3.5
CLOUD_RUN_HOLD_LEAST_S: Final = 10.0

# What does not follow from the hosting: the policy's own machinery stands before the replicas.
_BY_POLICY: Final[dict[str, FromZero]] = {
    "knative_kpa": "hold",  # the activator
    "keda": "queue",  # a consumer of the queue that its trigger watches
    "ray_serve": "queue",  # requests wait at the proxy's handle
    "sky_serve": "fail",  # the load balancer answers 503
}
_BY_HOSTING: Final[dict[str, FromZero]] = {
    "sagemaker_components": "fail",
    "sagemaker_async": "queue",
    "cloud_run": "hold",
    "eks_karpenter": "fail",
    "eks_cluster_autoscaler": "fail",
}


def from_zero(hosting: Hosting, policies: Sequence[Any]) -> FromZero:
    """What an arrival meets on a platform while no replica is there.

    A plain Kubernetes Service without endpoints refuses the connection, unless the HPA watches the
    queue its pods take work from.
    """
    for policy in policies:
        if policy.kind in _BY_POLICY:
            return _BY_POLICY[policy.kind]
        if policy.kind == "hpa" and any(one.metric == "queue_length" for one in policy.all_metrics):
            return "queue"
    return _BY_HOSTING.get(hosting.kind, "queue")


def hold_limit(policies: Sequence[Any]) -> int | None:
    """Requests that the platform's activator keeps; None for any number. [requests]"""
    return KNATIVE_HOLD_LIMIT if any(p.kind == "knative_kpa" for p in policies) else None


def hold_timeout_s(hosting: Hosting, policies: Sequence[Any], mean_start_s: float) -> float:
    """How long the platform's activator keeps a request. [s]

    Parameters
    ----------
    mean_start_s : float. Mean cold start. [s]
    """
    if any(policy.kind == "knative_kpa" for policy in policies):
        return KNATIVE_HOLD_TIMEOUT_S
    if hosting.kind == "cloud_run":
        return max(CLOUD_RUN_HOLD_LEAST_S, CLOUD_RUN_HOLD_STARTS * mean_start_s)
    return float("inf")


class Queue(Block):
    """Where requests wait, and when they stop waiting."""

    limit: Count | None = setting(
        None,
        "Most requests waiting, for each replica where the router sends them to one; one more is "
        "rejected.",
        origin="assumed",
        source="no platform in scope publishes a bound",
        derived="no limit",
        ge=0,
    )
    queue_timeout_s: Seconds | None = setting(
        None,
        "Longest wait before a request is given up.",
        unit="s",
        origin="assumed",
        source="the wait alone is not bounded by the platform",
        derived="10 on Cloud Run, elsewhere no timeout",
        gt=0,
    )
    client_timeout_s: Timeout = setting(
        None,
        "Longest time from arrival to answer; 'none' for no timeout.",
        unit="s",
        origin="documented",
        source="SageMaker Runtime API reference, InvokeEndpoint, read 2026-09",
        derived="60 on a SageMaker real-time endpoint, 900 on an asynchronous one, 300 on Cloud "
        "Run, elsewhere none",
    )
    from_zero: FromZero | None = setting(
        None,
        "What a request meets while no replica is there: it waits, fails, or is held by an "
        "activator until one is.",
        origin="documented",
        source="SageMaker developer guide, scale an endpoint to zero instances, and asynchronous "
        "inference; kube-proxy rejects where a Service has no endpoints; Knative's activator and "
        "Cloud Run hold (Knative documentation, request flow; Cloud Run documentation)",
        derived="fail for SageMaker inference components, a Kubernetes Service and SkyServe; hold "
        "on Knative and Cloud Run; else queue",
    )
    hold_limit: Count | None = setting(
        None,
        "Most requests an activator holds from zero; one more is rejected.",
        origin="documented",
        source="knative/serving pkg/activator/net/throttler.go, breakerQueueDepth",
        derived="10000 on Knative, elsewhere no limit",
        ge=0,
    )
    hold_timeout_s: Seconds | None = setting(
        None,
        "How long an activator holds a request before it is given up.",
        unit="s",
        origin="documented",
        source="Knative config-defaults, revision-timeout-seconds; Cloud Run documentation, about "
        "instance autoscaling",
        derived="300 on Knative, 3.5 mean cold starts and at least 10 on Cloud Run, elsewhere none",
        gt=0,
    )
    retries: Count = setting(
        0,
        "How often a request that was refused, or given up by the platform, comes back.",
        origin="assumed",
        source="clients that report the first failure",
        ge=0,
        le=100,
    )
    retry_base_s: Seconds = setting(
        1.0,
        "Pause before the first retry.",
        unit="s",
        origin="documented",
        source="AWS SDKs and Tools Reference Guide, retry behavior, standard mode: up to 1 s",
    )
    retry_factor: Number = setting(
        2.0,
        "Growth of the pause from one retry to the next.",
        origin="documented",
        source="AWS SDKs and Tools Reference Guide, retry behavior, standard mode",
        ge=1,
    )
    retry_max_s: Seconds = setting(
        20.0,
        "Longest pause.",
        unit="s",
        origin="documented",
        source="AWS SDKs and Tools Reference Guide, retry behavior, standard mode",
    )
    retry_jitter: Literal["full", "none"] = setting(
        "full",
        "Whether a retry comes at a random moment of its pause, or at the end.",
        origin="documented",
        source="AWS SDKs and Tools Reference Guide, retry behavior, standard mode",
    )
    retry_client_timeouts: bool = setting(
        False,
        "Whether a request comes back that its client gave up.",
        origin="assumed",
        source="a caller that has waited its time out tells its own caller",
    )
