"""Prices asked of AWS itself: on demand, spot and Savings Plans. Read-only, and only when told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from modeler.platforms.account.calls import Account, AccountError, Call, NotThere

CALLS: Final = (
    Call("pricing", "GetProducts", "pricing:GetProducts", "prices on demand"),
    Call("ec2", "DescribeSpotPriceHistory", "ec2:DescribeSpotPriceHistory", "spot prices"),
    Call("savingsplans", "DescribeSavingsPlansOfferingRates",
         "savingsplans:DescribeSavingsPlansOfferingRates", "rates of Savings Plans"),
)  # fmt: skip
# Regions that answer for the price list of all (AWS Billing user guide, price list query API).
ENDPOINTS: Final = ("us-east-1", "eu-central-1", "ap-south-1")
_PLANS: Final = {"ec2": ["Compute", "EC2Instance"], "sagemaker": ["SageMaker"]}
_PAYMENTS: Final = ["No Upfront", "Partial Upfront", "All Upfront"]
# What sets the price of a Linux machine on demand apart (fields of the EC2 price list).
_EC2: Final = {
    "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
    "capacitystatus": "Used",
}  # fmt: skip


class Fetched(NamedTuple):
    """What AWS answered.

    Attributes
    ----------
    replies : list of str. As `pricing.offers.read_replies` reads them.
    gaps : list of str. What was denied or throttled, with the permission that would help.
    asked : dict of str to int. Questions by operation.
    """

    replies: list[str]
    gaps: list[str]
    asked: dict[str, int]


def fetch(
    types: Sequence[str],
    regions: Sequence[str],
    *,
    profile: str | None = None,
    endpoint_url: str | None = None,
    endpoint: str = ENDPOINTS[0],
) -> Fetched:
    """Ask AWS what instance types cost.

    Parameters
    ----------
    types, regions : sequence of str. ``ml.`` types are asked of SageMaker hosting.
    profile, endpoint_url : str, optional. As the AWS command line takes them.
    endpoint : str. Region that is asked for the price list; one of `ENDPOINTS`.

    Raises
    ------
    AccountError
        No credentials, expired ones, or no connection.
    """
    lists = Account(endpoint, profile, endpoint_url, CALLS)
    accounts = [lists]
    replies = [{"PriceList": list(_products(lists, types, regions))}]
    machines = [kind for kind in types if not kind.startswith("ml.")]
    for region in regions if machines else ():
        there = Account(region, profile, endpoint_url, CALLS)
        accounts.append(there)
        # From now on: the last change of each zone before it, which is its current price.
        asked_spot = {
            "InstanceTypes": machines,
            "ProductDescriptions": ["Linux/UNIX"],
            "StartTime": datetime.now(UTC),
        }
        found = there.pages("DescribeSpotPriceHistory", "SpotPriceHistory", asked_spot)
        replies.append({"SpotPriceHistory": list(_there(found))})
    replies.append({"searchResults": list(_rates(lists, types, regions))})
    asked: dict[str, int] = {}
    for account in accounts:
        for operation, count in account.asked.items():
            asked[operation] = asked.get(operation, 0) + count
    gaps = dict.fromkeys(gap for account in accounts for gap in account.gaps)
    return Fetched([json.dumps(one, default=_text) for one in replies], list(gaps), asked)


def _products(account: Account, types: Sequence[str], regions: Sequence[str]) -> Iterator[Any]:
    """Items of the price list, of each type in each region."""
    for region in regions:
        for kind in types:
            hosting = kind.startswith("ml.")
            wanted = {"regionCode": region}
            wanted |= {"instanceName": kind} if hosting else {"instanceType": kind, **_EC2}
            filters = [
                {"Type": "TERM_MATCH", "Field": field, "Value": value}
                for field, value in wanted.items()
            ]
            service = "AmazonSageMaker" if hosting else "AmazonEC2"
            asked = {"ServiceCode": service, "Filters": filters, "FormatVersion": "aws_v1"}
            yield from _there(account.pages("GetProducts", "PriceList", asked))


def _rates(account: Account, types: Sequence[str], regions: Sequence[str]) -> Iterator[Any]:
    """Rates of Savings Plans."""
    for service, plans in _PLANS.items():
        mine = [kind for kind in types if kind.startswith("ml.") == (service == "sagemaker")]
        if mine:
            filters = {"region": list(regions), "instanceType": mine}
            asked = {
                "savingsPlanTypes": plans,
                "savingsPlanPaymentOptions": _PAYMENTS,
                "filters": [{"name": name, "values": known} for name, known in filters.items()],
            }
            operation = "DescribeSavingsPlansOfferingRates"
            yield from _there(account.pages(operation, "searchResults", asked, "nextToken"))


def _there(found: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from found
    except NotThere as error:
        raise AccountError(f"AWS knows no such type or region: {error}") from error


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
