"""Constants of the latency rules, each with its origin and source (constants.csv)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Final

from modeler.predict.constants import Constant

_TABLE: Final = Path(__file__).with_name("constants.csv")


@cache
def latency_constants() -> dict[str, Constant]:
    """Every constant by name."""
    with _TABLE.open(newline="", encoding="utf-8") as file:
        return {
            row["name"]: Constant(
                row["name"], float(row["value"]), row["unit"], row["origin"], row["source"]
            )
            for row in csv.DictReader(file)
        }


def value_of(name: str) -> float:
    """The value of one constant, in its own unit."""
    return latency_constants()[name].value
