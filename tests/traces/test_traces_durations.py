"""Service times from percentiles of durations."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict.service_draws import read_seconds
from traces import TraceError, service_times

HEAD = (
    "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,"
    "percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,"
    "percentile_Average_99,percentile_Average_100\n"
)
EVEN = "o,a,f,500,300,0,1000,0,10,250,500,750,990,1000\n"  # uniform from 0 to 1 s
STEADY = "o,a,g,2000,100,,,2000,2000,2000,2000,2000,2000,2000\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="d.csv"):
        path = tmp_path / name
        path.write_text(HEAD + text)
        return path

    return write


def test_percentiles_of_a_uniform_duration_give_it_back(file):
    found = service_times([file(EVEN)], 20_000)
    # A uniform law has mean 1/2, deviation 1/sqrt(12): 3 standard errors of 20,000 draws.
    assert found.values_s.mean() == pytest.approx(0.5, abs=3 / np.sqrt(12 * 20_000))
    assert found.values_s.std() == pytest.approx(1 / np.sqrt(12), rel=0.02)
    assert found.values_s.min() >= 0
    assert found.values_s.max() <= 1.0
    for percentile in (1, 25, 50, 75, 99):
        assert np.percentile(found.values_s, percentile) == pytest.approx(
            percentile / 100, abs=0.02
        )


def test_functions_are_drawn_by_their_calls(file):
    found = service_times([file(EVEN + STEADY)], 4_000)
    # 100 of 400 calls take 2 s: one draw in each four-thousandth of all calls gives exactly 1,000.
    assert int((found.values_s == 2.0).sum()) == 1_000
    assert (found.functions, found.calls, found.dropped) == (2, 400, 0)
    one = service_times([file(EVEN + STEADY)], 100, series="g")
    assert set(one.values_s.tolist()) == {2.0}


def test_what_is_missing(file):
    rows = (
        "o,a,h,70,10,,,,,,,,,\n"  # an average alone
        "o,a,i,,10,,,,,,,,,\n"  # nothing
        "o,a,j,5,0,,,5,5,5,5,5,5,5\n"  # never called
    )
    found = service_times([file(rows)], 50)
    assert set(found.values_s.tolist()) == {0.07}
    assert (found.functions, found.dropped) == (1, 2)


def test_the_same_seed_gives_the_same_and_days_add_up(file, tmp_path):
    day = file(EVEN)
    zipped = tmp_path / "e.csv.gz"
    zipped.write_bytes(gzip.compress((HEAD + STEADY).encode()))
    one, two = (service_times([day, zipped], 500, seed=3) for _ in range(2))
    assert one.values_s.tolist() == two.values_s.tolist()
    assert one.calls == 400
    assert one.values_s.tolist() != service_times([day, zipped], 500, seed=4).values_s.tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("o,a,f,x,1,,,1,1,1,1,1,1,1\n", "line 2: average = 'x': no number"),
        ("o,a,f,1,1,,,1,1,1,-1,1,1,1\n", "line 2: percentile_average_50 = '-1'"),
        ("o,a,f,1\n", "line 2: 4 fields; expected 14"),
        ("", "no row with calls"),
    ],
)
def test_what_is_no_duration_is_named_with_its_line(file, text, said):
    with pytest.raises(TraceError, match=said):
        service_times([file(text)])


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("HashOwner,HashApp,SampleCount,AverageAllocatedMb\no,a,1,2\n")
    with pytest.raises(TraceError, match="as function_durations_percentiles has them"):
        service_times([path])


def test_the_command_writes_what_a_scenario_reads(file, tmp_path):
    target = tmp_path / "service.txt"
    ran = CliRunner().invoke(
        cli, ["trace", "service", str(file(EVEN + STEADY)), "--count", "400", "-o", str(target)]
    )
    assert ran.exit_code == 0, ran.output
    assert "2 functions with 400 calls" in ran.stderr
    values = read_seconds(str(target))
    assert len(values) == 400
    assert values.mean() == pytest.approx(0.75 * 0.5 + 0.25 * 2.0, abs=0.05)
