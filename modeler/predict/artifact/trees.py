"""Saved tree ensembles: XGBoost JSON and UBJSON, LightGBM text; counted in passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes
from modeler.predict.artifact.contents import Contents

_STEP: Final = 4_000_000
_OVERLAP: Final = 256
_JSON_NODES: Final = re.compile(rb'"num_nodes"\s*:\s*"?(\d{1,12})"?')
# A key of UBJSON, then S for text, L for a length of eight bytes, then so many digits.
_UBJ_NODES: Final = re.compile(rb"num_nodesSL\x00{7}([\x01-\x0c])(\d{1,12})", re.DOTALL)
_LEAVES: Final = re.compile(rb"(?m)^num_leaves=(\d{1,9})\s*$")
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
    ArtifactError : no trees are found in it.
    """
    binary = b'"' not in source.read(0, 64)
    pattern = _UBJ_NODES if binary else _JSON_NODES
    trees = nodes = 0
    for found in _matches(source, pattern):
        text = found[2][: found[1][0]] if binary else found[1]
        nodes += int(text)
        trees += 1
    if not trees:
        raise ArtifactError(source.name, "no tree of XGBoost in it: gblinear, or truncated?")
    name = "xgboost ubj" if binary else "xgboost json"
    facts = {"trees": trees, "nodes": nodes}
    return Contents(name, facts=facts, memory_bytes=_NODE_BYTES * nodes)


def read_lightgbm(source: Bytes) -> Contents:
    """Trees and leaves of a saved booster.

    Raises
    ------
    ArtifactError : no trees are found in it.
    """
    leaves = [int(found[1]) for found in _matches(source, _LEAVES)]
    if not leaves:
        raise ArtifactError(source.name, "no tree of LightGBM in it: truncated?")
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
