"""The objective of a batch: the weighted mean of a loss, and penalties on the weights."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr import data
from jaxlr.data import at_least_float32
from jaxlr.pytypes import Array, Batch, Params, Scalar

Model = Callable[[Params, Array], Array]
Loss = Callable[[Array, Array], Array]


def l2_penalty(params: Params) -> Array:
    """½ ‖W‖² over every leaf but the intercepts (the leaves named "b")."""
    return sum(_dot(w, w).astype(jnp.result_type(w)) for w in _penalised(params)) / 2


def l1_penalty(params: Params) -> Array:
    """‖W‖₁ over every leaf but the intercepts (the leaves named "b"); its slope at 0 is 0."""
    # abs has slope 1 at 0
    return sum(_dot(w, jnp.sign(w)).astype(jnp.result_type(w)) for w in _penalised(params))


def risk(
    model: Model, loss: Loss, *, l2: Scalar = 0.0, l1: Scalar = 0.0
) -> Callable[[Params, Batch], Array]:
    """The objective J(params, batch) = Σ sᵢ loss(model(xᵢ), yᵢ) / Σ sᵢ + l2 ½‖W‖² + l1 ‖W‖₁.

    A row of weight 0 is absent, whatever its x and label hold. Sums are in float32 at least.

    Args:
      model: (params, x [D]) -> scores.
      loss: (scores, label) -> [] nats.
      l2: ≥ 0, a number or a traced array; glmnet's λ (1 - α).
      l1: ≥ 0, likewise; glmnet's λ α.

    Returns:
      J, differentiable in params, in the losses' dtype. A batch whose weights sum to zero has mean
      loss 0.

    Raises:
      ValueError: a penalty given as a Python number is negative or NaN; from J, labels or
        weights without one entry for each row of x. TypeError: from J, no batch, or one that
        holds what is no number.
    """
    for name, value in (("l2", l2), ("l1", l1)):
        if isinstance(value, int | float) and not value >= 0:
            raise ValueError(f"{name} must be at least 0, and is {value}")

    def objective(params: Params, batch: Batch, *labels: Array) -> Array:
        batch = data.as_batch((batch, *labels) if labels else batch)  # J(params, x, y) is refused
        _check(batch)
        batch = data.present(batch)
        values = _losses(model, loss, params, batch)
        value, wide = _mean(values, batch.weights), jax.tree.map(at_least_float32, params)
        # A penalty that is the number 0 leaves the program; a traced 0 can't.
        if not (isinstance(l2, int | float) and l2 == 0):
            value += jnp.asarray(l2, value.dtype) * l2_penalty(wide)
        if not (isinstance(l1, int | float) and l1 == 0):
            value += jnp.asarray(l1, value.dtype) * l1_penalty(wide)
        return value.astype(values.dtype) if jnp.issubdtype(values.dtype, jnp.floating) else value

    return objective


def _losses(model: Model, loss: Loss, params: Params, batch: Batch) -> Array:
    """The losses [B], 0 in absent rows."""

    def example(x, label, absent):
        scores = model(params, x)
        if absent is None:
            return loss(scores, label)
        # Behind a label that means nothing there is no slope, not even 0 · NaN.
        scores = jax.tree.map(lambda s: jnp.where(absent, jax.lax.stop_gradient(s), s), scores)
        value = loss(scores, label)
        return jnp.where(absent, jnp.zeros_like(value), value)

    absent = None if batch.weights is None else batch.weights == 0
    return jax.vmap(example)(batch.x, batch.labels, absent)


def _mean(values: Array, weights: Array | None) -> Array:
    values = at_least_float32(values)
    if weights is None:
        return _dot(values, jnp.ones_like(values)) / values.size
    weights = weights.astype(values.dtype)
    total = jnp.sum(weights)
    return _dot(values, weights) / jnp.where(total > 0, total, 1)


def _dot(a: Array, b: Array) -> Array:
    """Σ a b as a product, which XLA's CPU backend finishes sooner than a sum over many lanes."""
    return jnp.vdot(at_least_float32(a), at_least_float32(b), precision="highest")


def _penalised(params: Params) -> list[Array]:
    leaves, _ = jax.tree.flatten_with_path(params)
    return [leaf for path, leaf in leaves if not path or getattr(path[-1], "key", None) != "b"]


def _check(batch: Batch) -> None:
    if not batch.x.ndim:
        raise ValueError(f"x must be [B, D], the rows of a batch, and is the number {batch.x}")
    rows = len(batch.x)
    if batch.labels.shape[:1] != (rows,):
        raise ValueError(
            f"labels must have one entry for each of the {rows} rows of x, and have shape"
            f" {batch.labels.shape}"
        )
    if batch.weights is not None and batch.weights.shape != (rows,):
        raise ValueError(
            f"weights must be [B] = [{rows}], one for each row of x, and have shape"
            f" {batch.weights.shape}"
        )
