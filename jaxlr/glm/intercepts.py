"""Profiled intercepts of one lane, optimal for given weights: a convex problem of C numbers."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array

NEVER = 750.0  # exp(-750) is 0 in float64
LAST, STEPS = 1e-13, 60  # a last step's decrement, whose square is left; more than were ever taken


class Profile(NamedTuple):
    """The shift [C] of the intercepts; there their slope [C], and Hessian and inverse [C, C]."""

    shift: Array
    slope: Array
    hessian: Array
    inverse: Array


def profiled(family: Loss, logits: Array, labels: Array, weights: Array) -> Profile:
    """Minimises Σ s ℓ(z + shift) by damped Newton steps: two looks where it is optimal already.

    Logits [C, N], labels and weights [N], which sum to 1. A class without rows has its optimum at
    -∞: it is sent so low that its probability is exactly 0. Without intercepts all is 0.

    Reference:
      Sun and Tran-Dinh, Generalized self-concordant functions (2019), for the damping.
    """
    zeros = jnp.zeros_like(logits[:, 0])
    nowhere = Profile(_sent_away(family, logits, labels, weights), zeros, *[jnp.diag(zeros)] * 2)
    if not family.intercept:
        return nowhere

    def step(state):
        best, length, count, _ = state
        direction = -jnp.dot(best.inverse, best.slope)
        before = jnp.abs(jnp.vdot(best.slope, direction))
        shift = best.shift + length * direction
        z = logits + shift[:, None]
        slope = total(family.gradient(z, labels), weights)
        hessian = intercept_hessian(family, family.factors(z, labels), weights)
        new = Profile(shift, slope, hessian, generalised_inverse(hessian))
        good = jnp.abs(jnp.vdot(slope, direction)) <= before
        best = jax.tree.map(partial(jnp.where, good), new, best)
        direction = jnp.dot(best.inverse, best.slope)
        # With |l'''| <= range · l'' this must descend; a parabola knows no range.
        reach = jnp.ptp(direction) if family.multiclass else jnp.abs(direction[0])
        reach = 0 * reach if family.self_concordance == 0 else reach
        damped = jnp.where(reach > 0, jnp.log1p(reach) / jnp.where(reach > 0, reach, 1), 1)
        length = jnp.where(good, damped, length / 4)
        last = good & (before <= LAST) & (count > 0)
        return best, length, count + 1, ~last & (jnp.vdot(best.slope, direction) > 0)

    # The first step only looks where it is: so each look is one piece of program.
    state = nowhere, zeros[0], jnp.int32(0), jnp.bool_(True)
    return jax.lax.while_loop(lambda state: state[-1] & (state[-2] < STEPS), step, state)[0]


def empty(family: Loss, labels: Array, weights: Array) -> Array:
    """Which classes [C] have no row with weight; none of a scalar, or without intercepts."""
    if not (family.multiclass and family.self_concordance and family.intercept):
        return jnp.zeros(family.num_outputs, bool)
    own = jnp.arange(family.num_outputs, dtype=labels.dtype)[:, None] == labels[None]
    return total(own.astype(weights.dtype), weights) == 0


def _sent_away(family, logits, labels, weights):
    """The shift [C] that sends to ±∞ what has its optimum there, as far as float64 can tell."""
    if not (family.self_concordance and family.intercept):
        return jnp.zeros_like(logits[:, 0])
    down, up = empty(family, labels, weights), False
    if not family.multiclass:
        down, up = total(jnp.stack([labels, 1 - labels]), weights)[:, None] == 0
    far = NEVER + 2 * jnp.max(jnp.where(weights > 0, jnp.max(jnp.abs(logits), axis=0), 0))
    return jnp.where(down, -far, jnp.where(up, far, 0))


def total(values: Array, weights: Array) -> Array:
    """Σ s values [C] of [C, N]: one product of all lanes compiles faster than their sums."""
    return jnp.dot(values * weights[None], jnp.ones_like(weights), precision="highest")


def intercept_hessian(family: Loss, factors: Any, weights: Array) -> Array:
    """Σ s ∂²ℓ/∂b² [C, C]."""
    eye = jnp.eye(family.num_outputs, dtype=weights.dtype)
    if family.multiclass and family.self_concordance:  # a softmax: diag(p) - p pᵀ
        off = (1 - eye) * jnp.dot(factors, (factors * weights[None]).T)
        # The rows sum to 0, and p - p² would not know it of a p that rounds to 1.
        return jnp.diag(jnp.sum(off, axis=1)) - off

    def column(unit):
        v = jnp.broadcast_to(unit[:, None], (len(unit), len(weights)))
        return total(family.hessian_product(factors, v), weights)

    return jax.lax.map(column, eye)


def generalised_inverse(matrix: Array) -> Array:
    """G with A G A = A of a small positive semidefinite A [C, C], by conjugate directions.

    Those of no curvature but rounding's are left out.
    """
    diagonal = jnp.diagonal(matrix)
    scale = jnp.where(diagonal > 0, 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1)), 0)
    scale = scale[:, None] * scale[None]
    matrix, least = matrix * scale, 10 * len(matrix) * jnp.finfo(matrix.dtype).eps

    def widened(inverse, unit):
        direction = unit - jnp.dot(inverse, jnp.dot(matrix, unit))
        curvature = jnp.vdot(direction, jnp.dot(matrix, direction))
        part = direction[:, None] * direction[None] / jnp.where(curvature > least, curvature, 1)
        return inverse + jnp.where(curvature > least, part, 0), None

    eye = jnp.eye(len(matrix), dtype=matrix.dtype)
    return jax.lax.scan(widened, jnp.zeros_like(matrix), eye)[0] * scale
