"""Every thresholded figure as a pure function of a confusion tensor.

A figure is one formula on counts. Leading axes of a tensor are lanes, so a sweep's figures come
from one tensor `[L, C, C]` without a `vmap`, and after a `psum` or a merge just as well.
Tables `[..., C, 2, 2]` are [[TN, FP], [FN, TP]] of each class against the rest (`one_vs_rest`).
"""

from collections.abc import Callable

import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.wide import in_range, library, ratio, real, wide
from jaxlr.pytypes import Array

AVERAGES = (None, "binary", "micro", "macro", "weighted", "samples")


@wide
def accuracy(confusion: Array) -> Array:
    """The share of rows on the diagonal of [..., C, C]; NaN of nothing."""
    cells = real(confusion)
    lib = library(cells)
    return lib.trace(cells, axis1=-2, axis2=-1) / lib.sum(cells, axis=(-2, -1))


@wide
def balanced_accuracy(confusion: Array, adjusted: bool = False) -> Array:
    """Mean recall over the classes that occur; adjusted so that chance is 0 and perfect is 1."""
    cells = real(confusion)
    lib = library(cells)
    support = lib.sum(cells, axis=-1)
    recalls = ratio(lib.diagonal(cells, axis1=-2, axis2=-1), support, 0.0)
    occurring = lib.sum(support > 0, axis=-1).astype(np.float64)
    score = lib.sum(recalls, axis=-1) / occurring
    if adjusted:
        chance = 1 / occurring
        score = (score - chance) / (1 - chance)
    return score


@wide
def matthews_corrcoef(confusion: Array) -> Array:
    """Correlation of truth and prediction (Gorodkin 2004); 0 when either never varies."""
    cells = in_range(real(confusion), axis=(-2, -1))
    lib = library(cells)
    truth, predicted = lib.sum(cells, axis=-1), lib.sum(cells, axis=-2)
    total = lib.sum(truth, axis=-1)
    right = lib.trace(cells, axis1=-2, axis2=-1)
    covariance = right * total - lib.sum(truth * predicted, axis=-1)
    # total² - Σ truth², written as a sum of products so that a rare class isn't cancelled away
    truth_spread = lib.sum(truth * (total[..., None] - truth), axis=-1)
    predicted_spread = lib.sum(predicted * (total[..., None] - predicted), axis=-1)
    return ratio(covariance, lib.sqrt(truth_spread) * lib.sqrt(predicted_spread), 0.0)


@wide
def cohen_kappa(confusion: Array, weights: str | None = None, undefined: float = np.nan) -> Array:
    """Agreement beyond chance; weights "linear" or "quadratic" for ordered classes."""
    checks.one_of("weights", weights, (None, "linear", "quadratic"))
    cells = in_range(real(confusion), axis=(-2, -1))
    lib = library(cells)
    columns, rows = lib.sum(cells, axis=-2), lib.sum(cells, axis=-1)
    total = lib.sum(rows, axis=-1)
    classes = lib.arange(cells.shape[-1], dtype=np.float64)
    apart = lib.abs(classes[:, None] - classes[None, :])
    cost = {None: lib.minimum(apart, 1), "linear": apart, "quadratic": apart**2}[weights]
    observed = lib.sum(cells * _like(cost, cells), axis=(-2, -1))
    by_chance = rows[..., :, None] * columns[..., None, :]
    expected = lib.sum(by_chance * _like(cost, cells), axis=(-2, -1))
    disagreement = ratio(observed * total, expected, 1 - undefined)
    return 1 - disagreement


@wide
def precision(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FP) of tables [..., C, 2, 2]: of those flagged, how many truly are."""
    return _figure(_precision, table, average, zero_division, **options)


@wide
def recall(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FN) of tables [..., C, 2, 2]: of those that are, how many flagged."""
    return _figure(_recall, table, average, zero_division, **options)


@wide
def specificity(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TN / (TN + FP) of tables [..., C, 2, 2]: of those that aren't, how many left alone."""
    return _figure(_specificity, table, average, zero_division, **options)


@wide
def jaccard(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FP + FN) of tables [..., C, 2, 2]: intersection over union."""
    return _figure(_jaccard, table, average, zero_division, **options)


@wide
def f_beta(
    table: Array,
    beta: float = 1.0,
    average: str | None = None,
    zero_division: float = 0.0,
    **options,
) -> Array:
    """(1 + β²) TP / ((1 + β²) TP + β² FN + FP): the harmonic mean, recall counting β² times.

    β = 0 is precision and β = ∞ recall, zero divisions included.
    """
    if beta == 0:
        return precision(table, average, zero_division, **options)
    if beta == np.inf:
        return recall(table, average, zero_division, **options)
    return _figure(_f_beta, table, average, zero_division, beta=beta, **options)


def _precision(tn, fp, fn, tp, beta):
    return tp, tp + fp


def _recall(tn, fp, fn, tp, beta):
    return tp, tp + fn


def _specificity(tn, fp, fn, tp, beta):
    return tn, tn + fp


def _jaccard(tn, fp, fn, tp, beta):
    return tp, tp + fp + fn


def _f_beta(tn, fp, fn, tp, beta):
    return (1 + beta**2) * tp, beta**2 * (tp + fn) + (tp + fp)


@wide
def likelihood_ratios(confusion: Array, undefined: tuple = (np.nan, np.nan)):
    """(LR+, LR-) = (recall / (1 - specificity), (1 - recall) / specificity) of [..., 2, 2].

    `undefined` stands where the denominator is empty; without positives both are NaN.
    """
    tn, fp, fn, tp = split(in_range(real(confusion), axis=(-2, -1)))
    positives, negatives = tp + fn, tn + fp
    plus = ratio(tp * negatives, fp * positives, np.nan)
    minus = ratio(fn * negatives, tn * positives, np.nan)
    lib = library(plus)
    plus = lib.where(fp == 0, undefined[0], plus)
    minus = lib.where(tn == 0, undefined[1], minus)
    return plus, minus


@wide
def average_table(table: Array) -> Array:
    """[..., C, 2, 2] -> [..., 2, 2]: TN, FP, FN, TP averaged over classes, the lecture's micro.

    Any figure of it equals the figure of the sums, since the C cancels in every ratio.
    """
    cells = real(table)
    return library(cells).mean(cells, axis=-3)


def split(table: Array) -> tuple[Array, Array, Array, Array]:
    """(TN, FP, FN, TP) of [..., 2, 2], as float64."""
    cells = real(table)
    return cells[..., 0, 0], cells[..., 0, 1], cells[..., 1, 0], cells[..., 1, 1]


def _figure(
    parts: Callable, table, average, zero_division, *, weights=None, skip_undefined=True, beta=1.0
) -> Array:
    """A ratio of counts, averaged over the axis of classes (of rows, when "samples")."""
    checks.one_of("average", average, AVERAGES)
    if average == "micro":
        table = average_table(table)[..., None, :, :]
    tn, fp, fn, tp = split(table)
    values = ratio(*parts(tn, fp, fn, tp, beta), zero_division)
    if average is None:
        return values
    if average == "weighted":
        weights = fn + tp
    elif average != "samples":
        weights = None
    return _average(values, weights, skip_undefined, poisoned=(tp != tp).any(axis=-1))


def _average(values: Array, weights: Array | None, skip_undefined: bool, poisoned: Array) -> Array:
    """Mean over the last axis; values left undefined (zero_division NaN) don't take part."""
    lib = library(values, weights)
    weights = lib.ones_like(values) if weights is None else _like(real(weights), values)
    if skip_undefined:
        weights = lib.where(lib.isnan(values), 0.0, weights)
        plain = lib.where(lib.isnan(values), 0.0, 1.0)
    else:
        plain = lib.ones_like(values)
    # Weights that are all zero say nothing, so every class counts the same.
    silent = lib.sum(weights, axis=-1, keepdims=True) == 0
    weights = lib.where(silent, plain, weights)
    kept = lib.where(weights == 0, 0.0, values)
    mean = lib.sum(weights * kept, axis=-1) / lib.sum(weights, axis=-1)
    return lib.where(poisoned, np.nan, mean)


def _like(array: Array, other: Array) -> Array:
    """`array` with the leading axes of `other`, written out because ranks must agree."""
    return library(array).broadcast_to(array, other.shape)
