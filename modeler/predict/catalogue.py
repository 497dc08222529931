"""Published models: parameters, bytes, operations, accuracy, each with its source (catalogue.csv).

Accuracy is never computed here: it is what its source printed, and only models of one metric may
be compared by it.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("catalogue.csv")
# A multiply-add counts as one in the published figures of torchvision and as two everywhere else.
_ONE_A_MAC: Final = "1 MAC = 1"


class UnknownVariant(LookupError):
    """No model of this name, or several of a name that is not whole."""

    exit_code: Final = 2

    def __init__(self, name: str, near: tuple[str, ...]) -> None:
        self.name, self.near = name, near
        super().__init__(name, near)

    def __str__(self) -> str:
        hint = f'; did you mean "{", ".join(self.near)}"?' if self.near else ""
        return f'no model "{self.name}" in the catalogue{hint}'


@dataclass(frozen=True)
class Variant:
    """One model as published.

    Parameters
    ----------
    name, family, task : str.
    parameters : int, optional. [parameters]; of an ensemble of trees its nodes.
    size_bytes : int, optional. Of its file, or of its weights. [bytes]
    dtype : str. How it is stored, in the words of its source.
    flops : float, optional. Operations of one inference, or one token; a multiply-add is two.
    metric : str. What the accuracy is of; empty without one.
    accuracy : float, optional. In the metric's own unit.
    latency_s : float, optional. As measured by its source on `hardware` at `batch`; of the whole
        batch. [s]
    source, date, notes : str.
    """

    name: str
    family: str
    task: str
    parameters: int | None
    size_bytes: int | None
    dtype: str
    flops: float | None
    metric: str
    accuracy: float | None
    latency_s: float | None
    hardware: str
    batch: int | None
    source: str
    date: str
    notes: str

    @property
    def benchmark(self) -> str:
        """The metric without what is said of one row in brackets."""
        return self.metric.partition(" (")[0]


@cache
def catalogue() -> tuple[Variant, ...]:
    """Every row of the table, in its order; a model may have several, by hardware."""
    with _TABLE.open(newline="", encoding="utf-8") as file:
        return tuple(_variant(row) for row in csv.DictReader(file))


def _variant(row: dict[str, str]) -> Variant:
    gflops = _number(row["gflops_per_inference"])
    factor = 2e9 if _ONE_A_MAC in row["flops_note"] else 1e9
    latency_ms = _number(row["measured_latency_ms"])
    return Variant(
        name=row["model"],
        family=row["family"],
        task=row["task"],
        parameters=_whole(row["params"]),
        size_bytes=_whole(row["size_bytes"]),
        dtype=row["dtype"],
        flops=None if gflops is None else gflops * factor,
        metric=row["accuracy_metric"],
        accuracy=_number(row["accuracy_value"]),
        latency_s=None if latency_ms is None else latency_ms / 1000.0,
        hardware=row["latency_hw"],
        batch=_whole(row["batch"]),
        source=row["source"],
        date=row["date"],
        notes=row["notes"],
    )


def _number(text: str) -> float | None:
    """A number; None where the source has none, or prints that it is none."""
    return float(text) if text and text.lower() != "nan" else None


def _whole(text: str) -> int | None:
    return round(float(text)) if text else None


def variants(name: str) -> tuple[Variant, ...]:
    """The rows of a model by its whole name, or by what comes before its ``:`` and after its ``/``.

    Raises
    ------
    UnknownVariant
        None has it; names the nearest.
    """
    found = tuple(each for each in catalogue() if each.name == name)
    if not found:
        found = tuple(each for each in catalogue() if name in set(_short(each.name)))
    if not found:
        names = [short for each in catalogue() for short in _short(each.name)]
        near = difflib.get_close_matches(name, [*names, *(v.name for v in catalogue())], n=2)
        raise UnknownVariant(name, tuple(dict.fromkeys(near)))
    return found


def _short(name: str) -> Iterator[str]:
    """The names that a model is known by without its origin and its weights."""
    bare = name.partition(":")[0]
    yield bare
    yield bare.rpartition("/")[2]
