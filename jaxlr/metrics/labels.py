"""Labels at the door: strings, -1/1 or any integers become codes 0…C-1, once.

Labels that can be read are coded with numpy, as scikit-learn does. Inside `jit` they are integers
0…num_classes-1 already, and `num_classes` (or `labels`) is static because it is a shape.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.pytypes import Array


class Coded(NamedTuple):
    """Two columns of labels as codes, and what they mean.

    `classes` is the label of every code, the ones asked for first (`num_asked` of them). `kind` is
    binary, multiclass or multilabel; multilabel codes are 0/1 indicators [N, C]. `ok` is the
    verdict of the checks that had to wait for run time.
    """

    y_true: Array | np.ndarray
    y_pred: Array | np.ndarray
    weights: Array | np.ndarray | None
    classes: np.ndarray
    num_asked: int
    kind: str
    ok: Array | None


def coded(y_true, y_pred, *, sample_weight=None, labels=None, num_classes=None) -> Coded:
    """Codes for y_true and y_pred [N], or indicators [N, C].

    Raises:
      ValueError: lengths differ, no rows, unlike kinds, labels that aren't among `num_classes`, a
        weight that is negative or not finite; inside `jit`, `num_classes` unknown.
    """
    y_true, y_pred = column("y_true", y_true), column("y_pred", y_pred)
    checks.same_length(y_true=y_true, y_pred=y_pred)
    if y_true.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    if y_true.ndim != y_pred.ndim or y_true.shape[1:] != y_pred.shape[1:]:
        raise ValueError(
            f"y_true and y_pred must be labels of one kind, and have shapes "
            f"{y_true.shape} and {y_pred.shape}"
        )
    weights, ok = checks.row_weights(sample_weight, y_true.shape[0])
    code = _indicators if y_true.ndim == 2 else _codes
    found = code(y_true, y_pred, weights, labels, num_classes)
    return found._replace(
        weights=None if weights is None else jnp.asarray(weights), ok=checks.both(ok, found.ok)
    )


def column(name: str, values):
    """An array [N] or [N, C]: jax inside `jit`, else numpy; a column [N, 1] is flattened."""
    array = values if checks.traced(values) else np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must have shape [N] or [N, C], and has {array.shape}")
    return array


def integers(name: str, array):
    """Labels as integers, booleans counted as 0 and 1; raises on fractions and NaN."""
    kind = np.dtype(array.dtype).kind
    if kind == "b":
        return array.astype(np.int32)
    if kind in "iu":
        return array
    if checks.traced(array):
        raise ValueError(f"{name} must hold integers inside jit, and holds {array.dtype}")
    if kind == "f":
        if np.isnan(array).any():
            raise ValueError(f"{name} must not hold NaN")
        if not (array == np.floor(array)).all():
            raise ValueError(f"{name} must hold labels, and holds continuous numbers")
        return array.astype(np.int64) if np.isfinite(array).all() else array
    return array


def distinct(*columns) -> np.ndarray:
    """The labels that occur, sorted; without a sort when they are small integers."""
    if all(c.dtype.kind in "iu" for c in columns):
        low, high = min(c.min() for c in columns), max(c.max() for c in columns)
        if high - low < 65_536:
            counts = sum(np.bincount(c - low, minlength=high - low + 1) for c in columns)
            return np.flatnonzero(counts) + low
    try:
        return np.unique(np.concatenate([np.unique(c) for c in columns]))
    except TypeError:
        raise ValueError("y_true and y_pred must not mix strings and numbers") from None


def codes_in(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The position of each value in `classes`, or len(classes) where it isn't there."""
    num_classes = len(classes)
    whole = classes.dtype.kind in "iu" and values.dtype.kind in "iu"
    if whole and np.array_equal(classes, np.arange(num_classes)):
        inside = (values >= 0) & (values < num_classes)
        return np.where(inside, values, num_classes).astype(np.int32)
    order = np.argsort(classes)
    place = np.minimum(np.searchsorted(classes[order], values), num_classes - 1)
    found = classes[order][place] == values
    return np.where(found, order[place], num_classes).astype(np.int32)


def _codes(y_true, y_pred, weights, labels, num_classes) -> Coded:
    y_true, y_pred = integers("y_true", y_true), integers("y_pred", y_pred)
    if checks.traced(y_true, y_pred):
        return _traced_codes(jnp.asarray(y_true), jnp.asarray(y_pred), weights, labels, num_classes)
    if (y_true.dtype.kind in "OUS") != (y_pred.dtype.kind in "OUS"):
        raise ValueError("y_true and y_pred must not mix strings and numbers")
    present = distinct(y_true, y_pred)
    if num_classes is not None:
        _require_range(present, num_classes)
        present = np.arange(num_classes)
    kind = "binary" if len(present) <= 2 else "multiclass"
    classes, num_asked = _asked_first(present, labels)
    pair = (codes_in(y, classes) for y in (y_true, y_pred))
    return Coded(*pair, weights, classes, num_asked, kind, None)


def _require_range(present: np.ndarray, num_classes: int) -> None:
    good = present.dtype.kind in "iu" and present.min() >= 0 and present.max() < num_classes
    if not good:
        raise ValueError(
            f"labels in y_true and y_pred must be integers from 0 to num_classes - 1 = "
            f"{num_classes - 1}, and are {present.tolist()[:10]}"
        )


def _traced_codes(y_true, y_pred, weights, labels, num_classes) -> Coded:
    if num_classes is None:
        if labels is None:
            raise ValueError(
                "num_classes must be given inside jit, where labels can't be read: "
                "pass num_classes=C, static"
            )
        num_classes = int(np.max(labels)) + 1
    classes, num_asked = _asked_first(np.arange(num_classes), labels)
    good = (y_true >= 0) & (y_true < num_classes) & (y_pred >= 0) & (y_pred < num_classes)
    if weights is not None:
        good |= jnp.asarray(weights) == 0
    ok = checks.require(
        jnp.all(good),
        f"labels in y_true and y_pred must be integers from 0 to num_classes - 1 = "
        f"{num_classes - 1}",
    )
    place = jnp.asarray(np.argsort(classes), jnp.int32)
    pair = (place[jnp.clip(y, 0, num_classes - 1)] for y in (y_true, y_pred))
    kind = "binary" if num_classes <= 2 else "multiclass"
    return Coded(*pair, weights, classes, num_asked, kind, ok)


def _asked_first(present: np.ndarray, labels: Sequence | None) -> tuple[np.ndarray, int]:
    """Every class, those of `labels` first and in their order."""
    if labels is None:
        return present, len(present)
    asked = np.asarray(labels)
    if asked.dtype.kind in "fb":
        asked = asked.astype(np.int64)
    if asked.ndim != 1 or len(asked) == 0 or len(np.unique(asked)) != len(asked):
        raise ValueError(f"labels must be distinct, at least one, and are {labels!r}")
    rest = present[~np.isin(present, asked)]
    return np.concatenate([asked, rest]), len(asked)


def _indicators(y_true, y_pred, weights, labels, num_classes) -> Coded:
    width = y_true.shape[1]
    if num_classes not in (None, width):
        raise ValueError(f"num_classes is {num_classes}, and y_true has {width} columns")
    asked, num_asked = _asked_first(np.arange(width), labels)
    if asked.min() < 0 or asked.max() >= width:
        raise ValueError(f"labels must lie between 0 and {width - 1}, and are {labels!r}")
    ok = None
    for name, y in (("y_true", y_true), ("y_pred", y_pred)):
        good = (y == 0) | (y == 1)
        if weights is not None:
            good = good | (weights == 0)[:, None]
        lib = jnp if checks.traced(good) else np
        ok = checks.both(ok, checks.require(lib.all(good), f"{name} must hold only 0 and 1"))
    pair = ((y == 1).astype(np.int32) for y in (y_true, y_pred))
    return Coded(*pair, weights, asked, num_asked, "multilabel", ok)
