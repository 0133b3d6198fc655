"""The metrics that are one figure: what each is given of predictions, and which way is better."""

from collections.abc import Callable
from functools import lru_cache

import jax.numpy as jnp

from jaxlr.pytypes import Array

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


@lru_cache  # one object for one question: programs are found by it
def of_logits(
    metric: Callable[..., Array], name: str, link: Callable | None, num_classes: int | None
) -> Callable[..., Array]:
    """The metric of this name as a function of labels [N] and logits [N], or [N, C] of classes.

    Of more than two classes averages are over classes where each counts alike, and areas those of
    each class against the rest; options in a `partial` come first. `link` makes probabilities.
    """
    kind, many = KINDS[name], (num_classes or 2) > 2
    told = {"num_classes": num_classes or 2} if name in TABLES else {}
    told |= {"average": "macro"} if many and name in AVERAGED else {}
    told |= {"multi_class": "ovr"} if many and name == "roc_auc_score" else {}
    told |= getattr(metric, "keywords", {})

    def scored(labels, logits, *, sample_weight=None):
        if kind == "classes":
            said = jnp.argmax(logits, axis=-1) if num_classes else logits > 0
            said = said.astype(jnp.result_type(labels))
        elif kind == "ranks" and not many:
            said = logits[:, 1] - logits[:, 0] if num_classes else logits
        else:
            said = logits if kind == "numbers" else link(logits)
        return metric(labels, said, sample_weight=sample_weight, **told)

    return scored
