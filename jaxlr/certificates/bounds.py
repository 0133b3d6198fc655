"""How far from the optimum a lane can be: J - J*, bounded in float64 and estimated.

The least of three bounds that apply.

1. Losses are >= 0, so J - J* <= J.

2. Fenchel's duality gap at the slopes r of the loss, where ℓ(z) + ℓ*(r) = z r, so that a user's ℓ*
need not be known. With u = -Xᵀ(s r), and Σ s r = 0 by optimal intercepts, it is

    pen(W) + pen*(u) - W · u,   pen*(u) = Σ (|u| - λα)₊² / (2 λ(1-α)),

which for α = 0 is ‖∇J‖² / 2λ. At σr, σ = min(1, λα / max |u|), pen* is 0 and the losses add
Σ s [ℓ(z) - σ z r + ℓ*(σr)] <= (1-σ) Σ s ℓ(z), by convexity and ℓ*(0) <= 0; for the three losses
known by name it is written out, and is of second order in 1-σ.

3. The local curvature. An l1 part gives way to a line: λα S · W, S in its subdifferential at the
params, is below it everywhere and equal there, so that the optimum falls; of these S the one with
the shortest gradient g counts. Let d lead to the optimum, and t bound M range(x_i · d) over the
rows. Along d, |φ'''| <= t φ'' (Bach), so φ''(τ) >= e^(-tτ) φ''(0), and with ν² = gᵀH⁻¹g

    J - J* <= -g·d - ½ψ(t) dᵀHd <= ½ν² / ψ(t),   ψ(t) = 2 (e^(-t) + t - 1) / t².

Let k R bound range(x_i · d) / ‖d_W‖. J is λ-strongly convex in W, so t = κ √(2 (J - J*)) will do,
κ = M k R / √λ. As t² ψ(t) grows with t, J - J* is then at most t² / 2κ² for any t with
e^(-t) + t - 1 >= κ²ν²/2. Such a t is s + s²/2 with s = κν, since e^(-s - s²/2) >= 1 - s. Hence

    J - J* <= ½ν² (1 + κν/2)².

R is max ‖x_i - x̄‖ over the rows with weight, and b = d_b + x̄ · d_W. One logit: intercepts are
optimal at both ends, so the x_i · d aren't all of one sign, or Σ s r would have changed; their
range is <= 2R ‖d_W‖, and so is any: k = 2. C classes: for a set U of classes, if in every row all
of U's x · d exceed all others', then Σ_U Σ s p would have grown, and it can't. So each gap between
sorted b is spanned by a pair with b_a - b_c <= R ‖d_a - d_c‖. In a smallest cover by such pairs a
class is an upper end once at most, and a lower end once: range(b) <= 2 √(C-1) R ‖d_W‖, and
k = √2 + min(2 √(C-1), √2 (C-1)). Rows of weight 0 have no part in any of this, and a class without
rows has probability 0 at both ends.

Where H is factored, leverages bound M range(x · d) / ‖d‖_H by another κ, with or without λ. Then
t <= -log(1 - κν): -g·d >= ‖d‖²_H (1 - e^(-t))/t as the slope at the end is 0, hence
1 - e^(-κ‖d‖) <= κν. As ψ(t) is the mean of e^(-tτ) under the density 2(1-τ) of τ in [0, 1],
whose mean is 1/3, Jensen has ψ(t) >= e^(-t/3), and

    J - J* <= ½ν² (1 - κν)^(-1/3).

Rounding is added: eps (10 + √N + √P) times the sums of magnitudes behind J, as errors of a sum
grow like the root of its length; to ν that of g. A user's loss is taken to be computed to a few
eps (1 + ℓ).

Reference:
  Bach, Self-concordant analysis for logistic regression (2010); Ndiaye, Fercoq, Gramfort and
  Salmon, Gap safe screening rules for sparsity enforcing penalties (2017); Higham and Mary, A new
  approach to probabilistic rounding error analysis (2019).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.certificates import decrements, duality
from jaxlr.certificates.duality import over, squared_lengths, unit
from jaxlr.glm import sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lanes, Problem, gradient_of, lane_of, logits_of, without_intercept
from jaxlr.pytypes import Array

# Of C P: a factor costs less than a few products there, and without λ nothing else bounds a lane.
SMALL = 64  # with 0, 17 of 440 random lanes lose their certificate or their estimate
FACTORED = 1000  # of C P: where a lane is hard a Hessian is factored up to here
MOST = 1000  # iterations of conjugate gradients where it is not
MEMORY = 2**27  # numbers of what is looked at together


class Certificate(NamedTuple):
    """What is known of a lane, or of lanes [L], in float64.

    The decrement is half of Newton's, squared, from a fresh Hessian: an estimate of J - J*, to a
    factor of two, from above where the gap was not enough; the gap where Newton's step leaves the
    region in which the Hessian says anything.
    """

    params: Array  # [C, P] as given, with the intercepts that are optimal for the weights
    risk: Array  # J there
    gap: Array  # >= J - J*; inf where nothing is known
    decrement: Array
    rounding: Array  # the part of the gap that stands for float64 itself


def certify(
    family: Loss,
    problem: Problem,
    lanes: Lanes,
    params: Array,
    *,
    enough: Array | None = None,
    metric: Any = None,
    apply: Callable[[Any, Array], Array] = jnp.multiply,
    direct: bool | None = None,
    ridge_only: bool = False,
    num_steps: int = 30,
) -> Certificate:
    """Certificates of params [L, C, P], all lanes at once.

    Rows are float64, under `jax.enable_x64(True)`; a gap of `enough` [L] need not be sharpened.
    metric: arrays [G, ...], each for L / G lanes in a row; apply(metric, r [C, P]) is about H⁻¹ r
    and preconditions conjugate gradients, num_steps at most; None: H's diagonal does. `direct`
    instead: factors H, (C P)² numbers a lane, at λ = 0 the only bound but the first; None: where
    C P <= SMALL. ridge_only: every l1_ratio is 0, and the second gap at σr is left out.
    """
    if direct is None:
        direct = family.num_outputs * problem.x.shape[1] <= SMALL
    enough = jnp.zeros_like(lanes.lam) if enough is None else enough
    options = {"direct": direct, "ridge_only": ridge_only, "num_steps": num_steps}
    one = partial(of_lane, family, problem, radii(family, problem), apply=apply, **options)
    own = lanes, params, enough
    if direct:
        return sharing.mapped(lambda lane: one(None, *lane)[0], own)
    if metric is None or len(jax.tree.leaves(metric)[0]) == 1:
        shared = jax.tree.map(lambda leaf: leaf[0], metric)
        return jax.vmap(partial(one, shared))(*own)[0]
    each = jax.tree.map(lambda leaf: jnp.repeat(leaf, len(params) // len(leaf), axis=0), metric)
    return jax.vmap(one)(each, *own)[0]


def of_lane(
    family, problem, radius, metric, lanes, params, enough, *, apply, direct, ridge_only, num_steps
) -> tuple[Certificate, Array]:
    """As `certify`, of one lane; and the step [C, P] that Newton's method would take back.

    `radius` [F] is of `radii`.
    """
    lane = lane_of(problem, lanes)
    point = duality.settled(family, problem, lane, params, ridge_only)
    known, inverse = family.self_concordance is not None, over(1.0, lane.ridge)
    concordance, kappa = family.self_concordance or 0.0, radius[lanes.fold] * jnp.sqrt(inverse)

    def bound(squared, trace=jnp.inf, reach=jnp.inf):
        """The least of the three where ν², tr H⁻¹ and leverages are at most these."""
        nu = jnp.sqrt(jnp.maximum(squared, 0)) + jnp.sqrt(jnp.fmin(inverse, trace)) * point.error
        least = 1 - concordance * reach * nu
        stretch = jnp.where(least > 0, jnp.where(least > 0, least, 1) ** (-1 / 3), jnp.inf)
        local = nu**2 / 2 * jnp.fmin((1 + kappa * nu / 2) ** 2, stretch)
        local = local if known else jnp.inf
        gap = jnp.fmin(jnp.fmin(point.risk, point.gap), local) + point.rounding
        return jnp.where(gap >= 0, gap, jnp.inf)

    if direct:
        found = decrements.by_factor(family, problem, lane, point)
    else:
        if metric is None:
            heavy = family.diagonal(point.factors) * lane.weights[None]
            diagonal = jnp.dot(heavy, problem.x**2) + lane.ridge
            metric, apply = 1 / jnp.where(diagonal > 0, diagonal, 1), jnp.multiply
        options = partial(apply, metric), num_steps, lambda squared: bound(squared) <= enough
        found = decrements.by_products(family, problem, lane, point, *options)
    gap = bound(found.squared, found.trace, found.reach)
    moved = logits_of(found.step, problem)
    moved = jnp.ptp(moved, axis=0) if family.multiclass else jnp.abs(moved[0])
    # Whether Newton's step keeps curvatures within e^±1 of what they are.
    near = concordance * jnp.max(jnp.where(lane.weights > 0, moved, 0)) <= 1
    squared = jnp.where(gap <= enough, found.least, found.squared)
    decrement = jnp.fmin(jnp.where(near, squared / 2, jnp.inf), gap)
    return Certificate(point.params, point.risk, gap, decrement, point.rounding), found.step


def radii(family: Loss, problem: Problem) -> Array:
    """M k R of every fold [F]; without intercepts, R is the largest ‖x‖."""
    k, others = math.sqrt(2) if family.multiclass else 1.0, family.num_outputs - 1
    if family.intercept:
        k += min(2 * math.sqrt(others), math.sqrt(2) * others) if family.multiclass else 1.0
    centres = without_intercept(gradient_of(problem.weights, problem)) * float(family.intercept)
    squares = squared_lengths(problem)[None] + jnp.sum(centres**2, axis=1)[:, None]
    distances = squares - 2 * logits_of(centres, problem)
    distances = distances + 2 * unit(problem.x) * squares  # what cancelled
    largest = jnp.sqrt(jnp.max(jnp.where(problem.weights > 0, distances, 0), axis=1))
    return (family.self_concordance or 0.0) * k * largest
