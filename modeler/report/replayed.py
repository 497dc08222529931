"""One replay as text: summary, decisions, and where the time of a cold start goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from modeler.report import numbers

_BAR = 40  # characters of the longest bar
# What a policy of AWS measures, by the scenario's ``policy.metric``.
_UNITS: Final = {
    "invocations_per_instance": "requests per instance and minute",
    "concurrency_high_resolution": "requests in flight and queued per instance",
    "cpu_utilisation": "CPU utilisation in percent",
    "gpu_utilisation": "GPU utilisation in percent",
    "backlog_per_instance": "requests queued or in progress per instance",
    "queue_per_instance": "requests queued per instance",
    "provisioned_concurrency_utilisation": "share of provisioned concurrency in use",
    "has_backlog_without_capacity": "1 while requests wait without an instance",
    "no_capacity_invocation_failures": "requests failed for want of capacity",
}


def replay_text(result: Mapping[str, Any], *, metric: str | None = None) -> str:
    """A replay for a terminal, a pipe or a log.

    Parameters
    ----------
    result : mapping. A replay as `Replay.to_dict` gives it, schema ``replay/1``.
    metric : str, optional. The scenario's ``policy.metric``, for the unit of the target; none
        for a policy without one.
    """
    outcome = result["outcome"]
    unit = _UNITS.get(metric, metric) if metric is not None else ""
    parts = [
        *_summary(outcome, unit),
        "",
        *_decisions(result["decisions"], unit),
        "",
        *_waterfall(outcome["decision_to_ready_s"]["phases"]),
    ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _summary(outcome: Mapping[str, Any], unit: str) -> Iterable[str]:
    latency, breach = outcome["latency_s"], outcome["breach_to_ready_s"]
    lag = outcome["decision_to_ready_s"]
    added = lag["observed"]["count"]
    causes = {name: n for name, n in outcome["violations_by_cause"].items() if n}
    price = outcome["prices"][0]
    rows = [
        (
            "model",
            f"{numbers.size(outcome['size_bytes'])} on {outcome['instance_type']}, "
            f"{outcome['region']}",
        ),
        ("policy", _policy(outcome, unit)),
        (
            "cost",
            f"{numbers.dollars(outcome['usd_total'])} in {numbers.duration(outcome['duration_s'])}"
            f" ({numbers.dollars(outcome['usd_per_hour'])} an hour)",
        ),
        *(
            (f"  {line['component']}", numbers.dollars(line["amount_usd"]))
            for line in outcome["cost_lines"]
        ),
        (
            "price",
            f"{numbers.unit_price(price['usd_per_hour'])} an hour, {price['confidence']}, "
            f"{price['as_of'] or 'undated'}: {price['source']}",
        ),
        (
            "requests",
            f"{outcome['requests']:,}: {outcome['served']:,} served, "
            f"{outcome['rejected']:,} rejected, {outcome['timed_out']:,} timed out, "
            f"{outcome['lost']:,} lost",
        ),
        (
            "missed",
            f"{numbers.percent(outcome['sla_violation_share'])} over "
            f"{numbers.duration(outcome['sla']['threshold_s'])}"
            + (f" ({', '.join(f'{k} {v:,}' for k, v in causes.items())})" if causes else ""),
        ),
        (
            "latency",
            f"p50 {numbers.duration(latency['p50'])}, p95 {numbers.duration(latency['p95'])}, "
            f"p99 {numbers.duration(latency['p99'])}",
        ),
        *_tokens(outcome),
        (
            "breach to ready",
            f"p50 {numbers.duration(breach['p50'])}, p95 {numbers.duration(breach['p95'])} over "
            f"{outcome['breaches']['measured']:,} measured; "
            f"{outcome['breaches']['self_cleared']:,} self-cleared, "
            f"{outcome['breaches']['censored']:,} censored",
        ),
        (
            "decision to ready",
            f"p50 {numbers.duration(lag['p50'])}, p95 {numbers.duration(lag['p95'])}; "
            f"{_several(added, 'replica')} {'was' if added == 1 else 'were'} added",
        ),
        (
            "bounds",
            f"work_bound {numbers.dollars(outcome['bounds']['work_bound']['usd_total'])}, "
            f"zero_wait {numbers.dollars(outcome['bounds']['zero_wait']['usd_total'])}",
        ),
    ]
    if outcome["token_api"] is not None:
        rows.append(("token API", numbers.token_api(outcome["token_api"])))
    if outcome["environments"] is not None:
        rows.append(("environments", _environments(outcome)))
    if outcome["instances"] is not None:
        rows.append(("instances", _instances(outcome["instances"])))
    rows += [("note", note) for note in outcome["notes"]]
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {text}" for name, text in rows]


def _tokens(outcome: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """First token and time per output token, where they are known."""
    for name, column in (
        ("first token", "first_token_s"),
        ("per output token", "time_per_output_token_s"),
    ):
        row = outcome[column]
        if row is not None and row["p50"] is not None:
            p50, p95, p99 = (numbers.duration(row[q]) for q in ("p50", "p95", "p99"))
            yield name, f"p50 {p50}, p95 {p95}, p99 {p99}"


def _policy(outcome: Mapping[str, Any], unit: str) -> str:
    target = outcome["target"]
    fleet = outcome["replicas"]
    text = f"{outcome['policy']}, {_several(outcome['slots'], 'slot')} a replica"
    if target is not None:
        text += f", target {target:.4g} {unit}".rstrip()
    return f"{text}; {fleet['mean']:.2f} replicas on average, {fleet['peak']} at most"


def _environments(outcome: Mapping[str, Any]) -> str:
    """Cold starts, what was throttled and why, what was provisioned."""
    counts = outcome["environments"]
    served = max(outcome["requests"] - outcome["rejected"], 1)
    text = (
        f"{_several(counts['cold'], 'cold start')} ({numbers.percent(counts['cold'] / served)} of "
        f"what was not throttled), {counts['peak']:,} at most"
    )
    for name, words in (
        ("throttled_by_cap", "throttled by the cap"),
        ("throttled_by_burst", "throttled by the burst rate"),
        ("on_provisioned", "served by provisioned ones"),
    ):
        text += f", {counts[name]:,} {words}" if counts[name] else ""
    return text


def _instances(counts: Mapping[str, Any]) -> str:
    """Machines beneath the replicas, and what the weather did to them."""
    layer = "" if counts["layer"] == "none" else f" ({counts['layer']})"
    text = (
        f"{counts['mean']:.2f} on average{layer}, {counts['peak']} at most, "
        f"{counts['started']:,} started"
    )
    for name, words in (
        ("reclaimed", "reclaimed"),
        ("zone_lost", "lost with their zone"),
        ("failed_starts", "starts failed"),
        ("given_up", "given up"),
        ("lost_in_service", "requests lost in service"),
    ):
        text += f", {counts[name]:,} {words}" if counts[name] else ""
    laws = {name: n for name, n in counts["laws"].items() if n}
    if len(laws) > 1:
        text += "; started from: " + ", ".join(f"{name} {n:,}" for name, n in laws.items())
    return text


def _several(count: int, what: str) -> str:
    """``1 slot``, ``2,000 slots``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _decisions(decisions: Sequence[Mapping[str, Any]], unit: str) -> Iterable[str]:
    if not decisions:
        return ["no decisions"]
    head = ("decided at", "from", "to", "metric", "ready at", "released at", "reason")
    rows = [
        (
            f"{row['time_s']:.1f} s",
            str(row["from_replicas"]),
            str(row["to_replicas"]),
            f"{row['metric']:.4g}",
            _at(row["ready_s"]),
            _at(row["released_s"]),
            row["reason"] + (f" x {row['repeats']}" if row["repeats"] > 1 else ""),
        )
        for row in decisions
    ]
    widths = [max(len(line[k]) for line in (head, *rows)) for k in range(len(head))]
    return [
        "decisions" + (f" (metric: {unit})" if unit else ""),
        *(
            "  ".join(
                text.rjust(width) if k < len(head) - 1 else text
                for k, (text, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in (head, *rows)
        ),
    ]


def _at(time_s: float | None) -> str:
    return "-" if time_s is None else f"{time_s:.1f} s"


def _waterfall(phases: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """A bar a phase, where it lies between decision and ready."""
    end = max((p["starts_s"] + p["p50"] for p in phases.values()), default=0.0)
    scale = _BAR / end if end > 0.0 else 0.0
    width = max((len(name) for name in phases), default=0)
    lines = ["decision to ready, phase by phase (median)"]
    for name, phase in phases.items():
        before = round(phase["starts_s"] * scale)
        bar = "#" * max(round(phase["p50"] * scale), 1 if phase["p50"] > 0.0 else 0)
        lines.append(f"  {name:<{width}}  {phase['p50']:7.1f} s  {' ' * before}{bar}")
    return lines
