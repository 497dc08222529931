"""Records become a judgement: violations and causes, lag, dollars, bounds.

`judge` takes a finished run and returns one `Outcome`, whose `to_dict` is a row of the sweep.
"""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

import pricing
from modeler.measure import instances, lag, metered
from modeler.measure.attribution import usd_by_phase
from modeler.measure.bill import CostLine, UnitPrice
from modeler.measure.bounds import Walk, walked, zero_wait
from modeler.measure.cost import cost_lines, prices_of, total_usd, unit_price
from modeler.measure.intervals import most_at_once
from modeler.measure.token_api import token_api
from modeler.replay import layout as m
from modeler.replay.histogram import RELATIVE_ERROR, quantiles
from modeler.replay.result import Result
from modeler.replay.run import Run
from modeler.scenario import assumptions, scenario_id
from modeler.scenario.serverless import Lambda, SageMakerServerless
from traces.describe import iso


@dataclass(frozen=True)
class Outcome:
    """The judgement of one run. Fields are the columns of a sweep; see ``columns.csv``."""

    scenario_id: str
    size_bytes: int
    instance_type: str
    region: str
    policy: str
    slots: int
    target: float | None
    service: str
    client_timeout_s: float | None
    requests: int
    served: int
    rejected: int
    timed_out: int
    lost: int
    duration_s: float
    start: str | None
    usd_total: float
    usd_per_hour: float
    usd_per_1k_requests: float | None
    sla_violation_share: float
    meets_sla: bool
    sla: dict[str, Any]
    violations_by_cause: dict[str, int]
    breaches: dict[str, int]
    breach_to_ready_s: dict[str, Any]
    decision_to_ready_s: dict[str, Any]
    latency_s: dict[str, Any]
    wait_s: dict[str, Any]
    first_token_s: dict[str, Any] | None
    time_per_output_token_s: dict[str, Any] | None
    replicas: dict[str, Any]
    instances: dict[str, Any] | None
    environments: dict[str, Any] | None
    utilisation: float
    usd_by_phase: dict[str, float]
    cost_lines: tuple[CostLine, ...]
    prices: tuple[UnitPrice, ...]
    bounds: dict[str, Any]
    token_api: dict[str, Any] | None
    notes: tuple[str, ...]
    assumptions: tuple[dict[str, Any], ...]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """A row of the sweep: plain values in a fixed order."""
        row = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        row["cost_lines"] = [line.to_dict() for line in self.cost_lines]
        row["prices"] = [price.to_dict() for price in self.prices]
        row["assumptions"] = list(self.assumptions)
        row["notes"] = list(self.notes)
        row["status"] = "ok"
        row["error"] = None
        return row


def judge(run: Run, *, price: UnitPrice | None = None) -> Outcome:
    """Judge a run.

    Parameters
    ----------
    run : Run.
    price : UnitPrice, optional. Looked up for the scenario when not given.

    Raises
    ------
    pricing.PricingError : no price is held for the scenario's instance.
    """
    price = price if price is not None else unit_price(run.scenario)
    scenario, result = run.scenario, run.result
    lines = cost_lines(scenario, price, result, run.layer)
    usd = total_usd(lines)
    violations = sum(result.causes.values())
    share = violations / result.requests
    return Outcome(
        scenario_id=scenario_id(scenario),
        size_bytes=scenario.model.size,
        instance_type=scenario.hosting.instance,
        region=scenario.hosting.region,
        policy=" + ".join(policy.kind for policy in scenario.in_force),
        slots=run.limits.slots,
        target=run.policy.target,
        service=run.service.describe(),
        client_timeout_s=_finite(run.limits.client_timeout_s),
        requests=result.requests,
        served=result.served,
        rejected=result.rejected,
        timed_out=result.timed_out,
        lost=result.lost,
        duration_s=result.end_s,
        start=iso(run.trace.t0_ns) if run.trace.t0_is_absolute else None,
        usd_total=usd,
        usd_per_hour=usd / (result.end_s / pricing.SECONDS_PER_HOUR) if result.end_s else 0.0,
        usd_per_1k_requests=1000.0 * usd / result.requests if result.requests else None,
        sla_violation_share=share,
        meets_sla=share <= scenario.sla.max_violation_share,
        sla={
            "metric": scenario.sla.metric,
            "threshold_s": run.limits.threshold_s,
            "max_violation_share": scenario.sla.max_violation_share,
        },
        violations_by_cause=dict(result.causes),
        breaches={
            "measured": len(result.breaches),
            "self_cleared": result.self_cleared,
            "censored": result.censored,
        },
        breach_to_ready_s=lag.breach_to_ready(result, run.cold_start, run.layer),
        decision_to_ready_s=lag.decision_to_ready(result, run.cold_start),
        latency_s=_latency(result),
        wait_s=_wait(result),
        first_token_s=None if result.first is None else _quantiles(result.first),
        time_per_output_token_s=None if result.between is None else _quantiles(result.between),
        replicas=_replicas(result),
        instances=None if run.layer is None else instances.summary(run.layer, result),
        environments=None if result.environments is None else metered.summary(result),
        utilisation=_utilisation(result),
        usd_by_phase=usd_by_phase(lines),
        cost_lines=lines,
        prices=(price,) if run.layer is None else prices_of(run.layer, price),
        bounds=_bounds(run, price),
        token_api=token_api(run),
        notes=(*run.policy.notes, *run.service.notes),
        assumptions=_assumptions(run),
        seed=scenario.seed,
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _quantiles(counts: Any) -> dict[str, Any]:
    """Percentiles; None of a histogram that is empty. [s]"""
    shown = {f"p{round(q * 100)}": q for q in (0.5, 0.95, 0.99)}
    if not counts.any():
        return {**dict.fromkeys(shown), "relative_error": RELATIVE_ERROR}
    row = dict(zip(shown, quantiles(counts, list(shown.values())), strict=True))
    return {**row, "relative_error": RELATIVE_ERROR}


def _latency(result: Result) -> dict[str, Any]:
    """Arrival to finish of served requests. [s]"""
    mean = result.served_sum_s / result.served if result.served else None
    return {"mean": mean, **_quantiles(result.latency)}


def _wait(result: Result) -> dict[str, Any]:
    """Arrival to start of served requests; those that did not wait count as zero. [s]"""
    waited = int(result.wait.sum())
    counts = result.wait.copy()
    counts[0] += result.served - waited
    mean = result.wait_sum_s / result.served if result.served else None
    share = waited / result.served if result.served else None
    return {"mean": mean, **_quantiles(counts), "share_waited": share}


def _replicas(result: Result) -> dict[str, Any]:
    table = result.replicas
    ready = np.minimum(table[:, m.READY_S], result.end_s)
    out = np.minimum(table[:, m.DRAIN_S], table[:, m.STOP_S])
    held = np.maximum(out - ready, 0.0)
    return {
        "mean": float(held.sum() / result.end_s) if result.end_s else 0.0,
        "peak": most_at_once(ready, out, -m.INF, m.INF),
        "started": len(table) - result.initial,
        "decisions": sum(1 for d in result.decisions if d.from_replicas != d.to_replicas),
    }


def _utilisation(result: Result) -> float:
    """Busy slot-seconds over the slot-seconds of ready and draining replicas."""
    table = result.replicas
    ready = np.minimum(table[:, m.READY_S], result.end_s)
    up = np.maximum(table[:, m.STOP_S] - ready, 0.0).sum() * result.slots
    return float(result.busy_slot_s / up) if up > 0.0 else 0.0


# Of the last few services of some traffic: the policies of a sweep share theirs.
_walks: OrderedDict[tuple[Any, ...], Walk] = OrderedDict()
_WALKS = 16


def _walk(run: Run, bounds: tuple[int, int]) -> Walk:
    """The work on unlimited instant capacity, which no policy changes."""
    scenario = run.scenario
    key = (
        run.trace.content_hash, scenario.seed, scenario.hosting.instance, run.service.text,
        scenario.service.model_dump_json(), scenario.model.model_dump_json(),
        run.result.slots, *bounds,
    )  # fmt: skip
    found = _walks.get(key)
    if found is None:
        found = walked(run.work(), slots=run.result.slots, minimum=bounds[0], maximum=bounds[1])
        _walks[key] = found
        while len(_walks) > _WALKS:
            with suppress(KeyError):  # another thread was faster
                _walks.popitem(last=False)
    return found


def _bounds(run: Run, price: UnitPrice) -> dict[str, Any]:
    result, fleet, hosting = run.result, run.scenario.fleet, run.scenario.hosting
    bounds = (fleet.min, fleet.max)
    if isinstance(hosting, Lambda | SageMakerServerless):
        bounds = (0, hosting.cap)
    ideal = zero_wait(_walk(run, bounds), until_s=result.end_s)
    places, cheapest = 1, price.usd_per_hour
    work_s = result.busy_slot_s / result.slots
    if run.service.batching is not None:
        # Fuller batches take less for each request: the work of full ones, or what it took where
        # that was less.
        full_s = math.fsum(float(chunk.service_s.sum()) for chunk in run.work())
        work_s = min(work_s, full_s / result.slots)
    if run.layer is not None and result.ground is not None:
        # Nothing beats the work that was charged for, on the cheapest machines there were.
        places = result.ground.places
        work_s = instances.work_s(run.layer, result)
        cheapest = min(one.usd_per_hour for one in prices_of(run.layer, price))
    return {
        "work_bound": {
            "usd_total": pricing.cost_usd(work_s, cheapest),
            "replica_hours": work_s / pricing.SECONDS_PER_HOUR,
        },
        "zero_wait": {
            "usd_total": pricing.cost_usd(ideal.replica_s / places, price.usd_per_hour),
            "replica_hours": ideal.replica_s / pricing.SECONDS_PER_HOUR,
            "peak_replicas": ideal.peak_replicas,
        },
    }


def _assumptions(run: Run) -> tuple[dict[str, Any], ...]:
    """Every default in force with its origin and source, phase constants included."""
    rows = [
        {
            "path": setting.path,
            "value": setting.value,
            "unit": setting.unit,
            "origin": setting.origin,
            "source": setting.source,
        }
        for setting in assumptions(run.scenario)
    ]
    rows += [
        {
            "path": f"cold_start.{constant.name}",
            "value": constant.value,
            "unit": constant.unit,
            "origin": constant.origin,
            "source": constant.source,
        }
        for constant in run.cold_start.constants()
    ]
    return tuple(rows)
