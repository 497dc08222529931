"""The second process compiles nothing, from a writable and from a read-only installation."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import modeler

ROOT = Path(modeler.__file__).resolve().parent.parent

# The whole compiled path is imported, and a little replayed.
EVERYTHING = """
import numpy as np
import modeler.study
from modeler.measure.bounds import walked, zero_wait
from modeler.replay.machines import Machines
from modeler.replay.simulate import Limits, Work, simulate
from modeler.autoscale import fixed, hpa, keda, setup_per_job, target_tracking
times = np.arange(10.0)
chunk = Work(0, times, times, times)
simulate(fixed.build(2), [chunk], Limits(), draws=lambda a, n: (np.zeros(n), np.zeros(n)),
         horizon_s=10.0)
simulate(fixed.build(2), [chunk], Limits(), draws=None, horizon_s=10.0,
         machines=Machines("none", laws=lambda a, n: np.zeros((n, 3, 5))))
zero_wait(walked([chunk], slots=1, minimum=0, maximum=9), until_s=30.0)
"""
# Kernels, kernels that call those of other files, and first-class functions; no engine, whose
# minute of compiling says no more about where a cache may lie.
A_PART = "import modeler.autoscale.fixed, modeler.autoscale.keda"
# Lists what numba had to compile.
LISTED = """
import json, sys
import modeler
from numba.core.dispatcher import Dispatcher
from numba.core.ccallback import CFunc
missed, hit = [], 0
for name, module in list(sys.modules.items()):
    if name.split(".")[0] == "modeler":
        for key, value in vars(module).items():
            if isinstance(value, Dispatcher):
                missed += [f"{name}.{key}"] * sum(value.stats.cache_misses.values())
                hit += sum(value.stats.cache_hits.values())
            elif isinstance(value, CFunc):
                hit += value.cache_hits
                missed += [f"{name}.{key}"] if value.cache_hits == 0 else []
print(json.dumps({"missed": missed, "hit": hit, "where": modeler.__file__}))
"""


def probe(code: str, folder: Path, cwd: Path, **environment: str) -> dict:
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    env |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LISTED}"],
        capture_output=True, text=True, cwd=cwd, env=env, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_second_process_compiles_nothing(tmp_path):
    probe(EVERYTHING, ROOT, tmp_path)  # compiles what no test before this one has
    second = probe(EVERYTHING, ROOT, tmp_path)
    assert second["missed"] == []
    assert second["hit"] > 0


def test_nor_does_it_from_a_read_only_installation(tmp_path):
    installed = tmp_path / "site-packages"
    for package in ("modeler", "pricing", "traces"):
        shutil.copytree(
            ROOT / package, installed / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    # A file where the cache folder would go keeps even root from writing beside the source.
    for folder in [installed, *installed.rglob("*")]:
        if folder.is_dir():
            (folder / "__pycache__").write_text("")
            folder.chmod(0o555)
    try:
        home = tmp_path / "home"
        home.mkdir()
        environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        first = probe(A_PART, installed, tmp_path, **environment)
        second = probe(A_PART, installed, tmp_path, **environment)
    finally:
        for folder in [installed, *installed.rglob("*")]:
            if folder.is_dir():
                folder.chmod(0o755)
    assert Path(second["where"]).is_relative_to(installed)
    assert first["missed"]
    assert second["missed"] == []
    assert second["hit"] > 0
