"""Fenchel's duality gap of one lane, the second of the bounds in `bounds`, with its rounding."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from jaxlr.glm.intercepts import profiled, total
from jaxlr.glm.problem import Lane, Problem, gradient_of, logits_of, without_intercept
from jaxlr.pytypes import Array

norm = jnp.linalg.norm  # of all numbers of an array, whatever its axes
NEARLY = 0.1  # of a logit: as far as the intercepts' Hessian is trusted to bound what they can do


class Point(NamedTuple):
    """Params with optimal intercepts, and what bounds of J - J* there are made of."""

    params: Array  # [C, P]
    risk: Array  # J
    factors: Any  # of the loss's Hessian by the logits
    inverse: Array  # [C, C] of the intercepts' Hessian
    grad: Array  # [C, P] the shortest subgradient of J, known to `error` in norm
    gap: Array  # >= J - J* but for rounding; inf where no feasible point of the dual is known
    rounding: Array  # of J and the gap
    error: Array  # as above
    steep: Array  # Σ s ℓ'' ‖x‖² >= ‖H‖


def settled(family, problem, lane, params, ridge_only=False) -> Point:
    """The point of params [C, P]; for a ridge only its gap is that of σ = 1."""
    z = logits_of(params, problem)
    profile = profiled(family, z, lane.labels, lane.weights)
    z, params = z + profile.shift[:, None], params.at[:, -1].add(profile.shift)
    values, slopes = family.value(z, lane.labels), family.gradient(z, lane.labels)
    # Made once, and kept: XLA would rather make them again for everything that needs them.
    slopes, factors = jax.lax.optimization_barrier((slopes, family.factors(z, lane.labels)))
    u, w = -gradient_of(slopes * lane.weights[None], problem), without_intercept(params)
    penalty = lane.ridge * jnp.sum(w**2) / 2 + lane.lasso * jnp.sum(jnp.abs(w))
    risk = total(values[None], lane.weights)[0] + penalty
    rounding, error, steep = _rounding(family, problem, lane, params, slopes, factors)
    rounding = rounding + unit(problem.x) * risk
    if family.intercept:
        left, pull = _unsettled(profile, error, steep)
        rounding, error = rounding + left, error + pull

    def added(share):
        short = _shortened(family, lane.labels, values, slopes, share)
        return total(short[None], lane.weights)[0]

    gap = _gap(lane, params, u, error, None if ridge_only else added)
    strength = lane.lasso * without_intercept(jnp.ones_like(w))
    smooth = lane.ridge * w - u
    at_zero = jnp.sign(smooth) * jnp.maximum(jnp.abs(smooth) - strength, 0)
    grad = jnp.where(w == 0, at_zero, smooth + strength * jnp.sign(w))
    return Point(params, risk, factors, profile.inverse, grad, gap, rounding, error, steep)


def rough_gap(lane: Lane, params: Array, u: Array, risk: Array) -> Array:
    """The gap without a look at the rows: neither rounding nor what (1-σ)² can spare.

    Where u [C, P] is -Xᵀ(s r) of the slopes r at params [C, P], and `risk` is J.
    """
    w = without_intercept(params)
    mean = risk - lane.ridge * jnp.sum(w**2) / 2 - lane.lasso * jnp.sum(jnp.abs(w))
    return _gap(lane, params, u, 0.0, lambda share: (1 - share) * mean)


def _gap(lane, params, u, error, added):
    """At the slopes; or at σ times them if less, where the losses add added(σ).

    u is known to `error` in norm.
    """
    w, u, ridge, lasso = without_intercept(params), without_intercept(u), lane.ridge, lane.lasso
    # Coordinate by coordinate a sum of terms >= 0: nothing cancels.
    beyond = jnp.sign(u) * jnp.maximum(jnp.abs(u) - lasso, 0)
    gap = over((norm(ridge * w - beyond) + error) ** 2, 2 * ridge)
    gap = gap + jnp.sum(lasso * jnp.abs(w) - w * (u - beyond))
    gap = gap + jnp.where(lasso > 0, error * norm(w), 0)
    if added is None:
        return gap
    share = jnp.minimum(over(lasso, jnp.max(jnp.abs(u)) + error), 1)
    short = jnp.sum(ridge / 2 * w**2 + (lasso * jnp.abs(w) - share * w * u))
    return jnp.fmin(gap, short + error * norm(w) + added(share))


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
    """Of J, of its gradient in norm; and Σ s ℓ'' ‖x‖². Logits are rounded like Σ |x| |w|."""
    largest = jnp.max(jnp.abs(problem.x), axis=0) if problem.largest is None else problem.largest
    norms, tops = jnp.sqrt(jnp.sum(params**2, axis=1)), jnp.dot(jnp.abs(params), largest)
    lengths = jnp.sqrt(squared_lengths(problem) + 1)
    sizes = jnp.minimum(norms[:, None] * lengths[None], tops[:, None])  # at least Σ |x| |w|
    pulls = jnp.abs(slopes) * lane.weights[None]
    curved = family.diagonal(factors) * lane.weights[None]
    grads = jnp.sum(jnp.dot(pulls + curved * sizes, lengths))
    grads = grads + (lane.ridge + lane.lasso) * norm(without_intercept(params))
    # A softmax takes its log(Σ exp) near 1, and who knows what a user's loss does.
    rough = family.multiclass or family.self_concordance is None
    absolute = 4 * float(jnp.finfo(norms.dtype).eps) if rough else 0
    one, moved = unit(problem.x), jnp.sum(pulls * sizes)
    return one * moved + absolute, one * grads, jnp.sum(jnp.dot(curved, lengths**2))


def over(numerator: Array, divisor: Array) -> Array:
    """numerator / divisor, inf where the divisor is 0."""
    return jnp.where(divisor > 0, numerator / jnp.where(divisor > 0, divisor, 1), jnp.inf)


def squared_lengths(problem: Problem) -> Array:
    """‖x‖² of the features [N]; XLA's CPU adds rows up slowly, so they may be known before."""
    return jnp.sum(problem.x[:, :-1] ** 2, axis=1) if problem.squares is None else problem.squares


def unit(x: Array) -> float:
    """The relative rounding of a sum over rows of products over columns."""
    return float(jnp.finfo(x.dtype).eps) * (10 + math.sqrt(x.shape[0]) + math.sqrt(x.shape[1]))
