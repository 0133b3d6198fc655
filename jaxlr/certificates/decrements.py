"""Newton's decrement ν² = gᵀ H⁻¹ g from a fresh Hessian, by a factor of it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm import sharing
from jaxlr.glm.intercepts import unheard
from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array


class Point(NamedTuple):
    """Where a decrement is wanted.

    Attributes:
      x: [N, P], the last column ones; x_t is its transpose.
      labels, weights: [L, N].
      bend: of the loss at the logits, as the family has it.
      grad: [L, C, P] of J's smooth part, or a subgradient of J; 0 where `moves` is 0.
      moves: [L, C, P] 0 or 1: the params that may move.
      ridge: [L] λ (1 - α).
    """

    x: Array
    x_t: Array
    labels: Array
    weights: Array
    bend: Any
    grad: Array
    moves: Array
    ridge: Array


class Decrement(NamedTuple):
    """What is known of ν².

    Attributes:
      lower: [L] <= ν².
      upper: [L] >= ν², inf if unknown.
      estimate: [L] of ν², not below `lower`.
      reach: [L] max over rows and directions d of range(x · d) / ‖d‖_H, inf if unknown.
      trace: [L] of H⁻¹, inf if unknown.
      step: [L, C, P] about H⁻¹ g.
    """

    lower: Array
    upper: Array
    estimate: Array
    reach: Array
    trace: Array
    step: Array


def by_factor(family: Loss, point: Point) -> Decrement:
    """Forms every lane's Hessian: (C P)² numbers each, and C² N P² operations."""
    _, num_outputs, size = point.grad.shape
    length = num_outputs * size
    units = jnp.eye(num_outputs, dtype=point.x.dtype)

    def of_lane(lane):
        bend, y, s, grad, moves, ridge = jax.tree.map(lambda a: a[None], lane)

        def column(unit):
            v = jnp.broadcast_to(unit[None, :, None], (1, num_outputs, len(point.x)))
            return family.hessian_product(bend, v)[0] * s  # [C, N] * [1, N]

        curved = jax.lax.map(column, units)  # [C, C, N]

        def block(weights):  # [C, N] -> [C, P, P]
            rows = (weights[:, :, None] * point.x[None]).transpose(0, 2, 1)
            return jnp.matmul(rows.reshape(length, -1), point.x, precision="highest").reshape(
                num_outputs, size, size
            )

        hessian = jax.lax.map(block, curved).transpose(1, 2, 0, 3).reshape(length, length)
        penalised = jnp.arange(size) < size - 1
        penalty = jnp.broadcast_to(jnp.where(penalised, ridge[0], 0), (num_outputs, size))
        hessian = hessian + jnp.diag(penalty.reshape(-1))
        gone = unheard(family, y, s)[0][:, None]
        bare = (~penalised | (ridge == 0))[None, :]  # [1, P], what only the rows curve
        spare = ~jnp.any(point.x != 0, axis=0)[None, :]  # what no row has can't move J
        moves = jnp.where((gone | spare) & bare, 0, moves[0])
        if family.multiclass and family.self_concordance:
            flat = jnp.where(bare & jnp.all(gone | (moves > 0), axis=0, keepdims=True), moves, 0)
            hessian = hessian + _gauge(flat) * (jnp.trace(hessian) / length)
        lower, upper, step, inverse = _solved(hessian, grad.reshape(-1), moves.reshape(-1))
        reach = _reach(
            point.x, inverse.reshape(num_outputs, size, num_outputs, size), s[0], gone[:, 0]
        )
        # A Hessian that is singular to rounding bounds nothing from above, and estimates nothing.
        step = step.reshape(num_outputs, size)
        return Decrement(lower, upper, upper, reach, jnp.trace(inverse), step)

    lanes = (point.bend, point.labels, point.weights, point.grad, point.moves, point.ridge)
    return sharing.mapped(of_lane, lanes, over=(sharing.LANES,))


def _gauge(flat):
    """Curvature [C P, C P] along what moves all classes alike, where a softmax has none.

    A gradient has no part there, so ν² stays as it is; flat [C, P] is 1 where it is wanted.
    """
    num_outputs, size = flat.shape
    columns = jnp.eye(size, dtype=flat.dtype)[None, :, None, :]
    return (flat[:, :, None, None] * flat[None, None] * columns).reshape(num_outputs * size, -1)


def _solved(hessian, grad, moves):
    """Bounds of gᵀ H⁻¹ g, and H⁻¹ g and H⁻¹.

    H is lifted by rounding's worth, so that a factor exists: the lower bound can only be too low.
    The upper one and H⁻¹ are inf where H is singular to rounding.
    """
    hessian = hessian * moves[:, None] * moves[None, :] + jnp.diag(1 - moves)
    diagonal = jnp.diagonal(hessian)
    scale = 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1))
    scaled = hessian * scale[:, None] * scale[None, :]
    lift = 10 * hessian.shape[0] * jnp.finfo(hessian.dtype).eps
    scaled = scaled + jnp.diag(jnp.where(diagonal > 0, lift, 1).astype(hessian.dtype))
    lower = jnp.linalg.cholesky(scaled)
    half = jax.scipy.linalg.solve_triangular(lower, jnp.diag(scale), lower=True)
    along = jnp.matmul(half, grad, precision="highest")
    squared = jnp.sum(along**2)
    step = jnp.matmul(half.T, along, precision="highest")
    norm = jnp.sum(half**2 / scale[None, :] ** 2)  # >= 1 / smallest eigenvalue of `scaled`
    doubt = 2 * lift * norm  # relative, of H⁻¹: the lift and as much rounding
    known = doubt < 0.1
    inverse = jnp.where(known, jnp.matmul(half.T, half, precision="highest"), jnp.inf)
    return squared, jnp.where(known, squared * (1 + 2 * doubt), jnp.inf), step, inverse


def _reach(x, inverse, weights, gone):
    """The largest leverage: √ of (e_a - e_c) ⊗ x in the norm of H⁻¹, over rows and classes."""
    num_outputs = inverse.shape[0]
    if num_outputs == 1:
        pairs = inverse[0, :, 0][None]
        heard = jnp.ones(1, bool)
    else:
        first, second = jnp.triu_indices(num_outputs, 1)
        pairs = (
            inverse[first, :, first]
            + inverse[second, :, second]
            - inverse[first, :, second]
            - inverse[second, :, first]
        )
        heard = ~(gone[first] | gone[second])

    def largest(pair):
        leverages = jnp.sum(jnp.matmul(x, pair, precision="highest") * x, axis=1)
        return jnp.max(jnp.where(weights > 0, leverages, 0))

    squared = jnp.max(jnp.where(heard, jax.lax.map(largest, pairs), 0))
    return jnp.where(squared >= 0, jnp.sqrt(squared), jnp.inf)
