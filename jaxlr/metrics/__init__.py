"""Metrics under scikit-learn's names, exact inside `jit` and `vmap`."""

from jaxlr.metrics.counts import accuracy_score, confusion_matrix
from jaxlr.metrics.probability import log_loss

__all__ = ["accuracy_score", "confusion_matrix", "log_loss"]
