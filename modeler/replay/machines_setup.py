"""A scenario's machines and weather, as the engine takes them; None where there are none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from modeler.predict import ColdStartLaw, StartLaws, cold_start_law, instance_of
from modeler.predict.constants import in_force
from modeler.predict.start_laws import (
    CONTAINER,
    IMAGE,
    RUNNING,
    from_warm_pool,
    on_warm_node,
    slowed,
    sooner,
)
from modeler.predict.together import even_share, transfer_s
from modeler.predict.weights_path import check_asleep, wake_s
from modeler.replay import machine_layout as g
from modeler.replay.errors import StartsTooSlowly
from modeler.replay.machines import NEVER, Machines
from modeler.replay.weather_setup import (
    closures,
    fails,
    lives,
    of_kind,
    outages,
    pools_of,
    rate_per_s,
    spells_of,
)
from modeler.scenario import Scenario
from modeler.scenario.nodes import RUNNING_START_S, STOPPED_START_S, Single
from modeler.scenario.weather import FailedStart, InsufficientCapacity, SpotReclaim, ZoneLost

# A warm pool's own first starts come from far behind those of replicas.
_INITS: Final = 2**40
# The most that the logarithm of a factor is drawn away from 0, in standard deviations: the normal
# draws have 53 bits.
_FARTHEST: Final = 8.3

SAGEMAKER_START_LIMIT_S: Final = 480.0
_STARTS: Final = ("new instance", "warm node")
_COUNTED_FROM: Final = {"eks_karpenter": IMAGE, "eks_cluster_autoscaler": IMAGE, "ec2_asg": RUNNING}


@dataclass(frozen=True)
class Layer:
    """Machines made ready for a run, and what judging it needs to know of them.

    Parameters
    ----------
    machines : Machines. For the engine.
    laws : StartLaws. By the numbers in the record.
    names : tuple of str. What each law is called.
    pools : tuple of Scenario. The scenario of each pool: instance type, purchase and price.
    free_first_hour : bool. Whether an instance reclaimed in its first hour costs nothing.
    """

    machines: Machines
    laws: StartLaws
    names: tuple[str, ...]
    pools: tuple[Scenario, ...]
    free_first_hour: bool = False


def nodes_of(scenario: Scenario) -> Any:
    """The layer beneath the replicas, of a platform that has replicas."""
    return getattr(scenario.hosting, "nodes", None) or Single()


def start_limit_s(scenario: Scenario) -> float:
    """How long the platform waits for a start, from where it counts; infinite for ever. [s]"""
    own = scenario.cold_start.start_limit_s
    if own is not None:
        return own
    on_sagemaker = scenario.hosting.platform.service == "sagemaker"
    known = scenario.cold_start.total_s is None
    return SAGEMAKER_START_LIMIT_S if on_sagemaker and known else NEVER


def layer_of(
    scenario: Scenario, cold_start: ColdStartLaw, *, t0_ns: int, horizon_s: float
) -> Layer | None:
    """The machines of a scenario; None where a replica is its instance and nothing can go wrong.

    Parameters
    ----------
    cold_start : ColdStartLaw. Of the scenario's own instance.
    t0_ns, horizon_s : int, float. The trace's origin on the wall clock, and its end. [ns, s]

    Raises
    ------
    StartsTooSlowly : the median start outlasts what the platform waits for.
    modeler.predict.ModelDoesNotFit : the weights do not fit a fallback.
    """
    nodes: Any = nodes_of(scenario)
    limit_s = start_limit_s(scenario)
    plain = plain_laws(scenario, cold_start)
    _check(scenario, plain, limit_s)
    spread = math.exp(_FARTHEST * cold_start.sigma_log)
    slowest = plain.extreme(0, spread)
    plainly = nodes.kind == "none" and not scenario.weather and not cold_start.shared
    if plainly and slowest[4] - slowest[3] <= limit_s:
        return None
    shortages = of_kind(scenario, InsufficientCapacity)
    pools = pools_of(scenario, shortages)
    pool_laws = [cold_start, *(_law_of(pool) for pool in pools[1:])]
    spells, rates = spells_of(scenario, t0_ns, horizon_s)
    together = _at_once(scenario) if cold_start.shared else (1,)
    laws = _laws(scenario, pool_laws, rates, together)
    spot = of_kind(scenario, SpotReclaim)
    failing = of_kind(scenario, FailedStart)
    settings = {**_of_nodes(nodes), **_of_limits(scenario, limit_s), **_of_weather(scenario)}
    return Layer(
        machines=Machines(
            kind=nodes.kind,
            laws=laws.moments,
            pools=len(pools),
            spot=[bool(spot) and pool.hosting.purchase == "spot" for pool in pools],
            inits=lambda first, count: laws.moments(_INITS + first, count)[:, 0],
            lives=partial(lives, scenario.seed, rate_per_s(spot)),
            fails=partial(fails, scenario.seed, failing),
            spells=spells,
            closures=closures(shortages, pools, t0_ns, horizon_s),
            outages=outages(of_kind(scenario, ZoneLost), t0_ns, horizon_s),
            settings=settings,
            splits_work=len(pools) > 1 or bool(spot),
            at_once=len(together),
            overlaps=[transfer_s(cold_start.timeline, cold_start.shared, n) for n in together],
        ),
        laws=laws,
        names=_names(len(pools), len(rates), together),
        pools=pools,
        free_first_hour=any(block.free_first_hour for block in spot),
    )


def _check(scenario: Scenario, laws: StartLaws, limit_s: float) -> None:
    """Refuse a law whose median start the platform never waits for."""
    median = laws.median(0)
    if median[4] - median[3] > limit_s:
        raise StartsTooSlowly(float(median[4] - median[3]), limit_s, "cold_start.start_limit_s")
    nodes: Any = nodes_of(scenario)
    for key, moment in (
        ("launch_timeout_s", 0), ("registration_timeout_s", 1), ("max_provision_s", 1),
    ):  # fmt: skip
        limit = getattr(nodes, key, NEVER)
        if median[moment] > limit:
            raise StartsTooSlowly(float(median[moment]), limit, f"hosting.nodes.{key}")


# --- laws ---


def plain_laws(scenario: Scenario, cold_start: ColdStartLaw) -> StartLaws:
    """The laws of a start in fair weather and alone: a new instance, a warm node, the pool."""
    return _laws(scenario, [cold_start], [(1.0, 1.0)])


def _law_of(scenario: Scenario) -> ColdStartLaw:
    return cold_start_law(scenario, instance_of(scenario))


def _at_once(scenario: Scenario) -> tuple[int, ...]:
    """Numbers of starts at once that have laws: each of a few, then powers of two, to the most."""
    most = scenario.fleet.max
    sizes = list(range(1, min(most, g.EVERY_NUMBER) + 1))
    while sizes[-1] < most:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def _laws(
    scenario: Scenario,
    cold: Sequence[ColdStartLaw],
    rates: Sequence[tuple[float, float]],
    together: Sequence[int] = (1,),
) -> StartLaws:
    """For each spell and number at once: of each pool a new instance and a warm node; the pool."""
    nodes: Any = nodes_of(scenario)
    own = 0.0
    if nodes.kind == "karpenter":
        own = nodes.batch_idle_s
    elif nodes.kind == "cluster_autoscaler":
        own = nodes.scan_s / 2.0
    held = scenario.cold_start.warm_node_has_weights
    pooled = cold[0].timeline
    if nodes.kind == "warm_pool":
        start_s = nodes.start_s
        if start_s is None:
            start_s = RUNNING_START_S if nodes.runs else STOPPED_START_S
        waking_s = _wake_s(scenario) if nodes.state == "asleep" else 0.0
        pooled = from_warm_pool(pooled, nodes.state, start_s, waking_s)
    timelines = []
    for weather, registry in rates:
        store = weather if scenario.cold_start.weights_from == "store" else 1.0
        for number in together:
            for law in cold:
                start = slowed(sooner(law.timeline, own), store, registry)
                start = even_share(start, number, law.shared.slowed(store, registry))
                timelines += [start, on_warm_node(start, has_weights=held)]
            timelines.append(pooled)
    return StartLaws(cold[0], timelines, _COUNTED_FROM.get(scenario.hosting.kind, CONTAINER))


def _wake_s(scenario: Scenario) -> float:
    check_asleep(instance_of(scenario), scenario.model.size)
    values = {name: constant.value for name, constant in in_force(scenario).items()}
    return wake_s(values, scenario.model.size)


def _names(pools: int, spells: int, together: Sequence[int]) -> tuple[str, ...]:
    names = []
    for spell in range(spells):
        slow = " (slow)" if spell else ""
        for number in together:
            many = f" ({number} at once)" if number > 1 else ""
            for pool in range(pools):
                fallback = f"fallback {pool}: " if pool else ""
                names += [f"{fallback}{start}{slow}{many}" for start in _STARTS]
            names.append("warm pool")
    return tuple(names)


# --- settings of the layer ---


def _of_nodes(nodes: Any) -> dict[int, float]:
    if nodes.kind == "none":
        return {}
    if nodes.kind == "warm_pool":
        return {
            g.S_MAX_PREPARED: -1.0 if nodes.max_prepared is None else float(nodes.max_prepared),
            g.S_MIN_POOL: float(nodes.min_size),
            g.S_REUSE: float(nodes.reuse_on_scale_in),
            g.S_POOL_RUNS: float(nodes.runs),
        }
    shared = {
        g.S_PLACES: float(nodes.places),
        g.S_BINPACK: float(nodes.placement == "binpack"),
    }
    if nodes.kind == "karpenter":
        return shared | {
            g.S_BATCH_IDLE: nodes.batch_idle_s,
            g.S_BATCH_MAX: nodes.batch_max_s,
            g.S_LAUNCH_LIMIT: nodes.launch_timeout_s,
            g.S_NODE_LIMIT: nodes.registration_timeout_s,
            g.S_UNDERUSED: float(nodes.consolidation == "when_empty_or_underutilized"),
            g.S_STEP: 0.0 if nodes.consolidation == "never" else 1e9,
            g.S_QUIET: nodes.consolidate_after_s,
            g.S_SCAN: nodes.loop_s,
            g.S_VALIDATE: nodes.validation_s,
            g.S_BUDGET: nodes.budget,
        }
    if nodes.kind == "cluster_autoscaler":
        return shared | {
            g.S_SCAN: nodes.scan_s,
            g.S_NODE_LIMIT: nodes.max_provision_s,
            g.S_UNNEEDED: nodes.unneeded_s,
            g.S_AFTER_ADD: nodes.after_add_s,
            g.S_AFTER_FAILURE: nodes.after_failure_s,
            g.S_THRESHOLD: nodes.utilisation_threshold,
            g.S_STEP: float(nodes.parallel),
            g.S_NODE_BACKOFF: nodes.backoff_s,
            g.S_NODE_BACKOFF_MAX: nodes.backoff_max_s,
        }
    return shared | {
        g.S_RELEASE: nodes.release_after_s,
        g.S_UNDERUSED: float(nodes.strategy == "consolidation"),
        g.S_SCAN: nodes.cooldown_s,
        g.S_STEP: float(nodes.step),
        g.S_MIN_NODES: float(nodes.min_instances),
    }


def _of_limits(scenario: Scenario, limit_s: float) -> dict[int, float]:
    start = scenario.cold_start
    found = {
        g.S_START_LIMIT: limit_s,
        g.S_BACKOFF: start.retry_base_s,
        g.S_BACKOFF_MAX: start.retry_max_s,
        g.S_ATTEMPTS: float(start.attempts),
    }
    if nodes_of(scenario).kind in ("none", "warm_pool"):
        found[g.S_RELEASE] = scenario.release_s
    return found


def _of_weather(scenario: Scenario) -> dict[int, float]:
    found: dict[int, float] = {}
    for block in of_kind(scenario, SpotReclaim):
        at_notice = block.replace_at == "notice"
        if block.replace_at is None:
            at_notice = scenario.hosting.kind != "ec2_asg"
        found[g.S_NOTICE] = block.notice_s
        found[g.S_AT_NOTICE] = float(at_notice)
    for lost in of_kind(scenario, ZoneLost):
        found[g.S_ZONES] = max(found.get(g.S_ZONES, 1.0), float(lost.zones))
    for failing in of_kind(scenario, FailedStart):
        found[g.S_FAIL_AT_LIMIT] = float(failing.detected == "limit")
    return found
