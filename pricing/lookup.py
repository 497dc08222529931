"""A name, a region and a date become one price, or an error that names the nearest.

Three rules, and no others, decide what is given:

- the latest reading not dated after ``as_of`` wins; readings of one date that disagree are an
  error, never a choice;
- what was read as the asked-for thing is ``quoted``; a spot price is ``sampled``, the mean over
  the availability zones of one snapshot; anything reckoned from another price is ``derived`` and
  given only to those who opt in;
- a known name without a price is an error and not a zero.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pricing import tables
from pricing.cloud_run import cloud_run_price, cloud_run_size
from pricing.errors import AmbiguousPrice, InvalidArgument, PriceNotFound
from pricing.fargate import fargate_price, task_of
from pricing.query import Price, Query, cite, in_time
from pricing.refusal import why_not
from pricing.tables import PriceRow

PURCHASES = ("on-demand", "spot")


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
        ``g2-standard-8`` Google's Compute Engine, ``Standard_NC4as_T4_v3`` Azure; a size of Fargate
        or Cloud Run by its name, ``fargate-4vcpu-16gb-x86_64`` or
        ``cloud-run-4vcpu-16gib-nvidia-l4``.
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
    sized = _sized(instance_type, region, as_of)
    if sized is not None:
        if purchase == "spot":
            raise PriceNotFound(instance_type, region, purchase, reason="no spot price is held")
        return sized
    query = Query(instance_type, region, purchase, as_of, zone).by_code
    if zone is not None and (purchase, query.service) != ("spot", "ec2"):
        raise InvalidArgument("zone", zone, "none: only spot of EC2 has a price for each zone")
    spot = purchase == "spot"
    found = _spot(query) if spot else _quoted(query)
    if found is not None:
        return found
    estimate = _advised(query) if spot else _derived(query)
    if estimate is not None and allow_derived:
        return estimate
    raise why_not(
        query, _zones(query) if spot else _readings(query), derivable=estimate is not None
    )


def _sized(name: str, region: str, as_of: str | None) -> Price | None:
    """The price of what is sold by its size; None of other names."""
    task, size = task_of(name), cloud_run_size(name)
    if task is not None:
        return fargate_price(task, region, as_of=as_of)
    if size is None:
        return None
    vcpu, memory, gpu, zonal = size
    return cloud_run_price(region, vcpu, memory, gpu, zonal_redundancy=zonal, as_of=as_of)


def choose(rows: Sequence[PriceRow], query: Query) -> PriceRow | None:
    """Pick the latest reading on or before the day asked for, if it is one price.

    Raises
    ------
    AmbiguousPrice
        The latest readings share their date and not their price.
    """
    known = [row for row in rows if in_time(row.as_of, query.as_of)]
    if not known:
        return None
    newest = max(tables.last_day(row.as_of) for row in known)
    latest = [row for row in known if tables.last_day(row.as_of) == newest]
    if len({tables.positive(row.per_hour) for row in latest}) > 1:
        raise AmbiguousPrice(
            *query.named, [cite(row) for row in latest], "readings of one date disagree"
        )
    return latest[0]


def _quoted(query: Query) -> Price | None:
    row = choose(_readings(query), query) or _before_change(query)
    return query.priced(row, "quoted") if row else None


def _readings(query: Query) -> Sequence[PriceRow]:
    """Every reading on demand."""
    if query.provider != "aws":
        return tables.cloud_on_demand().get(query.key)
    if query.service == "sagemaker":
        return tables.sagemaker_hosting().get(query.key, ())
    return tables.ec2_on_demand().get(query.key) or tables.ec2_on_demand_cny().get(query.key)


def _before_change(query: Query) -> PriceRow | None:
    """The old list price, for a day on which it is known to have held."""
    change = tables.price_changes().get(query.key)
    if change is None or query.as_of is None:
        return None
    if query.as_of <= tables.last_day(change.old.as_of):
        return change.old
    if query.as_of < tables.last_day(change.first_seen_new):
        raise AmbiguousPrice(
            *query.named,
            [cite(change.old), f"another price first seen {change.first_seen_new}"],
            f"it changed on an unknown day; as_of {query.as_of} lies between the readings",
        )
    return None


def _derived(query: Query) -> Price | None:
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


def _markup(query: Query) -> tables.Markup | None:
    """The type's own ratio, else its family's."""
    ratios = tables.sagemaker_markup()
    kind = query.ec2_key[1]
    return ratios.get(kind) or ratios.get(f"{kind.partition('.')[0]}.*")


def _spot(query: Query) -> Price | None:
    """Mean over the zones of the latest snapshot; the spread goes into the note."""
    if query.service == "sagemaker":
        return None
    if query.provider != "aws":
        row = choose(_zones(query), query)
        note = "a snapshot, for spot prices move"
        return query.priced(row._replace(note=note), "sampled") if row else None
    known = [row for row in _zones(query) if in_time(row.as_of, query.as_of)]
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


def _zones(query: Query) -> Sequence[PriceRow]:
    """Every reading of spot."""
    table = tables.ec2_spot() if query.provider == "aws" else tables.cloud_spot()
    return table.get(query.key)


def _in_zone(latest: Sequence[PriceRow], query: Query) -> PriceRow:
    """The reading of one zone, whose id the note of a row holds."""
    for row in latest:
        if row.note == query.zone:
            note = f"zone {row.note}; a snapshot, for spot prices move{_interrupted(query)}"
            return row._replace(note=note)
    raise InvalidArgument("zone", query.zone, f"one of {', '.join(row.note for row in latest)}")


def _advised(query: Query) -> Price | None:
    """An estimate of EC2 spot from the mean saving over a month, labelled with what it rests on."""
    advice = tables.spot_advice().get(query.key) if query.service == "ec2" else None
    base = choose(tables.ec2_on_demand().get(query.key), query)
    if advice is None or base is None or not in_time(advice.as_of, query.as_of):
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


def _interrupted(query: Query) -> str:
    """How often spot of this type is taken back, where AWS has said so."""
    advice = tables.spot_advice().get(query.key)
    if advice is None:
        return ""
    return f"; {advice.interruption_band} interrupted in a month ({advice.as_of})"


def _check_day(as_of: str) -> None:
    try:
        ok = date.fromisoformat(as_of).isoformat() == as_of
    except ValueError:
        ok = False
    if not ok:
        raise InvalidArgument("as_of", as_of, "a date YYYY-MM-DD")
