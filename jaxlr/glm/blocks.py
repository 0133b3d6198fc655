"""Σ w x xᵀ over rows: what Hessians are made of."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Rows
from jaxlr.pytypes import Array


def blocks_of(x: Array, x_t: Array, weights: Array) -> Array:
    """Σ_n weights[g, n] x_n x_nᵀ for every g: [G, P, P], in the weights' precision.

    x_t is the transpose of x [N, P]: scaling its columns leaves the factor as the product wants it.
    """
    rows = x.astype(weights.dtype), sharing.pinned(x_t, rows=1).astype(weights.dtype)
    return sharing.total(sharing.summed(_grams, *rows, weights))


def hessian(loss: Loss, rows: Rows, factors: Any, weights: Array) -> Array:
    """Of one lane's mean loss, all classes together, without a penalty: [Q, Q], Q = C P.

    Args:
      loss: of C outputs.
      rows: see `Rows`.
      factors: of the loss's Hessian at the lane's logits.
      weights: [N].
    """
    num_outputs, size = loss.num_outputs, rows.x.shape[1]
    units = jnp.broadcast_to(
        jnp.eye(num_outputs, dtype=weights.dtype)[:, :, None],
        (num_outputs, num_outputs, len(weights)),
    )
    first, second = np.triu_indices(num_outputs)
    pairs = jax.vmap(partial(loss.hessian_product, factors))(units)[first, second]
    blocks = blocks_of(rows.x, rows.x_t, pairs * weights[None])
    whole = jnp.zeros((num_outputs, num_outputs, size, size), blocks.dtype)
    whole = whole.at[first, second].set(blocks).at[second, first].set(blocks)
    return whole.transpose(0, 2, 1, 3).reshape(num_outputs * size, -1)


def _grams(x, x_t, weights):
    """Σ w x xᵀ [G, P, P] for every row of weights [G, N], one after the other."""
    return jax.lax.map(lambda w: jnp.dot(w[None] * x_t, x, precision="highest"), weights)
