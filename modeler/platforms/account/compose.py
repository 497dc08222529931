"""An endpoint and its traffic as files: a scenario whose lines say where they are from."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import pricing
from modeler.platforms.account.calls import Account
from modeler.platforms.account.endpoint import Endpoint
from modeler.platforms.account.traffic import Observed
from modeler.platforms.composed import SCENARIO, Composed

POLICY: Final = "policy.json"
TRACE: Final = "invocations.json"
OBSERVED: Final = "observed.json"


def compose(account: Account, endpoint: Endpoint, observed: Observed) -> Composed:
    """The files that a replay of the endpoint takes."""
    files: dict[str, str] = {}
    traced = observed.requests > 0
    if traced:
        files[TRACE] = json.dumps(observed.as_cloudwatch()) + "\n"
        files[OBSERVED] = json.dumps(_observed(endpoint, observed)) + "\n"
    policies = endpoint.policy.get("ScalingPolicies") or endpoint.policy.get("ScheduledActions")
    if policies:
        files[POLICY] = json.dumps(endpoint.policy, indent=1, default=_plain) + "\n"
    files[SCENARIO] = "".join(f"{line}\n" for line in _scenario(account, endpoint, observed, files))
    return Composed(files, tuple(account.gaps))


def _scenario(
    account: Account, endpoint: Endpoint, observed: Observed, files: dict[str, str]
) -> list[str]:
    window = f"{observed.start:%Y-%m-%d %H:%M} to {observed.end:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"# SageMaker endpoint {endpoint.name}, {endpoint.region}; traffic of {window}.",
        "# Written by modeler init --from-endpoint; every line says where it is from.",
    ]
    lines += [f"# NOT KNOWN: {gap}" for gap in account.gaps]
    lines += [f"# Not modelled here: {other}" for other in endpoint.others]
    lines.append(f"name: {json.dumps(endpoint.component or endpoint.name)}")
    lines += _traffic(files, observed)
    lines += _model(endpoint)
    lines += _hosting(endpoint)
    lines += _fleet(endpoint)
    lines += _service(observed)
    if endpoint.image_bytes:
        lines.append("cold_start:")
        lines.append(f"  image_size: {endpoint.image_bytes}B  # ecr DescribeImages, compressed")
    if POLICY in files:
        lines.append("policy:  # application-autoscaling, as its command line prints it")
        lines.append("  kind: file")
        lines.append(f"  path: {POLICY}")
    elif not endpoint.serverless:
        count = endpoint.instances or 1
        lines.append("policy:  # no scaling policy was found: the instances stay as they are")
        lines.append("  kind: fixed")
        lines.append(f"  replicas: {count}")
    return lines


def _traffic(files: dict[str, str], observed: Observed) -> list[str]:
    if TRACE not in files:
        return ["# trace: none was read, so the sample office-week stands in (assumed)"]
    said = f"cloudwatch GetMetricData, Invocations, Sum of {observed.period_s} s"
    return [f"trace: {TRACE}  # {said}: {observed.requests:,} requests"]


def _model(endpoint: Endpoint) -> list[str]:
    if not endpoint.artifact_bytes:
        return ["# model.size: not known; the default stands in (assumed): set it"]
    return [
        "model:",
        f"  size: {endpoint.artifact_bytes}B  # {endpoint.artifact}, bytes of the weights",
    ]


def _hosting(endpoint: Endpoint) -> list[str]:
    lines = ["hosting:", f"  kind: {endpoint.kind}  # sagemaker DescribeEndpointConfig"]
    lines.append(f"  region: {endpoint.region}  # asked for")
    if endpoint.serverless:
        settings = endpoint.serverless
        lines.append(f"  memory_mb: {settings['MemorySizeInMB']}  # ServerlessConfig")
        lines.append(f"  max_concurrency: {settings['MaxConcurrency']}  # ServerlessConfig")
        held = settings.get("ProvisionedConcurrency")
        if held:
            lines.append(f"  provisioned_concurrency: {held}  # ServerlessConfig")
    elif endpoint.instance_type:
        lines.append(f"  instance: {endpoint.instance_type}  # InstanceType of {endpoint.config}")
        lines += _priced(endpoint.instance_type, endpoint.region)
    return lines


def _priced(instance_type: str, region: str) -> list[str]:
    """An estimate is asked for, and said, where no price is quoted."""
    try:
        pricing.price(instance_type, region)
    except pricing.PriceNotFound as error:
        if error.derivable:
            return ["  allow_derived_price: true  # none is quoted here: estimated from EC2's"]
        return ["  # usd_per_hour: no price is held: set it"]
    except pricing.PricingError as error:
        return [f"  # usd_per_hour: {error}: set it"]
    return []


def _fleet(endpoint: Endpoint) -> list[str]:
    """Bounds of a policy file are its own; managed scaling's stand here."""
    lines = []
    if endpoint.serverless:
        return []
    targets = endpoint.policy.get("ScalableTargets", ())
    if targets:
        for ours, theirs in (("min", "MinCapacity"), ("max", "MaxCapacity")):
            value = targets[0].get(theirs)
            if value is not None:
                lines.append(f"  {ours}: {value}  # {theirs} of DescribeScalableTargets")
    elif endpoint.least is not None and endpoint.most is not None:
        lines.append(f"  min: {endpoint.least}  # ManagedInstanceScaling")
        lines.append(f"  max: {endpoint.most}  # ManagedInstanceScaling")
    if endpoint.instances is not None:
        lines.append(f"  initial: {endpoint.instances}  # CurrentInstanceCount")
    if endpoint.router:
        lines.append(f"  router: {endpoint.router}  # RoutingConfig")
    return ["fleet:", *lines] if lines else []


def _service(observed: Observed) -> list[str]:
    found = observed.service
    if found is None:
        return ["# service: no latency was read; the default law stands in (assumed): set it"]
    mean, cv = found
    note = "cloudwatch ModelLatency, over the requests; its waiting in the container included"
    if cv == 0.0:
        return ["service:", "  kind: fixed", f"  mean_s: {mean:.6g}  # {note}"]
    return [
        "service:",
        "  kind: lognormal  # by the medians and 99th percentiles of ModelLatency",
        f"  mean_s: {mean:.6g}  # {note}",
        f"  cv: {cv:.4g}  # from p99 over p50",
    ]


def _observed(endpoint: Endpoint, observed: Observed) -> dict[str, Any]:
    """What a backtest holds the replay against."""
    return {
        "schema": "observed/1",
        "endpoint": endpoint.name,
        "period_s": observed.period_s,
        "start": observed.start.isoformat(),
        "end": observed.end.isoformat(),
        "series": {
            name: {"t": [stamp.isoformat() for stamp in stamps], "values": values}
            for name, (stamps, values) in observed.series.items()
        },
    }


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
