"""Prices against the published figures, and every way of having none."""

import pickle
from decimal import Decimal

import pytest

from pricing import (
    AmbiguousPrice,
    CurrencyMismatch,
    InvalidArgument,
    PriceNotFound,
    PricingError,
    UnknownInstance,
    UnknownRegion,
    instance_types,
    price,
    region_code,
    regions,
    serverless_price,
    tables,
)
from pricing.tables import PriceRow


@pytest.mark.parametrize(
    ("instance_type", "region", "usd", "as_of"),
    [
        # Karpenter's generated price table, July 2026.
        ("g5.2xlarge", "us-east-1", "1.212", "2026-07-20"),
        ("g4dn.xlarge", "us-east-1", "0.526", "2026-07-20"),
        ("p5.48xlarge", "us-east-1", "55.04", "2026-07-20"),
        ("p4d.24xlarge", "us-east-1", "21.957642", "2026-07-20"),
        # AWS pricing pages of 2025-06-13.
        ("g5.xlarge", "eu-west-1", "1.123", "2025-06-13"),
        ("g4dn.xlarge", "eu-west-1", "0.587", "2025-06-13"),
        # SageMaker real-time hosting: a published endpoint price map and the Price List API.
        ("ml.g5.2xlarge", "us-east-1", "1.515", "2026-06-19"),
        ("ml.g5.xlarge", "us-east-1", "1.4084", "2025-01-26"),
        ("ml.m5.xlarge", "us-east-1", "0.23", "2025-01-26"),
        ("ml.g4dn.xlarge", "us-east-1", "0.7364", "2025-01-26"),
        # Bill lines of December 2023.
        ("ml.g5.12xlarge", "eu-west-1", "7.91", "2023-12"),
    ],
)
def test_published_price(instance_type, region, usd, as_of):
    found = price(instance_type, region)
    assert found.usd_per_hour == Decimal(usd)
    assert (found.as_of, found.confidence, found.currency) == (as_of, "quoted", "USD")
    assert found.service == ("sagemaker" if instance_type.startswith("ml.") else "ec2")
    assert found.provider == "aws"
    assert found.source


def test_a_single_source_is_said():
    assert price("ml.g5.xlarge", "us-east-1").note == "one source only"
    assert price("ml.m5.xlarge", "us-east-1").note == ""  # confirmed by two


def test_of_two_dated_readings_the_later_wins_and_as_of_goes_back():
    # c6g.metal is one of the few types whose list price differs between the two tables.
    assert price("c6g.metal", "us-east-1").usd_per_hour == Decimal("2.3066")
    before = price("c6g.metal", "us-east-1", as_of="2026-01-01")
    assert (before.usd_per_hour, before.as_of) == (Decimal("2.176"), "2025-06-13")


@pytest.mark.parametrize(
    ("instance_type", "old", "until", "new", "since"),
    [
        ("p5.48xlarge", "98.32", "2025-04-23", "55.04", "2025-06-05"),
        ("p4d.24xlarge", "32.7726", "2025-01-26", "21.957642", "2025-06-13"),
        ("p4de.24xlarge", "40.965", "2025-01-26", "27.44705", "2025-06-13"),
    ],
)
def test_the_cut_of_june_2025(instance_type, old, until, new, since):
    for day in ("2025-01-01", until):
        assert price(instance_type, "us-east-1", as_of=day).usd_per_hour == Decimal(old)
    with pytest.raises(AmbiguousPrice, match="changed on an unknown day") as caught:
        price(instance_type, "us-east-1", as_of="2025-05-20")
    assert len(caught.value.candidates) == 2
    assert price(instance_type, "us-east-1", as_of=since).usd_per_hour == Decimal(new)


def test_a_superseded_hosting_price_is_given_only_for_its_own_time():
    assert price("ml.p5.48xlarge", "us-east-1", as_of="2025-01-01").usd_per_hour == Decimal(
        "113.068"
    )
    with pytest.raises(PriceNotFound):
        price("ml.p5.48xlarge", "us-east-1")


def test_too_early_names_the_earliest_date():
    with pytest.raises(PriceNotFound, match="earliest held is of 2025-06-13"):
        price("g5.xlarge", "us-east-1", as_of="2025-06-12")
    # A reading known only to its month counts from the month's last day.
    with pytest.raises(PriceNotFound, match="earliest held is of 2023-12"):
        price("ml.g5.12xlarge", "eu-west-1", as_of="2023-12-30")
    assert price("ml.g5.12xlarge", "eu-west-1", as_of="2023-12-31").as_of == "2023-12"


def test_derived_only_when_opted_in():
    # Nobody quotes ml.g5.2xlarge hosting in Ohio; EC2 there is 1.212, the usual ratio 1.25.
    with pytest.raises(PriceNotFound) as caught:
        price("ml.g5.2xlarge", "us-east-2")
    assert caught.value.derivable
    assert "--allow-derived" in str(caught.value)
    found = price("ml.g5.2xlarge", "us-east-2", allow_derived=True)
    assert found.usd_per_hour == Decimal("1.212") * Decimal("1.25")
    assert found.confidence == "derived"
    assert "1.212" in found.source
    assert "1.25" in found.source
    assert "not a quoted" in found.note


def test_opting_in_does_not_replace_a_quoted_price():
    assert price("ml.g5.8xlarge", "us-east-1", allow_derived=True).confidence == "quoted"


@pytest.mark.parametrize(
    ("instance_type", "region", "published"),
    # Prices of SageMaker components other than Hosting, as their sources print them.
    [
        ("ml.g5.xlarge", "us-west-2", "1.408"),
        ("ml.g6e.24xlarge", "us-west-2", "18.8319875"),
        ("ml.p4d.24xlarge", "us-west-2", "25.251286"),
        ("ml.p5.48xlarge", "us-west-2", "63.296"),
        ("ml.m5.large", "us-west-2", "0.115"),
        ("ml.g4dn.xlarge", "eu-west-1", "0.822"),
    ],
)
def test_a_derived_price_is_close_to_what_is_published(instance_type, region, published):
    found = price(instance_type, region, allow_derived=True)
    # 0.2 %: the sources print three decimals, of prices from 0.1 USD upwards.
    assert float(found.usd_per_hour) == pytest.approx(float(published), rel=0.002)


def test_a_family_ratio_serves_a_size_nobody_observed():
    found = price("ml.g6e.16xlarge", "us-east-1", allow_derived=True)
    assert "g6e.*" in found.source
    assert found.usd_per_hour == price("g6e.16xlarge", "us-east-1").usd_per_hour * Decimal("1.25")


def test_another_component_is_never_passed_off_as_hosting():
    # us-west-2 holds g7e under no named component, and no EC2 price to reckon from.
    with pytest.raises(PriceNotFound) as caught:
        price("ml.g7e.2xlarge", "us-west-2")
    assert caught.value.derivable
    found = price("ml.g7e.2xlarge", "us-west-2", allow_derived=True)
    assert (found.usd_per_hour, found.confidence) == (Decimal("4.2039"), "derived")
    assert "unspecified" in found.note
    # Training has 2.94; the Hosting row has 3.06.
    assert price("ml.g5.8xlarge", "us-east-1").usd_per_hour == Decimal("3.06")


def test_a_row_of_another_component_is_never_quoted():
    quoted = {
        (row["region"], row["instance_type"])
        for row in tables.read_rows("sagemaker_hosting.csv")
        if row["component"] == "hosting" and row["confidence"] in ("confirmed", "single")
    }
    others = {(row["region"], row["instance_type"]) for row in _unquotable_rows()} - quoted
    assert len(others) > 50
    for region, kind in others:
        with pytest.raises(PriceNotFound):
            price(kind, region)


def _unquotable_rows():
    return [
        row
        for row in tables.read_rows("sagemaker_hosting.csv")
        if row["component"] != "hosting" or row["confidence"] == "superseded"
    ]


def test_spot_is_the_mean_over_zones_and_says_so():
    # The five us-east-1 zones of the snapshot for g5.xlarge.
    zones = [
        Decimal(row["usd_per_hour"])
        for row in tables.read_rows("ec2_spot_samples.csv")
        if (row["region"], row["instance_type"]) == ("us-east-1", "g5.xlarge")
    ]
    found = price("g5.xlarge", "us-east-1", "spot")
    assert found.usd_per_hour == pytest.approx(sum(zones) / len(zones), abs=Decimal("1e-6"))
    assert found.confidence == "sampled"
    assert f"mean of {len(zones)}" in found.note
    assert found.usd_per_hour < price("g5.xlarge", "us-east-1").usd_per_hour


def test_spot_that_is_not_held():
    with pytest.raises(PriceNotFound, match="not sold as spot"):
        price("ml.g5.xlarge", "us-east-1", "spot")
    with pytest.raises(PriceNotFound):
        price("p4d.24xlarge", "us-east-1", "spot")
    with pytest.raises(PriceNotFound, match="earliest held is of 2026-Q3"):
        price("g5.xlarge", "us-east-1", "spot", as_of="2026-09-29")


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("ml.g5.2xlarg", "ml.g5.2xlarge"), ("g5.2xlage", "g5.2xlarge"), ("G5.2XLARGE", "g5.2xlarge")],
)
def test_unknown_instance_names_the_nearest(asked, nearest):
    with pytest.raises(UnknownInstance, match=nearest) as caught:
        price(asked, "us-east-1")
    assert caught.value.instance_type == asked
    assert caught.value.nearest[0] == nearest


def test_unknown_region_names_the_nearest():
    with pytest.raises(UnknownRegion, match="us-east-1") as caught:
        price("g5.2xlarge", "us-eats-1")
    assert caught.value.nearest[0] == "us-east-1"


def test_known_names_without_a_price_name_what_is_near():
    with pytest.raises(PriceNotFound) as caught:
        price("g5.48xlarge", "us-west-1")
    error = caught.value
    assert error.regions[:3] == ("us-east-1", "us-east-2", "us-west-2")  # the same continent first
    assert "us-west-1" not in error.regions
    assert set(error.nearest) <= set(instance_types("us-west-1"))
    assert all(kind.startswith("g") for kind in error.nearest)  # GPU types, not r5 or m5
    assert error.nearest
    assert not error.derivable
    assert "\n" not in str(error)


def test_a_price_in_another_currency_is_never_taken_for_dollars():
    # Karpenter's generated table of China, 2024-11-06.
    found = price("g4dn.xlarge", "cn-north-1")
    assert (found.per_hour, found.currency, found.as_of) == (Decimal("5.223"), "CNY", "2024-11-06")
    with pytest.raises(CurrencyMismatch, match=r"5\.223 CNY .*hosting\.usd_per_hour") as caught:
        _ = found.usd_per_hour
    assert caught.value.exit_code == 5
    assert pickle.loads(pickle.dumps(caught.value)).currency == "CNY"
    # Ningxia is known, and no price of it is held: never Beijing's, never a zero.
    with pytest.raises(PriceNotFound, match="cn-north-1"):
        price("g4dn.xlarge", "cn-northwest-1")
    with pytest.raises(PriceNotFound):
        price("ml.g4dn.xlarge", "cn-north-1", allow_derived=True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("US East (N. Virginia)", "us-east-1"),
        ("us east (n. virginia)", "us-east-1"),
        ("Virginia", "us-east-1"),
        ("EU (Ireland)", "eu-west-1"),
        ("Europe (Ireland)", "eu-west-1"),
        ("Frankfurt", "eu-central-1"),
        ("South America (São Paulo)", "sa-east-1"),
        ("AWS GovCloud (US-West)", "us-gov-west-1"),
        ("US-EAST-1", "us-east-1"),
        ("US East (N. Virginia) (us-east-1)", "us-east-1"),
    ],
)
def test_a_region_in_words(said, code):
    assert price("g4dn.xlarge", said) == price("g4dn.xlarge", code)
    assert serverless_price("lambda", "request", said).region in (code, "any")


def test_a_region_of_another_cloud_in_words():
    azure = price("Standard_NC4as_T4_v3", "eastus")
    assert price("Standard_NC4as_T4_v3", "East US") == azure
    assert price("g2-standard-8", "Iowa (us-central1)") == price("g2-standard-8", "us-central1")


@pytest.mark.parametrize("said", ["Central", "Virgina", "US East", "nowhere (at all)"])
def test_words_that_name_no_region_are_refused(said):
    with pytest.raises(UnknownRegion):
        price("g4dn.xlarge", said)


def test_every_region_name_leads_to_its_own_code():
    for code, name in tables.region_names().items():
        assert region_code(name) == code == region_code(code)


def test_readings_of_one_date_that_disagree_are_refused(monkeypatch):
    rows = [PriceRow("1.0", "2026-06", "one"), PriceRow("1.1", "2026-06-30", "two")]
    key = ("us-east-1", "ml.g5.2xlarge")
    monkeypatch.setattr(tables, "sagemaker_hosting", lambda: {key: rows})
    with pytest.raises(AmbiguousPrice, match="readings of one date disagree") as caught:
        price("ml.g5.2xlarge", "us-east-1")
    assert len(caught.value.candidates) == 2
    assert "1.1" in str(caught.value)


def test_readings_of_one_date_that_agree_are_one(monkeypatch):
    rows = [PriceRow("1.0", "2026-06-30", "one"), PriceRow("1.00", "2026-06-30", "two")]
    key = ("us-east-1", "ml.g5.2xlarge")
    monkeypatch.setattr(tables, "sagemaker_hosting", lambda: {key: rows})
    assert price("ml.g5.2xlarge", "us-east-1").usd_per_hour == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"purchase": "reserved"}, "purchase"),
        ({"as_of": "2026"}, "as_of"),
        ({"as_of": "20260101"}, "as_of"),
        ({"as_of": "2026-02-30"}, "as_of"),
    ],
)
def test_refused_arguments(arguments, named):
    with pytest.raises(InvalidArgument, match=named) as caught:
        price("g5.2xlarge", "us-east-1", **arguments)
    assert caught.value.argument == named


def test_errors_survive_a_worker_process():
    asked = [
        ("g5.2xlage", "us-east-1"),
        ("g5.2xlarge", "us-eats-1"),
        ("g5.48xlarge", "us-west-1"),
        ("p5.48xlarge", "us-east-1", "on-demand", "2025-05-20"),
    ]
    for kind, region, *rest in asked:
        purchase, as_of = rest or ("on-demand", None)
        with pytest.raises(PricingError) as caught:
            price(kind, region, purchase, as_of=as_of)
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert vars(again) == vars(caught.value)


def test_names_are_listed():
    assert {"us-east-1", "eu-west-1", "us-gov-west-1"} <= set(regions())
    # As many as the pricing pages of 2025-06-13 listed, and Beijing.
    assert len(regions()) == 36
    here = instance_types("us-east-1")
    assert {"g5.2xlarge", "ml.g5.2xlarge"} <= set(here)
    assert "ml.g6e.xlarge" not in here  # known, and quoted nowhere as hosting
    assert set(here) < set(instance_types())
    with pytest.raises(UnknownRegion):
        instance_types("nowhere-1")


# One row of each table that was added, as its source has it.
@pytest.mark.parametrize(
    ("kind", "region", "purchase", "usd", "provider", "confidence"),
    [
        ("n1-standard-4", "us-central1", "on-demand", "0.189999", "gcp", "quoted"),
        ("g2-standard-8", "us-central1", "on-demand", None, "gcp", "quoted"),
        ("g2-standard-8", "us-central1", "spot", None, "gcp", "sampled"),
        ("Standard_NC4as_T4_v3", "eastus", "on-demand", "0.526", "azure", "quoted"),
    ],
)
def test_machines_of_other_clouds(kind, region, purchase, usd, provider, confidence):
    found = price(kind, region, purchase)
    if usd is not None:
        assert float(found.usd_per_hour) == pytest.approx(float(usd), rel=0.005)
    assert (found.provider, found.confidence, found.currency) == (provider, confidence, "USD")
    assert found.as_of
    assert found.source


def test_every_row_of_the_other_clouds_is_given():
    for name, purchase in (("cloud_on_demand", "on-demand"), ("cloud_spot", "spot")):
        for row in tables.read_rows(f"{name}.csv"):
            found = price(row["instance_type"], row["region"], purchase)
            assert str(found.usd_per_hour) == row["usd_per_hour"]
            assert found.as_of == row["as_of"]


def test_other_clouds_refuse_with_the_nearest():
    with pytest.raises(UnknownInstance, match="n1-standard-4"):
        price("n1-standart-4", "us-central1")
    with pytest.raises(UnknownInstance, match="Standard_NC4as_T4_v3"):
        price("standard_nc4as_t4_v33", "eastus")
    with pytest.raises(UnknownRegion, match="us-central1"):
        price("n1-standard-4", "us-centrall")
    with pytest.raises(PriceNotFound, match="no spot price of Azure is held"):
        price("Standard_NC4as_T4_v3", "eastus", "spot")
    with pytest.raises(UnknownRegion):
        price("n1-standard-4", "us-east-1")


def test_spot_that_was_not_sampled_is_only_an_estimate():
    # c7i.xlarge us-east-1: 61 % saved on average in the month before 2025-06-28.
    with pytest.raises(PriceNotFound, match="for an estimate"):
        price("c7i.xlarge", "us-east-1", "spot")
    found = price("c7i.xlarge", "us-east-1", "spot", allow_derived=True)
    base = price("c7i.xlarge", "us-east-1").usd_per_hour
    assert found.usd_per_hour == base * Decimal("0.39")
    assert (found.confidence, ">20% interrupted" in found.note) == ("derived", True)
    assert ">20% interrupted in a month" in price("g5.xlarge", "us-east-1", "spot").note


@pytest.mark.parametrize(
    ("service", "item", "region", "usd"),
    [
        ("fargate", "vcpu_hour_x86", "us-east-1", "0.04048"),
        ("ebs_gp3", "gb_month", "us-east-1", "0.08"),
        ("s3", "1000_get_requests", "us-east-1", "0.0004"),
        ("data_transfer", "gb_between_zones_each_way", "eu-west-1", "0.01"),
        ("container_apps", "vcpu_second_active", "eastus", "0.000024"),
        ("modal", "gpu_hour_h100", "us-east-1", "3.95"),
    ],
)
def test_meters(service, item, region, usd):
    found = serverless_price(service, item, region)
    assert found.usd == Decimal(usd)
    assert found.as_of
    assert found.source


def test_the_latest_reading_of_a_meter_on_a_day():
    assert serverless_price("fargate", "vcpu_hour_x86", "us-east-1").as_of == "2026-03-10"
    early = serverless_price("fargate", "vcpu_hour_x86", "us-east-1", as_of="2025-12-01")
    assert early.as_of == "2025-06-05"
    with pytest.raises(PriceNotFound, match="the earliest held is 2025-06-05"):
        serverless_price("fargate", "vcpu_hour_x86", "us-east-1", as_of="2024-01-01")


def test_spot_in_one_zone():
    with_zone = price("g5.xlarge", "us-east-1", "spot", zone="use1-az4")
    rows = tables.ec2_spot().get(("us-east-1", "g5.xlarge"))
    assert {str(with_zone.per_hour)} == {row.per_hour for row in rows if row.note == "use1-az4"}
    assert "zone use1-az4" in with_zone.note
    assert "interrupted in a month" in with_zone.note
    with pytest.raises(InvalidArgument, match="use1-az4"):  # those that are held
        price("g5.xlarge", "us-east-1", "spot", zone="us-east-1a")
    with pytest.raises(InvalidArgument, match="only spot of EC2"):
        price("g5.xlarge", "us-east-1", zone="use1-az4")


def test_a_size_of_fargate_or_cloud_run_is_priced_by_its_name():
    # AWS pricing pages of 2025-06-05: Fargate in eu-west-1 at the prices of us-east-1.
    found = price("fargate-4vcpu-16gb-x86_64", "eu-west-1")
    assert found.per_hour == 4 * Decimal("0.04048") + 16 * Decimal("0.004445")
    assert (found.service, found.region) == ("fargate", "eu-west-1")
    more = price("fargate-4vcpu-16gb-x86_64-100gb-storage", "us-east-1")
    assert more.per_hour - found.per_hour == 80 * Decimal("0.000111")
    zonal = price("cloud-run-4vcpu-16gib-nvidia-l4-zonal", "us-central1")
    plain = price("cloud-run-4vcpu-16gib-nvidia-l4", "us-central1")
    assert float(zonal.per_hour - plain.per_hour) == pytest.approx(104.2e-6 * 3600, abs=1e-9)
    with pytest.raises(InvalidArgument, match="the nearest is 8GiB"):
        price("fargate-4vcpu-1gb-x86_64", "us-east-1")
    with pytest.raises(PriceNotFound, match="no spot price"):
        price("fargate-4vcpu-16gb-x86_64", "us-east-1", "spot")
    with pytest.raises(PriceNotFound, match="nvidia-b9"):
        price("cloud-run-4vcpu-16gib-nvidia-b9", "us-central1")
