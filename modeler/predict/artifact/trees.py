"""Saved tree ensembles: XGBoost JSON and UBJSON, LightGBM text; counted in passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes
from modeler.predict.artifact.contents import Contents
from modeler.predict.artifact.ubjson import texts

_STEP: Final = 4_000_000
_OVERLAP: Final = 256
# Nodes of each tree, and how many trees the booster announces before them.
_NODES, _TREES = b"num_nodes", b"num_trees"
_JSON: Final = re.compile(rb'"(num_nodes|num_trees)"\s*:\s*"?(\d{1,12})"?')
_LEAVES: Final = re.compile(rb"(?m)^(?:num_leaves=(\d{1,9})|end of trees)\s*$")
_NODE_BYTES: Final = 40  # of XGBoost in memory: children, split, base weight, gain (assumed)


def looks_like_xgboost(head: bytes) -> bool:
    """JSON or UBJSON with a learner."""
    return head[:1] == b"{" and b"learner" in head[:4096]


def looks_like_lightgbm(head: bytes) -> bool:
    """The text format begins with ``tree`` and its version."""
    return head[:5] == b"tree\n" or head[:6] == b"tree\r\n"


def read_xgboost(source: Bytes) -> Contents:
    """Trees and nodes of a saved booster.

    Raises
    ------
    ArtifactError
        Truncated, fewer trees than it announces, or none.
    """
    binary = b'"' not in source.read(0, 64)
    trees = nodes = 0
    announced: int | None = None
    if not binary and not source.read(max(source.size - 64, 0), 64).rstrip().endswith(b"}"):
        raise ArtifactError(source.name, 'JSON of XGBoost that does not end with "}": truncated?')
    for key, text in _counts(source, binary):
        if key == _TREES:
            announced = int(text)
        else:
            nodes += int(text)
            trees += 1
    if not trees:
        raise ArtifactError(source.name, "no tree of XGBoost in it: gblinear, or truncated?")
    if announced is not None and announced != trees:
        raise ArtifactError(
            source.name, f"announces {announced:,} trees and holds {trees:,}: truncated?"
        )
    name = "xgboost ubj" if binary else "xgboost json"
    facts = {"trees": trees, "nodes": nodes}
    return Contents(name, facts=facts, memory_bytes=_NODE_BYTES * nodes)


def _counts(source: Bytes, binary: bool) -> Iterator[tuple[bytes, bytes]]:
    """What is announced of trees and of nodes, as digits."""
    if not binary:
        yield from ((found[1], found[2]) for found in _matches(source, _JSON))
        return
    for key, text in texts(source, (_NODES, _TREES)):
        if not re.fullmatch(rb"[0-9]{1,12}", text):
            raise ArtifactError(
                source.name, f"{key.decode()} = {text[:20]!r}: expected a whole number"
            )
        yield key, text


def read_lightgbm(source: Bytes) -> Contents:
    """Trees and leaves of a saved booster.

    Raises
    ------
    ArtifactError : no trees are found in it, or no end of them.
    """
    leaves: list[int] = []
    ended = False
    for found in _matches(source, _LEAVES):
        if found[1] is None:
            ended = True
        else:
            leaves.append(int(found[1]))
    if not leaves:
        raise ArtifactError(source.name, "no tree of LightGBM in it: truncated?")
    if not ended:
        raise ArtifactError(
            source.name, f'no "end of trees" behind {len(leaves):,} trees of LightGBM: truncated?'
        )
    nodes = 2 * sum(leaves) - len(leaves)
    facts = {"trees": len(leaves), "leaves": sum(leaves), "nodes": nodes}
    return Contents("lightgbm text", facts=facts, memory_bytes=_NODE_BYTES * nodes)


def _matches(source: Bytes, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Every match once, though the file is read in steps that overlap."""
    at = 0
    while at < source.size:
        content = source.read(at, _STEP + _OVERLAP)
        last = at + _STEP >= source.size
        for found in pattern.finditer(content):
            if last or found.start() < _STEP:
                yield found
        at += _STEP
