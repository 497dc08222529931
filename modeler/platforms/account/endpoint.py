"""A SageMaker endpoint as it is set: variant, hosting, model, image, scaling."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from modeler.platforms.account.calls import Account, AccountError, NotThere

# registry, repository, and a tag or a digest.
_IMAGE: Final = re.compile(
    r"(?P<registry>\d+)\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)
_ROUTERS: Final = {"LEAST_OUTSTANDING_REQUESTS": "least_outstanding", "RANDOM": "random"}


@dataclass
class Endpoint:
    """What is known of an endpoint; None and empty where it is not.

    Attributes
    ----------
    name, region, variant, config : str.
    kind : str. As ``hosting.kind``.
    instance_type : str, optional.
    instances : int, optional. In service now.
    least, most : int, optional. Of managed scaling of instances.
    serverless : dict. ``ServerlessConfig`` as AWS has it; empty otherwise.
    component : str. Name of the inference component that is modelled; empty without.
    router : str. As ``fleet.router``; empty where it is not said.
    model, artifact, image : str. Name of the model, ``s3://`` address, image.
    artifact_bytes, image_bytes : int, optional. [bytes]
    policy : dict. Policies, targets, actions and alarms as AWS prints them.
    others : tuple of str. Variants or components beside the one that is modelled.
    """

    name: str
    region: str
    variant: str = ""
    config: str = ""
    kind: str = "sagemaker_realtime"
    instance_type: str | None = None
    instances: int | None = None
    least: int | None = None
    most: int | None = None
    serverless: dict[str, Any] = field(default_factory=dict)
    component: str = ""
    router: str = ""
    model: str = ""
    artifact: str = ""
    image: str = ""
    artifact_bytes: int | None = None
    image_bytes: int | None = None
    policy: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """What Application Auto Scaling calls it."""
        if self.component:
            return f"inference-component/{self.component}"
        return f"endpoint/{self.name}/variant/{self.variant}"


def read_endpoint(account: Account, name: str, variant: str | None = None) -> Endpoint:
    """Describe an endpoint.

    Parameters
    ----------
    variant : str, optional. The production variant, or the inference component, that is meant
        where there are several; by default the one with the most traffic weight, or the first.

    Raises
    ------
    AccountError
        There is no such endpoint or variant: the nearest are named. It may not be described.
    """
    try:
        said = account.ask("DescribeEndpoint", EndpointName=name)
    except NotThere as error:
        raise AccountError(_no_such(account, name)) from error
    if said is None:
        raise AccountError(f"endpoint {name}: {account.gaps[-1]}")
    found = Endpoint(name, account.region, config=str(said.get("EndpointConfigName", "")))
    running = {one["VariantName"]: one for one in said.get("ProductionVariants", ())}
    config = _asked(account, "DescribeEndpointConfig", EndpointConfigName=found.config)
    variants = {one["VariantName"]: one for one in config.get("ProductionVariants", ())}
    names = list(variants or running)
    components = (
        _components(account, name)
        if not any(one.get("ModelName") for one in variants.values())
        else []
    )
    chosen = _chosen(name, variant, names, components, running)
    if chosen in components:
        found.component = chosen
        found.others = tuple(one for one in components if one != chosen)
        found.variant = names[0] if names else ""
    else:
        found.variant = chosen
        found.others = tuple(one for one in names if one != chosen)
    _fill(found, variants.get(found.variant, {}), running.get(found.variant, {}))
    if said.get("AsyncInferenceConfig") or config.get("AsyncInferenceConfig"):
        found.kind = "sagemaker_async"
    if found.component:
        _component(account, found)
    if found.model:
        _model(account, found)
    _sizes(account, found)
    _scaling(account, found)
    return found


def _asked(account: Account, operation: str, **arguments: Any) -> dict[str, Any]:
    """An answer, or nothing where it is denied or gone."""
    try:
        return account.ask(operation, **arguments) or {}
    except NotThere as error:
        account.gap(operation, str(error))
        return {}


def _no_such(account: Account, name: str) -> str:
    """The endpoint is not there; which are."""
    there: list[str] = []
    try:
        answer = account.client("sagemaker").list_endpoints(MaxResults=100)
        there = [one["EndpointName"] for one in answer.get("Endpoints", ())]
    except Exception:  # the listing is a courtesy: what was asked for is missing either way
        there = []
    near = difflib.get_close_matches(name, there, n=3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    seen = f"; there are {', '.join(there[:10])}" if there and not near else ""
    return f'no endpoint "{name}" in {account.region}{hint}{seen}'


def _components(account: Account, name: str) -> list[str]:
    pages = account.pages(
        "ListInferenceComponents", "InferenceComponents", {"EndpointNameEquals": name}
    )
    try:
        return [one["InferenceComponentName"] for one in pages]
    except NotThere:
        return []


def _chosen(
    name: str,
    asked: str | None,
    variants: list[str],
    components: list[str],
    running: dict[str, Any],
) -> str:
    there = components or variants
    if asked is not None:
        if asked not in (*variants, *components):
            near = difflib.get_close_matches(asked, (*variants, *components), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise AccountError(
                f'endpoint {name} has no variant "{asked}": one of {", ".join(there)}{hint}'
            )
        return asked
    if not there:
        return ""
    if components:
        return components[0]
    return max(there, key=lambda one: float(running.get(one, {}).get("CurrentWeight", 0.0)))


def _fill(found: Endpoint, config: dict[str, Any], running: dict[str, Any]) -> None:
    """From the variant as it is configured and as it runs."""
    found.model = str(config.get("ModelName", ""))
    found.instance_type = config.get("InstanceType")
    found.instances = running.get("CurrentInstanceCount", config.get("InitialInstanceCount"))
    serverless = config.get("ServerlessConfig") or running.get("CurrentServerlessConfig")
    if serverless:
        found.kind, found.serverless = "sagemaker_serverless", serverless
    managed = config.get("ManagedInstanceScaling") or running.get("ManagedInstanceScaling") or {}
    if managed.get("Status") == "ENABLED":
        found.least, found.most = managed.get("MinInstanceCount"), managed.get("MaxInstanceCount")
    routing = (config.get("RoutingConfig") or {}).get("RoutingStrategy", "")
    found.router = _ROUTERS.get(routing, "")


def _component(account: Account, found: Endpoint) -> None:
    """Model and copies of an inference component."""
    found.kind = "sagemaker_components"
    said = _asked(account, "DescribeInferenceComponent", InferenceComponentName=found.component)
    specification = said.get("Specification") or {}
    found.model = str(specification.get("ModelName", ""))
    container = specification.get("Container") or {}
    found.artifact = str(container.get("ArtifactUrl", ""))
    deployed = container.get("DeployedImage") or {}
    found.image = str(container.get("Image") or deployed.get("SpecifiedImage") or "")
    found.instances = (said.get("RuntimeConfig") or {}).get("CurrentCopyCount", found.instances)


def _model(account: Account, found: Endpoint) -> None:
    said = _asked(account, "DescribeModel", ModelName=found.model)
    containers = said.get("Containers") or ()
    container: dict[str, Any] = said.get("PrimaryContainer") or (containers or ({},))[0]
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    found.artifact = str(container.get("ModelDataUrl") or source.get("S3Uri") or found.artifact)
    found.image = str(container.get("Image") or found.image)
    if len(containers) > 1:
        account.gap("the model", f"{len(containers)} containers: the first is modelled")


def _sizes(account: Account, found: Endpoint) -> None:
    """Bytes of artifact and image."""
    if found.artifact.startswith("s3://"):
        from modeler.predict.artifact import ArtifactError
        from modeler.predict.s3 import S3Error
        from modeler.predict.size import SizeError, measure_size

        account.asked["ListObjectsV2"] = account.asked.get("ListObjectsV2", 0) + 1
        try:
            report = measure_size(found.artifact, **account.for_s3())
            found.artifact_bytes = report.weight_bytes
        except (S3Error, SizeError, ArtifactError) as error:
            account.gap("size of the artifact", str(error))
    elif not found.serverless or not found.artifact:
        account.gap("size of the artifact", "no artifact in S3 is named: the image may hold it")
    image = _IMAGE.fullmatch(found.image)
    if image is None:
        if found.image:
            account.gap("size of the image", f"{found.image} is not in ECR")
        return
    which = (
        {"imageDigest": image["digest"]}
        if image["digest"]
        else {"imageTag": image["tag"] or "latest"}
    )
    answer = _asked(
        account, "DescribeImages",
        registryId=image["registry"], repositoryName=image["repository"], imageIds=[which],
    )  # fmt: skip
    details = answer.get("imageDetails") or [{}]
    found.image_bytes = details[0].get("imageSizeInBytes")


def _scaling(account: Account, found: Endpoint) -> None:
    """Everything of Application Auto Scaling, as its command line prints it."""
    about = {"ServiceNamespace": "sagemaker"}

    def all_of(operation: str, key: str, **which: Any) -> list[dict[str, Any]]:
        try:
            return list(account.pages(operation, key, {**about, **which}))
        except NotThere:
            return []

    found.policy = {
        "ScalableTargets": all_of(
            "DescribeScalableTargets", "ScalableTargets", ResourceIds=[found.resource]
        ),
        "ScalingPolicies": all_of(
            "DescribeScalingPolicies", "ScalingPolicies", ResourceId=found.resource
        ),
        "ScheduledActions": all_of(
            "DescribeScheduledActions", "ScheduledActions", ResourceId=found.resource
        ),
    }
    names = [
        alarm["AlarmName"]
        for policy in found.policy["ScalingPolicies"]
        if policy.get("PolicyType") == "StepScaling"
        for alarm in policy.get("Alarms", ())
    ]
    if names:
        found.policy["MetricAlarms"] = list(
            account.pages("DescribeAlarms", "MetricAlarms", {"AlarmNames": names[:100]})
        )
    found.policy = {key: values for key, values in found.policy.items() if values}
