"""The metric of a descent: the inverse of one Hessian block per class, made now and used later.

The blocks of a softmax know nothing of each other, and need not: the optimum's weights sum to 0
over the classes, and so does every gradient. Steps that keep this,

    minimise  Σ_c (½ d_cᵀ H_c d_c + g_cᵀ d_c)   subject to   Σ_c d_c = 0,

take a tenth of the steps that the bare blocks take.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from jaxlr.glm import sharing
from jaxlr.glm.problem import Rows
from jaxlr.paths.blocks import ROWS, blocks_of
from jaxlr.pytypes import Array

WIDE = jnp.float64  # of inversion: blocks of float32 rows are better known than float32 factors


class Metric(NamedTuple):
    """Inverses of Σ s_n w_n x_n x_nᵀ + λI, a block for every class.

    G divides the number of lanes: consecutive lanes share a metric; and so does R.

    Attributes:
      inverse: [G, C, P, P] of the blocks.
      coupling: [G, P, P] of the classes, or [G, 0, 0].
      curvature: [R, N] the w of one logit, where a metric has its lanes' own weights s; or [R, 0].
      lam: [G] λ.
      doubt: [G] by rounding, the inverse may be too small by this part of itself; inf if unknown.
    """

    inverse: Array
    coupling: Array
    curvature: Array
    lam: Array
    doubt: Array


def metric(rows: Rows, curvature: Array, lam: Array, coupled: bool) -> Metric:
    """The metric where rows have curvatures [G, C, N]; λ is [G]."""
    num_groups, num_classes, _ = curvature.shape
    num_rows, size = rows.x.shape
    curvature = curvature.reshape(num_groups * num_classes, -1)
    blocks = blocks_of(rows.x, rows.x_t, curvature)
    return of_blocks(blocks.reshape(num_groups, num_classes, size, size), lam, coupled, num_rows)


def of_blocks(blocks: Array, lam: Array, coupled: bool, num_rows: int, turn: int = ROWS) -> Metric:
    """The metric of blocks [G, C, P, P], sums over turns of rows, without their penalties λ [G]."""
    num_groups, _, size, _ = blocks.shape
    dtype = blocks.dtype
    penalty = jnp.ones(size, WIDE).at[-1].set(0)
    blocks = blocks.astype(WIDE)
    blocks = blocks + lam.astype(WIDE)[:, None, None, None] * jnp.diag(penalty)[None, None]
    # A sum of turns of rows is known to this part of its diagonal.
    eps = float(jnp.finfo(dtype).eps)
    lift = eps * (10 + turn**0.5 + (num_rows / turn) ** 0.5) + _factors(size)
    inverse, norm = _inverse(blocks, lift)
    # With its diagonal brought to 1, the truth is at least S - 2 lift for the lifted S, and that at
    # least (1 - 2 lift ‖S⁻¹‖) S; ‖S‖ <= P, so S⁻¹ rounded to eps of itself errs by eps P ‖S⁻¹‖.
    doubt = jnp.where(norm >= 0, (2 * lift + size * eps) * norm, jnp.inf)
    coupling = jnp.zeros((num_groups, 0, 0), WIDE)
    if coupled:
        coupling, _ = _inverse(jnp.sum(inverse, axis=1), _factors(size))
    return Metric(
        inverse.astype(dtype),
        coupling.astype(dtype),
        jnp.zeros((1, 0), dtype),
        lam,
        jnp.max(doubt, axis=1).astype(dtype),
    )


def of_whole(hessian: Array, lam: Array) -> Metric:
    """The metric of whole Hessians [G, Q, Q] with their penalties λ [G], as of one class."""
    num_groups, size, _ = hessian.shape
    inverse, norm = _inverse(hessian[:, None], _factors(size))
    none = jnp.zeros((num_groups, 0, 0), hessian.dtype)
    return Metric(inverse, none, jnp.zeros((1, 0), hessian.dtype), lam, norm[:, 0])


def apply(given: Metric, grads: Array) -> Array:
    """The metric times grads [K, L, C, P], like them in shape."""
    out = _product(given.inverse, grads)
    if given.coupling.shape[-1]:
        total = jnp.sum(out, axis=2, keepdims=True)
        shared = _product(given.coupling[:, None], total)
        out = out - _product(given.inverse, jnp.broadcast_to(shared, grads.shape))
    return out


def shares_of(given: Metric, curvature: Array, weights: Array, lam: Array) -> tuple[Array, Array]:
    """c and C [L], with a lane's Hessian between c and C times what the metric is the inverse of.

    Σ s w' x xᵀ + λ' >= min(w' / w, λ' / λ) (Σ s w x xᵀ + λ), the least over rows with weight; and
    the same of the greatest. 0 and inf if nothing is known.

    Args:
      given: the metric.
      curvature: [L, N] w', of one logit.
      weights: [L, N] s.
      lam: [L] λ'.
    """
    if not given.curvature.shape[1]:
        return jnp.zeros_like(lam), jnp.full_like(lam, jnp.inf)
    num_lanes = len(lam)
    old = given.curvature.reshape(len(given.curvature), 1, -1)
    new = curvature.reshape(len(old), num_lanes // len(old), -1)
    ratio = jnp.where(old > 0, new / jnp.where(old > 0, old, 1), 1)
    ratio = jnp.where(weights.reshape(ratio.shape) > 0, ratio, 1)
    of_lane = num_lanes // len(given.lam)
    old_lam, doubt = jnp.repeat(given.lam, of_lane), jnp.repeat(given.doubt, of_lane)
    # Where a row's old curvature is 0, any new one is more than any multiple of it.
    unknown = (old <= 0) & (new > 0) & (weights.reshape(ratio.shape) > 0)
    highest = jnp.max(jnp.where(unknown, jnp.inf, ratio), axis=2).reshape(-1)
    of_lam = jnp.where(old_lam > 0, lam / jnp.where(old_lam > 0, old_lam, 1), 0)
    least = jnp.fmin(jnp.min(ratio, axis=2).reshape(-1), of_lam)
    most = jnp.maximum(highest, jnp.where(old_lam > 0, of_lam, jnp.where(lam > 0, jnp.inf, 0)))
    sure = doubt < 1
    return jnp.where(sure, least * (1 - doubt), 0), jnp.where(sure, most * (1 + doubt), jnp.inf)


def none(
    num_groups: int, num_classes: int, size: int, coupled: bool, known: tuple[int, int], dtype
) -> Metric:
    """A place for a metric that is yet to be made; `known` is [R, N]."""
    coupling = size if coupled else 0
    return Metric(
        jnp.zeros((num_groups, num_classes, size, size), dtype),
        jnp.zeros((num_groups, coupling, coupling), dtype),
        jnp.zeros(known, dtype),
        jnp.zeros(num_groups, dtype),
        jnp.zeros(num_groups, dtype),
    )


def _product(matrices: Array, vectors: Array) -> Array:
    """Symmetric [G, C, P, P] times [K, L, C, P]; consecutive lanes share a group's matrices."""
    num_groups, num_classes, size, _ = matrices.shape
    num, num_lanes = vectors.shape[:2]
    grouped = vectors.reshape(num, num_groups, num_lanes // num_groups, num_classes, size)
    # They are symmetric: with q first XLA needs no transposed copy of them at every step.
    out = jnp.einsum("gcqp,kgmcq->kgmcp", matrices, grouped, precision="highest")
    return out.reshape(vectors.shape)


def _factors(size: int) -> float:
    """The rounding of a factor of [P, P], as a part of its diagonal."""
    return 4 * size * float(jnp.finfo(WIDE).eps)


def _inverse(matrices: Array, lift: float) -> tuple[Array, Array]:
    """Inverses of positive semidefinite matrices [..., P, P], lifted by a part of their diagonal.

    And the norm [...] of each where its diagonal was brought to 1.
    """
    size = matrices.shape[-1]
    eye = jnp.eye(size, dtype=matrices.dtype)
    diagonal = jnp.diagonal(matrices, axis1=-2, axis2=-1)
    largest = jnp.max(diagonal, axis=-1, keepdims=True)
    heard = diagonal > jnp.finfo(matrices.dtype).eps ** 1.5 * largest
    scale = jnp.where(heard, diagonal, jnp.where(largest > 0, largest, 1)) ** -0.5
    scaled = matrices * scale[..., :, None] * scale[..., None, :]
    # A column of nothing has a diagonal of 1 like the others.
    longer = jnp.where(heard, lift, 1).astype(matrices.dtype).reshape(-1, size)
    scaled = scaled.reshape(-1, size, size) + longer[:, :, None] * eye[None]

    def invert(matrix):
        half = solve_triangular(jnp.linalg.cholesky(matrix), eye, lower=True)
        return jnp.matmul(half.T, half, precision="highest")

    # One by one: XLA's CPU backend has no LAPACK for a batch of triangular systems.
    inverse = sharing.mapped(invert, scaled).reshape(matrices.shape)
    norm = jnp.sqrt(jnp.sum(inverse**2, axis=(-2, -1)))
    return inverse * scale[..., :, None] * scale[..., None, :], norm
