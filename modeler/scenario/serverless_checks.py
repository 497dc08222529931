"""What does not hold on hosting that starts an environment for each request."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from modeler.scenario.hosting import Hosting
from modeler.scenario.policy import Policy
from modeler.scenario.policy.aws_checks import wakes_from_zero
from modeler.scenario.serverless import Lambda, SageMakerServerless
from modeler.scenario.weather import Weather
from modeler.scenario.weather_checks import Clash

if TYPE_CHECKING:
    from modeler.scenario.schema import Fleet

# Lambda keeps at least 100 of an account's concurrency for functions without a reservation
# (Lambda developer guide, configuration-concurrency, read 2026-09).
_UNRESERVED: Final = 100


def of_concurrency(hosting: Hosting) -> Iterator[Clash]:
    """Concurrency that is reserved or provisioned beyond what there is."""
    if hosting.kind == "lambda":
        account, reserved = hosting.account_concurrency, hosting.reserved_concurrency
        if reserved is not None and reserved > account - _UNRESERVED:
            most = max(account - _UNRESERVED, 0)
            yield Clash(
                "hosting.reserved_concurrency",
                reserved,
                f"at most {most}",
                f"hosting.reserved_concurrency = {reserved}: at most {most}, for {_UNRESERVED} of "
                f"hosting.account_concurrency = {account} stay unreserved",
            )
    elif hosting.kind != "sagemaker_serverless":
        return
    if hosting.provisioned_concurrency > hosting.cap:
        limit = "max_concurrency" if hosting.kind == "sagemaker_serverless" else "its concurrency"
        yield Clash(
            "hosting.provisioned_concurrency",
            hosting.provisioned_concurrency,
            f"at most {hosting.cap}",
            f"hosting.provisioned_concurrency = {hosting.provisioned_concurrency}: at most "
            f"{hosting.cap}, {limit}",
        )


def of_requests(
    hosting: Hosting,
    fleet: "Fleet",
    policies: Sequence[tuple[str, Policy]],
    weather: Sequence[Weather],
) -> Iterator[Clash]:
    """Settings of a replica behind a queue, and a keep-alive without its values."""
    if not isinstance(hosting, Lambda | SageMakerServerless):
        return
    if fleet.slots not in (None, 1):
        yield Clash(
            "fleet.slots",
            fleet.slots,
            "1",
            f"an environment of {hosting.platform.title} serves one request at a time: write "
            "fleet.slots: 1, or leave it out",
        )
    if weather and any(getattr(policy, "cold_response_s", None) for _, policy in policies):
        yield Clash(
            "weather.0.kind",
            weather[0].kind,
            "leave cold_response_s out",
            "weather.0: cold_response_s leaves no start to slow down or to fail: leave it out",
        )
    for path, policy in policies:
        if policy.kind == "per_request" and policy.keep_alive_law == "empirical":
            if policy.keep_alive_values_s:
                continue
            yield Clash(
                f"{path}.keep_alive_values_s",
                [],
                "at least one duration",
                f"{path}.keep_alive_values_s is empty: an empirical keep-alive needs its values",
            )


def of_provisioned(hosting: Hosting, policies: Sequence[tuple[str, Policy]]) -> Iterator[Clash]:
    """Policies beside ``per_request`` are those of Application Auto Scaling on what is prepared."""
    if not isinstance(hosting, Lambda | SageMakerServerless):
        return
    scaling = policies[1:]
    path, first = policies[0]
    if first.kind != "per_request" or any(other.kind == "per_request" for _, other in scaling):
        if all(policy.kind in hosting.platform.policies for _, policy in policies):
            yield Clash(
                f"{path}.kind",
                first.kind,
                "per_request first, once",
                f"{hosting.platform.title} scales per request: the first of policies is one of "
                "kind per_request, and those after it scale provisioned concurrency",
            )
        return
    fewest, most = hosting.provisioned_concurrency, hosting.provisioned_max
    if most is None:
        pass
    elif not scaling:
        yield Clash(
            "hosting.provisioned_max",
            most,
            "policies that scale provisioned concurrency",
            f"hosting.provisioned_max = {most}: nothing scales provisioned concurrency; add a "
            "target_tracking, step_scaling or scheduled policy to policies, or leave it out",
        )
    elif not fewest <= most <= hosting.cap:
        span = f"from {fewest} to {hosting.cap}"
        yield Clash(
            "hosting.provisioned_max",
            most,
            span,
            f"hosting.provisioned_max = {most}: expected {span}, from "
            "hosting.provisioned_concurrency to the function's or endpoint's concurrency",
        )
    if fewest < 1 and scaling and not any(wakes_from_zero(policy) for _, policy in scaling):
        yield Clash(
            "hosting.provisioned_concurrency",
            fewest,
            "at least 1",
            "no policy can leave zero provisioned environments, whose utilisation is undefined: "
            "write hosting.provisioned_concurrency: 1, or add a scheduled policy",
        )
