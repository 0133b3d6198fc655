"""A path's numbers as its programs see them: one matrix of rows, and what sets lanes apart."""

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import sharing
from jaxlr.pytypes import Array


class Rows(Protocol):
    """x [N, P] with a last column of ones, and its transpose x_t [P, N], stored."""

    x: Array
    x_t: Array


class Problem(NamedTuple):
    """What all lanes share.

    Attributes:
      x: [N, P] features, and a last column of ones for the intercept: P = D + 1.
      labels: [T, N] of T targets.
      weights: [F, N] of F folds; every row sums to 1.
      x_t: [P, N], the transpose of x, stored: most products with it take half the time.
      squares: [N] ‖x‖² of the features.
      largest: [P] max |x| of every column.
    """

    x: Array
    labels: Array
    weights: Array
    x_t: Array
    squares: Array | None = None
    largest: Array | None = None


class Lanes(NamedTuple):
    """What is a lane's own: its penalty λ [L], l1_ratio [L], fold [L] and target [L]."""

    lam: Array
    l1_ratio: Array
    fold: Array
    target: Array


def lanes_of(problem: Problem, lam: np.ndarray, l1_ratio: float) -> Lanes:
    """Targets x folds, as many times over as lam [K · m] has penalties, in the rows' precision.

    Lane m is target m // F on fold m % F.
    """
    num_targets, num_folds = len(problem.labels), len(problem.weights)
    lane = np.arange(len(lam)) % (num_targets * num_folds)
    dtype = problem.x.dtype
    ratios = np.full(len(lam), l1_ratio, dtype)
    return Lanes(lam.astype(dtype), ratios, lane % num_folds, lane // num_folds)


class Lane(NamedTuple):
    """One lane's own: labels [N], weights [N] that sum to 1, ridge λ(1-α) and lasso λα."""

    labels: Array
    weights: Array
    ridge: Array
    lasso: Array


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


def logits_of(params: Array, rows: Rows) -> Array:
    """Of one lane's params [C, P]: [C, N]. Lanes under `vmap` are one product."""
    if rows.x.dtype == jnp.float32:
        return jnp.dot(params, rows.x_t, precision="highest")
    return jnp.dot(rows.x, params.T, precision="highest").T


def gradient_of(slopes: Array, rows: Rows) -> Array:
    """One lane's slopes [C, N] carried back to the params: [C, P]."""
    if rows.x.dtype == jnp.float32:
        return sharing.total(jnp.dot(slopes, rows.x, precision="highest"))
    return sharing.total(jnp.dot(rows.x_t, slopes.T, precision="highest").T)
