"""A path's numbers as its programs see them: rows that lanes share, what is a lane's own, J.

Functions of a lane are written for one; under `vmap` its products with the rows are those of all.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import sharing
from jaxlr.glm.losses import Loss
from jaxlr.pytypes import Array

ALIGNED = 64  # bytes where XLA shares a buffer: elsewhere it copies x and x_t, twice the memory


class Problem(NamedTuple):
    """What all lanes share."""

    x: Array  # [N, P] features, and a last column of ones for the intercept: P = D + 1
    labels: Array  # [T, N] of T targets
    weights: Array  # [F, N] of F folds; every row sums to 1
    x_t: Array  # [P, N] stored: most products with it take half the time
    squares: Array | None = None  # [N] ‖x‖² of the features
    largest: Array | None = None  # [P] max |x| of every column


class Lanes(NamedTuple):
    """What is a lane's own: its penalty λ [L], l1_ratio [L], fold [L] and target [L]."""

    lam: Array
    l1_ratio: Array
    fold: Array
    target: Array


class Lane(NamedTuple):
    """One lane's own: labels [N], weights [N] that sum to 1, ridge λ(1-α) and lasso λα."""

    labels: Array
    weights: Array
    ridge: Array
    lasso: Array


def lanes_of(problem: Problem, lam: np.ndarray, l1_ratio: float) -> Lanes:
    """Targets x folds under λ [..., m], in the rows' precision: m is target m // F, fold m % F."""
    lane = np.broadcast_to(np.arange(lam.shape[-1]), lam.shape)
    num_folds, dtype = len(problem.weights), problem.x.dtype
    ratios = np.full(lam.shape, l1_ratio, dtype)
    return Lanes(lam.astype(dtype), ratios, lane % num_folds, lane // num_folds)


def lane_of(problem: Problem, lanes: Lanes) -> Lane:
    """The lane of scalar `lanes`."""
    labels, weights = problem.labels[lanes.target], problem.weights[lanes.fold]
    labels, weights = (sharing.pinned(leaf, rows=0) for leaf in (labels, weights))
    return Lane(labels, weights, lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio)


def cast(dtype: Any, tree: Any) -> Any:
    """The tree with its floats in a dtype."""

    def one(leaf):
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(one, tree)


def without_intercept(params: Array) -> Array:
    """params [..., P] with 0 in place of the intercepts: what a penalty sees."""
    # Fused into what uses it, as an update of one column would not be.
    penalised = np.arange(params.shape[-1]) < params.shape[-1] - 1
    return jnp.where(penalised.reshape(*[1] * (params.ndim - 1), -1), params, 0)


def logits_of(params: Array, rows: Problem) -> Array:
    """Of one lane's params [C, P]: [C, N]."""
    if rows.x.dtype == jnp.float32:
        return jnp.dot(params, rows.x_t, precision="highest")
    return jnp.dot(rows.x, params.T, precision="highest").T


def gradient_of(slopes: Array, rows: Problem) -> Array:
    """One lane's slopes [C, N] carried back to the params: [C, P]."""
    if rows.x.dtype == jnp.float32:
        return sharing.total(jnp.dot(slopes, rows.x, precision="highest"))
    return sharing.total(jnp.dot(rows.x_t, slopes.T, precision="highest").T)


def risk(loss: Loss, lane: Lane, params: Array, logits: Array) -> Array:
    """J [] at params [C, P], whose logits are [C, N]."""
    mean = jnp.dot(loss.value(logits, lane.labels), lane.weights, precision="highest")
    w = without_intercept(params)
    penalty = lane.ridge * jnp.sum(w**2) / 2 + lane.lasso * jnp.sum(jnp.abs(w))
    return sharing.total(mean) + penalty


def slopes_of(loss: Loss, lane: Lane, logits: Array) -> Array:
    """The mean loss's gradient by the logits [C, N]."""
    return loss.gradient(logits, lane.labels) * lane.weights[None]


def gradient(loss: Loss, rows: Problem, lane: Lane, params: Array, logits: Array) -> Array:
    """Of J without its l1 part [C, P]."""
    mean = gradient_of(slopes_of(loss, lane, logits), rows)
    return mean + lane.ridge * without_intercept(params)


def blocks_of(rows: Problem, weights: Array) -> Array:
    """Σ_n weights[g, n] x_n x_nᵀ for every g: [G, P, P], in the weights' precision."""

    def grams(x, x_t, weights):  # scaling a transpose's columns leaves it as the product wants it
        return jax.lax.map(lambda w: jnp.dot(w[None] * x_t, x, precision="highest"), weights)

    x, x_t = rows.x.astype(weights.dtype), sharing.pinned(rows.x_t, rows=1).astype(weights.dtype)
    return sharing.total(sharing.summed(grams, x, x_t, weights))


def hessian(loss: Loss, rows: Problem, factors: Any, weights: Array) -> Array:
    """Of one lane's mean loss, all classes together, without a penalty: [Q, Q], Q = C P.

    `factors` are those of the loss at the lane's logits; weights [N].
    """
    num, size = loss.num_outputs, rows.x.shape[1]
    units = jnp.broadcast_to(
        jnp.eye(num, dtype=weights.dtype)[:, :, None], (num, num, len(weights))
    )
    first, second = np.triu_indices(num)
    pairs = jax.vmap(partial(loss.hessian_product, factors))(units)[first, second]
    blocks = blocks_of(rows, pairs * weights[None])
    whole = jnp.zeros((num, num, size, size), blocks.dtype)
    whole = whole.at[first, second].set(blocks).at[second, first].set(blocks)
    return whole.transpose(0, 2, 1, 3).reshape(num * size, -1)


def middles(x: np.ndarray) -> np.ndarray:
    """For each column of x [N, D] a value from the middle of √N of its rows: [D].

    Being one of the column's own values, it leaves a constant column 0, a dummy's zeros as they
    are, and loses nothing where all values are far from 0 and near each other.
    """
    sample = x[:: math.isqrt(len(x))]
    return np.sort(sample, axis=0)[len(sample) // 2]


def laid_out(x, labels=None, weights=None, *, power=0, last=1.0) -> Problem:
    """On the host, features x [N, D] times 2^power, as a device of the CPU takes them, uncopied.

    The last column is 0 without an intercept.
    """
    num_rows, num_columns = x.shape
    rows, turned = _empty(num_rows, num_columns + 1), _empty(num_columns + 1, num_rows)
    features = np.ldexp(x, power, out=rows[:, :-1])
    rows[:, -1] = last
    turned[:] = rows.T
    squares = np.einsum("np,np->n", features, features)
    largest = np.append(np.maximum(features.max(axis=0), -features.min(axis=0)), 1.0)
    return Problem(rows, labels, weights, turned, squares, largest)


def _empty(*shape: int) -> np.ndarray:
    """Like `np.empty`, in float64, and aligned."""
    flat = np.empty(np.prod(shape) * 8 + ALIGNED, np.uint8)
    first = -flat.ctypes.data % ALIGNED
    return flat[first : first - ALIGNED].view(np.float64).reshape(shape)
