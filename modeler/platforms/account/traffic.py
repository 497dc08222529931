"""What CloudWatch has seen of an endpoint: invocations, latency, instances."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from modeler.platforms.account.calls import Account, NotThere
from modeler.platforms.account.endpoint import Endpoint

# Periods that CloudWatch keeps, and how long (CloudWatch concepts, metrics retention).
_KEPT: Final = ((60, 15), (300, 63), (3600, 455))
_MICRO: Final = 1e-6
_Z99: Final = 2.3263478740408408  # of the standard normal
_INVOCATIONS: Final = "invocations"


@dataclass
class Observed:
    """Series of a window by their names, each as stamps and values.

    Attributes
    ----------
    start, end : datetime. The window, UTC.
    period_s : int. Of every series. [s]
    series : dict of str to (list of datetime, list of float). ``invocations``,
        ``latency_mean`` [s], ``latency_p50`` [s], ``latency_p99`` [s], ``overhead_mean`` [s],
        ``instances``.
    """

    start: datetime
    end: datetime
    period_s: int
    series: dict[str, tuple[list[datetime], list[float]]] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """In the window."""
        return round(sum(self.series.get(_INVOCATIONS, ([], []))[1]))

    def mean(self, name: str) -> float | None:
        """Over the requests: each stamp weighs as many as came in its period."""
        stamps, values = self.series.get(name, ([], []))
        came = dict(zip(*self.series.get(_INVOCATIONS, ([], [])), strict=True))
        weights = [came.get(stamp, 0.0) for stamp in stamps]
        total = sum(weights)
        if not values:
            return None
        if total <= 0.0:
            return sum(values) / len(values)
        return sum(v * w for v, w in zip(values, weights, strict=True)) / total

    @property
    def service(self) -> tuple[float, float] | None:
        """Mean of a request in the model [s] and its coefficient of variation, as a lognormal.

        The spread follows from the means of the medians and of the 99th percentiles.
        """
        mean = self.mean("latency_mean")
        if mean is None or mean <= 0.0:
            return None
        p50, p99 = self.mean("latency_p50"), self.mean("latency_p99")
        if not p50 or not p99 or p99 <= p50:
            return mean, 0.0
        sigma = math.log(p99 / p50) / _Z99
        return mean, math.sqrt(math.expm1(sigma * sigma))

    def as_cloudwatch(self) -> dict[str, Any]:
        """The invocations as ``get-metric-data`` prints them."""
        stamps, values = self.series.get(_INVOCATIONS, ([], []))
        return {
            "MetricDataResults": [
                {
                    "Id": _INVOCATIONS,
                    "Label": "Invocations",
                    "Timestamps": [stamp.isoformat() for stamp in stamps],
                    "Values": values,
                    "StatusCode": "Complete",
                }
            ]
        }


def read_traffic(
    account: Account, endpoint: Endpoint, days: float = 14.0, end: datetime | None = None
) -> Observed:
    """Read a window of an endpoint's metrics.

    Parameters
    ----------
    days : float. Length of the window. [days]
    end : datetime, optional. Of the window; now, without it.
    """
    stop = (end or datetime.now(UTC)).replace(second=0, microsecond=0)
    start = stop - timedelta(days=days)
    period = next((p for p, kept in _KEPT if days <= kept), _KEPT[-1][0])
    found = Observed(start, stop, period)
    queries = _queries(endpoint, period)
    arguments = {
        "MetricDataQueries": queries, "StartTime": start, "EndTime": stop,
        "ScanBy": "TimestampAscending",
    }  # fmt: skip
    partial: set[str] = set()
    try:
        for one in account.pages("GetMetricData", "MetricDataResults", arguments):
            stamps, values = found.series.setdefault(one["Id"], ([], []))
            factor = 1.0 if one["Id"] in (_INVOCATIONS, "instances") else _MICRO
            stamps += one.get("Timestamps", ())
            values += [factor * value for value in one.get("Values", ())]
            if one.get("StatusCode") not in ("Complete", "PartialData", None):
                partial.add(one["Id"])
    except NotThere as error:
        account.gap("metrics", str(error))
    found.series = {name: pair for name, pair in found.series.items() if pair[0]}
    for name in sorted(partial):
        account.gap(name, "CloudWatch could not compute all of it")
    if _INVOCATIONS not in found.series and "GetMetricData" in account.asked:
        account.gap("traffic", f"no invocations in the {days:g} days before {stop:%Y-%m-%d %H:%M}")
    return found


def _queries(endpoint: Endpoint, period: int) -> list[dict[str, Any]]:
    if endpoint.component:
        dimensions = [{"Name": "InferenceComponentName", "Value": endpoint.component}]
    else:
        dimensions = [
            {"Name": "EndpointName", "Value": endpoint.name},
            {"Name": "VariantName", "Value": endpoint.variant},
        ]
    wanted = [
        (_INVOCATIONS, "AWS/SageMaker", "Invocations", "Sum"),
        ("latency_mean", "AWS/SageMaker", "ModelLatency", "Average"),
        ("latency_p50", "AWS/SageMaker", "ModelLatency", "p50"),
        ("latency_p99", "AWS/SageMaker", "ModelLatency", "p99"),
        ("overhead_mean", "AWS/SageMaker", "OverheadLatency", "Average"),
    ]
    if not endpoint.serverless:
        # One sample a minute of each instance: their number is that of the instances.
        name = (
            "/aws/sagemaker/InferenceComponents"
            if endpoint.component
            else ("/aws/sagemaker/Endpoints")
        )
        wanted.append(("instances", name, "CPUUtilization", "SampleCount"))
    return [
        {
            "Id": name,
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": space, "MetricName": metric, "Dimensions": dimensions,
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        for name, space, metric, statistic in wanted
    ]  # fmt: skip
