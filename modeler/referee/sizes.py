"""Sizes that are known: architectures and artifacts with their counts and bytes.

``model-size-cases/1``: a configuration of Hugging Face, layers, an ensemble of trees, or the name
of a builder, and what is known of it. Parameters and bytes in memory must be the same to the last
one, files of tensors within 1 %, files of trees within 10 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modeler.predict.architecture import (
    FORMATS,
    Architecture,
    ArchitectureError,
    file_bytes,
    from_config,
    from_ensemble,
    from_spec,
)
from modeler.predict.catalogue import UnknownVariant, variants
from modeler.predict.precision import BYTES_PER_PARAMETER
from modeler.referee.problems import Row

SCHEMA: Final = "model-size-cases/1"
KEYS: Final = ("id", "kind", "config", "expected", "evidence")
_TENSOR_FILE: Final = 0.01
_TREE_FILE: Final = 0.10
_TABLE: Final = 1e-9  # what was printed is looked up, not computed
# Words about the answer, not answers.
_WORDS: Final = ("native_dtype", "stored_dtype", "metric", "note")
_MIB: Final = 2**20


@dataclass(frozen=True)
class SizeCase:
    """One model whose size is known.

    Parameters
    ----------
    id, kind : str. Its name; ``hf_config``, ``layer_spec``, ``tree_ensemble`` or
        ``torchvision_builder``.
    config, expected : mapping. What it is; counts, bytes, and files by format.
    """

    id: str
    kind: str
    config: Mapping[str, Any]
    expected: Mapping[str, Any]
    evidence: str = ""


@dataclass(frozen=True)
class SizeResult:
    """One model, counted.

    Parameters
    ----------
    expected, got : mapping. Numbers under the same names, files as ``files.FORMAT``.
    status : str. ``passed``, ``failed`` or ``skipped``.
    why : str. The first difference and how many more; what is not known here, when skipped.
    errors_pct : tuple of float. How far each number is off. [%]
    """

    id: str
    kind: str
    expected: Mapping[str, Any]
    got: Mapping[str, Any] | None
    status: str
    why: str
    errors_pct: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``pass`` is None for a skipped case."""
        return {
            "id": self.id,
            "kind": self.kind,
            "expected": dict(self.expected),
            "got": None if self.got is None else dict(self.got),
            "status": self.status,
            "pass": None if self.status == "skipped" else self.status == "passed",
            "why": self.why,
        }


def parse(row: Row) -> SizeCase:
    """The case of one row; what is wrong with it is left on the row."""
    content = row.content
    for key in ("id", "kind"):
        row.need_name(key)
    config = row.need_object("config", "an object that describes the model")
    expected = row.need_object("expected", "an object of at least one answer")
    if isinstance(content.get("expected"), dict) and not expected:
        row.refuse("expected", "an object of at least one answer")
    return SizeCase(
        str(content.get("id")),
        str(content.get("kind")),
        config,
        expected,
        str(content.get("evidence") or ""),
    )


def run_size(case: SizeCase) -> SizeResult:
    """Count one model and judge the count.

    A kind, a field or an expected name that is not known here makes the case skipped, and named.
    """
    expected = dict(_flat(case.expected))
    if case.kind not in _KINDS:
        known = ", ".join(_KINDS)
        return _skipped(case, expected, f'unknown kind "{case.kind}": one of {known}')
    try:
        answers = _KINDS[case.kind](case)
    except ArchitectureError as error:
        return _skipped(case, expected, "; ".join(error.problems))
    except UnknownVariant as error:
        return _skipped(case, expected, str(error))
    unknown = [name for name in expected if name not in answers]
    if unknown:
        return _skipped(case, expected, f"no answer to {', '.join(unknown)}")
    got: dict[str, Any] = {}
    wrong: list[str] = []
    errors: list[float] = []
    for name, value in expected.items():
        found, tolerance = answers[name]
        got[name] = found
        off = abs(found / value - 1.0) if value else float(found != value)
        errors.append(100.0 * off)
        if off > tolerance:
            limit = "exactly" if tolerance < _TENSOR_FILE else f"within {tolerance:.0%}"
            wrong.append(f"{name} is {found:,}, expected {value:,} {limit}")
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    status = "failed" if wrong else "passed"
    why = wrong[0] + more if wrong else ""
    return SizeResult(case.id, case.kind, expected, got, status, why, tuple(errors))


def _skipped(case: SizeCase, expected: Mapping[str, Any], why: str) -> SizeResult:
    return SizeResult(case.id, case.kind, expected, None, "skipped", why)


def _flat(expected: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in expected.items():
        if name in _WORDS or value is None:
            continue
        if isinstance(value, Mapping):
            for inner, number in value.items():
                yield f"{name}.{inner}", number
        else:
            yield name, value


Answers = dict[str, tuple[float, float]]


def _of_architecture(case: SizeCase, found: Architecture) -> Answers:
    """Counts, and files of the formats that hold tensors, in the precision that was asked for."""
    answers: Answers = {
        "params": (found.parameters, 0.0),
        "active_params": (found.active_parameters, _TENSOR_FILE),
        "buffer_elements": (found.buffer_elements, 0.0),
        "state_dict_bytes_fp32": (found.state_bytes(4.0), 0.0),
        "linear_params": (found.linear_parameters, 0.0),
    }
    native = str(case.expected.get("native_dtype") or found.dtype).split("/")[0]
    if native in BYTES_PER_PARAMETER:
        width = BYTES_PER_PARAMETER[native]
        answers["weight_bytes_native"] = (round(found.parameters * width), 0.0)
    if found.attention is not None:
        cache = 2.0 * found.attention.cache_elements()
        answers["kv_bytes_per_token"] = (round(cache), 0.0)
        answers["kv_bytes_per_token_fp16"] = (round(cache), 0.0)
    for format in case.expected.get("files") or ():
        if format in FORMATS:
            answers[f"files.{format}"] = (file_bytes(found, format, "fp32"), _TENSOR_FILE)
    return answers


def _config(case: SizeCase) -> Answers:
    found = from_config(case.config, case.id)
    if not found.exact:
        raise ArchitectureError(case.id, found.notes)
    return _of_architecture(case, found)


def _spec(case: SizeCase) -> Answers:
    return _of_architecture(case, from_spec(case.config, case.id))


def _ensemble(case: SizeCase) -> Answers:
    found = from_ensemble(case.config, case.id)
    answers: Answers = {
        "nodes": (found.nodes, 0.0 if found.measured else _TREE_FILE),
        "n_trees": (found.trees, 0.0),
    }
    for name in case.expected.get("files") or ():
        try:
            answers[f"files.{name}"] = (found.file_bytes(name), _TREE_FILE)
        except ValueError as error:
            raise ArchitectureError(case.id, [str(error)]) from error
    return answers


def _builder(case: SizeCase) -> Answers:
    """A look-up: by the id where that names the weights, else by the builder alone."""
    builder = str(case.config.get("builder", ""))
    rows = variants(f"torchvision/{builder}")
    named = [row for row in rows if row.name == case.id]
    row = (named or list(rows))[0]
    answers: Answers = {}
    if row.parameters is not None:
        answers["params"] = (row.parameters, 0.0)
    if row.size_bytes is not None:
        answers["file_bytes_approx"] = (row.size_bytes, _TENSOR_FILE)
        answers["file_mib"] = (row.size_bytes / _MIB, _TENSOR_FILE)
    if row.flops is not None:
        answers["gmacs"] = (row.flops / 2e9, _TABLE)
    if row.accuracy is not None:
        answers["accuracy"] = (row.accuracy, _TABLE)
    return answers


_KINDS: Final[dict[str, Callable[[SizeCase], Answers]]] = {
    "hf_config": _config,
    "layer_spec": _spec,
    "tree_ensemble": _ensemble,
    "torchvision_builder": _builder,
}
