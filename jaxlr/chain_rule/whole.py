"""The gradient of the whole objective: the weighted mean over examples, and the penalties."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Batch, Params, Scalar


def risk(
    gradient: Callable[[Params, Array, Array], Params], *, l2: Scalar = 0.0, l1: Scalar = 0.0
) -> Callable[[Params, Batch], Params]:
    """(params, batch) -> Σ sᵢ ∇ℓᵢ / Σ sᵢ + l2 W + l1 sign(W), the gradient of `losses.risk`.

    Args:
      gradient: of one example, (params, x, label) -> grads, as in `linear` and `mlp`.
      l2: weight of ½‖W‖².
      l1: weight of ‖W‖₁; at 0 the slope is 0, one of its subgradients.
    """

    def whole(params: Params, batch: Batch) -> Params:
        grads = jax.vmap(gradient, in_axes=(None, 0, 0))(params, batch.x, batch.labels)
        return jax.tree.map_with_path(
            lambda path, p, g: _mean(g, batch.weights) + _penalty_slope(path, p, l2, l1),
            params,
            grads,
        )

    return whole


def _mean(grads: Array, weights: Array | None) -> Array:
    if weights is None:
        return jnp.mean(grads, axis=0)
    weights = weights.astype(grads.dtype)
    total = jnp.sum(weights)
    # No weight at all says nothing: a slope of 0, not 0/0.
    return jnp.tensordot(weights, grads, axes=1, precision="highest") / jnp.where(
        total > 0, total, 1
    )


def _penalty_slope(path, p: Array, l2: Scalar, l1: Scalar) -> Array:
    """The intercepts, the leaves named "b", are never penalised."""
    if path and getattr(path[-1], "key", None) == "b":
        return jnp.zeros_like(p)
    return jnp.asarray(l2, p.dtype) * p + jnp.asarray(l1, p.dtype) * jnp.sign(p)
