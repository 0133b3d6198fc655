"""Every thresholded figure as a pure function of a confusion tensor.

A figure is one formula on counts. Leading axes of a tensor are lanes, so a sweep's figures come
from one tensor `[L, C, C]` without a `vmap`, and after a `psum` or a merge just as well.
Tables `[..., C, 2, 2]` are [[TN, FP], [FN, TP]] of each class against the rest (`one_vs_rest`).
"""

import jax.numpy as jnp

from jaxlr.metrics import checks
from jaxlr.metrics.wide import ratio, real, wide
from jaxlr.pytypes import Array

AVERAGES = (None, "binary", "micro", "macro", "weighted", "samples")


@wide
def accuracy(confusion: Array) -> Array:
    """The share of rows on the diagonal of [..., C, C]; NaN of nothing."""
    cells = real(confusion)
    return jnp.trace(cells, axis1=-2, axis2=-1) / jnp.sum(cells, axis=(-2, -1))


@wide
def balanced_accuracy(confusion: Array, adjusted: bool = False) -> Array:
    """Mean recall over the classes that occur; adjusted so that chance is 0 and perfect is 1."""
    cells = real(confusion)
    support = jnp.sum(cells, axis=-1)
    recalls = ratio(jnp.diagonal(cells, axis1=-2, axis2=-1), support, 0.0)
    occurring = jnp.sum(support > 0, axis=-1).astype(jnp.float64)
    score = jnp.sum(recalls, axis=-1) / occurring
    if adjusted:
        chance = 1 / occurring
        score = (score - chance) / (1 - chance)
    return score


@wide
def matthews_corrcoef(confusion: Array) -> Array:
    """Correlation of truth and prediction (Gorodkin 2004); 0 when either never varies."""
    cells = real(confusion)
    truth, predicted = jnp.sum(cells, axis=-1), jnp.sum(cells, axis=-2)
    total = jnp.sum(truth, axis=-1)
    right = jnp.trace(cells, axis1=-2, axis2=-1)
    covariance = right * total - jnp.sum(truth * predicted, axis=-1)
    # total² - Σ truth², written as a sum of products so that a rare class isn't cancelled away
    truth_spread = jnp.sum(truth * (total[..., None] - truth), axis=-1)
    predicted_spread = jnp.sum(predicted * (total[..., None] - predicted), axis=-1)
    return ratio(covariance, jnp.sqrt(truth_spread) * jnp.sqrt(predicted_spread), 0.0)


@wide
def cohen_kappa(confusion: Array, weights: str | None = None, undefined: float = jnp.nan) -> Array:
    """Agreement beyond chance; weights "linear" or "quadratic" for ordered classes."""
    checks.one_of("weights", weights, (None, "linear", "quadratic"))
    cells = real(confusion)
    columns, rows = jnp.sum(cells, axis=-2), jnp.sum(cells, axis=-1)
    total = jnp.sum(rows, axis=-1)
    classes = jnp.arange(cells.shape[-1], dtype=jnp.float64)
    apart = jnp.abs(classes[:, None] - classes[None, :])
    cost = {None: jnp.minimum(apart, 1), "linear": apart, "quadratic": apart**2}[weights]
    observed = jnp.sum(cells * _like(cost, cells), axis=(-2, -1))
    expected = jnp.einsum("...i,...j,ij->...", rows, columns, cost)
    disagreement = ratio(observed * total, expected, 1 - undefined)
    return 1 - disagreement


@wide
def precision(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FP) of tables [..., C, 2, 2]: of those flagged, how many truly are."""
    return _figure(table, average, zero_division, lambda tn, fp, fn, tp: (tp, tp + fp), **options)


@wide
def recall(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FN) of tables [..., C, 2, 2]: of those that are, how many flagged."""
    return _figure(table, average, zero_division, lambda tn, fp, fn, tp: (tp, tp + fn), **options)


@wide
def specificity(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TN / (TN + FP) of tables [..., C, 2, 2]: of those that aren't, how many left alone."""
    return _figure(table, average, zero_division, lambda tn, fp, fn, tp: (tn, tn + fp), **options)


@wide
def jaccard(table: Array, average: str | None = None, zero_division: float = 0.0, **options):
    """TP / (TP + FP + FN) of tables [..., C, 2, 2]: intersection over union."""
    return _figure(
        table, average, zero_division, lambda tn, fp, fn, tp: (tp, tp + fp + fn), **options
    )


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
    if beta == jnp.inf:
        return recall(table, average, zero_division, **options)
    square = beta**2

    def parts(tn, fp, fn, tp):
        return (1 + square) * tp, square * (tp + fn) + (tp + fp)

    return _figure(table, average, zero_division, parts, **options)


@wide
def likelihood_ratios(confusion: Array, undefined: tuple = (jnp.nan, jnp.nan)):
    """(LR+, LR-) = (recall / (1 - specificity), (1 - recall) / specificity) of [..., 2, 2].

    `undefined` stands where the denominator is empty; without positives both are NaN.
    """
    tn, fp, fn, tp = split(confusion)
    positives, negatives = tp + fn, tn + fp
    plus = ratio(tp * negatives, fp * positives, jnp.nan)
    minus = ratio(fn * negatives, tn * positives, jnp.nan)
    plus = jnp.where(fp == 0, undefined[0], plus)
    minus = jnp.where(tn == 0, undefined[1], minus)
    return plus, minus


@wide
def average_table(table: Array) -> Array:
    """[..., C, 2, 2] -> [..., 2, 2]: TN, FP, FN, TP averaged over classes, the lecture's micro.

    Any figure of it equals the figure of the sums, since the C cancels in every ratio.
    """
    return jnp.mean(real(table), axis=-3)


def split(table: Array) -> tuple[Array, Array, Array, Array]:
    """(TN, FP, FN, TP) of [..., 2, 2], as float64."""
    cells = real(table)
    return cells[..., 0, 0], cells[..., 0, 1], cells[..., 1, 0], cells[..., 1, 1]


def _figure(table, average, zero_division, parts, *, weights=None, skip_undefined=True) -> Array:
    """A ratio of counts, averaged over the axis of classes (of rows, when "samples")."""
    checks.one_of("average", average, AVERAGES)
    if average == "micro":
        table = average_table(table)[..., None, :, :]
    tn, fp, fn, tp = split(table)
    values = ratio(*parts(tn, fp, fn, tp), zero_division)
    if average is None:
        return values
    if average == "weighted":
        weights = fn + tp
    elif average != "samples":
        weights = None
    return _average(values, weights, skip_undefined, poisoned=jnp.any(jnp.isnan(tp), axis=-1))


def _average(values: Array, weights: Array | None, skip_undefined: bool, poisoned: Array) -> Array:
    """Mean over the last axis; values left undefined (zero_division NaN) don't take part."""
    weights = jnp.ones_like(values) if weights is None else _like(real(weights), values)
    if skip_undefined:
        weights = jnp.where(jnp.isnan(values), 0.0, weights)
        plain = jnp.where(jnp.isnan(values), 0.0, 1.0)
    else:
        plain = jnp.ones_like(values)
    # Weights that are all zero say nothing, so every class counts the same.
    silent = jnp.sum(weights, axis=-1, keepdims=True) == 0
    weights = jnp.where(silent, plain, weights)
    kept = jnp.where(weights == 0, 0.0, values)
    mean = jnp.sum(weights * kept, axis=-1) / jnp.sum(weights, axis=-1)
    return jnp.where(poisoned, jnp.nan, mean)


def _like(array: Array, other: Array) -> Array:
    """`array` with the leading axes of `other`, written out because ranks must agree."""
    return jnp.broadcast_to(array, other.shape)
