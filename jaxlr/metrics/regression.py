"""Metrics of predicted numbers, for one output [N] or several [N, D]."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.order import ranked
from jaxlr.metrics.wide import library, mean, num_rows, poison, wide
from jaxlr.pytypes import Array


class _Pairs(NamedTuple):
    """Truth and prediction [N, D] in float64, weights [N] or None, and the verdict."""

    truth: Array
    prediction: Array
    weights: Array | None
    ok: Array | None


@wide
def mean_squared_error(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
) -> Array:
    """Weighted mean of (y_true - y_pred)².

    Args:
      y_true: [N] or [N, D] numbers.
      y_pred: likewise.
      sample_weight: [N], or None for ones.
      multioutput: "uniform_average" over outputs, "raw_values" [D], or a weight for each output.

    Raises:
      ValueError: shapes differ, NaN or infinite numbers, bad weights; NaN inside `jit`.
    """
    return _mean_of(_square, y_true, y_pred, sample_weight, multioutput)


@wide
def root_mean_squared_error(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
) -> Array:
    """Square root of the mean squared error of each output; arguments as there."""
    raw = mean_squared_error(y_true, y_pred, sample_weight=sample_weight, multioutput="raw_values")
    return _over_outputs(library(raw).sqrt(raw), multioutput)


@wide
def mean_absolute_error(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
) -> Array:
    """Weighted mean of |y_true - y_pred|; arguments as of `mean_squared_error`."""
    return _mean_of(abs, y_true, y_pred, sample_weight, multioutput)


@wide
def median_absolute_error(
    y_true, y_pred, *, multioutput="uniform_average", sample_weight=None
) -> Array:
    """Weighted median of |y_true - y_pred|; arguments as of `mean_squared_error`."""
    pairs = _pairs(y_true, y_pred, sample_weight)
    medians = _median(abs(pairs.truth - pairs.prediction), pairs.weights)
    return poison(_over_outputs(medians, multioutput), pairs.ok)


@wide
def max_error(y_true, y_pred, *, sample_weight=None) -> Array:
    """The largest |y_true - y_pred| [N] of a row of non-zero weight."""
    pairs = _pairs(y_true, y_pred, sample_weight)
    if pairs.truth.shape[1] != 1:
        raise ValueError(f"y_true must have shape [N], and has {pairs.truth.shape}")
    error = abs(pairs.truth - pairs.prediction)[:, 0]
    if pairs.weights is not None:
        error = library(error, pairs.weights).where(pairs.weights == 0, 0.0, error)
    return poison(_level(error, jax.lax.stop_gradient(error).max()), pairs.ok)


@wide
def r2_score(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average", force_finite=True
) -> Array:
    """1 - squared error / squared error of always predicting the mean; NaN of one row.

    Args:
      y_true: [N] or [N, D] numbers.
      y_pred: likewise.
      sample_weight: [N], or None for ones.
      multioutput: as of `mean_squared_error`, or "variance_weighted".
      force_finite: a constant truth scores 1 when met exactly and 0 otherwise, not NaN or -inf.
    """
    pairs = _pairs(y_true, y_pred, sample_weight)
    error = _mean_loss(_square, pairs.truth, pairs.prediction, pairs.weights)
    spread = _variance(pairs.truth, pairs.weights)
    spread = _of_two(pairs, spread)
    score = _explained(error, spread, multioutput, force_finite)
    return poison(score, pairs.ok)


@wide
def explained_variance_score(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average", force_finite=True
) -> Array:
    """1 - variance of the error / variance of the truth; arguments as of `r2_score`."""
    pairs = _pairs(y_true, y_pred, sample_weight)
    error = _variance(pairs.truth - pairs.prediction, pairs.weights)
    spread = _variance(pairs.truth, pairs.weights)
    return poison(_explained(error, spread, multioutput, force_finite), pairs.ok)


@wide
def d2_absolute_error_score(
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
) -> Array:
    """1 - absolute error / absolute error of always predicting the median; NaN of one row."""
    pairs = _pairs(y_true, y_pred, sample_weight)
    middle = _median(pairs.truth, pairs.weights)
    error = _mean_loss(abs, pairs.truth, pairs.prediction, pairs.weights)
    spread = _mean_loss(abs, pairs.truth, middle[None, :], pairs.weights)
    spread = _of_two(pairs, spread)
    return poison(_explained(error, spread, multioutput, True), pairs.ok)


def _mean_of(loss: Callable, y_true, y_pred, sample_weight, multioutput) -> Array:
    pairs = _pairs(y_true, y_pred, sample_weight)
    losses = _mean_loss(loss, pairs.truth, pairs.prediction, pairs.weights)
    return poison(_over_outputs(losses, multioutput), pairs.ok)


def _mean_loss(loss: Callable, truth: Array, prediction: Array, weights: Array | None) -> Array:
    return mean(loss(truth - prediction), weights)


def _square(error: Array) -> Array:
    return error**2


def _of_two(pairs: _Pairs, spread: Array) -> Array:
    """The spread, or NaN where a single row counts."""
    alone = num_rows(pairs.truth, pairs.weights) < 2
    return library(spread).where(alone, np.nan, spread)


def _variance(values: Array, weights: Array | None) -> Array:
    return mean((values - mean(values, weights)[None, :]) ** 2, weights)


@jax.jit
def _median(values: Array, weights: Array | None) -> Array:
    """Weighted median of each column [N, D]: where the weight below and above meet, the middle."""

    def column(value):
        known = jax.lax.stop_gradient(value)
        rows = ranked(-known).rows
        weight = jnp.ones(value.shape) if weights is None else weights.astype(jnp.float64)
        below = jnp.cumsum(weight[rows])
        half, slack = below[-1] / 2, below[-1] * 4 * jnp.finfo(jnp.float64).eps
        # As many places as fall short come before; weight at just one half is shared by two.
        short = (below < half - slack, below <= half + slack)
        low, high = (_level(value, known[rows[jnp.sum(s, dtype=jnp.int32)]]) for s in short)
        return jnp.where(half > 0, (low + high) / 2, jnp.nan)

    return jax.vmap(column, 1)(values)


def _level(values: Array, level: Array) -> Array:
    """`level`, one of `values`, with their slope: shared where several are equal."""
    lib = library(values, level)
    hit = values == level
    return lib.where(hit, values, 0.0).sum() / hit.sum().astype(np.float64)


def _explained(error: Array, spread: Array, multioutput, force_finite: bool) -> Array:
    """1 - error / spread of each output, averaged."""
    scores = _share_explained(error, spread, force_finite=force_finite)
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        shares = library(spread).where(spread.sum() == 0, 1.0, spread)
        return (shares * scores).sum() / shares.sum()
    return _over_outputs(scores, multioutput)


def _share_explained(error: Array, spread: Array, *, force_finite: bool) -> Array:
    scores = 1 - error / spread
    if not force_finite:
        return scores
    lib = library(error, spread)
    constant = lib.where(error == 0, 1.0, 0.0)
    scores = lib.where((spread == 0) | (error == 0), constant, scores)
    return lib.where(lib.isnan(spread), np.nan, scores)


def _over_outputs(values: Array, multioutput) -> Array:
    """The average over outputs [D] that `multioutput` names."""
    if isinstance(multioutput, str):
        checks.one_of("multioutput", multioutput, ("raw_values", "uniform_average"))
        return values if multioutput == "raw_values" else values.mean()
    shares = numbers_of("multioutput", multioutput).astype(np.float64)
    if shares.shape != values.shape:
        raise ValueError(
            f"multioutput must have one weight for each of the {values.shape[0]} outputs, and has "
            f"shape {shares.shape}"
        )
    return (shares * values).sum() / shares.sum()


def _pairs(y_true, y_pred, sample_weight) -> _Pairs:
    truth, prediction = _numbers("y_true", y_true), _numbers("y_pred", y_pred)
    checks.same_length(y_true=truth, y_pred=prediction)
    if truth.shape != prediction.shape:
        raise ValueError(
            f"y_true and y_pred must have one shape, and have {truth.shape} and {prediction.shape}"
        )
    if truth.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    weights, ok = checks.row_weights(sample_weight, truth.shape[0])
    truth, fine = checks.finite("y_true", truth, weights, given=y_true)
    prediction, good = checks.finite("y_pred", prediction, weights, given=y_pred)
    wide_pair = (a.astype(np.float64) for a in (truth, prediction))
    return _Pairs(*wide_pair, weights, checks.both(ok, checks.both(fine, good)))


def _numbers(name: str, values):
    array = numbers_of(name, values)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must have shape [N] or [N, D], and has {array.shape}")
    return array[:, None] if array.ndim == 1 else array
