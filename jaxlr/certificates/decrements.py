"""Bounds of Newton's decrement ν² = gᵀ H⁻¹ g of one lane, from a fresh Hessian.

By a factor of H; or by conjugate gradients, with intercepts profiled out. There
S = H_WW - H_Wb H_bb⁺ H_bW is the Hessian of min_b J, and S ⪰ λI. So for any u with residual
ρ = g - S u

    ν² = 2 gᵀu - uᵀSu + ρᵀ S⁻¹ ρ <= gᵀu + ρᵀu + ‖ρ‖² / λ,

and neither the preconditioner nor the steps have to be right, only the residual.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.certificates.duality import norm, over, unit
from jaxlr.glm.intercepts import empty
from jaxlr.glm.problem import gradient_of, hessian, logits_of, without_intercept
from jaxlr.pytypes import Array

SHARP = 1e-3  # of ν²: a bound need not be nearer; with 0 answers far off take 8 to 28 times longer
KNOWN = 0.1  # of H⁻¹: what rounding may do to it, or dependent columns were bounded by nonsense


class Decrement(NamedTuple):
    """What is known of ν²; upper bounds are inf where nothing is."""

    step: Array  # [C, P] about H⁻¹ g
    least: Array  # <= ν²
    squared: Array  # >= ν²
    trace: Array  # of H⁻¹, at most
    reach: Array  # at least range(x · d) / ‖d‖_H of all rows and directions d


def by_factor(family, problem, lane, point) -> Decrement:
    """Forms the Hessian: (C P)² numbers, and C² N P² operations."""
    shape = num_outputs, size = point.grad.shape
    penalised = jnp.arange(size) < size - 1
    ridge = jnp.tile(jnp.where(penalised, lane.ridge, 0), num_outputs)
    whole = hessian(family, problem, point.factors, lane.weights) + jnp.diag(ridge)
    diagonal, free = jnp.diagonal(whole), jnp.ones(shape, bool)
    if family.multiclass and family.self_concordance:
        # What moves all classes alike has no curvature and no gradient: one of them stays.
        stays = jnp.argmax(diagonal.reshape(shape), axis=0)
        stays = jnp.arange(num_outputs)[:, None] == stays[None]
        free = ~(stays & (~penalised | (lane.ridge == 0))[None])
    grad, moves = point.grad.ravel(), free.ravel() & (diagonal > 0)
    scale = jnp.where(moves, 1 / jnp.sqrt(jnp.where(moves, diagonal, 1)), 0)
    # Lifted by rounding's worth, so that a factor exists: what it solves can only be too short.
    lift = 10 * len(grad) * float(jnp.finfo(whole.dtype).eps)
    scaled = whole * scale[:, None] * scale[None] + jnp.diag(jnp.where(moves, lift, 1))
    half = jax.scipy.linalg.solve_triangular(
        jnp.linalg.cholesky(scaled), jnp.eye(len(grad), dtype=whole.dtype), lower=True
    )
    # Relative, of H⁻¹: the lift and as much rounding, over the smallest eigenvalue of `scaled`.
    doubt = 2 * lift * norm(half) ** 2
    half = half * scale[None]
    along = jnp.dot(half, grad)
    flat = jnp.any(free.ravel() & (diagonal == 0) & (grad != 0))  # a gradient without curvature
    known = (doubt < KNOWN) & ~flat
    least = jnp.sum(along**2)
    squared = jnp.where(known, least * (1 + 2 * doubt), jnp.inf)
    inverse = jnp.where(known, jnp.dot(half.T, half), jnp.inf)
    reach = _reach(problem, lane.weights, empty(family, lane.labels, lane.weights), inverse)
    step = jnp.dot(half.T, along).reshape(shape)
    return Decrement(step, least, squared, jnp.trace(inverse), reach)


def _reach(problem, weights, gone, inverse):
    """The largest leverage: √ of (e_a - e_c) ⊗ x in the norm of H⁻¹, over rows and classes."""
    blocks = inverse.reshape(2 * (len(gone), problem.x.shape[1]))
    units = jnp.eye(len(gone), dtype=inverse.dtype)
    first, second = jnp.triu_indices(len(gone), 1)
    pairs = units if len(gone) == 1 else units[first] - units[second]

    def largest(pair):
        block = jnp.einsum("a,apcq,c->pq", pair, blocks, pair)
        leverages = jnp.sum(jnp.dot(problem.x, block) * problem.x, axis=1)
        heard = (weights > 0) & ~jnp.any(gone & (pair != 0))
        return jnp.max(jnp.where(heard, leverages, 0))

    squared = jnp.max(jax.lax.map(largest, pairs))
    return jnp.where(squared >= 0, jnp.sqrt(squared), jnp.inf)


def by_products(family, problem, lane, point, precondition, num_steps, enough) -> Decrement:
    """By at most so many products with S, of two passes over the rows each.

    Fewer where the bound is within a thousandth of ν²; or `enough`, and the last step added at most
    half as much as all before it. `precondition` is about S⁻¹, symmetric positive definite.
    """
    grad, rows = without_intercept(point.grad), jnp.ones_like(lane.weights)
    rounding = 4 * unit(problem.x) * (point.steep + lane.ridge)  # of S p, for every ‖p‖

    def curved(v):
        return family.hessian_product(point.factors, v) * lane.weights[None]

    def product(p):
        """S p, and what intercepts do meanwhile."""
        heavy = curved(logits_of(p, problem))
        shift = -jnp.dot(point.inverse, jnp.dot(heavy, rows))[:, None]
        heavy = heavy + curved(jnp.broadcast_to(shift, heavy.shape))
        return without_intercept(gradient_of(heavy, problem) + lane.ridge * p), shift

    def step(state):
        u, r, p, last, walked, *_, count, _ = state
        y = without_intercept(precondition(r))
        rz = jnp.vdot(r, y)
        p = y + rz / last * p
        image, shift = product(p)
        curvature = jnp.vdot(image, p)
        length = rz / jnp.where(curvature > 0, curvature, 1)
        u, r = u + length * p.at[:, -1:].set(shift), r - length * image
        walked = walked + length * norm(p)  # at least ‖u‖
        error = rounding * walked
        least = jnp.vdot(grad + r, u)
        rest = over((norm(r) + error) ** 2, lane.ridge) + error * walked
        near = (length * rz <= least / 2) | (rest <= least)
        ends = (rest <= SHARP * least) | (near & enough(least + rest)) | ~(curvature > 0)
        return u, r, p, rz, walked, least, least + rest, count + 1, ~ends

    zeros, zero = jnp.zeros_like(grad), jnp.zeros_like(rounding)
    unknown = zero + jnp.inf
    start = zeros, grad, zeros, unknown, zero, zero, unknown, jnp.int32(0), lane.ridge > 0
    end = jax.lax.while_loop(lambda state: state[-1] & (state[-2] < num_steps), step, start)
    return Decrement(end[0], end[5], end[6], unknown, unknown)
