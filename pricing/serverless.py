"""What AWS meters per request: Lambda and SageMaker Serverless Inference.

Duration is metered in GB-seconds, a GB being 1,024 MB of configured memory, in steps of a
millisecond (AWS Lambda pricing; SageMaker pricing). Monthly tiers and the free tier (one million
requests and 400,000 GB-seconds of Lambda a month) are left out: prices are those of the first
tier. No price of SageMaker's provisioned concurrency is held.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pricing import tables
from pricing.errors import InvalidArgument, PriceNotFound, UnknownRegion
from pricing.lookup import regions

# Provisioned concurrency is charged from enabling to disabling, rounded up to 5 minutes (AWS
# Lambda pricing). [s]
PROVISIONED_STEP_S = 300
# A cached snapshot is charged for at least three hours (AWS Lambda pricing, SnapStart). [s]
SNAPSTART_LEAST_S = 10_800
# Ephemeral storage that every environment has free of charge (AWS Lambda pricing). [MB]
EPHEMERAL_FREE_MB = 512
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class ServerlessPrice:
    """One unit price.

    Attributes
    ----------
    service : str. ``lambda`` or ``sagemaker_serverless``.
    item : str. What is metered, as in the table.
    region : str. AWS region code.
    usd : Decimal. [USD a unit]
    as_of : str. Date of the reading.
    source : str. Where it was read.
    """

    service: str
    item: str
    region: str
    usd: Decimal
    as_of: str
    source: str


def serverless_price(
    service: str, item: str, region: str, *, as_of: str | None = None
) -> ServerlessPrice:
    """The dated price of one unit of what is metered per request.

    Parameters
    ----------
    service : str. ``lambda`` or ``sagemaker_serverless``.
    item : str. Such as ``gb_second_x86``, ``request`` or ``second_2048``.
    region : str. AWS region code.
    as_of : str, optional. Latest date of the reading, YYYY-MM-DD.

    Raises
    ------
    InvalidArgument
        No such service or item.
    UnknownRegion
        No table knows the region.
    PriceNotFound
        Known, and yet no price is held; names the regions that have one.

    >>> found = serverless_price("lambda", "gb_second_x86", "us-east-1")
    >>> found.usd, found.as_of
    (Decimal('0.0000166667'), '2025-06-05')
    """
    table = _table()
    services = sorted({known for known, _ in table})
    if service not in services:
        raise InvalidArgument("service", service, f"one of {', '.join(services)}")
    priced = table.get((service, item))
    if priced is None:
        items = sorted(name for known, name in table if known == service)
        raise InvalidArgument("item", item, f"one of {', '.join(items)}")
    if region not in priced:
        known = set(regions())
        if region not in known:
            raise UnknownRegion(region, tables.nearest(region, known))
        raise PriceNotFound(f"{service} {item}", region, "on-demand", regions=sorted(priced))
    found = priced[region]
    if as_of is not None and tables.last_day(found.as_of) > as_of:
        raise PriceNotFound(
            f"{service} {item}", region, "on-demand", reason=f"the earliest held is {found.as_of}"
        )
    return found


def billed_provisioned_seconds(held_s: float) -> float:
    """Seconds on the bill for one provisioned environment held for a while. [s]

    >>> billed_provisioned_seconds(301.0), billed_provisioned_seconds(0.0)
    (600.0, 0.0)
    """
    return float(math.ceil(held_s / PROVISIONED_STEP_S) * PROVISIONED_STEP_S)


@lru_cache(maxsize=1)
def _table() -> dict[tuple[str, str], dict[str, ServerlessPrice]]:
    """Prices by service and item, then by region."""
    texts = tables.sources()
    found: dict[tuple[str, str], dict[str, ServerlessPrice]] = {}
    for row in tables.read_rows("serverless.csv"):
        found.setdefault((row["service"], row["item"]), {})[row["region"]] = ServerlessPrice(
            row["service"],
            row["item"],
            row["region"],
            tables.decimal_usd(row["usd"]),
            row["as_of"],
            texts[row["source_id"]],
        )
    return found
