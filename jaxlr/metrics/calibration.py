"""Do the probabilities mean what they say? Reliability curves and the calibration error."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.columns import Column, binary_column
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.labels import classes_of, column
from jaxlr.metrics.order import ranked
from jaxlr.metrics.wide import effective, poison, ratio, wide
from jaxlr.pytypes import Array


class CalibrationCurve(NamedTuple):
    """Of each bin the share of positives and the mean forecast; inside `jit` NaN if empty."""

    prob_true: Array
    prob_pred: Array


class _Bins(NamedTuple):
    """Weight, weight of what happened and weighted sum of forecasts of each bin, [n_bins]."""

    weight: Array
    happened: Array
    forecast: Array


@wide
def calibration_curve(
    y_true, y_prob, *, pos_label=None, n_bins=5, strategy="uniform", sample_weight=None
) -> CalibrationCurve:
    """Share of positives against mean forecast, bin by bin.

    Args:
      y_true: [N] labels; inside `jit` 0 or 1.
      y_prob: [N] probabilities of the positive label.
      pos_label: the positive label; needed unless labels are 0/1 or -1/1. Static.
      n_bins: static.
      strategy: bins of equal width ("uniform") or of equal weight ("quantile").
      sample_weight: [N], or None for ones; only their ratios matter. Between rows a quantile is
        interpolated as among Kish's effective number of them, (Σw)² / Σw².

    Returns:
      CalibrationCurve [n_bins]; where values can be read, without the empty bins.
    """
    n_bins = _num_bins(n_bins, strategy)
    rows = _forecasts(y_true, y_prob, pos_label, sample_weight, "y_prob")
    bins = _binned(rows.scores, rows.positive, rows.weights, n_bins, strategy)
    curve = (ratio(a, bins.weight, jnp.nan) for a in (bins.happened, bins.forecast))
    if not rows.traced:
        full = np.asarray(bins.weight) > 0
        return CalibrationCurve(*(jnp.asarray(np.asarray(a)[full]) for a in curve))
    return CalibrationCurve(*(poison(a, rows.ok) for a in curve))


@wide
def expected_calibration_error(
    y_true, y_proba, *, n_bins=15, strategy="uniform", sample_weight=None, labels=None
) -> Array:
    """Σ over bins of (share of the weight) × |share of hits - mean forecast| (Naeini 2015).

    With y_proba [N] a hit is the positive label; with [N, C] a row is binned by its greatest
    probability, and a hit is that class being right. Arguments as of `calibration_curve`.
    """
    n_bins = _num_bins(n_bins, strategy)
    proba = column("y_proba", y_proba, numbers_of)
    if proba.ndim == 2:
        rows = _top_label(y_true, proba, labels, sample_weight, y_proba)
    else:
        rows = _forecasts(y_true, y_proba, None, sample_weight, "y_proba")
    bins = _binned(rows.scores, rows.positive, rows.weights, n_bins, strategy)
    gaps = jnp.sum(jnp.abs(bins.happened - bins.forecast))
    return poison(gaps / jnp.sum(bins.weight), rows.ok)


def _num_bins(n_bins, strategy) -> int:
    checks.one_of("strategy", strategy, ("uniform", "quantile"))
    return checks.whole("n_bins", n_bins)


def _top_label(y_true, proba, labels, sample_weight, given) -> Column:
    """Each row's greatest probability, and whether that class is the right one."""
    truth = column("y_true", y_true)
    checks.same_length(y_true=truth, y_proba=proba)
    weights, ok = checks.row_weights(sample_weight, proba.shape[0])
    proba, good = checks.probabilities("y_proba", proba, weights, given=given)
    codes, valid = classes_of("y_proba", truth, proba.shape[1], labels, weights)
    traced = checks.traced(truth, proba, weights)
    proba, weights = jnp.asarray(proba), None if weights is None else jnp.asarray(weights)
    right = jax.lax.argmax(proba, 1, codes.dtype) == codes
    ok = checks.both(ok, checks.both(good, valid))
    return Column(jnp.max(proba, axis=1), right, weights, ok, traced)


def _forecasts(y_true, y_prob, pos_label, sample_weight, name: str) -> Column:
    rows = binary_column(y_true, y_prob, pos_label, sample_weight, name)
    scores, good = checks.probabilities(name, rows.scores, rows.weights, given=y_prob)
    return rows._replace(scores=jnp.asarray(scores), ok=checks.both(rows.ok, good))


@functools.partial(jax.jit, static_argnames=("n_bins", "strategy"))
def _binned(prob: Array, positive: Array, weights: Array | None, n_bins, strategy) -> _Bins:
    if strategy == "uniform":
        inner = jnp.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    else:
        inner = _quantiles(prob, weights, jnp.linspace(0.0, 1.0, n_bins + 1)[1:-1])
    prob = prob.astype(jnp.float64)
    weight = jnp.ones(prob.shape) if weights is None else weights.astype(jnp.float64)
    prob = jnp.where(weight == 0, 0.0, prob)
    # A forecast on an edge belongs to the bin below it.
    place = jnp.sum(prob[:, None] > inner[None, :], axis=1)
    rows = jnp.stack([weight, jnp.where(positive, weight, 0.0), weight * prob], axis=1)
    return _Bins(*jnp.zeros((n_bins, 3)).at[place].add(rows, mode="promise_in_bounds").T)


def _quantiles(values: Array, weights: Array | None, at: Array) -> Array:
    """Quantiles of rows that stretch as far as they weigh: means over a stretch of length one.

    With weights of one that is the interpolation of neighbours that NumPy has.
    """
    rows = ranked(-values.astype(jnp.float64)).rows
    weight = jnp.ones(values.shape) if weights is None else effective(weights)
    ordered, weight = values[rows].astype(jnp.float64), weight[rows]
    above = jnp.cumsum(weight)

    def quantile(share):
        start = share * (above[-1] - 1)
        stretch = jnp.minimum(above, start + 1) - jnp.maximum(above - weight, start)
        # Rounding leaves slivers, and equal neighbours are to stay what they are.
        stretch = jnp.where(stretch > 1e-12, stretch, 0.0)
        first = ordered[jax.lax.argmax(stretch > 0, 0, jnp.int32)]
        return first + jnp.sum(stretch * (ordered - first))

    return jax.vmap(quantile)(at)
