"""How many bytes a model is: a literal, a file, a folder, or objects in S3."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modeler.predict.fit import smallest_instance
from modeler.predict.precision import bytes_by_precision, parameters_of

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
    kind : str. ``literal``, ``file``, ``directory``, ``s3_object`` or ``s3_prefix``.
    dtype : str. Precision the weights are taken to be stored in.
    weight_bytes : int. The weights. [bytes]
    artifact_bytes : int. Everything that has to be fetched. [bytes]
    objects : int. Files or objects; 0 for a literal.
    storage_classes : mapping of str to StorageClass. Empty outside S3.
    notes : tuple of str. What to know before relying on the figures.
    """

    source: str
    kind: str
    dtype: str
    weight_bytes: int
    artifact_bytes: int
    objects: int
    storage_classes: Mapping[str, StorageClass]
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Weight bytes over bytes per parameter, to the nearest whole one. [parameters]"""
        return round(parameters_of(self.weight_bytes, self.dtype))

    @property
    def smallest_instance(self) -> str | None:
        """The EC2 type with the least GPU memory that holds the weights; None if none does."""
        return smallest_instance(self.weight_bytes)

    def to_dict(self) -> dict[str, object]:
        """The report under the schema ``size/1``."""
        return {
            "schema": "size/1",
            "source": self.source,
            "kind": self.kind,
            "parameters": self.parameters,
            "dtype": self.dtype,
            "weight_bytes": self.weight_bytes,
            "artifact_bytes": self.artifact_bytes,
            "bytes_by_precision": bytes_by_precision(parameters_of(self.weight_bytes, self.dtype)),
            "objects": self.objects,
            "storage_classes": {
                name: {"objects": found.objects, "bytes": found.bytes}
                for name, found in sorted(self.storage_classes.items())
            },
            "smallest_instance": self.smallest_instance,
            "notes": list(self.notes),
        }


def measure_size(
    source: str | os.PathLike[str],
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    *,
    dtype: str = "fp16",
) -> SizeReport:
    """Measure a model.

    Parameters
    ----------
    source : str or path. A size with its unit, a file, a folder, or ``s3://bucket/key``.
    region, profile, endpoint_url : str, optional. For S3; by default the usual AWS configuration.
    dtype : str. Precision the weights are stored in.

    Returns
    -------
    SizeReport

    Raises
    ------
    SizeError
        No such file, an empty folder, or a size without unit.
    S3Error
        Of `modeler.predict.s3`: no such bucket, empty prefix, denied, no credentials, unreachable.
    ValueError
        For an unknown precision.
    """
    text = os.fspath(source)
    parameters_of(0, dtype)
    if text.startswith("s3://"):
        from modeler.predict.s3 import list_source

        listing = list_source(text, region=region, profile=profile, endpoint_url=endpoint_url)
        return _report(text, listing.kind, dtype, listing.files, listing.notes)
    path = Path(text)
    if path.is_dir():
        files = tuple(_walk(path))
        if not files:
            raise SizeError(text, "the folder holds no files")
        return _report(text, "directory", dtype, files)
    if path.is_file():
        return _report(text, "file", dtype, (StoredFile(text, path.stat().st_size),))
    return _literal(text, dtype)


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
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            try:
                stat = path.stat()
            except FileNotFoundError as error:
                raise SizeError(str(path), "a link that leads nowhere") from error
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                yield StoredFile(str(path), stat.st_size)


def _report(
    source: str,
    kind: str,
    dtype: str,
    files: Iterable[StoredFile],
    notes: tuple[str, ...] = (),
) -> SizeReport:
    objects = total = weights = 0
    classes: dict[str, StorageClass] = {}
    for file in files:
        objects += 1
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
    if weights == 0:
        weights = total
        if kind in ("directory", "s3_prefix"):
            notes = (*notes, "no file of a known weight format: all bytes are taken as weights")
    return SizeReport(source, kind, dtype, weights, total, objects, classes, notes)
