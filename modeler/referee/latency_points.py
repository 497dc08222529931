"""Published latencies and throughputs beside the latency rules.

A CSV with model, hardware, precision, batch, prompt and output lengths, a metric and its value. A
row that lacks what its rule needs, or whose hardware or model is not known here, is out of scope
and says which.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pricing
from modeler.predict.known import known
from modeler.predict.latency import (
    Group,
    NotCovered,
    Pass,
    TokenModel,
    at_concurrency,
    call_s,
    encoder,
    full_throughput,
    network,
    static_batch_s,
)
from modeler.predict.precision import precision
from modeler.referee.predictions import Prediction
from modeler.referee.problems import CasesError, Problem

SCHEMA: Final = "latency-points/1"
_COLUMNS: Final = ("model", "hw", "dtype", "batch", "isl", "osl", "metric", "value", "unit")
_MS: Final = 1000.0
# The card in the words of a publication, such as "8xH100" or "NVIDIA A100-SXM4-80GB".
_CARD: Final = re.compile(
    r"(?:\b|\d ?x ?)(gb200|b200|h200|h100|a100|a10g|a10|a30|a40|l40s|l4|t4|v100|mi300x|inf[12]|"
    r"trn[12]|rtx[ -]?\d{4})(?![0-9a-z])"
)
_FORTY: Final = re.compile(r"\b40 ?gb?\b")
_DTYPES: Final = {
    "float16": "fp16", "float32": "fp32", "bfloat16": "bf16", "w4a16": "awq", "int4": "awq",
    "nvfp4": "nvfp4", "fp4": "nvfp4", "w8a8": "int8", "fp8": "fp8",
}  # fmt: skip
_SEQUENCE: Final = re.compile(r"[\s,_-]*seq(?:[\s_-]?len(?:gth)?)?[\s=_-]*(\d+)", re.IGNORECASE)
_COMPILED: Final = re.compile(r"tensorrt|compiled|inductor|onnxruntime|openvino", re.IGNORECASE)
# Engines that keep keys and values in 8 bits where weights are in fp8.
_EIGHT_BIT_CACHE: Final = re.compile(r"tensorrt|nim|mlcommons|nvidia", re.IGNORECASE)


@dataclass(frozen=True)
class LatencyPoint:
    """One published measurement.

    Parameters
    ----------
    id : str. Model, hardware and load in words.
    row : mapping. The row as it stands.
    """

    id: str
    row: Mapping[str, str]


def is_latency_points(header: Sequence[str]) -> bool:
    """Whether a CSV with this header holds such measurements."""
    return set(_COLUMNS) <= set(header)


def read_points(file: str, rows: Sequence[Mapping[str, str]]) -> tuple[LatencyPoint, ...]:
    """The measurements of a file.

    Raises
    ------
    CasesError
        A value that is no positive number; all problems at once.
    """
    problems = []
    points = []
    for line, row in enumerate(rows, start=2):
        load = "/".join(row.get(key) or "-" for key in ("batch", "isl", "osl"))
        name = f"{row['model']} on {row['hw']} {load} {row['metric']}"
        try:
            value = float(row["value"])
        except (TypeError, ValueError):
            value = 0.0
        if not value > 0.0:
            place = f"line {line}"
            problems.append(Problem(file, place, "value", repr(row["value"]), "a positive number"))
        points.append(LatencyPoint(name, row))
    if problems:
        raise CasesError(problems)
    return tuple(points)


def predict_point(point: LatencyPoint) -> Prediction:
    """The rule's answer to one measurement, or why it has none."""
    row = point.row
    metric = row["metric"]
    try:
        got: float | None = _predict(point, metric)
        why = ""
    except NotCovered as error:
        got, why = None, str(error)
    source = (row.get("source") or "").split(" docs/")[0]
    return Prediction(point.id, metric, (), source, row["unit"], float(row["value"]), got, why)


def _predict(point: LatencyPoint, metric: str) -> float:
    rule = _RULES.get(metric)
    if rule is None:
        raise NotCovered(f'metric "{metric}": expected one of {", ".join(_RULES)}')
    return rule(point)


def _number(point: LatencyPoint, *names: str) -> list[float]:
    """Columns as numbers above zero.

    Raises
    ------
    NotCovered : some are empty or none; all of them are named.
    """
    found = []
    missing = []
    for name in names:
        try:
            value = float((point.row.get(name) or "").replace(",", ""))
        except ValueError:
            value = 0.0
        if 0.0 < value < math.inf:
            found.append(value)
        else:
            missing.append(name)
    if missing:
        raise NotCovered(f"{', '.join(missing)} not stated")
    return found


def _group(point: LatencyPoint, count: int) -> Group:
    text = point.row["hw"].strip()
    for name in (text, _accelerator(text)):
        with contextlib.suppress(pricing.SpecNotFound):
            return Group(pricing.accelerator(name), count)
    raise NotCovered(f'no figures are held for hardware "{text}"')


def _accelerator(text: str) -> str:
    """The accelerator of the table that a publication's words mean; the words where none.

    >>> [_accelerator(name) for name in ("8xH100", "H100 PCIe 80GB", "NVIDIA A100 (40 GB)")]
    ['H100-SXM-80GB', 'H100-PCIe-80GB', 'A100-SXM-40GB']
    """
    words = text.lower()
    found = _CARD.search(words)
    if found is None or "nvl" in words:
        return text
    card = found[1].replace(" ", "").replace("-", "")
    pcie, forty, thirty_two = "pci" in words, bool(_FORTY.search(words)), "32" in words
    variants = {
        "h100": "H100-PCIe-80GB" if pcie else "H100-SXM-80GB",
        # The PCIe card of 40 GB has the bandwidth and the peak of the SXM one.
        "a100": "A100-SXM-40GB" if forty else "A100-PCIe-80GB" if pcie else "A100-SXM-80GB",
        "v100": "V100-SXM2-32GB" if thirty_two else "V100-SXM2-16GB",
        "h200": "H200-SXM",
        "b200": "B200-SXM",
        "inf1": "Inferentia1",
        "inf2": "Inferentia2",
        "trn1": "Trainium1",
        "trn2": "Trainium2",
    }
    if card.startswith("rtx"):
        return f"RTX {card.removeprefix('rtx')}"
    return variants.get(card, card.upper())


def _dtype(point: LatencyPoint) -> str:
    text = point.row["dtype"].strip().lower()
    for name in (text, *text.split()[:1]):
        try:
            return precision(_DTYPES.get(name, name)).name
        except ValueError:
            continue
    raise NotCovered(f'precision "{text}" is not known')


def _tokens(point: LatencyPoint) -> TokenModel:
    column = next((name for name in ("tp", "accelerators") if point.row.get(name)), None)
    several = re.match(r"\s*(\d+) ?x ?\D", point.row["hw"], re.IGNORECASE)
    count = float(several[1]) if several else 1.0
    if column is not None:
        (count,) = _number(point, column)
    dtype = _dtype(point)
    try:
        architecture = known(point.row["model"])
    except LookupError as error:
        raise NotCovered(str(error.args[0])) from error
    source = f"{point.row.get('source')} {point.row.get('notes')}"
    eight = dtype in ("fp8", "nvfp4") and bool(_EIGHT_BIT_CACHE.search(source))
    group = _group(point, max(int(count), 1))
    model = TokenModel(architecture, dtype, group, "fp8" if eight else "fp16")
    if model.weight_bytes > group.accelerator.memory_bytes:
        raise NotCovered(
            f"{model.weight_bytes / 1e9:.3g} GB of weights a device do not fit "
            f"{group.accelerator.name}: tp or dtype is not what it says"
        )
    return model


def _first_token(point: LatencyPoint) -> float:
    """Of prompts that pass together; where they go on to write, of one among those in flight."""
    batch, prompt = _number(point, "batch", "isl")
    if batch > 1.0 and point.row.get("osl"):
        (output,) = _number(point, "osl")
        if output > 1.0:
            return _MS * at_concurrency(_tokens(point), batch, prompt, output).first_token_s
    return _MS * _tokens(point).prefill_s(batch * prompt, prompt)


def _static(point: LatencyPoint) -> float:
    batch, prompt, output = _number(point, "batch", "isl", "osl")
    model = _tokens(point)
    return batch * output / static_batch_s(model, batch, prompt, output) / model.group.count


def _static_total(point: LatencyPoint) -> float:
    """Tokens a second of a whole group: of a batch if it is stated, else of a full server."""
    if point.row.get("batch"):
        return _static(point) * _tokens(point).group.count
    prompt, output = _number(point, "isl", "osl")
    return full_throughput(_tokens(point), prompt, output)


def _between(point: LatencyPoint) -> float:
    """At a concurrency, with what the prompts of others add."""
    requests, prompt, output = _number(point, "batch", "isl", "osl")
    return _MS * at_concurrency(_tokens(point), requests, prompt, output).between_tokens_s


def _one_pass(point: LatencyPoint) -> float:
    (batch,) = _number(point, "batch")
    group = _group(point, 1)
    if point.row["metric"] == "latency_p50_ms":
        raise NotCovered("requests in flight not stated: a median under load is not a single call")
    text = point.row["model"]
    sequence = _SEQUENCE.search(text)
    one: Pass
    if sequence:
        try:
            architecture = known(text[: sequence.start()])
        except LookupError as error:
            raise NotCovered(str(error.args[0])) from error
        one = encoder(architecture, float(sequence[1]))
    else:
        one = network(text)
    source = f"{point.row.get('source')} {point.row.get('notes')}"
    compiled = bool(_COMPILED.search(source))
    maths = group.maths_of(precision(_dtype(point)))
    return _MS * call_s(one, group, batch, maths=maths, compiled=compiled)


_RULES: Final[dict[str, Callable[[LatencyPoint], float]]] = {
    "ttft_ms": _first_token,
    "out_tok_s_per_gpu": _static,
    "out_tok_s_total": _static_total,
    "itl_ms": _between,
    "tpot_ms": _between,
    "latency_ms": _one_pass,
    "latency_p50_ms": _one_pass,
    "offline_tok_s": _static_total,
    "server_tok_s": _static_total,
}
