"""The derivative as the lecture writes it: ∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂z · ∂z/∂w, factor by factor (B2).

For reading and for modest logits: ∂L/∂ŷ grows as fast as ∂ŷ/∂z shrinks, so at large |z| the product
is ∞ · 0. `scores` has the same derivative with the two multiplied out.
"""

from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.activations import sigmoid, softmax
from jaxlr.chain_rule.scores import one_hot, score
from jaxlr.pytypes import Array, Params


class Factors(NamedTuple):
    """The three factors of one example.

    d_prediction: ∂L/∂ŷ, [] or [C]. d_score: ∂ŷ/∂z, [] or [C, C] (row = ŷ, column = z).
    d_weight: ∂z/∂w = x, [D]; ∂z/∂b = 1 needs no place.
    """

    d_prediction: Array
    d_score: Array
    d_weight: Array


def linear_regression_factors(params: Params, x: Array, label: Array) -> Factors:
    """L = (ŷ - y)², ŷ = z."""
    prediction = score(params, x)
    y = jnp.asarray(label, prediction.dtype)
    return Factors(2 * (prediction - y), jnp.ones_like(prediction), jnp.asarray(x))


def logistic_regression_factors(params: Params, x: Array, label: Array) -> Factors:
    """L = -(y log ŷ + (1 - y) log(1 - ŷ)), ŷ = σ(z)."""
    p = sigmoid(score(params, x))
    y = jnp.asarray(label, p.dtype)
    return Factors(-(y / p - (1 - y) / (1 - p)), p * (1 - p), jnp.asarray(x))


def softmax_regression_factors(params: Params, x: Array, label: Array) -> Factors:
    """L = -Σ_k y_k log ŷ_k, ŷ = softmax(z): ∂ŷ_k/∂z_j = ŷ_k ([k = j] - ŷ_j)."""
    p = softmax(score(params, x))
    y = one_hot(label, p)
    return Factors(-y / p, jnp.diag(p) - jnp.outer(p, p), jnp.asarray(x))


def product(factors: Factors) -> Params:
    """∂L/∂w and ∂L/∂b: the factors multiplied, {"w": [D] or [D, C], "b": [] or [C]}."""
    d_score = (
        factors.d_prediction @ factors.d_score
        if factors.d_score.ndim
        else (factors.d_prediction * factors.d_score)
    )
    return {"w": jnp.multiply.outer(factors.d_weight, d_score), "b": d_score}
