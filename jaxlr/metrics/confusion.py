"""The confusion tensor: the sum over examples from which everything thresholded follows.

A sum over examples is mergeable: confusions of batches, folds or devices (`psum`) simply add. Two
shapes of it are used, both with truth first and prediction second:

- `[..., C, C]`: weight of the examples of each (true class, predicted class);
- `[..., C, 2, 2]`: the same question asked of each class against the rest,
  [[TN, FP], [FN, TP]].

Counts of unweighted examples are integers, hence exact; weights are added up in float64.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.coding import Coded, coded
from jaxlr.metrics.wide import library, poison, ratio, real, wide
from jaxlr.pytypes import Array


@wide
def confusion_matrix(
    y_true, y_pred, *, labels=None, sample_weight=None, normalize=None, num_classes=None
) -> Array:
    """Weight of the examples of each (true class, predicted class).

    Args:
      y_true: [N] labels of any kind; inside `jit` integers 0…num_classes-1.
      y_pred: [N] likewise.
      labels: which classes, in which order; static. Rows of other classes are left out.
      sample_weight: [N], or None for ones.
      normalize: None, or "true", "pred" or "all" to divide by the row, column or total sum.
      num_classes: C, static; needed inside `jit` unless `labels` says it.

    Returns:
      [C, C], row = truth, column = prediction; integers when no weight is fractional. Where a
      label is out of range inside `jit`, every cell is -1 (integers) or NaN.

    Raises:
      ValueError: arguments that can't be what they claim; see `checks`.
    """
    checks.one_of("normalize", normalize, (None, "true", "pred", "all"))
    rows = coded(
        y_true, y_pred, sample_weight=sample_weight, labels=labels, num_classes=num_classes
    )
    asked = asked_square(rows)
    return asked if normalize is None else normalized(asked, normalize)


@wide
def multilabel_confusion_matrix(
    y_true, y_pred, *, sample_weight=None, labels=None, samplewise=False, num_classes=None
) -> Array:
    """Each class against the rest: [C, 2, 2] = [[TN, FP], [FN, TP]].

    Args:
      y_true: [N] labels, or [N, C] indicators 0 or 1.
      y_pred: likewise.
      sample_weight: [N], or None for ones.
      labels: which classes, in which order; static. Other classes still count as the rest.
      samplewise: instead one table for each row of the indicators, [N, 2, 2].
      num_classes: C, static; needed inside `jit` for labels.
    """
    rows = coded(
        y_true, y_pred, sample_weight=sample_weight, labels=labels, num_classes=num_classes
    )
    return tables(rows, samplewise)


def square(rows: Coded) -> Array:
    """[K, K] counts of every class present, poisoned where a check failed."""
    cells = counted(rows.y_true, rows.y_pred, rows.weights, len(rows.classes))
    return poison(cells, rows.ok)


def asked_square(rows: Coded) -> Array:
    """[C, C] counts of the classes asked for."""
    if rows.kind == "multilabel":
        raise ValueError("y_true must be one label a row, and is indicators [N, C]")
    if rows.num_asked < len(rows.classes) and not checks.traced(rows.y_true):
        checks.require((rows.y_true < rows.num_asked).any(), "labels must name one in y_true")
    return square(rows)[: rows.num_asked, : rows.num_asked]


def tables(rows: Coded, samplewise: bool = False) -> Array:
    """[C, 2, 2] for the classes asked for; [N, 2, 2], one table a row, when samplewise."""
    if rows.kind == "multilabel":
        asked = rows.classes[: rows.num_asked]
        y_true, y_pred = rows.y_true[:, asked], rows.y_pred[:, asked]
        return poison(_indicator_tables(y_true, y_pred, rows.weights, samplewise), rows.ok)
    if samplewise:
        raise ValueError("samplewise needs indicators [N, C], and y_true holds one label a row")
    return one_vs_rest(square(rows))[: rows.num_asked]


def counted(y_true, y_pred, weights, num_classes: int):
    """The sum itself, over codes known to be in 0…num_classes (the last meaning "none")."""
    stop = num_classes * num_classes
    lib = library(y_true, y_pred, weights)
    inside = (y_true < num_classes) & (y_pred < num_classes)
    cell = lib.where(inside, y_true * num_classes + y_pred, stop).astype(np.int32)
    add = _tallied if lib is np else _scattered
    return add(cell, _units(weights), stop + 1)[:stop].reshape(num_classes, num_classes)


def _tallied(cell: np.ndarray, one: np.ndarray, size: int) -> np.ndarray:
    if one.ndim == 0:
        return np.bincount(cell, minlength=size)
    counts = np.zeros(size, one.dtype)
    np.add.at(counts, cell, one)  # not bincount, which adds integers up in float64
    return counts


@functools.partial(jax.jit, static_argnums=2)
def _scattered(cell: Array, one: Array, size: int) -> Array:
    # One serial scatter-add beats one-hot matrix products by 5 to 50 times on a CPU.
    return jnp.zeros(size, one.dtype).at[cell].add(one, mode="promise_in_bounds")


@wide
def one_vs_rest(confusion: Array) -> Array:
    """[..., C, C] -> [..., C, 2, 2]: each class's [[TN, FP], [FN, TP]]."""
    lib = library(confusion)
    confusion = lib.asarray(confusion)
    whole = np.issubdtype(confusion.dtype, lib.integer)
    confusion = confusion.astype(np.int64 if whole else np.float64)
    tp = lib.diagonal(confusion, axis1=-2, axis2=-1)
    fn = lib.sum(confusion, axis=-1) - tp
    fp = lib.sum(confusion, axis=-2) - tp
    total = lib.sum(confusion, axis=(-2, -1))[..., None]
    tn = total - tp - fn - fp
    if not whole:
        return _table(tn, fp, fn, tp)
    fine = lib.all(confusion >= 0, axis=(-2, -1))[..., None, None, None]
    return lib.where(fine, _table(tn, fp, fn, tp), -1)


def normalized(confusion: Array, over: str) -> Array:
    """Shares of the true class, of the predicted class, or of all; 0 where there is nothing."""
    axis = {"true": -1, "pred": -2, "all": (-2, -1)}[over]
    cells = real(confusion)
    return ratio(cells, cells.sum(axis=axis, keepdims=True))


def _indicator_tables(y_true: Array, y_pred: Array, weights: Array | None, samplewise: bool):
    weight = _units(weights)
    weight = weight if weights is None else weight[:, None]
    lib, axis = library(y_true, y_pred, weight), 1 if samplewise else 0
    cells = [
        lib.sum(lib.where((y_true == t) & (y_pred == p), weight, 0), axis=axis, dtype=weight.dtype)
        for t in (0, 1)
        for p in (0, 1)
    ]
    return _table(*cells)


def _units(weights: Array | None) -> Array:
    """What each row adds: integers as long as no weight is fractional."""
    if weights is None:
        return np.asarray(1, np.int32)
    whole = np.issubdtype(weights.dtype, np.integer)
    return weights.astype(np.int64 if whole else np.float64)


def _table(tn: Array, fp: Array, fn: Array, tp: Array) -> Array:
    lib = library(tn)
    return lib.stack([lib.stack([tn, fp], -1), lib.stack([fn, tp], -1)], -2)
