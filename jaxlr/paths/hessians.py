"""Whole Hessians [L, Q, Q] of a loss, Q = C P, where a step wants more than a block per class.

Where they are much work they are made in float32 first: that costs half, and a Hessian of a step
need not be right. It is too stiff in directions that are next to flat, and who finds steps too
short there goes on with float64.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import folds
from jaxlr.glm.losses import Loss
from jaxlr.glm.objective import ridge
from jaxlr.glm.problem import Lanes, Problem, weighted
from jaxlr.paths.blocks import ROWS, blocks_of
from jaxlr.pytypes import Array

ALIKE = 1.5  # times their mean: steps on that are nearly as good as on their own
COARSE = 1e9  # multiplications: from here on float32 saves more than a step costs
FLAT = 1e-10  # of each entry of the diagonal: for the direction in which a softmax has no curvature


def can_be_coarse(family: Loss, problem: Problem, num_hessians: int) -> bool:
    """Whether float32 is worth a try."""
    num_rows, size = problem.x.shape
    return num_hessians * (family.num_outputs * size) ** 2 * num_rows >= COARSE


def measured(
    family: Loss, problem: Problem, lanes: Lanes, logits: Array, lift: Array, coarse: Array
) -> Array:
    """The Hessians at the logits [L, C, N] with their ridge, [L, Q, Q].

    Every diagonal is lifted by its rounding, so that there is a factor, and by the part `lift` [L]
    of it. `coarse` [] says whether float32 will do; then folds whose curvatures are all but alike
    share them, and cost one pass over the rows.
    """
    labels, weights = weighted(problem, lanes)
    size = family.num_outputs * problem.x.shape[1]
    bend = family.factors(logits, labels)
    pairs = _pairs(family, bend, weights)

    def lifted(hessian):
        least = _rounding(len(problem.x), size, hessian.dtype) + (FLAT if family.multiclass else 0)
        hessian = hessian.astype(pairs.dtype)
        diagonal = jnp.diagonal(hessian, axis1=1, axis2=2)
        # Of nothing but zeros: any will do.
        diagonal = jnp.where(diagonal > 0, (least + lift)[:, None] * diagonal, 1)
        return hessian + diagonal[:, :, None] * jnp.eye(size)[None]

    def made(dtype):
        return lifted(_assembled(family, problem, pairs.astype(dtype)))

    def own():
        if not can_be_coarse(family, problem, len(weights)):
            return made(pairs.dtype)
        return jax.lax.cond(coarse, partial(made, jnp.float32), partial(made, pairs.dtype))

    def shared():
        return lifted(_of_folds(problem, mean.astype(jnp.float32)))

    if problem.groups is None:
        hessian = own()
    else:
        mean, alike = _mean_of_folds(problem, family.diagonal(bend)[:, 0], weights)
        hessian = jax.lax.cond(coarse & alike, shared, own)
    return hessian + ridges(ridge(lanes), hessian, family.num_outputs)


def _mean_of_folds(problem, curvature, weights):
    """The mean curvature [T, N] of folds that train on a row, and whether none is far from it."""
    num_targets, num_rows = len(problem.labels), len(problem.x)
    curvature = curvature.reshape(num_targets, -1, num_rows)
    heard = weights.reshape(curvature.shape) > 0
    num_folds = jnp.maximum(jnp.sum(heard.astype(curvature.dtype), axis=1), 1)
    mean = jnp.sum(jnp.where(heard, curvature, 0), axis=1) / num_folds
    near = (curvature <= ALIKE * mean[:, None]) & (mean[:, None] <= ALIKE * curvature)
    return mean, jnp.all(near | ~heard)


def _of_folds(problem, curvature):
    """Hessians [T F, P, P] of every target and fold, in the curvature's precision."""
    blocks = folds.blocks_of(problem.x, problem.x_t, problem.groups, curvature)
    return blocks.reshape(-1, *blocks.shape[2:])


def ridges(penalty: Array, hessian: Array, num_outputs: int) -> Array:
    """The Hessian, [L, Q, Q] as the one given, of penalties [L] of w²/2."""
    size = hessian.shape[-1] // num_outputs
    penalised = jnp.tile(jnp.ones(size).at[-1].set(0), num_outputs)
    return penalty[:, None, None] * jnp.diag(penalised)[None]


def times(hessian: Array, v: Array) -> Array:
    """[L, Q, Q] times v [L, Q]."""
    return jnp.einsum("lpq,lq->lp", hessian, v, precision="highest")


def _pairs(family, bend, weights):
    """What rows weigh in the block of every pair of classes [pairs, L, N]."""
    num_lanes, num_rows = weights.shape
    num_outputs = family.num_outputs
    rows, columns = np.triu_indices(num_outputs)

    def against(unit):
        v = jnp.broadcast_to(unit, (num_lanes, num_outputs, num_rows))
        return family.hessian_product(bend, v)

    basis = jnp.eye(num_outputs)[:, None, :, None]
    return jax.vmap(against)(basis)[rows, :, columns] * weights[None]


def _assembled(family, problem, pairs):
    """The Hessians [L, Q, Q], from the blocks of all pairs of classes."""
    num_outputs, num_hessians, size = family.num_outputs, pairs.shape[1], problem.x.shape[1]
    rows, columns = np.triu_indices(num_outputs)
    blocks = blocks_of(problem.x, problem.x_t, pairs.reshape(-1, pairs.shape[-1]))
    blocks = jnp.moveaxis(blocks.reshape(len(rows), num_hessians, size, size), 0, 1)
    hessian = jnp.zeros((num_hessians, num_outputs, num_outputs, size, size), pairs.dtype)
    hessian = hessian.at[:, rows, columns].set(blocks).at[:, columns, rows].set(blocks)
    return hessian.transpose(0, 1, 3, 2, 4).reshape(num_hessians, num_outputs * size, -1)


def _rounding(num_rows, size, dtype):
    """What rounding can take from a diagonal, as a part of it."""
    if dtype != jnp.float32:
        return 10 * size * float(jnp.finfo(dtype).eps)
    return float(jnp.finfo(dtype).eps) * (10 + ROWS**0.5 + (num_rows / ROWS) ** 0.5)
