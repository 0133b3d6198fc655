"""The Hessian of a proximal Newton step: of one lane, all its classes together."""

import jax.numpy as jnp

from jaxlr.glm.blocks import hessian
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Rows
from jaxlr.pytypes import Array

LEAST = 1e-3  # of the curvature that was expected: from less than this a Hessian learns nothing
TINY = 1e-100


def measured(loss: Loss, rows: Rows, lane: Lane, logits: Array) -> Array:
    """Of the mean loss at logits [C, N], without a penalty: [Q, Q], Q = C P; in their precision."""
    return hessian(loss, rows, loss.factors(logits, lane.labels), lane.weights)


def learnt(hessian: Array, s: Array, y: Array) -> Array:
    """The Hessian after a step s [Q] and its change y [Q] of the gradient: BFGS's.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), equation 6.19.
    """
    image = hessian @ s
    curved, expected = s @ y, s @ image
    learns = (expected > 0) & (curved > LEAST * expected)
    new = jnp.where(learns, 1 / jnp.where(learns, curved, 1), 0)
    old = jnp.where(learns, 1 / jnp.where(learns, expected, 1), 0)
    return hessian + new * jnp.outer(y, y) - old * jnp.outer(image, image)


def firm(hessian: Array, ridge: Array, lift: Array, num_outputs: int) -> Array:
    """With a ridge, and a diagonal that is longer by a part, for a factor."""
    diagonal = jnp.diagonal(hessian)
    # Where rows are certain a weight may have no curvature left, and has a way to go nevertheless.
    some = jnp.where(diagonal > 0, diagonal, jnp.maximum(jnp.max(diagonal), TINY))
    size = len(diagonal) // num_outputs
    ridges = jnp.tile(jnp.where(jnp.arange(size) < size - 1, ridge, 0), num_outputs)
    return hessian + jnp.diag(lift * some + ridges)
