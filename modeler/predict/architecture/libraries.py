"""Classes of scikit-learn, XGBoost and LightGBM, and the parameters each is known to take.

Names and defaults are those of scikit-learn 1.9, XGBoost 3.2 and LightGBM 4.7. Only some parameters
move a size; the others are listed so that a slip of the pen is told from a word that says nothing
to it.
"""

from __future__ import annotations

from typing import Final

from modeler.predict.architecture.trees import SINGLE

FORESTS: Final = (
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
)
GRADIENT: Final = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM: Final = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
TREES: Final = {
    "sklearn": (*FORESTS, *SINGLE, *GRADIENT, *HISTOGRAM),
    "xgboost": (
        "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor",
        "Booster",
    ),
    "lightgbm": ("LGBMClassifier", "LGBMRegressor", "LGBMRanker", "LGBMModel", "Booster"),
}  # fmt: skip
LINEAR_CLASSIFIERS: Final = (
    "LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "Perceptron", "RidgeClassifier",
    "RidgeClassifierCV", "PassiveAggressiveClassifier", "LinearSVC",
)  # fmt: skip
LINEAR_REGRESSORS: Final = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV",
    "SGDRegressor", "PassiveAggressiveRegressor", "HuberRegressor", "LinearSVR",
    "PoissonRegressor", "QuantileRegressor",
)  # fmt: skip
VECTOR_MACHINES: Final = ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM")
LINEAR: Final = (*LINEAR_CLASSIFIERS, *LINEAR_REGRESSORS, *VECTOR_MACHINES)

# Parameters that move a size, each with its other names.
ROUNDS: Final = {
    "sklearn": ("n_estimators",),
    "xgboost": ("n_estimators", "num_boost_round", "num_round"),
    "lightgbm": (
        "n_estimators", "num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees",
        "num_round", "num_rounds", "nrounds", "num_boost_round", "max_iter",
    ),
}  # fmt: skip
LEAVES: Final = {
    "sklearn": ("max_leaf_nodes",),
    "xgboost": ("max_leaves",),
    "lightgbm": ("num_leaves", "num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"),
}
LEAST_ROWS: Final = (
    "min_samples_leaf", "min_child_samples", "min_data_in_leaf", "min_data", "min_data_per_leaf",
)  # fmt: skip
CLASSES: Final = {
    "sklearn": (),
    "xgboost": ("num_class",),
    "lightgbm": ("num_class", "num_classes"),
}

_SKLEARN: Final = """
max_depth min_samples_split min_samples_leaf max_leaf_nodes random_state verbose warm_start
monotonic_cst max_features criterion splitter min_weight_fraction_leaf min_impurity_decrease
ccp_alpha class_weight
"""
_FOREST: Final = "n_estimators bootstrap oob_score n_jobs max_samples"
_GRADIENT: Final = """
n_estimators loss learning_rate subsample init alpha validation_fraction n_iter_no_change tol
"""
_HISTOGRAM: Final = """
max_iter loss learning_rate quantile l2_regularization max_bins categorical_features
interaction_cst early_stopping scoring validation_fraction n_iter_no_change tol
"""
_XGBOOST: Final = """
n_estimators num_boost_round num_round max_depth max_leaves num_class num_parallel_tree booster
multi_strategy device verbosity validate_parameters disable_default_eval_metric eta learning_rate
gamma min_split_loss min_child_weight max_delta_step subsample sampling_method colsample_bytree
colsample_bylevel colsample_bynode lambda reg_lambda alpha reg_alpha tree_method scale_pos_weight
updater refresh_leaf process_type grow_policy max_bin monotone_constraints interaction_constraints
max_cached_hist_node max_cat_to_onehot max_cat_threshold sample_type normalize_type rate_drop
one_drop skip_drop objective base_score eval_metric seed random_state seed_per_iteration n_jobs
nthread missing importance_type enable_categorical feature_types feature_weights
early_stopping_rounds callbacks verbose use_label_encoder gpu_id predictor tweedie_variance_power
huber_slope quantile_alpha expectile_alpha aft_loss_distribution aft_loss_distribution_scale
lambdarank_pair_method lambdarank_num_pair_per_sample lambdarank_normalization
lambdarank_score_normalization lambdarank_unbiased lambdarank_bias_norm ndcg_exp_gain top_k
feature_selector
"""
_LIGHTGBM: Final = """
max_depth num_class num_classes boosting_type boosting boost objective application app loss
data_sample_strategy learning_rate shrinkage_rate eta tree_learner num_threads num_thread n_jobs
nthread nthreads device_type device seed random_state deterministic force_col_wise force_row_wise
histogram_pool_size min_data_in_leaf min_child_samples min_data min_data_per_leaf min_samples_leaf
min_sum_hessian_in_leaf min_child_weight bagging_fraction subsample bagging bagging_freq
subsample_freq bagging_seed feature_fraction colsample_bytree sub_feature feature_fraction_bynode
colsample_bynode extra_trees early_stopping_round early_stopping_rounds early_stopping
n_iter_no_change first_metric_only max_delta_step lambda_l1 reg_alpha lambda_l2 reg_lambda lambda
linear_lambda min_gain_to_split min_split_gain drop_rate max_drop skip_drop xgboost_dart_mode
uniform_drop drop_seed top_rate other_rate min_data_per_group max_cat_threshold cat_l2 cat_smooth
max_cat_to_onehot top_k monotone_constraints monotone_constraints_method monotone_penalty
feature_contri path_smooth interaction_constraints verbosity verbose linear_tree max_bin
min_data_in_bin bin_construct_sample_cnt subsample_for_bin data_random_seed is_enable_sparse
enable_bundle use_missing zero_as_missing feature_pre_filter categorical_feature is_unbalance
unbalance scale_pos_weight sigmoid boost_from_average alpha fair_c poisson_max_delta_step
tweedie_variance_power class_weight subsample_freq importance_type metric metrics metric_freq
use_quantized_grad num_grad_quant_bins gpu_platform_id gpu_device_id gpu_use_dp num_gpu silent
"""
_LINEAR: Final = """
fit_intercept penalty C c l1_ratio alpha alphas Cs dual tol solver max_iter multi_class n_jobs
random_state verbose warm_start class_weight intercept_scaling loss epsilon learning_rate eta0
power_t early_stopping validation_fraction n_iter_no_change average shuffle copy_X positive
precompute selection cv scoring refit gcv_mode store_cv_results quantile kernel degree gamma coef0
shrinking probability cache_size decision_function_shape break_ties nu eps n_alphas
"""


def parameters_of(library: str, kind: str) -> tuple[str, ...]:
    """Names of parameters that a class is known to take."""
    if kind in LINEAR:
        words = _LINEAR
    elif library == "xgboost":
        words = _XGBOOST
    elif library == "lightgbm":
        words = f"{_LIGHTGBM} {' '.join((*ROUNDS[library], *LEAVES[library]))}"
    else:
        more = _FOREST if kind in FORESTS else _GRADIENT if kind in GRADIENT else ""
        words = f"{_SKLEARN} {_HISTOGRAM if kind in HISTOGRAM else more}"
    return tuple(dict.fromkeys(words.split()))
