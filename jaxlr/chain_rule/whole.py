"""The gradient of the whole objective: the weighted mean over examples, and the penalties."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr import data
from jaxlr.pytypes import Array, Batch, Params, Scalar


def risk(
    gradient: Callable[[Params, Array, Array], Params], *, l2: Scalar = 0.0, l1: Scalar = 0.0
) -> Callable[[Params, Batch], Params]:
    """(params, batch) -> Σ sᵢ ∇ℓᵢ / Σ sᵢ + l2 W + l1 sign(W), the gradient of `losses.risk`.

    A row of weight 0 is absent, whatever it holds. Sums are in float32 at least.

    Args:
      gradient: of one example, (params, x, label) -> grads, as in `linear` and `mlp`.
      l2: weight of ½‖W‖².
      l1: weight of ‖W‖₁; at 0 the slope is 0, one of its subgradients.
    """

    def whole(params: Params, batch: Batch) -> Params:
        batch, params = data.as_batch(batch), jax.tree.map(jnp.asarray, params)
        grads = jax.vmap(gradient, in_axes=(None, 0, 0))(params, batch.x, batch.labels)
        return jax.tree.map_with_path(
            lambda path, p, g: _mean(g, batch.weights) + _penalty_slope(path, p, l2, l1),
            params,
            grads,
        )

    return whole


def _mean(grads: Array, weights: Array | None) -> Array:
    wide = data.at_least_float32(grads)
    if weights is None:
        return jnp.mean(wide, axis=0).astype(grads.dtype)
    weights = weights.astype(wide.dtype)
    wide = jnp.where((weights != 0).reshape(-1, *[1] * (wide.ndim - 1)), wide, 0)
    total = jnp.sum(weights)
    # No weight at all says nothing: a slope of 0, not 0/0.
    mean = jnp.tensordot(weights, wide, axes=1, precision="highest") / jnp.where(
        total > 0, total, 1
    )
    return mean.astype(grads.dtype)


def _penalty_slope(path, p: Array, l2: Scalar, l1: Scalar) -> Array:
    """The intercepts, the leaves named "b", are never penalised."""
    if path and getattr(path[-1], "key", None) == "b":
        return jnp.zeros_like(p)
    return jnp.asarray(l2, p.dtype) * p + jnp.asarray(l1, p.dtype) * jnp.sign(p)
