"""A description of a model of scikit-learn, XGBoost or LightGBM: trees, or a linear model.

``{"lib": "xgboost", "n_features": 30, "params": {"n_estimators": 200, "max_depth": 6}}``, or
``{"lib": "sklearn", "cls": "LogisticRegression", "n_features": 100, "n_classes": 3}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modeler.predict.architecture.fields import Fields, nearest, shown
from modeler.predict.architecture.libraries import (
    CLASSES,
    GRADIENT,
    HISTOGRAM,
    LEAST_ROWS,
    LEAVES,
    LINEAR,
    LINEAR_CLASSIFIERS,
    ROUNDS,
    TREES,
    VECTOR_MACHINES,
    parameters_of,
)
from modeler.predict.architecture.parts import BIAS, INDEX, Architecture, Part
from modeler.predict.architecture.parts import LINEAR as WEIGHTS
from modeler.predict.architecture.trees import LIBRARIES, SINGLE, Ensemble

# Share of the nodes a depth allows that boosting fills, by depth (measured; deeper fills less).
_BOOSTED_FILL: Final = {1: 1.0, 2: 1.0, 3: 1.0, 4: 0.78, 5: 0.82, 6: 0.7, 7: 0.5, 8: 0.36}
_DEEPEST_FILL: Final = 0.1
# Leaves of a forest's tree over rows of training, grown to the end: from 0.05 (classes that lie
# apart) to 0.65 (a regression); between the two (assumed).
_FOREST_LEAVES: Final = {True: 0.08, False: 0.63}
_DEFAULT_ROUNDS: Final = 100  # of all three libraries' estimators
_BOOSTER_ROUNDS: Final = 10  # num_boost_round of xgboost.train
_DEFAULT_LEAVES: Final = 31  # LightGBM's num_leaves, max_leaf_nodes of histogram boosting
_DEFAULT_LEAST_ROWS: Final = 20  # LightGBM's min_child_samples, min_samples_leaf of histograms
_XGBOOST_DEPTH: Final = 6
_GRADIENT_DEPTH: Final = 3  # of scikit-learn's GradientBoosting
_DEEPEST: Final = 60  # beyond, two to the depth says nothing
_MOST_NODES: Final = 1 << 56
_FIELDS: Final = (
    "lib", "library", "cls", "class", "type", "n_features", "features", "n_classes", "classes",
    "n_train", "rows", "params", "n_trees", "trees", "total_nodes", "nodes", "total_leaves",
    "leaves", "n_support", "n_outputs",
)  # fmt: skip
_USUAL: Final = ("n_estimators", "max_depth", "num_leaves", "max_leaves", "max_iter", "num_class")
_VERY_NEAR: Final = 0.8
_NEAR: Final = 0.7  # of names, above which one is taken for a slip


def from_library(content: Mapping[str, Any], source: str = "model") -> Ensemble | Architecture:
    """Read a description of trees or of a linear model, by its ``cls``.

    Raises
    ------
    ArchitectureError
        As `from_ensemble` and `from_linear` say.
    """
    kind = content.get("cls") or content.get("class")
    read = from_linear if isinstance(kind, str) and kind in LINEAR else from_ensemble
    return read(content, source)


def from_linear(content: Mapping[str, Any], source: str = "model") -> Architecture:
    """Read a description of a linear model or a support vector machine of scikit-learn.

    Parameters
    ----------
    content : mapping. ``lib``, ``cls``, ``n_features``; ``n_classes`` of a classifier, 2 without
        it; ``n_outputs`` of a regression, 1 without it; ``n_support``, the support vectors of SVC
        and its like; ``params`` as the library names them.

    Raises
    ------
    ArchitectureError
        A field that is missing, unknown or cannot be; all at once.
    """
    m = _Described(content, source)
    if m.library and m.library != "sklearn":
        m.fields.problems.append(f'cls = "{m.kind}": a class of sklearn, not of {m.library}')
    features = m.fields.number("n_features", "features", least=1)
    machine = m.kind in VECTOR_MACHINES
    classifier = m.kind in LINEAR_CLASSIFIERS or m.kind in ("SVC", "NuSVC")
    classes = m.classes() if classifier else 0
    outputs = 1 if classifier or machine else m.fields.number("n_outputs", default=1, least=1)
    rows = (classes if classes > 2 else 1) if classifier else outputs
    if machine:
        support = m.fields.number("n_support", least=1)
        pairs = max(classes * (classes - 1) // 2, 1)  # one against one
        parts = [
            Part("support_vectors_", (support, features), WEIGHTS),
            Part("dual_coef_", (max(classes - 1, 1), support), WEIGHTS),
            Part("intercept_", (pairs,), BIAS),
            Part("support_", (support,), INDEX, fixed=4.0),
        ]
    else:
        parts = [Part("coef_", (rows, features), WEIGHTS)]
        if m.params.flag("fit_intercept", default=True):
            parts.append(Part("intercept_", (rows,), BIAS))
    notes = m.check()
    # Measured with scikit-learn 1.9: 0.4 to 0.9 kB beside the values, 1.2 kB and more of SVC.
    notes += ("values are of 64 bits; a pickle is about a kilobyte longer",)
    return Architecture(m.kind, tuple(parts), "fp64", notes=notes)


def from_ensemble(content: Mapping[str, Any], source: str = "ensemble") -> Ensemble:
    """Read a description of an ensemble.

    Parameters
    ----------
    content : mapping. ``lib`` (a version may follow), ``cls``, ``n_features``, ``n_classes``,
        ``n_train``, ``params`` as the library names them, its defaults without them; ``n_trees``,
        ``total_nodes`` and ``total_leaves`` where they are known.

    Raises
    ------
    ArchitectureError
        An unknown library, class or parameter, or too little to count or to estimate nodes; all
        at once.
    """
    m = _Described(content, source)
    c = m.fields
    if m.kind in LINEAR:
        c.problems.append(f'cls = "{m.kind}": has no trees')
    features = c.number("n_features", "features", default=0)
    classes = m.classes()
    depth = m.depth()
    given = any(name in c for name in ("n_trees", "trees"))
    trees = c.number("n_trees", "trees", default=1, least=1) if given else m.trees(classes)
    nodes = c.number("total_nodes", "nodes", default=0)
    leaves = c.number("total_leaves", "leaves", default=0)
    rows = c.number("n_train", "rows", default=0)
    measured = bool(nodes or leaves)
    how: tuple[str, ...] = ()
    if nodes and leaves and nodes != 2 * leaves - trees:
        c.problems.append(
            f"total_nodes = {nodes:,}: expected {2 * leaves - trees:,}, as {trees:,} binary trees "
            f"of {leaves:,} leaves in all have"
        )
    elif measured and max(nodes, leaves) < trees:
        c.problems.append(f"{trees:,} trees: expected a node and a leaf in each")
    if not measured:
        leaves_of_one, why = m.leaves_of_a_tree(depth, rows, classes)
        if leaves_of_one is None:
            c.problems.append(
                "total_nodes is missing, and without max_depth or n_train nothing bounds the nodes"
            )
        else:
            leaves = round(leaves_of_one * trees)
            how = (why,)
    # In a binary tree leaves are inner nodes and one.
    leaves = leaves or (nodes + trees) // 2
    nodes = nodes or 2 * leaves - trees
    if nodes > _MOST_NODES:
        c.problems.append(
            f"{shown(nodes)} nodes: expected at most {_MOST_NODES:,}; n_train would bound them"
        )
    notes = how + m.check()
    return Ensemble(
        m.library, m.kind, trees, nodes, leaves, depth, features, classes, measured, notes
    )


class _Described:
    """What is common to the descriptions: library, class, parameters, defaults that were taken."""

    def __init__(self, content: Mapping[str, Any], source: str) -> None:
        self.content = content
        c = self.fields = Fields(content, source)
        words = c.text("lib", "library").split()
        word = words[0].lower() if words else ""
        self.library = {"scikit-learn": "sklearn", "lgb": "lightgbm", "xgb": "xgboost"}.get(
            word, word
        )
        if self.library not in LIBRARIES:
            hint = nearest(word[:40], LIBRARIES)
            c.problems.append(f'lib = "{word[:40]}": expected one of {", ".join(LIBRARIES)}{hint}')
            self.library = ""
        self.kind = c.text("cls", "class", "type")
        self._check_class()
        self.params = Fields({}, source)
        given = content.get("params")
        if isinstance(given, Mapping):
            self.params = c.part("params") or self.params
        elif given is not None:
            c.problems.append(
                f"params = {shown(given)}: expected a mapping, such as {{n_estimators: 200}}"
            )
        self.params.problems = c.problems
        self.given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        self.defaults: list[str] = []

    def _check_class(self) -> None:
        trees = TREES.get(self.library, ())
        linear = LINEAR if self.library == "sklearn" else ()
        if not trees or self.kind in (*trees, *linear) or not (self.kind or linear):
            return  # the boosters' own formats have no class
        said = f'cls = "{self.kind[:40]}"' if self.kind else "cls is missing"
        also = f"; of linear models {', '.join(linear)}" if linear else ""
        self.fields.problems.append(
            f"{said}: expected of trees one of {', '.join(trees)}{also}"
            f"{nearest(self.kind[:40], (*trees, *linear))}"
        )

    @property
    def boosted(self) -> bool:
        """Whether trees follow one another, each of a few leaves."""
        return self.library in ("xgboost", "lightgbm") or self.kind in (*GRADIENT, *HISTOGRAM)

    def taken(self, name: str, value: object) -> None:
        """Remember a default that the count rests on."""
        self.defaults.append(f"{name} {value}")

    def _parameter(self, names: tuple[str, ...], default: int, least: int = 1) -> int:
        if not any(name in self.params for name in names):
            self.taken(names[0], default)
        return self.params.number(*names, default=default, least=least)

    def classes(self) -> int:
        """Classes of a classifier; 0 of a regression."""
        c = self.fields
        said = c.number("n_classes", "classes", default=0)
        names = CLASSES.get(self.library, ())
        inner = self.params.number(*names, default=0) if names else 0
        inner = 0 if inner == 1 else inner  # both libraries' value for a regression
        if said and inner and said != inner:
            c.problems.append(f"n_classes = {said:,}, and params.{names[0]} = {inner:,}")
        found = said or inner
        if self.kind.endswith(("Regressor", "Ranker", "SVR")) and found > 1:
            c.problems.append(f"n_classes = {found:,}: {self.kind} has none")
        classifies = self.kind.endswith(("Classifier", "SVC")) or self.kind in LINEAR_CLASSIFIERS
        if classifies and not found:
            self.taken("n_classes", 2)
            return 2
        return found

    def depth(self) -> int:
        """Most comparisons on the way to a leaf; 0 where the library sets no bound."""
        default = 0
        if self.library == "xgboost":
            default = _XGBOOST_DEPTH
        elif self.kind in GRADIENT and "max_depth" not in self.given:
            default = _GRADIENT_DEPTH
        value = self.params.raw("max_depth")
        if value is None:
            if default:
                self.taken("max_depth", default)
            return default
        if self.library == "lightgbm" and value in (-1, 0) and not isinstance(value, bool):
            return 0
        least = 0 if self.library == "xgboost" else 1
        return self.params.number("max_depth", default=default, least=least)

    def trees(self, classes: int) -> int:
        """Trees by rounds, classes and trees a round."""
        if self.kind in SINGLE or not self.library:
            return 1
        if self.kind in HISTOGRAM:
            rounds = self._parameter(("max_iter",), _DEFAULT_ROUNDS)
        else:
            few = self.library == "xgboost" and self.kind == "Booster"
            names = ROUNDS[self.library]
            names = ("num_boost_round", *names) if few else names
            rounds = self._parameter(names, _BOOSTER_ROUNDS if few else _DEFAULT_ROUNDS)
        beside = 1
        if self.library == "xgboost":
            beside = self.params.number("num_parallel_tree", default=1, least=1)
            booster = self.params.text("booster", default="gbtree")
            if booster not in ("gbtree", "dart"):
                self.fields.problems.append(
                    f'params.booster = "{booster[:40]}": expected gbtree or dart, which have trees'
                )
            if self.params.text("multi_strategy") == "multi_output_tree":
                classes = 1
        return rounds * beside * (classes if self.boosted and classes > 2 else 1)

    def leaves_of_a_tree(self, depth: int, rows: int, classes: int) -> tuple[float | None, str]:
        """Leaves of one tree where nobody has counted them, and on what ground."""
        histogram = self.kind in HISTOGRAM
        limit = 0
        if self.library:
            names = LEAVES[self.library]
            fixed = self.library == "lightgbm" or (histogram and names[0] not in self.given)
            limit = (
                self._parameter(names, _DEFAULT_LEAVES, 2)
                if fixed
                else self.params.number(*names, default=0)
            )
        allowed = 2.0 ** min(depth, _DEEPEST) if depth else float("inf")
        if (self.library == "lightgbm" or histogram) and (limit or depth or rows):
            least = self.params.number(*LEAST_ROWS, default=_DEFAULT_LEAST_ROWS, least=1)
            most = min(allowed, limit or allowed, max(rows // least, 1) if rows else allowed)
            if most < float("inf"):
                return most, f"nodes are estimated: each tree has its {most:,.0f} leaves"
        if self.boosted and depth:
            fill = _BOOSTED_FILL.get(depth, _DEEPEST_FILL)
            most = min((fill * (2.0 * allowed - 1.0) + 1.0) / 2.0, limit or allowed)
            if rows and rows < most:
                return float(rows), "nodes are estimated: each tree has a leaf for each row"
            return most, f"nodes are estimated: {fill:.0%} of what depth {depth} allows"
        if limit:
            return float(limit), f"nodes are estimated: each tree has its {limit:,} leaves"
        found = [allowed] if depth else []
        if rows:
            share = 1.0 if self.boosted else _FOREST_LEAVES[classes > 0]
            found.append(max(share * rows, 1.0))
        if not found:
            return None, ""
        # Below both bounds, and well below where they meet.
        leaves = 1.0 / sum(1.0 / bound for bound in found)
        return max(leaves, 1.0), "nodes are estimated, from the depth and the rows of training"

    def check(self) -> tuple[str, ...]:
        """Refuse what is wrong; else what to know of defaults and of words that were not used."""
        known = parameters_of(self.library, self.kind)
        usual = [name for name in _USUAL if name in known]
        strangers = []
        for name in self.content:
            if name in _FIELDS:
                continue
            if name in known:
                self.fields.problems.append(f"{name}: expected under params")
            elif hint := nearest(name, _FIELDS, _NEAR) or nearest(name, known, _NEAR):
                self.fields.problems.append(f"{name[:40]}: no field of a description{hint}")
            else:
                strangers.append(name[:40])
        for name in self.given if self.library else ():
            if name in known:
                continue
            if hint := nearest(name, usual, _VERY_NEAR) or nearest(name, known, _NEAR):
                of = self.kind or self.library
                self.fields.problems.append(f"params.{name[:40]}: no parameter of {of}{hint}")
            else:
                strangers.append(f"params.{name[:40]}")
        self.fields.check()
        notes: tuple[str, ...] = ()
        if self.defaults:
            notes += (f"taken by default of {self.library}: {', '.join(self.defaults)}",)
        if strangers:
            notes += (f"not known and not used: {', '.join(strangers[:8])}",)
        return notes
