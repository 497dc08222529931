"""What to commit to: the instances worth buying in advance, against the load of a replay.

A commitment of n instances is paid every hour at the discounted rate, used or not; what an hour
needs above it is on demand. With p the price on demand, d the discount and L the instance-hours of
each hour,

    cost(n) = sum(n (1 - d) p + p max(L - n, 0))

is convex in n, and least where the share of hours that need more than n falls to 1 - d: the
newsvendor's quantile. Both kinds are applied within the hour, so that an hour's use counts
together: a reserved instance to 3,600 seconds of a clock hour, however many ran (AWS white paper
on reservation models, usage billing; read 2026-11), a Savings Plan to the spend of each hour up to
the commitment (Savings Plans user guide, sp-applying; read 2026-11). Hours are counted here from
the first second of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modeler.measure import unit_price
from modeler.measure.load import billed_load
from modeler.replay.run import Run
from modeler.study.intervals import Difference, ends_of

Floats = NDArray[np.float64]
# What each plan covers, and the most it is advertised to take off, whatever the instance, term and
# payment: EC2 72 %, Compute 66 % (of Fargate 52 %), SageMaker 64 % (secondary pages of 2026-02 to
# 2026-06, documented there as "up to"); reserved 72.1 %, observed of one type for three years paid
# in advance.
PLANS: Final = {
    "sagemaker": (("sagemaker",), 0.64, "SageMaker Savings Plan"),
    "compute": (("ec2", "fargate"), 0.66, "Compute Savings Plan"),
    "ec2_instance": (("ec2",), 0.72, "EC2 Instance Savings Plan"),
    "reserved": (("ec2",), 0.721, "reserved instances"),
}
WHOLE: Final = ("reserved",)
# How far the traffic may turn out otherwise: the regret of the commitment is told for both sides.
OTHERWISE: Final = 0.2


class CommitError(Exception):
    """A commitment that does not go with what runs; says why, and what would."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Commitment:
    """The best commitment at one discount.

    Parameters
    ----------
    discount : float. Off the price on demand. [1]
    instances : float. Committed to; whole of reserved instances.
    usd_per_hour : float. Committed spend, every hour. [USD/h]
    used_share : float. Of the committed hours. [1]
    covered_share : float. Of the load. [1]
    usd_total : float. Commitment and what is above it, over the run. [USD]
    on_demand_usd, saved_usd : float. Without any, and what the commitment saves. [USD]
    hindsight_usd : float. If every hour could have been committed by itself. [USD]
    regret_less_usd, regret_more_usd : float. Lost against the best commitment if the traffic is a
        fifth lower, or higher, than that of the run. [USD]
    saved : Difference or None. Interval of what it saves over as many hours, replicate by
        replicate of the traffic. [USD]
    """

    discount: float
    instances: float
    usd_per_hour: float
    used_share: float
    covered_share: float
    usd_total: float
    on_demand_usd: float
    saved_usd: float
    hindsight_usd: float
    regret_less_usd: float
    regret_more_usd: float
    saved: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = (field.name for field in fields(self) if field.name != "saved")
        plain = {name: getattr(self, name) for name in names}
        return {**plain, **ends_of("saved_usd", self.saved)}


@dataclass(frozen=True)
class Load:
    """The billed load of a run, by the hour.

    Parameters
    ----------
    hours, instance_hours : array of float. As `modeler.measure.load.billed_load` gives them.
    usd_per_hour : float. Of one instance on demand. [USD/h]
    """

    hours: Floats
    instance_hours: Floats
    usd_per_hour: float

    def cost_usd(self, instances: float, discount: float) -> float:
        """Commitment and what is above it. [USD]"""
        committed = instances * (1.0 - discount) * math.fsum(self.hours)
        above = np.maximum(self.instance_hours - instances * self.hours, 0.0)
        return self.usd_per_hour * (committed + math.fsum(above))

    def saved_usd(self, instances: float, discount: float) -> float:
        """What the commitment saves against none; below zero where it costs more. [USD]"""
        return self.cost_usd(0.0, discount) - self.cost_usd(instances, discount)

    def best(self, discount: float, *, whole: bool = False) -> float:
        """The number of instances to commit to that costs least; the fewest of equals.

        By the quantile rule: the level above which the need lies for a share 1 - discount of the
        hours. Of whole instances the better of its two neighbours, for the cost is convex.
        """
        level = self.instance_hours / self.hours
        order = np.argsort(level)[::-1]
        total = math.fsum(self.hours)
        above = np.cumsum(self.hours[order])
        # The first level, from above, down to which hours enough lie to pay for an instance.
        enough = np.flatnonzero(above >= (1.0 - discount) * total * (1.0 - 1e-12))
        found = float(level[order][enough[0]]) if enough.size else 0.0
        if not whole:
            return found
        return float(min((math.floor(found), math.ceil(found)), key=lambda n: (
            self.cost_usd(n, discount), n)))  # fmt: skip


def load_of(done: Run, plan: str | None = None, *, from_s: float = 0.0) -> tuple[Load, str]:
    """The load of a run and the plan that covers it.

    Parameters
    ----------
    done : Run.
    plan : str, optional. A key of `PLANS`; by default the widest that covers the hosting.
    from_s : float. What was billed earlier does not count. [s]

    Raises
    ------
    CommitError
        Nothing is billed by the instance, the purchase is spot, or the plan covers another service.
    """
    hosting = done.scenario.hosting
    if hosting.platform.per_request:
        raise CommitError(
            f"{hosting.kind} is billed by the request: no instance to commit to is in it"
        )
    price = unit_price(done.scenario)
    fitting = [name for name, (covered, _, _) in PLANS.items() if price.service in covered]
    if not fitting:
        raise CommitError(f"no commitment is held for {hosting.kind}: expected one of EC2, "
                          "Fargate or SageMaker")  # fmt: skip
    if price.purchase != "on-demand":
        raise CommitError(f"hosting.purchase is {price.purchase}, which no commitment covers")
    if plan is not None and plan not in fitting:
        raise CommitError(
            f"a {PLANS[plan][2]} does not cover {hosting.kind}: expected {' or '.join(fitting)}"
        )
    hours, load = billed_load(done, from_s=from_s)
    return Load(hours, load, price.usd_per_hour), plan or fitting[0]


def commitments(
    load: Load, discounts: Sequence[float], plan: str, otherwise: tuple[Load, Load]
) -> tuple[Commitment, ...]:
    """The best commitment at each discount, and what it would lose if the load is another.

    Parameters
    ----------
    load : Load. What is committed to.
    discounts : sequence of float. Off the price on demand.
    plan : str. A key of `PLANS`.
    otherwise : (Load, Load). Of the traffic a fifth lower, and higher: a fleet is never less than
        its minimum nor more than its maximum, so that its load is not the traffic's in proportion.

    Raises
    ------
    CommitError : a discount of nothing, or of more than the plan is advertised with.
    """
    _, most, called = PLANS[plan]
    for discount in discounts:
        if not 0.0 < discount <= most:
            raise CommitError(
                f"discount {100 * discount:g} %: expected above 0 and at most {100 * most:g} %, "
                f"the most that a {called} is advertised with"
            )
    whole = plan in WHOLE
    return tuple(_commitment(load, discount, otherwise, whole=whole) for discount in discounts)


def _commitment(
    load: Load, discount: float, otherwise: tuple[Load, Load], *, whole: bool
) -> Commitment:
    count = load.best(discount, whole=whole)
    total = math.fsum(load.instance_hours)
    committed = count * math.fsum(load.hours)
    used = math.fsum(np.minimum(load.instance_hours, count * load.hours))
    cost, plain = load.cost_usd(count, discount), load.cost_usd(0.0, discount)
    regrets = []
    for other in otherwise:
        least = other.cost_usd(other.best(discount, whole=whole), discount)
        regrets.append(other.cost_usd(count, discount) - least)
    return Commitment(
        discount=discount,
        instances=count,
        usd_per_hour=count * (1.0 - discount) * load.usd_per_hour,
        used_share=used / committed if committed else 1.0,
        covered_share=used / total if total else 0.0,
        usd_total=cost,
        on_demand_usd=plain,
        saved_usd=plain - cost,
        hindsight_usd=total * (1.0 - discount) * load.usd_per_hour,
        regret_less_usd=regrets[0],
        regret_more_usd=regrets[1],
    )
