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

ROWS = 1024  # a turn's rows: their scaled columns stay in the cache
TILED = 256  # columns from which a block is made in tiles


def blocks_of(x: Array, x_t: Array, weights: Array) -> Array:
    """Σ_n weights[g, n] x_n x_nᵀ for every g: [G, P, P], in turns of rows.

    In the weights' precision. x_t is the transpose of x [N, P]: scaling its columns leaves the
    factor as the product wants it.
    """
    size = x.shape[1]
    weights = jax.lax.optimization_barrier(weights)  # or they are made again for every column
    # Blocks are symmetric: below the diagonal, in tiles of columns, is five eighths of them.
    tile = size if size < TILED else -(-size // 4)
    tiles = [slice(first, min(first + tile, size)) for first in range(0, size, tile)]

    below = _in_turns(partial(_tiled, tiles), x, sharing.pinned(x_t, rows=1), weights)
    if len(below) == 1:
        return below[0]
    padded = [jnp.pad(part, ((0, 0), (size - part.shape[1], 0), (0, 0))) for part in below]
    lower = jnp.tril(jnp.concatenate(padded, axis=2))
    return lower + jnp.swapaxes(jnp.tril(lower, -1), 1, 2)


def _tiled(tiles, x, x_t, weights):
    """The products, of each tile of columns with itself and what is below it."""
    x, x_t = x.astype(weights.dtype), x_t.astype(weights.dtype)
    below = []
    for columns in tiles:
        scaled = weights[:, None] * x_t[None, columns.start :]
        # Both lengths: the rows that are left over may be none.
        scaled = scaled.reshape(len(weights) * scaled.shape[1], len(x))
        product = jnp.dot(scaled, x[:, columns], precision="highest")
        below.append(product.reshape(len(weights), -1, product.shape[1]))
    return below


def _in_turns(product, x, *columns):
    """Sums of product(rows [R, P], *columns [..., R]) over turns of rows."""
    return sharing.total(sharing.summed(partial(_turned, product), x, *columns))


def _turned(product, x, *columns):
    turns = len(x) // ROWS
    rest = turns * ROWS

    def add(turn, total):
        rows = jax.lax.dynamic_slice_in_dim(x, turn * ROWS, ROWS)
        parts = (jax.lax.dynamic_slice_in_dim(part, turn * ROWS, ROWS, 1) for part in columns)
        return jax.tree.map(jnp.add, total, product(rows, *parts))

    total = product(x[rest:], *(part[:, rest:] for part in columns))
    return jax.lax.fori_loop(0, turns, add, total) if turns else total


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
    x_t = sharing.pinned(rows.x_t, rows=1)
    blocks = sharing.total(sharing.summed(_grams, rows.x, x_t, pairs * weights[None]))
    whole = jnp.zeros((num_outputs, num_outputs, size, size), blocks.dtype)
    whole = whole.at[first, second].set(blocks).at[second, first].set(blocks)
    return whole.transpose(0, 2, 1, 3).reshape(num_outputs * size, -1)


def _grams(x, x_t, weights):
    """Σ w x xᵀ [G, P, P] for every row of weights [G, N], one after the other."""
    return jax.lax.map(lambda w: jnp.dot(w[None] * x_t, x, precision="highest"), weights)
