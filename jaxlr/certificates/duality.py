"""Fenchel's duality gap of one lane at its params, with its rounding. `vmap` makes lanes."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm import sharing
from jaxlr.glm.intercepts import answering, intercept_hessian, profiled
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, gradient, logits, without_intercept
from jaxlr.pytypes import Array

NEARLY = 0.1  # of a logit: as far as the intercepts' Hessian is trusted


class Lane(NamedTuple):
    """What is a lane's own: labels [N], weights [N] that sum to 1, ridge λ(1-α) and lasso λα."""

    labels: Array
    weights: Array
    ridge: Array
    lasso: Array


def lane_of(problem: Problem, lanes: Lanes) -> Lane:
    """The lane of scalar `lanes`."""
    labels, weights = problem.labels[lanes.target], problem.weights[lanes.fold]
    labels, weights = (sharing.pinned(leaf, rows=0) for leaf in (labels, weights))
    lasso = lanes.lam * lanes.l1_ratio
    return Lane(labels, weights, lanes.lam - lasso, lasso)


class Duality(NamedTuple):
    """A feasible point of the dual, and how far it is from J.

    Attributes:
      params: [C, P] with optimal intercepts; what follows is of these.
      risk: J.
      factors: of the loss's Hessian.
      u: [C, P] -Xᵀ(s r) of the slopes r, known to `error` in norm.
      gap: without rounding; infinite where no feasible point is known.
      rounding: of J and the gap.
      error: as above.
      steep: Σ s ℓ'' ‖x‖² >= ‖H‖.
      answer: [C, C] the inverse of the intercepts' Hessian, by which they answer.
    """

    params: Array
    risk: Array
    factors: Any
    u: Array
    gap: Array
    rounding: Array
    error: Array
    steep: Array
    answer: Array


def duality(
    family: Loss, problem: Problem, lane: Lane, params: Array, ridge_only: bool = False
) -> Duality:
    """The gap at params [C, P], whose intercepts are made optimal; `ridge_only` leaves σ out."""
    labels, weights, ridge, lasso = lane
    z = logits(params, problem)
    shift = profiled(family, z, labels, weights)
    params = jnp.where(
        without_intercept(jnp.ones_like(params)) > 0, params, params + shift[:, None]
    )
    z = z + shift[:, None]
    values, slopes = family.value(z, labels), family.gradient(z, labels)
    # Made once, and kept: XLA would rather make them again for everything that needs them.
    slopes, factors = jax.lax.optimization_barrier((slopes, family.factors(z, labels)))
    u = -gradient(slopes * weights, problem)
    w = without_intercept(params)
    risk = values @ weights + ridge * jnp.sum(w**2) / 2 + lasso * jnp.sum(jnp.abs(w))
    rounding, error, steep = _rounding(family, problem, weights, params, slopes, factors)
    answer = answering(family, factors, weights)
    eps = unit(problem.x)
    left, pull = _unsettled(family, problem, factors, weights, answer, u[:, -1], eps * error)
    rounding = eps * (rounding + risk) + _constant(family, problem.x) + left
    error = eps * (error + (ridge + lasso) * norm(w)) + pull
    bare = without_intercept(u)
    gap = _gap(ridge, lasso, w, bare, error)
    if not ridge_only:
        share = jnp.minimum(over(lasso, jnp.max(jnp.abs(bare)) + error), 1)
        lost = jnp.vdot(_shortened(family, z, labels, values, slopes, share), weights)
        gap = jnp.fmin(gap, _short_gap(ridge, lasso, w, bare, error, share) + lost)
    return Duality(params, risk, factors, u, gap, rounding, error, steep, answer)


def rough_gap(lanes: Lanes, params: Array, u: Array, risk: Array) -> Array:
    """The gap without a look at the rows: neither rounding nor what (1-σ)² can spare.

    As `duality`, where `risk` is J at params [C, P] and u [C, P] was carried back already.
    """
    w, u = without_intercept(params), without_intercept(u)
    lasso = lanes.lam * lanes.l1_ratio
    ridge = lanes.lam - lasso
    mean = risk - ridge * jnp.sum(w**2) / 2 - lasso * jnp.sum(jnp.abs(w))
    share = jnp.minimum(over(lasso, jnp.max(jnp.abs(u))), 1)
    short = _short_gap(ridge, lasso, w, u, 0.0, share) + (1 - share) * mean
    return jnp.fmin(_gap(ridge, lasso, w, u, 0.0), short)


def _gap(ridge, lasso, w, u, error):
    """At the slopes; u is known to `error` in norm."""
    # Coordinate by coordinate a sum of terms >= 0: nothing cancels.
    beyond = jnp.sign(u) * jnp.maximum(jnp.abs(u) - lasso, 0)
    quadratic = norm(ridge * w - beyond) + error
    linear = jnp.sum(lasso * jnp.abs(w) - w * (u - beyond))
    return over(quadratic**2, 2 * ridge) + linear + jnp.where(lasso > 0, error * norm(w), 0)


def _short_gap(ridge, lasso, w, u, error, share):
    """At σ times the slopes, short enough for the l1 part, but for what the losses add."""
    linear = jnp.sum(ridge / 2 * w**2 + (lasso * jnp.abs(w) - share * w * u))
    return linear + error * norm(w)


def _shortened(family, z, labels, values, slopes, share):
    """ℓ(z) - σ z r + ℓ*(σ r) >= 0 of every row [N], or a bound; `share` is σ."""
    del z
    plain = (1 - share) * values
    if family.self_concordance is None:
        return plain
    if family.self_concordance == 0:  # (z - y)²
        return ((1 - share) * slopes[0]) ** 2 / 4
    # The relative entropy of q = y + σ (p - y) from p, for a label that is one class.
    wrong = jnp.sum(jnp.abs(slopes), axis=0) / (2 if family.multiclass else 1)
    right = 1 - share * wrong
    logarithm = jnp.log(jnp.where(share > 0, share, 1))
    least = jnp.log(jnp.where(right > 0, right, 1)) + values
    entropy = share * wrong * logarithm + jnp.where(right > 0, right * least, 0)
    whole = family.multiclass | (labels == 0) | (labels == 1)
    return jnp.where(whole, jnp.minimum(plain, entropy), plain)


def _unsettled(family, problem, factors, weights, answer, slope, error):
    """What the intercepts' slopes [C], 0 but for rounding, can do to J, and to ∇W in norm.

    With ν² = gᵀ H_bb⁻¹ g: J falls by about ½ν², and ‖H_Wb H_bb⁻¹ g‖ <= max ‖x‖ ν √(Σ s tr ℓ'').
    The latter is infinite, and no gap is one, where the intercepts are not nearly optimal: where
    their step is long, or their Hessian knows nothing of their slopes, all rows being saturated.
    """
    if not family.intercept:
        return jnp.zeros_like(error), jnp.zeros_like(error)
    step = answer @ slope
    squared = jnp.maximum(jnp.vdot(step, slope), 0)
    rest = slope - intercept_hessian(family, factors, weights) @ step
    far = (jnp.max(jnp.abs(step)) > NEARLY) | (norm(rest) > error + squared)
    trace = jnp.sum(family.diagonal(factors), axis=0) @ weights
    pull = jnp.sqrt((jnp.max(squared_lengths(problem)) + 1) * squared * trace)
    return jnp.where(far, 0, squared), jnp.where(far, jnp.inf, pull)


def _rounding(family, problem, weights, params, slopes, factors):
    """Magnitudes whose rounding moves J and, in norm, its gradient; and Σ s ℓ'' ‖x‖²."""
    largest = problem.largest
    if largest is None:  # XLA's CPU would write |x| out
        largest = jnp.maximum(jnp.max(problem.x, axis=0), -jnp.min(problem.x, axis=0))
    squares = squared_lengths(problem) + 1
    lengths = jnp.sqrt(squares)
    # Σ |x| |w| of a row and a class is at most ‖x‖ ‖w‖, and at most Σ max |x| |w|.
    norms, tops = jnp.sqrt(jnp.sum(params**2, axis=1)), jnp.abs(params) @ largest
    sizes = jnp.minimum(lengths * norms[:, None], tops[:, None])
    slopes, curvature = jnp.abs(slopes), family.diagonal(factors)
    moved = jnp.sum(slopes * sizes, axis=0) @ weights
    bent = jnp.sum(slopes + curvature * sizes, axis=0) @ (weights * lengths)
    return moved, bent, jnp.sum(curvature, axis=0) @ (weights * squares)


def over(numerator: Array, divisor: Array) -> Array:
    """numerator / divisor, inf where the divisor is 0."""
    return jnp.where(divisor > 0, numerator / jnp.where(divisor > 0, divisor, 1), jnp.inf)


def norm(a: Array) -> Array:
    """Euclid's, of all numbers of an array."""
    return jnp.sqrt(jnp.sum(a**2))


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
