"""Profiled intercepts: those optimal for given weights, a convex problem of C numbers.

One lane at a time; `vmap` makes lanes.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array

NEVER = 750.0  # exp(-750) is 0 in float64
LAST = 1e-13  # decrement of the last step: half the digits of float64, which it doubles
STEPS = 60  # what a start that is 1e12 off takes, damped


def profiled(family: Loss, logits: Array, labels: Array, weights: Array) -> Array:
    """The shift [C] of the intercepts that minimises Σ s ℓ(z + shift), by damped Newton steps.

    A class without rows has its optimum at -∞: it is sent so low that its probability is exactly
    0. Passes over logits alone; where the intercepts are optimal already there is one.

    Args:
      family: of the loss.
      logits: [C, N].
      labels: [N].
      weights: [N], summing to 1.

    Reference:
      Sun and Tran-Dinh, Generalized self-concordant functions (2019), for the damping.
    """
    start = _sent_away(family, logits, labels, weights)
    if not family.intercept:
        return start

    def going(state):
        return state[-1]

    def step(state):
        shift, slope, direction, length, count, _ = state
        trial = shift + length * direction
        z = logits + trial[:, None]
        new = _total(family.gradient(z, labels), weights)
        inverse = answering(family, family.factors(z, labels), weights)
        good = jnp.abs(jnp.vdot(new, direction)) <= jnp.abs(jnp.vdot(slope, direction))
        onward = -jnp.matmul(inverse, new, precision="highest")
        shift, slope, direction = (
            jnp.where(good, *pair) for pair in ((trial, shift), (new, slope), (onward, direction))
        )
        length = jnp.where(good, _damping(family, direction), length / 4)
        left = -jnp.vdot(slope, direction)
        return shift, slope, direction, length, count + 1, (left > LAST) & (count < STEPS)

    # The first step only looks where it is: so each look is one piece of program.
    none = jnp.zeros_like(start)
    state = (start, none, none, jnp.zeros((), start.dtype), jnp.int32(0), jnp.bool_(True))
    shift, _, direction, length, *_ = jax.lax.while_loop(going, step, state)
    return shift + jnp.where(jnp.isfinite(direction), length * direction, 0)


def empty(family: Loss, labels: Array, weights: Array) -> Array:
    """Which classes [C] have no row with weight; none of a scalar, or without intercepts."""
    if not (family.multiclass and family.self_concordance and family.intercept):
        return jnp.zeros(family.num_outputs, bool)
    own = jnp.arange(family.num_outputs, dtype=labels.dtype)[:, None] == labels
    return _total(own.astype(weights.dtype), weights) == 0


def _sent_away(family, logits, labels, weights):
    """The shift [C] that sends to ±∞ what has its optimum there, as far as float64 can tell."""
    if not (family.self_concordance and family.intercept):
        return jnp.zeros_like(logits[:, 0])
    if family.multiclass:
        down, up = empty(family, labels, weights), False
        logits = logits - jnp.max(jnp.where(down[:, None], -jnp.inf, logits), axis=0)
    else:
        down, up = (jnp.vdot(part, weights) == 0 for part in (labels, 1 - labels))
    heard = weights > 0
    highest = jnp.max(jnp.where(heard, logits, -jnp.inf), axis=1)
    lowest = jnp.min(jnp.where(heard, logits, jnp.inf), axis=1)
    return jnp.where(down, -NEVER - highest, jnp.where(up, NEVER - lowest, 0))


def _total(values, weights):
    """Σ s values of [C, N]: [C]."""
    return jnp.matmul(values, weights, precision="highest")


def _damping(family, direction):
    """The step that must descend if |l'''| <= range · l'': log(1 + range) / range."""
    if family.self_concordance == 0:
        return jnp.ones((), direction.dtype)
    reach = jnp.ptp(direction) if family.multiclass else jnp.max(jnp.abs(direction))
    return jnp.where(reach > 0, jnp.log1p(reach) / jnp.where(reach > 0, reach, 1), 1)


def intercept_hessian(family: Loss, factors: Any, weights: Array) -> Array:
    """Σ s ∂²ℓ/∂b² [C, C]."""
    if not family.multiclass:
        return _total(family.diagonal(factors), weights)[:, None]
    eye = jnp.eye(family.num_outputs, dtype=weights.dtype)
    if family.self_concordance:  # a softmax: diag(p) - p pᵀ
        p = factors
        off = (1 - eye) * jnp.einsum("cn,dn->cd", p * weights, p, precision="highest")
        # The rows sum to 0, and p - p² would not know it of a p that rounds to 1.
        return jnp.diag(jnp.sum(off, axis=1)) - off

    def column(unit):
        v = jnp.broadcast_to(unit[:, None], (len(unit), len(weights)))
        return _total(family.hessian_product(factors, v), weights)

    return jax.lax.map(column, eye)


def answering(family: Loss, factors: Any, weights: Array) -> Array:
    """The inverse of the intercepts' Hessian [C, C], by which they answer; 0 without any."""
    if not family.intercept:
        return jnp.zeros((family.num_outputs,) * 2, weights.dtype)
    return generalised_inverse(intercept_hessian(family, factors, weights))


def generalised_inverse(matrix: Array) -> Array:
    """G with A G A = A of a small positive semidefinite A [C, C], brought to a unit diagonal.

    Pivots that rounding leaves of nothing are passed over.

    Reference:
      Goodnight, A tutorial on the sweep operator (1979).
    """
    size, diagonal = len(matrix), jnp.diagonal(matrix)
    scale = jnp.where(diagonal > 0, 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1)), 0)
    both = scale[:, None] * scale
    if size == 1:
        return both
    cut = 10 * size * jnp.finfo(matrix.dtype).eps

    def swept(k, state):
        matrix, done = state
        here, row, pivot = jnp.arange(size) == k, matrix[k], matrix[k, k]
        good = pivot > cut
        row = row / jnp.sqrt(jnp.where(good, pivot, 1))
        left = matrix - row[:, None] * row
        # The row and column of the pivot are divided by it; the pivot itself is -1 / it.
        cross = jnp.where(here[:, None], row, row[:, None]) / jnp.sqrt(jnp.where(good, pivot, 1))
        left = jnp.where(here[:, None] | here, cross, left)
        left = jnp.where(here[:, None] & here, -1 / jnp.where(good, pivot, 1), left)
        return jnp.where(good, left, matrix), done | (here & good)

    state = matrix * both, jnp.zeros(size, bool)
    matrix, done = jax.lax.fori_loop(0, size, swept, state)
    return jnp.where(done[:, None] & done, -matrix, 0) * both
