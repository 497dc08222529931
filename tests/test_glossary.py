"""The glossary is what the declarations say, and the declarations are well formed."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DECLARATIONS = sorted(
    path
    for package in ("modeler", "pricing", "traces")
    for path in (ROOT / package).rglob("columns.csv")
)


def test_the_glossary_is_current() -> None:
    script = ROOT / "docs" / "make_glossary.py"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: path.parent.name)
def test_every_column_is_declared_once_and_whole(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert list(rows[0]) == ["table", "column", "dtype", "unit", "meaning"]
    names = [(row["table"], row["column"]) for row in rows]
    assert len(set(names)) == len(names), "declared twice"
    tables = [row["table"] for row in rows]
    runs = [table for i, table in enumerate(tables) if i == 0 or tables[i - 1] != table]
    assert len(set(runs)) == len(runs), "a table's columns stand together"
    for row in rows:
        assert None not in row, f"too many fields: {row}"
        assert row["dtype"], f"no dtype: {row}"
        assert row["meaning"], f"no meaning: {row}"
