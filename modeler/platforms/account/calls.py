"""Questions to AWS, all of them reading; what is denied is a gap that is named, not an end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple


class Call(NamedTuple):
    """One kind of question: service and operation, what permits it, and what it is for."""

    service: str
    operation: str
    action: str
    purpose: str


CALLS: Final = (
    Call("sagemaker", "DescribeEndpoint", "sagemaker:DescribeEndpoint",
         "variants and instance counts of the endpoint"),
    Call("sagemaker", "DescribeEndpointConfig", "sagemaker:DescribeEndpointConfig",
         "instance type, serverless and asynchronous settings"),
    Call("sagemaker", "ListInferenceComponents", "sagemaker:ListInferenceComponents",
         "inference components of the endpoint"),
    Call("sagemaker", "DescribeInferenceComponent", "sagemaker:DescribeInferenceComponent",
         "copies and container of a component"),
    Call("sagemaker", "DescribeModel", "sagemaker:DescribeModel",
         "artifact and image of the model"),
    Call("s3", "ListObjectsV2", "s3:ListBucket", "size of the artifact"),
    Call("s3", "GetObject", "s3:GetObject", "headers of the artifact, by ranges"),
    Call("ecr", "DescribeImages", "ecr:DescribeImages", "size of the image"),
    Call("application-autoscaling", "DescribeScalableTargets",
         "application-autoscaling:DescribeScalableTargets", "bounds of the capacity"),
    Call("application-autoscaling", "DescribeScalingPolicies",
         "application-autoscaling:DescribeScalingPolicies", "scaling policies"),
    Call("application-autoscaling", "DescribeScheduledActions",
         "application-autoscaling:DescribeScheduledActions", "scheduled actions"),
    Call("cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms", "alarms of step policies"),
    Call("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData",
         "invocations, latency and instances of the window"),
)  # fmt: skip
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden",
     "NotAuthorized", "AuthorizationError"}
)  # fmt: skip
_EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
     "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestExpired"}
)  # fmt: skip
_THROTTLED: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "LimitExceededException"}
)
_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 30
_ATTEMPTS: Final = 6


class AccountError(Exception):
    """Nothing can be read: no credentials, an expired session, no such endpoint, no connection."""

    exit_code: Final = 5


class NotThere(Exception):
    """What was asked for does not exist."""


def iam_policy(calls: Sequence[Call] = CALLS) -> dict[str, Any]:
    """The least policy that permits every question; those about an endpoint by default."""
    also = {"sagemaker:ListEndpoints"} if calls is CALLS else set()
    actions = sorted({call.action for call in calls} | also)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Account:
    """Clients of one account and region.

    Parameters
    ----------
    region, profile : str, optional. As the AWS command line takes them.
    endpoint_url : str, optional. Another address than AWS's own, for all services.
    calls : sequence of Call. The questions that will be asked; by default those about an endpoint.

    Attributes
    ----------
    gaps : list of str. What could not be read, and why.
    asked : dict of str to int. Questions by operation.

    Raises
    ------
    AccountError
        No such profile.
    """

    def __init__(
        self,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        calls: Sequence[Call] = CALLS,
    ) -> None:
        import boto3
        from botocore.exceptions import ProfileNotFound

        try:
            self._session: Any = boto3.Session(profile_name=profile, region_name=region)
        except ProfileNotFound as error:
            raise AccountError(f"{error}; see aws configure list-profiles") from error
        self._url = endpoint_url
        self._profile = profile
        self._clients: dict[str, Any] = {}
        self._calls = {call.operation: call for call in calls}
        self.gaps: list[str] = []
        self.asked: dict[str, int] = {}

    @property
    def region(self) -> str:
        """Of the endpoint."""
        return str(self._session.region_name or "")

    def gap(self, what: str, why: str) -> None:
        """Note what is not known."""
        said = f"{what}: {why}"
        if said not in self.gaps:
            self.gaps.append(said)

    def client(self, service: str) -> Any:
        """A client that waits and retries within bounds."""
        if service not in self._clients:
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError

            config = Config(
                connect_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=_READ_TIMEOUT_S,
                retries={"mode": "adaptive", "max_attempts": _ATTEMPTS},
            )
            try:
                self._clients[service] = self._session.client(
                    service, config=config, endpoint_url=self._url
                )
            except BotoCoreError as error:
                raise AccountError(f"{error} (--region REGION, or aws configure)") from error
        return self._clients[service]

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any] | None:
        """The answer to one question; None, and a gap, where it is denied or throttled.

        Raises
        ------
        NotThere
            AWS knows no such thing.
        AccountError
            No credentials, expired ones, or no connection.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        call = self._calls[operation]
        self.asked[operation] = self.asked.get(operation, 0) + 1
        try:
            method = getattr(self.client(call.service), xform_name(operation))
            answer: dict[str, Any] = method(**arguments)
            return answer
        except ClientError as error:
            self._refused(call, error)
            return None
        except BotoCoreError as error:
            raise AccountError(f"{call.service} {operation}: {error}") from error

    def pages(
        self, operation: str, key: str, arguments: Mapping[str, Any], mark: str = "NextToken"
    ) -> Iterator[Any]:
        """What lies under `key` on every page of an answer; `mark` names the next page."""
        token: dict[str, Any] = {}
        while True:
            answer = self.ask(operation, **arguments, **token)
            if answer is None:
                return
            yield from answer.get(key, ())
            after = answer.get(mark)
            if not after or token.get(mark) == after:
                return
            token = {mark: after}

    def _refused(self, call: Call, error: Any) -> None:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        if code in _EXPIRED:
            raise AccountError(
                f"{call.service} {call.operation}: the credentials are not valid ({code}); "
                "renew them, as with aws sso login"
            ) from error
        if code in _DENIED:
            self.gap(call.purpose, f"denied; {call.action} would permit it")
            return
        if code in _THROTTLED:
            self.gap(call.purpose, f"throttled, after {_ATTEMPTS} attempts")
            return
        if re.search(
            r"not ?found|does not exist|could not find", f"{code} {message}", re.IGNORECASE
        ):
            raise NotThere(message) from error
        self.gap(call.purpose, f"{code}: {message}")

    def for_s3(self) -> dict[str, Any]:
        """How `modeler.predict.size.measure_size` reaches the same account."""
        return {
            "region": self._session.region_name,
            "profile": self._session.profile_name if self._profile else None,
            "endpoint_url": self._url,
        }
