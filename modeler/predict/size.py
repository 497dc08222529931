"""How many bytes a model is: a literal, a description, a file, a folder, or objects in S3."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from modeler.predict.architecture import Architecture, Ensemble, read_description
from modeler.predict.architecture.parts import Attention
from modeler.predict.artifact import Contents, LocalBytes, Traffic, read_all
from modeler.predict.fit import smallest_instance
from modeler.predict.precision import (
    BYTES_PER_PARAMETER,
    bytes_by_precision,
    bytes_of,
    parameters_of,
    precision,
)

# Files that hold weights; what lies beside them (tokenizer, configuration) is fetched too but is
# not loaded into accelerator memory.
WEIGHT_SUFFIXES: Final = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".gguf",
    ".ggml",
    ".onnx",
    ".h5",
    ".npz",
    ".msgpack",
    ".tflite",
)


class SizeError(Exception):
    """A source that gives no size.

    Attributes
    ----------
    source : str. What was asked for.
    problem : str. What is wrong, and what to do.
    """

    exit_code: Final = 2

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


@dataclass(frozen=True)
class StoredFile:
    """One file or object.

    Parameters
    ----------
    name : str. Path or key.
    size_bytes : int. [bytes]
    storage_class : str or None. None for a local file.
    """

    name: str
    size_bytes: int
    storage_class: str | None = None


@dataclass(frozen=True)
class StorageClass:
    """What lies in one storage class.

    Parameters
    ----------
    objects : int.
    bytes : int. [bytes]
    """

    objects: int
    bytes: int


@dataclass(frozen=True)
class SizeReport:
    """Size of a model and what follows from it.

    Parameters
    ----------
    source : str. What was measured.
    kind : str. ``literal``, ``description``, ``file``, ``directory``, ``s3_object`` or
        ``s3_prefix``.
    dtype : str. Precision of the weights: as stored where the headers tell, else as asked for.
    weight_bytes : int. The weights: tensors, or members of an archive; else whole files. [bytes]
    artifact_bytes : int. Everything that has to be fetched. [bytes]
    objects : int. Files or objects; 0 for a literal.
    storage_classes : mapping of str to StorageClass. Empty outside S3.
    notes : tuple of str. What to know before relying on the figures.
    contents : Contents, optional. What the headers say.
    counted : int, optional. Parameters, where they were counted and not divided out. [parameters]
    traffic : Traffic, optional. Requests that reading the headers took, in S3.
    by_precision : mapping of str to int, optional. Bytes in each precision of a description, with
        scales and what stays in 16 bits; empty of trees; else parameters times bytes. [bytes]
    architecture : Architecture, optional. Of a description of layers.
    """

    source: str
    kind: str
    dtype: str
    weight_bytes: int
    artifact_bytes: int
    objects: int
    storage_classes: Mapping[str, StorageClass]
    notes: tuple[str, ...] = ()
    contents: Contents | None = None
    counted: int | None = None
    traffic: Traffic | None = None
    by_precision: Mapping[str, int] | None = None
    architecture: Architecture | None = None

    @property
    def parameters(self) -> int:
        """As counted, else weight bytes over bytes per parameter. [parameters]"""
        if self.counted is not None:
            return self.counted
        return round(parameters_of(self.weight_bytes, self.dtype))

    @property
    def smallest_instance(self) -> str | None:
        """The EC2 type with the least GPU memory that holds the model; None if none does.

        Of a description as `modeler.predict.serving_fit.holders` counts, with one sequence of
        `SEQUENCE_TOKENS`; else of the weights alone, in nine tenths of the memory.
        """
        if self.architecture is None:
            return smallest_instance(self.weight_bytes)
        from modeler.predict.serving_fit import holders

        fitting = holders(self.architecture, self.dtype, context=_context(self.architecture))
        return fitting[0].instance_type if fitting else None

    def to_dict(self) -> dict[str, object]:
        """The report under the schema ``size/1``."""
        return {
            "schema": "size/1",
            "source": self.source,
            "kind": self.kind,
            "format": None if self.contents is None else self.contents.format,
            "parameters": self.parameters,
            "parameters_counted": self.counted is not None
            and (self.architecture is None or self.architecture.exact),
            "dtype": self.dtype,
            "elements": {} if self.contents is None else dict(self.contents.elements),
            "tensors": 0 if self.contents is None else self.contents.tensors,
            "weight_bytes": self.weight_bytes,
            "artifact_bytes": self.artifact_bytes,
            "bytes_by_precision": dict(
                bytes_by_precision(self.parameters)
                if self.by_precision is None
                else self.by_precision
            ),
            "objects": self.objects,
            "storage_classes": {
                name: {"objects": found.objects, "bytes": found.bytes}
                for name, found in sorted(self.storage_classes.items())
            },
            "smallest_instance": self.smallest_instance,
            "requests": 0 if self.traffic is None else self.traffic.requests,
            "bytes_read": 0 if self.traffic is None else self.traffic.bytes,
            "notes": [*self.notes, *self._rules()],
        }

    def _rules(self) -> tuple[str, ...]:
        """What the figures that follow from the size rest on."""
        payload = (_PAYLOAD,) if self.by_precision is None else ()
        if self.architecture is None:
            return (*payload, _WEIGHTS_ALONE)
        if self.architecture.attention is None:
            return (*payload, _HELD)
        tokens = _context(self.architecture)
        return (*payload, f"{_HELD}, and one sequence of {tokens:,} tokens; --context asks others")


def _context(architecture: Architecture) -> int:
    """Tokens of the sequence that has to fit: what the model takes, up to `SEQUENCE_TOKENS`."""
    return min(architecture.positions or SEQUENCE_TOKENS, SEQUENCE_TOKENS)


def measure_size(
    source: str | os.PathLike[str],
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    *,
    dtype: str | None = None,
) -> SizeReport:
    """Measure a model.

    Parameters
    ----------
    source : str or path. A size with its unit, a ``config.json`` of Hugging Face, a description of
        layers or of trees in JSON or YAML, a file, a folder, or ``s3://bucket/key``. Weights are
        not loaded: their headers say what they hold.
    region, profile, endpoint_url : str, optional. For S3; by default the usual AWS configuration.
    dtype : str, optional. Precision the weights are stored in, where their headers do not tell;
        fp16 without it.

    Returns
    -------
    SizeReport

    Raises
    ------
    modeler.predict.artifact.ArtifactError
        A file that is not what it begins as; names it and what is wrong.
    modeler.predict.architecture.ArchitectureError
        A configuration from which no count follows.
    SizeError
        No such file, an empty folder, or a size without unit.
    S3Error
        Of `modeler.predict.s3`: no such bucket, empty prefix, denied, no credentials, unreachable.
    ValueError
        For an unknown precision.
    """
    text = os.fspath(source)
    parameters_of(0, dtype or _DTYPE)
    if text.startswith("s3://"):
        from modeler.predict.s3 import list_source

        listing = list_source(text, region=region, profile=profile, endpoint_url=endpoint_url)
        return _report(
            text, listing.kind, dtype, listing.files, listing.notes, listing.contents,
            listing.traffic,
        )  # fmt: skip
    path = Path(text)
    if path.is_dir():
        files = tuple(_walk(path))
        if not files:
            raise SizeError(text, "the folder holds no files")
        contents = read_all([LocalBytes(file.name) for file in files])
        if contents is None and all(map(_is_beside_weights, files)):
            config = path / _CONFIG
            described = _of_description(text, config, dtype) if config.is_file() else None
            if described is None:
                raise SizeError(text, _NO_WEIGHTS)
            note = f"no weights are there: counted from its {_CONFIG}"
            return replace(described, notes=(*described.notes, note))
        return _report(text, "directory", dtype, files, contents=contents)
    if path.is_file():
        described = _of_description(text, path, dtype)
        if described is not None:
            return described
        file = StoredFile(text, path.stat().st_size)
        contents = read_all([LocalBytes(path)]) if file.size_bytes else None
        if contents is None and path.name.lower().endswith(_BESIDE_WEIGHTS):
            raise SizeError(text, _NO_MODEL)
        notes = (_UNKNOWN,) if contents is None else ()
        return _report(text, "file", dtype, (file,), notes, contents)
    if path.exists():
        raise SizeError(text, _IRREGULAR)
    return _literal(text, dtype or _DTYPE)


_DTYPE: Final = "fp16"
# Of the one sequence that the smallest instance holds: prompt and answer of a chat (assumed).
SEQUENCE_TOKENS: Final = 4096
_WEIGHTS_ALONE: Final = (
    "smallest_instance holds the weights in 0.9 of its accelerators' memory (assumed); of a "
    "config.json the cache and what the engine takes count too"
)
_HELD: Final = "smallest_instance holds weights, activations of a pass and 1.5 GB of the engine"
_PAYLOAD: Final = (
    "bytes by precision are parameters times bytes: a quantised file adds scales and keeps "
    "embeddings and norms in 16 bits, as size config.json counts them"
)
_UNKNOWN: Final = "no description and no format that is read: its bytes are taken as the weights"
_IRREGULAR: Final = "neither a file nor a folder: a pipe, a socket or a device"


def _of_description(source: str, path: Path, dtype: str | None) -> SizeReport | None:
    """A file that describes a model; None where it does not."""
    found = read_description(path)
    if isinstance(found, Ensemble):
        return _of_trees(source, found)
    return None if found is None else _described(source, found, dtype)


# Text that lies beside weights and holds none.
_BESIDE_WEIGHTS: Final = (
    ".json", ".yaml", ".yml", ".md", ".py", ".csv", ".gitattributes", ".jinja", "license",
)  # fmt: skip
_CONFIG: Final = "config.json"
_NO_MODEL: Final = (
    "describes no model: expected a config.json with model_type or its sizes, layers, trees or a "
    "linear model (size --help shows each)"
)
_NO_WEIGHTS: Final = f"holds no file of weights, and no {_CONFIG} that describes a model"


def _is_beside_weights(file: StoredFile) -> bool:
    return file.name.lower().endswith(_BESIDE_WEIGHTS)


def _described(source: str, found: Architecture, dtype: str | None) -> SizeReport:
    """A model that is described and not there: parameters counted, bytes by its precision."""
    kind = dtype or found.dtype
    size = round(precision(kind).memory_bytes(found))
    notes = found.notes
    if kind != found.dtype:
        notes += (f"counted in {kind}, as asked; the description's own precision is {found.dtype}",)
    if found.experts:
        notes += (
            f"a mixture of {found.experts} experts: {found.active_parameters:,} parameters are "
            "active for a token",
        )
    if found.attention is not None:
        notes += (_of_cache(found.attention),)
    return SizeReport(
        source, "description", kind, size, size, 0, {}, notes, counted=found.parameters,
        by_precision=bytes_of(found), architecture=found,
    )  # fmt: skip


def _of_cache(attention: Attention) -> str:
    """What a token takes in the cache, and up to which one all layers keep it."""
    each = round(2.0 * attention.cache_elements())
    if not attention.windowed_layers:
        return f"{each:,} bytes of cache a token in 16 bit"
    window = attention.window
    beyond = round(
        2.0 * (attention.cache_elements(window + 1.0) - attention.cache_elements(window))
    )
    return (
        f"{each:,} bytes of cache a token in 16 bit up to {window:,} tokens of a sequence, "
        f"{beyond:,} beyond: {attention.windowed_layers} of {attention.layers} layers look no "
        "further back"
    )


# The file that each library writes by default.
_TREE_FILES: Final = {"sklearn": "joblib", "xgboost": "ubj", "lightgbm": "txt"}


def _of_trees(source: str, found: Ensemble) -> SizeReport:
    """An ensemble that is described: nodes counted or estimated, bytes in memory and in a file."""
    format = _TREE_FILES[found.library]
    notes = (
        *found.notes,
        f"{found.trees:,} trees, {found.nodes:,} nodes, {found.leaves:,} leaves; artifact bytes "
        f"are those of {found.library}'s {format}, weight bytes those of the nodes in memory",
        f"about {found.comparisons:,.0f} comparisons for one example",
        "trees have no precision to choose: no bytes by precision",
    )
    return SizeReport(
        source, "description", "fp32", found.memory_bytes, found.file_bytes(format), 0, {}, notes,
        counted=found.nodes, by_precision={},
    )  # fmt: skip


def _literal(text: str, dtype: str) -> SizeReport:
    from modeler.scenario import UnitError, parse_size

    try:
        size = parse_size(text)
    except UnitError as error:
        looks_like_number = text.strip()[:1].isdigit() or text.strip()[:1] in "+-."
        if looks_like_number and os.sep not in text:
            raise SizeError(text, str(error)) from error
        raise SizeError(
            text, "no such file or folder, and not a size such as 13.5GB or an s3:// address"
        ) from error
    if size == 0:
        raise SizeError(text, "a model has at least one byte")
    return SizeReport(text, "literal", dtype, size, size, 0, {})


def _walk(folder: Path) -> Iterator[StoredFile]:
    """Every file below a folder once, however many links lead to it."""
    seen = set()
    for here, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            try:
                status = path.stat()
            except FileNotFoundError as error:
                raise SizeError(str(path), "a link that leads nowhere") from error
            if not stat.S_ISREG(status.st_mode):
                raise SizeError(str(path), _IRREGULAR)
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield StoredFile(str(path), status.st_size)


def _refuse(error: OSError) -> None:
    """A folder that cannot be listed is not left out in silence."""
    raise error


def _report(
    source: str,
    kind: str,
    dtype: str | None,
    files: Iterable[StoredFile],
    notes: tuple[str, ...] = (),
    contents: Contents | None = None,
    traffic: Traffic | None = None,
) -> SizeReport:
    objects = total = weights = 0
    names: list[str] = []
    classes: dict[str, StorageClass] = {}
    for file in files:
        objects += 1
        names.append(file.name)
        total += file.size_bytes
        if file.name.lower().endswith(WEIGHT_SUFFIXES):
            weights += file.size_bytes
        if file.storage_class is not None:
            held = classes.get(file.storage_class, StorageClass(0, 0))
            classes[file.storage_class] = StorageClass(
                held.objects + 1, held.bytes + file.size_bytes
            )
    if total == 0:
        raise SizeError(source, "empty: 0 bytes")
    if contents is not None:
        notes = (*notes, *contents.notes)
        weights = contents.tensor_bytes or contents.memory_bytes or weights
    if weights == 0:
        weights = total
        if kind in ("directory", "s3_prefix"):
            if all(name.lower().endswith(_BESIDE_WEIGHTS) for name in names):
                raise SizeError(source, f"holds no file of weights: {', '.join(names[:3])} ...")
            notes = (*notes, "no file of a known weight format: all bytes are taken as weights")
    stored = None if contents is None else contents.dtype
    known = stored if stored in BYTES_PER_PARAMETER else None
    if known is not None and dtype not in (None, known):
        notes = (*notes, f"stored in {known}, as its headers say: --dtype {dtype} is not needed")
    width = known or dtype or _DTYPE
    counted = None if contents is None else contents.parameters
    return SizeReport(
        source, kind, width, weights, total, objects, classes, notes, contents, counted, traffic
    )
