"""Kubernetes: the horizontal pod autoscaler; `keda` stands on it."""

from typing import Annotated, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from modeler.scenario.fields import SOME, Block, Count, Number, Seconds, Share, setting

_API = "kubernetes.io, HorizontalPodAutoscaler v2 API, read 2026-09"
_FLAGS = "kubernetes.io, kube-controller-manager flags, read 2026-09"
_MAX_WINDOW_S = 3600.0  # documented: HPAScalingRules, stabilizationWindowSeconds
_MAX_PERIOD_S = 1800.0  # documented: HPAScalingPolicy, periodSeconds

# Which targets each source of a metric takes (documented: autoscaling/v2, MetricTarget).
_TARGETS = {
    "resource": ("utilisation", "average_value"),
    "pods": ("average_value",),
    "object": ("average_value", "value"),
    "external": ("average_value", "value"),
}
# Where a metric can come from; the first is the default.
_SOURCES = {
    "cpu_utilisation": ("resource",),
    "gpu_utilisation": ("pods", "object", "external"),
    "concurrency": ("pods", "object", "external"),
    "requests_per_second": ("pods", "object", "external"),
    "queue_length": ("external", "object"),
}


def refused(message: str, expected: str) -> PydanticCustomError:
    """A contradiction inside of a block, with what was expected."""
    return PydanticCustomError("quantity", "{message}", {"message": message, "expected": expected})


class Measured(Block):
    """One metric and its target; the same keys in a list of metrics and alone in the block."""

    target: Number | None = setting(
        None,
        "Value of the metric to hold: percent of the request for a utilisation, else the metric's "
        "own unit per replica, or of the whole for target_type value.",
        origin="documented",
        source="kubernetes.io, pkg/apis/autoscaling/v2 defaults: 80 percent of CPU; the rest "
        "assumed, the same share at every model size",
        derived="80 for cpu_utilisation; else target_utilisation of what a replica holds: x 100, "
        "x slots, or x slots / mean service time",
        gt=0,
    )
    target_utilisation: Share = setting(
        0.7,
        "Share of a replica's capacity that a derived target holds.",
        origin="assumed",
        source="between the usual starting point of 0.5 and full use",
        gt=0,
    )
    metric_delay_s: Seconds | None = setting(
        None,
        "Age of the metric when the controller reads it.",
        unit="s",
        origin="assumed",
        source="a scrape every 15 to 30 s and an adapter behind it; no vendor figure",
        derived="30; 0 for a KEDA trigger other than the CPU, which is asked when it is needed",
    )
    window_s: Seconds | None = setting(
        None,
        "Time that the metric is averaged over; 0 takes the value of the moment.",
        unit="s",
        origin="assumed",
        source="metrics-server samples span 15 to 60 s; a rate needs a window, a gauge has none",
        derived="30 for a utilisation, 60 for requests_per_second, else 0",
    )
    busy_usage: Number = setting(
        1.0,
        "What a replica uses with all slots busy, as a share of its request.",
        origin="assumed",
        source="a request sized for full use",
        gt=0,
    )
    request: Number = setting(
        1.0,
        "What a replica requests of the resource; scales a target_type average_value.",
        origin="assumed",
        source="the unit of the resource, so that a target reads as a share",
        gt=0,
    )


class HpaMetric(Measured):
    """One metric of a HorizontalPodAutoscaler."""

    metric: Literal[
        "cpu_utilisation", "gpu_utilisation", "concurrency", "requests_per_second", "queue_length"
    ] = setting(
        "cpu_utilisation",
        "What is measured: busy slots over slots, requests in flight and queued, arrivals a "
        "second, or requests waiting.",
        origin="documented",
        source="kubernetes.io, pkg/apis/autoscaling/v2 defaults: CPU where no metric is given",
    )
    source: Literal["resource", "pods", "object", "external"] | None = setting(
        None,
        "Which kind of metric it is to the controller.",
        origin="assumed",
        source="GPU and request metrics reach the controller through an adapter, a pod's each",
        derived="resource for cpu_utilisation, external for queue_length, else pods",
    )
    target_type: Literal["utilisation", "average_value", "value"] | None = setting(
        None,
        "How the target is meant: share of the request, average over replicas, or of the whole.",
        origin="assumed",
        source="the only type of pods metrics, and the usual one of the others",
        derived="utilisation for cpu_utilisation, else average_value",
    )

    @property
    def source_in_force(self) -> str:
        """The source as given, else the metric's own."""
        return self.source or _SOURCES[self.metric][0]

    @property
    def target_type_in_force(self) -> str:
        """The target's type as given, else the metric's own."""
        return self.target_type or _TARGETS[self.source_in_force][0]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        sources = _SOURCES[self.metric]
        source = self.source_in_force
        if source not in sources:
            raise refused(
                f"source {source} of {self.metric}: expected one of {', '.join(sources)}",
                f"one of {', '.join(sources)}",
            )
        types = _TARGETS[source]
        kind = self.target_type
        if kind is not None and kind not in types:
            raise refused(
                f"target_type {kind} of a {source} metric: expected one of {', '.join(types)}",
                f"one of {', '.join(types)}",
            )
        if self.metric == "requests_per_second" and self.window_s == 0:
            raise refused("window_s 0 of a rate: expected more than 0", "more than 0")
        return self


class ScalingPolicy(Block):
    """At most so many replicas in so much time."""

    type: Literal["pods", "percent"] = setting(..., "Replicas, or percent of those there were.")
    value: Count = setting(..., "How many, or how much.", gt=0)
    period_s: Seconds = setting(..., "In which time.", unit="s", gt=0, le=_MAX_PERIOD_S)


class ScalingRules(Block):
    """What holds one direction back."""

    select_policy: Literal["max", "min", "disabled"] = setting(
        "max",
        "Which policy counts: the one with the largest change, the smallest, or no scaling.",
        origin="documented",
        source=_API,
    )
    policies: Annotated[tuple[ScalingPolicy, ...], SOME] | None = setting(
        None,
        "The rates.",
        origin="documented",
        source=_API,
        derived="up: 4 pods and 100 percent in 15 s; down: 100 percent in 15 s",
    )
    stabilization_window_s: Seconds | None = setting(
        None,
        "Past time whose recommendations count.",
        unit="s",
        origin="documented",
        source=_API,
        derived="up: 0; down: downscale_stabilization_s",
        le=_MAX_WINDOW_S,
    )
    tolerance: Number | None = setting(
        None,
        "Distance of a metric from its target that changes nothing.",
        origin="documented",
        source=_API,
        derived="the block's tolerance",
        ge=0,
    )


class Behavior(Block):
    """The rules of both directions; one that is left out takes the defaults of the API."""

    scale_up: ScalingRules = setting(ScalingRules(), "Adding replicas.")
    scale_down: ScalingRules = setting(ScalingRules(), "Removing replicas.")


class Controller(Block):
    """The settings of the HPA controller that HPA and KEDA share."""

    behavior: Behavior | None = setting(
        None,
        "Rates and windows by direction; without it, at most double or four replicas a sync.",
        origin="documented",
        source=_API,
        derived="none",
    )
    tolerance: Number = setting(
        0.1,
        "Distance of a metric from its target that changes nothing, both ends included.",
        origin="documented",
        source=f"{_FLAGS}: --horizontal-pod-autoscaler-tolerance",
        ge=0,
    )
    sync_period_s: Seconds = setting(
        15.0,
        "Time between two decisions.",
        unit="s",
        origin="documented",
        source=f"{_FLAGS}: --horizontal-pod-autoscaler-sync-period",
        gt=0,
    )
    downscale_stabilization_s: Seconds = setting(
        300.0,
        "Past time whose largest recommendation holds replicas.",
        unit="s",
        origin="documented",
        source=f"{_FLAGS}: --horizontal-pod-autoscaler-downscale-stabilization",
    )
    cpu_initialization_period_s: Seconds = setting(
        300.0,
        "Time after a pod's start in which its CPU counts only once a whole sample is of a ready "
        "pod.",
        unit="s",
        origin="documented",
        source=f"{_FLAGS}: --horizontal-pod-autoscaler-cpu-initialization-period",
    )
    initial_readiness_delay_s: Seconds = setting(
        30.0,
        "Time after a pod's start in which becoming unready does not count as having been ready.",
        unit="s",
        origin="documented",
        source=f"{_FLAGS}: --horizontal-pod-autoscaler-initial-readiness-delay",
    )
    outage_from_s: Seconds | None = setting(
        None,
        "From when on no metric can be read.",
        unit="s",
        origin="assumed",
        source="metrics that are always there",
        derived="never",
    )
    outage_s: Seconds = setting(
        0.0,
        "How long no metric can be read.",
        unit="s",
        origin="assumed",
        source="metrics that are always there",
    )


class Hpa(Controller, HpaMetric):
    """Kubernetes HorizontalPodAutoscaler (autoscaling/v2), one metric or a list of them."""

    kind: Literal["hpa"] = "hpa"
    metrics: Annotated[tuple[HpaMetric, ...], SOME] | None = setting(
        None,
        "Several metrics, of which the largest proposal counts.",
        origin="documented",
        source=_API,
        derived="the one metric of the block",
    )
    scale_to_zero: bool = setting(
        False,
        "Whether the feature gate HPAScaleToZero is on, without which fleet.min is at least 1.",
        origin="assumed",
        source="off for many releases; notes of 2026 disagree on when it became the default",
    )

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        alone = sorted(HpaMetric.model_fields.keys() & self.model_fields_set)
        if self.metrics is not None and alone:
            raise refused(
                f"{alone[0]} beside metrics: write it in the entry of the list it belongs to",
                "metrics or the keys of one metric",
            )
        return self

    @property
    def all_metrics(self) -> tuple[HpaMetric, ...]:
        """The list, or the one metric of the block."""
        return (self,) if self.metrics is None else self.metrics
