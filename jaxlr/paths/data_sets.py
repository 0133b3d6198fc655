"""Data sets as lanes: x [S, N, D] is S problems of one shape, solved by the same programs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from jaxlr import losses
from jaxlr.data import containers
from jaxlr.glm import door
from jaxlr.pytypes import Batch
from jaxlr.results.axes import AXES

# What comes with x [S, N, D]: its axes as told, and how many without data sets and at most.
SHAPES = {
    "labels": ("[N], [S, N] or [T, S, N]", 1, 3),
    "weights": ("[N] or [S, N]", 1, 2),
    "fold_weights": ("[F, N] or [S, F, N]", 2, 3),
}


def given(batch, lambdas, loss, l1_ratio, fold_weights, num_classes, **options):
    """What `door.given` makes of every data set, and the axes that the caller gave."""
    x = getattr(batch, "x", None)
    several = np.ndim(x if hasattr(x, "ndim") else containers.array("x", x)) == 3
    counts = several and num_classes is None and loss is losses.softmax_cross_entropy
    num_classes = sys.maxsize if counts else num_classes
    parts = _split(batch, fold_weights) if several else [(batch, fold_weights)]
    found = []
    for s, (own, folds) in enumerate(parts):
        with named(s if several else None):
            found.append(door.given(own, lambdas, loss, l1_ratio, folds, num_classes, **options))
    if counts:  # what one data set lacks another may have
        labels = np.concatenate([asked.labels for asked in found], axis=None)
        num_classes = door.classes(labels, None)
        found = [asked._replace(num_classes=num_classes) for asked in found]
    targets, folds, ratios = found[0].axes
    kept = (targets, several, folds, ratios, True)
    return found, tuple(name for name, here in zip(AXES, kept, strict=True) if here)


@contextmanager
def named(data_set: int | None) -> Iterator[None]:
    """Its number in front of what a ValueError says, if it has one."""
    try:
        yield
    except ValueError as error:
        if data_set is None:
            raise
        raise ValueError(f"data set {data_set}: {error}") from None


def _split(batch, fold_weights) -> list[tuple[Batch, Any]]:
    """The batch and folds of every data set."""
    x = containers.array("x", batch.x)
    door.require(len(x), "x", "[S, N, D] with a data set at least", x)
    columns = []
    for name, values in zip(SHAPES, (batch.labels, batch.weights, fold_weights), strict=True):
        shape, alone, most = SHAPES[name]
        values = None if values is None else containers.array(name, values)
        if values is None or values.ndim <= alone:
            columns.append([values] * len(x))
            continue
        fits = values.ndim <= most and values.shape[-alone - 1] == len(x)
        beside = f"{shape} beside x {x.shape} of S = {len(x)} data sets"
        door.require(fits, name, beside, values)
        columns.append(np.moveaxis(values, -alone - 1, 0))
    return [(Batch(*own[:3]), own[3]) for own in zip(x, *columns, strict=True)]
