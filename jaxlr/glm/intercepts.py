"""Profiled intercepts of one lane: those optimal for given weights, a convex problem of C numbers.

Passes over logits alone.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array

NEVER = 750.0  # exp(-750) is 0 in float64
LAST = 1e-13  # decrement of a last step: it leaves the square of that
STEPS = 60  # more than damped steps from anywhere have taken


class Profile(NamedTuple):
    """The shift [C] of the intercepts, and there their Hessian [C, C] and its inverse [C, C]."""

    shift: Array
    hessian: Array
    inverse: Array


def profiled(family: Loss, logits: Array, labels: Array, weights: Array) -> Profile:
    """Minimises Σ s ℓ(z + shift) by damped Newton steps: two looks where it is optimal already.

    A class without rows has its optimum at -∞: it is sent so low that its probability is exactly
    0. Without intercepts all is 0.

    Args:
      family: of the loss.
      logits: [C, N].
      labels: [N].
      weights: [N], summing to 1.

    Reference:
      Sun and Tran-Dinh, Generalized self-concordant functions (2019), for the damping.
    """
    start = _sent_away(family, logits, labels, weights)
    zeros = jnp.zeros((family.num_outputs,) * 2, logits.dtype)
    if not family.intercept:
        return Profile(start, zeros, zeros)

    def going(state):
        return state[-1] & (state[-2] < STEPS)

    def step(state):
        point, slope, direction, length, count, _ = state
        shift = point.shift + length * direction
        z = logits + shift[:, None]
        new = total(family.gradient(z, labels), weights)
        hessian = intercept_hessian(family, family.factors(z, labels), weights)
        inverse = generalised_inverse(hessian)
        before = jnp.abs(jnp.vdot(slope, direction))
        good = jnp.abs(jnp.vdot(new, direction)) <= before
        there = Profile(shift, hessian, inverse), new, -jnp.matmul(inverse, new)
        here = point, slope, direction
        point, slope, direction = jax.tree.map(partial(jnp.where, good), there, here)
        length = jnp.where(good, _damping(family, direction), length / 4)
        last = good & (before <= LAST) & (count > 0)
        return point, slope, direction, length, count + 1, ~last & (jnp.vdot(slope, direction) < 0)

    # The first step only looks where it is: so each look is one piece of program.
    none = jnp.zeros_like(start)
    state = Profile(start, zeros, zeros), none, none, none[0], jnp.int32(0), jnp.bool_(True)
    return jax.lax.while_loop(going, step, state)[0]


def settled(family: Loss, logits: Array, labels: Array, weights: Array) -> Array:
    """The shifts [L, C] of lanes: logits [L, C, N], labels and weights [L, N]."""
    return jax.vmap(partial(profiled, family))(logits, labels, weights).shift


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
    if family.multiclass:
        down, up = empty(family, labels, weights), False
        top = jnp.max(jnp.where(down[:, None], -jnp.inf, logits), axis=0, keepdims=True)
        logits = logits - top
    else:
        down, up = total(jnp.stack([labels, 1 - labels]), weights) == 0
    far = NEVER + jnp.max(jnp.where((weights > 0)[None], jnp.abs(logits), 0), axis=1)
    return jnp.where(down, -far, jnp.where(up, far, 0))


def total(values: Array, weights: Array) -> Array:
    """Σ s values [C] of [C, N]: one product of all lanes compiles faster than their sums."""
    return jnp.dot(values * weights[None], jnp.ones_like(weights), precision="highest")


def _damping(family, direction):
    """The step that must descend if |l'''| <= range · l'': log(1 + range) / range."""
    reach = jnp.ptp(direction) if family.multiclass else jnp.max(jnp.abs(direction))
    reach = 0 * reach if family.self_concordance == 0 else reach
    return jnp.where(reach > 0, jnp.log1p(reach) / jnp.where(reach > 0, reach, 1), 1)


def intercept_hessian(family: Loss, factors: Any, weights: Array) -> Array:
    """Σ s ∂²ℓ/∂b² [C, C]."""
    if not family.multiclass:
        return total(family.diagonal(factors), weights)[:, None]
    eye = jnp.eye(family.num_outputs, dtype=weights.dtype)
    if family.self_concordance:  # a softmax: diag(p) - p pᵀ
        off = (1 - eye) * jnp.dot(factors, (factors * weights[None]).T)
        # The rows sum to 0, and p - p² would not know it of a p that rounds to 1.
        return jnp.diag(jnp.sum(off, axis=1)) - off

    def column(unit):
        v = jnp.broadcast_to(unit[:, None], (len(unit), len(weights)))
        return total(family.hessian_product(factors, v), weights)

    return jax.lax.map(column, eye)


def generalised_inverse(matrix: Array) -> Array:
    """G with A G A = A of a small positive semidefinite A [C, C], brought to a unit diagonal.

    Pivot by pivot; those that rounding leaves of nothing are passed over.

    Reference:
      Goodnight, A tutorial on the sweep operator (1979).
    """
    size, diagonal = len(matrix), jnp.diagonal(matrix)
    scale = jnp.where(diagonal > 0, 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1)), 0)
    scale = scale[:, None] * scale[None]
    if size == 1:
        return scale

    def swept(k, state):
        matrix, done = state
        row, pivot, here = matrix[k], matrix[k, k], jnp.arange(size) == k
        good = pivot > 10 * size * jnp.finfo(matrix.dtype).eps
        pivot = jnp.where(good, pivot, 1)
        row = jnp.where(here, -1, row)
        left = jnp.where(here[:, None] | here[None], 0, matrix) - row[:, None] * row[None] / pivot
        return jnp.where(good, left, matrix), done | (here & good)

    state = matrix * scale, jnp.zeros(size, bool)
    matrix, done = jax.lax.fori_loop(0, size, swept, state)
    return jnp.where(done[:, None] & done[None], -matrix, 0) * scale
