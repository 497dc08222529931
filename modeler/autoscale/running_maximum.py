"""The largest of a series' last values, kept as a queue of falling maxima in a policy's memory.

Each value enters and leaves the queue once, so that an update costs the same whatever the window.
Memory: the first entry, the number of entries, then a ring of (index, value).
"""

from __future__ import annotations

from typing import Final

from modeler.compiled import kernel

_FIRST: Final = 0
_LENGTH: Final = 1
_RING: Final = 2


def size_of(steps: int) -> int:
    """Values that it takes in a policy's memory. [values]"""
    return _RING + 2 * steps


@kernel()
def update(state, base, steps, index, value):  # type: ignore[no-untyped-def]
    """Add a value and get the largest of the last `steps` indices, this one included.

    Indices never fall. Of several values at one index the largest counts.
    """
    ring = base + _RING
    first = int(state[base + _FIRST])
    length = int(state[base + _LENGTH])
    while length > 0 and state[ring + 2 * ((first + length - 1) % steps) + 1] <= value:
        length -= 1
    while length > 0 and index - state[ring + 2 * first] >= steps:
        first = (first + 1) % steps
        length -= 1
    if length == 0 or state[ring + 2 * ((first + length - 1) % steps)] != index:
        place = ring + 2 * ((first + length) % steps)
        state[place] = index
        state[place + 1] = value
        length += 1
    state[base + _FIRST] = first
    state[base + _LENGTH] = length
    return state[ring + 2 * first + 1]
