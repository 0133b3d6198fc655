"""How sure is an AUC? DeLong's standard error, for one AUC and for the difference of two.

DeLong, DeLong and Clarke-Pearson (1988): with V(i) the share of negatives that positive i beats
(ties a half), and V(j) the share of positives that beat negative j, the AUC is the mean of either,
and its variance is var V(i) / m + var V(j) / n. Two AUCs on the same rows covary the same way.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.metrics import checks
from jaxlr.metrics.columns import binary_column
from jaxlr.metrics.curves import vertices
from jaxlr.metrics.order import ranked, starts
from jaxlr.metrics.wide import effective, poison, wide
from jaxlr.pytypes import Array


class Interval(NamedTuple):
    """An estimate, its standard error, and the ends of its confidence interval."""

    estimate: Array
    standard_error: Array
    low: Array
    high: Array


class Difference(NamedTuple):
    """The difference of two estimates, its interval, and the two-sided p-value of no difference."""

    estimate: Array
    standard_error: Array
    low: Array
    high: Array
    p_value: Array


@wide
def roc_auc_interval(
    y_true, y_score, *, sample_weight=None, pos_label=None, confidence=0.95
) -> Interval:
    """AUC with DeLong's standard error and a normal interval, cut at 0 and 1.

    Args:
      y_true: [N] labels; inside `jit` 0 or 1.
      y_score: [N].
      sample_weight: [N], or None for ones. Only their ratios matter: a class counts as Kish's
        effective number of rows, (Σw)² / Σw², as many as it has when all weigh the same.
      pos_label: the positive label; needed unless labels are 0/1 or -1/1. Static.
      confidence: in (0, 1).

    Returns:
      Interval; NaN when a class is missing, standard error NaN when it has a single row.
    """
    _require_confidence(confidence)
    rows = binary_column(y_true, y_score, pos_label, sample_weight)
    weight = _ones_or(rows.weights, rows.scores)
    parts = _interval(rows.scores, rows.positive, weight, confidence)
    return Interval(*(poison(part, rows.ok) for part in parts))


@wide
def roc_auc_difference(
    y_true, y_score_a, y_score_b, *, sample_weight=None, pos_label=None, confidence=0.95
) -> Difference:
    """AUC of a minus AUC of b on the same rows, DeLong's error, interval and p-value.

    Arguments as of `roc_auc_interval`. With no variance the p-value is 1 if the AUCs are equal.
    """
    _require_confidence(confidence)
    a = binary_column(y_true, y_score_a, pos_label, sample_weight)
    b = binary_column(y_true, y_score_b, pos_label, sample_weight)
    both = jnp.stack([s.astype(jnp.float64) for s in (a.scores, b.scores)])
    parts = _difference(both, a.positive, _ones_or(a.weights, a.scores), confidence)
    return Difference(*(poison(part, checks.both(a.ok, b.ok)) for part in parts))


@jax.jit
def _interval(scores: Array, positive: Array, weight: Array, confidence) -> Interval:
    auc, variance = _auc_and_covariance(scores[None, :], positive, weight)
    return _normal(auc[0], jnp.sqrt(variance[0, 0]), confidence, (0.0, 1.0))


@jax.jit
def _difference(scores: Array, positive: Array, weight: Array, confidence) -> Difference:
    auc, covariance = _auc_and_covariance(scores, positive, weight)
    difference = auc[0] - auc[1]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = jnp.sqrt(jnp.maximum(variance, 0.0))
    still = jnp.where(difference == 0, 0.0, jnp.inf)
    z = jnp.where(error > 0, jnp.abs(difference) / jnp.where(error > 0, error, 1.0), still)
    p_value = jnp.where(jnp.isnan(error), jnp.nan, 2 * jax.scipy.stats.norm.sf(z))
    return Difference(*_normal(difference, error, confidence, (-1.0, 1.0)), p_value)


def _auc_and_covariance(scores: Array, positive: Array, weight: Array) -> tuple[Array, Array]:
    """([K] AUCs, [K, K] covariance) of K scores on the same rows."""
    beaten = jax.vmap(_beaten, (0, None, None))(scores, positive, weight)
    covariance, auc = 0.0, None
    for here in (positive, ~positive):
        w = effective(jnp.where(here, weight, 0.0))
        count = jnp.sum(w)
        auc = jnp.sum(w[None, :] * beaten, axis=1) / count
        apart = jnp.where(here[None, :], beaten - auc[:, None], 0.0)
        spread = jnp.sum(w[None, None, :] * apart[:, None, :] * apart[None, :, :], axis=2)
        covariance = covariance + spread / jnp.where(count > 1, count - 1, jnp.nan) / count
    return auc, covariance


def _beaten(scores: Array, positive: Array, weight: Array) -> Array:
    """V [N]: for a positive the share of negatives it beats, for a negative of those beating it."""
    curve = vertices(scores, positive, weight)
    order = ranked(scores)
    above = jnp.maximum(starts(order.last) - 1, 0)
    first = starts(order.last) == 0
    fp, tp = ((c + jnp.where(first, 0.0, c[above])) / 2 for c in (curve.fp, curve.tp))
    share = jnp.where(positive[order.rows], 1 - fp / curve.fp[-1], tp / curve.tp[-1])
    return jnp.zeros_like(share).at[order.rows].set(share, unique_indices=True)


def _normal(estimate: Array, error: Array, confidence, ends: tuple[float, float]) -> Interval:
    reach = jax.scipy.special.ndtri((1 + jnp.asarray(confidence, jnp.float64)) / 2) * error
    low, high = estimate - reach, estimate + reach
    return Interval(estimate, error, jnp.clip(low, *ends), jnp.clip(high, *ends))


def _ones_or(weights: Array | None, scores: Array) -> Array:
    return jnp.ones(scores.shape) if weights is None else weights.astype(jnp.float64)


def _require_confidence(confidence) -> None:
    if not checks.traced(confidence) and not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), and is {confidence}")
