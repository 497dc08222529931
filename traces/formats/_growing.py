"""What readers hold while they read: arrays that grow block by block, and lines of rows."""

from bisect import bisect_right
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

# A share of a file below this promises nothing of its length.
_TOLD: Final = 1e-4


class Growing(Generic[T]):
    """An array that grows block by block: as large at once as the first blocks promise.

    Parameters
    ----------
    dtype : type. Of its elements.
    """

    def __init__(self, dtype: type[T]) -> None:
        self._held: NDArray[T] = np.empty(0, dtype=dtype)
        self._size = 0

    def add(self, part: NDArray[T], share: float) -> None:
        """Append a block that ends at a share of the file; 0 where that is not known."""
        size = self._size + part.size
        if size > self._held.size:
            # A little more than promised, for rows grow longer; pages not written cost nothing.
            promised = int(1.1 * size / share) if share > _TOLD else 2 * size
            larger = np.empty(max(promised, size), dtype=self._held.dtype)
            larger[: self._size] = self._held[: self._size]
            self._held = larger
        self._held[self._size : size] = part
        self._size = size

    def whole(self) -> NDArray[T]:
        """What was added."""
        return self._held[: self._size]


class Lines:
    """The line of the file that each row stands on; rows line after line take no memory."""

    def __init__(self) -> None:
        self._rows: list[int] = []  # first row of each block
        self._parts: list[int | NDArray[np.int64]] = []  # its first line, or all of them
        self._size = 0

    def add(self, lines: NDArray[np.int64]) -> None:
        """Append the lines of a block, which rise."""
        if not lines.size:
            return
        self._rows.append(self._size)
        first, last = int(lines[0]), int(lines[-1])
        self._parts.append(first if last - first + 1 == lines.size else lines)
        self._size += lines.size

    def __getitem__(self, row: int) -> int:
        """Line of a row, from 0."""
        block = bisect_right(self._rows, row) - 1
        part, after = self._parts[block], int(row) - self._rows[block]
        return part + after if isinstance(part, int) else int(part[after])
