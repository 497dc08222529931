"""Coverage-guided fuzzing of every reader of artifacts: ``python tests/fuzz/fuzz_artifacts.py``.

Not part of the suite: it needs atheris, and runs until it is stopped (``-max_total_time=600``).
Begins from a small artifact of each format. Anything but contents, nothing or an `ArtifactError`
is a find, and so is a call that holds more than 300 MB; libFuzzer writes the input that did it.
"""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
from pathlib import Path

import atheris

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "predict")]

with atheris.instrument_imports(include=["modeler.predict.artifact"]):
    from modeler.predict.artifact import ArtifactError, read
    from modeler.predict.artifact.contents import Contents
    from modeler.predict.artifact.promised import SUFFIXES

MOST_BYTES = 300_000_000
NAMES = ("w", "w.index", *(f"w{suffix}" for suffix in SUFFIXES))


class Held:
    """Bytes of an input, as a reader sees a file."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    @property
    def size(self) -> int:
        """[bytes]"""
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from an offset on."""
        if offset < 0 or length < 0:
            raise ArtifactError(self.name, "asks for bytes before its beginning")
        return self.content[offset : offset + length]


def one(content: bytes) -> None:
    """Read one input under each name that decides."""
    name = NAMES[content[0] % len(NAMES)] if content else NAMES[0]
    tracemalloc.start()
    try:
        found = read(Held(name, content[1:]))
        assert found is None or isinstance(found, Contents)
    except ArtifactError as error:
        if error.file != name or not error.problem:
            raise RuntimeError(f"an error that does not name the file: {error}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak:,} bytes held"


def main() -> None:
    """Fuzz from the samples."""
    from sample_artifacts import EVERY

    folder = Path(tempfile.mkdtemp(prefix="artifacts-"))
    for name, content in EVERY.items():
        at = NAMES.index(f"w{name[5:]}") if f"w{name[5:]}" in NAMES else 0
        (folder / name).write_bytes(bytes([at]) + content)
    atheris.Setup([*sys.argv, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
