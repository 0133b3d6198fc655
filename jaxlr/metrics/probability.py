"""Metrics of predicted probabilities: log-loss, the Brier score, and their D²."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.labels import classes_of, column, indicators
from jaxlr.metrics.wide import library, mean, num_rows, poison, total_of, wide
from jaxlr.pytypes import Array


class _Forecast(NamedTuple):
    """What happened, its probabilities [N, C], weights, verdict.

    `happened` is a code for each row [N], or of several labels a row the indicators [N, C].
    """

    happened: Array
    proba: Array
    weights: Array | None
    ok: Array | None


@wide
def log_loss(y_true, y_proba, *, normalize=True, sample_weight=None, labels=None) -> Array:
    """Mean negative log-likelihood in nats, probabilities clipped to [eps, 1 - eps].

    Args:
      y_true: [N] labels; inside `jit` integers 0…C-1. Or [N, C] indicators, one-hot or of several
        labels a row: then -Σ log p over those that are 1, as scikit-learn has it.
      y_proba: [N, C] probabilities, or [N] of class 1 (of the greater label).
      normalize: False for the sum instead of the mean.
      sample_weight: [N], or None for ones.
      labels: the class of each column, when y_true doesn't show them all.

    Returns:
      [] nats. Clipping is at the machine epsilon of y_proba, so a certain and wrong forecast costs
      15.9 in float32 and 36.0 in float64, where the lecture's table has infinity; it has no
      gradient there. `losses.log_loss` takes the logit and has neither trouble.
    """
    forecast = _forecast(y_true, y_proba, sample_weight, labels)
    summary = mean if normalize else total_of
    return poison(summary(_surprise(forecast), forecast.weights), forecast.ok)


@wide
def brier_score_loss(
    y_true, y_proba, *, sample_weight=None, pos_label=None, labels=None, scale_by_half="auto"
) -> Array:
    """Mean squared distance from the forecast to what happened; in 0…1, 0 the best.

    Args:
      y_true: [N] labels; inside `jit` integers 0…C-1. Or [N, C] indicators, one-hot or of several
        labels a row.
      y_proba: [N, C] probabilities, or [N] of `pos_label`.
      sample_weight: [N], or None for ones.
      pos_label: which label y_proba [N] speaks of; the greater when None. Static.
      labels: the class of each column, when y_true doesn't show them all.
      scale_by_half: whether ½ Σ_c (p_c - y_c)² instead of Σ_c; "auto" halves two classes only.
    """
    if scale_by_half not in (True, False, "auto"):
        raise ValueError(f'scale_by_half must be True, False or "auto", and is {scale_by_half!r}')
    forecast = _forecast(y_true, y_proba, sample_weight, labels, pos_label)
    score = mean(_squared(forecast), forecast.weights)
    halved = forecast.proba.shape[1] < 3 if scale_by_half == "auto" else scale_by_half
    return poison(score / 2 if halved else score, forecast.ok)


@wide
def d2_log_loss_score(y_true, y_proba, *, sample_weight=None, labels=None) -> Array:
    """1 - log-loss / log-loss of always forecasting the class frequencies; NaN of one row."""
    forecast = _forecast(y_true, y_proba, sample_weight, labels)
    null = forecast._replace(proba=_frequencies(forecast))
    losses = (mean(_surprise(f), f.weights) for f in (forecast, null))
    return poison(_explained(*losses, forecast), forecast.ok)


@wide
def d2_brier_score(y_true, y_proba, *, sample_weight=None, pos_label=None, labels=None) -> Array:
    """1 - Brier score / Brier score of always forecasting the class frequencies."""
    forecast = _forecast(y_true, y_proba, sample_weight, labels, pos_label)
    null = forecast._replace(proba=_frequencies(forecast))
    losses = (mean(_squared(f), f.weights) for f in (forecast, null))
    return poison(_explained(*losses, forecast), forecast.ok)


def _surprise(forecast: _Forecast) -> Array:
    """-log p of what happened, [N], in the precision that the forecast came in."""
    happened, proba = forecast.happened, forecast.proba
    lib = library(happened, proba)
    if happened.ndim == 2:
        return lib.where(happened, _cost(proba), 0.0).sum(axis=1)
    if proba.shape[1] == 2:
        picked = lib.where(happened == 1, proba[:, 1], proba[:, 0])
    else:
        picked = lib.take_along_axis(proba, happened[:, None], axis=1)[:, 0]
    return _cost(picked)


def _cost(proba: Array) -> Array:
    lib, eps = library(proba), jnp.finfo(proba.dtype).eps
    return -lib.log(lib.clip(proba, eps, 1 - eps))


def _squared(forecast: _Forecast) -> Array:
    hits = _hits(forecast).astype(np.float64)
    return ((hits - forecast.proba.astype(np.float64)) ** 2).sum(axis=1)


def _hits(forecast: _Forecast) -> Array:
    """Whether each class happened, [N, C]."""
    happened = forecast.happened
    if happened.ndim == 2:
        return happened
    classes = np.arange(forecast.proba.shape[1], dtype=happened.dtype)
    return happened[:, None] == classes[None, :]


def _frequencies(forecast: _Forecast) -> Array:
    shares = mean(_hits(forecast), forecast.weights).astype(forecast.proba.dtype)
    return library(shares).broadcast_to(shares[None, :], forecast.proba.shape)


def _explained(loss: Array, null: Array, forecast: _Forecast) -> Array:
    alone = num_rows(forecast.happened, forecast.weights) < 2
    return library(loss, null).where(alone, np.nan, 1 - loss / null)


def _forecast(y_true, y_proba, sample_weight, labels, pos_label=None) -> _Forecast:
    proba, truth = column("y_proba", y_proba, numbers_of), column("y_true", y_true)
    checks.same_length(y_true=truth, y_proba=proba)
    if proba.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    weights, ok = checks.row_weights(sample_weight, proba.shape[0])
    proba, good = checks.probabilities("y_proba", proba, weights, given=y_proba)
    if truth.ndim == 2 and truth.shape == proba.shape:
        happened, valid = indicators("y_true", truth, weights)
    else:
        width = 2 if proba.ndim == 1 else proba.shape[1]
        happened, valid = classes_of("y_proba", truth, width, labels, weights, pos_label)
    if not jnp.issubdtype(proba.dtype, jnp.floating):
        proba = proba.astype(np.float64)
    if proba.ndim == 1:
        proba = library(proba).stack([1 - proba, proba], axis=1)
    return _Forecast(happened, proba, weights, checks.both(ok, checks.both(good, valid)))
