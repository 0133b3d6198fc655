"""J of one lane and the gradient of its smooth part, where its logits are known.

Lanes under `vmap` share the rows, so that their products with them are one.
"""

import jax.numpy as jnp

from jaxlr.glm import problem, sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Rows, without_intercept
from jaxlr.pytypes import Array


def risk(loss: Loss, lane: Lane, params: Array, logits: Array) -> Array:
    """J [] at params [C, P], whose logits are [C, N]."""
    mean = jnp.dot(loss.value(logits, lane.labels), lane.weights, precision="highest")
    w = without_intercept(params)
    penalty = lane.ridge * jnp.sum(w**2) / 2 + lane.lasso * jnp.sum(jnp.abs(w))
    return sharing.total(mean) + penalty


def slopes(loss: Loss, lane: Lane, logits: Array) -> Array:
    """The mean loss's gradient by the logits [C, N]."""
    return loss.gradient(logits, lane.labels) * lane.weights[None]


def gradient(loss: Loss, rows: Rows, lane: Lane, params: Array, logits: Array) -> Array:
    """Of J without its l1 part [C, P]."""
    mean = problem.gradient_of(slopes(loss, lane, logits), rows)
    return mean + lane.ridge * without_intercept(params)
