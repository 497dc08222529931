"""One environment per request, kept for a while: Lambda and SageMaker Serverless."""

from typing import Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, setting

_KEEP = (
    "undocumented; measured 25 to 60 min in mid 2019, exactly 10 min in August 2019: "
    "mikhail.io, theburningmonk.com, pluralsight.com"
)


class PerRequest(Block):
    """Scale per request: the newest idle environment serves, else a new one starts."""

    kind: Literal["per_request"] = "per_request"
    keep_alive_law: Literal["fixed", "exponential", "lognormal", "empirical"] = setting(
        "fixed",
        "Law of the time an idle environment is kept, drawn for each idle period.",
        origin="assumed",
        source=_KEEP,
    )
    keep_alive_s: Seconds = setting(
        600.0,
        "Time an idle environment is kept, on average.",
        unit="s",
        origin="assumed",
        source=_KEEP,
    )
    keep_alive_cv: Number = setting(
        1.0,
        "Standard deviation over mean of a lognormal keep-alive.",
        origin="assumed",
        source="as wide as an exponential",
        gt=0,
    )
    keep_alive_values_s: tuple[Seconds, ...] = setting(
        (), "Values of an empirical keep-alive, all equally likely.", unit="s"
    )
    max_environments: Count | None = setting(
        None,
        "Environments at most, beside the limits of the hosting.",
        origin="assumed",
        source="the platform's own limits alone",
        derived="no further limit",
        ge=1,
    )
    cold_response_s: Seconds | None = setting(
        None,
        "Mean of the whole response of a request that starts an environment, instead of its cold "
        "start and its service.",
        unit="s",
        derived="cold start, then service",
        gt=0,
    )
    cold_response_law: Literal["fixed", "exponential"] = setting(
        "exponential", "Law of that response."
    )
