"""Rates of Savings Plans: none are shipped, `prices refresh` reads them."""

from dataclasses import dataclass
from decimal import Decimal

from pricing import tables
from pricing.places import region_code


@dataclass(frozen=True, slots=True)
class PlanRate:
    """What an hour costs under a plan.

    Attributes
    ----------
    plan : str. ``compute``, ``ec2_instance`` or ``sagemaker``.
    term_years : str. ``1`` or ``3``.
    payment : str. ``no_upfront``, ``partial_upfront`` or ``all_upfront``.
    usd_per_hour : Decimal. [USD/h]
    as_of, source : str. Day of the reading, and what was read.
    """

    plan: str
    term_years: str
    payment: str
    usd_per_hour: Decimal
    as_of: str
    source: str


def plan_rates(instance_type: str, region: str, plan: str) -> tuple[PlanRate, ...]:
    """The latest rate of each term and payment; none where none were read.

    Parameters
    ----------
    instance_type, region, plan : str.
    """
    code, texts = region_code(region), tables.sources()
    found: dict[tuple[str, str], PlanRate] = {}
    rows = [
        row
        for row in tables.read_rows("savings_plans.csv")
        if (row["region"], row["instance_type"], row["plan"]) == (code, instance_type, plan)
    ]
    for row in sorted(rows, key=lambda row: tables.last_day(row["as_of"])):
        found[row["term_years"], row["payment"]] = PlanRate(
            plan, row["term_years"], row["payment"], tables.positive(row["usd_per_hour"]),
            row["as_of"], texts[row["source_id"]],
        )  # fmt: skip
    return tuple(found[key] for key in sorted(found))
