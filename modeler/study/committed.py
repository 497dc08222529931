"""What to buy in advance, of a finished run: the commitments at some discounts, and the advice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.replay.run import Run
from modeler.study.commit import PLANS, Commitment, Load, commitments, load_of

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
    """

    plan: str
    instance_type: str
    region: str
    load: Load
    found: tuple[Commitment, ...]

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
        return (
            f"Commit ${best.usd_per_hour:,.2f} an hour ({best.instances:.3g} {several}) of a "
            f"{called} at {100 * best.discount:g} % off: it saves {percent:.0f} % of the bill on "
            f"demand, and {100 * best.used_share:.0f} % of it is used. Should the load fall by a "
            f"fifth, a smaller one would have been ${best.regret_less_usd:,.2f} cheaper over these "
            f"{_hours(math.fsum(self.load.hours))}."
        )

    def __repr__(self) -> str:
        return f"Committed at {len(self.found)} discounts: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _hours(hours: float) -> str:
    return "60 minutes" if 0.5 <= hours < 1.5 else f"{hours:,.0f} hours"


def commit(done: Run, discounts: Sequence[float], plan: str | None = None) -> Committed:
    """Find the commitment that costs least at each discount.

    Parameters
    ----------
    done : Run. Such as `modeler.study.replay(SCENARIO).run`.
    discounts : sequence of float. Off the price on demand, each above 0 and below 1.
    plan : str, optional. By default the Savings Plan that covers the hosting.

    Raises
    ------
    modeler.study.commit.CommitError
        Nothing is billed by the instance, the plan covers another service, or a discount that no
        plan gives.
    """
    load, chosen = load_of(done, plan)
    hosting = done.scenario.hosting
    found = commitments(load, discounts, chosen)
    return Committed(chosen, hosting.instance, hosting.region, load, found)
