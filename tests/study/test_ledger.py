"""Rows outlive the process that makes them: without room, without leave to write.

Killed: see `test_kills`.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.scenario import default, with_values
from modeler.study import plan, sweep
from modeler.study.jobs import ledger as books
from modeler.study.jobs import world
from modeler.study.jobs.key import keys_of
from modeler.study.jobs.ledger import Ledger, LedgerError
from modeler.study.jobs.task import pack
from modeler.study.prepare import prepare
from modeler.study.runs import list_runs, prune, read_run
from traces import Trace
from traces.draws import exponential

BASE = with_values(default(), {"sweep": {}})


def traffic(requests: int = 400) -> Trace:
    arrival = np.cumsum(exponential(4, "gap", 0, requests))
    return Trace(arrival - arrival[0], {})


def targets(count: int) -> list[float]:
    return [round(0.3 + 0.001 * k, 4) for k in range(count)]


def swept(count: int = 6, **more):
    more.setdefault("workers", 2)
    more.setdefault("sizes", ["1GB", "40GB"])
    return sweep(
        BASE,
        settings={"policy.target_utilisation": targets(count)},
        trace=traffic(),
        **more,
    )


def text(result) -> str:
    return json.dumps(result.to_dict(), allow_nan=False)


@cache
def whole() -> str:
    """A hundred targets without interruption."""
    return text(swept(100))


def test_a_row_that_any_run_has_made_is_taken_over(tmp_path):
    said: list[str] = []
    first = swept(4, ledger=tmp_path, say=said.append)
    second = swept(6, ledger=tmp_path, say=said.append)
    assert text(second) == text(swept(6))
    assert "new" in said[0]
    # Four of six targets at the size that fits, and both references; what failed is tried again.
    assert "6 rows are taken over from earlier runs" in said[1]
    latest, earliest = list_runs(tmp_path)
    assert (earliest.run, latest.run) == (first.run, second.run)
    assert (latest.done, latest.tasks, latest.cached, latest.failed) == (14, 14, 6, 6)
    assert latest.finished


def test_a_finished_run_reads_as_it_was_swept(tmp_path):
    result = swept(ledger=tmp_path)
    assert text(read_run("latest", tmp_path)) == text(result)
    assert text(read_run(result.run[:9], tmp_path)) == text(result)


def test_a_key_holds_everything_that_a_row_depends_on(tmp_path):
    def key(scenario=BASE, trace=None):
        made = prepare(scenario, sizes=["1GB"], references=False, trace=trace or traffic())
        return keys_of(made.tasks)[0]

    service = tmp_path / "service.csv"
    service.write_text("service_s\n0.1\n0.2\n")
    measured = with_values(BASE, {"service.kind": "empirical", "service.file": str(service)})
    others = [
        with_values(BASE, {"seed": 1}),
        with_values(BASE, {"hosting.usd_per_hour": 2.0}),
        with_values(BASE, {"cold_start.boot_s": 31.0}),
        with_values(BASE, {"policy.target": 5.0}),
        measured,
    ]
    keys = [key(), *map(key, others), key(trace=traffic(401))]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]
    assert key(with_values(BASE, {"name": "another"})) == keys[0]
    before = key(measured)
    service.write_text("service_s\n0.1\n0.3\n")
    assert key(measured) != before


@pytest.mark.parametrize("library", ["numpy", "numba", "scipy"])
def test_a_row_of_another_version_of_what_calculates_is_another(library, monkeypatch):
    own = world.version
    before = world.world()
    monkeypatch.setattr(world, "version", lambda name: "0.1" if name == library else own(name))
    world._hashed.cache_clear()
    assert world.world() != before
    monkeypatch.undo()
    world._hashed.cache_clear()
    assert world.world() == before


def test_other_runs_are_only_looked_at(tmp_path, monkeypatch):
    """A file that is opened to be written gets a log beside it, even if nothing is."""
    earlier = [swept(count, ledger=tmp_path).run for count in (1, 2)]
    opened, real = [], books._open
    monkeypatch.setattr(
        books, "_open", lambda path, **how: (opened.append((path.stem, how)), real(path, **how))[1]
    )
    swept(1, ledger=tmp_path, resume="latest")
    swept(1, ledger=tmp_path, resume=earlier[0])
    with pytest.raises(LedgerError, match="is of another sweep"):
        swept(1, ledger=tmp_path, resume=earlier[1])
    assert {run for run, how in opened if not how["read_only"]} == {earlier[0]}
    assert {run for run, how in opened if how["read_only"]} == set(earlier)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit of file sizes here")
def test_a_full_disk_ends_the_sweep_with_what_to_do_and_loses_nothing(tmp_path):
    code = textwrap.dedent(f"""
        import resource, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_ledger import swept
        from modeler.study.jobs.ledger import LedgerError
        resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))
        try:
            swept(100, ledger={str(tmp_path)!r})
        except LedgerError as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert "make room, and go on with --resume" in done.stdout
    (before,) = list_runs(tmp_path)
    assert 0 < before.done < before.tasks
    result = swept(100, ledger=tmp_path, resume="latest")
    assert text(result) == whole()
    (after,) = list_runs(tmp_path)
    assert after.run == before.run
    assert after.finished


def test_a_ledger_that_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch):
    def refused(*args, **more):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(books.tempfile, "mkdtemp", refused)
    with pytest.raises(LedgerError, match="cannot be written: Read-only file system"):
        books.check(tmp_path)


def test_a_ledger_that_becomes_read_only_ends_the_sweep_and_loses_nothing(tmp_path, monkeypatch):
    keep, kept = Ledger.keep, []

    def until_then(self, rows, *, cached=False):
        if len(kept) == 5:
            self._base.execute("PRAGMA query_only=1")
        keep(self, rows, cached=cached)
        kept.append(rows)

    monkeypatch.setattr(Ledger, "keep", until_then)
    with pytest.raises(LedgerError) as caught:
        swept(10, ledger=tmp_path)
    assert "cannot be written: attempt to write a readonly database" in str(caught.value)
    assert "make the file writable again, and go on with --resume" in str(caught.value)
    monkeypatch.setattr(Ledger, "keep", keep)
    (before,) = list_runs(tmp_path)
    assert before.done == 5
    assert text(swept(10, ledger=tmp_path, resume="latest")) == text(swept(10))
    (after,) = list_runs(tmp_path)
    assert (after.run, after.finished) == (before.run, True)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of another kind")
def test_a_file_that_became_read_only_is_told_and_its_rows_are_kept(tmp_path):
    result = swept(ledger=tmp_path)
    path = tmp_path / f"{result.run}.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DELETE FROM row WHERE number > 3")
    ledger = Ledger(path, read_only=True)
    with closing(ledger), pytest.raises(LedgerError, match="readonly|read-only"):
        ledger.keep([(5, "k", pack({"status": "ok"}))])
    assert [number for number, _, _ in _rows(path)] == [0, 1, 2, 3]
    assert text(swept(ledger=tmp_path, resume="latest")) == text(swept())


def _rows(path):
    with closing(Ledger(path, read_only=True)) as ledger:
        return list(ledger.rows())


def test_a_row_whose_worker_was_lost_is_tried_again(tmp_path):
    result = swept(ledger=tmp_path)
    path = tmp_path / f"{result.run}.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DELETE FROM row WHERE number = 0")
    with closing(Ledger(path)) as ledger:
        ledger.keep([(0, "k", pack({"status": "failed"})._replace(status="lost"))])
        assert not ledger.about().finished
    assert text(swept(ledger=tmp_path, resume="latest")) == text(swept())


def test_a_run_of_another_sweep_is_not_gone_on_with(tmp_path):
    result = swept(4, ledger=tmp_path)
    with pytest.raises(LedgerError, match="is of another sweep"):
        swept(6, ledger=tmp_path, resume=result.run)
    with pytest.raises(LedgerError, match=rf'run "2026x": not in .*; nearest: {result.run}'):
        swept(4, ledger=tmp_path, resume="2026x")


def test_a_file_that_is_no_ledger_says_nothing(tmp_path):
    (tmp_path / "99991231-000000-abc.sqlite").write_bytes(b"not a database" * 100)
    swept(2, ledger=tmp_path)
    assert text(swept(2, ledger=tmp_path)) == text(swept(2))
    assert len(list_runs(tmp_path)) == 2


def test_runs_are_taken_away_by_number_age_and_name(tmp_path):
    names = [swept(1, ledger=tmp_path).run for _ in range(4)]
    assert [one.run for one in list_runs(tmp_path)] == sorted(names, reverse=True)
    assert prune(tmp_path, name=max(names)) == [max(names)]
    kept = sorted(names)[:-1]
    assert prune(tmp_path, older_than_s=3600.0) == []
    later = datetime(2100, 1, 1, tzinfo=UTC)
    assert prune(tmp_path, keep=1, older_than_s=3600.0, now=later) == sorted(kept)[-2::-1]
    assert [one.run for one in list_runs(tmp_path)] == [max(kept)]
    assert {path.stem for path in tmp_path.iterdir()} == {max(kept)}
    with pytest.raises(ValueError, match="prune needs"):
        prune(tmp_path)


def test_a_listener_that_went_away_fails_no_row():
    def gone(status):
        raise BrokenPipeError

    assert swept(2, progress=gone).failed == 2  # those that do not fit


def test_a_plan_counts_what_is_known(tmp_path):
    swept(4, ledger=tmp_path)
    found = plan(
        BASE,
        sizes=["1GB", "40GB"],
        settings={"policy.target_utilisation": targets(6)},
        trace=traffic(),
        ledger=tmp_path,
        workers=2,
    )
    assert (found.scenarios, found.references, found.known) == (12, 2, 6)
    assert found.to_make == 8
    assert found.requests == 8 * 400
    assert found.price_dates
    assert found.seconds >= 0.0


def test_rows_are_flat_in_memory(tmp_path):
    """A row more costs an eighth of its text of thirty kilobytes, most of it its scenario."""
    import tracemalloc

    sizes = {}
    for count in (20, 120):
        tracemalloc.start()
        result = swept(
            count, sizes=["1GB", "4GB"], references=False, workers=1, ledger=tmp_path / str(count)
        )
        # At its most and at the end: nothing of a row is held twice.
        sizes[count] = np.array(tracemalloc.get_traced_memory()[::-1])
        tracemalloc.stop()
        assert len(result.rows) == 2 * count
    peak, end = (sizes[120] - sizes[20]) / 200
    assert end < 6_000
    assert peak < 8_000


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ok", "failed"]), st.text(max_size=20), st.integers(0, 3)),
        max_size=30,
    )
)
def test_what_is_kept_is_what_was_made(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("runs")
    rows = [
        (k, f"k{k}", pack({"status": status, "text": said, "assumptions": [{"n": n}]}))
        for k, (status, said, n) in enumerate(made)
    ]
    about = {"digest": "abcdef", "scenarios": len(rows), "name": "", "meta": {}}
    with closing(Ledger.create(folder, [key for _, key, _ in rows], about)) as ledger:
        for one in rows:
            ledger.keep([one])
        assert [(n, k, row) for n, k, row in ledger.rows()] == rows
    known = books.known(folder, [key for _, key, _ in rows])
    assert known == {key: row for _, key, row in rows if row.status != "failed"}
