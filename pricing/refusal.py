"""Why a name has no price: it is unknown, or known and unpriced; and what comes nearest."""

from collections.abc import Collection, Sequence
from itertools import takewhile

from pricing import tables
from pricing.errors import PriceNotFound, UnknownInstance, UnknownRegion
from pricing.names import check_region
from pricing.query import Query
from pricing.tables import PriceRow


def why_not(query: Query, held: Sequence[PriceRow], *, derivable: bool) -> Exception:
    """Unknown, or known and without a price: the error that says which.

    Parameters
    ----------
    query : Query.
    held : sequence of PriceRow. Every reading of the type in the region, of whatever day.
    derivable : bool. Whether an estimate is to be had.
    """
    known = _types_of(query)
    if query.instance_type not in known:
        everything = tables.sagemaker_types() | tables.ec2_types() | tables.cloud_types()
        return UnknownInstance(
            query.instance_type,
            tables.nearest(query.instance_type, known)
            or tables.nearest(query.instance_type, everything),
        )
    try:
        check_region(query.region, query.provider)
    except UnknownRegion as error:
        return error
    too_early = _too_early(query, held)
    if too_early:
        return PriceNotFound(*query.named, derivable=derivable, reason=too_early)
    priced = _priced_keys(query)
    unsold = {
        "sagemaker": "SageMaker hosting is not sold as spot",
        "virtual_machines": "no spot price of Azure is held",
    }
    return PriceNotFound(
        *query.named,
        nearest=_nearest_types(
            query.instance_type, {kind for region, kind in priced if region == query.region}
        ),
        regions=_near_first(
            query.region, {region for region, kind in priced if kind == query.instance_type}
        ),
        derivable=derivable,
        reason=unsold.get(query.service, "") if query.purchase == "spot" else "",
    )


def _nearest_types(instance_type: str, priced: Collection[str]) -> list[str]:
    """Types of the same class of hardware (g, p, inf, m, ...) if there are any, else of all."""
    hardware = _hardware(instance_type)
    alike = [kind for kind in priced if _hardware(kind) == hardware]
    return tables.nearest(instance_type, alike or priced)


def _hardware(instance_type: str) -> str:
    """The letters that open a family's name: g of ml.g5.xlarge, trn of trn1.2xlarge."""
    name = instance_type.removeprefix("ml.")
    return "".join(takewhile(str.isalpha, name))


def _near_first(region: str, others: Collection[str]) -> list[str]:
    """Regions of the same part of the world (us, eu, ...) before the rest, each by name."""
    world = region.partition("-")[0]
    return sorted(others, key=lambda other: (other.partition("-")[0] != world, other))


def _types_of(query: Query) -> frozenset[str]:
    """Types of the provider, and of the service, that the name belongs to."""
    if query.provider != "aws":
        azure = query.provider == "azure"
        return frozenset(k for k in tables.cloud_types() if k.startswith("Standard_") == azure)
    return tables.sagemaker_types() if query.service == "sagemaker" else tables.ec2_types()


def _priced_keys(query: Query) -> Collection[tuple[str, str]]:
    """Regions and types that hold a price of the service and purchase asked for."""
    if query.provider != "aws":
        table = tables.cloud_spot() if query.purchase == "spot" else tables.cloud_on_demand()
        mine = _types_of(query)
        return {key for key in table.held() if key[1] in mine}
    if query.purchase == "spot":
        return tables.ec2_spot().held() if query.service == "ec2" else set()
    if query.service == "sagemaker":
        return set(tables.sagemaker_hosting())
    return tables.ec2_on_demand().held() | tables.ec2_on_demand_cny().held()


def _too_early(query: Query, held: Sequence[PriceRow]) -> str:
    """What to say when prices are held, only of later days than asked for."""
    if not held:
        return ""
    earliest = min((row.as_of for row in held), key=tables.last_day)
    return f"none read by {query.as_of}, the earliest held is of {earliest}"
