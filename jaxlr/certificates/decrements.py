"""Newton's decrement ν² = gᵀ H⁻¹ g of one lane from a fresh Hessian, by a factor of it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm.intercepts import empty
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import gradient
from jaxlr.pytypes import Array


class Point(NamedTuple):
    """Where a decrement is wanted.

    Attributes:
      x: [N, P], the last column ones; x_t is its transpose.
      labels, weights: [N].
      factors: of the loss's Hessian by the logits.
      grad: [C, P] of J's smooth part, or a subgradient of J; 0 where `free` is 0.
      free: [C, P] 0 or 1: the params that may move.
      ridge: λ (1 - α).
    """

    x: Array
    x_t: Array
    labels: Array
    weights: Array
    factors: Any
    grad: Array
    free: Array
    ridge: Array


class Decrement(NamedTuple):
    """What is known of ν².

    Attributes:
      lower: <= ν².
      upper: >= ν², inf if unknown.
      reach: max over rows and directions d of range(x · d) / ‖d‖_H, inf if unknown.
      trace: of H⁻¹, inf if unknown.
      step: [C, P] about H⁻¹ g.
    """

    lower: Array
    upper: Array
    reach: Array
    trace: Array
    step: Array


def curved(family: Loss, point: Point, v: Array) -> Array:
    """The Hessian by the logits, weighted, times v [C, N]."""
    return family.hessian_product(point.factors, v) * point.weights


def by_factor(family: Loss, point: Point) -> Decrement:
    """Forms the Hessian: (C P)² numbers, and C² N P² operations."""
    num_outputs, size = point.grad.shape
    length = num_outputs * size

    def columns(unit):  # of one class: [P, C, P]
        def column(x):
            return gradient(curved(family, point, unit[:, None] * x), point)

        return jax.vmap(column)(point.x_t)

    units = jnp.eye(num_outputs, dtype=point.x.dtype)
    hessian = jax.lax.map(columns, units).reshape(length, length)
    penalised = jnp.arange(size) < size - 1
    ridge = jnp.broadcast_to(jnp.where(penalised, point.ridge, 0), (num_outputs, size))
    hessian = hessian + jnp.diag(ridge.ravel())
    gone = empty(family, point.labels, point.weights)
    bare = ~penalised | (point.ridge == 0)  # [P], what only the rows curve
    spare = ~jnp.any(point.x != 0, axis=0)  # what no row has can't move J
    free = jnp.where((gone[:, None] | spare) & bare, 0, point.free)
    if family.multiclass and family.self_concordance:
        # What moves all classes alike has no curvature and no gradient: any will do.
        alike = bare & jnp.all(gone[:, None] | (free > 0), axis=0)
        alike = jnp.where(alike, free, 0)
        gauge = jnp.einsum("ap,bq,pq->apbq", alike, alike, jnp.eye(size)).reshape(length, length)
        hessian = hessian + gauge * (jnp.trace(hessian) / length)
    lower, upper, step, inverse = _solved(hessian, point.grad.ravel(), free.ravel())
    blocks = inverse.reshape(num_outputs, size, num_outputs, size)
    reach = _reach(point, blocks, gone)
    return Decrement(lower, upper, reach, jnp.trace(inverse), step.reshape(num_outputs, size))


def _solved(hessian, grad, free):
    """Bounds of gᵀ H⁻¹ g, and H⁻¹ g and H⁻¹.

    H is lifted by rounding's worth, so that a factor exists: the lower bound can only be too low.
    The upper one and H⁻¹ are inf where H is singular to rounding: that bounds and estimates nothing.
    """
    hessian = hessian * free[:, None] * free + jnp.diag(1 - free)
    diagonal = jnp.diagonal(hessian)
    scale = 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1))
    scaled = hessian * scale[:, None] * scale
    lift = 10 * len(grad) * jnp.finfo(hessian.dtype).eps
    scaled = scaled + jnp.diag(jnp.where(diagonal > 0, lift, 1).astype(hessian.dtype))
    lower = jnp.linalg.cholesky(scaled)
    half = jax.scipy.linalg.solve_triangular(lower, jnp.diag(scale), lower=True)
    along = jnp.matmul(half, grad, precision="highest")
    squared = jnp.sum(along**2)
    step = jnp.matmul(half.T, along, precision="highest")
    norm = jnp.sum(half**2 / scale**2)  # >= 1 / smallest eigenvalue of `scaled`
    doubt = 2 * lift * norm  # relative, of H⁻¹: the lift and as much rounding
    known = doubt < 0.1
    inverse = jnp.where(known, jnp.matmul(half.T, half, precision="highest"), jnp.inf)
    return squared, jnp.where(known, squared * (1 + 2 * doubt), jnp.inf), step, inverse


def _reach(point, inverse, gone):
    """The largest leverage: √ of (e_a - e_c) ⊗ x in the norm of H⁻¹, over rows and classes."""
    units = jnp.eye(len(gone), dtype=inverse.dtype)
    first, second = jnp.triu_indices(len(gone), 1)
    pairs = units if len(gone) == 1 else units[first] - units[second]  # [K, C]
    heard = ~jnp.any(gone & (pairs != 0), axis=1)

    def largest(pair):
        block = jnp.einsum("a,apcq,c->pq", pair, inverse, pair, precision="highest")
        leverages = jnp.sum(jnp.matmul(point.x, block, precision="highest") * point.x, axis=1)
        return jnp.max(jnp.where(point.weights > 0, leverages, 0))

    squared = jnp.max(jnp.where(heard, jax.lax.map(largest, pairs), 0))
    return jnp.where(squared >= 0, jnp.sqrt(squared), jnp.inf)
