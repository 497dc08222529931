"""Descriptions of trees and linear models, beside what the libraries themselves store."""

from __future__ import annotations

import json

import pytest

from modeler.predict import measure_size
from modeler.predict.architecture import ArchitectureError, from_ensemble, from_library, from_linear


def trees(lib, cls, params=None, **more):
    content = {"lib": lib, "cls": cls, "n_features": 10, "params": params or {}} | more
    return from_ensemble(content)


@pytest.mark.parametrize(
    ("cls", "more", "parameters"),
    [
        # Shapes of coef_ and intercept_ as scikit-learn 1.9 fits them to ten features.
        ("LogisticRegression", {"n_classes": 2}, 10 + 1),
        ("LogisticRegression", {"n_classes": 3}, 3 * 10 + 3),
        ("SGDClassifier", {"n_classes": 2}, 10 + 1),
        ("RidgeClassifier", {"n_classes": 3}, 3 * 10 + 3),
        ("Perceptron", {"n_classes": 3}, 3 * 10 + 3),
        ("LinearSVC", {"n_classes": 5}, 5 * 10 + 5),
        ("LinearRegression", {}, 10 + 1),
        ("LinearRegression", {"n_outputs": 4}, 4 * 10 + 4),
        ("Ridge", {"params": {"fit_intercept": False}}, 10),
        ("SGDRegressor", {}, 10 + 1),
        # Fitted to 500 rows: 221 support vectors of two classes, 488 of three; dual coefficients of
        # one row less than classes, an intercept for each pair of them.
        ("SVC", {"n_classes": 2, "n_support": 221}, 221 * 10 + 221 + 1),
        ("SVC", {"n_classes": 3, "n_support": 488}, 488 * 10 + 2 * 488 + 3),
        ("SVR", {"n_support": 100}, 100 * 10 + 100 + 1),
    ],
)
def test_linear_models(cls, more, parameters):
    found = from_linear({"lib": "sklearn", "cls": cls, "n_features": 10} | more)
    assert found.parameters == parameters
    assert found.dtype == "fp64"


def test_a_linear_model_is_about_a_kilobyte(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(
        {"lib": "scikit-learn 1.9", "cls": "LogisticRegression", "n_features": 100}
    ))  # fmt: skip
    report = measure_size(path)
    # 101 values of 64 bits; a pickle was measured as "about 1 kB" for a hundred features.
    assert (report.counted, report.weight_bytes) == (101, 808)
    assert "taken by default of sklearn: n_classes 2" in report.notes
    assert any("about a kilobyte longer" in note for note in report.notes)


def test_defaults_of_the_libraries_are_taken_and_said():
    lightgbm = trees("lightgbm 4.7.0", "LGBMRegressor", n_train=8000)
    # LightGBM 4.7 fitted to 8,000 rows with its defaults: 100 trees, 3,100 leaves, 6,100 nodes.
    assert (lightgbm.trees, lightgbm.leaves, lightgbm.nodes) == (100, 3100, 6100)
    assert "taken by default of lightgbm: n_estimators 100, num_leaves 31" in lightgbm.notes
    unbounded = trees("lightgbm", "LGBMRegressor", {"max_depth": -1}, n_train=8000)
    assert (unbounded.depth, unbounded.nodes) == (0, 6100)
    xgboost = trees("xgboost", "XGBRegressor")
    assert (xgboost.trees, xgboost.depth) == (100, 6)
    assert "taken by default of xgboost: max_depth 6, n_estimators 100" in xgboost.notes
    booster = trees("xgboost", "Booster")
    assert booster.trees == 10  # num_boost_round of xgboost.train
    gradient = trees("sklearn", "GradientBoostingClassifier", n_classes=2)
    # Full trees of depth 3: 15 nodes in each of 100; measured 1,468.
    assert gradient.nodes == pytest.approx(1468, rel=0.03)
    histogram = trees("sklearn", "HistGradientBoostingRegressor")
    # Measured: 50 rounds make 3,050 nodes, 61 a tree.
    assert histogram.nodes == 100 * 61
    assert "max_iter 100, max_leaf_nodes 31" in histogram.notes[-1]


def test_classes_make_trees_and_boosters_call_them_by_their_own_name():
    # XGBoost 3.2: seven rounds of three classes are 21 trees.
    assert trees("xgboost", "XGBClassifier", {"n_estimators": 7}, n_classes=3).trees == 21
    assert trees("xgboost", "Booster", {"num_round": 7, "num_class": 3}).trees == 21
    assert trees("lightgbm", "Booster", {"num_trees": 60, "num_class": 6}).trees == 360
    forest = {"num_parallel_tree": 4, "n_estimators": 5}
    assert trees("xgboost", "XGBRegressor", forest).trees == 20
    joint = {"n_estimators": 7, "multi_strategy": "multi_output_tree"}
    assert trees("xgboost", "XGBClassifier", joint, n_classes=3).trees == 7


def test_rows_of_training_bound_what_a_depth_allows():
    deep = trees("xgboost", "XGBRegressor", {"max_depth": 1_000_000}, n_train=1000)
    assert deep.leaves == 100 * 1000
    # Twenty rows a leaf, LightGBM's default.
    few = trees("lightgbm", "LGBMRegressor", n_train=200)
    assert few.leaves == 100 * 10
    with pytest.raises(ArchitectureError, match="n_train would bound them"):
        trees("xgboost", "XGBRegressor", {"max_depth": 1_000_000})
    free = trees("xgboost", "XGBRegressor", {"max_depth": 0}, n_train=1000)
    assert free.leaves == 100 * 1000
    with pytest.raises(ArchitectureError, match="nothing bounds the nodes"):
        trees("xgboost", "XGBRegressor", {"max_depth": 0})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"lib": "xgboost", "params": {"n_estimator": 5}}, 'n_estimator: .*mean "n_estimators"'),
        ({"lib": "xgboost", "params": {"max_dept": 5}}, 'params.max_dept: .*mean "max_depth"'),
        ({"lib": "lightgbm", "params": {"num_leafs": 5}}, 'num_leafs: .*mean "num_leaves"'),
        ({"lib": "lightgbm", "params": {"depth": 5}}, 'params.depth: .*mean "max_depth"'),
        ({"lib": "sklearn", "cls": "RandomForestClassifier", "n_trane": 5},
         'n_trane: no field .*mean "n_train"'),
        ({"lib": "xgboost", "n_estimators": 200}, "n_estimators: expected under params"),
        ({"lib": "xgboost", "params": [1]}, r"params = \[1\]: expected a mapping"),
        ({"lib": "xgboost", "params": {"booster": "gblinear"}}, "expected gbtree or dart"),
        ({"lib": "xgboost", "params": {"max_depth": -1}}, "max_depth = -1: expected .* least 0"),
        ({"lib": "xgboost", "params": {"max_depth": True}}, "max_depth = True: expected a whole"),
        ({"lib": "xgboost", "params": {"max_depth": 10**30}}, "max_depth = 1000.*at most"),
        ({"lib": "xgboost", "params": {"n_estimators": float("nan")}}, "n_estimators = nan"),
        ({"lib": "xgboost", "params": {"num_class": 3}, "n_classes": 4}, "params.num_class = 3"),
        ({"lib": "xgboost", "cls": "XGBRegressor", "n_classes": 4}, "XGBRegressor has none"),
        ({"lib": "xgboost", "total_nodes": 100, "total_leaves": 10, "n_trees": 2},
         "total_nodes = 100: expected 18, as 2 binary trees"),
        ({"lib": "xgboost", "total_nodes": 5, "n_trees": 9}, "expected a node and a leaf in each"),
        ({"lib": "sklearn", "cls": "KMeans"}, "KMeans.*RandomForestClassifier.*LogisticRegression"),
        ({"lib": "sklearn", "cls": "LogisticRegresion", "n_features": 3},
         'did you mean "LogisticRegression"'),
        ({"lib": "sklearn"}, "cls is missing: expected of trees one of RandomForestClassifier"),
        ({"cls": "LogisticRegression", "n_features": 3}, 'lib = "": expected one of sklearn'),
        ({"lib": "xgboost", "cls": "LogisticRegression", "n_features": 3}, "a class of sklearn"),
        ({"lib": "sklearn", "cls": "LogisticRegression"}, "n_features .*is missing"),
        ({"lib": "sklearn", "cls": "SVC", "n_features": 3}, "n_support is missing"),
    ],
)  # fmt: skip
def test_what_a_description_may_not_say(content, said):
    with pytest.raises(ArchitectureError, match=said):
        from_library(content)


def test_all_slips_at_once_and_strangers_by_name():
    with pytest.raises(ArchitectureError) as caught:
        trees("xgboost", "XGBRegresor", {"n_estimator": 5, "max_dept": 3}, n_clases=2)
    assert len(caught.value.problems) == 4
    with pytest.raises(ArchitectureError, match="has no trees"):
        trees("sklearn", "LogisticRegression")
    found = trees("xgboost", "XGBRegressor", {"learning_rate": 0.1, "zzz": 1}, colour="red")
    assert "not known and not used: colour, params.zzz" in found.notes
