"""Measured starts as a table: read, checked, every problem named at once.

``measurements.csv`` beside this file holds the published ones, a row a phase, each with where it
was read. An analyst's own file needs ``phase`` and ``seconds``; what else it has decides which
constants its rows can tell.
"""

from __future__ import annotations

import csv
import difflib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pricing
from modeler.predict.constants import LARGE_BYTES_PER_S

SHIPPED: Final = Path(__file__).with_name("measurements.csv")
PHASES: Final = (
    "detection",
    "provision",
    "boot",
    "image_pull",
    "container_start",
    "artifact_download",
    "weights_load",
    "framework_init",
    "total_cold_start",
    "total_scale_out",
)
_NEEDED: Final = ("phase", "seconds")
_TEXTS: Final = ("id", "system", "model", "instance_type", "medium", "loader", "condition")
_NUMBERS: Final = ("params_b", "artifact_gb")
# Columns that are kept with a row and tell no constant.
_BESIDE: Final = ("low_s", "high_s", "source", "source_title", "source_url", "date", "how_read")
COLUMNS: Final = (*_NEEDED, *_TEXTS, *_NUMBERS, *_BESIDE)
_LARGE_HOSTS: Final = re.compile(r"p4d|p5|8x|16x|DP8|B200|TP=8", re.IGNORECASE)
_INSTANCE: Final = re.compile(r"[a-z]+\d+[a-z]*\.\w+")
_TENSOR_PARALLEL: Final = re.compile(
    r"\b(?:TP|tensor[ _-]parallel(?:ism|[ _-]size)?)\s*[=x:]?\s*(\d+)", re.IGNORECASE
)
_ACTIVE: Final = re.compile(r"-A(\d+(?:\.\d+)?)B")
# Precision in names, with the bytes of a parameter: 4-bit formats with their scales. [bytes]
_WIDTHS: Final = (
    (re.compile(r"awq|gptq|4-bit|nvfp4|int4|q4", re.IGNORECASE), 0.57),
    (re.compile(r"gguf", re.IGNORECASE), 0.6),
    (re.compile(r"fp8|q8|int8", re.IGNORECASE), 1.0),
)
_SIXTEEN: Final = 2.0
# Pages that report the same runs as another (14.34 s beside 14.36 s on one machine and volume): one
# source, lest a row be predicted by itself.
_SAME_RUNS: Final = {
    "Reducing cold start latency with NVIDIA Run:ai Model Streamer (figures read from a summary "
    "page)": "Run:ai Model Streamer benchmarks",
}


class MeasurementsError(Exception):
    """A file of measurements that cannot be read; lists all that is wrong with it."""

    exit_code: Final = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Measurement:
    """One measured phase of a start.

    Parameters
    ----------
    id, system, phase, model, instance_type, medium, loader, condition : str. As its source has
        them; empty where it does not say.
    seconds : float. [s]
    params_b : float, optional. [1e9 parameters]
    artifact_gb : float, optional. The artifact; of an image pull, the image. [1e9 bytes]
    source : str. Where it was published; rows of one source are not independent.
    """

    id: str
    system: str
    phase: str
    model: str
    instance_type: str
    medium: str
    loader: str
    condition: str
    seconds: float
    params_b: float | None
    artifact_gb: float | None
    source: str

    @property
    def text(self) -> str:
        """All that is said of it in words."""
        return f"{self.system} {self.model} {self.condition}"

    @property
    def phase_alone(self) -> bool:
        """Whether nothing but its phase says what was timed: then it is the whole phase."""
        return not self.condition

    @property
    def weights_gb(self) -> float | None:
        """The artifact, or what its parameters take in the precision its name tells. [1e9 bytes]"""
        if self.artifact_gb is not None:
            return self.artifact_gb
        if self.params_b is None:
            return None
        named = f"{self.model} {self.condition}"
        width = next((w for pattern, w in _WIDTHS if pattern.search(named)), _SIXTEEN)
        return self.params_b * width

    @property
    def size_b(self) -> float | None:
        """Parameters that initialisation grows with. [1e9 parameters]

        Of a mixture of experts the geometric mean of all and of active ones (assumed): graphs grow
        with layers, profiling with what is held.
        """
        active = _ACTIVE.search(self.model)
        if self.params_b is not None and active:
            return math.sqrt(self.params_b * float(active[1]))
        if self.params_b is None and self.artifact_gb is not None:
            return self.artifact_gb / _SIXTEEN
        return self.params_b

    @property
    def tensor_parallel(self) -> int:
        """Devices that share each layer; 1 where nothing is said."""
        found = _TENSOR_PARALLEL.search(f"{self.instance_type} {self.condition} {self.system}")
        return int(found[1]) if found else 1

    @property
    def aws_instance(self) -> str | None:
        """The EC2 or SageMaker type, where one is named that is known."""
        found = _INSTANCE.search(self.instance_type)
        if not found:
            return None
        try:
            return pricing.instance(found[0]).instance_type
        except pricing.PricingError:
            return None

    @property
    def large_host(self) -> bool:
        """Whether its interface takes more than one stream can bring: 40 Gbit/s and above."""
        name = self.aws_instance
        if name is not None:
            return pricing.instance(name).network_burst_bytes_per_s >= LARGE_BYTES_PER_S
        return bool(_LARGE_HOSTS.search(self.instance_type))


_SHOWN: Final = 80  # of a header that is none


def is_measurements(header: Sequence[str]) -> bool:
    """Whether a CSV with this header holds measured phases."""
    return set(_NEEDED) <= set(header)


@cache
def shipped() -> tuple[Measurement, ...]:
    """The published measurements."""
    return read_measurements(SHIPPED)


def read_measurements(path: str | os.PathLike[str]) -> tuple[Measurement, ...]:
    """Read a table of measured phases.

    Raises
    ------
    MeasurementsError
        No CSV, a column that is missing, a phase that is not known, a value that is no number; all
        problems at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    with open(path, newline="", encoding="utf-8-sig") as file:
        try:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = list(reader.fieldnames or ())
        except (UnicodeDecodeError, csv.Error) as error:
            raise MeasurementsError([f"{name}: not a CSV: {error}"]) from error
    problems = []
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        found = ", ".join(header) or "none"
        found = found[:_SHOWN] + "..." * (len(found) > _SHOWN) + _other_form(found, name)
        problems.append(f"{name}: column {', '.join(missing)} is missing; found {found}")
    for column in () if missing else header:
        near = difflib.get_close_matches(column, COLUMNS, n=1)
        if column not in COLUMNS and near and near[0] not in header:
            problems.append(f"{name}: column {column} is not known; did you mean {near[0]}?")
    if not missing and any(None in row for row in rows):
        lines = [str(i) for i, row in enumerate(rows, start=2) if None in row]
        problems.append(
            f"{name}, line {', '.join(lines[:5])}: more cells than the header has columns"
        )
    if problems:
        raise MeasurementsError(problems)
    return from_rows(rows, name)


def _other_form(line: str, name: str) -> str:
    """What a file without commas in its first line seems to be."""
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in line:
            return f": separated by {word}, expected commas"
    if os.path.splitext(name)[1].lower() not in (".csv", ".txt", ""):
        return ": this is no CSV; expected a header with phase, seconds, ..."
    return ""


def unknown_columns(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Columns of a table that tell nothing here."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    return tuple(column for column in header if column not in COLUMNS)


def from_rows(rows: Sequence[Mapping[str, str]], name: str) -> tuple[Measurement, ...]:
    """Measurements of the rows of a table.

    Raises
    ------
    MeasurementsError
        As for `read_measurements`.
    """
    problems: list[str] = []
    found = []
    for line, row in enumerate(rows, start=2):
        place = f"{name}, line {line}"
        phase = (row.get("phase") or "").strip()
        if phase not in PHASES:
            near = difflib.get_close_matches(phase, PHASES, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(f'{place}: phase "{phase}": expected one of {", ".join(PHASES)}{hint}')
        numbers = {}
        for column in ("seconds", *_NUMBERS):
            numbers[column] = _number(row.get(column), column, place, problems)
        texts = {column: (row.get(column) or "").strip() for column in _TEXTS}
        source = (row.get("source_title") or row.get("source") or name).strip()
        source = _SAME_RUNS.get(source, source)
        seconds = numbers["seconds"]
        if seconds is None:
            if not row.get("seconds"):
                problems.append(f"{place}: seconds is empty: expected how long the phase took")
            seconds = 0.0
        found.append(
            Measurement(
                **{**texts, "id": texts["id"] or f"line {line}"},
                phase=phase,
                seconds=seconds,
                params_b=numbers["params_b"],
                artifact_gb=numbers["artifact_gb"],
                source=source,
            )
        )
    if not rows:
        problems.append(f"{name}: no rows")
    if problems:
        raise MeasurementsError(problems)
    return tuple(found)


def _number(text: str | None, column: str, place: str, problems: list[str]) -> float | None:
    if not text or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        problems.append(f"{place}: {column} = {text!r}: expected a number of 0 or more")
        return None
    return value
