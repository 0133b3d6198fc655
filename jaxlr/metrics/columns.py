"""Labels beside scores at the door: labels become positive or not, scores become an array."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.foreign import numbers_of
from jaxlr.metrics.labels import column, distinct, labels_in
from jaxlr.pytypes import Array


class Taken(NamedTuple):
    """truth [N] or [N, C], scores likewise, weights [N] or None; the verdict of late checks."""

    truth: Array
    scores: Array
    weights: Array | None
    ok: Array | None


class Column(NamedTuple):
    """scores [N], positive [N], weights [N] or None; the verdict of late checks; traced or not."""

    scores: Array
    positive: Array
    weights: Array | None
    ok: Array | None
    traced: bool


def taken(y_true, y_score, sample_weight, name: str = "y_score") -> Taken:
    """Labels, scores (`name` in errors) and weights of one length.

    Infinite scores are refused where they can be read, as scikit-learn does; elsewhere they rank.
    """
    truth, scores = column("y_true", y_true), column(name, y_score, numbers_of)
    checks.same_length(y_true=truth, **{name: scores})
    if scores.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    weights, ok = checks.row_weights(sample_weight, scores.shape[0])
    scores, good = checks.finite(name, scores, weights, given=y_score, infinite=True)
    return Taken(truth, scores, weights, checks.both(ok, good))


def binary_column(y_true, y_score, pos_label, sample_weight, name: str = "y_score") -> Column:
    """One column [N] of scores, and which rows are positive."""
    return column_of(taken(y_true, y_score, sample_weight, name), pos_label, name)


def column_of(rows: Taken, pos_label, name: str = "y_score") -> Column:
    """The column [N] of what was taken, and which rows are positive."""
    if rows.scores.ndim != 1:
        raise ValueError(f"{name} must have shape [N], and has {rows.scores.shape}")
    if rows.truth.ndim != 1:
        raise ValueError(f"y_true must have shape [N], and has {rows.truth.shape}")
    truth, fine = labels_in("y_true", rows.truth, rows.weights)
    positive, valid = _positive(truth, pos_label, rows.weights)
    known = not checks.traced(rows.scores, truth, rows.weights)
    weights = None if rows.weights is None else jnp.asarray(rows.weights)
    ok = checks.both(rows.ok, checks.both(fine, valid))
    return Column(jnp.asarray(rows.scores), jnp.asarray(positive), weights, ok, not known)


def _positive(truth, pos_label, weights):
    if checks.traced(truth):
        if pos_label is not None:
            return truth.astype(jnp.int64) == pos_label, None  # int32 would wrap a great label
        return _one_of_two(truth, weights)
    if pos_label is None:
        present = distinct(truth)
        number = present.dtype.kind == "i"
        if not number or not any(set(present.tolist()) <= two for two in ({0, 1}, {-1, 1})):
            if number and checks.traced(weights):
                return _one_of_two(truth, weights)
            raise ValueError(
                f"pos_label must say which label is positive, since they are "
                f"{present.tolist()[:10]} and not 0/1 or -1/1"
            )
        pos_label = 1
    return np.asarray(truth == pos_label), None


def _one_of_two(truth, weights):
    good = checks.counts_or((truth == 0) | (truth == 1), weights)
    message = "y_true must hold only 0 and 1 inside jit, unless pos_label is given"
    return truth == 1, checks.require(jnp.all(good), message)
