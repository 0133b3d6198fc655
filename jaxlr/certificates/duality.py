"""Feasible points of the dual from primal ones: gaps of penalised losses, with their rounding."""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm.intercepts import answering, intercept_hessian, settled
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import (
    Lanes,
    Problem,
    carried,
    gradient,
    logits,
    weighted,
    without_intercept,
)
from jaxlr.pytypes import Array

NEARLY = 0.1  # of a logit: as far as the intercepts' Hessian is trusted


class Duality(NamedTuple):
    """Two feasible points of the dual for each of L lanes, and how far they are from J.

    Attributes:
      params: [L, C, P] with optimal intercepts; what follows is of these.
      risk: [L] J.
      bend: of the loss, as the family has it.
      u: [L, C, P] -Xᵀ(s r) of the slopes r, known to `error` [L] in norm.
      full: [L] the gap at r, without rounding; infinite where r is not feasible.
      short: [L] the gap at σr; infinite where it was not asked for.
      rounding: [L] of J and the gaps.
      error: as above.
      steep: [L] Σ s ℓ'' ‖x‖².
      settles: [L, C, C] the inverse of the intercepts' Hessian.
    """

    params: Array
    risk: Array
    bend: Any
    u: Array
    full: Array
    short: Array
    rounding: Array
    error: Array
    steep: Array
    settles: Array


def duality(
    family: Loss, problem: Problem, lanes: Lanes, params: Array, ridge_only: bool = False
) -> Duality:
    """The second of `certify`'s bounds at params [L, C, P], with all that it is made of."""
    labels, weights = weighted(problem, lanes)
    z = logits(params, problem)
    shift = settled(family, z, labels, weights)
    params = params.at[..., -1].add(shift)
    z = z + shift[:, :, None]
    values, slopes = family.value(z, labels), family.gradient(z, labels)
    # Made once, and kept: XLA would rather make them again for everything that needs them.
    slopes, bend = jax.lax.optimization_barrier((slopes, family.factors(z, labels)))
    mean = _mean(values, weights)
    u = -gradient(slopes * weights[:, None], problem)
    w = without_intercept(params)
    ridge, lasso = lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio
    l2, l1 = jnp.sum(w**2, axis=(1, 2)) / 2, jnp.sum(jnp.abs(w), axis=(1, 2))
    risk = mean + ridge * l2 + lasso * l1
    rounding, error, steep = _rounding(family, problem, params, bend, weights, slopes)
    eps = unit(problem.x)
    settles = answering(family, bend, weights)
    left, pull = _unsettled(family, problem, bend, weights, settles, u[..., -1], eps * error)
    rounding = eps * (rounding + risk) + _constant(family, problem.x) + left
    error = eps * (error + lanes.lam * norm(w)) + pull
    bare = without_intercept(u)
    full = _gap(lanes, w, bare, error)
    short = jnp.full_like(risk, jnp.inf)
    if not ridge_only:
        loss = partial(_shortened, family, z, labels, weights, values, slopes)
        short = _short_gap(lanes, w, bare, error, loss)
    return Duality(params, risk, bend, u, full, short, rounding, error, steep, settles)


def rough_gap(lanes: Lanes, params: Array, u: Array, risk: Array) -> Array:
    """The lesser gap [L] without a look at the rows: neither rounding nor what (1-σ)² can spare.

    As `duality`, where `risk` [L] is J and u [L, C, P] was carried back already.
    """
    w, u = without_intercept(params), without_intercept(u)
    ridge, lasso = lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio
    mean = risk - ridge * jnp.sum(w**2, axis=(1, 2)) / 2 - lasso * jnp.sum(jnp.abs(w), axis=(1, 2))
    short = _short_gap(lanes, w, u, 0.0, lambda share: (1 - share) * mean)
    return jnp.fmin(_gap(lanes, w, u, 0.0), short)


def _gap(lanes, w, u, error):
    """The duality gap [L] at the slopes; u is known to `error` [L] in norm."""
    ridge = (lanes.lam * (1 - lanes.l1_ratio))[:, None, None]
    lasso = (lanes.lam * lanes.l1_ratio)[:, None, None]
    # Coordinate by coordinate a sum of terms >= 0: nothing cancels.
    beyond = jnp.sign(u) * jnp.maximum(jnp.abs(u) - lasso, 0)
    quadratic = norm(ridge * w - beyond) + error
    linear = jnp.sum(lasso * jnp.abs(w) - w * (u - beyond), axis=(1, 2))
    linear = linear + jnp.where(lasso[:, 0, 0] > 0, error * norm(w), 0)
    return over(quadratic**2, 2 * ridge[:, 0, 0]) + linear


def _short_gap(lanes, w, u, error, loss):
    """The gap [L] at slopes that are short enough for the l1 part."""
    ridge = (lanes.lam * (1 - lanes.l1_ratio))[:, None, None]
    lasso = (lanes.lam * lanes.l1_ratio)[:, None, None]
    largest = jnp.max(jnp.abs(u), axis=(1, 2)) + error
    share = jnp.minimum(over(lasso[:, 0, 0], largest), 1)
    short = share[:, None, None] * u
    penalty = jnp.sum(ridge / 2 * w**2 + (lasso * jnp.abs(w) - w * short), axis=(1, 2))
    return penalty + error * norm(w) + loss(share)


def _shortened(family, z, labels, weights, values, slopes, share):
    """Σ s [ℓ(z) - σ z r + ℓ*(σ r)] >= 0, or a bound; share is σ [L]."""
    share = share[:, None]
    plain = (1 - share) * values
    if family.self_concordance is None:
        return _mean(plain, weights)
    if family.self_concordance == 0:  # (z - y)²
        return _mean(((1 - share) * slopes[:, 0]) ** 2 / 4, weights)
    # The relative entropy of q = y + σ (p - y) from p, for a label that is one class.
    wrong = jnp.sum(jnp.abs(slopes), axis=1) / (2 if family.multiclass else 1)
    right = 1 - share * wrong
    safe = jnp.where(right > 0, right, 1)
    logarithm = jnp.log(jnp.where(share > 0, share, 1))
    entropy = share * wrong * logarithm + jnp.where(right > 0, right * (jnp.log(safe) + values), 0)
    whole = jnp.bool_(True) if family.multiclass else (labels == 0) | (labels == 1)
    return _mean(jnp.where(whole, jnp.minimum(plain, entropy), plain), weights)


def _unsettled(family, problem, bend, weights, inverse, slope, error):
    """What the intercepts' slopes [L, C], 0 but for rounding, can do to J, and to ∇W in norm.

    With ν² = gᵀ H_bb⁻¹ g: J falls by about ½ν², and ‖H_Wb H_bb⁻¹ g‖ <= max ‖x‖ ν √(Σ s tr ℓ'').
    The latter is infinite, and no gap is one, where the intercepts are not nearly optimal: where
    their step is long, or their Hessian knows nothing of their slopes, all rows being saturated.
    """
    step = jnp.einsum("lcd,ld->lc", inverse, slope, precision="highest")
    squared = jnp.sum(step * slope, axis=1)
    hessian = intercept_hessian(family, bend, weights)
    rest = slope - jnp.einsum("lcd,ld->lc", hessian, step, precision="highest")
    far = jnp.max(jnp.abs(step), axis=1) > NEARLY
    far = far | (jnp.sqrt(jnp.sum(rest**2, axis=1)) > error + squared)
    far = far & family.intercept
    trace = jnp.einsum("lcn,ln->l", family.diagonal(bend), weights, precision="highest")
    longest = jnp.sqrt(jnp.max(squared_lengths(problem)) + 1)
    pull = longest * jnp.sqrt(jnp.maximum(squared * trace, 0))
    return jnp.where(far, 0, squared), jnp.where(far, jnp.inf, pull)


def _rounding(family, problem, params, bend, weights, slopes):
    """Magnitudes [L] whose rounding moves J and, in norm, its gradient; Σ s ℓ'' ‖x‖² >= ‖H‖."""
    lengths = jnp.sqrt(squared_lengths(problem) + 1)
    largest = problem.largest
    if largest is None:  # XLA's CPU would write |x| out
        largest = jnp.maximum(jnp.max(problem.x, axis=0), -jnp.min(problem.x, axis=0))
    # Σ |x| |w_c| of a row is at most ‖x‖ ‖w_c‖, and at most Σ max |x| |w_c|.
    norms = jnp.sqrt(jnp.sum(params**2, axis=2))
    tops = jnp.einsum("lcp,p->lc", jnp.abs(params), largest, precision="highest")

    powers = jnp.stack([jnp.ones_like(lengths), lengths, lengths**2])  # [3, N]

    def totals(sizes):
        """Σ s sizes ‖x‖^k of every lane and class, for k of 0, 1 and 2: three of [L, C]."""
        out = carried(sizes * weights[:, None], powers.T)
        return out[..., 0], out[..., 1], out[..., 2]

    steep, steep_long, _ = totals(jnp.abs(slopes))
    _, curved_long, squares = totals(family.diagonal(bend))
    moved = jnp.minimum(steep_long * norms, steep * tops)
    bent = jnp.minimum(squares * norms, curved_long * tops)
    grads = jnp.sum(steep_long + bent, axis=1)
    return jnp.sum(moved, axis=1), grads, jnp.sum(squares, axis=1)


def over(numerator: Array, divisor: Array) -> Array:
    """numerator / divisor, inf where the divisor is 0."""
    return jnp.where(divisor > 0, numerator / jnp.where(divisor > 0, divisor, 1), jnp.inf)


def _mean(values, weights):
    return jnp.einsum("ln,ln->l", values, weights, precision="highest")


def norm(w: Array) -> Array:
    """Of every lane's params [L, C, P]: [L]."""
    return jnp.sqrt(jnp.sum(w**2, axis=(1, 2)))


def squared_lengths(problem: Problem) -> Array:
    """‖x‖² of the features [N]; XLA's CPU adds rows up slowly, so they may be known before."""
    if problem.squares is None:
        return jnp.sum(problem.x[:, :-1] ** 2, axis=1)
    return problem.squares


def unit(x: Array) -> float:
    """The relative rounding of a sum over rows of products over columns."""
    return float(jnp.finfo(x.dtype).eps) * (10 + math.sqrt(x.shape[0]) + math.sqrt(x.shape[1]))


def _constant(family: Loss, x: Array) -> float:
    """Rounding that doesn't shrink with J: the softmax's log(Σ exp) near 1; any of a user's."""
    sharp = family.self_concordance is not None and not family.multiclass
    return 0.0 if sharp else 4 * float(jnp.finfo(x.dtype).eps)
