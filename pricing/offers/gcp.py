"""Google Cloud Billing Catalog: cores, memory and accelerators apart, summed by machine type.

Only what is known to consist of these three is summed: a family whose memory for each core is
published, with the accelerators that belong to it. A machine with local disks in its price, or of
another family, is refused and not guessed.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pricing.offers.offer import Offer, Tally, Wanted, not_a_price, not_names, part, text


class _Parts(NamedTuple):
    """What a machine type consists of."""

    cores: int
    memory_gib: Decimal
    accelerator: str
    accelerators: int


# Memory of each core [GiB] (Compute Engine documentation, general-purpose and accelerator-optimised
# machine families, 2026): prices of 2026-08-03 in cloud_on_demand.csv are these sums.
_GIB_PER_CORE: Final = {
    "n1-standard": "3.75", "n1-highmem": "6.5", "n1-highcpu": "0.9",
    "n2-standard": "4", "n2-highmem": "8", "n2-highcpu": "1",
    "n2d-standard": "4", "n2d-highmem": "8", "n2d-highcpu": "1",
    "e2-standard": "4", "e2-highmem": "8", "e2-highcpu": "1",
    "n4-standard": "4", "n4-highmem": "8", "n4-highcpu": "2",
    "c3-standard": "4", "c3-highmem": "8", "c3-highcpu": "2",
    "c3d-standard": "4", "c3d-highmem": "8",
    "c4-standard": "3.75", "c4-highcpu": "2",
    "c4a-standard": "4", "c4a-highmem": "8", "c4a-highcpu": "2",
    "t2d-standard": "4", "t2a-standard": "4", "g2-standard": "4",
}  # fmt: skip
# Accelerators of a g2 by its cores; a2 by its last number: 12 cores and 85 GiB each, and the 16.
_L4S: Final = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
_A2: Final = {
    "a2-highgpu-1g": _Parts(12, Decimal(85), "A100", 1),
    "a2-highgpu-2g": _Parts(24, Decimal(170), "A100", 2),
    "a2-highgpu-4g": _Parts(48, Decimal(340), "A100", 4),
    "a2-highgpu-8g": _Parts(96, Decimal(680), "A100", 8),
    "a2-megagpu-16g": _Parts(96, Decimal(1360), "A100", 16),
}
_MACHINE: Final = re.compile(
    r"(Spot Preemptible )?([A-Z]\d[A-Z]?)(?: Predefined| AMD| Arm)? Instance (Core|Ram) "
    r"running in .+"
)
_ACCELERATOR: Final = re.compile(
    r"Nvidia (?:Tesla )?(L4|A100) GPU "
    r"(?:running in|attached to (Spot Preemptible) VMs running in) .+"
)
_UNITS: Final = {"Core": "h", "Ram": "GiBy.h"}
_USAGES: Final = {"OnDemand": "cloud_on_demand", "Preemptible": "cloud_spot"}
# Table, region and what is priced: a family's Core or Ram, or an accelerator.
_Part = tuple[str, str, str]


class Catalog:
    """SKUs of any number of pages.

    Parameters
    ----------
    types : iterable of str. Machine types to sum.
    """

    def __init__(self, tally: Tally, wanted: Wanted, types: Iterable[str]) -> None:
        self._tally, self._wanted = tally, wanted
        found = {kind: _parts_of(kind) for kind in sorted(types)}
        self._machines = {kind: parts for kind, parts in found.items() if parts is not None}
        self._said: list[str] = []
        # By part and price, the SKUs that have it.
        self._usd: dict[_Part, dict[str, list[int]]] = {}

    def item(self, value: Any) -> None:
        """Take a SKU as a part of machines, or count why not."""
        said = text(part(value, "description")) or text(part(value, "skuId"))
        found = _part_of(value)
        usd, why_not = _price_of(value, found[1] if found else "")
        table = _USAGES.get(text(part(value, "category", "usageType")), "")
        regions = part(value, "serviceRegions")
        regions = [text(one) for one in regions] if isinstance(regions, list) else []
        if not found:
            why_not = "not a core, memory or accelerator that is summed"
        elif not table:
            why_not = f"usage is {text(part(value, 'category', 'usageType')) or 'not said'}"
        elif found[2] != (table == "cloud_spot"):
            why_not = "usage and description disagree"
        elif not regions or not_names(regions):
            why_not = "no region"
        elif not why_not and self._wanted.regions and not self._wanted.regions & {*regions}:
            why_not = "region not asked for"
        why_not = why_not or not_a_price(usd)
        if why_not or not found:
            self._tally.reject(why_not, said)
            return
        self._tally.take()
        for region in sorted(set(regions)):
            parts = self._usd.setdefault((table, region, found[0]), {})
            parts.setdefault(usd, []).append(len(self._said))
        self._said.append(said)

    def close(self, read_on: str) -> list[Offer]:
        """Prices of the machines all of whose parts have one price; other parts are given back.

        Parameters
        ----------
        read_on : str. Day of the reading.
        """
        offers: list[Offer] = []
        used: set[_Part] = set()
        places = sorted({(table, region) for table, region, _ in self._usd})
        for table, region in places:
            for kind, parts in self._machines.items():
                if self._wanted.refuses(region, kind):
                    continue
                names = _names_of(kind, parts)
                prices = [self._usd.get((table, region, name), {}) for name in names]
                if all(len(one) == 1 for one in prices):
                    used |= {(table, region, name) for name in names}
                    usd = _sum(parts, [next(iter(one)) for one in prices])
                    offers.append(Offer(table, (region, kind), usd, read_on, "", "gcp-catalog"))
        self._give_back(used)
        return offers

    def _give_back(self, used: set[_Part]) -> None:
        """Count each SKU that ended in no machine, however many regions it has."""
        kept = {sku for key in used for skus in self._usd[key].values() for sku in skus}
        torn = {
            sku
            for prices in self._usd.values()
            if len(prices) > 1
            for skus in prices.values()
            for sku in skus
        }
        for sku, said in enumerate(self._said):
            if sku not in kept:
                why = "prices disagree" if sku in torn else "no other part to sum with"
                self._tally.give_back(why, said)


def _parts_of(kind: str) -> _Parts | None:
    """What a machine type consists of; None where that is not known."""
    if kind in _A2:
        return _A2[kind]
    family, _, cores = kind.rpartition("-")
    memory = _GIB_PER_CORE.get(family)
    if memory is None or not (cores.isascii() and cores.isdigit()):
        return None
    count = int(cores)
    accelerators = _L4S.get(count, 0) if family == "g2-standard" else 0
    if family == "g2-standard" and not accelerators:
        return None
    return _Parts(count, Decimal(memory) * count, "L4" if accelerators else "", accelerators)


def _names_of(kind: str, parts: _Parts) -> list[str]:
    series = kind.partition("-")[0].upper()
    names = [f"{series} Core", f"{series} Ram"]
    return [*names, parts.accelerator] if parts.accelerators else names


def _sum(parts: _Parts, usd: list[str]) -> str:
    counts = (Decimal(parts.cores), parts.memory_gib, Decimal(parts.accelerators))
    total = sum((Decimal(one) * count for one, count in zip(usd, counts, strict=False)), Decimal())
    return f"{total.normalize():f}"


def _part_of(value: Any) -> tuple[str, str, bool] | None:
    """What a SKU prices, the unit it must have, and whether it is spot."""
    said = text(part(value, "description"))
    machine = _MACHINE.fullmatch(said)
    if machine:
        spot, series, resource = machine.groups()
        return f"{series} {resource}", _UNITS[resource], bool(spot)
    accelerator = _ACCELERATOR.fullmatch(said)
    return (accelerator.group(1), "h", bool(accelerator.group(2))) if accelerator else None


def _price_of(value: Any, unit: str) -> tuple[str, str]:
    """Price of the first tier, exact, and why there is none."""
    infos = part(value, "pricingInfo")
    info = infos[-1] if isinstance(infos, list) and infos else None
    tiers = part(info, "pricingExpression", "tieredRates")
    said = text(part(info, "pricingExpression", "usageUnit"))
    tier = tiers[0] if isinstance(tiers, list) and tiers else None
    price = part(tier, "unitPrice")
    if not isinstance(price, Mapping):
        return "", "no price"
    currency = text(price.get("currencyCode"))
    if currency != "USD":
        return "", f"currency is {currency or 'not said'}"
    if said != unit:
        return "", f"unit is {said or 'not said'}"
    units, nanos = text(price.get("units")) or "0", text(price.get("nanos")) or "0"
    whole = re.fullmatch(r"-?\d{1,9}", units) and re.fullmatch(r"-?\d{1,9}", nanos)
    if not whole:
        return "", "price is not a number"
    return f"{Decimal(units) + Decimal(nanos).scaleb(-9):f}", ""
