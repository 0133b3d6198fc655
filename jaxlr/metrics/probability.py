"""Metrics of predicted probabilities."""

import jax.numpy as jnp

from jaxlr.pytypes import Array


def log_loss(y_true: Array, y_pred: Array, *, sample_weight: Array | None = None) -> Array:
    """Mean negative log-likelihood in nats.

    Args:
      y_true: [N] integer classes.
      y_pred: [N, C] probabilities, or [N] of class 1.
      sample_weight: [N], or None for ones.
    """
    tiny = jnp.finfo(y_pred.dtype).eps
    p = y_pred if y_pred.ndim == 2 else jnp.stack([1 - y_pred, y_pred], axis=-1)
    picked = jnp.take_along_axis(p, y_true[:, None], axis=-1)[:, 0]
    return jnp.average(-jnp.log(jnp.clip(picked, tiny, 1 - tiny)), weights=sample_weight)
