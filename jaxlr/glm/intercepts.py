"""The intercepts that are optimal for given weights: a convex problem of C numbers per lane."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxlr.glm import sharing
from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array

NEVER = 750.0  # exp(-750) is 0 in float64
STEPS = 60
SHORT, LAST = 1e-6, 1e-13  # decrements: of a short step, and of one that is the last


def settled(family: Loss, logits: Array, labels: Array, weights: Array) -> Array:
    """Shifts [L, C] of the intercepts that minimise Σ s ℓ(z + shift), by a damped Newton method.

    A class without rows has its optimum at -∞: it is sent so low that its probability is exactly
    0. Passes over logits alone; where the intercepts are optimal already there are two.

    Args:
      family: of the loss.
      logits: [L, C, N].
      labels: [L, N].
      weights: [L, N], each lane's summing to 1.

    Reference:
      Sun and Tran-Dinh, Generalized self-concordant functions (2019), for the damping.
    """
    shape = logits.shape[:2]
    if not family.intercept:
        return jnp.zeros(shape, logits.dtype)
    start = _unheard(family, logits, labels, weights)

    def slope_at(shift):
        z = logits + shift[:, :, None]
        return _total(family.gradient(z, labels), weights)

    def inverse_at(shift):
        z = logits + shift[:, :, None]
        return pseudo_inverse(intercept_hessian(family, family.factors(z, labels), weights))

    def going(state):
        return jnp.any(state[-1]) & (state[-2] < STEPS)

    def step(state):
        shift, slope, inverse, direction, length, count, active = state
        trial = shift + length[:, None] * direction
        new = slope_at(trial)
        before = jnp.abs(jnp.sum(slope * direction, axis=1))
        good = active & (jnp.abs(jnp.sum(new * direction, axis=1)) <= before)
        shift = jnp.where(good[:, None], trial, shift)
        slope = jnp.where(good[:, None], new, slope)
        # After a step as short as this the old inverse is as good as a new one.
        first = count == 0
        long = first | jnp.any(good & (before > SHORT))
        inverse = jax.lax.cond(long, inverse_at, lambda _: inverse, shift)
        direction = -jnp.einsum("lcd,ld->lc", inverse, slope, precision="highest")
        left = -jnp.sum(slope * direction, axis=1)
        length = jnp.where(good, _damping(family, direction), length / 4)
        active = active & (left > 0) & ~(good & (before <= LAST) & ~first)
        return shift, slope, inverse, direction, length, count + 1, active

    # The first step only looks where it is: so each look is one piece of program.
    num_lanes, num_outputs = shape
    zeros, none = jnp.zeros(shape, logits.dtype), jnp.zeros(num_lanes, logits.dtype)
    inverse = jnp.zeros((num_lanes, num_outputs, num_outputs), logits.dtype)
    every = jnp.ones(num_lanes, bool)
    state = (start, zeros, inverse, zeros, none, jnp.int32(0), every)
    return jax.lax.while_loop(going, step, state)[0].reshape(shape)


def unheard(family: Loss, labels: Array, weights: Array) -> Array:
    """Which classes [L, C] have no row with weight; none of a scalar, or without intercepts."""
    if not (family.multiclass and family.self_concordance and family.intercept):
        return jnp.zeros((labels.shape[0], family.num_outputs), bool)
    classes = jnp.arange(family.num_outputs, dtype=labels.dtype)[None, :, None]
    return _total((labels[:, None] == classes).astype(weights.dtype), weights) == 0


def _unheard(family, logits, labels, weights):
    """Shifts [L, C] that send to -∞ what has its optimum there, as far as float64 can tell."""
    if not family.self_concordance:
        return jnp.zeros_like(logits[:, :, 0])
    heard = (weights > 0)[:, None]
    if family.multiclass:
        down = unheard(family, labels, weights)
        up = jnp.zeros_like(down)
        top = jnp.max(jnp.where(down[:, :, None], -jnp.inf, logits), axis=1, keepdims=True)
    else:
        up = _total(1 - labels[:, None], weights) == 0
        down = _total(labels[:, None], weights) == 0
        top = jnp.zeros_like(logits)

    def shifts():
        z = logits - top
        highest = jnp.max(jnp.where(heard, z, -jnp.inf), axis=2)
        lowest = jnp.min(jnp.where(heard, z, jnp.inf), axis=2)
        return jnp.where(down, -NEVER - highest, jnp.where(up, NEVER - lowest, 0))

    return jax.lax.cond(jnp.any(up | down), shifts, lambda: jnp.zeros_like(logits[:, :, 0]))


def _total(values, weights):
    """Σ s values of [L, C, N]: [L, C]."""
    return jnp.einsum("lcn,ln->lc", values, weights, precision="highest")


def _damping(family, direction):
    """The step that must descend if |l'''| <= range · l'': log(1 + range) / range."""
    top, low = jnp.max(direction, axis=1), jnp.min(direction, axis=1)
    reach = top - low if family.multiclass else jnp.maximum(top, -low)
    if family.self_concordance == 0:
        return jnp.ones_like(reach)
    return jnp.where(reach > 0, jnp.log1p(reach) / jnp.where(reach > 0, reach, 1), 1)


def intercept_hessian(family: Loss, bend: Any, weights: Array) -> Array:
    """Σ s ∂²ℓ/∂b² of every lane: [L, C, C]."""
    if not family.multiclass:
        curvature = family.diagonal(bend)
        return jnp.einsum("lcn,ln->lc", curvature, weights, precision="highest")[:, :, None]
    if family.self_concordance:  # a softmax: diag(p) - p pᵀ
        p = bend
        heavy = p * weights[:, None]
        sums = jnp.einsum("lcn,ldn->lcd", heavy, p, precision="highest")
        off = jnp.where(jnp.eye(p.shape[1], dtype=bool)[None], 0, sums)
        # The rows sum to 0, and p - p² would not know it of a p that rounds to 1.
        diagonal = jnp.sum(off, axis=2)
        return diagonal[:, :, None] * jnp.eye(p.shape[1], dtype=p.dtype)[None] - off

    def column(unit):
        v = jnp.broadcast_to(unit[None, :, None], (len(weights), len(unit), weights.shape[1]))
        product = family.hessian_product(bend, v)
        return jnp.einsum("lcn,ln->lc", product, weights, precision="highest")

    columns = jax.lax.map(column, jnp.eye(family.num_outputs, dtype=weights.dtype))
    return jnp.transpose(columns, (1, 2, 0))


def answering(family: Loss, bend: Any, weights: Array) -> Array:
    """The inverse of the intercepts' Hessian [L, C, C], by which they answer; 0 without any."""
    if not family.intercept:
        return jnp.zeros((len(weights), family.num_outputs, family.num_outputs), weights.dtype)
    return pseudo_inverse(intercept_hessian(family, bend, weights))


def pseudo_inverse(matrices: Array) -> Array:
    """Of small positive semidefinite matrices [L, C, C], brought to a unit diagonal first."""
    diagonal = jnp.diagonal(matrices, axis1=1, axis2=2)
    scale = jnp.where(diagonal > 0, 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1)), 0)
    if matrices.shape[1] == 1:
        return (scale**2)[:, :, None]
    both = scale[:, :, None] * scale[:, None, :]
    # One by one: a batch waits for XLA's own threads, and in jaxlib 0.10.2 two batches at a time
    # wait for each other for ever.
    values, vectors = sharing.mapped(jnp.linalg.eigh, matrices * both, over=(sharing.LANES,))
    cut = 10 * matrices.shape[1] * jnp.finfo(matrices.dtype).eps
    inverse = jnp.where(values > cut, 1 / jnp.where(values > cut, values, 1), 0)
    return jnp.einsum("lab,lb,lcb->lac", vectors, inverse, vectors, precision="highest") * both
