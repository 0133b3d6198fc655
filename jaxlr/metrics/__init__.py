"""Metrics under scikit-learn's names, exact inside `jit` and `vmap`."""

from jaxlr.metrics import figures, streaming
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
from jaxlr.metrics.bootstrap import bootstrap_interval, resample
from jaxlr.metrics.calibration import calibration_curve, expected_calibration_error
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
from jaxlr.metrics.delong import roc_auc_difference, roc_auc_interval
from jaxlr.metrics.probability import brier_score_loss, d2_brier_score, d2_log_loss_score, log_loss
from jaxlr.metrics.ranking import average_precision_score, roc_auc_score
from jaxlr.metrics.regression import (
    d2_absolute_error_score,
    explained_variance_score,
    max_error,
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from jaxlr.metrics.report import classification_report
from jaxlr.metrics.rescaling import platt_scaling, temperature_scaling

__all__ = [
    "accuracy_score",
    "auc",
    "average_precision_score",
    "balanced_accuracy_score",
    "bootstrap_interval",
    "brier_score_loss",
    "calibration_curve",
    "checked",
    "class_likelihood_ratios",
    "classification_report",
    "cohen_kappa_score",
    "confusion_matrix",
    "confusion_matrix_at_thresholds",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "det_curve",
    "expected_calibration_error",
    "explained_variance_score",
    "f1_score",
    "fbeta_score",
    "figures",
    "hamming_loss",
    "jaccard_score",
    "log_loss",
    "matthews_corrcoef",
    "max_error",
    "mean_absolute_error",
    "mean_squared_error",
    "median_absolute_error",
    "multilabel_confusion_matrix",
    "one_vs_rest",
    "platt_scaling",
    "precision_recall_curve",
    "precision_recall_fscore_support",
    "precision_score",
    "r2_score",
    "recall_score",
    "resample",
    "roc_auc_difference",
    "roc_auc_interval",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
    "specificity_score",
    "streaming",
    "temperature_scaling",
    "top_k_accuracy_score",
    "zero_one_loss",
]
