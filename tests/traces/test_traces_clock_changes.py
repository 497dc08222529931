"""Local stamps through the hours that a clock repeats and those it skips.

Berlin left summer time on 2024-10-27 at 01:00 UTC (03:00 became 02:00) and entered it on
2024-03-31 at 01:00 UTC (02:00 became 03:00): Directive 2000/84/EC, articles 2 and 3.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from traces import TraceError
from traces.formats import read
from traces.formats._options import Options

BERLIN = Options(time_zone="Europe/Berlin")
BACK = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]


def written(path: Path, day: str, clock: list[str]) -> Path:
    path.write_text("timestamp,prompt_tokens\n" + "".join(f"{day} {at}:00,1\n" for at in clock))
    return path


@pytest.mark.parametrize("clock", [BACK, BACK[::-1]], ids=["oldest first", "newest first"])
def test_an_hour_that_occurs_twice(tmp_path, clock):
    found = read(written(tmp_path / "a.csv", "2024-10-27", clock), None, BERLIN)
    # Half an hour between any two of them on a clock that never turns.
    assert found.arrival_s.tolist() == [0.0, 1800.0, 3600.0, 5400.0, 7200.0, 9000.0]
    assert "2 rows taken as its first pass and 2 as its second" in str(found.report)


def test_an_hour_that_occurs_twice_without_a_step_back(tmp_path):
    found = read(written(tmp_path / "a.csv", "2024-10-27", ["02:00", "03:00"]), None, BERLIN)
    assert found.arrival_s.tolist() == [0.0, 7200.0]  # 00:00 UTC, 02:00 UTC
    assert "1 rows taken as its first pass and 0 as its second" in str(found.report)


def test_an_hour_that_does_not_exist(tmp_path):
    path = written(tmp_path / "a.csv", "2024-03-31", ["01:59", "02:30", "03:00"])
    with pytest.raises(TraceError) as told:
        read(path, None, BERLIN)
    assert f"{path}: line 3: timestamp = '2024-03-31T02:30:00'" in str(told.value)
    assert "the clock of Europe/Berlin skips this hour" in str(told.value)
    found = read(written(tmp_path / "b.csv", "2024-03-31", ["01:59", "03:00"]), None, BERLIN)
    assert found.arrival_s.tolist() == [0.0, 60.0]
