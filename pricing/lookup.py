"""A name, a region and a date become one price, or an error that names the nearest.

Three rules, and no others, decide what is given:

- the latest reading not dated after ``as_of`` wins; readings of one date that disagree are an
  error, never a choice;
- what was read as the asked-for thing is ``quoted``; a spot price is ``sampled``, the mean over
  the availability zones of one snapshot; anything reckoned from another price is ``derived`` and
  given only to those who opt in;
- a known name without a price is an error and not a zero.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import takewhile

from pricing import tables
from pricing.errors import (
    AmbiguousPrice,
    CurrencyMismatch,
    InvalidArgument,
    PriceNotFound,
    UnknownInstance,
    UnknownRegion,
)
from pricing.places import region_code
from pricing.tables import PriceRow

PURCHASES = ("on-demand", "spot")


@dataclass(frozen=True, slots=True)
class Price:
    """One unit price, and where and when it was read.

    Attributes
    ----------
    instance_type, region : str. As asked for.
    provider : str. ``aws``, ``gcp`` or ``azure``.
    service : str. ``ec2``, ``sagemaker``, ``compute_engine`` or ``virtual_machines``: whose billing
        rules apply.
    purchase : str. ``on-demand`` or ``spot``.
    per_hour : Decimal. Linux, shared tenancy, in `currency`. [currency/h]
    currency : str. ``USD``, in the regions of China ``CNY``.
    as_of : str. Date of the reading, as exact as its source is: a day, month, quarter or year.
    source : str. The public file it was read from.
    confidence : str. ``quoted``, ``sampled`` or ``derived``.
    note : str. Anything an analyst should know before relying on it.
    """

    instance_type: str
    region: str
    provider: str
    service: str
    purchase: str
    per_hour: Decimal
    currency: str
    as_of: str
    source: str
    confidence: str
    note: str = ""

    @property
    def usd_per_hour(self) -> Decimal:
        """The price in dollars. [USD/h]

        Raises
        ------
        CurrencyMismatch
            It is in another currency: amounts of two are never summed.
        """
        if self.currency != "USD":
            raise CurrencyMismatch(self.instance_type, self.region, self.per_hour, self.currency)
        return self.per_hour


@dataclass(frozen=True, slots=True)
class _Query:
    """What was asked for; every step below takes it whole."""

    instance_type: str
    region: str
    purchase: str
    as_of: str | None
    zone: str | None

    @property
    def by_code(self) -> "_Query":
        """The same with the region by its code."""
        return replace(self, region=region_code(self.region, self.provider))

    @property
    def provider(self) -> str:
        """Types of AWS have a dot, sizes of Azure begin with Standard_, the others are Google's."""
        if "." in self.instance_type:
            return "aws"
        return "azure" if self.instance_type.lower().startswith("standard_") else "gcp"

    @property
    def service(self) -> str:
        if self.provider != "aws":
            return {"gcp": "compute_engine", "azure": "virtual_machines"}[self.provider]
        return "sagemaker" if self.instance_type.startswith("ml.") else "ec2"

    @property
    def ec2_key(self) -> tuple[str, str]:
        return self.region, self.instance_type.removeprefix("ml.")

    @property
    def key(self) -> tuple[str, str]:
        return self.region, self.instance_type

    def priced(self, row: PriceRow, confidence: str) -> Price:
        return Price(
            instance_type=self.instance_type,
            region=self.region,
            provider=self.provider,
            service=self.service,
            purchase=self.purchase,
            per_hour=tables.positive(row.per_hour),
            currency=row.currency,
            as_of=row.as_of,
            source=row.source,
            confidence=confidence,
            note=row.note,
        )


def price(
    instance_type: str,
    region: str,
    purchase: str = "on-demand",
    *,
    as_of: str | None = None,
    zone: str | None = None,
    allow_derived: bool = False,
) -> Price:
    """Look up the hourly price of an instance.

    Parameters
    ----------
    instance_type : str. ``ml.g5.2xlarge`` is SageMaker hosting, ``g5.2xlarge`` is EC2,
        ``g2-standard-8`` Google's Compute Engine, ``Standard_NC4as_T4_v3`` Azure.
    region : str. ``us-east-1``, ``us-central1`` or ``eastus``, or in words as `region_code` reads
        them.
    purchase : str. ``on-demand`` or ``spot`` (EC2 and Compute Engine).
    as_of : str, optional. ``YYYY-MM-DD``: nothing read after this day is used; by default the
        latest reading.
    zone : str, optional. Id of an availability zone of EC2 spot, ``use1-az4``; by default the mean
        over those that were read.
    allow_derived : bool. For SageMaker without a quoted hosting price: reckon it from the EC2
        price and the ratio usual for the type, else take another SageMaker component's price. For
        EC2 spot that was not sampled: the price on demand less the mean saving that AWS reports.

    Returns
    -------
    Price

    Raises
    ------
    UnknownInstance, UnknownRegion
        No table knows the name; the nearest are named.
    PriceNotFound
        Both are known and no price is held; what comes nearest is named.
    AmbiguousPrice
        Readings disagree, or the list price changed on an unknown day around `as_of`.
    InvalidArgument
        Another purchase option, `as_of` not a date, or a zone without a spot price.

    >>> price("g5.2xlarge", "us-east-1").usd_per_hour
    Decimal('1.212')
    >>> price("p5.48xlarge", "us-east-1", as_of="2025-03-01").usd_per_hour
    Decimal('98.32')
    """
    if purchase not in PURCHASES:
        raise InvalidArgument("purchase", purchase, f"one of {', '.join(PURCHASES)}")
    if as_of is not None:
        _check_day(as_of)
    if zone is not None and purchase != "spot":
        raise InvalidArgument("zone", zone, "none: on demand costs the same in every zone")
    query = _Query(instance_type, region, purchase, as_of, zone).by_code
    if purchase == "spot":
        found = _spot(query) or (_advised(query) if allow_derived else None)
    else:
        found = _quoted(query) or (_derived(query) if allow_derived else None)
    if found is None:
        raise _why_not(query)
    return found


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
    _check_region(region)
    keys = (
        *tables.ec2_on_demand().held(),
        *tables.ec2_on_demand_cny().held(),
        *tables.sagemaker_hosting(),
    )
    return tuple(sorted(kind for where, kind in keys if where == region))


def choose(rows: Sequence[PriceRow], query: _Query) -> PriceRow | None:
    """Pick the latest reading on or before the day asked for, if it is one price.

    Raises
    ------
    AmbiguousPrice
        The latest readings share their date and not their price.
    """
    known = [row for row in rows if _in_time(row, query.as_of)]
    if not known:
        return None
    newest = max(tables.last_day(row.as_of) for row in known)
    latest = [row for row in known if tables.last_day(row.as_of) == newest]
    if len({tables.positive(row.per_hour) for row in latest}) > 1:
        raise AmbiguousPrice(
            *_named(query), [_cite(row) for row in latest], "readings of one date disagree"
        )
    return latest[0]


def _quoted(query: _Query) -> Price | None:
    row = choose(_readings(query), query) or _before_change(query)
    return query.priced(row, "quoted") if row else None


def _readings(query: _Query) -> Sequence[PriceRow]:
    if query.provider != "aws":
        return tables.cloud_on_demand().get(query.key)
    if query.service == "sagemaker":
        return tables.sagemaker_hosting().get(query.key, ())
    return tables.ec2_on_demand().get(query.key) or tables.ec2_on_demand_cny().get(query.key)


def _before_change(query: _Query) -> PriceRow | None:
    """The old list price, for a day on which it is known to have held."""
    change = tables.price_changes().get(query.key)
    if change is None or query.as_of is None:
        return None
    if query.as_of <= tables.last_day(change.old.as_of):
        return change.old
    if query.as_of < tables.last_day(change.first_seen_new):
        raise AmbiguousPrice(
            *_named(query),
            [_cite(change.old), f"another price first seen {change.first_seen_new}"],
            f"it changed on an unknown day; as_of {query.as_of} lies between the readings",
        )
    return None


def _derived(query: _Query) -> Price | None:
    """An estimate for SageMaker hosting, labelled with all that it rests on."""
    if query.service != "sagemaker":
        return None
    markup = _markup(query)
    base = choose(tables.ec2_on_demand().get(query.ec2_key), query)
    if markup and base:
        usd = tables.positive(base.per_hour) * Decimal(markup.ratio)
        row = PriceRow(
            str(usd),
            base.as_of,
            f"derived: EC2 {query.ec2_key[1]} at {base.per_hour} USD/h ({base.source}) "
            f"x {markup.ratio} (sagemaker_markup.csv, {markup.ec2_type}: {markup.basis})",
            "an estimate from the EC2 price, not a quoted hosting price",
        )
        return query.priced(row, "derived")
    other = choose(tables.sagemaker_other().get(query.key, ()), query)
    if other:
        note = f"SageMaker price of component {other.note}, not stated to be hosting"
        return query.priced(other._replace(note=note), "derived")
    return None


def _markup(query: _Query) -> tables.Markup | None:
    """The type's own ratio, else its family's."""
    ratios = tables.sagemaker_markup()
    kind = query.ec2_key[1]
    return ratios.get(kind) or ratios.get(f"{kind.partition('.')[0]}.*")


def _spot(query: _Query) -> Price | None:
    """Mean over the zones of the latest snapshot; the spread goes into the note."""
    if query.service == "sagemaker":
        return None
    if query.provider != "aws":
        row = choose(tables.cloud_spot().get(query.key), query)
        note = "a snapshot, for spot prices move"
        return query.priced(row._replace(note=note), "sampled") if row else None
    known = [row for row in tables.ec2_spot().get(query.key) if _in_time(row, query.as_of)]
    if not known:
        return None
    newest = max(tables.last_day(row.as_of) for row in known)
    latest = [row for row in known if tables.last_day(row.as_of) == newest]
    if query.zone is not None:
        return query.priced(_in_zone(latest, query), "sampled")
    zones = [tables.positive(row.per_hour) for row in latest]
    mean = (sum(zones, Decimal()) / len(zones)).quantize(Decimal("0.000001"))
    note = (
        f"mean of {len(zones)} availability zone(s), {min(zones)} to {max(zones)} USD/h; "
        f"a snapshot, for spot prices move{_interrupted(query)}"
    )
    return query.priced(latest[0]._replace(per_hour=str(mean), note=note), "sampled")


def _in_zone(latest: Sequence[PriceRow], query: _Query) -> PriceRow:
    """The reading of one zone, whose id the note of a row holds."""
    for row in latest:
        if row.note == query.zone:
            note = f"zone {row.note}; a snapshot, for spot prices move{_interrupted(query)}"
            return row._replace(note=note)
    raise InvalidArgument("zone", query.zone, f"one of {', '.join(row.note for row in latest)}")


def _advised(query: _Query) -> Price | None:
    """An estimate of EC2 spot from the mean saving over a month, labelled with what it rests on."""
    advice = tables.spot_advice().get(query.key) if query.service == "ec2" else None
    base = choose(tables.ec2_on_demand().get(query.key), query)
    if advice is None or base is None or not _in_time_of(advice.as_of, query.as_of):
        return None
    share = 1 - Decimal(advice.savings_pct) / 100
    usd = tables.positive(base.per_hour) * share
    row = PriceRow(
        str(usd),
        min(base.as_of, advice.as_of, key=tables.last_day),
        f"derived: on demand {base.per_hour} USD/h of {base.as_of} ({base.source}) less "
        f"{advice.savings_pct} % on average, {advice.as_of} ({advice.source})",
        f"an estimate from a month's mean saving, not a price{_interrupted(query)}",
    )
    return query.priced(row, "derived")


def _interrupted(query: _Query) -> str:
    """How often spot of this type is taken back, where AWS has said so."""
    advice = tables.spot_advice().get(query.key)
    if advice is None:
        return ""
    return f"; {advice.interruption_band} interrupted in a month ({advice.as_of})"


def _in_time_of(read: str, as_of: str | None) -> bool:
    return as_of is None or tables.last_day(read) <= as_of


def _why_not(query: _Query) -> Exception:
    """Unknown, or known and without a price: the error that says which."""
    known = _types_of(query)
    if query.instance_type not in known:
        everything = tables.sagemaker_types() | tables.ec2_types() | tables.cloud_types()
        return UnknownInstance(
            query.instance_type,
            tables.nearest(query.instance_type, known)
            or tables.nearest(query.instance_type, everything),
        )
    try:
        _check_region(query.region, query.provider)
    except UnknownRegion as error:
        return error
    estimate = _derived(query) if query.purchase == "on-demand" else _advised(query)
    derivable = estimate is not None
    too_early = _too_early(query)
    if too_early:
        return PriceNotFound(*_named(query), derivable=derivable, reason=too_early)
    priced = _priced_keys(query)
    unsold = {
        "sagemaker": "SageMaker hosting is not sold as spot",
        "virtual_machines": "no spot price of Azure is held",
    }
    return PriceNotFound(
        *_named(query),
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


def _types_of(query: _Query) -> frozenset[str]:
    """Types of the provider, and of the service, that the name belongs to."""
    if query.provider != "aws":
        azure = query.provider == "azure"
        return frozenset(k for k in tables.cloud_types() if k.startswith("Standard_") == azure)
    return tables.sagemaker_types() if query.service == "sagemaker" else tables.ec2_types()


def _priced_keys(query: _Query) -> set[tuple[str, str]]:
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


def _too_early(query: _Query) -> str:
    """What to say when prices are held, only of later days than asked for."""
    held = _readings(query)
    if query.purchase == "spot":
        spot = tables.ec2_spot() if query.provider == "aws" else tables.cloud_spot()
        held = spot.get(query.key)
    if not held:
        return ""
    earliest = min((row.as_of for row in held), key=tables.last_day)
    return f"none read by {query.as_of}, the earliest held is of {earliest}"


def _check_region(region: str, provider: str = "aws") -> None:
    known: Collection[str] = {*regions(), *tables.region_names()}
    if provider != "aws":
        known = {
            where
            for where, kind in tables.cloud_on_demand().held()
            if kind.startswith("Standard_") == (provider == "azure")
        }
    if region not in known:
        raise UnknownRegion(region, tables.nearest(region, known))


def _check_day(as_of: str) -> None:
    try:
        ok = date.fromisoformat(as_of).isoformat() == as_of
    except ValueError:
        ok = False
    if not ok:
        raise InvalidArgument("as_of", as_of, "a date YYYY-MM-DD")


def _in_time(row: PriceRow, as_of: str | None) -> bool:
    return _in_time_of(row.as_of, as_of)


def _named(query: _Query) -> tuple[str, str, str]:
    return query.instance_type, query.region, query.purchase


def _cite(row: PriceRow) -> str:
    return f"{row.per_hour} {row.currency}/h as of {row.as_of} ({row.source})"
