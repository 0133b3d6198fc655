"""The metrics that are one figure: what each is given of predictions, and which way is better."""

# As scikit-learn has it: a score is for more, a loss or an error for less; so the names say it.
LESS = ("_loss", "_error")
AVERAGED = (
    "f1_score",
    "fbeta_score",
    "jaccard_score",
    "precision_score",
    "recall_score",
    "specificity_score",
)
TABLES = ("balanced_accuracy_score", "cohen_kappa_score", "matthews_corrcoef", *AVERAGED)
GIVEN = {
    "classes": ("accuracy_score", "hamming_loss", "zero_one_loss", *TABLES),
    "probabilities": (
        "brier_score_loss",
        "d2_brier_score",
        "d2_log_loss_score",
        "expected_calibration_error",
        "log_loss",
        "top_k_accuracy_score",
    ),
    "ranks": ("average_precision_score", "roc_auc_score"),
    "numbers": (
        "d2_absolute_error_score",
        "explained_variance_score",
        "max_error",
        "mean_absolute_error",
        "mean_squared_error",
        "median_absolute_error",
        "r2_score",
        "root_mean_squared_error",
    ),
}
KINDS = {name: kind for kind, names in GIVEN.items() for name in names}


def more_is_better(name: str) -> bool:
    """Of the metric of this name."""
    return not name.endswith(LESS)


def options(name: str, num_classes: int) -> dict:
    """What a metric must be told of this many classes inside `jit`, and means of more than two.

    Averages are over classes where each counts alike, and areas of each class against the rest.
    """
    told = {"num_classes": num_classes} if name in TABLES else {}
    if num_classes > 2 and name in AVERAGED:
        told["average"] = "macro"
    if num_classes > 2 and name == "roc_auc_score":
        told["multi_class"] = "ovr"
    return told
