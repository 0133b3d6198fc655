"""A path's numbers as its programs see them: one matrix of rows, and what sets lanes apart."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.paths import sharing
from jaxlr.paths.folds import Groups
from jaxlr.pytypes import Array


class Problem(NamedTuple):
    """What all lanes share.

    Attributes:
      x: [N, P] features, and a last column of ones for the intercept: P = D + 1.
      labels: [T, N] of T targets.
      weights: [F, N] of F folds; every row sums to 1.
      x_t: [P, N], the transpose of x, stored: a metric is made from it several times faster. None
        where a metric is made of a sample of the rows.
      groups: of rows, where the folds have them.
      squares: [N] ‖x‖² of the features.
    """

    x: Array
    labels: Array
    weights: Array
    x_t: Array | None = None
    groups: Groups | None = None
    squares: Array | None = None


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


def logits(params: Array, x: Array) -> Array:
    """params [L, C, P] on the rows x [N, P]: [L, C, N], as one product."""
    num_lanes, num_outputs, size = params.shape
    rows = params.reshape(-1, size)
    # XLA's CPU product is ten times slower for a few rows than for eight.
    padded = jnp.pad(rows, ((0, max(0, 8 - len(rows))), (0, 0))) if len(rows) > 1 else rows
    out = jnp.dot(padded, x.T, precision="highest")[: len(rows)]
    return sharing.pinned(out.reshape(num_lanes, num_outputs, -1), lanes=0, rows=2)


def gradient(slopes: Array, x: Array) -> Array:
    """Slopes [L, C, N] carried back to the params: [L, C, P], as one product."""
    out = jnp.einsum("lcn,np->lcp", slopes, x, precision="highest")
    return sharing.pinned(out, lanes=0)


def weighted(problem: Problem, lanes: Lanes) -> tuple[Array, Array]:
    """Labels and weights of every lane, [L, N] each."""
    labels, weights = problem.labels[lanes.target], problem.weights[lanes.fold]
    return sharing.pinned(labels, lanes=0, rows=1), sharing.pinned(weights, lanes=0, rows=1)


def without_intercept(params: Array) -> Array:
    """params [..., P] with 0 in place of the intercepts: what a penalty sees."""
    return params.at[..., -1].set(0)


def dot(a: Array, b: Array) -> Array:
    """Σ a b of every lane: [L]."""
    return jnp.einsum("lcp,lcp->l", a, b, precision="highest")
