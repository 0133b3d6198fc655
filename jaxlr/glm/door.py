"""The door of a path: what a caller hands over, checked and made ready before any work."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from jaxlr import losses
from jaxlr.data import containers
from jaxlr.glm.losses import Loss, recognised
from jaxlr.pytypes import Array, Batch


class Given(NamedTuple):
    """What was asked, in float64 on the host, without the rows that have no weight.

    Attributes:
      x: [N, D].
      labels: [T, N], in float64, or as wide as int64 where they are integers.
      weights: [F, N], the sample's times the fold's; every row sums to 1.
      lambdas: [K], or None for a grid of one's own.
      l1_ratios: [A].
      num_classes: C, or None for a loss of a scalar.
      axes: which of targets, folds and l1_ratios the caller gave as an axis.
      counted: which of the caller's rows these N are.
      fit_intercept: whether there is an intercept.
      shrink: what every λ is multiplied by, [F] for each fold its own.
    """

    x: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    lambdas: np.ndarray | None
    l1_ratios: np.ndarray
    num_classes: int | None
    axes: tuple[bool, bool, bool]
    counted: np.ndarray
    fit_intercept: bool = True
    shrink: np.ndarray | float = 1.0


def given(
    batch: Batch,
    lambdas: Sequence[float] | Array | None,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Sequence[float],
    fold_weights: Array | None,
    num_classes: int | None,
    *,
    held_out: bool = False,
    fit_intercept: bool = True,
) -> Given:
    """Checks everything; a ValueError names the argument, its value and the cure.

    A row without weight is absent, whatever stands in it; `held_out` says that a row of the batch
    counts that has no weight in any fold.
    """
    if not all(hasattr(batch, name) for name in Batch._fields):
        raise ValueError(
            f"the first argument must be a jaxlr.Batch, and is of type {type(batch).__name__}:"
            " give Batch(x, labels)"
        )
    x = containers.array("x", batch.x)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"x must be [N, D] with a row and a column at least; its shape is {x.shape}"
        )
    labels = containers.array("labels", batch.labels)
    if labels.ndim not in (1, 2) or labels.shape[-1] != len(x) or not labels.size:
        raise ValueError(
            f"labels must be [N] or [T, N] with N = {len(x)} rows; their shape is {labels.shape}"
        )
    weights, counted = _weights(batch.weights, fold_weights, len(x), held_out)
    l1_ratios = np.atleast_1d(containers.numbers("l1_ratio", l1_ratio))
    if l1_ratios.ndim != 1 or not np.all((l1_ratios >= 0) & (l1_ratios <= 1)):
        raise ValueError(f"l1_ratio must lie between 0 (ridge) and 1 (lasso), and is {l1_ratio}")
    columns, absent = getattr(batch.x, "columns", None), None if counted.all() else ~counted
    rows = None if absent is None else absent[:, None]
    x = containers.numbers("x", x, rows, columns)
    containers.finite("x", x, rows, columns)
    if absent is not None:
        x, weights = x[counted], weights[:, counted]
    axes = (labels.ndim == 2, fold_weights is not None, np.ndim(l1_ratio) > 0)
    loss = recognised(loss)
    if isinstance(loss, Loss):
        num_classes = loss.num_outputs if loss.multiclass else None
    labels, num_classes = _labels(labels, counted, loss, num_classes)
    lambdas = None if lambdas is None else _lambdas(lambdas)
    of_rows = x, labels, weights, lambdas, l1_ratios, num_classes, axes, counted
    return Given(*of_rows, bool(fit_intercept))


def _lambdas(lambdas) -> np.ndarray:
    lambdas = containers.numbers("lambdas", lambdas)
    if lambdas.ndim != 1 or not len(lambdas):
        raise ValueError(f"lambdas must be [K], one at least; their shape is {lambdas.shape}")
    bad = lambdas[~((lambdas >= 0) & np.isfinite(lambdas))]
    if len(bad):
        raise ValueError(f"lambdas must be finite and at least 0, and one is {bad[0]}")
    return lambdas


def _weights(weights, fold_weights, num_rows, held_out) -> tuple[np.ndarray, np.ndarray]:
    """[F, N] of every fold, summing to 1, and which rows count."""
    weights = np.ones(num_rows) if weights is None else containers.numbers("weights", weights)
    if weights.shape != (num_rows,):
        raise ValueError(f"weights must be [N] = [{num_rows}]; their shape is {weights.shape}")
    folds = np.ones((1, num_rows))
    if fold_weights is not None:
        folds = containers.numbers("fold_weights", fold_weights)
    if folds.ndim != 2 or folds.shape[1] != num_rows or not len(folds):
        raise ValueError(f"fold_weights must be [F, N] = [F, {num_rows}]; got {folds.shape}")
    for name, values in (("weights", weights), ("fold_weights", folds)):
        if not np.all((values >= 0) & np.isfinite(values)):
            raise ValueError(f"{name} must be finite and at least 0; leave a row out with 0")
    # Only their proportions matter, and products of shares neither overflow nor vanish.
    product = _shares(weights) * _shares(folds)
    empty = np.flatnonzero(~product.any(axis=1))
    if len(empty):
        raise ValueError(
            f"the weights of fold {empty[0]} are all zero: nothing to fit"
            if fold_weights is not None
            else "weights are all zero: nothing to fit"
        )
    counted = weights > 0 if held_out else product.any(axis=0)
    return product / product.sum(axis=1, keepdims=True), counted


def _shares(weights):
    """Of the largest, unless all are 0."""
    top = weights.max(axis=-1, keepdims=True)
    return weights / np.where(top > 0, top, 1)


def _labels(labels, counted, loss, num_classes) -> tuple[np.ndarray, int | None]:
    """[T, N] of the rows that count, and C."""
    every, labels = labels, labels[..., counted]
    try:
        labels = containers.plain("labels", labels)
    except containers.NumbersError:
        bad = next(v for v in labels.flat if not isinstance(v, int | float))
        raise ValueError(
            f"labels must be numbers, and one is {containers.short(bad)} ({every.dtype}): code them"
            " by np.unique(labels, return_inverse=True)[1]"
        ) from None
    whole = labels.dtype.kind in "biu"
    if not whole:
        every = containers.numbers("labels", every, ~counted)
        containers.finite("labels", every, ~counted)
        labels = every[..., counted]
    if loss is losses.softmax_cross_entropy or num_classes is not None:
        num_classes = _num_classes(labels, whole, num_classes)
    elif loss is losses.log_loss and (labels.min() < 0 or labels.max() > 1):
        raise ValueError(
            "labels must be 0, 1 or a probability for log_loss, and go from"
            f" {labels.min()} to {labels.max()}; more classes are for softmax_cross_entropy"
        )
    if whole and num_classes is None:
        containers.numbers("labels", labels)  # which warns of what float64 can't hold
    if whole and labels.dtype != bool:  # uint64 becomes float64
        labels = labels.astype(np.promote_types(labels.dtype, np.int64))
    return np.atleast_2d(labels), num_classes


def _num_classes(labels, whole, num_classes) -> int:
    if not whole:
        raise ValueError(
            f"labels must be integer classes for this loss, and are {labels.dtype}: if all are"
            " whole, give labels.astype(int)"
        )
    if labels.min() < 0:
        raise ValueError(f"labels must be classes from 0, and one is {labels.min()}")
    largest = int(labels.max())
    if num_classes is not None:
        if largest >= num_classes:
            raise ValueError(
                f"labels go up to class {largest}, and num_classes is {num_classes}: declare"
                f" at least {largest + 1}"
            )
        return num_classes
    classes = np.unique(labels)
    if len(classes) <= largest:
        gap = int(np.argmax(classes != np.arange(len(classes))))
        raise ValueError(
            f"labels go up to class {largest}, and no row is of class {gap}: code them by"
            f" np.unique(labels, return_inverse=True)[1], or declare num_classes={largest + 1}"
        )
    return max(largest + 1, 2)  # one class alone is what it would be of two
