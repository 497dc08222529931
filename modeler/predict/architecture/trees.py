"""Tree ensembles: nodes by trees, depth and leaves; bytes in memory and in each library's files.

A node of scikit-learn is a row of 64 bytes, with 8 more for each class it counts; one of its
histogram boosting is a row of 56. The other laws are fits to files saved with scikit-learn 1.9,
XGBoost 3.2 and LightGBM 4.7 (some 50 ensembles of 1 to 500 trees, depth 1 to unbounded, 2 to 10
classes); within 1 % of each, compressed files apart, whose content decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# scikit-learn's NODE_DTYPE: two children and a feature, threshold and impurity, two weights, a
# flag and padding; histogram boosting's own row. Measured with scikit-learn 1.9. [bytes]
_NODE_BYTES: Final = 64
_HISTOGRAM_NODE_BYTES: Final = 56
_VALUE_BYTES: Final = 8
SINGLE: Final = (
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
)


@dataclass(frozen=True)
class Ensemble:
    """Trees of a model.

    Parameters
    ----------
    library : str. ``sklearn``, ``xgboost`` or ``lightgbm``.
    kind : str. The class, such as ``RandomForestClassifier``.
    trees, nodes, leaves : int. In all; leaves are nodes as well.
    depth : int. Most comparisons on the way to a leaf; 0 where it is not bounded.
    features : int. Input features.
    classes : int. Classes of a classifier; 0 of a regression.
    measured : bool. Whether nodes were counted; otherwise they are estimated.
    notes : tuple of str. What to know before relying on it.
    """

    library: str
    kind: str
    trees: int
    nodes: int
    leaves: int
    depth: int
    features: int
    classes: int
    measured: bool = True
    notes: tuple[str, ...] = ()

    @property
    def counts_classes(self) -> int:
        """Values a node keeps: one for each class of a forest or a single tree, else one."""
        forest = not self._boosted
        return max(self.classes, 1) if forest else 1

    @property
    def _boosted(self) -> bool:
        return "Boost" in self.kind or self.library != "sklearn"

    @property
    def memory_bytes(self) -> int:
        """Bytes of the nodes when loaded. [bytes]"""
        if "HistGradient" in self.kind:
            return _HISTOGRAM_NODE_BYTES * self.nodes
        return (_NODE_BYTES + _VALUE_BYTES * self.counts_classes) * self.nodes

    @property
    def comparisons(self) -> float:
        """Comparisons for one example: the mean way to a leaf of balanced trees, in each of them.

        Time goes with this, memory with the nodes.
        """
        leaves = self.leaves / max(self.trees, 1)
        return self.trees * math.log2(max(leaves, 1.0))

    def file_bytes(self, format: str) -> int:
        """Size of a file.

        Parameters
        ----------
        format : str. ``pickle``, ``joblib`` or ``joblib_c3`` (zlib, level 3) of scikit-learn;
            ``json``, ``ubj`` or ``pickle`` of XGBoost; ``txt``, ``pickle`` or ``joblib`` of
            LightGBM.

        Raises
        ------
        ValueError : the library has no such file.
        """
        laws = _LAWS[self.library]
        name = format_name(format)
        if name not in laws:
            raise ValueError(f"{format} of {self.library}: expected one of {', '.join(laws)}")
        return math.ceil(laws[name](self))


def format_name(format: str) -> str:
    """A file's format by any of its usual names."""
    name = format.lower().lstrip(".")
    if name.startswith(("pickle", "pkl")):
        return "pickle"
    if name.startswith("joblib"):
        return "joblib_c3" if any(c in name for c in ("c3", "compress", "z3", "gz")) else "joblib"
    return {"text": "txt", "ubjson": "ubj", "model": "json"}.get(name, name)


def _sklearn(base: float, a_tree: float, hist_base: float, hist_tree: float,
             boosted_base: float, single: float) -> Callable[[Ensemble], float]:  # fmt: skip
    def law(e: Ensemble) -> float:
        if "HistGradient" in e.kind:
            # Bin edges: 255 thresholds of 8 bytes a feature.
            return e.memory_bytes + hist_base + 2040.0 * e.features + hist_tree * e.trees
        if e.kind in SINGLE:
            return e.memory_bytes + single
        if "GradientBoosting" in e.kind:
            return e.memory_bytes + boosted_base + 212.2 * e.trees
        return e.memory_bytes + base + a_tree * e.trees

    return law


def _compressed(e: Ensemble) -> float:
    """Fit to zlib at level 3; what is in the nodes decides: within 15 % of forests seen."""
    if "HistGradient" in e.kind:
        return 0.5 * _LAWS["sklearn"]["joblib"](e)
    # Leaves of a classifier grown to the end hold one class and compress well.
    a_node = 17.5 if e.classes and not e.depth else 22.0
    return (a_node + 0.9 * (e.counts_classes - 1)) * e.nodes + 127.0 * e.trees + 9740.0


def _xgboost_json(e: Ensemble) -> float:
    # A regression's counts of rows have fewer digits than a classifier's sums of hessians.
    if e.classes:
        return 61.33 * e.nodes + 315.5 * e.trees + 5017.0
    return 53.68 * e.nodes + 369.8 * e.trees


def _lightgbm_text(e: Ensemble) -> float:
    if e.classes:
        return 105.2 * e.leaves + 163.7 * e.trees + 4772.0
    return 83.8 * e.leaves + 171.3 * e.trees + 3428.0


_LAWS: Final[dict[str, dict[str, Callable[[Ensemble], float]]]] = {
    "sklearn": {
        "pickle": _sklearn(1552.0, 278.6, 3900.0, 100.0, 7669.0, 1126.0),
        "joblib": _sklearn(1644.0, 399.4, 4500.0, 190.0, 13637.0, 1308.0),
        "joblib_c3": _compressed,
    },
    "xgboost": {
        "json": _xgboost_json,
        "ubj": lambda e: 34.0 * e.nodes + 658.5 * e.trees + 840.0,
        "pickle": lambda e: 34.0 * e.nodes + 658.5 * e.trees + 4030.0,
    },
    "lightgbm": {
        "txt": _lightgbm_text,
        "pickle": lambda e: _lightgbm_text(e) + 1700.0,
        "joblib": lambda e: _lightgbm_text(e) + 1800.0,
    },
}
LIBRARIES: Final = tuple(_LAWS)
