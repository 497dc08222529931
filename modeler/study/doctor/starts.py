"""Starts against what the platform, the machines and the provider allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from modeler.predict import ModelDoesNotFit, cold_start_law
from modeler.replay.machines_setup import nodes_of, start_limit_s
from modeler.scenario import format_duration, format_size, with_values
from modeler.scenario.weather import SpotReclaim
from modeler.study.doctor.facts import Facts, pool_holds_any, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held
from modeler.study.doctor.sizing import replicas_for

# A limit is proposed that is this much longer than the slowest of twenty starts, or sizes that
# start so much sooner: a choice of this tool.
MARGIN: Final = 1.2
# ContainerStartupHealthCheckTimeoutInSeconds: 60 to 3600 (SageMaker API reference,
# ProductionVariant, read 2026-09).
_SAGEMAKER_MOST_S: Final = 3600
_LIMITS: Final = "SageMaker developer guide, container health check; Kubernetes, startup probes"


def start_limit(facts: Facts) -> Iterator[Finding]:
    """The platform ends a start that is still under way: it is begun again, and again."""
    if facts.per_request:
        return
    limit_s = start_limit_s(facts.scenario)
    counted_s = float(np.quantile(facts.counted_s, 0.95))
    if counted_s <= limit_s:
        return
    failing = float(np.mean(facts.counted_s > limit_s))
    path = "cold_start.start_limit_s"
    raised = up_to_minute(MARGIN * counted_s)
    on_sagemaker = facts.scenario.hosting.platform.service == "sagemaker"
    if on_sagemaker and raised > _SAGEMAKER_MOST_S:
        cure = _smaller(facts, _SAGEMAKER_MOST_S, "the platform's longest limit of an hour")
    else:
        cure = Cure(
            f"allow a start {format_duration(raised)}, {MARGIN:g} times its 95th percentile",
            {path: raised},
        )
    yield Finding(
        "start-limit-under-start",
        "critical",
        (path,),
        (
            Held("counted part of a start (p95)", counted_s, "s"),
            facts.setting(path, "limit", limit_s, "s"),
            Held("starts that are ended", 100.0 * failing, "%"),
        ),
        f"The platform gives up on a start after {format_duration(limit_s)} and one in twenty "
        f"takes longer than {format_duration(counted_s)}: {100.0 * failing:.0f} % of starts are "
        "thrown away and begun again, paid for and without serving.",
        cure,
        "documented",
        _LIMITS,
    )


def node_limit(facts: Facts) -> Iterator[Finding]:
    """The layer beneath gives up on an instance that is still coming up."""
    nodes: Any = nodes_of(facts.scenario)
    for key, taken_s, what in (
        ("launch_timeout_s", facts.running_s, "instance running (p95)"),
        ("registration_timeout_s", facts.up_s, "node ready (p95)"),
        ("max_provision_s", facts.up_s, "node ready (p95)"),
    ):
        limit_s = getattr(nodes, key, None)
        p95_s = float(np.quantile(taken_s, 0.95))
        if limit_s is None or p95_s <= limit_s:
            continue
        path = f"hosting.nodes.{key}"
        raised = up_to_minute(MARGIN * p95_s)
        yield Finding(
            "node-limit-under-start",
            "critical",
            (path,),
            (Held(what, p95_s, "s"), facts.setting(path, "limit", limit_s, "s")),
            f"A machine needs {format_duration(p95_s)} to come up and is given up after "
            f"{format_duration(limit_s)}: it is taken away and another is tried, without end.",
            Cure(f"wait {format_duration(raised)} for a machine", {path: raised}),
            "documented",
            "Karpenter, node claim lifecycle; Cluster Autoscaler FAQ, max-node-provision-time",
        )


def health_check(facts: Facts) -> Iterator[Finding]:
    """SageMaker Serverless: the model has to answer health checks in time, always 3 minutes."""
    hosting = facts.scenario.hosting
    if hosting.kind != "sagemaker_serverless" or facts.start_p95_s <= hosting.health_check_s:
        return
    yield Finding(
        "health-check-under-start",
        "critical",
        ("hosting.health_check_s", "model.size"),
        (
            facts.start_held(),
            facts.setting("hosting.health_check_s", "limit", hosting.health_check_s, "s"),
        ),
        f"The model must answer health checks within {format_duration(hosting.health_check_s)} and "
        f"takes {format_duration(facts.start_p95_s)}: the endpoint does not come up.",
        _smaller(facts, hosting.health_check_s, "the platform's health check"),
        "documented",
        "SageMaker developer guide, serverless-endpoints, read 2026-09",
    )


def begun_again(facts: Facts) -> Iterator[Finding]:
    """Lambda breaks off a long initialisation and begins it again, with the request waiting."""
    if "begun_again" not in facts.law.phases:
        return
    table = facts.law.sample(0, len(facts.ready_s))
    lost_s = table.ends_s[:, -1] - table.starts_s[:, -1]
    share = float(np.mean(lost_s > 0.0))
    limit_s = facts.scenario.hosting.init_limit_s  # type: ignore[union-attr]
    if share < 0.05 or limit_s is None:
        return
    once_s = float(np.quantile(table.starts_s[:, -1], 0.95))
    yield Finding(
        "init-begun-again",
        "warning",
        ("hosting.init_limit_s", "hosting.package"),
        (
            Held("initialisation (p95)", once_s, "s"),
            facts.setting("hosting.init_limit_s", "limit", limit_s, "s"),
            Held("starts begun again", 100.0 * share, "%"),
        ),
        f"Initialisation takes {format_duration(once_s)} and is broken off after "
        f"{format_duration(limit_s)}, then begun again: {100.0 * share:.0f} % of cold starts pay "
        "for it twice.",
        Cure("restore environments from a snapshot, which has no such limit",
             {"hosting.package": "snapstart"}),
        "documented",
        "Lambda developer guide, lambda-runtime-environment, read 2026-09",
    )  # fmt: skip


def green_too_soon(facts: Facts) -> Iterator[Finding]:
    """A replica is sent requests before its model is loaded."""
    early_s = facts.scenario.cold_start.false_ready_s
    if early_s <= 0.0:
        return
    lost = early_s * facts.replica_rps
    path = "cold_start.false_ready_s"
    yield Finding(
        "green-before-loaded",
        "critical",
        (path,),
        (
            facts.setting(path, "green too soon", early_s, "s"),
            Held("requests a full replica takes in that time", lost, "requests"),
        ),
        f"A new replica counts as healthy {format_duration(early_s)} before it can serve: what is "
        f"sent there fails, up to {lost:.0f} requests at every start.",
        Cure("let the readiness probe wait until the model has answered once", {path: 0}),
        "observed",
        "SageMaker inference toolkits that answer ping before the model is loaded",
    )


def spot_notice(facts: Facts) -> Iterator[Finding]:
    """The notice of a reclaim ends before the replacement serves."""
    for i, block in enumerate(facts.scenario.weather):
        if not isinstance(block, SpotReclaim) or facts.scenario.hosting.purchase != "spot":
            continue
        at_notice = block.replace_at == "notice"
        if block.replace_at is None:
            at_notice = facts.scenario.hosting.kind != "ec2_asg"
        ahead_s = block.notice_s if at_notice else 0.0
        # A replica on notice takes no requests, so that its place is empty all the while.
        hole_s = facts.start_p95_s + (0.0 if at_notice else block.notice_s)
        usual = replicas_for(facts, facts.mean_rps)
        if facts.start_p95_s <= ahead_s or facts.least > usual:
            continue  # or there is one to spare
        settings = facts.at_least(usual + 1)
        words = f"keep one replica to spare, {usual + 1} at least"
        if not at_notice:
            settings[f"weather.{i}.replace_at"] = "notice"
            words += ", and ask for the replacement on notice (capacity rebalancing)"
        yield Finding(
            "spot-notice-under-start",
            "critical" if facts.least <= 1 else "warning",
            (f"weather.{i}.notice_s", f"weather.{i}.replace_at", "fleet.min"),
            (
                facts.start_held(),
                facts.setting(f"weather.{i}.notice_s", "notice", block.notice_s, "s"),
                Held("a place stays empty", hole_s, "s"),
                facts.setting("fleet.min", "replicas at least", facts.least),
                Held("replicas that the mean rate takes", usual),
            ),
            f"A Spot instance goes {format_duration(block.notice_s)} after its notice and its "
            f"replacement takes {format_duration(facts.start_p95_s)}: each reclaim leaves a place "
            f"empty for {format_duration(hole_s)}"
            + (", and there may be no other replica." if facts.least <= 1 else "."),
            Cure(words, settings),
            "documented",
            "EC2 user guide, Spot instance interruption notices, read 2026-09",
        )


def warm_pool(facts: Facts) -> Iterator[Finding]:
    """A warm pool that is empty once the fleet has its minimum."""
    nodes: Any = nodes_of(facts.scenario)
    if nodes.kind != "warm_pool" or pool_holds_any(facts.scenario) or nodes.max_prepared is None:
        return
    least = facts.scenario.fleet.min
    path = "hosting.nodes.max_prepared"
    yield Finding(
        "warm-pool-empty",
        "warning",
        (path, "fleet.min"),
        (
            facts.setting(path, "group and pool together", nodes.max_prepared, "instances"),
            facts.setting("fleet.min", "replicas at least", least),
        ),
        f"Group and pool together hold {nodes.max_prepared} instances and the group alone has "
        f"{least}: the warm pool is always empty, and every start is a cold one.",
        Cure("let the pool hold what the group may grow to", {path: facts.most}),
        "documented",
        "EC2 Auto Scaling user guide, warm pools, MaxGroupPreparedCapacity, read 2026-09",
    )


def _smaller(facts: Facts, limit_s: float, what: str) -> Cure:
    """The largest model whose start keeps a limit; by bisection to 1 %."""
    low, high = 0, facts.scenario.model.size
    while high - low > max(high // 100, 1_000_000):
        size = (low + high) // 2
        low, high = (size, high) if _starts_within(facts, size, limit_s) else (low, size)
    if low == 0:
        return Cure(f"no size of model starts within {what}: take another hosting")
    size = low // 1_000_000 * 1_000_000
    text = f"{size // 1_000_000}MB"
    return Cure(
        f"take a model of at most {format_size(size)}, which starts within {what}, or a faster "
        "start",
        {"model.size": text},
    )


def _starts_within(facts: Facts, size: int, limit_s: float) -> bool:
    scenario = with_values(facts.scenario, {"model.size": max(size, 1000)})
    try:
        law = cold_start_law(scenario, facts.instance)
    except ModelDoesNotFit:
        return False
    count = len(facts.ready_s)
    return float(np.quantile(law.sample(0, count).ready_s, 0.95)) <= limit_s


CHECKS: Final = (
    start_limit, node_limit, health_check, begun_again, green_too_soon, spot_notice, warm_pool,
)  # fmt: skip
