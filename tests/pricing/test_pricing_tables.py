"""Every shipped row is well formed, and declared in columns.csv."""

import csv
import doctest
import importlib
from decimal import Decimal

import pytest

from pricing import TableError, tables

NAMES = sorted(path.stem for path in tables.FOLDER.glob("*.csv"))
DATA = [name for name in NAMES if name != "columns"]
KEYS = {
    "cloud_run": ("region", "resource", "as_of"),
    "ec2_on_demand": ("region", "instance_type", "as_of"),
    "ec2_on_demand_cny": ("region", "instance_type", "as_of"),
    "region_names": ("region",),
    "ec2_spot_samples": ("region", "instance_type", "az_id", "as_of"),
    "sagemaker_hosting": ("region", "instance_type", "component", "as_of"),
    "savings_plans": ("region", "instance_type", "plan", "term_years", "payment", "as_of"),
    "sagemaker_markup": ("ec2_type",),
    "sagemaker_instance_types": ("instance_type",),
    "price_changes": ("region", "instance_type", "first_seen_new"),
    "instance_specs": ("instance_type",),
    "accelerators": ("name",),
    "serverless": ("service", "item", "region"),
    "meters": ("service", "item", "region", "as_of"),
    "cloud_on_demand": ("region", "instance_type", "as_of"),
    "cloud_spot": ("region", "instance_type", "as_of"),
    "ec2_spot_advisor": ("region", "instance_type", "as_of"),
    "sources": ("source_id",),
    "token_apis": ("model",),
}
LONG = ["ec2_on_demand", "ec2_on_demand_cny", "ec2_spot_samples", "cloud_on_demand", "cloud_spot"]
COLUMNS = tables.read_rows("columns.csv")


def declared(name):
    return [row for row in COLUMNS if row["table"] == name]


def test_every_table_has_a_key():
    assert sorted(KEYS) == DATA


@pytest.mark.parametrize("name", DATA)
def test_header_is_declared(name):
    with (tables.FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header == [row["column"] for row in declared(name)]


def test_nothing_is_declared_that_is_not_there():
    assert {row["table"] for row in COLUMNS} == set(DATA)
    assert all(row["meaning"] and row["dtype"] for row in COLUMNS)
    assert all(row["unit"] for row in COLUMNS if row["dtype"] in ("decimal", "int", "float")), (
        "a number without a unit"
    )


@pytest.mark.parametrize("name", DATA)
def test_every_cell_reads_as_declared(name):
    read = {
        "str": str,
        "int": int,
        "float": float,
        "decimal": tables.positive,
        "date": tables.last_day,
    }
    types = {row["column"]: row["dtype"] for row in declared(name)}
    for row in tables.read_rows(f"{name}.csv"):
        for column, text in row.items():
            assert text == text.strip()
            if text or types[column] in ("decimal", "date"):
                value = read[types[column]](text)
                # Spot has been dearer than on demand: a saving may be below 0.
                signed = column == "savings_pct"
                assert types[column] not in ("int", "float") or value > 0 or signed


@pytest.mark.parametrize("name", DATA)
def test_keys_are_unique(name):
    keys = [tuple(row[c] for c in KEYS[name]) for row in tables.read_rows(f"{name}.csv")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", DATA)
def test_every_row_has_a_source(name):
    texts = tables.sources()
    assert all(texts.values())
    for row in tables.read_rows(f"{name}.csv"):
        said = row.get("source") or texts.get(row.get("source_id", "")) or row.get("basis")
        assert said, row


def test_every_source_is_used():
    used = {
        row["source_id"]
        for name in DATA
        if name != "sources"
        for row in tables.read_rows(f"{name}.csv")
        if "source_id" in row
    }
    assert used == set(tables.sources())


@pytest.mark.parametrize("name", LONG)
def test_long_tables_can_be_found_by_text(name):
    text = (tables.FOLDER / f"{name}.csv").read_text(encoding="utf-8")
    assert '"' not in text
    assert "\r" not in text
    assert text.startswith("region,instance_type,")
    assert text.endswith("\n")
    order = []
    for row in tables.read_rows(f"{name}.csv"):
        key = (row["region"], row["instance_type"])
        if not order or order[-1] != key:
            order.append(key)
    assert len(order) == len(set(order)), "lines of one key stand apart"


def test_finding_by_text_gives_what_reading_gives():
    table = tables.ec2_on_demand()
    expected = {}
    for row in tables.read_rows("ec2_on_demand.csv"):
        expected.setdefault((row["region"], row["instance_type"]), []).append(row["usd_per_hour"])
    assert table.held() == set(expected)
    for key in [*list(expected)[::97], list(expected)[-1]]:
        assert [row.per_hour for row in table.get(key)] == expected[key]
    assert table.get(("us-east-1", "g5")) == ()
    assert table.get(("", "")) == ()


def test_ratios_lie_among_those_observed():
    for row in tables.read_rows("sagemaker_markup.csv"):
        low, high = Decimal(row["observed_min"]), Decimal(row["observed_max"])
        # The rule of thumb is rounded to 0.025; ratios of prices with three decimals scatter.
        assert low - Decimal("0.01") <= Decimal(row["ratio"]) <= high + Decimal("0.01")


def test_files_stay_small():
    # Package data: a table of 3 MB would slow every look-up.
    assert all((tables.FOLDER / f"{name}.csv").stat().st_size < 3_000_000 for name in NAMES)


def test_a_malformed_row_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    (tmp_path / "short.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(TableError, match=r"short\.csv, line 3"):
        tables.read_rows("short.csv")
    (tmp_path / "long.csv").write_text(
        "region,instance_type,usd_per_hour,as_of,source_id\nr,i,1,2026\n"
    )
    with pytest.raises(TableError, match=r"long\.csv, line 2") as caught:
        tables.LongTable("long.csv").get(("r", "i"))
    assert caught.value.line == 2


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "26", "2026-02-30", "", "soon"])
def test_dates_refused(text):
    with pytest.raises(ValueError):
        tables.last_day(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "", "1,2"])
def test_prices_refused(text):
    with pytest.raises(ValueError):
        tables.positive(text)


@pytest.mark.parametrize("module", ["", ".billing", ".lookup", ".specs", ".tables"])
def test_examples_in_the_docstrings(module):
    result = doctest.testmod(importlib.import_module(f"pricing{module}"))
    assert result.attempted > 0
    assert result.failed == 0
