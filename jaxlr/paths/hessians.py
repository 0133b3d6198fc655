"""Whole Hessians of lanes, all classes together, where a step wants more than a block each."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxlr.glm.blocks import hessian
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, weighted
from jaxlr.pytypes import Array

TINY = 1e-100


def measured(
    loss: Loss, problem: Problem, lanes: Lanes, logits: Array, old: Array, wanted: Array
) -> Array:
    """Of the mean loss of L lanes at logits [L, C, N], without a penalty: [L, Q, Q], Q = C P.

    Of those that are `wanted` [L]; others have their `old` one.
    """
    labels, weights = weighted(problem, lanes)

    def kept_or_made(lane):
        old, wanted, logits, labels, weights = lane
        factors = loss.factors(logits, labels)
        made = partial(hessian, loss, problem, factors, weights)
        return jax.lax.cond(wanted, made, lambda: old)

    return jax.lax.map(kept_or_made, (old, wanted, logits, labels, weights))


def firm(whole: Array, ridge: Array, lift: Array, num_outputs: int) -> Array:
    """The Hessian [Q, Q] with a ridge, and a diagonal that is longer by a part, for a factor."""
    diagonal = jnp.diagonal(whole)
    # Where rows are certain a weight may have no curvature left, and has a way to go nevertheless.
    some = jnp.where(diagonal > 0, diagonal, jnp.maximum(jnp.max(diagonal), TINY))
    size = len(diagonal) // num_outputs
    ridges = jnp.tile(jnp.where(jnp.arange(size) < size - 1, ridge, 0), num_outputs)
    return whole + jnp.diag(lift * some + ridges)
