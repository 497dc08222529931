import copy
import json
from pathlib import Path
from typing import Any

import pytest

from modeler.report import page

DATA = Path(__file__).parent.parent / "data" / "report"


def load(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture
def sweep() -> dict[str, Any]:
    """A week of traffic at five sizes, of which 40 GB does not fit."""
    return load("sweep.json")


@pytest.fixture
def timeline() -> dict[str, Any]:
    """Load and fleet of the 1 GB scenario by half hours."""
    return load("timeline.json")


@pytest.fixture(scope="session")
def page_text() -> str:
    """The page of the two above, drawn once."""
    return page(load("sweep.json"), load("timeline.json"))


@pytest.fixture
def targets(sweep: dict[str, Any]) -> dict[str, Any]:
    """The same sweep over two targets, the second 10 % dearer."""
    first = sweep["scenarios"]
    second = copy.deepcopy(first)
    for target, rows in ((60, first), (40, second)):
        for row in rows:
            row["settings"]["policy.target"] = target
    for row in second:
        row["pareto"] = False
        if row["status"] == "ok":
            row["usd_total"] *= 1.1
            row["usd_per_hour"] *= 1.1
    sweep["scenarios"] = first + second
    return sweep


@pytest.fixture
def failed(sweep: dict[str, Any]) -> dict[str, Any]:
    """A sweep of which nothing could be replayed."""
    sweep["scenarios"] = [row for row in sweep["scenarios"] if row["status"] == "failed"]
    sweep["references"] = []
    return sweep
