"""The names that the tables know: regions and instance types."""

from collections.abc import Collection

from pricing import tables
from pricing.errors import UnknownRegion


def regions() -> tuple[str, ...]:
    """Every region that holds a price, in order of name."""
    held = tables.ec2_on_demand().held() | tables.ec2_on_demand_cny().held()
    return tuple(sorted({region for region, _ in held}))


def instance_types(region: str | None = None) -> tuple[str, ...]:
    """Every known instance type, or those with a quoted on-demand price in one region.

    Parameters
    ----------
    region : str, optional. By default all known types, priced or not.

    Raises
    ------
    UnknownRegion
        The nearest are named.
    """
    if region is None:
        return tuple(sorted(tables.ec2_types() | tables.sagemaker_types()))
    check_region(region)
    keys = (
        *tables.ec2_on_demand().held(),
        *tables.ec2_on_demand_cny().held(),
        *tables.sagemaker_hosting(),
    )
    return tuple(sorted(kind for where, kind in keys if where == region))


def check_region(region: str, provider: str = "aws") -> None:
    """Refuse a region that no table of the provider knows.

    Raises
    ------
    UnknownRegion
        The nearest are named.
    """
    known: Collection[str] = {*regions(), *tables.region_names()}
    if provider != "aws":
        known = {
            where
            for where, kind in tables.cloud_on_demand().held()
            if kind.startswith("Standard_") == (provider == "azure")
        }
    if region not in known:
        raise UnknownRegion(region, tables.nearest(region, known))
