"""A binary heap of (time, replica) in two arrays: the slots of the fleet by when each is free."""

from __future__ import annotations

from modeler.compiled import kernel


@kernel(inline="always")
def _sink(times, owners, size, hole, time, owner):  # type: ignore[no-untyped-def]
    """Fill a hole with an entry, which walks down to where it belongs."""
    child = 2 * hole + 1
    while child < size:
        right = child + 1
        if right < size and times[right] < times[child]:
            child = right
        if times[child] >= time:
            break
        times[hole] = times[child]
        owners[hole] = owners[child]
        hole = child
        child = 2 * hole + 1
    times[hole] = time
    owners[hole] = owner


@kernel(inline="always")
def replace_root(times, owners, size, time, owner):  # type: ignore[no-untyped-def]
    """Take the earliest entry out and put another in its place, in one walk down."""
    _sink(times, owners, size, 0, time, owner)


@kernel()
def push(times, owners, size, time, owner):  # type: ignore[no-untyped-def]
    """Add an entry to a heap of `size`; the arrays must have room for one more."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if times[parent] <= time:
            break
        times[hole] = times[parent]
        owners[hole] = owners[parent]
        hole = parent
    times[hole] = time
    owners[hole] = owner


@kernel()
def pop(times, owners, size):  # type: ignore[no-untyped-def]
    """Drop the earliest entry of a heap of `size`; the heap is one shorter afterwards."""
    last = size - 1
    time = times[last]
    owner = owners[last]
    if last > 0:
        replace_root(times, owners, last, time, owner)


@kernel()
def drop_owner(times, owners, size, owner):  # type: ignore[no-untyped-def]
    """Take every entry of one owner out and close the gaps; the new size."""
    kept = 0
    for k in range(size):
        if owners[k] != owner:
            times[kept] = times[k]
            owners[kept] = owners[k]
            kept += 1
    return kept


@kernel()
def remove_owner(times, owners, size, owner):  # type: ignore[no-untyped-def]
    """Take every entry of one owner out and restore the heap; the new size."""
    kept = drop_owner(times, owners, size, owner)
    for start in range(kept // 2 - 1, -1, -1):
        _sink(times, owners, kept, start, times[start], owners[start])
    return kept


@kernel()
def sift_block(times, base, size, time):  # type: ignore[no-untyped-def]
    """`replace_root` of the heap that stands in ``base .. base + size - 1``, all of one owner."""
    hole = 0
    child = 1
    while child < size:
        right = child + 1
        if right < size and times[base + right] < times[base + child]:
            child = right
        if times[base + child] >= time:
            break
        times[base + hole] = times[base + child]
        hole = child
        child = 2 * hole + 1
    times[base + hole] = time
