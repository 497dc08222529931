"""A file system without room or read-only, in a mount namespace where this machine allows one.

Where it does not, `test_ledger` limits the size of files instead, which SQLite meets alike, and
lets SQLite alone refuse.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from test_ledger import swept, text

HERE = Path(__file__).resolve().parent
# As root, or as the root of a namespace of users.
_WAYS = (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"])


def namespace(folder: Path) -> list[str]:
    """The command before one that may mount; skips where none may."""
    if shutil.which("unshare") is None:
        pytest.skip("no mount namespaces on this platform")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    for way in _WAYS:
        if subprocess.run([*way, *mount], capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("this user may not mount a file system, not even one of its own")


def told(way: list[str], code: str) -> dict[str, Any]:
    """What a script says that runs in a namespace and may import these tests."""
    ran = subprocess.run(
        [*way, sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parents[1])))},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def test_a_file_system_without_room_loses_nothing_and_says_what_to_do(tmp_path):
    code = f"""
        import json, subprocess, sys
        from pathlib import Path
        from test_ledger import swept, text
        from modeler.cli.output import emit
        from modeler.study.runs import list_runs

        folder, said = Path({str(tmp_path)!r}), {{}}
        many = {{"sizes": ["1GB"], "references": False, "ledger": folder / "runs"}}

        def room(how, size):
            subprocess.run(["mount", *how, size, "tmpfs", str(folder)], check=True)

        def refused(work):
            try:
                work()
            except Exception as error:
                return [str(error), error.exit_code]

        room(["-t", "tmpfs", "-o"], "size=160k")
        said["sweep"] = refused(lambda: swept(60, **many))
        said["again"] = refused(lambda: swept(60, resume="latest", **many))
        (about,) = list_runs(folder / "runs")
        said["done"] = about.done
        said["anew"] = refused(lambda: swept(61, **many))
        said["left"] = sorted(path.name for path in (folder / "runs").glob(".*"))
        room(["-o"], "remount,size=8m")
        result = swept(60, resume="latest", **many)
        said["rows"] = text(result)
        said["finished"] = list_runs(folder / "runs")[0].finished
        room(["-o"], "remount,size=600k")
        out = folder / "out.json"
        said["json"] = refused(lambda: emit(result, format="json", output=str(out)))
        said["files"] = sorted(path.name for path in folder.iterdir())
        print(json.dumps(said))
    """
    said = told(namespace(tmp_path), code)
    full = "cannot be written: database or disk is full"
    for step in ("sweep", "again"):
        assert full in said[step][0]
        assert (
            "what was committed before is kept: make room, and go on with --resume" in said[step][0]
        )
        assert said[step][1] == 2
    assert 0 < said["done"] < 60
    assert full in said["anew"][0]
    assert "make room, or name another folder with --ledger DIR" in said["anew"][0]
    assert said["left"] == []
    assert said["finished"]
    assert said["rows"] == text(swept(60, sizes=["1GB"], references=False))
    assert said["json"] == [f"cannot write {tmp_path}/out.json: No space left on device", 2]
    assert said["files"] == ["runs"]


def test_a_sweep_killed_on_what_is_mounted_read_only_since_is_read_and_goes_on_later(tmp_path):
    """Its last rows are in the log that it left, which nobody may fold in."""
    code = f"""
        import json, os, signal, subprocess
        from pathlib import Path
        from test_ledger import swept, text
        from modeler.study.runs import list_runs

        folder, said = Path({str(tmp_path)!r}), {{}}
        many = {{"sizes": ["1GB"], "references": False, "ledger": folder / "runs"}}

        def kill(status):
            if status.scenarios == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        def mount(*how):
            subprocess.run(["mount", *how, "tmpfs", str(folder)], check=True)

        def refused(work):
            try:
                work()
            except Exception as error:
                return str(error)

        mount("-t", "tmpfs")
        child = os.fork()
        if child == 0:
            swept(20, progress=kill, **many)
        said["killed"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        said["log"] = [path.stat().st_size > 0 for path in (folder / "runs").glob("*-wal")]
        mount("-o", "remount,ro")
        said["done"] = [about.done for about in list_runs(folder / "runs")]
        said["again"] = refused(lambda: swept(20, resume="latest", **many))
        said["anew"] = refused(lambda: swept(21, **many))
        mount("-o", "remount,rw")
        said["rows"] = text(swept(20, resume="latest", **many))
        said["after"] = [[about.done, about.finished] for about in list_runs(folder / "runs")]
        print(json.dumps(said))
    """
    said = told(namespace(tmp_path), code)
    assert (said["killed"], said["log"], said["done"]) == (True, [True], [5])
    assert "cannot be written: attempt to write a readonly database; " in said["again"]
    assert said["anew"].endswith("or keep no rows: sweep --no-ledger")
    assert said["rows"] == text(swept(20, sizes=["1GB"], references=False))
    assert said["after"] == [[20, True]]


def test_a_file_system_that_turns_read_only_in_the_middle_ends_the_sweep_and_says_so(tmp_path):
    """As ext4 does when its disk errs: with a file open it can be had in no other way."""
    way, image, folder = namespace(tmp_path), tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(8_000_000)
    mount = ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)]
    made = shutil.which("mkfs.ext4")
    # Without a journal, which would have to be played back.
    asked = [[made, "-q", "-F", "-O", "^has_journal", str(image)], [*way, *mount]] if made else []
    if not asked or any(subprocess.run(one, capture_output=True).returncode for one in asked):
        pytest.skip("this user may not mount an image of ext4")
    code = f"""
        import json, shutil, subprocess
        from pathlib import Path
        from test_ledger import swept, text
        from modeler.study.jobs.ledger import LedgerError
        from modeler.study.runs import list_runs

        subprocess.run({mount!r}, check=True)
        folder, moved, said = Path({str(folder)!r}), Path({str(tmp_path)!r}) / "moved", {{}}
        many = {{"sizes": ["1GB"], "references": False}}

        def abort(status):
            if status.scenarios == 5 and "at" not in said:
                said["at"] = status.scenarios
                subprocess.run(["mount", "-o", "remount,abort", str(folder)], check=True)

        try:
            swept(20, ledger=folder / "runs", progress=abort, **many)
        except LedgerError as error:
            said["error"] = str(error)
        said["done"] = [about.done for about in list_runs(folder / "runs")]
        shutil.copytree(folder / "runs", moved)
        said["rows"] = text(swept(20, ledger=moved, resume="latest", **many))
        said["after"] = [[about.done, about.finished] for about in list_runs(moved)]
        print(json.dumps(said))
    """
    said = told(way, code)
    assert said["error"].endswith(
        "cannot be written: Read-only file system; what was committed before is kept: "
        "make the file writable again, and go on with --resume"
    )
    assert (said["at"], said["done"], said["after"]) == (5, [5], [[20, True]])
    assert said["rows"] == text(swept(20, sizes=["1GB"], references=False))
