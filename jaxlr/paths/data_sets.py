"""Data sets as lanes: x [S, N, D] is S problems of one shape, solved by the same programs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlr import losses
from jaxlr.data import containers
from jaxlr.glm import door
from jaxlr.pytypes import Batch
from jaxlr.results.axes import AXES


def given(
    batch: Batch,
    lambdas: Any,
    loss: Callable,
    l1_ratio: Any,
    fold_weights: Any,
    num_classes: int | None,
    **options: Any,
) -> tuple[list[door.Given], tuple[str, ...]]:
    """What `door.given` makes of every data set, and the axes that the caller gave.

    Raises:
      ValueError: as `door.given`, naming the data set; leading axes that don't fit.
    """
    parts = split(batch, fold_weights)
    several = parts is not None
    if several and num_classes is None and loss is losses.softmax_cross_entropy:
        num_classes = _num_classes(parts, loss)
    found = []
    for s, (own, folds) in enumerate(parts or [(batch, fold_weights)]):
        try:
            found.append(door.given(own, lambdas, loss, l1_ratio, folds, num_classes, **options))
        except ValueError as error:
            if not several:
                raise
            raise ValueError(f"data set {s}: {error}") from None
    targets, folds, ratios = found[0].axes
    kept = (targets, several, folds, ratios, True)
    return found, tuple(name for name, here in zip(AXES, kept, strict=True) if here)


def split(batch: Batch, fold_weights: Any) -> list[tuple[Batch, Any]] | None:
    """The batch and folds of every data set; None where x is that of one."""
    x = getattr(batch, "x", None)
    if np.ndim(x if hasattr(x, "ndim") else containers.array("x", x)) != 3:
        return None
    x = containers.array("x", x)
    num = len(x)
    if not num:
        raise ValueError(f"x must be [S, N, D] with a data set at least; its shape is {x.shape}")
    columns = []
    for name, values, ndim in (
        ("labels", batch.labels, 1),
        ("weights", batch.weights, 1),
        ("fold_weights", fold_weights, 2),
    ):
        values = None if values is None else containers.array(name, values)
        own = values is not None and values.ndim > ndim
        axis = values.ndim - ndim - 1 if own and name == "labels" else 0
        if own and (values.ndim > ndim + 1 + (name == "labels") or values.shape[axis] != num):
            shapes = {
                "labels": "[N], [S, N] or [T, S, N]",
                "weights": "[N] or [S, N]",
                "fold_weights": "[F, N] or [S, F, N]",
            }
            raise ValueError(
                f"{name} must be {shapes[name]} beside x {x.shape} of S = {num} data sets; their"
                f" shape is {values.shape}"
            )
        columns.append([values.take(s, axis) if own else values for s in range(num)])
    return [(Batch(*own[:3]), own[3]) for own in zip(x, *columns, strict=True)]


def _num_classes(parts, loss) -> int:
    """Of all data sets: what one of them lacks another may have."""
    labels, weights, folds = [], [], []
    for own, fold_weights in parts:
        labels.append(own.labels)
        weights.append(np.ones(len(own.x)) if own.weights is None else own.weights)
        folds.append(np.ones((1, len(own.x))) if fold_weights is None else fold_weights)
    rows = Batch(
        np.zeros((sum(map(len, weights)), 1)),
        np.concatenate(labels, axis=-1),
        np.concatenate(weights),
    )
    return door.given(rows, None, loss, 0.0, np.concatenate(folds, axis=-1), None).num_classes
