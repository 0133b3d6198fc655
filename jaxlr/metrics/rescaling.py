"""Two repairs of probabilities as pure fits: temperature for many classes, Platt for two."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.columns import binary_column
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.labels import classes_of, column
from jaxlr.metrics.wide import poison, wide
from jaxlr.pytypes import Array


class Platt(NamedTuple):
    """p = sigmoid(slope · score + intercept)."""

    slope: Array
    intercept: Array


@wide
def temperature_scaling(y_true, logits, *, sample_weight=None) -> Array:
    """The T > 0 that minimises the log-loss of softmax(logits / T) (Guo et al. 2017).

    The loss is convex in 1/T, so the root of its derivative is bracketed and found by Newton's
    method with bisection, in float64: no step size, no starting point, safe under `vmap`.

    Args:
      y_true: [N] integers 0…C-1.
      logits: [N, C], or [N] for two classes, logits of class 1.
      sample_weight: [N], or None for ones.

    Returns:
      [] T; infinity when the logits are no better than chance, and nearly 0 (no minimum is found,
      for there is none) when they put every row's own class first.
    """
    scores, truth = column("logits", logits, numbers_of), column("y_true", y_true)
    checks.same_length(y_true=truth, logits=scores)
    if scores.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    weights, ok = checks.row_weights(sample_weight, scores.shape[0])
    scores, fine = checks.finite("logits", scores, weights, given=logits)
    if scores.ndim == 1:
        lib = jnp if checks.traced(scores) else np
        scores = lib.stack([lib.zeros_like(scores), scores], axis=1)
    codes, valid = classes_of("logits", truth, scores.shape[1], None, weights)
    weight = jnp.ones(scores.shape[0]) if weights is None else jnp.asarray(weights)
    inverse = _inverse_temperature(jnp.asarray(scores), codes, weight.astype(jnp.float64))
    return poison(1 / inverse, checks.both(ok, checks.both(fine, valid)))


@jax.jit
def _inverse_temperature(logits: Array, codes: Array, weight: Array) -> Array:
    logits = jnp.where(weight[:, None] == 0, 0.0, logits.astype(jnp.float64))
    own = jnp.take_along_axis(logits, codes[:, None], axis=1)
    margins = logits - own
    scale = jnp.maximum(jnp.max(jnp.abs(margins)), jnp.finfo(jnp.float64).tiny)
    margins = margins / scale

    top = jnp.asarray(1e6)

    def slopes(beta):
        """First and second derivative of Σ w logsumexp(beta · margins)."""
        p = jax.nn.softmax(beta * margins, axis=1)
        first = jnp.sum(p * margins, axis=1)
        second = jnp.sum(p * margins**2, axis=1) - first**2
        return jnp.sum(weight * first), jnp.sum(weight * second)

    def step(state):
        low, high, beta, turn = state
        slope, curvature = slopes(beta)
        low, high = jnp.where(slope < 0, beta, low), jnp.where(slope < 0, high, beta)
        newton = beta - slope / curvature
        # Until the minimum is passed, at least double: Newton creeps along an exponential tail.
        newton = jnp.where(high == top, jnp.maximum(newton, 2 * beta), newton)
        inside = (newton > low) & (newton < high)
        return low, high, jnp.where(inside, newton, (low + high) / 2), turn + 1

    def unfinished(state):
        low, high, beta, turn = state
        return (turn < 200) & (high - low > 1e-15 * high) & (beta != low) & (beta != high)

    start = (jnp.zeros(()), top, jnp.ones(()), jnp.asarray(0, jnp.int32))
    found = jax.lax.while_loop(unfinished, step, start)[2]
    hopeless = slopes(jnp.zeros(()))[0] >= 0
    return jnp.where(hopeless, 0.0, found) / scale


@wide
def platt_scaling(y_true, y_score, *, sample_weight=None, smooth=True) -> Platt:
    """The logistic curve through scores: p = sigmoid(slope · score + intercept) (Platt 1999).

    Args:
      y_true: [N] labels 0/1 or -1/1; inside `jit` 0 or 1.
      y_score: [N] finite scores.
      sample_weight: [N], or None for ones. Beside the imagined rows of `smooth` weights are numbers
        of rows, as in scikit-learn; without them only their ratios matter.
      smooth: draw the targets towards ½ by one imagined row of each class, as Platt did, so that
        separated classes have a finite answer.
    """
    rows = binary_column(y_true, y_score, None, sample_weight)
    scores, fine = checks.finite("y_score", rows.scores, rows.weights)
    ok = checks.both(rows.ok, fine)
    weight = jnp.ones(rows.scores.shape) if rows.weights is None else rows.weights
    weight = weight.astype(jnp.float64)
    slope, intercept = _platt(jnp.asarray(scores), rows.positive, weight, 1.0 if smooth else 0.0)
    return Platt(poison(slope, ok), poison(intercept, ok))


@jax.jit
def _platt(scores: Array, positive: Array, weight: Array, imagined: Array):
    up = jnp.sum(jnp.where(positive, weight, 0.0))
    down = jnp.sum(weight) - up
    target = jnp.where(
        positive, (up + imagined) / (up + 2 * imagined), imagined / (down + 2 * imagined)
    )
    scores = jnp.where(weight == 0, 0.0, scores.astype(jnp.float64))
    centre = jnp.sum(weight * scores) / jnp.sum(weight)
    width = jnp.sqrt(jnp.sum(weight * (scores - centre) ** 2) / jnp.sum(weight))
    width = jnp.where(width > 0, width, 1.0)
    x = (scores - centre) / width

    def loss(theta):
        z = theta[0] * x + theta[1]
        return jnp.sum(weight * (jax.nn.softplus(z) - target * z))

    def step(state):
        theta, _, turn = state
        p = jax.nn.sigmoid(theta[0] * x + theta[1])
        residual, curvature = weight * (p - target), weight * p * (1 - p)
        gradient = jnp.stack([jnp.sum(residual * x), jnp.sum(residual)])
        a, b, c = (jnp.sum(curvature * power) for power in (x * x, x, 1.0))
        direction = _solve((a, b, c), gradient)
        # Newton's step, or the best of its halves: convex, so one of them goes down.
        trials = theta[None, :] - 0.5 ** jnp.arange(8.0)[:, None] * direction[None, :]
        losses = jax.vmap(loss)(trials)
        # Ties share: on a line a convex loss is no higher between its lowest trials.
        lowest = (losses == jnp.min(losses)).astype(trials.dtype)
        best = jnp.sum(lowest[:, None] * trials, axis=0) / jnp.sum(lowest)
        return best, jnp.max(jnp.abs(best - theta)), turn + 1

    start = (jnp.zeros(2), jnp.asarray(jnp.inf), jnp.asarray(0, jnp.int32))
    theta = jax.lax.while_loop(_unfinished, step, start)[0]
    slope = theta[0] / width
    return slope, theta[1] - slope * centre


def _unfinished(state) -> Array:
    _, moved, turn = state
    return (moved > 1e-13) & (turn < 50)


def _solve(matrix: tuple[Array, Array, Array], right: Array) -> Array:
    """The solution of the symmetric 2×2 system [[a, b], [b, c]], nudged where it is singular."""
    a, b, c = matrix
    nudge = 1e-12 * (a + c) + jnp.finfo(jnp.float64).tiny
    a, c = a + nudge, c + nudge
    return jnp.stack([c * right[0] - b * right[1], a * right[1] - b * right[0]]) / (a * c - b * b)
