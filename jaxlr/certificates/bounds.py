"""How far from the optimum a lane can be: J - J*, bounded in float64 and estimated."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.certificates import conjugate, decrements
from jaxlr.certificates.conjugate import Precondition
from jaxlr.certificates.decrements import Point
from jaxlr.certificates.duality import duality, norm, over, squared_lengths, unit
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, gradient, logits, weighted, without_intercept
from jaxlr.pytypes import Array

SMALL = 64  # C P up to which a factored Hessian costs less than a few products
ROUNDS = 8  # of bound, reach, bound; each at most halves what is left


class Certificate(NamedTuple):
    """What is known of L lanes, in float64.

    Attributes:
      risk: [L] J at `params`.
      gap: [L] >= J - J*; inf where nothing is known.
      decrement: [L] half of Newton's decrement squared, from a fresh Hessian: an estimate of
        J - J*, exact for a quadratic, up to twice or half of it where `shares` say as much; an
        upper bound of that, where conjugate gradients ran out; the gap where Newton's step leaves
        the region in which the Hessian says anything.
        With an l1 penalty, of the params that are or want to be other than 0. Never more than the
        gap.
      params: [L, C, P] as given, with the intercepts that are optimal for the weights.
      rounding: [L] the part of the gap that stands for float64 itself.
    """

    risk: Array
    gap: Array
    decrement: Array
    params: Array
    rounding: Array


def certify(*args, **options) -> Certificate:
    """What `certified_with_step` knows, without the step."""
    return certified_with_step(*args, **options)[0]


def certified_with_step(
    family: Loss,
    problem: Problem,
    lanes: Lanes,
    params: Array,
    *,
    narrow: Problem | None = None,
    precondition: Precondition | None = None,
    direct: bool | None = None,
    ridge_only: bool = False,
    num_steps: int = 30,
    enough: Array | None = None,
    shares: Callable[[Array, Array], tuple[Array, Array]] | None = None,
) -> tuple[Certificate, Array]:
    """Bounds J - J* at params [L, C, P], all lanes at once; the least of three bounds that apply.

    And the step [L, C, P] that Newton's method would take back.

    1. Losses are >= 0, so J - J* <= J.

    2. Fenchel's duality gap at the slopes r of the loss, where ℓ(z) + ℓ*(r) = z r, so that a
    user's ℓ* need not be known; with u = -Xᵀ(s r) and Σ s r = 0 it is

        pen(W) + pen*(u) - W · u,   pen*(u) = Σ (|u| - λα)₊² / (2 λ(1-α)),

    which for α = 0 is ‖∇J‖² / 2λ. At σr, σ = min(1, λα / max |u|), pen* is 0 and the losses add
    Σ s [ℓ(z) - σ z r + ℓ*(σr)] <= (1-σ) Σ s ℓ(z), by convexity and ℓ*(0) <= 0; for the three
    losses known by name it is written out, and is of second order in 1-σ.

    3. For α = 0 the local curvature. Let d lead to the optimum, u_i = x_i · d, and t bound
    M range(u_i) over the rows. Along d, |φ'''| <= t φ'' (Bach 2010), so φ''(τ) >= e^(-tτ) φ''(0):

        J - J* <= -g·d - ½ψ dᵀHd <= ½ν²/ψ(t),   ψ(t) = 2 (e^(-t) + t - 1) / t²,   ν² = gᵀH⁻¹g.

    t is at most M k ‖d_W‖ for ‖d_W‖ <= min(‖g‖/λ, √(2 G/λ)) with any bound G, which the result
    sharpens. Let R = max ‖x_i - x̄‖ over the rows with weight, and b = d_b + x̄ · d_W. One logit:
    intercepts are optimal at both ends, so the u_i aren't all of one sign, or Σ s r would have
    changed; max - min of u is <= 2R ‖d_W‖ and so is any |u_i|: k = 2. C classes: for a set U of
    classes, if in every row all of U's u exceed all others', then Σ_U Σ s p would have grown, and
    it can't. So each gap between sorted b is spanned by a pair with b_a - b_c <= R ‖d_a - d_c‖.
    In a smallest cover by such pairs a class is an upper end once at most, and a lower end once:
    range(b) <= 2 √(C-1) R ‖d_W‖, and k = √2 + min(2 √(C-1), √2 (C-1)). Rows of weight 0 have no
    part in any of this, and a class without rows has probability 0 at both ends.
    With κ = M max range(x · d)/‖d‖_H, from leverages or as M k R/√λ, also t <= -log(1 - νκ):
    -g·d >= ‖d‖²_H (1 - e^(-t))/t as the slope at the end is 0, hence 1 - e^(-κ‖d‖) <= κν.

    Rounding is added: eps (10 + √N + √P) times the sums of magnitudes behind J, for errors of a
    sum that grow like the root of its length (Higham and Mary 2019); to ν that of g. A user's
    loss is taken to be computed to a few eps (1 + ℓ).

    Args:
      family: of the loss.
      problem: the rows, in float64 under `jax.enable_x64(True)`.
      lanes: penalties, folds and targets.
      params: [L, C, P].
      narrow: the same rows in float32, for the steps of the conjugate gradients.
      precondition: an approximate H⁻¹ [L, C, P] -> [L, C, P], symmetric positive definite, for
        the conjugate gradients; H's diagonal if None.
      direct: whether to factor H, (C P)² numbers a lane; if None, where C P <= 64. At λ = 0 a
        factor is the only bound but the first.
      ridge_only: says that every l1_ratio is 0: the second gap at σr is left out.
      num_steps: of conjugate gradients at most, two products with the rows each; with `narrow`,
        between two looks in float64.
      enough: [L] a gap that need not be sharpened; 0 if None.
      shares: (curvature [L, N] of one logit, weights [L, N]) -> c and C [L] with H between c and C
        times the inverse of `precondition`; None where no such c is known.

    Reference:
      Bach, Self-concordant analysis for logistic regression (2010); Ndiaye, Fercoq, Gramfort and
      Salmon, Gap safe screening rules for sparsity enforcing penalties (2017).
    """
    labels, weights = weighted(problem, lanes)
    dual = duality(family, problem, lanes, params, ridge_only)
    params, bend, u, risk = dual.params, dual.bend, dual.u, dual.risk
    rounding, grad_error = dual.rounding, dual.error
    ridge, lasso = lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio
    gap = jnp.fmin(risk, jnp.fmin(dual.full, dual.short))
    smooth = lanes.l1_ratio == 0
    grad, moves = _subgradient(params, u, ridge, lasso)
    radius = (_spread(family) * _radius(family, problem))[lanes.fold]
    steepness = norm(without_intercept(grad)) + grad_error

    def local(upper, reach, trace, gap=gap):
        """½ν²/ψ(t), from bounds of ν² [L] without rounding."""
        if family.self_concordance is None:
            return gap
        error = jnp.sqrt(jnp.fmin(over(1.0, lanes.lam), trace)) * grad_error
        nu = jnp.sqrt(jnp.maximum(upper, 0)) + error
        return jnp.where(smooth, _sharpened(family, lanes, gap, nu, steepness, radius, reach), gap)

    point = Point(problem.x, problem.x_t, labels, weights, bend, grad, moves, ridge)
    size = family.num_outputs * problem.x.shape[1]
    if direct or (direct is None and size <= SMALL):
        found = decrements.by_factor(family, point)
    else:
        goal = jnp.zeros_like(risk) if enough is None else enough
        unknown = jnp.full_like(risk, jnp.inf)

        def is_enough(upper):
            return jnp.where(smooth, local(upper, unknown, unknown) + rounding <= goal, True)

        drift = 4 * unit(problem.x) * (dual.steep + ridge)
        known = jnp.zeros_like(risk), unknown
        if shares is not None and not family.multiclass:
            known = shares(family.diagonal(bend)[:, 0], weights)
        found = conjugate.by_products(
            family,
            point,
            dual.settles,
            narrow,
            precondition,
            known,
            drift,
            num_steps,
            is_enough,
        )
    gap = jnp.fmin(gap, local(found.upper, found.reach, found.trace)) + rounding
    gap = jnp.where(gap >= 0, gap, jnp.inf)
    estimate = jnp.where(_trusted(family, problem, lanes, found.step), found.estimate, jnp.inf)
    decrement = jnp.fmin(jnp.maximum(estimate, 0) / 2, gap)
    return Certificate(risk, gap, decrement, params, rounding), found.step


def _sharpened(family, lanes, gap, nu, steepness, radius, reach):
    """The local bound [L]: `gap` bounds ‖d‖, that t, and t the gap, some times over."""
    inverse = over(1.0, lanes.lam)
    reach = jnp.fmin(jnp.where(jnp.isfinite(inverse), radius, 1) * jnp.sqrt(inverse), reach)
    share = nu * family.self_concordance * reach
    by_decrement = jnp.where(share < 1, -jnp.log1p(-jnp.where(share < 1, share, 0)), jnp.inf)

    def sharper(_, gap):
        length = jnp.fmin(steepness * inverse, jnp.sqrt(2 * gap * inverse))
        reached = family.self_concordance * jnp.where(
            jnp.isfinite(length), radius * length, jnp.inf
        )
        t = jnp.fmin(by_decrement, reached) if family.self_concordance else jnp.zeros_like(gap)
        return jnp.fmin(gap, nu**2 / 2 / _psi(t))

    return jax.lax.fori_loop(0, ROUNDS, sharper, gap)


def _trusted(family, problem, lanes, step):
    """Whether a Newton step [L, C, P] keeps curvatures within e^±1 of what they are: [L].

    Intercepts answer a step, so what all rows have in common is left out.
    """
    if not family.self_concordance:
        return jnp.ones(len(step), bool)
    weights = problem.weights[lanes.fold]
    moved = logits(without_intercept(step), problem)
    if family.intercept:
        moved = moved - jnp.einsum("lcn,ln->lc", moved, weights, precision="highest")[:, :, None]
    reach = jnp.abs(moved[:, 0])
    if family.multiclass:
        reach = jnp.max(moved, axis=1) - jnp.min(moved, axis=1)
    return family.self_concordance * jnp.max(jnp.where(weights > 0, reach, 0), axis=1) <= 1


def _psi(t: Array) -> Array:
    """2 (e^(-t) + t - 1) / t², from 1 at 0 falling like 2/t; a little low near 0, by rounding."""
    far = jnp.where(t > 0.01, t, 1)
    return jnp.where(t > 0.01, 2 * (jnp.expm1(-far) / far + 1) / far, 1 - t / 3)


def _spread(family: Loss) -> float:
    """k: range over classes of x · d, in units of R ‖d_W‖, when both intercepts are optimal.

    Without intercepts it is that of x_i · d_W alone.
    """
    if not family.intercept:
        return math.sqrt(2) if family.multiclass else 1.0
    if not family.multiclass:
        return 2.0
    others = family.num_outputs - 1
    return math.sqrt(2) + min(2 * math.sqrt(others), math.sqrt(2) * others)


def reaching(family: Loss, problem: Problem) -> Array:
    """1 / (M k R)² of every fold [F]: bound 3 can use decrements below half of λ times it."""
    if not family.self_concordance:
        return jnp.full(len(problem.weights), jnp.inf)
    return over(1.0, (family.self_concordance * _spread(family) * _radius(family, problem)) ** 2)


def _radius(family: Loss, problem: Problem) -> Array:
    """The largest ‖x - x̄‖ among a fold's rows, ‖x‖ without intercepts: [F]."""
    centre = without_intercept(gradient(problem.weights[:, None], problem))
    centre = centre if family.intercept else jnp.zeros_like(centre)
    squares = squared_lengths(problem)[None, :] + jnp.sum(centre**2, axis=2)
    distances = squares - 2 * logits(centre, problem)[:, 0]
    distances = distances + 2 * unit(problem.x) * squares  # what cancelled
    return jnp.sqrt(jnp.max(jnp.where(problem.weights > 0, distances, 0), axis=1))


def _subgradient(params, u, ridge, lasso):
    """The shortest subgradient of J, and which params move: all but those at rest at 0."""
    ridge, lasso = ridge[:, None, None], lasso[:, None, None]
    w = without_intercept(params)
    smooth = ridge * w - u
    penalised = jnp.arange(w.shape[-1])[None, None, :] < w.shape[-1] - 1
    lasso = jnp.where(penalised, lasso, 0)
    at_zero = jnp.sign(smooth) * jnp.maximum(jnp.abs(smooth) - lasso, 0)
    grad = jnp.where(w == 0, at_zero, smooth + lasso * jnp.sign(w))
    moves = (w != 0) | (grad != 0) | (lasso == 0)
    return grad, moves.astype(w.dtype)
