"""No file brings a reader down: samples of every format, damaged in every way that files are."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

import traces

SAMPLES = sorted(
    path for path in (Path(__file__).parents[1] / "data" / "traces").rglob("*") if path.is_file()
)
# Damages of one sample; a run of 50,000 a sample found nothing more.
DAMAGES = 60
NUMBERS = (b"", b"-1", b"nan", b"inf", b"1e308", b"99999999999999999999", b"0", b'"5"', b"1,5")


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to three damages: cut, bytes flipped, lines moved, numbers changed, encodings."""
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(10)
        lines = content.split(b"\n")
        at = rng.randrange(max(len(content), 1))
        if kind == 0:
            content = content[:at]
        elif kind == 1 and content:
            content = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
        elif kind == 2:
            rng.shuffle(lines)
            content = b"\n".join(lines)
        elif kind == 3:
            line = rng.randrange(len(lines))
            content = b"\n".join([*lines[:line], *lines[line : line + 2] * 2, *lines[line + 2 :]])
        elif kind == 4:
            line = rng.randrange(len(lines))
            mark = rng.choice([b",", b" ", b"\t", b":", b'"'])
            cells = lines[line].split(mark)
            cells[rng.randrange(len(cells))] = rng.choice(NUMBERS)
            lines[line] = mark.join(cells)
            content = b"\n".join(lines)
        elif kind == 5:
            content = b"\xef\xbb\xbf" + content
        elif kind == 6:
            content = content.replace(b"\n", b"\r\n")
        elif kind == 7:
            content = content.decode("latin-1").encode("utf-16")
        elif kind == 8:
            digits = [k for k, byte in enumerate(content) if 48 <= byte <= 57]
            if digits:
                k = rng.choice(digits)
                content = content[:k] + rng.choice([b"9" * 12, b"-", b".", b"e"]) + content[k:]
        else:
            del lines[rng.randrange(len(lines))]
            content = b"\n".join(lines)
    return content


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_damaged_file_is_read_or_refused_by_name(sample: Path, tmp_path: Path) -> None:
    content = sample.read_bytes()
    rng = random.Random(sample.name)
    path = tmp_path / sample.name
    tracemalloc.start()
    try:
        for number in range(DAMAGES):
            path.write_bytes(damaged(content, rng))
            said, found = "", None
            try:
                found = traces.read(path)
            except traces.TraceError as error:  # anything else is a fault
                said = str(error)
            if found is None:
                assert str(path) in said, number
            else:
                assert found.report is not None
        # Bins are bounded by rows: a few of a sample may not ask for gigabytes.
        assert tracemalloc.get_traced_memory()[1] < 400e6
    finally:
        tracemalloc.stop()
