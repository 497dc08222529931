"""Tree ensembles: nodes by trees, depth and leaves; bytes in memory and in each library's files.

A node of scikit-learn is a row of 64 bytes, with 8 more for each class it counts; one of its
histogram boosting is a row of 56. The other laws are fits to files saved with scikit-learn 1.9,
XGBoost 3.2 and LightGBM 4.7 (some 50 ensembles of 1 to 500 trees, depth 1 to unbounded, 2 to 10
classes); within 1 % of each, compressed files apart, whose content decides.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modeler.predict.architecture.fields import Fields

# scikit-learn's NODE_DTYPE: two children and a feature, threshold and impurity, two weights, a
# flag and padding; histogram boosting's own row. Measured with scikit-learn 1.9. [bytes]
_NODE_BYTES: Final = 64
_HISTOGRAM_NODE_BYTES: Final = 56
_VALUE_BYTES: Final = 8
_SINGLE: Final = (
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
)
# Share of the nodes a depth allows that boosting fills, by depth (measured; deeper fills less).
_BOOSTED_FILL: Final = {1: 1.0, 2: 1.0, 3: 1.0, 4: 0.78, 5: 0.82, 6: 0.7, 7: 0.5, 8: 0.36}
_DEEPEST_FILL: Final = 0.1
# Leaves of a forest's tree over rows of training, grown to the end: from 0.05 (classes that lie
# apart) to 0.65 (a regression); between the two (assumed).
_FOREST_LEAVES: Final = {True: 0.08, False: 0.63}
_LEAVES_DEFAULT: Final = 31  # LightGBM's num_leaves


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
        if e.kind in _SINGLE:
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


def from_ensemble(content: Mapping[str, Any], source: str = "ensemble") -> Ensemble:
    """Read a description of an ensemble.

    Parameters
    ----------
    content : mapping. ``lib`` (a version may follow), ``cls``, ``n_features``, ``n_classes``,
        ``n_train``, ``params`` as the library names them; ``n_trees``, ``total_nodes`` and
        ``total_leaves`` where they are known.

    Raises
    ------
    ArchitectureError
        An unknown library, or too little to count or to estimate nodes; all at once.
    """
    fields = Fields(content, source)
    words = fields.text("lib", "library").split()
    library = {"scikit-learn": "sklearn", "lgb": "lightgbm", "xgb": "xgboost"}.get(
        words[0] if words else "", words[0] if words else ""
    )
    if library not in _LAWS:
        near = difflib.get_close_matches(library, LIBRARIES, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        fields.problems.append(f'lib = "{library}": expected one of {", ".join(LIBRARIES)}{hint}')
    kind = fields.text("cls", "class", "type", default="")
    inner = fields.part("params") or Fields({}, source)
    inner.problems = fields.problems
    classes = fields.number("n_classes", "classes", default=0)
    features = fields.number("n_features", "features", default=0)
    depth = _depth(inner, library)
    rounds = inner.number(
        "n_estimators", "max_iter", "num_boost_round", "num_iterations", default=100, least=1
    )
    boosted = library != "sklearn" or "Boost" in kind
    each_class = boosted and classes > 2
    if kind in _SINGLE:
        rounds = 1
    trees = fields.number(
        "n_trees", "trees", default=rounds * (classes if each_class else 1), least=1
    )
    nodes = fields.number("total_nodes", "nodes", default=0)
    leaves = fields.number("total_leaves", "leaves", default=0)
    rows = fields.number("n_train", "rows", default=0)
    notes: tuple[str, ...] = ()
    measured = bool(nodes or leaves)
    if not measured and not fields.problems:
        asked = "histogram" if "HistGradient" in kind else "boosted" if boosted else ""
        leaves_of_one, how = _estimate(library, asked, depth, rows, classes, inner)
        if leaves_of_one is None:
            fields.problems.append(
                "total_nodes is missing, and without max_depth or n_train nothing bounds the nodes"
            )
        else:
            leaves = round(leaves_of_one * trees)
            notes = (how,)
    # In a binary tree leaves are inner nodes and one.
    leaves = leaves or (nodes + trees) // 2
    nodes = nodes or 2 * leaves - trees
    fields.check()
    return Ensemble(library, kind, trees, nodes, leaves, depth, features, classes, measured, notes)


def _depth(c: Fields, library: str) -> int:
    value = c.raw("max_depth")
    if value is None:
        return 6 if library == "xgboost" else 0
    if isinstance(value, bool) or not isinstance(value, int):
        c.problems.append(f"max_depth = {value!r}: expected a whole number")
        return 0
    return max(value, 0)  # LightGBM's -1 is no bound


def _estimate(
    library: str, boosted: str, depth: int, rows: int, classes: int, c: Fields
) -> tuple[float | None, str]:
    """Leaves of one tree where nobody has counted them, and on what ground."""
    limit = c.number("num_leaves", "max_leaf_nodes", "max_leaves", default=0)
    if library == "lightgbm" or boosted == "histogram":
        most = limit or _LEAVES_DEFAULT
        most = min(most, 2**depth) if depth else most
        return float(most), f"nodes are estimated: each tree has its {most} leaves"
    if boosted and not depth and not limit:
        depth = 3  # scikit-learn's gradient boosting
    if boosted and depth:
        fill = _BOOSTED_FILL.get(depth, _DEEPEST_FILL)
        most = (fill * (2 ** (depth + 1) - 1) + 1.0) / 2.0
        if limit:
            most = min(most, float(limit))
        return most, f"nodes are estimated: {fill:.0%} of what depth {depth} allows"
    if limit:
        return float(limit), f"nodes are estimated: each tree has its {limit} leaves"
    found = []
    if rows:
        found.append(max(_FOREST_LEAVES[classes > 0] * rows, 1.0))
    if depth:
        found.append(float(2 ** min(depth, 60)))
    if not found:
        return None, ""
    # Below both bounds, and well below where they meet.
    leaves = 1.0 / sum(1.0 / bound for bound in found)
    return max(leaves, 1.0), "nodes are estimated, from the depth and the rows of training"
