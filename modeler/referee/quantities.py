"""What a case may ask of a queue: how it is counted in a replay and estimated from the counts.

A quantity turns one replication into a small vector of counts; vectors of several replications
add up, and the estimate is a function of the sum. So a ratio is a ratio of sums and a quantile one
of the merged histogram, and leaving one replication out is a subtraction.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np

from modeler.referee.laws import Deterministic
from modeler.referee.parameters import CaseError, Parameters, UnknownError
from modeler.referee.station import Station
from modeler.replay.histogram import quantile, share_above
from modeler.replay.simulate import Floats
from modeler.replay.totals import Totals

Collect = Callable[[Totals, Floats], Floats]
Estimate = Callable[[Floats], float]


@dataclass(frozen=True)
class Quantity:
    """One quantity of one case.

    Parameters
    ----------
    name : str. House name.
    collect : function of (totals of the measured part, occupancy) -> vector of counts. Occupancy
        counts the arrivals that found 0, 1, 2, .. requests; empty unless wanted.
    estimate : function of a sum of such vectors -> value.
    kind : str. ``mean``, ``probability``, ``quantile`` or ``integer``.
    level : float. Of a quantile: 0.99 for p99. [-]
    occupancy : str. What arrivals found that is to be counted: requests in the ``system``, or those
        in service, ``busy``; empty when it plays no part.
    """

    name: str
    collect: Collect
    estimate: Estimate
    kind: str = "mean"
    level: float = 0.0
    occupancy: str = ""


def ratio(*, of: Callable[[Totals], float], per: Callable[[Totals], float]) -> Collect:
    """Two counts of a replication, for `divide`: a ratio of sums over all of them."""
    return lambda w, _: np.array([of(w), per(w)], dtype=np.float64)


def divide(counts: Floats) -> float:
    """First count over the second; NaN when there is none of the second."""
    return float(counts[0] / counts[1]) if counts[1] > 0 else float("nan")


def _accepted(w: Totals) -> float:
    return w.requests - w.rejected


_RATIOS: Final[dict[str, tuple[str, Callable[[Totals], float], Callable[[Totals], float]]]] = {
    "mean_wait": ("mean", lambda w: w.wait_sum_s, lambda w: w.served),
    "mean_wait_of_waiting": ("mean", lambda w: w.wait_sum_s, lambda w: w.waited),
    "mean_response_time": (
        "mean", lambda w: w.wait_sum_s + w.started_service_s, lambda w: w.served,
    ),
    "mean_service": ("mean", lambda w: w.started_service_s, lambda w: w.served),
    "mean_queue_length": ("mean", lambda w: w.queued_request_s, lambda w: w.time_s),
    "mean_in_system": (
        "mean", lambda w: w.queued_request_s + w.busy_slot_s, lambda w: w.time_s,
    ),
    "mean_busy": ("mean", lambda w: w.busy_slot_s, lambda w: w.time_s),
    "throughput": ("mean", _accepted, lambda w: w.time_s),
    "loss_rate": ("mean", lambda w: w.rejected, lambda w: w.time_s),
    "p_wait": ("probability", lambda w: w.waited, lambda w: w.served),
    "loss_probability": ("probability", lambda w: w.rejected, lambda w: w.requests),
    "accepted_share": ("probability", _accepted, lambda w: w.requests),
}  # fmt: skip

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "mean_wait": ("wq", "mean_waiting_time", "mean_queue_wait", "mean_wait_time", "mean_delay",
                  "mean_queueing_delay", "mean_queueing_time", "mean_time_in_queue"),
    "mean_wait_of_waiting": ("mean_wait_given_wait", "mean_wait_delayed", "mean_wait_conditional",
                             "mean_conditional_wait", "mean_wait_if_waiting"),
    "mean_response_time": ("w", "mean_response", "mean_sojourn_time", "mean_time_in_system",
                           "mean_latency", "mean_sojourn"),
    "mean_queue_length": ("lq", "mean_queue", "mean_number_waiting", "mean_waiting",
                          "mean_in_queue", "mean_number_in_queue", "mean_queued"),
    "mean_in_system": ("l", "mean_number_in_system", "mean_jobs", "mean_number", "mean_requests",
                       "mean_system_size", "mean_customers", "mean_jobs_in_system",
                       "mean_requests_in_system"),
    "mean_busy": ("mean_busy_servers", "mean_busy_instances", "mean_busy_slots", "carried_load",
                  "mean_number_busy", "mean_in_service", "carried_traffic", "mean_busy_replicas",
                  "mean_instances_busy"),
    "utilisation": ("utilization", "server_utilisation", "server_utilization", "mean_utilisation",
                    "mean_utilization", "busy_fraction", "fraction_busy", "rho"),
    "throughput": ("effective_arrival_rate", "accepted_rate", "carried_rate", "departure_rate",
                   "accepted_arrival_rate", "mean_throughput"),
    "loss_rate": ("rejection_rate", "blocking_rate", "blocked_rate"),
    "p_wait": ("probability_of_waiting", "wait_probability", "prob_wait", "erlang_c",
               "probability_of_wait", "p_waits", "waiting_probability", "p_delay", "pw",
               "delay_probability", "probability_wait", "p_wait_positive", "p_queue",
               "p_wait_exceeds_0", "probability_of_delay", "prob_of_wait",
               "prob_of_waiting", "fraction_waiting", "fraction_delayed"),
    "loss_probability": ("blocking_probability", "reject_probability", "p_loss", "p_block",
                         "p_reject", "rejection_probability", "p_blocking", "erlang_b",
                         "probability_of_loss", "probability_of_blocking", "drop_probability",
                         "p_full", "p_lost", "fraction_lost", "fraction_blocked",
                         "fraction_rejected", "loss_fraction"),
    "accepted_share": ("acceptance_probability", "p_accepted", "accept_probability"),
    "p_empty": ("p0", "p_0", "p_idle", "probability_empty", "idle_probability", "empty_probability",
                "fraction_idle", "p_system_empty"),
    "p_n_in_system": ("p_n", "p_in_system_n", "p_in_system_equals_n", "p_n_jobs", "p_n_busy",
                      "p_busy_n", "p_busy_equals_n"),
    "p_in_system_exceeds_n": ("p_busy_exceeds_n", "p_jobs_exceed_n"),
    "p_in_system_le_n": ("p_busy_le_n",),
    "variance_in_system": ("variance_busy", "var_busy", "variance_busy_instances", "var_in_system",
                           "variance_busy_servers", "variance_of_busy", "variance_number_busy",
                           "variance_number_in_system"),
    "p_wait_exceeds_t": ("p_wait_gt_t", "prob_wait_exceeds_t", "p_wait_above_t"),
    "p_wait_le_t": ("p_wait_within_t", "p_wait_at_most_t", "service_level", "wait_cdf"),
    "p_response_exceeds_t": ("p_response_time_exceeds_t", "p_response_time_gt_t",
                             "p_response_gt_t", "p_sojourn_exceeds_t"),
    "p_response_le_t": ("p_response_time_le_t", "p_response_within_t", "p_sojourn_le_t"),
}  # fmt: skip
_OCCUPANCY: Final = ("p_empty", "p_n_in_system", "p_in_system_exceeds_n", "p_in_system_le_n")
_BY_ALIAS: Final = {
    alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)
} | {name: name for name in _RATIOS}
_QUANTILE: Final = re.compile(
    r"(?:p(?P<digits>\d{1,5})|(?P<median>median))_"
    r"(?P<of>wait(?:ing)?(?:_time)?|response(?:_time)?|sojourn(?:_time)?|latency|"
    r"time_in_system|in_system|busy(?:_instances|_servers|_slots)?)$"
)
NAMES: Final = (*sorted(set(_BY_ALIAS.values())), "pNN_wait", "pNN_response_time", "pNN_in_system")


def quantity(name: str, queue: Station, params: Parameters) -> Quantity:
    """The quantity a case asks for.

    Parameters
    ----------
    name : str. As the case has it, in any of its usual spellings.

    Raises
    ------
    CaseError
        Unknown; names what is known and the nearest.
    """
    plain = canonical(name)
    counted = occupancy_quantity(plain, params)
    if counted is not None:
        return counted
    asked = _QUANTILE.match(plain)
    if asked:
        return _quantile(asked, queue)
    found = house_name(plain)
    if found in _RATIOS:
        kind, of, per = _RATIOS[found]
        return Quantity(found, ratio(of=of, per=per), divide, kind)
    if found == "utilisation":
        servers = queue.servers
        return Quantity(
            found, ratio(of=lambda w: w.busy_slot_s / servers, per=lambda w: w.time_s), divide
        )
    if found in ("p_wait_exceeds_t", "p_wait_le_t", "p_response_exceeds_t", "p_response_le_t"):
        return _tail(found, params.need("t"), queue)
    near = get_close_matches(plain, [*_BY_ALIAS, *NAMES], n=1, cutoff=0.4)
    hint = f"nearest {near[0]!r}; " if near else ""
    raise UnknownError(f"unknown quantity {name!r}: {hint}known are {', '.join(NAMES)}")


def house_name(plain: str) -> str | None:
    """The house name of a quantity in its usual spellings; None for a quantile or one unknown."""
    return _BY_ALIAS.get(plain)


def occupancy_quantity(plain: str, params: Parameters) -> Quantity | None:
    """What can be told from how many were found in the system, or in service; None for others."""
    what = "busy" if "_busy" in plain else "system"
    asked = _QUANTILE.match(plain)
    if asked and asked["of"].startswith(("in_system", "busy")):
        return _occupancy_quantile(f"p{asked['digits'] or '50'}_{what}", _level(asked), what)
    found = house_name(plain)
    if found == "variance_in_system":
        return Quantity(found, _moments, _variance, occupancy=what)
    if found not in _OCCUPANCY:
        return None
    n = 0.0 if found == "p_empty" else params.need("n")
    if n != int(n) or n < 0.0:
        raise CaseError(f"params.n: found {n:g}, expected a whole number of at least 0")
    return _occupancy_share(found, int(n), what)


def canonical(name: str) -> str:
    """A quantity's name without what does not change it: case, unit, "of those accepted"."""
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    plain = re.sub(r"^(?:average|avg|expected)_", "mean_", plain)
    plain = re.sub(r"_(?:accepted|of_accepted|of_admitted|admitted)$", "", plain)
    plain = re.sub(r"_(?:s|rps|requests|seconds)$", "", plain)
    return re.sub(r"_(?:accepted|admitted)$", "", plain)


def _tail(name: str, t: float, queue: Station) -> Quantity:
    """Share of waits, or responses, above or up to `t`."""
    response = name.startswith("p_response")
    if response and isinstance(queue.service, Deterministic):
        # A response has an atom where its wait is zero, which a histogram would smear.
        response, t = False, t - queue.service.mean

    def collect(w: Totals, _: Floats) -> Floats:
        if t < 0.0:
            above = float(w.served)
        elif response:
            above = share_above(w.latency, t) * w.served
        elif w.waited == 0:
            above = 0.0
        else:
            above = share_above(w.wait, t) * float(w.wait.sum())
        counted = above if name.endswith("exceeds_t") else w.served - above
        return np.array([counted, w.served], dtype=np.float64)

    return Quantity(name, collect, divide, "probability")


def _level(asked: re.Match[str]) -> float:
    """0.99 for p99, 0.999 for p999. [-]"""
    digits = asked["digits"]
    level = 0.5 if digits is None else int(digits) / 10 ** max(len(digits), 2)
    if not 0.0 < level < 1.0:
        raise CaseError(f"p{digits}: expected p1 to p99999 (p999 is 99.9 %)")
    return level


def _quantile(asked: re.Match[str], queue: Station) -> Quantity:
    level = _level(asked)
    shift = 0.0
    response = not asked["of"].startswith("wait")
    name = f"p{asked['digits'] or '50'}_{'response_time' if response else 'wait'}"
    if response and isinstance(queue.service, Deterministic):
        response, shift = False, queue.service.mean

    def collect(w: Totals, _: Floats) -> Floats:
        counts = (w.latency if response else w.wait).astype(np.float64)
        if not response:
            counts[0] += w.served - w.waited  # bucket 0 is zero: those that did not wait
        return counts

    def estimate(counts: Floats) -> float:
        return shift + quantile(np.rint(counts).astype(np.int64), level)

    return Quantity(name, collect, estimate, "quantile", level)


def _occupancy_share(name: str, n: int, what: str) -> Quantity:
    """Share of arrivals that find so many: for Poisson arrivals, of time as well."""

    def collect(_: Totals, found: Floats) -> Floats:
        if name.endswith("exceeds_n"):
            counted = found[n + 1 :].sum()
        elif name.endswith("le_n"):
            counted = found[: n + 1].sum()
        else:
            counted = found[n : n + 1].sum()
        return np.array([counted, found.sum()], dtype=np.float64)

    return Quantity(name, collect, divide, "probability", occupancy=what)


def _occupancy_quantile(name: str, level: float, what: str) -> Quantity:
    """Smallest number that at most a share of 1 - `level` of the arrivals find exceeded."""

    def estimate(found: Floats) -> float:
        shares = np.cumsum(found) / found.sum()
        return float(np.searchsorted(shares, level, side="left"))

    return Quantity(name, lambda _, found: found, estimate, "integer", level, occupancy=what)


def _moments(_: Totals, found: Floats) -> Floats:
    n = np.arange(len(found), dtype=np.float64)
    return np.array([found @ np.square(n), found @ n, found.sum()])


def _variance(sums: Floats) -> float:
    return float(sums[0] / sums[2] - (sums[1] / sums[2]) ** 2)
