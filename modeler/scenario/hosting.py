"""Where replicas run, and what starts and ends their bill."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Tag

from modeler.scenario.fields import (
    Block,
    Bytes,
    Count,
    Number,
    Seconds,
    UsdPerHour,
    by_kind,
    setting,
)
from modeler.scenario.nodes import Nodes, Single
from modeler.scenario.platform import (
    ASYNC_TIMEOUT_S,
    CLOUD_RUN_CLIENT_TIMEOUT_S,
    CLOUD_RUN_QUEUE_TIMEOUT_S,
    SAGEMAKER_CLIENT_TIMEOUT_S,
    SAGEMAKER_RELEASE_S,
    Platform,
)
from modeler.scenario.serverless import Lambda, SageMakerServerless

if TYPE_CHECKING:
    from pricing import Task

_APPLICATION_AUTO_SCALING: Final = ("target_tracking", "step_scaling", "scheduled", "fixed")
_EC2_AUTO_SCALING: Final = ("target_tracking", "step_scaling", "scheduled", "predictive", "fixed")
_KUBERNETES: Final = ("hpa", "keda", "knative_kpa", "ray_serve", "sky_serve", "fixed")


class _Hosting(Block):
    platform: ClassVar[Platform]

    region: str = setting(
        "us-east-1",
        "Region whose prices apply.",
        origin="assumed",
        source="the region most often quoted",
        min_length=1,
    )
    purchase: Literal["on-demand", "spot"] = setting(
        "on-demand", "How the instance is bought.", origin="assumed", source="no commitment"
    )
    billing_starts_at: Literal["launch", "in_service"] = setting(
        "launch",
        "When the bill of an instance opens: at its launch, or once it is in service.",
        origin="assumed",
        source="secondary sources disagree; the dearer reading",
    )
    release_s: Seconds | None = setting(
        None,
        "How long an instance stays on the bill after it was taken out of service.",
        unit="s",
        origin="observed",
        source="about 25 minutes from the last request on SageMaker, 15 of them the alarm's",
        derived="600 on SageMaker, 0 elsewhere",
    )
    nodes: Nodes = setting(
        Single(),
        "The layer of machines beneath the replicas, and who adds and removes them.",
        origin="assumed",
        source="one replica on a machine of its own, which comes and goes with it",
    )
    usd_per_hour: UsdPerHour | None = setting(
        None, "Price of one instance, instead of the dated tables.", unit="USD/h"
    )
    allow_derived_price: bool = setting(
        False, "Accept a price that was derived rather than quoted, labelled as such."
    )
    as_of: str | None = setting(
        None,
        "Latest effective date of the prices used (YYYY-MM-DD); the newest by default.",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
    )


class _OnSageMaker(_Hosting):
    instance: str = setting(
        "ml.g5.2xlarge",
        "Instance type, with the ml. prefix.",
        origin="assumed",
        source="the smallest common GPU that holds a 14 GB model",
        min_length=1,
    )


class _OnEc2(_Hosting):
    instance: str = setting(
        "g5.2xlarge",
        "Instance type, without the ml. prefix.",
        origin="assumed",
        source="the smallest common GPU that holds a 14 GB model",
        min_length=1,
    )


class SageMakerRealtime(_OnSageMaker):
    """A SageMaker real-time endpoint: one variant behind an invocation router."""

    platform = Platform(
        "a SageMaker real-time variant",
        _APPLICATION_AUTO_SCALING,
        several=True,
        service="sagemaker",
        bill_opens="request",
        release_s=SAGEMAKER_RELEASE_S,
        client_timeout_s=SAGEMAKER_CLIENT_TIMEOUT_S,
        refuses_while_updating=True,
    )
    kind: Literal["sagemaker_realtime"] = setting(
        "sagemaker_realtime",
        "Where replicas run.",
        origin="assumed",
        source="the hosting whose start-up is documented best",
    )


class SageMakerComponents(_OnSageMaker):
    """A SageMaker endpoint of inference components, one copy an instance, that may reach zero."""

    platform = SageMakerRealtime.platform._replace(
        title="a SageMaker inference component",
        zero="a step_scaling policy on failed invocations",
    )
    kind: Literal["sagemaker_components"] = "sagemaker_components"


class SageMakerAsync(_OnSageMaker):
    """A SageMaker asynchronous endpoint: requests wait in a queue, also while there is none."""

    platform = SageMakerRealtime.platform._replace(
        title="a SageMaker asynchronous endpoint",
        client_timeout_s=ASYNC_TIMEOUT_S,
        zero="a backlog above the target, or a step_scaling policy on backlog without capacity",
    )
    kind: Literal["sagemaker_async"] = "sagemaker_async"


class Ec2AutoScalingGroup(_OnEc2):
    """Instances of an EC2 Auto Scaling group behind a load balancer."""

    platform = Platform(
        "an EC2 Auto Scaling group",
        _EC2_AUTO_SCALING,
        several=True,
        spot=True,
        zero="a scheduled policy, or a step_scaling policy on a metric that is there at zero",
    )
    kind: Literal["ec2_asg"] = "ec2_asg"


class EksKarpenter(_OnEc2):
    """Kubernetes pods, one a node, on nodes that Karpenter brings up."""

    platform = Platform(
        "a Kubernetes deployment",
        _KUBERNETES,
        spot=True,
        zero="keda or knative, whose activators watch for work",
    )
    kind: Literal["eks_karpenter"] = "eks_karpenter"


class EksClusterAutoscaler(_OnEc2):
    """Kubernetes pods, one a node, on node groups that the Cluster Autoscaler resizes."""

    platform = EksKarpenter.platform
    kind: Literal["eks_cluster_autoscaler"] = "eks_cluster_autoscaler"


class CloudRun(_Hosting):
    """Instances of a Cloud Run service, billed for their whole life, with a GPU or without."""

    platform = Platform(
        "a Cloud Run service",
        ("cloud_run", "fixed"),
        service="cloud_run",
        queue_timeout_s=CLOUD_RUN_QUEUE_TIMEOUT_S,
        client_timeout_s=CLOUD_RUN_CLIENT_TIMEOUT_S,
        zero="the next request",
    )
    kind: Literal["cloud_run"] = "cloud_run"
    region: str = setting(
        "us-central1",
        "Region whose prices apply.",
        origin="assumed",
        source="the region most often quoted",
        min_length=1,
    )
    gpu: Literal["nvidia-l4", "none"] = setting(
        "nvidia-l4",
        "Accelerator of an instance; there is at most one.",
        origin="assumed",
        source="the smaller of the two that Cloud Run offers, and the one whose price is held",
    )
    vcpu: Number = setting(
        4.0,
        "Virtual CPUs of an instance.",
        origin="documented",
        source="the least with an L4: Cloud Run documentation, GPU support, read 2026-09",
        gt=0,
        le=8,
    )
    memory: Bytes = setting(
        16 * 2**30,
        "Memory of an instance.",
        unit="bytes",
        origin="documented",
        source="the least with an L4: Cloud Run documentation, GPU support, read 2026-09",
        gt=0,
        le=32 * 2**30,
    )
    zonal_redundancy: bool = setting(
        False,
        "Whether the GPU is held in a second zone as well, at a higher price.",
        origin="assumed",
        source="the cheaper of the two options",
    )

    @property
    def instance(self) -> str:
        """What an instance of this size is called in the tables."""
        import pricing

        return pricing.cloud_run_instance(self.vcpu, self.memory, self.gpu).instance_type


class EcsFargate(_Hosting):
    """Tasks of an ECS service on Fargate behind a load balancer; there is no GPU."""

    platform = Platform(
        "an ECS service on Fargate",
        _APPLICATION_AUTO_SCALING,
        several=True,
        service="fargate",
        zero="a scheduled policy, or a step_scaling policy on a metric that is there at zero",
    )
    kind: Literal["ecs_fargate"] = "ecs_fargate"
    vcpu: Number = setting(
        4.0,
        "Virtual CPUs of a task: 0.25, 0.5, 1, 2, 4, 8 or 16.",
        origin="assumed",
        source="the least that goes with 16 GB and more",
        gt=0,
        le=16,
    )
    memory: Bytes = setting(
        16 * 2**30,
        "Memory of a task, in whole GiB as its vCPUs permit.",
        unit="bytes",
        origin="assumed",
        source="room for weights of up to 14 GB",
        gt=0,
        le=120 * 2**30,
    )
    architecture: Literal["x86_64", "arm64"] = setting(
        "x86_64",
        "Instruction set.",
        origin="documented",
        source="Amazon ECS developer guide, task definition parameters, read 2026-11",
    )
    storage_gb: Count = setting(
        20,
        "Ephemeral storage of a task, image included; what is above 20 GiB is billed.",
        unit="GiB",
        origin="documented",
        source="Amazon ECS API reference, EphemeralStorage, read 2026-11",
        ge=20,
        le=200,
    )

    @property
    def task(self) -> "Task":
        """The size of a task, as the price tables take it."""
        import pricing

        return pricing.Task(self.vcpu, self.memory, self.architecture, self.storage_gb)

    @property
    def instance(self) -> str:
        """What a task of this size is called in the tables."""
        return self.task.name


Hosting = Annotated[
    Annotated[SageMakerRealtime, Tag("sagemaker_realtime")]
    | Annotated[SageMakerComponents, Tag("sagemaker_components")]
    | Annotated[SageMakerAsync, Tag("sagemaker_async")]
    | Annotated[Ec2AutoScalingGroup, Tag("ec2_asg")]
    | Annotated[EksKarpenter, Tag("eks_karpenter")]
    | Annotated[EksClusterAutoscaler, Tag("eks_cluster_autoscaler")]
    | Annotated[CloudRun, Tag("cloud_run")]
    | Annotated[EcsFargate, Tag("ecs_fargate")]
    | Annotated[Lambda, Tag("lambda")]
    | Annotated[SageMakerServerless, Tag("sagemaker_serverless")],
    by_kind("sagemaker_realtime"),
]
