"""The door of a path: what a caller hands over, checked and made ready before any work."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from jaxlr import losses
from jaxlr.pytypes import Array, Batch


class Given(NamedTuple):
    """What was asked, in float64 on the host.

    Attributes:
      x: [N, D].
      labels: [T, N].
      weights: [F, N], the sample's times the fold's; every row sums to 1.
      lambdas: [K], or None for a grid of one's own.
      l1_ratios: [A].
      num_classes: C, or None for a loss of a scalar.
      axes: which of targets, folds and l1_ratios the caller gave as an axis.
    """

    x: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    lambdas: np.ndarray | None
    l1_ratios: np.ndarray
    num_classes: int | None
    axes: tuple[bool, bool, bool]


def given(
    batch: Batch,
    lambdas: Sequence[float] | Array | None,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Sequence[float],
    fold_weights: Array | None,
    num_classes: int | None,
) -> Given:
    """Checks everything; a ValueError names the argument, its value and the cure."""
    x = np.asarray(batch.x, np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"x must be [N, D] with a row and a column at least; its shape is {x.shape}"
        )
    _all_finite("x", x)
    labels = np.asarray(batch.labels)
    if labels.ndim not in (1, 2) or labels.shape[-1] != len(x) or not labels.size:
        raise ValueError(
            f"labels must be [N] or [T, N] with N = {len(x)} rows; their shape is {labels.shape}"
        )
    one_target, labels = labels.ndim == 1, np.atleast_2d(labels)
    weights = _weights(batch.weights, fold_weights, len(x))
    l1_ratios = np.atleast_1d(np.asarray(l1_ratio, np.float64))
    if l1_ratios.ndim != 1 or not np.all((l1_ratios >= 0) & (l1_ratios <= 1)):
        raise ValueError(f"l1_ratio must lie between 0 (ridge) and 1 (lasso), and is {l1_ratio}")
    labels, num_classes = _labels(labels, weights, loss, num_classes)
    return Given(
        x,
        labels,
        weights,
        None if lambdas is None else _lambdas(lambdas),
        l1_ratios,
        num_classes,
        (not one_target, fold_weights is not None, np.ndim(l1_ratio) > 0),
    )


def _lambdas(lambdas) -> np.ndarray:
    lambdas = np.asarray(lambdas, np.float64)
    if lambdas.ndim != 1 or not len(lambdas):
        raise ValueError(f"lambdas must be [K], one at least; their shape is {lambdas.shape}")
    bad = lambdas[~((lambdas >= 0) & np.isfinite(lambdas))]
    if len(bad):
        raise ValueError(f"lambdas must be finite and at least 0, and one is {bad[0]}")
    if np.any(np.diff(lambdas) >= 0):
        raise ValueError(
            "lambdas must descend, from the strongest penalty to the weakest; sort them with"
            " jnp.sort(lambdas)[::-1], each once"
        )
    return lambdas


def _weights(weights, fold_weights, num_rows: int) -> np.ndarray:
    weights = np.ones(num_rows) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (num_rows,):
        raise ValueError(f"weights must be [N] = [{num_rows}]; their shape is {weights.shape}")
    folds = np.ones((1, num_rows)) if fold_weights is None else np.asarray(fold_weights, np.float64)
    if folds.ndim != 2 or folds.shape[1] != num_rows or not len(folds):
        raise ValueError(f"fold_weights must be [F, N] = [F, {num_rows}]; got {folds.shape}")
    for name, values in (("weights", weights), ("fold_weights", folds)):
        if not np.all((values >= 0) & np.isfinite(values)):
            raise ValueError(f"{name} must be finite and at least 0; leave a row out with 0")
    product = weights * folds
    totals = product.sum(axis=1)
    if not totals.all():
        raise ValueError(
            f"the weights of fold {int(np.argmin(totals))} are all zero: nothing to fit"
            if fold_weights is not None
            else "weights are all zero: nothing to fit"
        )
    return product / totals[:, None]


def _labels(labels, weights, loss, num_classes) -> tuple[np.ndarray, int | None]:
    if not (np.issubdtype(labels.dtype, np.number) or labels.dtype == bool):
        raise ValueError(f"labels must be numbers, and are {labels.dtype}: encode them first")
    whole = not np.issubdtype(labels.dtype, np.floating)
    if not whole:
        _all_finite("labels", labels)
    if loss is losses.softmax_cross_entropy or num_classes is not None:
        if not whole:
            raise ValueError(
                f"labels must be integer classes for this loss, and are {labels.dtype}"
            )
        if labels.min() < 0:
            raise ValueError(f"labels must be classes from 0, and one is {labels.min()}")
        largest = int(labels.max())
        if num_classes is not None and largest >= num_classes:
            raise ValueError(
                f"labels go up to class {largest}, and num_classes is {num_classes}: declare"
                f" at least {largest + 1}"
            )
        num_classes = largest + 1 if num_classes is None else num_classes
    elif loss is losses.log_loss and (labels.min() < 0 or labels.max() > 1):
        raise ValueError(
            "labels must be 0, 1 or a probability for log_loss, and go from"
            f" {labels.min()} to {labels.max()}; more classes are for softmax_cross_entropy"
        )
    if loss in (losses.softmax_cross_entropy, losses.log_loss):
        _tell_apart(labels[:, weights.sum(axis=0) > 0])
    return labels, num_classes


def _tell_apart(labels) -> None:
    same = labels.min(axis=1) == labels.max(axis=1)
    for target in np.flatnonzero(same & (labels[:, 0] == np.floor(labels[:, 0]))):
        raise ValueError(
            f"labels of target {target} are constant ({labels[target, 0]}) on the rows with"
            " weight: there is nothing to tell apart"
        )


def _all_finite(name: str, values: np.ndarray) -> None:
    finite = np.isfinite(values)
    if not finite.all():  # looking for where takes twice as long
        bad = np.argwhere(~finite)
        at = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must be finite; {name}{list(at)} is {values[at]} ({len(bad)} such entries):"
            " fill or drop them first"
        )
