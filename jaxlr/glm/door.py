"""The door of a path: what a caller hands over, checked and made ready before any work."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlr import losses
from jaxlr.data import containers
from jaxlr.glm.losses import Loss, recognised
from jaxlr.pytypes import Array, Batch


class Given(NamedTuple):
    """What was asked, in float64 on the host, without the rows that have no weight."""

    x: np.ndarray  # [N, D]
    labels: np.ndarray  # [T, N] float64, or as wide as int64 where they are integers
    weights: np.ndarray  # [F, N], the sample's times the fold's; every row sums to 1
    sample: np.ndarray  # [N], as it was given
    folds: np.ndarray  # [F, N], likewise
    counted: np.ndarray  # which of the caller's rows these N are
    lambdas: np.ndarray | None  # [K], or None for a grid of one's own
    l1_ratios: np.ndarray  # [A]
    num_classes: int | None  # C, or None for a loss of a scalar
    axes: tuple[bool, bool, bool]  # which of targets, folds and l1_ratios the caller gave as one
    fit_intercept: bool = True
    shrink: np.ndarray | float = 1.0  # what every λ is multiplied by, [F] for each fold its own

    @property
    def codes(self) -> np.ndarray:
        """Labels [T, N] as programs take them."""
        return self.labels.astype(np.int32 if self.num_classes else np.float64)


def given(
    batch: Batch,
    lambdas: Sequence[float] | Array | None,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Sequence[float],
    fold_weights: Array | None,
    num_classes: int | None,
    *,
    refit: bool = False,
    fit_intercept: bool = True,
) -> Given:
    """Checks everything; a ValueError names the argument, its value and the cure.

    A row without weight is absent, whatever stands in it. With `refit` there is one fold more,
    which has all rows.
    """
    if not all(hasattr(batch, name) for name in Batch._fields):
        raise ValueError(
            f"the first argument must be a jaxlr.Batch, and is of type {type(batch).__name__}:"
            " give Batch(x, labels)"
        )
    x = containers.array("x", batch.x)
    require(x.ndim == 2 and x.size, "x", "[N, D] with a row and a column at least", x)
    labels = containers.array("labels", batch.labels)
    good = labels.ndim in (1, 2) and labels.size and labels.shape[-1] == len(x)
    require(good, "labels", f"[N] or [T, N] with N = {len(x)} rows", labels)
    sample, folds = _weights(batch.weights, fold_weights, len(x), refit)
    weights = shares(sample) * shares(folds)
    empty = np.flatnonzero(~weights.any(axis=1))
    if len(empty):
        whose = "weights" if fold_weights is None else f"the weights of fold {empty[0]}"
        raise ValueError(f"{whose} are all zero: nothing to fit")
    ratios = between("l1_ratio", l1_ratio, "lie between 0 (ridge) and 1 (lasso)", 1)
    require(ratios.ndim < 2 and ratios.size, "l1_ratio", "a number, or [A] of them", ratios)
    counted = weights.any(axis=0)
    absent, kept = ~counted, slice(None) if counted.all() else counted  # a slice copies nothing
    of_x = absent[:, None], getattr(batch.x, "columns", None)
    x = containers.numbers("x", x, *of_x)
    containers.finite("x", x, *of_x)
    loss = recognised(loss)
    if isinstance(loss, Loss):
        num_classes = loss.num_outputs if loss.multiclass else None
    axes = (labels.ndim == 2, fold_weights is not None, ratios.ndim > 0)
    labels, num_classes = _labels(labels, absent, kept, loss, num_classes)
    if lambdas is not None:
        lambdas = between("lambdas", lambdas, "be finite and at least 0")
        require(lambdas.ndim == 1 and lambdas.size, "lambdas", "[K], one at least", lambdas)
    weights = weights / weights.sum(axis=1, keepdims=True)
    rows = x[kept], np.atleast_2d(labels), weights[:, kept], sample[kept], folds[:, kept], counted
    return Given(*rows, lambdas, np.atleast_1d(ratios), num_classes, axes, bool(fit_intercept))


def require(good: Any, name: str, shapes: str, values: np.ndarray) -> None:
    """Raises ValueError for values of another shape than they must be of."""
    if not good:
        raise ValueError(f"{name} must be {shapes}; the shape is {values.shape}")


def between(name: str, values: Any, rule: str, most: float = np.inf) -> np.ndarray:
    """The values in float64; a ValueError that says the rule if one is not from 0 to `most`."""
    values = containers.numbers(name, values)
    good = (values >= 0) & (values <= most) & np.isfinite(values)
    if not good.all():
        raise ValueError(f"{name} must {rule}, and one is {values[~good].flat[0]}")
    return values


def shares(weights: np.ndarray) -> np.ndarray:
    """Of the largest, unless all are 0: products of these neither overflow nor vanish."""
    top = weights.max(axis=-1, keepdims=True)
    return weights / np.where(top > 0, top, 1)


def _weights(weights, fold_weights, num_rows, refit) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows [N] and of every fold [F, N]."""
    rule = "be finite and at least 0; leave a row out with 0"
    weights = np.ones(num_rows) if weights is None else weights
    weights = between("weights", weights, rule)
    require(weights.shape == (num_rows,), "weights", f"[N] = [{num_rows}]", weights)
    folds = np.ones((1, num_rows)) if fold_weights is None else fold_weights
    folds = between("fold_weights", folds, rule)
    good = folds.ndim == 2 and folds.size and folds.shape[1] == num_rows
    require(good, "fold_weights", f"[F, N] = [F, {num_rows}]", folds)
    return weights, np.concatenate([folds, np.ones((1, num_rows))]) if refit else folds


def _labels(labels, absent, kept, loss, num_classes) -> tuple[np.ndarray, int | None]:
    """Those of the rows that are kept, and C."""
    every, labels = labels, labels[..., kept]
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
        every = containers.numbers("labels", every, absent)
        containers.finite("labels", every, absent)
        labels = every[..., kept]
    if loss is losses.softmax_cross_entropy or num_classes is not None:
        num_classes = classes(labels, num_classes)
    elif loss is losses.log_loss and (labels.min() < 0 or labels.max() > 1):
        raise ValueError(
            "labels must be 0, 1 or a probability for log_loss, and go from"
            f" {labels.min()} to {labels.max()}; more classes are for softmax_cross_entropy"
        )
    if whole and num_classes is None:
        containers.numbers("labels", labels)  # which warns of what float64 can't hold
    if whole and labels.dtype != bool:  # uint64 becomes float64
        labels = labels.astype(np.promote_types(labels.dtype, np.int64))
    return labels, num_classes


def classes(labels: np.ndarray, declared: int | None) -> int:
    """C of labels that are classes, if it is not declared."""
    if labels.dtype.kind == "f":
        raise ValueError(
            f"labels must be integer classes for this loss, and are {labels.dtype}: if all are"
            " whole, give labels.astype(int)"
        )
    smallest, largest = int(labels.min()), int(labels.max())
    if smallest < 0:
        raise ValueError(f"labels must be classes from 0, and one is {smallest}")
    if declared is not None and largest >= declared:
        raise ValueError(
            f"labels go up to class {largest}, and num_classes is {declared}: declare"
            f" at least {largest + 1}"
        )
    there = np.unique(labels)
    if declared is None and len(there) <= largest:
        gap = int(np.argmax(there != np.arange(len(there))))
        raise ValueError(
            f"labels go up to class {largest}, and no row is of class {gap}: code them by"
            f" np.unique(labels, return_inverse=True)[1], or declare num_classes={largest + 1}"
        )
    return declared or max(largest + 1, 2)  # one class alone is what it would be of two
