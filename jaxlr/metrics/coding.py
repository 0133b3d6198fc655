"""Two columns of labels at the door: truth and prediction become codes 0…C-1, once.

Inside `jit` labels are integers 0…num_classes-1 already, and `num_classes` (or `labels`) is static
because it is a shape.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.foreign import is_text
from jaxlr.metrics.labels import codes_in, column, distinct, indicators, labels_in, named
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


def coded(
    y_true, y_pred, *, sample_weight=None, labels=None, num_classes=None, two_classes=False
) -> Coded:
    """Codes for y_true and y_pred [N], or indicators [N, C].

    With `two_classes`, num_classes is 2 where it isn't given and labels can't be read.

    Raises:
      ValueError: lengths differ, no rows, unlike kinds, labels that aren't among `num_classes`, a
        weight that is negative or not finite; inside `jit`, `num_classes` unknown.
    """
    y_true, y_pred = pair_of(y_true, y_pred)
    if num_classes is not None:
        num_classes = checks.whole("num_classes", num_classes)
    weights, ok = checks.row_weights(sample_weight, y_true.shape[0])
    if two_classes and num_classes is None and labels is None and y_true.ndim == 1:
        num_classes = 2 if _unknown(y_true, y_pred, weights) else None
    code = _indicators if y_true.ndim == 2 else _codes
    found = code(y_true, y_pred, weights, labels, num_classes)
    return found._replace(ok=checks.both(ok, found.ok))


def pair_of(y_true, y_pred):
    """The two columns, of one shape and at least one row."""
    y_true, y_pred = column("y_true", y_true), column("y_pred", y_pred)
    checks.same_length(y_true=y_true, y_pred=y_pred)
    if y_true.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true and y_pred must be labels of one kind, and have shapes "
            f"{y_true.shape} and {y_pred.shape}"
        )
    return y_true, y_pred


def labels_of_both(y_true, y_pred, weights):
    """(labels [N], labels [N], verdict) of one kind: both texts or neither."""
    (y_true, fine), (y_pred, good) = (
        labels_in(name, y, weights) for name, y in (("y_true", y_true), ("y_pred", y_pred))
    )
    texts = [not checks.traced(y) and is_text(y) for y in (y_true, y_pred)]
    if texts[0] != texts[1]:
        raise ValueError("y_true and y_pred must not mix strings and numbers")
    return y_true, y_pred, checks.both(fine, good)


def _unknown(y_true, y_pred, weights) -> bool:
    """Whether labels can't be read, or more than two can, perhaps of rows of weight 0."""
    if checks.traced(y_true, y_pred) or not checks.traced(weights):
        return checks.traced(y_true, y_pred)
    return len(distinct(*labels_of_both(y_true, y_pred, weights)[:2])) > 2


def _codes(y_true, y_pred, weights, labels, num_classes) -> Coded:
    y_true, y_pred, ok = labels_of_both(y_true, y_pred, weights)
    if checks.traced(y_true, y_pred):
        found = _traced_codes(
            jnp.asarray(y_true), jnp.asarray(y_pred), weights, labels, num_classes
        )
        return found._replace(ok=checks.both(ok, found.ok))
    if num_classes is None:
        present = distinct(y_true, y_pred)
    else:
        present = np.arange(num_classes)
        inside = [codes_in(y, present) < num_classes for y in (y_true, y_pred)]
        rule = f"{_rule(num_classes)}, and are {distinct(y_true, y_pred).tolist()[:10]}"
        in_range = checks.counts_or(inside[0] & inside[1], weights).all()
        ok = checks.both(ok, checks.require(in_range, rule))
    kind = "binary" if len(present) <= 2 else "multiclass"
    classes, num_asked = _asked_first(present, labels)
    pair = (codes_in(y, classes) for y in (y_true, y_pred))
    return Coded(*pair, weights, classes, num_asked, kind, ok)


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
    ok = checks.require(checks.counts_or(good, weights).all(), _rule(num_classes))
    place = jnp.asarray(np.argsort(classes), jnp.int32)
    pair = (place[jnp.clip(y, 0, num_classes - 1)] for y in (y_true, y_pred))
    kind = "binary" if num_classes <= 2 else "multiclass"
    return Coded(*pair, weights, classes, num_asked, kind, ok)


def _rule(num_classes: int) -> str:
    return (
        f"labels in y_true and y_pred must be integers from 0 to num_classes - 1 = "
        f"{num_classes - 1}"
    )


def _asked_first(present: np.ndarray, labels: Sequence | None) -> tuple[np.ndarray, int]:
    """Every class, those of `labels` first and in their order."""
    if labels is None:
        return present, len(present)
    asked = named("labels", labels)
    if asked.ndim != 1 or len(asked) == 0 or len(np.unique(asked)) != len(asked):
        raise ValueError(f"labels must be distinct, at least one, and are {labels!r}")
    rest = present[codes_in(present, asked) == len(asked)]
    return np.concatenate([asked, rest]), len(asked)


def _indicators(y_true, y_pred, weights, labels, num_classes) -> Coded:
    width = y_true.shape[1]
    if num_classes not in (None, width):
        raise ValueError(f"num_classes is {num_classes}, and y_true has {width} columns")
    asked, num_asked = _asked_first(np.arange(width), labels)
    if asked.min() < 0 or asked.max() >= width:
        raise ValueError(f"labels must lie between 0 and {width - 1}, and are {labels!r}")
    (y_true, fine), (y_pred, good) = (
        indicators(name, y, weights) for name, y in (("y_true", y_true), ("y_pred", y_pred))
    )
    pair = (y.astype(np.int32) for y in (y_true, y_pred))
    return Coded(*pair, weights, asked, num_asked, "multilabel", checks.both(fine, good))
