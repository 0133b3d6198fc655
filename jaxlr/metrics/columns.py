"""One column of scores at the door: labels become positive or not, scores become an array."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.labels import column, distinct, integers
from jaxlr.pytypes import Array


class Column(NamedTuple):
    """scores [N], positive [N], weights [N] or None; the verdict of late checks; traced or not."""

    scores: Array
    positive: Array
    weights: Array | None
    ok: Array | None
    traced: bool


def binary_column(y_true, y_score, pos_label, sample_weight) -> Column:
    """One column [N] of scores, and which rows are positive."""
    scores = column("y_score", y_score)
    if scores.ndim != 1:
        raise ValueError(f"y_score must have shape [N], and has {scores.shape}")
    truth = integers("y_true", column("y_true", y_true))
    if truth.ndim != 1:
        raise ValueError(f"y_true must have shape [N], and has {truth.shape}")
    checks.same_length(y_true=truth, y_score=scores)
    if scores.shape[0] == 0:
        raise ValueError("y_true must have at least one row, and has none")
    weights, ok = checks.row_weights(sample_weight, scores.shape[0])
    good = scores_fine(scores, weights)
    positive, valid = _positive(truth, pos_label, weights)
    known = not checks.traced(scores, truth, weights)
    weights = None if weights is None else jnp.asarray(weights)
    ok = checks.both(ok, good, valid)
    return Column(jnp.asarray(scores), jnp.asarray(positive), weights, ok, not known)


def scores_fine(scores, weights):
    """The verdict that no row that counts has a NaN score; infinite scores are in order."""
    checks.real_numbers("y_score", scores)
    if np.dtype(scores.dtype).kind in "iub":
        return None
    return checks.finite("y_score", scores, weights, allow_infinite=True)


def _positive(truth, pos_label, weights):
    if checks.traced(truth):
        if pos_label is not None:
            return truth == pos_label, None
        good = (truth == 0) | (truth == 1)
        if weights is not None:
            good = good | (jnp.asarray(weights) == 0)
        message = "y_true must hold only 0 and 1 inside jit, unless pos_label is given"
        return truth == 1, checks.require(jnp.all(good), message)
    if pos_label is None:
        present = distinct(truth)
        number = present.dtype.kind in "iu"
        if not number or not any(set(present.tolist()) <= two for two in ({0, 1}, {-1, 1})):
            raise ValueError(
                f"pos_label must say which label is positive, since they are "
                f"{present.tolist()[:10]} and not 0/1 or -1/1"
            )
        pos_label = 1
    return truth == pos_label, None
