"""Ctrl-C at the instants of a command: one line, exit code 130, no traceback, no worker left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIO = """
trace: arrivals.csv
model: {size: 2GB}
hosting: {usd_per_hour: 1}
service: {kind: fixed, mean_s: 0.5s}
fleet: {min: 1, max: 6}
"""
# Much to do, so that it is still at work when the signal comes.
SWEEP = (
    "sweep", "s.yaml", "--set", "fleet.min=1,2,3", "--replicates", "10000", "--ledger", "runs",
    "--workers", "2",
)  # fmt: skip


def interrupted(folder: Path, after: str, *words: str) -> tuple[int, list[str]]:
    """Exit code, and what was said, of a command that gets SIGINT once it has said something.

    The interpreter names each module as it has loaded it, which leaves nothing to time.
    """
    times = "\n".join(str(k * 0.4) for k in range(20_000))
    (folder / "arrivals.csv").write_text(f"timestamp\n{times}\n")
    (folder / "s.yaml").write_text(SCENARIO)
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "modeler", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the signal goes to all of it, as from a terminal
    ) as child:
        assert child.stderr is not None
        said = []
        for line in child.stderr:
            said.append(line.rstrip())
            if line.split("|")[-1].strip().startswith(after):
                os.killpg(child.pid, signal.SIGINT)
                break
        # Read to its end: whoever holds it open, a worker too, has ended then.
        said += child.stderr.read().splitlines()
    return child.returncode, [line for line in said if line and not line.startswith("import time:")]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs sessions")
@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("modeler._cache", ("sweep",)),
        ("click.core", ("sweep",)),
        ("modeler.cli.output", ("optimize",)),
        ("numpy", SWEEP),
        ("modeler.scenario.schema", ("doctor",)),
        ("numba.core.errors", SWEEP),
        ("modeler.replay", SWEEP),
    ],
)
def test_while_modules_are_loaded(tmp_path: Path, after: str, words: tuple[str, ...]) -> None:
    assert interrupted(tmp_path, after, *words) == (130, ["error: interrupted"])


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs sessions")
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_while_it_works(tmp_path: Path, executor: str) -> None:
    code, said = interrupted(tmp_path, "run 2", *SWEEP, "--executor", executor)
    said = [line for line in said if not line.startswith(("compiling", "run 2"))]
    assert code == 130
    assert said == ["error: interrupted; 0 of 4 rows are kept: go on with --resume"]
