"""When replicas are added and removed: one class a kind, in the file of its platform."""

from typing import Annotated

from pydantic import Tag

from modeler.scenario.fields import by_kind
from modeler.scenario.policy.aws import TargetTracking
from modeler.scenario.policy.aws_planned import Predictive, Scheduled
from modeler.scenario.policy.aws_steps import Step, StepScaling
from modeler.scenario.policy.cloud_run import CloudRun
from modeler.scenario.policy.fixed import Fixed
from modeler.scenario.policy.keda import Keda
from modeler.scenario.policy.knative import KnativeKpa
from modeler.scenario.policy.kubernetes import Hpa
from modeler.scenario.policy.per_request import PerRequest
from modeler.scenario.policy.ray import RayServe
from modeler.scenario.policy.sky import SkyServe

Policy = Annotated[
    Annotated[TargetTracking, Tag("target_tracking")]
    | Annotated[Fixed, Tag("fixed")]
    | Annotated[StepScaling, Tag("step_scaling")]
    | Annotated[Scheduled, Tag("scheduled")]
    | Annotated[Predictive, Tag("predictive")]
    | Annotated[Hpa, Tag("hpa")]
    | Annotated[Keda, Tag("keda")]
    | Annotated[KnativeKpa, Tag("knative_kpa")]
    | Annotated[RayServe, Tag("ray_serve")]
    | Annotated[SkyServe, Tag("sky_serve")]
    | Annotated[CloudRun, Tag("cloud_run")]
    | Annotated[PerRequest, Tag("per_request")],
    by_kind("target_tracking"),
]

__all__ = [
    "CloudRun",
    "Fixed",
    "Hpa",
    "Keda",
    "KnativeKpa",
    "PerRequest",
    "Policy",
    "Predictive",
    "RayServe",
    "Scheduled",
    "SkyServe",
    "Step",
    "StepScaling",
    "TargetTracking",
]
