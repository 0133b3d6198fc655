"""The objective of a batch: the weighted mean of a loss, and penalties on the weights."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Batch, Params, Scalar


def l2_penalty(params: Params) -> Array:
    """½ ‖W‖² over every leaf but the intercepts (the leaves named "b")."""
    return sum(_dot(w, w) for w in _penalised(params)) / 2


def l1_penalty(params: Params) -> Array:
    """‖W‖₁ over every leaf but the intercepts (the leaves named "b"); its slope at 0 is 0."""
    return sum(_dot(w, jnp.sign(w)) for w in _penalised(params))  # abs has slope 1 at 0


def risk(
    model: Callable[[Params, Array], Array],
    loss: Callable[[Array, Array], Array],
    *,
    l2: Scalar = 0.0,
    l1: Scalar = 0.0,
) -> Callable[[Params, Batch], Array]:
    """The objective J(params, batch) = Σ sᵢ loss(model(xᵢ), yᵢ) / Σ sᵢ + l2 ½‖W‖² + l1 ‖W‖₁.

    Args:
      model: (params, x [D]) -> scores.
      loss: (scores, label) -> [] nats.
      l2: ≥ 0, a number or a traced array; glmnet's λ (1 - α).
      l1: ≥ 0, likewise; glmnet's λ α.

    Returns:
      J, differentiable in params. A batch whose weights sum to zero has mean loss 0.

    Raises:
      ValueError: a penalty given as a Python number is negative or NaN; from J, labels or
        weights without one entry for each row of x.
    """
    for name, value in (("l2", l2), ("l1", l1)):
        if isinstance(value, int | float) and not value >= 0:
            raise ValueError(f"{name} must be at least 0, and is {value}")

    def objective(params: Params, batch: Batch) -> Array:
        def example(x, label):
            return loss(model(params, x), label)

        _check(batch)
        value = _mean(jax.vmap(example)(batch.x, batch.labels), batch.weights)
        # A penalty that is the number 0 leaves the program; a traced 0 can't.
        if not (isinstance(l2, int | float) and l2 == 0):
            value += jnp.asarray(l2, value.dtype) * l2_penalty(params)
        if not (isinstance(l1, int | float) and l1 == 0):
            value += jnp.asarray(l1, value.dtype) * l1_penalty(params)
        return value

    return objective


def _mean(values: Array, weights: Array | None) -> Array:
    if weights is None:
        return _dot(values, jnp.ones_like(values)) / values.size
    weights = jnp.asarray(weights, values.dtype)
    total = jnp.sum(weights)
    return _dot(values, weights) / jnp.where(total > 0, total, 1)


def _dot(a: Array, b: Array) -> Array:
    """Σ a b as a product, which XLA's CPU backend finishes sooner than a sum over many lanes."""
    return jnp.vdot(a, b, precision="highest")


def _penalised(params: Params) -> list[Array]:
    leaves, _ = jax.tree.flatten_with_path(params)
    return [leaf for path, leaf in leaves if not path or getattr(path[-1], "key", None) != "b"]


def _check(batch: Batch) -> None:
    rows = jnp.shape(batch.x)[0]
    if jnp.shape(batch.labels)[:1] != (rows,):
        raise ValueError(
            f"labels must have one entry for each of the {rows} rows of x, and have shape"
            f" {jnp.shape(batch.labels)}"
        )
    if batch.weights is not None and jnp.shape(batch.weights) != (rows,):
        raise ValueError(
            f"weights must be [B] = [{rows}], one for each row of x, and have shape"
            f" {jnp.shape(batch.weights)}"
        )
