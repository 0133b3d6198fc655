"""Whole Hessians of lanes, all classes together, where a step wants more than a block each."""

import jax
import jax.numpy as jnp

from jaxlr.glm import folds
from jaxlr.glm.blocks import hessian
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

    def of_lane(lane):
        logits, labels, weights = lane
        return hessian(loss, problem, loss.factors(logits, labels), weights)

    def kept_or_made(lane):
        old, wanted, *at = lane
        return jax.lax.cond(wanted, lambda: of_lane(at), lambda: old)

    def own():
        return jax.lax.map(kept_or_made, (old, wanted, logits, labels, weights))

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


def firm(whole: Array, ridge: Array, lift: Array, num_outputs: int) -> Array:
    """The Hessian [Q, Q] with a ridge, and a diagonal that is longer by a part, for a factor."""
    diagonal = jnp.diagonal(whole)
    # Where rows are certain a weight may have no curvature left, and has a way to go nevertheless.
    some = jnp.where(diagonal > 0, diagonal, jnp.maximum(jnp.max(diagonal), TINY))
    size = len(diagonal) // num_outputs
    ridges = jnp.tile(jnp.where(jnp.arange(size) < size - 1, ridge, 0), num_outputs)
    return whole + jnp.diag(lift * some + ridges)
