"""Metrics of data that comes in batches: init, update, merge and result, all pure.

A stream is four functions. `update` folds in a batch, `merge` joins the states of two halves (two
files, two devices), and `result` may be asked at any time. Order and batching don't matter.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.metrics import areas, checks
from jaxlr.metrics.columns import Column, binary_column
from jaxlr.metrics.confusion import confusion_matrix
from jaxlr.metrics.curves import vertices
from jaxlr.metrics.wide import poison, real, wide
from jaxlr.pytypes import Array


class Stream(NamedTuple):
    """A metric of batches, in four functions.

    init() -> state; update(state, y_true, y_pred or y_score, sample_weight=None) -> state;
    merge(state, state) -> state; result(state) -> what the metric says.
    """

    init: Callable[[], Any]
    update: Callable[..., Any]
    merge: Callable[[Any, Any], Any]
    result: Callable[[Any], Any]


class Sums(NamedTuple):
    """Running sums, and for fractional weights what their rounding lost (None for integers)."""

    sums: Array
    lost: Array | None


class Kept(NamedTuple):
    """The rows so far: scores, positive, weights [capacity], how many, and whether all was well.

    Scores and weights are the bits of float64 [capacity, 2], which no setting of JAX rounds.
    """

    scores: Array
    positive: Array
    weights: Array
    size: Array
    ok: Array


class Histogram(NamedTuple):
    """Weight of negatives and positives [2, num_bins] in bins of score."""

    counts: Sums
    ok: Array


class AreaBound(NamedTuple):
    """An AUC from a histogram, and the greatest error that binning can have made."""

    auc: Array
    error_bound: Array


def confusion(num_classes: int, *, weighted: bool = False) -> Stream:
    """The confusion matrix [C, C], exactly: integers, or with `weighted` a compensated sum.

    Every figure of `metrics.figures` follows from the result.
    """
    num_classes = checks.whole("num_classes", num_classes)

    def init() -> Sums:
        return _no_sums((num_classes, num_classes), weighted)

    def update(state: Sums, y_true, y_pred, sample_weight=None) -> Sums:
        batch = confusion_matrix(
            y_true, y_pred, sample_weight=sample_weight, num_classes=num_classes
        )
        if not weighted and jnp.issubdtype(batch.dtype, jnp.floating):
            raise ValueError("sample_weight must be integers unless the stream is weighted=True")
        return _added(state, Sums(batch, None))

    return Stream(init, update, _added, lambda state: state.sums)


def exact_auc(capacity: int) -> Stream:
    """AUC, exactly, by keeping up to `capacity` rows; NaN once more have come."""
    capacity = checks.whole("capacity", capacity)

    def init() -> Kept:
        room, nothing = jnp.zeros((capacity, 2), jnp.uint32), jnp.zeros([], int)
        return Kept(room, jnp.zeros(capacity, bool), room, nothing, jnp.asarray(True))

    def update(state: Kept, y_true, y_score, sample_weight=None) -> Kept:
        return _appended(state, _rows(y_true, y_score, sample_weight))

    return Stream(init, update, _appended, _kept_auc)


def histogram_auc(num_bins: int, low: float, high: float) -> Stream:
    """AUC from a histogram of scores between low and high, with a rigorous error bound.

    Only pairs within one bin can be counted wrong, and each by at most one half, so the error is
    at most ½ Σ_b positives_b negatives_b / pairs. Scores outside go to the end bins.
    """
    num_bins = checks.whole("num_bins", num_bins)
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"low must be below high, both finite, and they are {low} and {high}")

    def init() -> Histogram:
        return Histogram(_no_sums((2, num_bins), True), jnp.asarray(True))

    def update(state: Histogram, y_true, y_score, sample_weight=None) -> Histogram:
        counts, ok = _counts_in_bins(y_true, y_score, sample_weight, num_bins, low, high)
        return Histogram(_added(state.counts, Sums(counts, None)), state.ok & ok)

    def merge(a: Histogram, b: Histogram) -> Histogram:
        return Histogram(_added(a.counts, b.counts), a.ok & b.ok)

    return Stream(init, update, merge, _histogram_auc)


def _no_sums(shape: tuple[int, ...], fractional: bool) -> Sums:
    if not fractional:
        return Sums(jnp.zeros(shape, int), None)
    return Sums(jnp.zeros(shape), jnp.zeros(shape))


@wide
def _added(a: Sums, b: Sums) -> Sums:
    """The sum of two states; fractional sums carry their rounding error along."""
    if a.lost is None:
        bad = (a.sums < 0) | (b.sums < 0)
        return Sums(jnp.where(bad, -1, a.sums + b.sums), None)
    exact = sum(real(part) for state in (a, b) for part in state if part is not None)
    sums = exact.astype(a.sums.dtype)
    return Sums(sums, (exact - sums.astype(exact.dtype)).astype(a.lost.dtype))


@wide
def _rows(y_true, y_score, sample_weight) -> Kept:
    rows = binary_column(y_true, y_score, None, sample_weight)
    weights = jnp.ones(rows.scores.shape) if rows.weights is None else rows.weights
    bits = (
        jax.lax.bitcast_convert_type(a.astype(jnp.float64), jnp.uint32)
        for a in (rows.scores, weights)
    )
    scores, weights = bits
    return Kept(scores, rows.positive, weights, jnp.asarray(len(weights)), _verdict(rows))


def _verdict(rows: Column) -> Array:
    return jnp.asarray(True) if rows.ok is None else rows.ok


@jax.jit
def _appended(state: Kept, more: Kept) -> Kept:
    capacity, rows = state.scores.shape[0], more.scores.shape[0]
    size = state.size + more.size
    place = jnp.arange(rows, dtype=state.size.dtype)
    # Rows beyond what came, or beyond the room, are dropped.
    place = jnp.where(place < more.size, state.size + place, capacity)
    columns = (
        old.at[place].set(new, mode="drop") for old, new in zip(state[:3], more[:3], strict=True)
    )
    return Kept(*columns, size, state.ok & more.ok & (size <= capacity))


@wide
def _kept_auc(state: Kept) -> Array:
    return poison(_share_of_kept(state), state.ok)


@jax.jit
def _share_of_kept(state: Kept) -> Array:
    scores, weights = (
        jax.lax.bitcast_convert_type(bits, jnp.float64) for bits in (state.scores, state.weights)
    )
    here = jnp.arange(scores.shape[0], dtype=state.size.dtype) < state.size
    weights = jnp.where(here, weights, 0.0)
    return areas.weighted_pair_share(vertices(scores, state.positive, weights))


@wide
def _counts_in_bins(y_true, y_score, sample_weight, num_bins: int, low: float, high: float):
    """(weight [2, num_bins] of negatives and positives, verdict)."""
    rows = binary_column(y_true, y_score, None, sample_weight)
    scores, weights = rows.scores.astype(jnp.float64), rows.weights
    place = jnp.floor((scores - low) * (num_bins / (high - low)))
    place = jnp.clip(jnp.nan_to_num(place), 0, num_bins - 1).astype(jnp.int32)
    weight = jnp.ones(scores.shape) if weights is None else weights.astype(jnp.float64)
    counts = jnp.zeros((2, num_bins))
    here = rows.positive.astype(jnp.int32), place
    return counts.at[here].add(weight, mode="promise_in_bounds"), _verdict(rows)


@wide
def _histogram_auc(state: Histogram) -> AreaBound:
    negatives, positives = real(state.counts.sums) + real(state.counts.lost)
    below = jnp.cumsum(negatives) - negatives / 2
    pairs = jnp.sum(negatives) * jnp.sum(positives)
    auc = jnp.sum(positives * below) / pairs
    bound = jnp.sum(positives * negatives) / 2 / pairs
    return AreaBound(*(poison(part, state.ok) for part in (auc, bound)))
