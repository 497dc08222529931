"""A file system without room, in a mount namespace of its own where this machine allows one.

Where it does not, `test_ledger` limits the size of files instead, which SQLite meets alike.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

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
    ran = subprocess.run(
        [*namespace(tmp_path), sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parents[1])))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
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
