"""``modeler price``: exit codes, formats, and what it must not import."""

import csv
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from modeler.cli.main import main
from pricing.tables import age_warning

ROOT = Path(__file__).parents[2]


def run(capsys, *args):
    with pytest.raises(SystemExit) as caught:
        main(["price", *args])
    out, err = capsys.readouterr()
    return caught.value.code, out, err


def test_json(capsys):
    code, out, _ = run(capsys, "ml.g5.2xlarge", "--region", "us-east-1", "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert found["schema"] == "price/1"
    assert found["usd_per_hour"] == 1.515
    assert found["as_of"] == "2026-06-19"
    assert found["source"]
    assert (
        found
        | {
            "instance_type": "ml.g5.2xlarge",
            "region": "us-east-1",
            "currency": "USD",
            "provider": "aws",
            "service": "sagemaker",
            "purchase": "on-demand",
            "confidence": "quoted",
        }
        == found
    )


def test_table_shows_the_price_to_its_last_digit(capsys):
    code, out, _ = run(capsys, "p4d.24xlarge", "--region", "us-east-1")
    assert code == 0
    assert "21.957642" in out
    assert "2026-07-20" in out


def test_csv_into_a_file(capsys, tmp_path):
    target = tmp_path / "price.csv"
    code, out, _ = run(capsys, "g5.xlarge", "--format", "csv", "-o", str(target))
    assert (code, out) == (0, "")
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert row["usd_per_hour"] == "1.006"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["ml.g5.2xlarg"], 2, "ml.g5.2xlarge"),
        (["ml.g5.2xlarge", "--region", "us-esat-1"], 2, "us-east-1"),
        (["ml.g5.2xlarge", "--region", "us-east-2"], 5, "--allow-derived"),
        (["g5.2xlarge", "--region", "us-west-1"], 5, "us-west-2"),
        (["p5.48xlarge", "--as-of", "2025-05-20"], 5, "98.32"),
        (["g5.2xlarge", "--as-of", "yesterday"], 2, "YYYY-MM-DD"),
        (["g5.2xlarge", "--purchase", "reserved"], 2, "spot"),
    ],
)
def test_refusals(capsys, args, code, said):
    got, out, err = run(capsys, *args)
    assert got == code
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_options_reach_the_look_up(capsys):
    code, out, _ = run(
        capsys, "ml.g5.2xlarge", "--region", "us-east-2", "--allow-derived", "--format", "json"
    )
    assert code == 0
    assert json.loads(out)["confidence"] == "derived"
    code, out, _ = run(capsys, "g5.xlarge", "--purchase", "spot", "--format", "json")
    assert code == 0
    assert json.loads(out)["purchase"] == "spot"


def test_an_old_price_is_warned_of_unless_its_day_was_asked_for(capsys):
    _, out, err = run(capsys, "ml.g5.2xlarge", "--region", "us-east-1", "--format", "json")
    days = (date.today() - date(2026, 6, 19)).days  # what the table holds was read that day
    said = f"is {days} days old (as of 2026-06-19); check it before you decide"
    assert (said in err) == (days > 90)
    assert json.loads(out)["usd_per_hour"] == 1.515
    _, _, err = run(capsys, "ml.g5.2xlarge", "--as-of", "2026-07-01")
    assert err == ""


@pytest.mark.parametrize(
    ("as_of", "today", "said"),
    [
        ("2026-01-01", date(2026, 4, 1), ""),  # 90 days
        ("2026-01-01", date(2026, 4, 2), "is 91 days old"),
        ("2026-01", date(2026, 4, 2), ""),  # of the month its last day counts
        ("2025", date(2026, 4, 1), "is 91 days old"),
        (None, date(2026, 4, 1), ""),
    ],
)
def test_the_age_of_a_price(as_of, today, said):
    found = age_warning("g5.xlarge", "us-east-1", as_of, today)
    assert (said in found) if said else (found == "")


def test_nothing_heavy_is_imported():
    code = (
        "import sys\n"
        "from modeler.cli.main import main\n"
        "try:\n"
        "    main(['price', 'ml.g5.2xlarge', '--region', 'us-east-1'])\n"
        "except SystemExit as done:\n"
        "    assert done.code == 0, done.code\n"
        "heavy = {'pandas', 'scipy', 'numba', 'boto3', 'matplotlib', 'pydantic', 'numpy'}\n"
        "found = sorted(heavy & set(sys.modules))\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
