"""Fenchel's duality gap of one lane, the second of the bounds in `bounds`, with its rounding."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from jaxlr.glm.intercepts import profiled, total
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Problem, gradient_of, logits_of, without_intercept
from jaxlr.pytypes import Array

NEARLY = 0.1  # of a logit: as far as the intercepts' Hessian is trusted


class Point(NamedTuple):
    """Params with optimal intercepts, and what bounds of J - J* there are made of.

    Attributes:
      params: [C, P].
      risk: J.
      factors: of the loss's Hessian by the logits.
      inverse: [C, C] of the intercepts' Hessian.
      grad: [C, P] the shortest subgradient of J, known to `error` in norm.
      free: [C, P] 0 or 1: all params but those at rest at 0.
      gap: >= J - J* but for rounding; inf where no feasible point of the dual is known.
      rounding: of J and the gap.
      error: as above.
      steep: Σ s ℓ'' ‖x‖² >= ‖H‖.
    """

    params: Array
    risk: Array
    factors: Any
    inverse: Array
    grad: Array
    free: Array
    gap: Array
    rounding: Array
    error: Array
    steep: Array


def settled(
    family: Loss, problem: Problem, lane: Lane, params: Array, ridge_only: bool = False
) -> Point:
    """The point of params [C, P]; for a ridge only its gap is that of σ = 1."""
    z = logits_of(params, problem)
    profile = profiled(family, z, lane.labels, lane.weights)
    z, params = z + profile.shift[:, None], params.at[:, -1].add(profile.shift)
    values, slopes = family.value(z, lane.labels), family.gradient(z, lane.labels)
    # Made once, and kept: XLA would rather make them again for everything that needs them.
    slopes, factors = jax.lax.optimization_barrier((slopes, family.factors(z, lane.labels)))
    u, w = -gradient_of(slopes * lane.weights[None], problem), without_intercept(params)
    ridge, lasso, bare = lane.ridge, lane.lasso, without_intercept(u)
    penalty = ridge * jnp.sum(w**2) / 2 + lasso * jnp.sum(jnp.abs(w))
    risk = total(values[None], lane.weights)[0] + penalty
    rounding, error, steep = _rounding(family, problem, lane, params, slopes, factors)
    rounding = rounding + unit(problem.x) * risk
    if family.intercept:
        left, pull = _unsettled(profile, error, steep)
        rounding, error = rounding + left, error + pull
    gap = _gap(ridge, lasso, w, bare, error)
    if not ridge_only:
        share = jnp.minimum(over(lasso, jnp.max(jnp.abs(bare)) + error), 1)
        added = total(_shortened(family, lane.labels, values, slopes, share)[None], lane.weights)
        gap = jnp.fmin(gap, _short_gap(ridge, lasso, w, bare, error, share) + added[0])
    strength = lasso * without_intercept(jnp.ones_like(w))
    smooth = ridge * w - u
    at_zero = jnp.sign(smooth) * jnp.maximum(jnp.abs(smooth) - strength, 0)
    grad = jnp.where(w == 0, at_zero, smooth + strength * jnp.sign(w))
    free = ((w != 0) | (grad != 0) | (strength == 0)).astype(w.dtype)
    inverse = profile.inverse
    return Point(params, risk, factors, inverse, grad, free, gap, rounding, error, steep)


def rough_gap(lane: Lane, params: Array, u: Array, risk: Array) -> Array:
    """The gap without a look at the rows: neither rounding nor what (1-σ)² can spare.

    Where u [C, P] is -Xᵀ(s r) of the slopes r at params [C, P], and `risk` is J.
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
    right = jnp.maximum(1 - share * wrong, 0)
    entropy = wrong * xlogy(share, share) + xlogy(right, right) + right * values
    whole = family.multiclass | (labels == 0) | (labels == 1)
    return jnp.where(whole, jnp.minimum(plain, entropy), plain)


def _unsettled(profile, error, steep):
    """What the intercepts' slopes g, 0 but for rounding, can do to J, and to ∇W in norm.

    With ν² = gᵀ H_bb⁻¹ g: J falls by about ½ν², and ‖H_Wb H_bb⁻¹ g‖ <= ν ‖H_WW‖^½. The latter is
    infinite, and no gap is one, where the intercepts are not nearly optimal: where their step is
    long, or their Hessian knows nothing of their slopes, all rows being saturated.
    """
    step = jnp.dot(profile.inverse, profile.slope)
    squared = jnp.maximum(jnp.vdot(step, profile.slope), 0)
    rest = norm(profile.slope - jnp.dot(profile.hessian, step))
    far = (jnp.max(jnp.abs(step)) > NEARLY) | (rest > error)
    return jnp.where(far, 0, squared), jnp.where(far, jnp.inf, jnp.sqrt(steep * squared))


def _rounding(family, problem, lane, params, slopes, factors):
    """Of J, of its gradient in norm; and Σ s ℓ'' ‖x‖².

    From the magnitudes in sums, where Σ |x| |w| of a row and a class is at most ‖x‖ ‖w‖, and at
    most Σ max |x| |w|.
    """
    largest = jnp.max(jnp.abs(problem.x), axis=0) if problem.largest is None else problem.largest
    norms, tops = jnp.sqrt(jnp.sum(params**2, axis=1)), jnp.dot(jnp.abs(params), largest)
    lengths = jnp.sqrt(squared_lengths(problem) + 1)
    powers = jnp.stack([jnp.ones_like(lengths), lengths, lengths**2], axis=1)
    parts = jnp.abs(slopes), family.diagonal(factors)
    pulls, curved = (jnp.dot(part * lane.weights[None], powers).T for part in parts)
    moved = jnp.minimum(pulls[1] * norms, pulls[0] * tops)
    grads = jnp.sum(pulls[1] + jnp.minimum(curved[2] * norms, curved[1] * tops))
    grads = grads + (lane.ridge + lane.lasso) * norm(without_intercept(params))
    # A softmax takes its log(Σ exp) near 1, and who knows what a user's loss does.
    sharp = family.self_concordance is not None and not family.multiclass
    absolute = 0 if sharp else 4 * float(jnp.finfo(norms.dtype).eps)
    one = unit(problem.x)
    return one * jnp.sum(moved) + absolute, one * grads, jnp.sum(curved[2])


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
