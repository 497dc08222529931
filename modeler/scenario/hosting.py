"""Where replicas run, and what starts and ends their bill."""

from typing import Annotated, Final, Literal

from pydantic import Tag

from modeler.scenario.fields import Block, Seconds, UsdPerHour, by_kind, setting

# SageMaker holds an instance for about ten minutes after the copies on it are gone: about 25
# minutes after the last request in all, of which 15 are the alarm
# (github.com/stdapi-ai/stdapi.ai/issues/43; "over 25 minutes" at repost.aws
# QUf450Wsd9RROGGOIwaolN9w). EC2 bills no second of shutting-down (EC2 user guide, instance
# lifecycle).
SAGEMAKER_RELEASE_S: Final = 600.0


class _Hosting(Block):
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


class SageMakerRealtime(_Hosting):
    """A SageMaker real-time endpoint: one variant behind an invocation router."""

    kind: Literal["sagemaker_realtime"] = setting(
        "sagemaker_realtime",
        "Where replicas run.",
        origin="assumed",
        source="the hosting whose start-up is documented best",
    )
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


class Ec2AutoScalingGroup(_OnEc2):
    """Instances of an EC2 Auto Scaling group behind a load balancer."""

    kind: Literal["ec2_asg"] = "ec2_asg"


class EksKarpenter(_OnEc2):
    """Kubernetes pods, one a node, on nodes that Karpenter brings up."""

    kind: Literal["eks_karpenter"] = "eks_karpenter"


Hosting = Annotated[
    Annotated[SageMakerRealtime, Tag("sagemaker_realtime")]
    | Annotated[Ec2AutoScalingGroup, Tag("ec2_asg")]
    | Annotated[EksKarpenter, Tag("eks_karpenter")],
    by_kind("sagemaker_realtime"),
]
