"""Metrics that are functions of counts: the confusion matrix and what follows from it."""

import jax.numpy as jnp

from jaxlr.pytypes import Array


def accuracy_score(y_true: Array, y_pred: Array, *, sample_weight: Array | None = None) -> Array:
    """The weighted share of predictions that are right."""
    return jnp.average((y_true == y_pred).astype(jnp.float32), weights=sample_weight)


def confusion_matrix(
    y_true: Array, y_pred: Array, *, sample_weight: Array | None = None, num_classes: int
) -> Array:
    """Weight of the examples of each (true class, predicted class).

    Args:
      y_true: [N] integers in 0…num_classes-1.
      y_pred: [N] likewise.
      sample_weight: [N], or None for ones.
      num_classes: C, static.

    Returns:
      [C, C], row = truth, column = prediction.
    """
    weight = jnp.ones(y_true.shape) if sample_weight is None else sample_weight
    cells = jnp.zeros((num_classes, num_classes), weight.dtype)
    return cells.at[y_true, y_pred].add(weight)
