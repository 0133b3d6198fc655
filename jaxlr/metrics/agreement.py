"""Figures of the whole prediction: accuracy and its kin, correlation, agreement beyond chance."""

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks, figures
from jaxlr.metrics.coding import coded, labels_of_both, pair_of
from jaxlr.metrics.columns import taken
from jaxlr.metrics.confusion import asked_square
from jaxlr.metrics.labels import classes_of, distinct, labels_in, named
from jaxlr.metrics.wide import library, poison, total_of, wide
from jaxlr.pytypes import Array


@wide
def accuracy_score(y_true, y_pred, *, normalize=True, sample_weight=None) -> Array:
    """The weighted share of predictions that are right; of indicators [N, C], rows all right.

    With normalize False, their number (their weight). It needs no num_classes, because equality
    doesn't.
    """
    right, weights, ok = _right(y_true, y_pred, sample_weight)
    total = total_of(right, weights)
    return poison(total / _heard(weights, right.shape[0]) if normalize else total, ok)


@wide
def zero_one_loss(y_true, y_pred, *, normalize=True, sample_weight=None) -> Array:
    """The weighted share (or with normalize False the number) of rows not wholly right."""
    right, weights, ok = _right(y_true, y_pred, sample_weight)
    total = total_of(~right, weights)
    return poison(total / _heard(weights, right.shape[0]) if normalize else total, ok)


@wide
def hamming_loss(y_true, y_pred, *, sample_weight=None) -> Array:
    """The weighted share of labels that are wrong, each cell of indicators [N, C] by itself."""
    same, weights, ok = _equal(y_true, y_pred, sample_weight)
    wrong = ~same if same.ndim == 1 else (~same).astype(np.float64).mean(axis=1)
    return poison(total_of(wrong, weights) / _heard(weights, same.shape[0]), ok)


@wide
def balanced_accuracy_score(
    y_true, y_pred, *, sample_weight=None, adjusted=False, num_classes=None
) -> Array:
    """Mean recall over the classes that occur in y_true: every class counts the same."""
    return figures.balanced_accuracy(
        _square(y_true, y_pred, sample_weight, num_classes=num_classes), adjusted
    )


@wide
def matthews_corrcoef(y_true, y_pred, *, sample_weight=None, num_classes=None) -> Array:
    """Correlation of truth and prediction, -1…1; 0 when either is constant."""
    return figures.matthews_corrcoef(
        _square(y_true, y_pred, sample_weight, num_classes=num_classes)
    )


@wide
def cohen_kappa_score(
    y1,
    y2,
    *,
    labels=None,
    weights=None,
    sample_weight=None,
    replace_undefined_by=np.nan,
    num_classes=None,
) -> Array:
    """Agreement of two raters beyond chance, 1 when they always agree.

    Args:
      y1: [N] one rater's labels.
      y2: [N] the other's.
      labels: the classes to count, static; rows of others are left out.
      weights: None (any disagreement costs 1), "linear" or "quadratic" in the classes' distance.
      sample_weight: [N], or None for ones.
      replace_undefined_by: the answer when chance agrees always, as with one class.
      num_classes: C, static; needed inside `jit`.
    """
    checks.one_of("weights", weights, (None, "linear", "quadratic"))
    confusion = _square(y1, y2, sample_weight, labels=labels, num_classes=num_classes)
    return figures.cohen_kappa(confusion, weights, replace_undefined_by)


@wide
def class_likelihood_ratios(
    y_true,
    y_pred,
    *,
    labels=None,
    sample_weight=None,
    replace_undefined_by=np.nan,
    num_classes=None,
) -> tuple[Array, Array]:
    """(LR+, LR-): how much a positive (a negative) prediction moves the odds. Two classes only."""
    confusion = _square(
        y_true,
        y_pred,
        sample_weight,
        labels=labels,
        num_classes=num_classes,
        two_classes=True,
    )
    if confusion.shape != (2, 2):
        raise ValueError(
            f"class_likelihood_ratios needs two classes, and y_true has {confusion.shape[0]}"
        )
    undefined = replace_undefined_by
    if isinstance(undefined, dict):
        if set(undefined) != {"LR+", "LR-"}:
            raise ValueError(f"replace_undefined_by needs LR+ and LR-, and is {undefined}")
        return figures.likelihood_ratios(confusion, (undefined["LR+"], undefined["LR-"]))
    return figures.likelihood_ratios(confusion, (undefined, undefined))


@wide
def top_k_accuracy_score(
    y_true, y_score, *, k=2, normalize=True, sample_weight=None, labels=None
) -> Array:
    """The share of rows whose true class is among the k best scores.

    Of equal scores the class with the higher number goes first, as a stable sort has it.

    Args:
      y_true: [N] labels; inside `jit` integers 0…C-1.
      y_score: [N, C], or [N] for two classes, where class 1 is predicted above 0 (0.5 for
        scores that all lie in 0…1, as probabilities do).
      k: static.
      normalize: False for the number (the weight) of such rows.
      sample_weight: [N], or None for ones.
      labels: the class of each column, sorted; needed when some don't occur in y_true.
    """
    k = checks.whole("k", k)
    rows = taken(y_true, y_score, sample_weight)
    scores, weights = rows.scores, rows.weights
    if labels is not None and not np.array_equal(named("labels", labels), np.unique(labels)):
        raise ValueError(f"labels must be sorted and distinct, and are {labels!r}")
    width = 2 if scores.ndim == 1 else scores.shape[1]
    if scores.ndim == 2 and rows.truth.ndim == 1 and not checks.traced(rows.truth, weights):
        present = labels
        if labels is None:
            present = distinct(labels_in("y_true", rows.truth, weights)[0])
        if len(present) != width:
            raise ValueError(
                f"labels must name the {width} columns of y_score, and there are {len(present)}"
            )
    truth, valid = classes_of("y_score", rows.truth, width, labels, weights)
    hit = _hit(truth, scores, k) if scores.ndim == 2 else _binary_hit(truth, scores, weights, k)
    total = total_of(hit, weights)
    value = total / _heard(weights, hit.shape[0]) if normalize else total
    return poison(value, checks.both(rows.ok, valid))


def _hit(truth: Array, scores: Array, k: int) -> Array:
    own = library(truth, scores).take_along_axis(scores, truth[:, None], axis=1)
    ahead = np.arange(scores.shape[1], dtype=truth.dtype)[None, :] > truth[:, None]
    return ((scores > own) | ((scores == own) & ahead)).sum(axis=1) < k


def _binary_hit(truth: Array, scores: Array, weights: Array | None, k: int) -> Array:
    if k > 1:
        return np.ones(truth.shape, bool)
    like_probability = checks.counts_or((scores >= 0) & (scores <= 1), weights).all()
    threshold = library(scores).where(like_probability, 0.5, 0.0).astype(scores.dtype)
    return (scores > threshold) == (truth == 1)


def _square(y_true, y_pred, sample_weight, **options) -> Array:
    return asked_square(coded(y_true, y_pred, sample_weight=sample_weight, **options))


def _equal(y_true, y_pred, sample_weight) -> tuple[Array, Array | None, Array | None]:
    """(whether each label is right, weights, verdict), for labels that need no codes."""
    y_true, y_pred = pair_of(y_true, y_pred)
    if not checks.traced(y_true, y_pred):
        rows = coded(y_true, y_pred, sample_weight=sample_weight)
        return rows.y_true == rows.y_pred, rows.weights, rows.ok
    weights, ok = checks.row_weights(sample_weight, y_true.shape[0])
    y_true, y_pred, good = labels_of_both(y_true, y_pred, weights)
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    # uint64 and int64 have no common type: equal bits, and on the same side of zero.
    same = (y_true.astype(jnp.int64) == y_pred.astype(jnp.int64)) & ((y_true < 0) == (y_pred < 0))
    return same, weights, checks.both(ok, good)


def _right(y_true, y_pred, sample_weight) -> tuple[Array, Array | None, Array | None]:
    same, weights, ok = _equal(y_true, y_pred, sample_weight)
    return (same if same.ndim == 1 else same.all(axis=1)), weights, ok


def _heard(weights: Array | None, num_rows: int) -> Array:
    return np.float64(num_rows) if weights is None else weights.astype(np.float64).sum()
