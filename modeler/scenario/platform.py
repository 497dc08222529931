"""What a platform is, beyond its settings: who may scale it, how it bills, what it does at zero."""

import math
from typing import Final, Literal, NamedTuple

# InvokeEndpoint: a model container must answer within 60 seconds (SageMaker Runtime API
# reference, read 2026-09).
SAGEMAKER_CLIENT_TIMEOUT_S: Final = 60.0

# SageMaker holds an instance for about ten minutes after the copies on it are gone: about 25
# minutes after the last request in all, of which 15 are the alarm
# (github.com/stdapi-ai/stdapi.ai/issues/43; "over 25 minutes" at repost.aws
# QUf450Wsd9RROGGOIwaolN9w). EC2 bills no second of shutting-down (EC2 user guide, instance
# lifecycle).
SAGEMAKER_RELEASE_S: Final = 600.0

# Asynchronous invocations: 15 minutes unless the request says otherwise, at most an hour
# (SageMaker Runtime API reference, InvokeEndpointAsync, read 2026-09).
ASYNC_TIMEOUT_S: Final = 900.0

# A request that finds all instances busy and no more to be had waits up to 10 s, then 429 (Cloud
# Run documentation, about instance autoscaling, read 2026-09).
CLOUD_RUN_QUEUE_TIMEOUT_S: Final = 10.0
# Request time-out of a service, 300 s by default, at most an hour (Cloud Run documentation,
# request timeout, read 2026-09).
CLOUD_RUN_CLIENT_TIMEOUT_S: Final = 300.0


class Platform(NamedTuple):
    """What does not change from scenario to scenario on one kind of hosting.

    Attributes
    ----------
    title : str. What people call it.
    policies : tuple of str. The kinds of policy it has; the first is the default.
    several : bool. Whether several policies may act on one target.
    spot : bool. Whether it runs on spot capacity.
    service : str. Whose billing rules apply: ``sagemaker``, ``ec2``, ``cloud_run``, ``fargate``, or
        those of what is metered per request: ``lambda``, ``sagemaker_serverless``.
    bill_opens : str. What ``billing_starts_at: launch`` means: the ``request`` for a replica, or
        the moment its machine is ``running``.
    release_s : float. How long a replica taken out of service stays on the bill. [s]
    queue_timeout_s, client_timeout_s : float. The platform's own limits. [s]
    refuses_while_updating : bool. Whether a change under way makes it refuse another.
    zero : str. What brings it back from zero replicas; empty where it never reaches zero.
    """

    title: str
    policies: tuple[str, ...]
    several: bool = False
    spot: bool = False
    service: Literal[
        "sagemaker", "ec2", "cloud_run", "fargate", "lambda", "sagemaker_serverless"
    ] = "ec2"
    bill_opens: Literal["request", "running"] = "running"
    release_s: float = 0.0
    queue_timeout_s: float = math.inf
    client_timeout_s: float = math.inf
    refuses_while_updating: bool = False
    zero: str = ""

    @property
    def per_request(self) -> bool:
        """Whether it starts an environment per request and meters requests, not instances."""
        return self.service in ("lambda", "sagemaker_serverless")

    @property
    def prefix(self) -> str:
        """What its instance types start with."""
        return "ml." if self.service == "sagemaker" else ""
