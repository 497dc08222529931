"""What to buy in advance, of a finished run: the commitments at some discounts, and the advice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.replay.run import Run, run
from modeler.study.commit import OTHERWISE, PLANS, Commitment, Load, commitments, load_of
from modeler.study.commit_replicates import over_replicates
from modeler.study.intervals import LEAST_USD
from modeler.study.rated import at_factor

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Committed:
    """Commitments to the load of a run.

    Parameters
    ----------
    plan : str. A key of `modeler.study.commit.PLANS`.
    instance_type, region : str.
    load : Load. Billed instances, hour by hour.
    found : tuple of Commitment. One a discount, in the order asked.
    replicates : int. That intervals are of; 0 without.
    """

    plan: str
    instance_type: str
    region: str
    load: Load
    found: tuple[Commitment, ...]
    replicates: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``commit/1``."""
        return {
            "schema": "commit/1",
            "plan": self.plan,
            "instance_type": self.instance_type,
            "region": self.region,
            "usd_per_instance_hour": self.load.usd_per_hour,
            "hours": math.fsum(self.load.hours),
            "instance_hours": math.fsum(self.load.instance_hours),
            "replicates": self.replicates,
            "commitments": [one.to_dict() for one in self.found],
            "advice": self.sentence(),
        }

    def frame(self) -> pd.DataFrame:
        """One row a discount."""
        import pandas as pd

        return pd.DataFrame([one.to_dict() for one in self.found])

    def sentence(self) -> str:
        """The advice in words, of the discount that saves most."""
        best = max(self.found, key=lambda one: one.saved_usd)
        called = PLANS[self.plan][2]
        if best.saved_usd <= 0.0:
            return f"Buy no {called}: at these discounts the fleet breathes too much for one."
        percent = 100.0 * best.saved_usd / best.on_demand_usd
        several = "instance" if best.instances == 1.0 else "instances"
        hours = _hours(math.fsum(self.load.hours))
        return (
            f"Commit ${best.usd_per_hour:,.2f} an hour ({best.instances:.3g} {several}) of a "
            f"{called} at {100 * best.discount:g} % off: it saves {percent:.0f} % of the bill on "
            f"demand{_between(best)}, and {100 * best.used_share:.0f} % of it is used. "
            f"{_regret(best, hours)} These {hours} stand for the whole term, of a year or more."
        )

    def __repr__(self) -> str:
        return f"Committed at {len(self.found)} discounts: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _between(one: Commitment) -> str:
    """The interval of what it saves, as shares of the bill on demand."""
    if one.saved is None:
        return ""
    ends = (one.saved.low, one.saved.high)
    low, high = (f"{100.0 * usd / one.on_demand_usd:.0f}" for usd in ends)
    if low == high:
        return " (as much on other days like these)"
    sure = "" if one.saved.differs else ", not told apart from nothing"
    return f" (between {low} and {high} %{sure})"


def _regret(one: Commitment, hours: str) -> str:
    """What it loses should the traffic fall."""
    if one.regret_less_usd < LEAST_USD:
        return "Should the traffic fall by a fifth, it would still be the best."
    return (
        f"Should the traffic fall by a fifth, a smaller one would have been "
        f"${one.regret_less_usd:,.2f} cheaper over these {hours}."
    )


def _hours(hours: float) -> str:
    return "60 minutes" if 0.5 <= hours < 1.5 else f"{hours:,.0f} hours"


def commit(
    done: Run,
    discounts: Sequence[float],
    plan: str | None = None,
    *,
    replicates: int = 0,
    progress: Callable[[int], None] = lambda made: None,
) -> Committed:
    """Find the commitment that costs least at each discount.

    Parameters
    ----------
    done : Run. Such as `modeler.study.replay(SCENARIO).run`.
    discounts : sequence of float. Off the price on demand, each above 0 and below 1.
    plan : str, optional. By default the Savings Plan that covers the hosting.
    replicates : int. Of the traffic's days at most, for an interval about what each commitment
        saves; 0 for none.
    progress : called with the number of replicates that are done.

    Raises
    ------
    modeler.study.commit.CommitError
        Nothing is billed by the instance, the plan covers another service, or a discount that no
        plan gives.
    traces.TraceError
        Too little traffic for a fifth less of it, or to draw it again.

    Notes
    -----
    The run is replayed again with a fifth less and a fifth more of its traffic: what a fleet idles
    at does not fall with the traffic.
    """
    load, chosen = load_of(done, plan)
    hosting = done.scenario.hosting
    less, more = (_otherwise(done, factor, chosen) for factor in (1.0 - OTHERWISE, 1.0 + OTHERWISE))
    found, made = commitments(load, discounts, chosen, (less, more)), 0
    if replicates:
        hours = math.fsum(load.hours)
        found, made = over_replicates(done, chosen, found, hours, replicates, progress)
    return Committed(chosen, hosting.instance, hosting.region, load, found, made)


def _otherwise(done: Run, factor: float, plan: str) -> Load:
    """The load under so many times the traffic."""
    scenario = done.scenario
    other = run(scenario, at_factor(done.trace, factor, scenario.seed))
    return load_of(other, plan)[0]
