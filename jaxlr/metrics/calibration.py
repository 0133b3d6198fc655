"""Do the probabilities mean what they say? Reliability curves and the calibration error."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.columns import Column, binary_column
from jaxlr.metrics.labels import column
from jaxlr.metrics.order import ranked
from jaxlr.metrics.probability import classes_of
from jaxlr.metrics.wide import poison, ratio, wide
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
      sample_weight: [N], or None for ones.

    Returns:
      CalibrationCurve [n_bins]; where values can be read, without the empty bins.
    """
    rows = _forecasts(y_true, y_prob, pos_label, sample_weight)
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
    proba = column("y_proba", y_proba)
    if proba.ndim == 2:
        y_true, y_proba = _top_label(y_true, proba, labels, sample_weight)
    rows = _forecasts(y_true, y_proba, None, sample_weight)
    bins = _binned(rows.scores, rows.positive, rows.weights, n_bins, strategy)
    gaps = jnp.sum(jnp.abs(bins.happened - bins.forecast))
    return poison(gaps / jnp.sum(bins.weight), rows.ok)


def _top_label(y_true, proba, labels, weights):
    truth = column("y_true", y_true)
    checks.same_length(y_true=truth, y_proba=proba)
    codes, ok = classes_of("y_proba", truth, proba.shape[1], labels, weights)
    proba = jnp.asarray(proba)
    right = jax.lax.argmax(proba, 1, codes.dtype) == codes
    return right.astype(jnp.int32), poison(jnp.max(proba, axis=1), ok)


def _forecasts(y_true, y_prob, pos_label, sample_weight) -> Column:
    rows = binary_column(y_true, y_prob, pos_label, sample_weight)
    good = checks.within("y_prob", rows.scores, 0, 1, rows.weights)
    return rows._replace(ok=checks.both(rows.ok, good))


def _binned(prob: Array, positive: Array, weights: Array | None, n_bins, strategy) -> _Bins:
    checks.one_of("strategy", strategy, ("uniform", "quantile"))
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
    """Quantiles of the repeated rows, interpolated: weight 2 is the row twice."""
    rows = ranked(-values.astype(jnp.float64)).rows
    weight = jnp.ones(values.shape) if weights is None else weights.astype(jnp.float64)
    below = jnp.cumsum(weight[rows])
    place = at * (below[-1] - 1)
    low, high = jnp.floor(place), jnp.ceil(place)
    ordered = values[rows].astype(jnp.float64)
    short = (below[None, :] <= place[:, None] for place in (low, high))
    first, second = (ordered[jnp.sum(s, axis=1, dtype=jnp.int32)] for s in short)
    return first + (second - first) * (place - low)
