"""Whether offers can be believed, judged against the tables in force and against each other.

An error in a price list is worse than an old price: what is far from what it was, or from its
family, is left out and counted, and not put right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from re import search
from statistics import median
from typing import Final

from pricing import own, tables
from pricing.cells import last_day, positive
from pricing.offers.offer import Offer, Tally

# Most that a price may have changed, or lie outside its family. The largest known cut is by 1.79
# (p5.48xlarge, June 2025: price_changes.csv).
FACTOR: Final = Decimal(2)
# Spot may be this many times cheaper than on demand, times the factor: the widest discount of
# ec2_spot_samples.csv is 89 %.
_SPOT_DEPTH: Final = 10
_SPOT: Final = {"ec2_spot_samples": "ec2_on_demand", "cloud_spot": "cloud_on_demand"}
# Not hourly prices of a machine: no family to be judged by.
_METERED: Final = ("serverless", "meters")
_LEAST_OTHERS: Final = 2

Prices = Mapping[tuple[str, ...], tuple[Decimal, str]]


class InForce:
    """The newest price of every key of every table, and the families they make up."""

    def __init__(self) -> None:
        self._tables: dict[str, Prices] = {}

    def prices(self, table: str) -> Prices:
        """Price and date by key; the latest reading of each."""
        if table not in self._tables:
            shape = own.TABLES[table]
            newest: dict[tuple[str, ...], tuple[str, Decimal, str]] = {}
            for row in tables.read_rows(f"{table}.csv"):
                if row.get("confidence") == "superseded":
                    continue
                key = tuple(row[column] for column in shape.key)
                on = last_day(row["as_of"])
                if key not in newest or on > newest[key][0]:
                    newest[key] = on, positive(row[shape.price]), row["as_of"]
            self._tables[table] = {key: (usd, held) for key, (_, usd, held) in newest.items()}
        return self._tables[table]

    @cached_property
    def vcpus(self) -> dict[str, int]:
        """Virtual CPUs by EC2 type."""
        rows = tables.read_rows("instance_specs.csv")
        return {row["instance_type"]: int(row["vcpu"]) for row in rows}

    def per_vcpu(self, table: str, name: str, usd: Decimal) -> Decimal | None:
        """Price of one virtual CPU; None where their number is not known. [USD/h]"""
        count = self.vcpus.get(name.removeprefix("ml.")) or _vcpus_in(name)
        return usd / count if count else None


def check(
    offers: Iterable[Offer],
    tally: Tally,
    *,
    today: str,
    factor: Decimal = FACTOR,
    in_force: InForce | None = None,
) -> list[Offer]:
    """Offers that can be believed, one a key; the others are counted by reason.

    Parameters
    ----------
    offers : iterable of Offer.
    tally : Tally. Each offer left out is given back to it.
    today : str. No reading may be of a later day, ``YYYY-MM-DD``.
    factor : Decimal. How many times a price may have changed, or lie outside its family.
    in_force : InForce, optional. By default the tables as they are.

    Returns
    -------
    list of Offer
        In order of table and key.
    """
    known = in_force or InForce()
    believed = []
    for offer in _one_each(offers, tally):
        why_not = "of a day to come" if offer.as_of > today else ""
        if why_not:
            tally.give_back(why_not, f"{offer.said} {offer.as_of}")
        else:
            believed.append(offer)
    families = _families(believed, known)
    kept = []
    for offer in believed:
        bounds = _bounds(offer, known, families, factor)
        usd = Decimal(offer.usd)
        if bounds is not None and not bounds[0] <= usd <= bounds[1]:
            said = f"{offer.said} {offer.usd}, {bounds[2]}"
            tally.give_back("outlier", said)
        else:
            kept.append(offer)
    return kept


def _one_each(offers: Iterable[Offer], tally: Tally) -> list[Offer]:
    """The latest offer of each key; those that share their moment and not their price are out."""
    by_key: dict[tuple[str, tuple[str, ...]], list[Offer]] = defaultdict(list)
    for offer in sorted(offers):
        by_key[offer.table, offer.key].append(offer)
    chosen = []
    for same in by_key.values():
        newest = max((offer.as_of, offer.since) for offer in same)
        latest = [offer for offer in same if (offer.as_of, offer.since) == newest]
        for offer in same:
            if (offer.as_of, offer.since) != newest:
                tally.give_back("superseded by a later one", f"{offer.said} {offer.since}".strip())
        if len({Decimal(offer.usd) for offer in latest}) > 1:
            for offer in latest:
                tally.give_back("duplicates that disagree", f"{offer.said} {offer.usd}")
            continue
        chosen.append(latest[0])
        for offer in latest[1:]:
            tally.give_back("the same again", offer.said)
    return chosen


# By table and family: price of a virtual CPU of each region and type.
_Families = Mapping[tuple[str, str], Mapping[tuple[str, ...], Decimal]]


def _families(offers: Iterable[Offer], known: InForce) -> _Families:
    """What tables hold; of a family that they do not, what was read."""
    families: dict[tuple[str, str], dict[tuple[str, ...], Decimal]] = defaultdict(dict)
    read = list(offers)
    for table in {offer.table for offer in read} - {*_METERED}:
        at = own.TABLES[table].key.index("instance_type")
        for key, (usd, _) in known.prices(table).items():
            one = known.per_vcpu(table, key[at], usd)
            if one is not None:
                families[table, _family(key[at])][key] = one
    held = {*families}
    for offer in read:
        group = (offer.table, _family(offer.name))
        if offer.table not in _METERED and group not in held:
            one = known.per_vcpu(offer.table, offer.name, Decimal(offer.usd))
            if one is not None:
                families[group][offer.key] = one
    return families


def _bounds(
    offer: Offer, known: InForce, families: _Families, factor: Decimal
) -> tuple[Decimal, Decimal, str] | None:
    """Least and greatest price that is believed, and by what; None where nothing tells."""
    if offer.table in _SPOT:
        base = known.prices(_SPOT[offer.table]).get(offer.key[:2])
        if base is not None:
            said = f"on demand {base[0]}"
            return base[0] / (factor * _SPOT_DEPTH), base[0] * factor, said
        factor *= _SPOT_DEPTH
    before = known.prices(offer.table).get(offer.key)
    if before is not None:
        return before[0] / factor, before[0] * factor, f"was {before[0]} ({before[1]})"
    if offer.table in _METERED:
        return None
    return _of_family(offer, known, families, factor)


def _of_family(
    offer: Offer, known: InForce, families: _Families, factor: Decimal
) -> tuple[Decimal, Decimal, str] | None:
    """By the family's prices of a virtual CPU: in the region where there are some, else anywhere.

    What lies between the dearest and the cheapest size of a family is believed, a single GPU with
    few cores costing several times as much a core as eight of them, and the factor beyond.
    """
    one = known.per_vcpu(offer.table, offer.name, Decimal(1))
    family = families.get((offer.table, _family(offer.name)), {})
    others = {key: usd for key, usd in family.items() if key != offer.key}
    near = [usd for key, usd in others.items() if key[0] == offer.region]
    prices = near if len(near) >= _LEAST_OTHERS else list(others.values())
    if one is None or len(prices) < _LEAST_OTHERS:
        return None
    usual = median(prices) / one
    said = f"its family usually {usual.quantize(Decimal('0.0001'))} for as many vCPUs"
    return min(prices) / one / factor, max(prices) / one * factor, said


def _family(name: str) -> str:
    """g5 of g5.xlarge, n2-standard of n2-standard-8, Standard_NC#as_T4_v3 of an Azure size."""
    if "." in name:
        return name.removeprefix("ml.").partition(".")[0]
    if name.startswith("Standard_"):
        digits = search(r"\d+", name)
        return name.replace(digits.group(), "#", 1) if digits else name
    return name.rpartition("-")[0]


def _vcpus_in(name: str) -> int:
    """Virtual CPUs in the name of a machine of Google Cloud or Azure; 0 where it has none."""
    match = search(r"^Standard_[A-Z]+(\d+)|-(\d+)$", name)
    return int(match.group(1) or match.group(2)) if match else 0
