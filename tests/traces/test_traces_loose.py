"""Layouts that no format has, put as lines that one does: each with its sums worked out by hand."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import CountSeries, Trace
from traces.errors import TraceError
from traces.formats import read
from traces.formats._options import Options

# 5 requests in the minute of midnight, 7 three minutes later, 11 the minute after: the minutes
# between are idle.
COUNTS = [5, 0, 0, 7, 11]
MIDNIGHT_NS = 804_556_800 * 10**9  # 1995-07-01 00:00 UTC


@pytest.fixture
def file(tmp_path):
    def write(text, name="traffic.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "      5 01/Jul/1995:00:00\n      7 01/Jul/1995:00:03\n     11 01/Jul/1995:00:04\n",
        "5 1995-07-01 00:00\n7 1995-07-01 00:03\n11 1995-07-01 00:04\n",
        "5 804556800\n7 804556980\n11 804557040\n",
        "1995-07-01T00:00:00Z 5\n1995-07-01T00:03:00Z 7\n1995-07-01T00:04:00Z 11\n",
        "1995-07-01 00:00,5\n1995-07-01 00:03,7\n1995-07-01 00:04,11\n",
        "1995-07-01 00:00\t5\r\n1995-07-01 00:03\t7\r\n1995-07-01 00:04\t11\r\n",
        "804556800,5\n804556980,7\n804557040,11\n",
        '"1995-07-01 00:00:00","5"\n"1995-07-01 00:03:00","7"\n"1995-07-01 00:04:00","11"\n',
        "minute,hits\n[01/Jul/1995:00:00],5\n[01/Jul/1995:00:03],7\n[01/Jul/1995:00:04],11\n",
        "time,count\n01/Jul/1995:02:00:00 +0200,5\n01/Jul/1995:02:03:00 +0200,7\n"
        "01/Jul/1995:02:04:00 +0200,11\n",
        '"timestamp","total"\n"1995-07-01 00:00:00","5"\n"1995-07-01 00:03:00","7"\n'
        '"1995-07-01 00:04:00","11"\n',
        "timestamp,requests_per_minute\n1995-07-01 00:00,5\n1995-07-01 00:03,7\n"
        "1995-07-01 00:04,11\n",
    ],
)
def test_counts_by_the_minute_with_idle_ones_left_out(file, text):
    found = read(file(text))
    assert isinstance(found, CountSeries)
    assert found.counts.tolist() == COUNTS
    assert (found.bin_s, found.t0_ns, found.duration_s) == (60.0, MIDNIGHT_NS, 300.0)
    assert (found.report.rows, found.report.filled, found.report.dropped) == (3, 2, 0)


PAIRS = [[804_556_800 + 60 * k, n] for k, n in enumerate(COUNTS) if n]
OBJECTS = [dict(zip(("timestamp", "count"), pair, strict=True)) for pair in PAIRS]


@pytest.mark.parametrize(
    "document",
    [PAIRS, OBJECTS, {"data": PAIRS}, {"status": "ok", "result": OBJECTS, "took": 3}],
)
def test_a_list_of_json_counts(file, document):
    found = read(file(json.dumps(document)))
    assert found.counts.tolist() == COUNTS
    assert found.t0_ns == MIDNIGHT_NS
    assert "of JSON, its items counted as lines" in found.report.notes[0]


def test_a_list_of_json_requests(file):
    requests = [
        {"timestamp": 0.5 * k, "prompt_tokens": k, "completion_tokens": 2} for k in range(9)
    ]
    for document in (requests, {"requests": requests}):
        found = read(file(json.dumps(document, indent=1)))
        assert isinstance(found, Trace)
        assert found.arrival_s.tolist() == [0.5 * k for k in range(9)]
        assert found.columns["prompt_tokens"].tolist() == list(range(9))


def test_rows_of_several_clients_add_up_in_json_lines(file):
    rows = [{"timestamp": 60 * (k // 3), "model": "abc"[k % 3], "count": k} for k in range(9)]
    found = read(file("\n".join(map(json.dumps, rows))))
    assert found.counts.tolist() == [0 + 1 + 2, 3 + 4 + 5, 6 + 7 + 8]
    assert found.report.rows == 9
    assert "summed over 3 values of model" in found.report.notes
    rows[4]["model"] = "a"  # twice in one minute, and not at all for b
    with pytest.raises(TraceError, match="line 5: another row of the same"):
        read(file("\n".join(map(json.dumps, rows))))


def test_lines_with_several_requests_each(file):
    line = {"Prompt Length": 5, "Output Length": 6, "prompt": "x"}
    rows = [{"timestamp": 1500 * k, "requests": [line] * (k + 1)} for k in range(3)]
    text = "\n".join(map(json.dumps, rows)) + "\n"
    found = read(file(text))
    assert found.arrival_s.tolist() == [0, 1.5, 1.5, 3, 3, 3]  # milliseconds
    assert found.columns["output_tokens"].tolist() == [6.0] * 6
    with pytest.raises(TraceError, match="line 4: not a stamp and its requests"):
        read(file(text + '{"timestamp": 1}\n'))


def test_one_long_line_of_counts(file):
    path = file(" ".join(str(k % 4) for k in range(40)))
    found = read(path)
    assert found.counts.tolist() == [k % 4 for k in range(40)]
    assert found.bin_s == 1.0
    assert read(path, options=Options(bin_s=60.0)).duration_s == 2400.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Two of one stamp are requests with a number beside them, not counts.
        ("804556800,5\n804556800,7\n804556980,9\n", "2 columns without a header"),
        ("1995-07-01 00:00,0.5\n1995-07-01 00:03,0.7\n", "2 columns without a header"),
        ("5 1995-07-01 00:00\n7 1995-07-01 00:03\nmany 1995-07-01 00:04\n", "line 1"),
        ('[{"a": 1}]', "no format recognised"),
        ("[1, 2, 3]", "no format recognised"),
        ("[[1, 2, 3]]", "no format recognised"),
        ('{"data": []}', "no format recognised"),
        ('[{"timestamp": 1}', "not JSON"),
    ],
)
def test_what_may_be_something_else_is_refused(file, text, said):
    with pytest.raises(TraceError, match=said):
        read(file(text))


def test_a_bad_row_far_down_is_named_with_its_line(file):
    rows = [f"{k + 1} 1995-07-01 00:{k:02}\n" for k in range(40)]
    rows[30] = "lots 1995-07-01 00:30\n"
    with pytest.raises(TraceError, match="line 31"):
        read(file("".join(rows)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40).filter(any), st.data())
def test_whichever_way_counts_are_written_none_is_lost(tmp_path_factory, counts, data):
    stamps = 1_700_000_000 + 60 * np.arange(len(counts))
    way = data.draw(st.sampled_from(["{1} {0}", "{0} {1}", "{0},{1}", " {1}   {0}"]))
    text = "\n".join(way.format(*pair) for pair in zip(stamps.tolist(), counts, strict=True))
    path = tmp_path_factory.mktemp("loose") / "counts.txt"
    path.write_text(text + data.draw(st.sampled_from(["", "\n", "\n\n"])))
    found = read(path)
    assert found.counts.tolist() == counts
    assert found.report.rows == len(counts)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull):
        with pytest.raises(TraceError, match="a pipe, a device or a socket"):
            read(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_is_read_as_it_is(tmp_path, pack):
    path = tmp_path / "packed"
    path.write_bytes(pack(b"5 1995-07-01 00:00\n7 1995-07-01 00:03\n11 1995-07-01 00:04\n"))
    assert read(path).counts.tolist() == COUNTS
