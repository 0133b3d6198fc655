"""Newton's decrement ν² = gᵀ H⁻¹ g of one lane from a fresh Hessian, by a factor of it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.certificates.duality import norm
from jaxlr.glm.blocks import hessian
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Problem
from jaxlr.pytypes import Array


class Point(NamedTuple):
    """Where a decrement is wanted.

    Attributes:
      weights: [N].
      factors: of the loss's Hessian by the logits.
      inverse: [C, C] of the intercepts' Hessian.
      grad: [C, P] of J's smooth part, or a subgradient of J; 0 where `free` is 0.
      free: [C, P] 0 or 1: the params that may move.
      empty: [C] the classes without rows.
      ridge: λ (1 - α).
    """

    weights: Array
    factors: Any
    inverse: Array
    grad: Array
    free: Array
    empty: Array
    ridge: Array


class Decrement(NamedTuple):
    """What is known of ν².

    Attributes:
      lower: <= ν².
      upper: >= ν², inf if unknown.
      estimate: of ν², and the upper bound where that was not enough.
      reach: max over rows and directions d of range(x · d) / ‖d‖_H, None or inf if unknown.
      trace: of H⁻¹, inf if unknown.
      step: [C, P] about H⁻¹ g.
    """

    lower: Array
    upper: Array
    estimate: Array
    reach: Array | None
    trace: Array
    step: Array


def by_factor(family: Loss, problem: Problem, point: Point) -> Decrement:
    """Forms the Hessian: (C P)² numbers, and C² N P² operations."""
    num_outputs, size = point.grad.shape
    length, penalised = num_outputs * size, jnp.arange(size) < size - 1
    ridge = jnp.where(penalised, point.ridge, 0)
    whole = hessian(family, problem, point.factors, point.weights)
    whole = whole + jnp.diag(jnp.tile(ridge, num_outputs))
    bare = ~penalised | (point.ridge == 0)  # what only the rows curve
    gone = point.empty[:, None]
    spare = ~jnp.any(problem.x != 0, axis=0)[None]  # what no row has can't move J
    free = jnp.where((gone | spare) & bare[None], 0, point.free)
    if family.multiclass and family.self_concordance:
        # What moves all classes alike has no curvature and no gradient: any will do.
        alike = bare & jnp.all(gone | (free > 0), axis=0)
        alike = jnp.where(alike[None], free, 0)
        gauge = jnp.einsum("ap,bq,pq->apbq", alike, alike, jnp.eye(size, dtype=free.dtype))
        whole = whole + gauge.reshape(length, length) * (jnp.trace(whole) / length)
    lower, upper, step, inverse = _solved(whole, point.grad.ravel(), free.ravel())
    blocks = inverse.reshape(num_outputs, size, num_outputs, size)
    reach = _reach(problem, point, blocks)
    return Decrement(
        lower, upper, upper, reach, jnp.trace(inverse), step.reshape(num_outputs, size)
    )


def _solved(hessian, grad, free):
    """Bounds of gᵀ H⁻¹ g, and H⁻¹ g and H⁻¹.

    H is lifted by rounding's worth, so that a factor exists: the lower bound can only be too low.
    The upper one and H⁻¹ are inf where H is singular to rounding.
    """
    hessian = hessian * free[:, None] * free[None] + jnp.diag(1 - free)
    diagonal = jnp.diagonal(hessian)
    scale = 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1))
    lift = 10 * len(grad) * float(jnp.finfo(hessian.dtype).eps)
    scaled = hessian * scale[:, None] * scale[None] + jnp.diag(jnp.where(diagonal > 0, lift, 1))
    half = jax.scipy.linalg.solve_triangular(
        jnp.linalg.cholesky(scaled), jnp.diag(scale), lower=True
    )
    along = jnp.dot(half, grad)
    # Relative, of H⁻¹: the lift and as much rounding, over the smallest eigenvalue of `scaled`.
    doubt = 2 * lift * norm(half / scale[None]) ** 2
    known, squared = doubt < 0.1, jnp.sum(along**2)
    inverse = jnp.where(known, jnp.dot(half.T, half), jnp.inf)
    upper = jnp.where(known, squared * (1 + 2 * doubt), jnp.inf)
    return squared, upper, jnp.dot(half.T, along), inverse


def _reach(problem, point, inverse):
    """The largest leverage: √ of (e_a - e_c) ⊗ x in the norm of H⁻¹, over rows and classes."""
    units = jnp.eye(len(inverse), dtype=inverse.dtype)
    first, second = jnp.triu_indices(len(inverse), 1)
    pairs = units if len(inverse) == 1 else units[first] - units[second]

    def largest(pair):
        block = jnp.einsum("a,apcq,c->pq", pair, inverse, pair)
        leverages = jnp.sum(jnp.dot(problem.x, block) * problem.x, axis=1)
        leverages = jnp.where(point.weights > 0, leverages, 0)
        return jnp.where(jnp.any(point.empty & (pair != 0)), 0, jnp.max(leverages))

    squared = jnp.max(jax.lax.map(largest, pairs))
    return jnp.where(squared >= 0, jnp.sqrt(squared), jnp.inf)
