"""Gradient, Hessian and Hessian-vector product of the three linear models, one example each.

With z = wᵀx + b the chain is the same for all: ∂z/∂w = x and ∂z/∂b = 1, so that

    ∂L/∂w = x ⊗ slope          ∂²L/∂w² = x ⊗ slope' ⊗ x

and z being linear in the parameters, no second term joins in.
"""

from collections.abc import Callable

import jax.numpy as jnp

from jaxlr.chain_rule import scores
from jaxlr.pytypes import Array, Params

Slope = Callable[[Array, Array], Array]


def linear_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of (wᵀx + b - y)²: 2 (ŷ - y) x."""
    return gradient(scores.squared_error_slope, params, x, label)


def logistic_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of log_loss(wᵀx + b, y): (σ(z) - y) x."""
    return gradient(scores.log_loss_slope, params, x, label)


def softmax_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of softmax_cross_entropy(Wᵀx + b, y): x (p - y)ᵀ; y an integer or [C]."""
    return gradient(scores.softmax_cross_entropy_slope, params, x, label)


def linear_regression_hessian(params: Params, x: Array, label: Array) -> Params:
    """Hessian of (wᵀx + b - y)², nested as `jax.hessian` nests it: ["w"]["w"] is [D, D]."""
    return hessian(scores.squared_error_curvature, params, x, label)


def logistic_regression_hessian(params: Params, x: Array, label: Array) -> Params:
    """Hessian of log_loss(wᵀx + b, y): σ(z) σ(-z) x xᵀ."""
    return hessian(scores.log_loss_curvature, params, x, label)


def softmax_regression_hessian(params: Params, x: Array, label: Array) -> Params:
    """Hessian of softmax_cross_entropy(Wᵀx + b, y); ["w"]["w"] is [D, C, D, C]."""
    return hessian(scores.softmax_cross_entropy_curvature, params, x, label)


def linear_regression_hvp(params: Params, x: Array, label: Array, tangent: Params) -> Params:
    """Hessian of (wᵀx + b - y)² times `tangent`, which is shaped like params."""
    return hvp(scores.squared_error_curvature, params, x, label, tangent)


def logistic_regression_hvp(params: Params, x: Array, label: Array, tangent: Params) -> Params:
    """Hessian of log_loss(wᵀx + b, y) times `tangent`."""
    return hvp(scores.log_loss_curvature, params, x, label, tangent)


def softmax_regression_hvp(params: Params, x: Array, label: Array, tangent: Params) -> Params:
    """Hessian of softmax_cross_entropy(Wᵀx + b, y) times `tangent`."""
    return hvp(scores.softmax_cross_entropy_curvature, params, x, label, tangent)


def gradient(slope: Slope, params: Params, x: Array, label: Array) -> Params:
    """∂L/∂w = x ⊗ slope(z, y), ∂L/∂b = slope(z, y)."""
    return _through(x, slope(scores.score(params, x), label))


def hessian(curvature: Slope, params: Params, x: Array, label: Array) -> Params:
    """All second derivatives of the loss in w and b."""
    bb = curvature(scores.score(params, x), label)  # [] or [C, C]
    wb = jnp.multiply.outer(x, bb)  # [D] or [D, C, C]
    bw = jnp.moveaxis(jnp.multiply.outer(bb, x), -1, -1 if bb.ndim == 0 else 1)
    return {
        "w": {"w": jnp.moveaxis(jnp.multiply.outer(x, bw), 0, 0), "b": wb},
        "b": {"w": bw, "b": bb},
    }


def hvp(curvature: Slope, params: Params, x: Array, label: Array, tangent: Params) -> Params:
    """Forward through z, times the curvature, and back: no Hessian is formed."""
    d_score = scores.score(tangent, x)  # z is linear, so its tangent is z of the tangent
    bent = curvature(scores.score(params, x), label)
    return _through(x, bent @ d_score if bent.ndim else bent * d_score)


def _through(x: Array, d_score: Array) -> Params:
    return {"w": jnp.multiply.outer(x, d_score), "b": d_score}
