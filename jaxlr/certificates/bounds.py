"""How far from the optimum a lane can be: J - J*, bounded in float64 and estimated.

The least of three bounds that apply.

1. Losses are >= 0, so J - J* <= J.

2. Fenchel's duality gap at the slopes r of the loss, where ℓ(z) + ℓ*(r) = z r, so that a user's ℓ*
need not be known (Ndiaye and others 2017). With u = -Xᵀ(s r), and Σ s r = 0 by optimal intercepts,

    pen(W) + pen*(u) - W · u,   pen*(u) = Σ (|u| - λα)₊² / (2 λ(1-α)),

which for α = 0 is ‖∇J‖² / 2λ. At σr, σ = min(1, λα / max |u|), pen* is 0 and the losses add
Σ s [ℓ(z) - σ z r + ℓ*(σr)] <= (1-σ) Σ s ℓ(z), by convexity and ℓ*(0) <= 0; for the three losses
known by name it is written out, and is of second order in 1-σ.

3. For α = 0 the local curvature. Let d lead to the optimum, and let t bound M range(x_i · d) over
the rows. Along d, |φ'''| <= t φ'' (Bach 2010), so φ''(τ) >= e^(-tτ) φ''(0), and

    J - J* <= -g·d - ½ψ(t) dᵀHd <= ½ν² / ψ(t),   ψ(t) = 2 (e^(-t) + t - 1) / t²,   ν² = gᵀH⁻¹g.

Let k R bound range(x_i · d) / ‖d_W‖. J is λ-strongly convex in W, so t = κ √(2 (J - J*)) will do,
κ = M k R / √λ. As t² ψ(t) grows with t, J - J* is then at most t² / 2κ² for any t with
e^(-t) + t - 1 >= κ²ν²/2. Such a t is s + s²/2 with s = κν, since e^(-s - s²/2) >= 1 - s. Hence

    J - J* <= ½ν² (1 + κν/2)².

R is max ‖x_i - x̄‖ over the rows with weight, and b = d_b + x̄ · d_W. One logit: intercepts are
optimal at both ends, so the x_i · d aren't all of one sign, or Σ s r would have changed; their range
is <= 2R ‖d_W‖, and so is any: k = 2. C classes: for a set U of classes, if in every row all of U's
x · d exceed all others', then Σ_U Σ s p would have grown, and it can't. So each gap between sorted b
is spanned by a pair with b_a - b_c <= R ‖d_a - d_c‖. In a smallest cover by such pairs a class is an
upper end once at most, and a lower end once: range(b) <= 2 √(C-1) R ‖d_W‖, and
k = √2 + min(2 √(C-1), √2 (C-1)). Rows of weight 0 have no part in any of this, and a class without
rows has probability 0 at both ends.

Where H is factored, leverages say κ >= M range(x · d) / ‖d‖_H also without a penalty. Then
t <= -log(1 - νκ): -g·d >= ‖d‖²_H (1 - e^(-t))/t as the slope at the end is 0, hence
1 - e^(-κ‖d‖) <= κν.

Rounding is added: eps (10 + √N + √P) times the sums of magnitudes behind J, for errors of a sum that
grow like the root of its length (Higham and Mary 2019); to ν that of g. A user's loss is taken to be
computed to a few eps (1 + ℓ).

Reference:
  Bach, Self-concordant analysis for logistic regression (2010); Ndiaye, Fercoq, Gramfort and Salmon,
  Gap safe screening rules for sparsity enforcing penalties (2017); Higham and Mary, A new approach
  to probabilistic rounding error analysis (2019).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.certificates import conjugate, decrements
from jaxlr.certificates.decrements import Point
from jaxlr.certificates.duality import duality, lane_of, over, squared_lengths, unit
from jaxlr.glm import sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, gradient, logits, without_intercept
from jaxlr.pytypes import Array

SMALL = 64  # C P up to which a factored Hessian costs less than a few products


class Certificate(NamedTuple):
    """What is known of a lane, or of L lanes, in float64.

    Attributes:
      risk: J at `params`.
      gap: >= J - J*; inf where nothing is known.
      decrement: half of Newton's decrement squared, from a fresh Hessian: an estimate of J - J*,
        from above to a factor of two where the steps sufficed; the gap where Newton's step leaves
        the region in which the Hessian says anything. With an l1 penalty, of the params that are
        or want to be other than 0. Never more than the gap.
      params: [C, P] as given, with the intercepts that are optimal for the weights.
      rounding: the part of the gap that stands for float64 itself.
    """

    risk: Array
    gap: Array
    decrement: Array
    params: Array
    rounding: Array


def certify(
    family: Loss,
    problem: Problem,
    lanes: Lanes,
    params: Array,
    *,
    enough: Array | None = None,
    metric: Any = None,
    apply: Callable[[Any, Array], Array] | None = None,
    direct: bool | None = None,
    **options,
) -> Certificate:
    """Certificates of params [L, C, P], all lanes at once.

    Args:
      family: of the loss.
      problem: the rows, in float64 under `jax.enable_x64(True)`.
      lanes: penalties, folds and targets.
      params: [L, C, P].
      enough: [L] a gap that need not be sharpened; 0 if None.
      metric: arrays [G, ...], of L / G consecutive lanes each, for `apply`(metric, r [C, P]):
        about H⁻¹ r, for the conjugate gradients. H's diagonal if None.
      apply: as above.
      direct: whether to factor H, (C P)² numbers a lane; if None, where C P <= 64. At λ = 0 a
        factor is the only bound but the first.
      **options: of `of_lane`.
    """
    if direct is None:
        direct = family.num_outputs * problem.x.shape[1] <= SMALL
    radius = radii(family, problem)
    enough = jnp.zeros_like(lanes.lam) if enough is None else enough

    def certified(metric, lane):
        precondition = None if metric is None else partial(apply, metric)
        return of_lane(family, problem, radius, *lane, precondition, direct=direct, **options)[0]

    own = lanes, params, enough
    if direct:
        return sharing.mapped(partial(certified, None), own, over=(sharing.LANES,))
    num_groups = len(jax.tree.leaves(metric)[0]) if metric is not None else len(lanes.lam)
    grouped = jax.tree.map(lambda leaf: leaf.reshape(num_groups, -1, *leaf.shape[1:]), own)
    of_group = jax.vmap(certified, in_axes=(None, 0))
    out = jax.vmap(of_group, in_axes=(None if metric is None else 0, 0))(metric, grouped)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), out)


def of_lane(
    family: Loss,
    problem: Problem,
    radius: Array,
    lanes: Lanes,
    params: Array,
    enough: Array,
    precondition: Callable[[Array], Array] | None = None,
    *,
    direct: bool,
    ridge_only: bool = False,
    num_steps: int = 30,
) -> tuple[Certificate, Array]:
    """The certificate of one lane at params [C, P], and the step that Newton's method takes back.

    `radius` [F] is of `radii`; `ridge_only` says that l1_ratio is 0, and leaves the second gap out;
    `num_steps` of conjugate gradients at most. The rest is as in `certify`.
    """
    lane = lane_of(problem, lanes)
    dual = duality(family, problem, lane, params, ridge_only)
    gap = jnp.fmin(dual.risk, dual.gap)
    smooth = lane.lasso == 0
    grad, free = _subgradient(lane, dual)
    kappa = radius[lanes.fold] * jnp.sqrt(over(1.0, lane.ridge))

    def local(squared, trace=jnp.inf, reach=None):
        """The third bound, from one of ν² without rounding."""
        nu = jnp.sqrt(jnp.maximum(squared, 0))
        nu = nu + jnp.sqrt(jnp.fmin(over(1.0, lane.ridge), trace)) * dual.error
        return jnp.where(smooth, jnp.fmin(gap, _local(family, nu, kappa, reach)), gap)

    point = Point(
        problem.x, problem.x_t, lane.labels, lane.weights, dual.factors, grad, free, lane.ridge
    )
    if direct:
        found = decrements.by_factor(family, point)
        gap = local(found.upper, found.trace, found.reach)
    else:
        drift = 4 * unit(problem.x) * (dual.steep + lane.ridge)

        def is_enough(upper):
            return local(upper) + dual.rounding <= enough

        found = conjugate.by_products(
            family, point, dual.answer, precondition, drift, num_steps, is_enough
        )
        gap = local(found.upper)
    gap = gap + dual.rounding
    gap = jnp.where(gap >= 0, gap, jnp.inf)
    trusted = _trusted(family, problem, lane.weights, found.step)
    decrement = jnp.fmin(jnp.where(trusted, jnp.maximum(found.upper, 0) / 2, jnp.inf), gap)
    proof = Certificate(dual.risk, gap, decrement, dual.params, dual.rounding)
    return proof, found.step


def _local(family, nu, kappa, reach):
    """The third bound, where κ is known from λ, and `reach` is range(x · d) / ‖d‖_H if known."""
    if family.self_concordance is None:
        return jnp.inf
    quadratic = nu**2 / 2
    if family.self_concordance == 0:
        return quadratic
    bound = quadratic * (1 + kappa * nu / 2) ** 2
    if reach is None:
        return bound
    share = nu * jnp.fmin(family.self_concordance * reach, kappa)
    t = -jnp.log1p(-jnp.where(share < 1, share, 0))
    return jnp.fmin(bound, jnp.where(share < 1, quadratic / _psi(t), jnp.inf))


def _psi(t: Array) -> Array:
    """2 (e^(-t) + t - 1) / t², from 1 at 0 falling like 2/t; a little low near 0, by rounding."""
    far = jnp.where(t > 0.01, t, 1)
    return jnp.where(t > 0.01, 2 * (jnp.expm1(-far) / far + 1) / far, 1 - t / 3)


def _trusted(family, problem, weights, step):
    """Whether a Newton step [C, P] keeps curvatures within e^±1 of what they are.

    Intercepts answer a step, so what all rows have in common is left out.
    """
    if not family.self_concordance:
        return jnp.bool_(True)
    moved = logits(without_intercept(step), problem)
    if family.intercept:
        moved = moved - (moved @ weights)[:, None]
    reach = jnp.ptp(moved, axis=0) if family.multiclass else jnp.abs(moved[0])
    return family.self_concordance * jnp.max(jnp.where(weights > 0, reach, 0)) <= 1


def radii(family: Loss, problem: Problem) -> Array:
    """M k R of every fold [F]; R is the largest ‖x‖ where there are no intercepts."""
    if not family.self_concordance:
        return jnp.zeros(len(problem.weights))
    k, others = math.sqrt(2) if family.multiclass else 1.0, family.num_outputs - 1
    if family.intercept:
        k += min(2 * math.sqrt(others), math.sqrt(2) * others) if family.multiclass else 1.0

    def of_fold(weights):
        centre = without_intercept(gradient(weights[None], problem))
        centre = centre if family.intercept else jnp.zeros_like(centre)
        squares = squared_lengths(problem) + jnp.sum(centre**2)
        distances = squares - 2 * logits(centre, problem)[0]
        distances = distances + 2 * unit(problem.x) * squares  # what cancelled
        return jnp.sqrt(jnp.max(jnp.where(weights > 0, distances, 0)))

    return family.self_concordance * k * jax.vmap(of_fold)(problem.weights)


def reaching(family: Loss, problem: Problem) -> Array:
    """1 / (M k R)² of every fold [F]: bound 3 can use decrements below half of λ times it."""
    return over(1.0, radii(family, problem) ** 2)


def _subgradient(lane, dual):
    """The shortest subgradient of J, and which params are free: all but those at rest at 0."""
    w = without_intercept(dual.params)
    smooth = lane.ridge * w - dual.u
    lasso = lane.lasso * without_intercept(jnp.ones_like(w))
    at_zero = jnp.sign(smooth) * jnp.maximum(jnp.abs(smooth) - lasso, 0)
    grad = jnp.where(w == 0, at_zero, smooth + lasso * jnp.sign(w))
    free = (w != 0) | (grad != 0) | (lasso == 0)
    return grad, free.astype(w.dtype)
