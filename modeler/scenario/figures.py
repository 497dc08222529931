"""The figures of an outcome: every number in a row of a sweep, by its dotted name, with its unit.

Declared here, below the rooms that compute them, so that a gate can be refused before any replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

# Hours of a month, as bills by the month count them: 8,760 hours of a year over twelve.
HOURS_A_MONTH: Final = 730.0
SHARE: Final = "share"

# Phases of a cold start, those of single platforms included; a breach begins with its detection.
_PHASES: Final = (
    "provision", "boot", "device", "image_pull", "artifact_fetch", "load", "init", "register",
    "begun_again", "cold_start",
)  # fmt: skip
_CAUSES: Final = (
    "service_time", "queue_limit", "replica_cap", "cold_start", "decision", "lost_capacity",
)  # fmt: skip


class ShortName(NamedTuple):
    """Another name of a figure.

    Attributes
    ----------
    figure : str. The figure.
    factor : float. What it is multiplied by.
    unit : str. Of the product.
    """

    figure: str
    factor: float
    unit: str


def _of(prefix: str, names: str, unit: str) -> dict[str, str]:
    return dict.fromkeys((f"{prefix}.{name}" for name in names.split()), unit)


def _declared() -> Mapping[str, str]:
    found = {"size_bytes": "bytes", "slots": "requests", "target": "", "client_timeout_s": "s"}
    found |= dict.fromkeys(("requests", "served", "rejected", "timed_out", "lost"), "requests")
    found |= {"duration_s": "s", "usd_total": "USD", "usd_per_hour": "USD/h"}
    found |= {"usd_per_1k_requests": "USD", "sla_violation_share": SHARE}
    found |= {"sla.threshold_s": "s", "sla.max_violation_share": SHARE}
    found |= _of("violations_by_cause", " ".join(_CAUSES), "requests")
    found |= _of("breaches", "measured self_cleared censored", "breaches")
    found |= _of("breach_to_ready_s", "p50 p95", "s") | _of("breach_to_ready_s", "count", "")
    for phase in ("detect", "capacity", *_PHASES):
        found |= _of(f"breach_to_ready_s.phases.{phase}", "p50 p95", "s")
    found |= _of("decision_to_ready_s", "p50 p95 observed.p50 observed.p95", "s")
    found |= _of("decision_to_ready_s", "observed.count", "replicas")
    for phase in _PHASES:
        found |= _of(f"decision_to_ready_s.phases.{phase}", "p50 p95 starts_s", "s")
    for name in ("latency_s", "wait_s", "first_token_s", "time_per_output_token_s"):
        found |= _of(name, "mean p50 p95 p99" if name in _WITH_MEAN else "p50 p95 p99", "s")
        found |= _of(name, "relative_error", SHARE)
    found |= _of("wait_s", "share_waited", SHARE)
    found |= _of("replicas", "mean peak started", "replicas") | _of("replicas", "decisions", "")
    found |= _of("instances", "mean peak started reclaimed zone_lost failed_starts", "instances")
    found |= _of("instances", "places", "replicas")
    found |= _of("instances", "given_up lost_in_service", "requests")
    found |= _of("environments", "throttled_by_cap throttled_by_burst on_provisioned", "requests")
    found |= _of("environments", "cold peak mean_running mean_idle", "environments")
    found |= {"utilisation": SHARE}
    found |= _of("usd_by_phase", "booting serving idle draining rounding given_back", "USD")
    for name in ("work_bound", "zero_wait"):
        found |= _of(f"bounds.{name}", "usd_total", "USD")
        found |= _of(f"bounds.{name}", "replica_hours", "replica h")
    found |= _of("bounds.zero_wait", "peak_replicas", "replicas")
    found |= _of("token_api", "prompt_tokens output_tokens", "tokens")
    found |= _of("token_api", "prompt_usd_per_million output_usd_per_million", "USD")
    return found | {"token_api.usd_total": "USD", "token_api.usd_per_hour": "USD/h"}


_WITH_MEAN: Final = ("latency_s", "wait_s")
FIGURES: Final[Mapping[str, str]] = _declared()
SHORT_NAMES: Final[Mapping[str, ShortName]] = {
    **{p: ShortName(f"latency_s.{p}", 1.0, "s") for p in ("p50", "p95", "p99")},
    "misses": ShortName("sla_violation_share", 1.0, SHARE),
    "usd_per_month": ShortName("usd_per_hour", HOURS_A_MONTH, "USD/month"),
    "monthly_cost": ShortName("usd_per_hour", HOURS_A_MONTH, "USD/month"),
}


def figure_of(name: str) -> ShortName | None:
    """The figure that a name stands for; None for an unknown name.

    >>> figure_of("p99")
    ShortName(figure='latency_s.p99', factor=1.0, unit='s')
    """
    if name in FIGURES:
        return ShortName(name, 1.0, FIGURES[name])
    return SHORT_NAMES.get(name)


def known_figures() -> tuple[str, ...]:
    """Every name, the short ones first."""
    return (*SHORT_NAMES, *FIGURES)
