"""What would take all memory, overflow or get lost is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import traces

HEADER_2019 = "HashOwner,HashApp,HashFunction,Trigger,1,2\n"


def test_files_of_counts_that_stand_far_apart(tmp_path):
    for name, year in (("a.csv", 1971), ("b.csv", 2200)):
        stamps = "".join(f"{year}-01-01T00:00:0{k}Z,1\n" for k in range(2))
        (tmp_path / name).write_text("timestamp,count\n" + stamps)
    with pytest.raises(traces.TraceError) as told:
        traces.read(tmp_path)
    said = str(told.value)
    assert "a.csv starts at 1971-01-01T00:00:00Z and b.csv at 2200-01-01T00:00:00Z" in said
    assert "at most 1,000,000" in said


def test_calls_of_2019_that_cannot_be(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER_2019 + "o,a,f,http,1e17,3\n")
    with pytest.raises(traces.TraceError, match="line 2: 1 = '1e17': not a count"):
        traces.read(path)
    # 2^53 - 1 in 1,100 rows would be more than 64 bits hold.
    path.write_text(HEADER_2019 + "o,a,f,http,9007199254740991,3\n" * 1100)
    with pytest.raises(traces.TraceError, match="line 2: 1 = '9007199254740991': not a count"):
        traces.read(path)


def test_parquet_with_a_damaged_origin(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"arrival_s": [0.0, 1.0]})
    for name, origin in (("a", b"{"), ("b", json.dumps({"t0_ns": 0}).encode())):
        path: Path = tmp_path / f"{name}.parquet"
        pq.write_table(table.replace_schema_metadata({b"traces": origin}), path)
        with pytest.raises(traces.TraceError, match=path.name):
            traces.read(path)
