"""Prices asked of AWS, against answers in the shapes that the services' own models check."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.platforms import price_lists
from modeler.platforms.account import Account, iam_policy
from modeler.platforms.price_lists import CALLS, fetch
from pricing.offers import read_replies

sys.path.insert(0, str(Path(__file__).parents[1] / "pricing"))
from price_lists import get_products, product

PAGES = [get_products((product("A1"), "1.106")), get_products((product("A2"), "1.106"))]
SPOT = {
    "SpotPriceHistory": [
        {
            "AvailabilityZone": "us-east-1a", "InstanceType": "g5.xlarge", "SpotPrice": "0.44",
            "ProductDescription": "Linux/UNIX", "Timestamp": datetime(2026, 11, 20, tzinfo=UTC),
        }
    ],
    "NextToken": "",
}  # fmt: skip
RATES = {
    "searchResults": [
        {
            "rate": "0.74", "unit": "Hrs", "usageType": "BoxUsage:g5.xlarge",
            "savingsPlanOffering": {"planType": "Compute", "paymentOption": "No Upfront",
                                    "currency": "USD", "durationSeconds": 31536000},
            "properties": [{"name": "region", "value": "us-east-1"},
                           {"name": "instanceType", "value": "g5.xlarge"},
                           {"name": "productDescription", "value": "Linux/UNIX"},
                           {"name": "tenancy", "value": "shared"}],
        }
    ]
}  # fmt: skip
DENIED = "AccessDeniedException"


def stubbed(monkeypatch, *, denied=(), code=DENIED):
    """Accounts whose services answer as recorded, or refuse."""

    def account(region, profile, url, calls):
        made = Account(region, profile, url, calls)
        for service, method, answers, expected in (
            ("pricing", "get_products", [{**PAGES[0], "NextToken": "more"}, PAGES[1]],
             {"ServiceCode": "AmazonEC2", "Filters": ANY, "FormatVersion": "aws_v1"}),
            ("ec2", "describe_spot_price_history", [SPOT], ANY),
            ("savingsplans", "describe_savings_plans_offering_rates", [RATES], ANY),
        ):  # fmt: skip
            client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x",
                                  aws_secret_access_key="x")  # fmt: skip
            stub = Stubber(client)
            for number, answer in enumerate(answers):
                if service in denied:
                    stub.add_client_error(method, service_error_code=code)
                elif expected is ANY:
                    stub.add_response(method, answer)
                else:
                    token = {"NextToken": "more"} if number else {}
                    stub.add_response(method, answer, {**expected, **token})
            stub.activate()
            made._clients[service] = client
        return made

    monkeypatch.setattr(price_lists, "Account", account)


def test_every_page_is_read(monkeypatch):
    stubbed(monkeypatch)
    found = fetch(["g5.xlarge"], ["us-east-1"])
    assert found.gaps == []
    assert found.asked == {
        "GetProducts": 2, "DescribeSpotPriceHistory": 1, "DescribeSavingsPlansOfferingRates": 1,
    }  # fmt: skip
    reading = read_replies(found.replies, as_of="2026-11-27")
    assert {(one.table, one.usd) for one in reading.offers} == {
        ("ec2_on_demand", "1.106"), ("ec2_spot_samples", "0.44"), ("savings_plans", "0.74"),
    }  # fmt: skip


@pytest.mark.parametrize("service", ["pricing", "ec2", "savingsplans"])
def test_what_is_denied_is_a_gap_that_names_the_permission(monkeypatch, service):
    stubbed(monkeypatch, denied=[service])
    found = fetch(["g5.xlarge"], ["us-east-1"])
    (gap,) = found.gaps
    action = next(call.action for call in CALLS if call.service == service)
    assert f"denied; {action} would permit it" in gap
    reading = read_replies(found.replies, as_of="2026-11-27")
    assert len({one.table for one in reading.offers}) == 2


def command(*more):
    return CliRunner().invoke(
        cli,
        ["prices", "refresh", "--live", "--type", "g5.xlarge", "--region", "us-east-1", *more],
    )


def test_the_command(monkeypatch):
    stubbed(monkeypatch)
    ran = command("--format", "json")
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert {row["table"] for row in report["differences"]} == {
        "ec2_on_demand", "ec2_spot_samples", "savings_plans",
    }  # fmt: skip


def test_all_denied_or_expired_ends_with_five(monkeypatch):
    stubbed(monkeypatch, denied=["pricing", "ec2", "savingsplans"])
    refused = command().exception
    assert (type(refused).__name__, refused.exit_code) == ("AccountError", 5)
    assert "pricing:GetProducts would permit it" in str(refused)
    stubbed(monkeypatch, denied=["pricing"], code="ExpiredTokenException")
    refused = command().exception
    assert refused.exit_code == 5
    assert "renew them" in str(refused)


def test_the_least_policy():
    assert iam_policy(CALLS)["Statement"][0]["Action"] == [
        "ec2:DescribeSpotPriceHistory", "pricing:GetProducts",
        "savingsplans:DescribeSavingsPlansOfferingRates",
    ]  # fmt: skip
