"""Fenchel's duality gap of one lane, the second of the bounds in `bounds`, with its rounding."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.glm.intercepts import profiled, total
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Problem, gradient_of, logits_of, without_intercept
from jaxlr.pytypes import Array

NEARLY = 0.1  # of a logit: as far as the intercepts' Hessian is trusted


class Duality(NamedTuple):
    """A feasible point of the dual, and how far it is from J.

    Attributes:
      params: [C, P] with optimal intercepts; what follows is of these.
      risk: J.
      factors: of the loss's Hessian by the logits.
      inverse: [C, C] of the intercepts' Hessian.
      u: [C, P] -Xᵀ(s r) of the slopes r, known to `error` in norm.
      gap: without rounding; inf where no feasible point is known.
      rounding: of J and the gap.
      error: as above.
      steep: Σ s ℓ'' ‖x‖² >= ‖H‖.
    """

    params: Array
    risk: Array
    factors: Any
    inverse: Array
    u: Array
    gap: Array
    rounding: Array
    error: Array
    steep: Array


def duality(
    family: Loss, problem: Problem, lane: Lane, params: Array, ridge_only: bool = False
) -> Duality:
    """The gap at params [C, P], whose intercepts are made optimal; for a ridge only at σ = 1."""
    z = logits_of(params, problem)
    profile = profiled(family, z, lane.labels, lane.weights)
    z = z + profile.shift[:, None]
    w = without_intercept(params)
    params = params.at[:, -1].add(profile.shift)
    values, slopes = family.value(z, lane.labels), family.gradient(z, lane.labels)
    # Made once, and kept: XLA would rather make them again for everything that needs them.
    slopes, factors = jax.lax.optimization_barrier((slopes, family.factors(z, lane.labels)))
    u = -gradient_of(slopes * lane.weights[None], problem)
    bare = without_intercept(u)
    penalty = lane.ridge * jnp.sum(w**2) / 2 + lane.lasso * jnp.sum(jnp.abs(w))
    risk = total(values[None], lane.weights)[0] + penalty
    curvature = family.diagonal(factors)
    rounding, error, steep, trace = _rounding(problem, lane, params, jnp.abs(slopes), curvature)
    left, pull = _unsettled(problem, profile, u[:, -1], unit(problem.x) * error, trace)
    left = left if family.intercept else 0
    rounding = unit(problem.x) * (rounding + risk) + _constant(family, problem.x) + left
    error = unit(problem.x) * (error + (lane.ridge + lane.lasso) * norm(w))
    error = error + (pull if family.intercept else 0)
    gap = _gap(lane.ridge, lane.lasso, w, bare, error)
    if not ridge_only:
        share = jnp.minimum(over(lane.lasso, jnp.max(jnp.abs(bare)) + error), 1)
        short = _short_gap(lane.ridge, lane.lasso, w, bare, error, share)
        added = _shortened(family, lane.labels, values, slopes, share)
        gap = jnp.fmin(gap, short + total(added[None], lane.weights)[0])
    return Duality(params, risk, factors, profile.inverse, u, gap, rounding, error, steep)


def rough_gap(lane: Lane, params: Array, u: Array, risk: Array) -> Array:
    """The gap without a look at the rows: neither rounding nor what (1-σ)² can spare.

    As `duality`, where `risk` is J at params [C, P] and u [C, P] was carried back.
    """
    w, u, ridge, lasso = without_intercept(params), without_intercept(u), lane.ridge, lane.lasso
    mean = risk - ridge * jnp.sum(w**2) / 2 - lasso * jnp.sum(jnp.abs(w))
    share = jnp.minimum(over(lasso, jnp.max(jnp.abs(u))), 1)
    short = _short_gap(ridge, lasso, w, u, 0.0, share) + (1 - share) * mean
    return jnp.fmin(_gap(ridge, lasso, w, u, 0.0), short)


def _gap(ridge, lasso, w, u, error):
    """At the slopes; u is known to `error` in norm."""
    # Coordinate by coordinate a sum of terms >= 0: nothing cancels.
    beyond = jnp.sign(u) * jnp.maximum(jnp.abs(u) - lasso, 0)
    linear = jnp.sum(lasso * jnp.abs(w) - w * (u - beyond))
    linear = linear + jnp.where(lasso > 0, error * norm(w), 0)
    return over((norm(ridge * w - beyond) + error) ** 2, 2 * ridge) + linear


def _short_gap(ridge, lasso, w, u, error, share):
    """At σ times the slopes, short enough for the l1 part, but for what the losses add."""
    return jnp.sum(ridge / 2 * w**2 + (lasso * jnp.abs(w) - share * w * u)) + error * norm(w)


def _shortened(family, labels, values, slopes, share):
    """ℓ(z) - σ z r + ℓ*(σ r) >= 0 of every row [N], or a bound; `share` is σ."""
    plain = (1 - share) * values
    if family.self_concordance is None:
        return plain
    if family.self_concordance == 0:  # (z - y)²
        return ((1 - share) * slopes[0]) ** 2 / 4
    # The relative entropy of q = y + σ (p - y) from p, for a label that is one class.
    wrong = jnp.sum(jnp.abs(slopes), axis=0) / (2 if family.multiclass else 1)
    right = 1 - share * wrong
    entropy = share * wrong * jnp.log(jnp.where(share > 0, share, 1))
    least = jnp.log(jnp.where(right > 0, right, 1)) + values
    entropy = entropy + jnp.where(right > 0, right * least, 0)
    whole = family.multiclass | (labels == 0) | (labels == 1)
    return jnp.where(whole, jnp.minimum(plain, entropy), plain)


def _unsettled(problem, profile, slope, error, trace):
    """What the intercepts' slopes [C], 0 but for rounding, can do to J, and to ∇W in norm.

    With ν² = gᵀ H_bb⁻¹ g: J falls by about ½ν², and ‖H_Wb H_bb⁻¹ g‖ <= max ‖x‖ ν √(Σ s tr ℓ'').
    The latter is infinite, and no gap is one, where the intercepts are not nearly optimal: where
    their step is long, or their Hessian knows nothing of their slopes, all rows being saturated.
    """
    step = jnp.dot(profile.inverse, slope)
    squared = jnp.maximum(jnp.vdot(step, slope), 0)
    rest = norm(slope - jnp.dot(profile.hessian, step))
    far = (jnp.max(jnp.abs(step)) > NEARLY) | (rest > error + squared)
    pull = jnp.sqrt((jnp.max(squared_lengths(problem)) + 1) * squared * trace)
    return jnp.where(far, 0, squared), jnp.where(far, jnp.inf, pull)


def _rounding(problem, lane, params, slopes, curvature):
    """Magnitudes whose rounding moves J and, in norm, its gradient; Σ s ℓ'' ‖x‖² and Σ s ℓ''."""
    largest = problem.largest
    if largest is None:  # XLA's CPU would write |x| out
        largest = jnp.maximum(jnp.max(problem.x, axis=0), -jnp.min(problem.x, axis=0))
    lengths = jnp.sqrt(squared_lengths(problem) + 1)
    powers = jnp.stack([jnp.ones_like(lengths), lengths, lengths**2], axis=1)
    steep, steep_long, _ = jnp.dot(slopes * lane.weights[None], powers).T
    curved, curved_long, squares = jnp.dot(curvature * lane.weights[None], powers).T
    # Σ |x| |w| of a row and a class is at most ‖x‖ ‖w‖, and at most Σ max |x| |w|.
    norms, tops = jnp.sqrt(jnp.sum(params**2, axis=1)), jnp.dot(jnp.abs(params), largest)
    moved = jnp.minimum(steep_long * norms, steep * tops)
    grads = steep_long + jnp.minimum(squares * norms, curved_long * tops)
    return jnp.sum(moved), jnp.sum(grads), jnp.sum(squares), jnp.sum(curved)


def over(numerator: Array, divisor: Array) -> Array:
    """numerator / divisor, inf where the divisor is 0."""
    return jnp.where(divisor > 0, numerator / jnp.where(divisor > 0, divisor, 1), jnp.inf)


def norm(a: Array) -> Array:
    """Euclid's, of all numbers of an array."""
    return jnp.sqrt(jnp.sum(a**2))


def squared_lengths(problem: Problem) -> Array:
    """‖x‖² of the features [N]; XLA's CPU adds rows up slowly, so they may be known before."""
    return jnp.sum(problem.x[:, :-1] ** 2, axis=1) if problem.squares is None else problem.squares


def unit(x: Array) -> float:
    """The relative rounding of a sum over rows of products over columns."""
    return float(jnp.finfo(x.dtype).eps) * (10 + math.sqrt(x.shape[0]) + math.sqrt(x.shape[1]))


def _constant(family: Loss, x: Array) -> float:
    """Rounding that doesn't shrink with J: the softmax's log(Σ exp) near 1; any of a user's."""
    sharp = family.self_concordance is not None and not family.multiclass
    return 0.0 if sharp else 4 * float(jnp.finfo(x.dtype).eps)
