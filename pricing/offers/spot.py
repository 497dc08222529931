"""EC2 DescribeSpotPriceHistory: price changes; the newest of a zone is its current price."""

import re
from typing import Any, Final

from pricing.offers.offer import Offer, Tally, Wanted, day, not_a_price, not_names, part, text

_LINUX: Final = ("linux/unix", "linux/unix (amazon vpc)")
# A zone's name begins with its region: us-east-1a, us-west-2-lax-1a.
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
_DAY_LENGTH: Final = 10


class SpotHistory:
    """Price changes of any number of replies.

    The snapshot is of the newest change in each region, whatever the zone: a zone whose price has
    long been the same changes nothing and still has that price.
    """

    def __init__(self, tally: Tally, wanted: Wanted) -> None:
        self._tally, self._wanted = tally, wanted
        self._changes: list[tuple[tuple[str, ...], str, str]] = []

    def item(self, value: Any) -> None:
        """Take a change, or count why not."""
        zone_name = text(part(value, "AvailabilityZone"))
        # Names of zones are of one account, ids of all; old replies have names alone.
        zone = text(part(value, "AvailabilityZoneId")) or zone_name
        kind, usd = text(part(value, "InstanceType")), text(part(value, "SpotPrice"))
        since = text(part(value, "Timestamp"))
        match = _REGION.match(zone_name)
        region = match.group() if match else ""
        why_not = self._why_not(text(part(value, "ProductDescription")), zone_name, region)
        if not why_not and not_names((zone, kind)):
            why_not = "not a name"
        why_not = (
            why_not
            or ("" if day(since) else "no date")
            or not_a_price(usd)
            or self._wanted.refuses(region, kind)
        )
        if why_not:
            self._tally.reject(why_not, f"{zone} {kind} {since}".strip())
            return
        self._tally.take()
        self._changes.append(((region, kind, zone), usd, _utc(since)))

    def _why_not(self, product: str, zone_name: str, region: str) -> str:
        if product.lower() not in _LINUX:
            return f"product is {product or 'not said'}"
        if not zone_name:
            return "no AvailabilityZone, which tells the region"
        return "" if region else "region of the zone not known"

    def close(self, read_on: str | None) -> list[Offer]:
        """Every change as a price of the day of the snapshot; the latest of a zone holds.

        Parameters
        ----------
        read_on : str or None. Day of the snapshot; by default that of the region's newest change.
        """
        newest: dict[str, str] = {}
        for key, _, since in self._changes:
            newest[key[0]] = max(newest.get(key[0], ""), since[:_DAY_LENGTH])
        return [
            Offer("ec2_spot_samples", key, usd, read_on or newest[key[0]], since, "spot-history")
            for key, usd, since in self._changes
        ]


def _utc(stamp: str) -> str:
    """Timestamps that compare as text, whichever way the zone and fractions are written."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
