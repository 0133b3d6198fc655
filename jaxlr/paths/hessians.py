"""Whole Hessians of a loss, where a step wants more than a block for every class."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import folds, sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, weighted
from jaxlr.pytypes import Array

TINY = 1e-100
ALIKE = 1.5  # times their mean: folds that share curvatures


def measured(
    loss: Loss, problem: Problem, lanes: Lanes, logits: Array, old: Array, wanted: Array
) -> Array:
    """Of the mean loss of L lanes at logits [L, C, N], without a penalty: [L, Q, Q], Q = C P.

    Of those that are `wanted` [L]; others have their `old` one, or a new one if that costs nothing:
    folds whose curvatures are all but alike share them, and one pass over the rows.
    """
    labels, weights = weighted(problem, lanes)

    def own():
        def one(lane):
            old, wanted, *at = lane
            return jax.lax.cond(wanted, lambda: hessian(loss, problem, *at), lambda: old)

        return jax.lax.map(one, (old, wanted, logits, labels, weights))

    num_targets, num_folds = len(problem.labels), len(problem.weights)
    if problem.groups is None or len(logits) != num_targets * num_folds:
        return own()
    curvature = loss.diagonal(loss.factors(logits, labels))
    curvature = curvature.reshape(num_targets, num_folds, -1)
    trains = weights.reshape(curvature.shape) > 0
    mean = jnp.sum(curvature, axis=1, where=trains)
    mean = mean / jnp.maximum(jnp.sum(trains.astype(mean.dtype), axis=1), 1)
    near = (curvature <= ALIKE * mean[:, None]) & (mean[:, None] <= ALIKE * curvature)

    def shared():
        blocks = folds.blocks_of(problem.x, problem.x_t, problem.groups, mean)
        return blocks.reshape(old.shape)

    return jax.lax.cond(jnp.all(near | ~trains), shared, own)


def hessian(loss: Loss, problem: Problem, logits: Array, labels: Array, weights: Array) -> Array:
    """Of one lane: [Q, Q] at its logits [C, N]."""
    num_outputs, size = loss.num_outputs, problem.x.shape[1]
    factors = loss.factors(logits, labels)
    units = jnp.broadcast_to(jnp.eye(num_outputs)[:, :, None], (num_outputs, *logits.shape))
    rows, columns = np.triu_indices(num_outputs)
    curvature = jax.vmap(partial(loss.hessian_product, factors))(units)[rows, columns]
    x_t = sharing.pinned(problem.x_t, rows=1)
    blocks = sharing.summed(_grams, problem.x, x_t, curvature * weights[None])
    whole = jnp.zeros((num_outputs, num_outputs, size, size), blocks.dtype)
    whole = whole.at[rows, columns].set(blocks).at[columns, rows].set(blocks)
    return whole.transpose(0, 2, 1, 3).reshape(num_outputs * size, -1)


def _grams(x, x_t, weights):
    """X' diag(weights) X [G, P, P] for every row of weights [G, N], one after the other."""
    return jax.lax.map(lambda w: jnp.dot(w[None] * x_t, x, precision="highest"), weights)


def firm(hessian: Array, ridge: Array, lift: Array, num_outputs: int) -> Array:
    """The Hessian [Q, Q] with a ridge, and a diagonal that is longer by a part, for a factor."""
    diagonal = jnp.diagonal(hessian)
    # Where rows are certain a weight may have no curvature left, and has a way to go nevertheless.
    some = jnp.where(diagonal > 0, diagonal, jnp.maximum(jnp.max(diagonal), TINY))
    size = len(diagonal) // num_outputs
    ridges = jnp.where(jnp.tile(jnp.arange(size) < size - 1, num_outputs), ridge, 0)
    return hessian + jnp.diag(lift * some + ridges)
