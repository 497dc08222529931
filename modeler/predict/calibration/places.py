"""Where a measured row was taken: which hostings' constants it may stand for.

A duration belongs to the platform that took it: minutes of an endpoint's instance say nothing of a
node. A rate of a machine (its disk, its memory, a stream from a store) belongs to the machine.
"""

from __future__ import annotations

import re
from typing import Final

from modeler.predict.calibration.measurements import Measurement
from modeler.predict.constants import WITHOUT_ACCELERATOR

SAGEMAKER: Final = ("sagemaker_realtime", "sagemaker_components", "sagemaker_async")
KUBERNETES: Final = ("eks_karpenter", "eks_cluster_autoscaler")
INSTANCES: Final = (*SAGEMAKER, "ec2_asg", *KUBERNETES)
PRESETS: Final = ("ecs_ec2", "eks_fargate", "gpu_cloud", "bare_metal")
KNOWN: Final = (*INSTANCES, "cloud_run", *WITHOUT_ACCELERATOR, *PRESETS)
# What systems are called; the first that is found decides.
_SYSTEMS: Final = (
    ("SageMaker Serverless", ("sagemaker_serverless",)),
    ("SageMaker", SAGEMAKER),
    ("Lambda SnapStart", ("lambda_snapstart",)),
    ("Lambda image", ("lambda_image",)),
    ("Lambda", ("lambda",)),
    ("GPU cloud", ("gpu_cloud",)),
    ("Cloud Run", ("cloud_run",)),
    ("Cluster Autoscaler", ("eks_cluster_autoscaler",)),
    ("Karpenter", ("eks_karpenter",)),
    ("EKS|Kubernetes", KUBERNETES),
    ("EC2", ("ec2_asg",)),
)
# What a condition says of a system's machines.
_CONDITIONS: Final = (
    ("EKS on Fargate", ("eks_fargate",)),
    ("ECS on Fargate", ("ecs_fargate",)),
    ("ECS on EC2", ("ecs_ec2",)),
    ("bare.metal", ("bare_metal",)),
)
# The same node whichever autoscaler asked for it.
_OF_A_NODE: Final = ("boot", "image_pull", "container_start", "framework_init", "artifact_download")


def places_of(m: Measurement) -> tuple[str, ...]:
    """The hostings and presets whose own phases a row tells.

    Returns
    -------
    tuple of str
        As in ``hosting.kind`` and ``cold_start.preset``. Without a ``system`` it is the analyst's
        own platform: every hosting that has such an instance. Empty for a machine that stands
        outside any hosting.
    """
    named = re.sub(r"[\s+-]+", "_", m.system.lower())
    if named in KNOWN:
        return (named,)
    if not m.system:
        own = m.instance_type.startswith("ml.")
        known_machine = m.aws_instance is not None
        return SAGEMAKER if own else INSTANCES[len(SAGEMAKER) :] if known_machine else INSTANCES
    for text, names in ((m.condition, _CONDITIONS), (m.system, _SYSTEMS)):
        for pattern, places in names:
            if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
                shared = places[0] in KUBERNETES and m.phase in _OF_A_NODE
                return KUBERNETES if shared else places
    return ()
