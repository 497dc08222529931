"""Price lists of providers: what is taken, what is left out and why, item by item."""

from __future__ import annotations

import gzip
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_lists import (
    HOSTING,
    change,
    get_products,
    meter,
    offer_file,
    product,
    rate,
    sku,
    term,
)

from pricing.errors import OfferError
from pricing.offers import check, read_offers, read_replies

TODAY = "2026-11-27"


def read(tmp_path, *documents, name="list.json", **asked):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(one) for one in documents))
    return read_offers([path], **asked)


def prices(reading):
    return {(one.table, *one.key): one.usd for one in reading.offers}


OTHERS = {
    "another tenancy": product("A2", tenancy="Dedicated"),
    "Windows": product("A3", operatingSystem="Windows"),
    "SQL": product("A4", preInstalledSw="SQL Std"),
    "a reservation that idles": product("A5", capacitystatus="UnusedCapacityReservation"),
    "a licence": product("A6", licenseModel="Bring your own license"),
    "a disk": product("A7", family="Storage"),
}


def test_an_offer_file_gives_the_linux_price_on_shared_tenancy_alone(tmp_path):
    listed = [(product("A1"), "1.0060000000"), *((one, "9.9") for one in OTHERS.values())]
    found = read(tmp_path, offer_file(*listed))
    assert prices(found) == {("ec2_on_demand", "us-east-1", "g5.xlarge"): "1.0060000000"}
    (one,) = found.offers
    assert (one.as_of, one.since) == ("2026-11-20", "2026-11-01")
    assert found.whole == {("ec2_on_demand", "us-east-1")}
    assert (found.tally.items, found.tally.taken) == (7, 1)
    assert sum(found.tally.rejected.values()) == 6
    assert found.tally.first["tenancy is Dedicated"].startswith("A2")


@pytest.mark.parametrize(
    ("usd", "why"),
    [
        ("0.0000000000", "price is zero"),
        ("-1.0", "price is negative"),
        ("free", "price is not a number"),
        (term("A1", "7.8", currency="CNY"), "currency is CNY"),
        (term("A1", "1", unit="Quantity"), "unit is Quantity"),
        (term("A1", "1", since="2027-01-01T00:00:00Z"), "not yet in force"),
        ({**term("A1", "1"), "A1.OTHER": term("A1", "2")["A1.JRTCKXETXF"]}, "disagree"),
        (None, "no on-demand term"),
    ],
)
def test_what_is_no_price_is_counted_with_its_reason(tmp_path, usd, why):
    found = read(tmp_path, offer_file((product("A1"), usd)))
    assert found.offers == []
    assert any(why in reason for reason in found.tally.rejected), found.tally.rejected
    assert found.tally.items == sum(found.tally.rejected.values()) == 1


def test_the_price_list_of_sagemaker_is_that_of_hosting_and_of_serverless(tmp_path):
    training = product("B2", "ML Instance", HOSTING, component="Training")
    memory = product("B3", "ML Serverless", HOSTING, usagetype="EUW1-ServerlessInf:Mem-4GB",
                     component="")  # fmt: skip
    found = read(
        tmp_path,
        offer_file(
            (product("B1", "ML Instance", HOSTING), "1.69"), (training, "1.5"),
            (memory, term("B3", "0.0000880000", unit="Second")), service="AmazonSageMaker",
        ),
    )  # fmt: skip
    assert prices(found) == {
        ("sagemaker_hosting", "eu-west-1", "ml.g5.2xlarge", "hosting"): "1.69",
        ("serverless", "sagemaker_serverless", "second_4096", "eu-west-1"): "0.0000880000",
    }
    assert found.tally.rejected == {"component is Training": 1}


def test_saved_replies_of_get_products_in_any_wrapping(tmp_path):
    one, two = product("A1"), product("A2", instanceType="g5.2xlarge")
    first, second = get_products((one, "1.006")), get_products((two, "1.212"))
    expected = {
        ("ec2_on_demand", "us-east-1", "g5.xlarge"): "1.006",
        ("ec2_on_demand", "us-east-1", "g5.2xlarge"): "1.212",
    }
    assert prices(read(tmp_path, first, second)) == expected  # JSON lines
    assert prices(read(tmp_path, [first, second])) == expected  # a list of replies
    assert prices(read(tmp_path, [*first["PriceList"], *second["PriceList"]])) == expected
    zipped = tmp_path / "list.json.gz"
    zipped.write_bytes(gzip.compress(json.dumps([first, second]).encode()))
    assert prices(read_offers([zipped])) == expected
    narrowed = read(tmp_path, first, second, types=["g5.2xlarge"])
    assert set(prices(narrowed)) == {("ec2_on_demand", "us-east-1", "g5.2xlarge")}
    assert narrowed.tally.rejected == {"type not asked for": 1}


def test_the_newest_change_of_each_zone_is_its_spot_price(tmp_path):
    reply = {"SpotPriceHistory": [
        change("0.44"), change("0.40", since="2026-11-18T00:00:00Z"),
        change("0.46", zone="us-east-1b", zone_id="use1-az6", since="2026-11-01T05:00:00+02:00"),
        change("0.9", product="Windows"), change("0", zone_id="use1-az1"),
    ]}  # fmt: skip
    found = read(tmp_path, reply)
    believed = check(found.offers, found.tally, today=TODAY)
    assert {(one.key[2], one.usd) for one in believed} == {("use1-az4", "0.44"),
                                                           ("use1-az6", "0.46")}  # fmt: skip
    # A zone whose price has not moved still has it on the day of the snapshot.
    assert {one.as_of for one in believed} == {"2026-11-20"}
    assert found.tally.rejected == {
        "product is Windows": 1, "price is zero": 1, "superseded by a later one": 1,
    }  # fmt: skip


def test_azure_leaves_windows_and_low_priority_and_keeps_spot_apart(tmp_path):
    items = [
        meter(0.526), meter(0.9, product="Virtual Machines NCasT4_v3 Series Windows"),
        meter(0.0789, meter="NC4as T4 v3 Spot"), meter(0.1, meter="NC4as T4 v3 Low Priority"),
        meter(383.98, unitOfMeasure="1/Month"), meter(0.5, type="Reservation"),
        meter(0.4, currencyCode="EUR"),
    ]  # fmt: skip
    found = read(tmp_path, {"Items": items, "NextPageLink": None, "Count": 7}, as_of=TODAY)
    assert prices(found) == {
        ("cloud_on_demand", "eastus", "Standard_NC4as_T4_v3"): "0.526",
        ("cloud_spot", "eastus", "Standard_NC4as_T4_v3"): "0.0789",
    }
    assert sum(found.tally.rejected.values()) == 5


def test_parts_of_a_google_machine_are_summed(tmp_path):
    # g2-standard-8: 8 cores, 32 GiB and an L4.
    skus = [
        sku("G2 Instance Core running in Americas", 24_988_000),
        sku("G2 Instance Ram running in Americas", 2_927_000, unit="GiBy.h"),
        sku("Nvidia L4 GPU running in Americas", 560_040_000),
        sku("Spot Preemptible G2 Instance Core running in Iowa", 9_000_000, usage="Preemptible"),
        sku("N2 Instance Core running in Americas", 31_611_000),
    ]  # fmt: skip
    found = read(tmp_path, {"skus": skus}, as_of=TODAY)
    by_name = {one.name: one.usd for one in found.offers}
    assert float(by_name["g2-standard-8"]) == pytest.approx(
        8 * 0.024988 + 32 * 0.002927 + 0.56004, abs=1e-12
    )
    assert {one.table for one in found.offers} == {"cloud_on_demand"}
    # A core without its memory makes no machine.
    assert found.tally.rejected == {"no other part to sum with": 2}


def test_rates_of_savings_plans(tmp_path):
    three_years = rate("0.5", seconds=94_608_000, payment="All Upfront")
    hosting = rate("1.09", plan="SageMaker", kind="ml.g5.2xlarge")
    rates = [rate("0.74"), three_years, hosting, rate("1", seconds=1)]
    found = read(tmp_path, {"searchResults": rates}, as_of=TODAY)
    assert prices(found) == {
        ("savings_plans", "us-east-1", "g5.xlarge", "compute", "1", "no_upfront"): "0.74",
        ("savings_plans", "us-east-1", "g5.xlarge", "compute", "3", "all_upfront"): "0.5",
        ("savings_plans", "us-east-1", "ml.g5.2xlarge", "sagemaker", "1", "no_upfront"): "1.09",
    }


@pytest.mark.parametrize(
    ("usd", "kept"),
    # The shipped table has 1.006 for g5.xlarge: twice and half of it are the bounds.
    [("1.006", True), ("2.012", True), ("0.503", True), ("2.0121", False), ("0.5029", False),
     ("100.6", False)],
)  # fmt: skip
def test_an_outlier_is_left_out(tmp_path, usd, kept):
    found = read(tmp_path, offer_file((product("A1"), usd)))
    assert bool(check(found.offers, found.tally, today=TODAY)) == kept
    if not kept:
        assert "was 1.006" in found.tally.first["outlier"]


def test_a_new_type_is_judged_by_its_family(tmp_path):
    # g5 sizes cost 0.1 to 0.25 an hour for each virtual CPU.
    new = product("A9", instanceType="g5.xlarge", regionCode="mx-central-1")
    near = read(tmp_path, offer_file((new, "1.2")))
    assert check(near.offers, near.tally, today=TODAY)
    far = read(tmp_path, offer_file((new, "120")))
    assert not check(far.offers, far.tally, today=TODAY)
    assert "family" in far.tally.first["outlier"]


def test_a_reading_of_a_day_to_come_is_not_believed(tmp_path):
    found = read(tmp_path, offer_file((product("A1"), "1.006"), published="2026-12-24T00:00:00Z"))
    assert check(found.offers, found.tally, today=TODAY) == []
    assert found.tally.rejected == {"of a day to come": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "holds none of what is known"), ("{}", "holds none of what is known"),
     ('{"PriceList": [', "list.json"), ("<html>", "list.json"), ('{"a": 1}', "holds none")],
)  # fmt: skip
def test_what_is_no_price_list_is_refused_by_name(tmp_path, text, said):
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(OfferError, match=said) as caught:
        read_offers([path])
    assert str(path) in str(caught.value)


def test_the_order_of_the_items_decides_nothing(tmp_path):
    listed = [(product("A1"), "1.006"), (product("A2", instanceType="g5.2xlarge"), "1.212"),
              (product("A3", instanceType="g5.4xlarge"), "1.624"),
              (product("A4", operatingSystem="Windows"), "2"),
              (product("A5"), "1.007")]  # fmt: skip
    seen = set()
    for seed in range(10):
        mixed = listed[:]
        random.Random(seed).shuffle(mixed)
        found = read(tmp_path, offer_file(*mixed))
        believed = check(found.offers, found.tally, today=TODAY)
        seen.add((tuple(believed), tuple(sorted(found.tally.rejected.items()))))
    assert len(seen) == 1
    ((believed, _),) = seen
    # Two SKUs of one key and day that disagree are both left out.
    assert {one.name for one in believed} == {"g5.2xlarge", "g5.4xlarge"}


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=8)
)
JSONISH = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
LISTS = st.sampled_from(["PriceList", "SpotPriceHistory", "Items", "skus", "searchResults"])
GOOD = {
    "PriceList": get_products((product("A1"), "1.006"))["PriceList"][0],
    "SpotPriceHistory": change("0.44"), "Items": meter(0.5),
    "skus": sku("G2 Instance Core running in Americas", 1), "searchResults": rate("0.7"),
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(LISTS, st.lists(JSONISH, max_size=6), st.randoms(use_true_random=False))
def test_whatever_the_items_are_each_is_taken_or_counted(key, junk, chance):
    items = [*junk, GOOD[key]]
    chance.shuffle(items)
    found = read_replies([json.dumps({key: items})], as_of=TODAY)
    check(found.offers, found.tally, today=TODAY)
    assert found.tally.items == found.tally.taken + sum(found.tally.rejected.values())
    assert found.tally.items >= len(items)
    assert set(found.tally.first) == set(found.tally.rejected)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([offer_file((product("A1"), "1.006")), get_products((product("A1"), "1"))]),
       st.data())  # fmt: skip
def test_a_list_that_is_cut_or_spoilt_is_refused_or_read_never_more(document, data):
    text = json.dumps(document)
    at = data.draw(st.integers(0, len(text) - 1))
    spoilt = text[:at] + data.draw(st.sampled_from(["", "\0", '"', "}", "[", "9"])) + text[at + 1 :]
    for one in (text[:at], spoilt):
        try:
            found = read_replies([one], as_of=TODAY)
        except OfferError:
            continue
        assert len(found.offers) <= 1
