"""Metrics under scikit-learn's names, exact inside `jit` and `vmap`."""

from jaxlr.metrics import figures
from jaxlr.metrics.agreement import (
    accuracy_score,
    balanced_accuracy_score,
    class_likelihood_ratios,
    cohen_kappa_score,
    hamming_loss,
    matthews_corrcoef,
    top_k_accuracy_score,
    zero_one_loss,
)
from jaxlr.metrics.checks import checked
from jaxlr.metrics.classification import (
    f1_score,
    fbeta_score,
    jaccard_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    specificity_score,
)
from jaxlr.metrics.confusion import confusion_matrix, multilabel_confusion_matrix, one_vs_rest
from jaxlr.metrics.curves import (
    auc,
    confusion_matrix_at_thresholds,
    det_curve,
    precision_recall_curve,
    roc_curve,
)
from jaxlr.metrics.probability import brier_score_loss, d2_brier_score, d2_log_loss_score, log_loss
from jaxlr.metrics.ranking import average_precision_score, roc_auc_score

__all__ = [
    "accuracy_score",
    "auc",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "checked",
    "class_likelihood_ratios",
    "cohen_kappa_score",
    "confusion_matrix",
    "confusion_matrix_at_thresholds",
    "d2_brier_score",
    "d2_log_loss_score",
    "det_curve",
    "f1_score",
    "fbeta_score",
    "figures",
    "hamming_loss",
    "jaccard_score",
    "log_loss",
    "matthews_corrcoef",
    "multilabel_confusion_matrix",
    "one_vs_rest",
    "precision_recall_curve",
    "precision_recall_fscore_support",
    "precision_score",
    "recall_score",
    "roc_auc_score",
    "roc_curve",
    "specificity_score",
    "top_k_accuracy_score",
    "zero_one_loss",
]
