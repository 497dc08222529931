"""A foreign ``traces`` or ``pricing`` is refused by name and place, with the cure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modeler import _neighbours

ROOT = Path(__file__).parent.parent


def run(code: str, *places: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that looks in the given places, in that order."""
    path = os.pathsep.join(str(place) for place in places)
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=places[0],
    )


def test_our_own_neighbours_pass() -> None:
    result = run("import modeler, pricing, traces", ROOT)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["traces", "pricing"])
@pytest.mark.parametrize("shape", ["package", "module", "folder"])
def test_a_foreign_neighbour_is_named(tmp_path: Path, name: str, shape: str) -> None:
    foreign = tmp_path / f"{name}.py" if shape == "module" else tmp_path / name
    if shape == "module":
        foreign.write_text("")
    else:
        foreign.mkdir()
        if shape == "package":
            (foreign / "__init__.py").write_text("")
    result = run("import modeler", tmp_path, ROOT)
    if shape == "folder":
        # A folder without __init__.py loses to a real package further along the path.
        assert result.returncode == 0
        return
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: modeler needs its own package")
    assert str(foreign) in last
    assert "Cure: install coldstart-modeler in a virtual environment of its own" in last


def test_a_foreign_neighbour_that_came_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "traces.py").write_text("")
    code = f"import sys, traces; sys.path.insert(0, {str(ROOT)!r}); import modeler"
    result = run(code, tmp_path)
    assert result.returncode != 0
    assert str(tmp_path / "traces.py") in result.stderr


def test_a_neighbour_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_neighbours, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="'pricing' was not found at all") as caught:
        _neighbours.check_neighbours()
    assert caught.value.name == "pricing"
