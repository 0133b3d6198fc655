"""Metrics of predicted probabilities: log-loss, the Brier score, and their D²."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.labels import codes_in, column, distinct, integers
from jaxlr.metrics.wide import library, mean, poison, total_of, wide
from jaxlr.pytypes import Array


class _Forecast(NamedTuple):
    """Codes [N] of what happened, the probabilities [N, C] given to it, weights, verdict."""

    happened: Array
    proba: Array
    weights: Array | None
    ok: Array | None


@wide
def log_loss(y_true, y_proba, *, normalize=True, sample_weight=None, labels=None) -> Array:
    """Mean negative log-likelihood in nats, probabilities clipped to [eps, 1 - eps].

    Args:
      y_true: [N] labels; inside `jit` integers 0…C-1.
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
      y_true: [N] labels; inside `jit` integers 0…C-1.
      y_proba: [N, C] probabilities, or [N] of `pos_label`.
      sample_weight: [N], or None for ones.
      pos_label: which label y_proba [N] speaks of; the greater when None. Static.
      labels: the class of each column, when y_true doesn't show them all.
      scale_by_half: whether ½ Σ_c (p_c - y_c)² instead of Σ_c; "auto" halves two classes only.
    """
    if scale_by_half not in (True, False, "auto"):
        raise ValueError(f'scale_by_half must be True, False or "auto", and is {scale_by_half!r}')
    forecast = _forecast(y_true, y_proba, sample_weight, labels, pos_label)
    score = mean(_squared(forecast.happened, forecast.proba), forecast.weights)
    halved = forecast.proba.shape[1] < 3 if scale_by_half == "auto" else scale_by_half
    return poison(score / 2 if halved else score, forecast.ok)


@wide
def d2_log_loss_score(y_true, y_proba, *, sample_weight=None, labels=None) -> Array:
    """1 - log-loss / log-loss of always forecasting the class frequencies; NaN of one row."""
    forecast = _forecast(y_true, y_proba, sample_weight, labels)
    null = forecast._replace(proba=_frequencies(forecast))
    losses = (mean(_surprise(f), f.weights) for f in (forecast, null))
    return poison(_explained(*losses, num_rows=forecast.happened.shape[0]), forecast.ok)


@wide
def d2_brier_score(y_true, y_proba, *, sample_weight=None, pos_label=None, labels=None) -> Array:
    """1 - Brier score / Brier score of always forecasting the class frequencies."""
    forecast = _forecast(y_true, y_proba, sample_weight, labels, pos_label)
    null = forecast._replace(proba=_frequencies(forecast))
    losses = (mean(_squared(f.happened, f.proba), f.weights) for f in (forecast, null))
    return poison(_explained(*losses, num_rows=forecast.happened.shape[0]), forecast.ok)


def _surprise(forecast: _Forecast) -> Array:
    """-log p of what happened, [N], in the precision that the forecast came in."""
    happened, proba = forecast.happened, forecast.proba
    lib = library(happened, proba)
    if proba.shape[1] == 2:
        picked = lib.where(happened == 1, proba[:, 1], proba[:, 0])
    else:
        picked = lib.take_along_axis(proba, happened[:, None], axis=1)[:, 0]
    eps = jnp.finfo(picked.dtype).eps
    return -lib.log(lib.clip(picked, eps, 1 - eps))


def _squared(happened: Array, proba: Array) -> Array:
    classes = np.arange(proba.shape[1], dtype=happened.dtype)
    hit = (happened[:, None] == classes[None, :]).astype(np.float64)
    return ((hit - proba.astype(np.float64)) ** 2).sum(axis=1)


def _frequencies(forecast: _Forecast) -> Array:
    classes = np.arange(forecast.proba.shape[1], dtype=forecast.happened.dtype)
    hits = forecast.happened[:, None] == classes[None, :]
    shares = mean(hits, forecast.weights).astype(forecast.proba.dtype)
    return library(shares).broadcast_to(shares[None, :], forecast.proba.shape)


def _explained(loss: Array, null: Array, *, num_rows: int) -> Array:
    return 1 - loss / null if num_rows > 1 else np.float64(np.nan)


def _forecast(y_true, y_proba, sample_weight, labels, pos_label=None) -> _Forecast:
    proba = column("y_proba", y_proba)
    truth = integers("y_true", column("y_true", y_true))
    checks.same_length(y_true=truth, y_proba=proba)
    if truth.ndim == 2 and truth.shape == proba.shape:
        places = np.arange(truth.shape[1], dtype=truth.dtype)
        truth = (truth * places[None, :]).sum(axis=1)  # one-hot rows
        labels = None
    if truth.ndim != 1:
        raise ValueError(f"y_true must have shape [N], and has {truth.shape}")
    weights, ok = checks.row_weights(sample_weight, proba.shape[0])
    good = checks.within("y_proba", proba, 0, 1, weights)
    width = 2 if proba.ndim == 1 else proba.shape[1]
    happened, valid = classes_of("y_proba", truth, width, labels, weights, pos_label)
    if not jnp.issubdtype(proba.dtype, jnp.floating):
        proba = proba.astype(np.float64)
    elif proba.dtype.itemsize < 4:
        proba = proba.astype(np.float32)
    if proba.ndim == 1:
        proba = library(proba).stack([1 - proba, proba], axis=1)
    return _Forecast(happened, proba, weights, checks.both(ok, good, valid))


def classes_of(name: str, truth, width: int, labels=None, weights=None, pos_label=None):
    """(codes [N], verdict): the column of `name` that each label speaks of.

    The columns are `labels`, or the labels that occur; where those are too few, and inside `jit`,
    the integers 0…width-1.
    """
    if checks.traced(truth):
        return _traced_classes(name, truth, width, weights, pos_label)
    classes = distinct(truth) if labels is None else np.unique(np.asarray(labels))
    if pos_label is not None and width == 2:
        if pos_label not in classes and len(classes) > 1:
            raise ValueError(f"pos_label={pos_label!r} must be one of {classes.tolist()}")
        return (truth == pos_label).astype(np.int32), None
    numbered = truth.dtype.kind in "iu" and truth.min() >= 0 and truth.max() < width
    if labels is None and len(classes) < width and numbered:
        classes = np.arange(width)
    elif labels is None and len(classes) == 1 and set(classes.tolist()) <= {-1, 1}:
        classes = np.asarray([-1, 1])
    if len(classes) != width:
        raise ValueError(
            f"{name} has {width} columns and y_true {len(classes)} classes: name them with labels"
        )
    codes = codes_in(truth, classes)
    if (codes == width).any():
        raise ValueError(f"y_true must hold only labels among {classes.tolist()}")
    return codes, None


def _traced_classes(name, truth, width, weights, pos_label):
    if pos_label not in (None, 0, 1):
        raise ValueError(f"pos_label must be 0 or 1 inside jit, and is {pos_label!r}")
    good = (truth >= 0) & (truth < width)
    if weights is not None:
        good |= jnp.asarray(weights) == 0
    message = f"y_true must hold classes from 0 to {width - 1}, the columns of {name}"
    ok = checks.require(jnp.all(good), message)
    codes = jnp.clip(truth, 0, width - 1).astype(jnp.int32)
    return (1 - codes if pos_label == 0 else codes), ok
