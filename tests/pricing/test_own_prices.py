"""Prices of one's own: read beside the shipped ones, written whole or not at all, put back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from price_lists import change, offer_file, product, rate

from modeler.cli.main import cli
from pricing import TableError, price, tables
from pricing.errors import StoreError
from pricing.offers import apply, check, differences, read_offers, restore
from pricing.offers import store as offers_store

TODAY = "2026-11-27"
DAY = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
LIST = offer_file(
    (product("A1"), "1.106"), (product("A2", instanceType="g5.2xlarge"), "1.212"),
)  # fmt: skip


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of one's own prices, forgotten again at the end."""
    folder = tmp_path / "own"
    monkeypatch.setenv("MODELER_PRICES", str(folder))
    offers_store._forget()
    yield folder
    monkeypatch.setenv("MODELER_PRICES", "")
    offers_store._forget()


@pytest.fixture
def listed(tmp_path):
    def write(document=LIST, name="list.json"):
        path = tmp_path / name
        path.write_text(json.dumps(document))
        os.utime(path, (DAY, DAY))  # what has no date of its own is of the file's day
        return path

    return write


def believed(path):
    reading = read_offers([path])
    return check(reading.offers, reading.tally, today=TODAY), reading


def test_new_prices_stand_beside_the_shipped_ones_by_their_day(own, listed):
    shipped = price("g5.xlarge", "us-east-1")
    assert (shipped.per_hour, shipped.as_of) == (Decimal("1.006"), "2026-07-20")
    found, _ = believed(listed())
    written = apply(found)
    assert sorted(path.name for path in written) == ["ec2_on_demand.csv", "sources.csv"]
    now = price("g5.xlarge", "us-east-1")
    assert (now.per_hour, now.as_of) == (Decimal("1.106"), "2026-11-20")
    assert now.source == "AWS Price List, offer file of AmazonEC2, 2026-11-20 (your prices)"
    # A replay of an earlier day still has the price of that day.
    assert price("g5.xlarge", "us-east-1", as_of="2026-08-01") == shipped
    restore()
    assert price("g5.xlarge", "us-east-1") == shipped
    restore()  # and back again
    assert price("g5.xlarge", "us-east-1") == now


def test_the_difference_says_new_changed_same_and_gone(own, listed):
    new = product("A3", instanceType="g5.xlarge", regionCode="cn-moon-1")
    found, reading = believed(
        listed(offer_file((product("A1"), "1.106"), (new, "1.0"),
                          (product("A2", instanceType="g5.2xlarge"), "1.212")))
    )  # fmt: skip
    told = differences(found, reading.whole)
    by_key = {one.key: one for one in told}
    changed = by_key["us-east-1", "g5.xlarge"]
    assert (changed.status, changed.old, changed.new) == ("changed", "1.006", "1.106")
    assert changed.percent == pytest.approx(100 * 0.1 / 1.006, abs=1e-9)
    assert by_key["us-east-1", "g5.2xlarge"].status == "same"
    assert by_key["cn-moon-1", "g5.xlarge"].status == "new"
    # An offer file has everything on sale in its region: g4dn is not among it.
    assert by_key["us-east-1", "g4dn.xlarge"].status == "gone"
    assert ("eu-west-1", "g4dn.xlarge") not in by_key
    assert not any(one.status == "gone" for one in differences(found))


def test_applying_twice_changes_nothing(own, listed):
    found, _ = believed(listed())
    apply(found)
    before = {path.name: path.read_bytes() for path in own.glob("*.csv")}
    apply(found)
    assert {path.name: path.read_bytes() for path in own.glob("*.csv")} == before
    assert {one.status for one in differences(found)} == {"same"}


def test_earlier_readings_of_ones_own_stay(own, listed):
    apply(believed(listed())[0])
    later = offer_file((product("A1"), "1.2"), published="2026-11-25T00:00:00Z")
    apply(believed(listed(later))[0])
    assert price("g5.xlarge", "us-east-1").per_hour == Decimal("1.2")
    assert price("g5.xlarge", "us-east-1", as_of="2026-11-21").per_hour == Decimal("1.106")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("region,instance_type\n", "expected region,instance_type,usd_per_hour"),
        ("{header}us-east-1,g5.xlarge,free,2026-11-20,s\n", "line 2: usd_per_hour: 'free'"),
        ("{header}us-east-1,g5.xlarge,0,2026-11-20,s\n", "line 2.*not a positive price"),
        ("{header}us-east-1,g5.xlarge,1,yesterday,s\n", "line 2: as_of"),
        ("{header}us-east-1,g5.xlarge,1,2026-11-20,s\n", "source_id s is not in sources.csv"),
        ("{header}us-east-1,g5.xlarge,1\n", "line 2: 3 fields, expected 5"),
        ("", "is empty"),
    ],
)
def test_a_damaged_table_of_ones_own_is_named_with_its_line(own, text, said):
    own.mkdir()
    header = "region,instance_type,usd_per_hour,as_of,source_id\n"
    (own / "ec2_on_demand.csv").write_text(text.replace("{header}", header))
    with pytest.raises(TableError, match=said) as caught:
        price("g5.xlarge", "us-east-1")
    assert str(own) in str(caught.value)
    assert caught.value.exit_code == 2


def test_two_refreshes_at_once_are_refused(own, listed):
    found, _ = believed(listed())
    with offers_store._locked(own), pytest.raises(StoreError, match="another refresh is at work"):
        apply(found)
    apply(found)


def test_a_full_disk_leaves_the_tables_as_they_were(own, listed, monkeypatch):
    apply(believed(listed())[0])
    before = {path.name: path.read_bytes() for path in own.glob("*.csv")}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    later = offer_file((product("A1"), "1.2"), published="2026-11-25T00:00:00Z")
    with pytest.raises(StoreError, match="No space left on device; the tables are as they were"):
        apply(believed(listed(later))[0])
    assert {path.name: path.read_bytes() for path in own.glob("*.csv")} == before
    assert not [path for path in own.iterdir() if path.name.startswith(".ec2")]


def test_a_folder_that_cannot_be_written_and_none_to_restore(own, listed, tmp_path):
    own.write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        apply(believed(listed())[0])
    own.unlink()
    with pytest.raises(StoreError, match="nothing to restore"):
        restore()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this platform")
def test_killed_at_any_instant_the_tables_read_and_are_old_or_new(own, listed):
    """Twelve processes that apply two lists in turn, each killed a little later than the last."""
    apply(believed(listed())[0])
    script = (
        "import sys; from pathlib import Path; from pricing.offers import *\n"
        "lists = [read_offers([p]).offers for p in sys.argv[1:]]\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for one in lists: apply(one)\n"
    )
    other = offer_file((product("A1"), "1.2"))
    paths = [str(listed(LIST, "one.json")), str(listed(other, "two.json"))]
    root = str(Path(__file__).parents[2])
    for number in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *paths], cwd=root, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.003 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        offers_store._forget()
        assert price("g5.xlarge", "us-east-1").per_hour in (Decimal("1.106"), Decimal("1.2"))
        assert price("g5.2xlarge", "us-east-1").per_hour == Decimal("1.212")


# --- the command ---


def run(*args):
    ran = CliRunner().invoke(cli, ["prices", *args])
    offers_store._forget()
    return ran


def test_refresh_shows_and_keeps_only_when_told(own, listed):
    path = str(listed())
    shown = run("refresh", "--from", path, "--format", "json")
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report["counts"]["changed"] == 1
    assert report["written"] == []
    assert not own.exists()
    assert "nothing was written: --apply keeps them" in shown.stderr
    applied = run("refresh", "--from", path, "--apply")
    assert applied.exit_code == 0, applied.output
    assert "prices restore goes back" in applied.stderr
    assert price("g5.xlarge", "us-east-1").per_hour == Decimal("1.106")
    assert run("restore").exit_code == 0
    assert price("g5.xlarge", "us-east-1").per_hour == Decimal("1.006")


def test_what_is_left_out_is_said_by_reason(own, listed):
    windows = product("A4", operatingSystem="Windows")
    ran = run("refresh", "--from", str(listed(offer_file((windows, "2"), (product("A1"), "99")))))
    assert "left out 1: operatingSystem is Windows (first: A4" in ran.stderr
    assert "left out 1: outlier (first: us-east-1 g5.xlarge 99, was 1.006" in ran.stderr


def test_usage(own, listed):
    assert "give either --from FILE, or --live" in run("refresh").output
    assert run("refresh").exit_code == 2
    assert "name them" in run("refresh", "--live").output
    assert "go with --live" in run("refresh", "--from", str(listed()), "--profile", "x").output


def test_the_list_of_tables(own):
    ran = run("list", "--format", "json")
    rows = {row["table"]: row for row in json.loads(ran.stdout)["tables"]}
    assert rows["ec2_on_demand"]["prices"] == len(tables.read_rows("ec2_on_demand.csv"))
    assert rows["ec2_on_demand"]["yours"] == 0
    assert rows["savings_plans"]["prices"] == 0


def test_spot_and_plans_of_ones_own(own, listed):
    apply(believed(listed({"SpotPriceHistory": [change("0.31")]}, "s.json"))[0])
    assert price("g5.xlarge", "us-east-1", "spot").per_hour == Decimal("0.31")
    apply(believed(listed({"searchResults": [rate("0.74")]}, "p.json"))[0])
    assert [row["usd_per_hour"] for row in tables.read_rows("savings_plans.csv")] == ["0.74"]


def test_a_commitment_takes_the_rates_that_were_read(own, listed):
    # g5.xlarge on demand is 1.006 an hour; under the plan 0.704: 30.02 % off.
    apply(believed(listed({"searchResults": [rate("0.704")]}, "p.json"))[0])
    args = ["commit", "--set", "hosting.kind=ec2_asg", "--instance", "g5.xlarge", "--size", "1GB",
            "--set", "policy.kind=fixed", "--set", "policy.replicas=1"]  # fmt: skip
    ran = CliRunner().invoke(cli, [*args, "--format", "json"])
    assert ran.exit_code == 0, ran.output
    (found,) = json.loads(ran.stdout)["commitments"]
    assert found["discount"] == pytest.approx(1 - 0.704 / 1.006, abs=1e-6)
    assert found["usd_per_hour"] == pytest.approx(0.704, abs=1e-5)
    assert "1 y, no upfront, $0.704 an hour, 2026-" in ran.stderr
    none = CliRunner().invoke(cli, [*args, "--plan", "ec2_instance"])
    assert none.exit_code == 2
    assert "give --discount, or read them with prices refresh" in none.output


def test_a_misspelt_name_is_told_with_the_nearest(own, listed):
    ran = run("refresh", "--from", str(listed()), "--type", "g5.xlrge", "--region", "us-eest-1")
    assert ran.exit_code == 0
    assert 'no table knows "g5.xlrge"; nearest: g5.xlarge' in ran.stderr
    (line,) = [line for line in ran.stderr.splitlines() if "us-eest-1" in line]
    assert "us-east-1" in line
