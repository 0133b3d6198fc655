"""Slope ∂L/∂z and curvature ∂²L/∂z² of each loss at its score, written so that nothing cancels.

p - y is a difference of numbers that may agree to the last bit. At y = 1 it is -σ(-z); at the true
class of a softmax it is minus the sum of the other probabilities: sums of terms of one sign.
"""

import jax.numpy as jnp

from jaxlr.activations import sigmoid, softmax
from jaxlr.pytypes import Array, Params


def score(params: Params, x: Array) -> Array:
    """z = wᵀx + b, [] or [C]."""
    return jnp.dot(x, params["w"], precision="highest") + params["b"]


def one_hot(label: Array, like: Array) -> Array:
    """The label as a distribution [C] in the dtype of `like` [C]: an integer is a corner."""
    label = jnp.asarray(label)
    if label.ndim:
        return label.astype(like.dtype)
    return (jnp.arange(like.shape[0], dtype=label.dtype) == label).astype(like.dtype)


def squared_error_slope(prediction: Array, target: Array) -> Array:
    """∂(z - y)²/∂z = 2 (z - y)."""
    return 2 * (prediction - jnp.asarray(target, prediction.dtype))


def squared_error_curvature(prediction: Array, target: Array) -> Array:
    """∂²(z - y)²/∂z² = 2."""
    del target
    return jnp.full_like(prediction, 2)


def log_loss_slope(logit: Array, label: Array) -> Array:
    """σ(z) - y = (1 - y) σ(z) - y σ(-z)."""
    y = jnp.asarray(label, logit.dtype)
    return (1 - y) * sigmoid(logit) - y * sigmoid(-logit)


def log_loss_curvature(logit: Array, label: Array) -> Array:
    """σ'(z) = σ(z) σ(-z), whatever the label."""
    del label
    return sigmoid(logit) * sigmoid(-logit)


def softmax_cross_entropy_slope(logits: Array, label: Array) -> Array:
    """p_k Σ_j y_j - y_k = p_k Σ_{j≠k} y_j - y_k Σ_{j≠k} p_j, [C]."""
    p, y = softmax(logits), one_hot(label, logits)
    return p * _others(y) - y * _others(p)


def softmax_cross_entropy_curvature(logits: Array, label: Array) -> Array:
    """(diag p - p pᵀ) Σ y, [C, C]; on the diagonal p_k (1 - p_k) = p_k Σ_{j≠k} p_j."""
    p, y = softmax(logits), one_hot(label, logits)
    diagonal = jnp.eye(len(p), dtype=bool)
    return jnp.where(diagonal, jnp.diag(p * _others(p)), -jnp.outer(p, p)) * jnp.sum(y)


def _others(a: Array) -> Array:
    """Σ_{j≠k} a_j for every k, [C]."""
    return jnp.sum(jnp.where(jnp.eye(len(a), dtype=bool), 0, a[None, :]), axis=1)
