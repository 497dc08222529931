"""Hosting that starts one execution environment per request: Lambda, SageMaker Serverless."""

from typing import ClassVar, Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, setting
from modeler.scenario.platform import SAGEMAKER_CLIENT_TIMEOUT_S, Platform

_LAMBDA_QUOTAS = "docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read 2026-09"
_LAMBDA_SCALING = "docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html, read 2026-09"
_SERVERLESS = "SageMaker developer guide, serverless-endpoints, read 2026-09"
_SDK = "SageMaker Python SDK, ServerlessInferenceConfig"


# The first is the platform's own rule; the others scale what is provisioned, as a target of
# Application Auto Scaling.
_POLICIES = ("per_request", "target_tracking", "step_scaling", "scheduled")


class _Serverless(Block):
    platform: ClassVar[Platform]

    region: str = setting(
        "us-east-1",
        "Region whose prices apply.",
        origin="assumed",
        source="the region most often quoted",
        min_length=1,
    )
    as_of: str | None = setting(
        None,
        "Latest date of the prices used (YYYY-MM-DD); the newest by default.",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
    )
    provisioned_concurrency: Count = setting(
        0, "Environments prepared ahead; further ones start on demand.", ge=0
    )
    provisioned_max: Count | None = setting(
        None,
        "Most provisioned environments, where policies beside per_request scale them; the fewest "
        "are provisioned_concurrency.",
        origin="documented",
        source="Application Auto Scaling API reference, RegisterScalableTarget, read 2026-09",
        derived="as many as the function's or endpoint's own concurrency",
        ge=1,
    )
    provisioned_lead_s: Seconds = setting(
        60.0,
        "Least time until a provisioned environment that is added takes requests.",
        unit="s",
        origin="assumed",
        source="the vendor speaks of a minute or two",
    )
    account_concurrency: Count = setting(
        1000,
        "Requests at once that the account allows in the region.",
        origin="documented",
        source=f"{_LAMBDA_QUOTAS}; {_SERVERLESS}: 500 in small regions",
        ge=1,
    )

    @property
    def cap(self) -> int:
        """Requests at once, at most. [requests]"""
        return self.account_concurrency

    @property
    def provisioned_bounds(self) -> tuple[int, int]:
        """Fewest and most provisioned environments. [environments]"""
        most = self.cap if self.provisioned_max is None else self.provisioned_max
        return self.provisioned_concurrency, most

    @property
    def purchase(self) -> str:
        """How it is bought."""
        return "on-demand"

    @property
    def billing_starts_at(self) -> str:
        """Requests are metered, whenever an environment started."""
        return "in_service"

    @property
    def allow_derived_price(self) -> bool:
        """No price here is reckoned from another."""
        return False

    @property
    def usd_per_hour(self) -> None:
        """There is no price of an instance."""
        return

    @property
    def release_s(self) -> float:
        """Nothing is billed after an environment is gone. [s]"""
        return 0.0


class Lambda(_Serverless):
    """An AWS Lambda function."""

    platform = Platform(
        "a Lambda function",
        _POLICIES,
        several=True,
        service="lambda",
        zero="the next request",
    )
    kind: Literal["lambda"] = "lambda"
    memory_mb: Count = setting(
        10_240,
        "Memory; the share of CPU comes with it, which service times must say.",
        unit="MB",
        origin="assumed",
        source="the most there is, for models are large",
        ge=128,
        le=10_240,
    )
    architecture: Literal["x86_64", "arm64"] = setting(
        "x86_64",
        "Instruction set.",
        origin="documented",
        source="Lambda API reference, CreateFunction, Architectures, read 2026-09",
    )
    package: Literal["zip", "image", "snapstart"] = setting(
        "zip",
        "How the code is packaged, or that environments are restored from a snapshot.",
        origin="documented",
        source="Lambda API reference, CreateFunction, PackageType, read 2026-09",
    )
    reserved_concurrency: Count | None = setting(
        None,
        "Requests at once that are kept for this function, and its most.",
        origin="documented",
        source="Lambda developer guide, configuration-concurrency, read 2026-09",
        derived="account_concurrency",
        ge=1,
    )
    burst: Literal["bucket", "window", "none"] = setting(
        "bucket",
        "Reading of the rate of new environments: a bucket that refills, or fixed windows.",
        origin="assumed",
        source=f"{_LAMBDA_SCALING}: the text leaves both readings",
    )
    burst_environments: Count = setting(
        1000,
        "New environments in each burst period.",
        origin="documented",
        source=_LAMBDA_SCALING,
        ge=1,
    )
    burst_period_s: Seconds = setting(
        10.0, "Burst period.", unit="s", origin="documented", source=_LAMBDA_SCALING, gt=0
    )
    ephemeral_storage_mb: Count = setting(
        512,
        "Size of /tmp.",
        unit="MB",
        origin="documented",
        source=_LAMBDA_QUOTAS,
        ge=512,
        le=10_240,
    )
    init_limit_s: Seconds | None = setting(
        10.0,
        "Longest initialisation on demand: a longer one is begun again with the first request. "
        "Snapshots and provisioned environments have none.",
        unit="s",
        origin="documented",
        source="Lambda developer guide, lambda-runtime-environment, read 2026-09",
        gt=0,
    )
    init_billed: bool = setting(
        True,
        "Whether initialisation is on the bill; a restored snapshot has its own charge instead.",
        origin="documented",
        source="AWS Compute Blog, 2025-04-29: since 2025-08-01 for every package",
    )

    @property
    def instance(self) -> str:
        """What stands where others have an instance type."""
        return f"lambda {self.memory_mb} MB {self.architecture}"

    @property
    def cap(self) -> int:
        """Requests at once, at most. [requests]"""
        reserved = self.reserved_concurrency
        return self.account_concurrency if reserved is None else reserved


class SageMakerServerless(_Serverless):
    """A SageMaker serverless endpoint; it has no GPU."""

    platform = Platform(
        "a SageMaker serverless endpoint",
        _POLICIES,
        several=True,
        service="sagemaker_serverless",
        client_timeout_s=SAGEMAKER_CLIENT_TIMEOUT_S,
        zero="the next request",
    )
    kind: Literal["sagemaker_serverless"] = "sagemaker_serverless"
    memory_mb: Count = setting(
        2048,
        "Memory, in steps of 1024.",
        unit="MB",
        origin="documented",
        source=_SDK,
        ge=1024,
        le=6144,
        multiple_of=1024,
    )
    max_concurrency: Count = setting(
        5,
        "Requests at once; one more is throttled.",
        origin="documented",
        source=_SDK,
        ge=1,
        le=200,
    )
    health_check_s: Seconds = setting(
        180.0,
        "Longest start-up: the model must answer health checks by then.",
        unit="s",
        origin="documented",
        source=_SERVERLESS,
        gt=0,
    )
    init_billed: bool = setting(
        True,
        "Whether initialisation is on the bill.",
        origin="assumed",
        source="the vendor does not say; the dearer reading",
    )
    provisioned_usd_per_gb_s: Number | None = setting(
        None,
        "Price of provisioned concurrency that is held.",
        unit="USD/GB-s",
        derived="none is published; needed with provisioned concurrency",
        ge=0,
    )
    on_provisioned_usd_per_gb_s: Number | None = setting(
        None,
        "Price of requests on provisioned concurrency.",
        unit="USD/GB-s",
        derived="none is published; needed with provisioned concurrency",
        ge=0,
    )

    @property
    def instance(self) -> str:
        """What stands where others have an instance type."""
        return f"serverless {self.memory_mb} MB"

    @property
    def cap(self) -> int:
        """Requests at once, at most. [requests]"""
        return self.max_concurrency
