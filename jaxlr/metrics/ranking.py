"""The area under the ROC curve and average precision, for two classes, many, and many labels."""

import functools
from collections.abc import Callable
from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import areas, checks
from jaxlr.metrics.columns import Taken, column_of, taken
from jaxlr.metrics.curves import vertices
from jaxlr.metrics.labels import classes_of, distinct, indicators, labels_in, named
from jaxlr.metrics.wide import mean, poison, total_of, wide
from jaxlr.pytypes import Array

AVERAGES = (None, "micro", "macro", "weighted", "samples")


@wide
def roc_auc_score(
    y_true,
    y_score,
    *,
    average="macro",
    sample_weight=None,
    max_fpr=None,
    multi_class="raise",
    labels=None,
    undefined=np.nan,
) -> Array:
    """The share of (positive, negative) pairs in the right order, a tie counting one half.

    Args:
      y_true: [N] labels, the greater of two being positive, or [N, C] indicators; inside `jit`
        0 or 1, or 0…C-1 beside scores [N, C].
      y_score: [N] for two classes; [N, C] for more, and for indicators.
      average: over columns or pairs: None, "micro", "macro", "weighted", "samples".
      sample_weight: [N], or None for ones.
      max_fpr: area left of this false positive rate only, standardised; two classes only.
      multi_class: "ovr" (each class against the rest) or "ovo" (each pair; Hand & Till 2001), when
        y_true [N] meets scores [N, C].
      labels: the class of each column, sorted, when y_true doesn't show them all.
      undefined: the area of a column in which only one class occurs.

    Returns:
      [], or [C] with average None. Without weights, exactly pairs won / pairs, rounded once.

    Raises:
      ValueError: unknown average or multi_class, shapes that don't fit, NaN or infinite scores.
    """
    checks.one_of("average", average, AVERAGES)
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise ValueError(f"max_fpr must lie in (0, 1], and is {max_fpr}")
    part = None if max_fpr in (None, 1) else float(max_fpr)
    metric = functools.partial(_compared, "auc", max_fpr=part, undefined=undefined)
    rows = taken(y_true, y_score, sample_weight)
    if rows.truth.ndim == 1 and rows.scores.ndim == 2:
        return _multiclass(metric, rows, multi_class, average, labels, part)
    if rows.truth.ndim == 2:
        *parts, ok = _indicator_columns(rows)
        return poison(metric("columns", average, *parts), ok)
    column = column_of(_two_classes(rows), None)
    area = _area(column.scores, column.positive, column.weights, undefined, max_fpr=part)
    return poison(area, column.ok)


@wide
def average_precision_score(
    y_true, y_score, *, average="macro", pos_label=1, sample_weight=None
) -> Array:
    """Σ over thresholds of (recall gained) × precision; nothing interpolated.

    Args:
      y_true: [N] labels or [N, C] indicators; inside `jit` 0 or 1, or 0…C-1 beside scores [N, C].
      y_score: [N], or [N, C] for more than two classes and for indicators.
      average: over columns: None, "micro", "macro", "weighted", "samples".
      pos_label: the positive one of two labels; static.
      sample_weight: [N], or None for ones.

    Returns:
      [], or [C] with average None; 0 for a column without positives.
    """
    checks.one_of("average", average, AVERAGES)
    rows = taken(y_true, y_score, sample_weight)
    if rows.truth.ndim == 2 or rows.scores.ndim == 2:
        if pos_label != 1:
            raise ValueError(f"pos_label must be 1 for scores [N, C], and is {pos_label!r}")
        if rows.truth.ndim == 1:
            rows = _one_hot(rows, None)
        *parts, ok = _indicator_columns(rows)
        return poison(_compared("precision", "columns", average, *parts), ok)
    if not checks.traced(rows.truth, rows.weights):
        _require_two_classes(_labels(rows).truth, pos_label)
    elif checks.traced(rows.truth) and pos_label == 1:
        pos_label = None  # where labels can't be read, 1 also means that they are 0 or 1
    column = column_of(rows, pos_label)
    return poison(_precision(column.scores, column.positive, column.weights), column.ok)


@jax.jit
def _area(scores, positive, weights, undefined, *, max_fpr=None) -> Array:
    if weights is None and max_fpr is None:
        area = areas.pair_share(scores, positive)
    else:
        curve = vertices(scores, positive, weights)
        share = areas.weighted_pair_share(curve)
        area = share if max_fpr is None else areas.partial_pair_share(curve, max_fpr)
    return jnp.where(jnp.isnan(area), undefined, area)


@jax.jit
def _precision(scores: Array, positive: Array, weights: Array | None) -> Array:
    if weights is None:
        return areas.precision_area(scores, positive)
    return areas.weighted_precision_area(vertices(scores, positive, weights))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _compared(figure, how, average, truth, scores, weights, *, undefined=np.nan, max_fpr=None):
    """AUC or precision of "columns" of [N, C], or of their "pairs", averaged: one program."""

    def metric(scores, positive, weights):
        if figure == "precision":
            return _precision(scores, positive, weights)
        return _area(scores, positive, weights, undefined, max_fpr=max_fpr)

    compare = _columns if how == "columns" else _pairs
    return compare(metric, truth, scores, weights, average)


def _columns(metric: Callable, truth, scores, weights, average) -> Array:
    """`metric` of each column of indicators and scores [N, C], averaged."""
    if average == "micro":
        spread = None if weights is None else jnp.repeat(weights, truth.shape[1])
        return metric(scores.reshape(-1), truth.reshape(-1), spread)
    if average == "samples":
        return mean(jax.vmap(metric, (0, 0, None))(scores, truth, None), weights)
    values = jax.vmap(metric, (1, 1, None))(scores, truth, weights)
    if average is None:
        return values
    if average == "macro":
        return jnp.mean(values)
    support = total_of(truth, weights)
    heard = jnp.sum(jnp.where(support == 0, 0.0, support * values))
    return heard / jnp.maximum(jnp.sum(support), jnp.finfo(jnp.float64).tiny)


def _pairs(metric: Callable, hot, scores, weights, average) -> Array:
    """One against one: for each pair both columns' areas among the rows of those two classes."""
    first, second = np.asarray(list(combinations(range(hot.shape[1]), 2))).T

    def pair(a, b):
        among = hot[:, a] | hot[:, b]
        mask = among.astype(jnp.int32) if weights is None else jnp.where(among, weights, 0)
        one = metric(scores[:, a], hot[:, a], mask)
        other = metric(scores[:, b], hot[:, b], mask)
        met = jnp.any(hot[:, a] & (mask > 0)) & jnp.any(hot[:, b] & (mask > 0))
        return (one + other) / 2, met, jnp.sum(mask).astype(jnp.float64)

    values, met, prevalence = jax.lax.map(lambda ab: pair(*ab), (first, second))
    # A class that doesn't occur makes no pairs, so it is left out of the average.
    weight = jnp.where(met, prevalence if average == "weighted" else 1.0, 0.0)
    total = jnp.sum(weight)
    return jnp.sum(jnp.where(met, weight * values, 0.0)) / jnp.where(total > 0, total, jnp.nan)


def _indicator_columns(rows: Taken):
    """(truth as booleans [N, C], scores, weights, verdict)."""
    truth, scores, weights, ok = rows
    if truth.shape != scores.shape:
        raise ValueError(
            f"y_true and y_score must have one shape [N, C], and have {truth.shape} and "
            f"{scores.shape}"
        )
    if truth.dtype != bool:
        truth, valid = indicators("y_true", truth, weights)
        ok = checks.both(ok, valid)
    weights = None if weights is None else jnp.asarray(weights)
    return jnp.asarray(truth), jnp.asarray(scores), weights, ok


def _multiclass(metric, rows: Taken, multi_class, average, labels, max_fpr):
    if max_fpr is not None:
        raise ValueError(f"max_fpr must be None for more than two classes, and is {max_fpr}")
    checks.one_of("multi_class", multi_class, ("ovr", "ovo"))
    if average == "samples" or (multi_class == "ovo" and average not in ("macro", "weighted")):
        raise ValueError(f"average={average!r} is not defined for multi_class={multi_class!r}")
    *parts, ok = _indicator_columns(_one_hot(rows, labels))
    return poison(metric("columns" if multi_class == "ovr" else "pairs", average, *parts), ok)


def _one_hot(rows: Taken, labels) -> Taken:
    """Labels beside scores [N, C] as indicators, booleans [N, C]."""
    if labels is not None and not np.array_equal(named("labels", labels), np.unique(labels)):
        raise ValueError(f"labels must be sorted and distinct, and are {labels!r}")
    width = rows.scores.shape[1]
    codes, ok = classes_of("y_score", rows.truth, width, labels, rows.weights)
    hot = codes[:, None] == np.arange(width, dtype=codes.dtype)[None, :]
    return rows._replace(truth=hot, ok=checks.both(rows.ok, ok))


def _labels(rows: Taken) -> Taken:
    truth, ok = labels_in("y_true", rows.truth, rows.weights)
    return rows._replace(truth=truth, ok=checks.both(rows.ok, ok))


def _require_two_classes(truth: np.ndarray, pos_label) -> None:
    present = distinct(truth)
    if len(present) > 2:
        raise ValueError(
            f"y_score must have a column for each of the {len(present)} classes, shape [N, C]"
        )
    if len(present) == 2 and pos_label not in present.tolist():
        raise ValueError(f"pos_label={pos_label!r} must be one of {present.tolist()}")


def _two_classes(rows: Taken) -> Taken:
    """0 and 1 for the lesser and the greater of two labels; 0/1 and -1/1 mean what they say."""
    rows = _labels(rows)
    if checks.traced(rows.truth):
        return rows
    present = distinct(rows.truth)
    if checks.traced(rows.weights) and len(present) > 2:
        return rows  # a third label may be that of an absent row: 0 and 1, as inside jit
    _require_two_classes(rows.truth, present[-1])
    number = rows.truth.dtype.kind == "i"
    plain = number and (set(present.tolist()) <= {0, 1} or len(present) < 2)
    return rows._replace(truth=(rows.truth == (1 if plain else present[-1])).astype(np.int32))
