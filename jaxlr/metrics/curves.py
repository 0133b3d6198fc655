"""Curves over all thresholds: counts, ROC, precision-recall, detection error trade-off.

Tied scores are one vertex, so the drawn curve is the exact one and so is its area. Inside `jit` a
curve has fixed length, one vertex a row: the rows of a tie repeat their common vertex, and rows of
weight zero the vertex before them. Where values can be read, repeats are dropped and curves look as
scikit-learn's do.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.columns import Column, binary_column
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.order import ends, ranked
from jaxlr.metrics.wide import library, poison, ratio, wide
from jaxlr.pytypes import Array


class Vertices(NamedTuple):
    """Weight flagged at each threshold, descending: fp and tp [N], float64, ties collapsed.

    `last` [N] marks the one vertex of each tie that a curve of distinct thresholds keeps.
    """

    fp: Array
    tp: Array
    thresholds: Array
    last: Array


class ThresholdCounts(NamedTuple):
    """tn, fp, fn, tp [T] at each of the descending thresholds [T]."""

    tn: Array
    fp: Array
    fn: Array
    tp: Array
    thresholds: Array


class RocCurve(NamedTuple):
    """fpr and tpr [T + 1] from (0, 0), thresholds [T + 1] from infinity, descending."""

    fpr: Array
    tpr: Array
    thresholds: Array


class PrecisionRecallCurve(NamedTuple):
    """precision and recall [T + 1], ending in (1, 0); thresholds [T] ascending."""

    precision: Array
    recall: Array
    thresholds: Array


class DetCurve(NamedTuple):
    """fpr descending, fnr ascending, thresholds ascending."""

    fpr: Array
    fnr: Array
    thresholds: Array


@wide
def confusion_matrix_at_thresholds(
    y_true, y_score, *, pos_label=None, sample_weight=None
) -> ThresholdCounts:
    """TN, FP, FN, TP when rows scoring at least the threshold are flagged, at every threshold."""
    column = binary_column(y_true, y_score, pos_label, sample_weight)
    curve = _vertices_of(column)
    counts = (curve.fp[-1] - curve.fp, curve.fp, curve.tp[-1] - curve.tp, curve.tp)
    return _poisoned(ThresholdCounts(*counts, curve.thresholds), column)


@wide
def roc_curve(
    y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=True
) -> RocCurve:
    """The ROC curve: (FPR, TPR) as the threshold falls from infinity.

    Args:
      y_true: [N] labels; inside `jit` 0 or 1.
      y_score: [N], higher meaning more likely positive.
      pos_label: the positive label; needed unless labels are 0/1 or -1/1. Static.
      sample_weight: [N], or None for ones.
      drop_intermediate: leave out vertices on straight lines. Has no effect inside `jit`.

    Returns:
      RocCurve of NaN rates for a class that has no weight.
    """
    column = binary_column(y_true, y_score, pos_label, sample_weight)
    curve = _vertices_of(column)
    if drop_intermediate and not column.traced and len(curve.fp) > 2:
        curve = _kept(curve, _bends(np.diff(curve.fp, 2), np.diff(curve.tp, 2)))
    rates = (_rates(heights) for heights in (curve.fp, curve.tp))
    return _poisoned(RocCurve(*rates, _from_infinity(curve.thresholds)), column)


@wide
def precision_recall_curve(
    y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=False
) -> PrecisionRecallCurve:
    """Precision against recall as the threshold rises; arguments as of `roc_curve`.

    Recall is 1 everywhere when nothing is positive. Precision of nothing flagged is 1 by
    convention, as at the last point (precision 1, recall 0).
    """
    column = binary_column(y_true, y_score, pos_label, sample_weight)
    curve = _vertices_of(column)
    if drop_intermediate and not column.traced and len(curve.fp) > 2:
        curve = _kept(curve, _moves(curve.tp))
    precision = ratio(curve.tp, curve.tp + curve.fp, 1.0)
    recall = ratio(curve.tp, curve.tp[-1:], 1.0)
    lib = library(precision)
    points = (lib.append(p[::-1], end) for p, end in ((precision, 1.0), (recall, 0.0)))
    return _poisoned(PrecisionRecallCurve(*points, curve.thresholds[::-1]), column)


@wide
def det_curve(
    y_true, y_score, pos_label=None, sample_weight=None, drop_intermediate=False
) -> DetCurve:
    """False negative rate against false positive rate; arguments as of `roc_curve`.

    Where values can be read, the curve stops where either error stays at zero.
    """
    column = binary_column(y_true, y_score, pos_label, sample_weight)
    curve = _vertices_of(column)
    lib = library(curve.fp)
    curve = Vertices(
        lib.concatenate([np.zeros(1), curve.fp]),
        lib.concatenate([np.zeros(1), curve.tp]),
        _from_infinity(curve.thresholds),
        lib.concatenate([np.ones(1, bool), curve.last]),
    )
    if not column.traced:
        if curve.fp[-1] == 0 or curve.tp[-1] == 0:
            raise ValueError("y_true must hold two classes, or there is no trade-off to draw")
        if drop_intermediate and len(curve.fp) > 2:
            curve = _kept(curve, _moves(curve.tp))
        first = np.searchsorted(curve.fp, curve.fp[0], side="right") - 1
        stop = np.searchsorted(curve.tp, curve.tp[-1]) + 1
        totals = curve.fp[-1], curve.tp[-1]
        curve = Vertices(*(leaf[first:stop] for leaf in curve))
    else:
        totals = curve.fp[-1], curve.tp[-1]
    fpr, fnr = curve.fp / totals[0], (totals[1] - curve.tp) / totals[1]
    return _poisoned(DetCurve(fpr[::-1], fnr[::-1], curve.thresholds[::-1]), column)


@wide
def auc(x, y) -> Array:
    """Area under the points (x, y) by the trapezoid rule, x monotone either way.

    NaN inside `jit` when x turns back.
    """
    (x, fine), (y, good) = (
        checks.finite(name, numbers_of(name, a)) for name, a in (("x", x), ("y", y))
    )
    x, y = x.astype(np.float64), y.astype(np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must have one shape [N], and have {x.shape} and {y.shape}")
    if x.shape[0] < 2:
        raise ValueError(f"x must have at least 2 points, and has {x.shape[0]}")
    run = x[1:] - x[:-1]
    ok = checks.require((run >= 0).all() | (run <= 0).all(), "x must be increasing or decreasing")
    backwards = library(run).where((run < 0).any(), -1.0, 1.0)
    area = backwards * (run * (y[1:] + y[:-1]) / 2).sum()
    return poison(area, checks.both(ok, checks.both(fine, good)))


def vertices(scores: Array, positive: Array, weights: Array | None) -> Vertices:
    """Weight flagged at each row's score, at fixed length N; ties are collapsed.

    Counts are flat between ties and jump there, so no gradient passes, nor one in the weights.
    """
    scores, weights = jax.lax.stop_gradient((scores, weights))
    order = ranked(scores)
    weight = jnp.ones(scores.shape) if weights is None else weights.astype(jnp.float64)
    true, weight = positive[order.rows], weight[order.rows]
    end = ends(order.last)
    tp, fp = (jnp.cumsum(jnp.where(kind, weight, 0.0))[end] for kind in (true, ~true))
    return Vertices(fp, tp, scores[order.rows].astype(jnp.float64), order.last)


_vertices = jax.jit(vertices)


def _vertices_of(column: Column) -> Vertices:
    """The vertices; where values can be read, numpy's, and one for each distinct threshold."""
    curve = _vertices(column.scores, column.positive, column.weights)
    if column.traced:
        return curve
    curve = Vertices(*map(np.asarray, curve))
    places = np.flatnonzero(curve.last)
    flagged = (curve.fp + curve.tp)[places]
    return _kept(curve, places[np.diff(flagged, prepend=0.0) > 0])


def _kept(curve: Vertices, keep: np.ndarray) -> Vertices:
    return Vertices(*(leaf[keep] for leaf in curve))


def _bends(*second_differences: np.ndarray) -> np.ndarray:
    """Which vertices aren't in the middle of a straight line."""
    inner = np.any([d != 0 for d in second_differences], axis=0)
    return np.concatenate([[True], inner, [True]])


def _moves(tp: Array) -> np.ndarray:
    """Which vertices have another height than a neighbour."""
    step = np.diff(tp) != 0
    return np.concatenate([[True], step[:-1] | step[1:], [True]])


def _rates(heights: Array) -> Array:
    """Heights as shares of the last, from 0; all NaN when that is 0."""
    start = np.zeros(1) * heights[-1:]
    return library(heights).concatenate([start, heights]) / heights[-1:]


def _from_infinity(thresholds: Array) -> Array:
    return library(thresholds).concatenate([np.full(1, np.inf), thresholds])


def _poisoned(curve, column: Column):
    return type(curve)(*(poison(leaf, column.ok) for leaf in curve))
