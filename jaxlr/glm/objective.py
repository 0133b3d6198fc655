"""J and the gradient of its smooth part, of all lanes, where their logits are known."""

import jax.numpy as jnp

from jaxlr.glm import problem
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, dot, without_intercept
from jaxlr.pytypes import Array


def ridge(lanes: Lanes) -> Array:
    """The penalty of w²/2 [L]."""
    return lanes.lam * (1 - lanes.l1_ratio)


def risk(
    family: Loss, lanes: Lanes, rows: tuple[Array, Array], params: Array, logits: Array
) -> Array:
    """J [L] at params [L, C, P]; rows are labels and weights [L, N] each."""
    labels, weights = rows
    mean = jnp.einsum("ln,ln->l", family.value(logits, labels), weights, precision="highest")
    w = without_intercept(params)
    l1 = lanes.lam * lanes.l1_ratio * jnp.sum(jnp.abs(w), axis=(1, 2))
    return mean + ridge(lanes) * dot(w, w) / 2 + l1


def gradient(rows: Problem, lanes: Lanes, params: Array, slopes: Array) -> Array:
    """Of J without its l1 part [L, C, P]; slopes [L, C, N] are weighted."""
    return problem.gradient(slopes, rows) + ridge(lanes)[:, None, None] * without_intercept(params)


def slope(slopes: Array, d_logits: Array, weights: Array) -> Array:
    """The slope [L] of the loss along d_logits, where its slopes are the given, [L, C, N] both."""
    # Classes first: XLA's CPU loops along rows are vectors, and over both are not.
    along = jnp.sum(slopes * d_logits, axis=1)
    return jnp.einsum("ln,ln->l", along, weights, precision="highest")
