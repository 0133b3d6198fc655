"""One column of labels at the door: texts, -1/1 or any integers become comparable, then codes.

Labels that can be read are coded with NumPy, as scikit-learn does. Inside `jit` they are integers
0…C-1 already. A row of weight 0 is absent: what its label is must not show.
"""

import jax.numpy as jnp
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.foreign import array_of, is_missing, is_text, numbers_of


def column(name: str, values, read=array_of):
    """An array [N] or [N, C]: jax inside `jit`, else numpy; a column [N, 1] is flattened."""
    array = read(name, values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.shape[1:] == (0,):
        raise ValueError(f"{name} must have shape [N] or [N, C], and has {array.shape}")
    return array


def labels_in(name: str, array, weights=None):
    """(labels [N], verdict): integers, or texts, dates and other objects that have an order.

    Where weights can be read too, absent rows repeat the label of a row that counts.
    """
    array = _present(array, weights)
    if checks.traced(array):
        if array.dtype.kind not in "iu":
            raise ValueError(f"{name} must hold integers inside jit, and holds {array.dtype}")
        return array, None
    kind = array.dtype.kind
    if kind == "f":
        return _whole(name, array, weights)
    if kind == "u" and (array.size == 0 or array.max() <= np.iinfo(np.int64).max):
        return array.astype(np.int64), None
    missing = (
        [is_missing(cell) for cell in array.flat]
        if kind == "O"
        else kind in "Mm" and (np.isnat(array))
    )
    if np.any(missing):
        raise ValueError(_missing(name, "missing labels", ~np.asarray(missing)))
    return array, None


def distinct(*columns: np.ndarray) -> np.ndarray:
    """The labels that occur, sorted; without a sort when they are small integers."""
    if all(c.dtype.kind == "i" for c in columns):
        low, high = min(int(c.min()) for c in columns), max(int(c.max()) for c in columns)
        if high - low < 65_536:
            counts = sum(np.bincount(c - low, minlength=high - low + 1) for c in columns)
            return np.flatnonzero(counts) + low
    try:
        return np.unique(np.concatenate([np.unique(c) for c in _alike(*columns)]))
    except TypeError:
        raise ValueError("y_true and y_pred must not mix strings and numbers") from None


def codes_in(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The position of each value in `classes`, or len(classes) where it isn't there."""
    num_classes = len(classes)
    if is_text(values) != is_text(classes):
        return np.full(values.shape, num_classes, np.int32)
    values, classes = _alike(values, classes)
    if classes.dtype.kind == "i" and np.array_equal(classes, np.arange(num_classes)):
        inside = (values >= 0) & (values < num_classes)
        return np.where(inside, values, num_classes).astype(np.int32)
    order = np.argsort(classes)
    place = np.minimum(np.searchsorted(classes[order], values), num_classes - 1)
    found = classes[order][place] == values
    return np.where(found, order[place], num_classes).astype(np.int32)


def indicators(name: str, array, weights=None):
    """(cells [N, C] that are 1, verdict): only 0 and 1 in rows that count."""
    array = numbers_of(name, _present(array, weights))
    good = checks.counts_or((array == 0) | (array == 1), weights)
    rule = f"{name} must hold only 0 and 1, as indicators [N, C] of several labels do"
    return array == 1, checks.require(good.all(), rule)


def classes_of(name: str, truth, width: int, labels=None, weights=None, pos_label=None):
    """(codes [N], verdict): the column of `name` that each label speaks of.

    The columns are `labels`, or the labels that occur; where those are too few, and inside `jit`,
    the integers 0…width-1.
    """
    if truth.ndim != 1:
        raise ValueError(f"y_true must have shape [N], and has {truth.shape}")
    truth, ok = labels_in("y_true", truth, weights)
    if checks.traced(truth):
        return _numbered(name, truth, width, weights, pos_label)
    classes = distinct(truth if labels is None else named("labels", labels))
    if pos_label is not None and width == 2:
        if pos_label not in classes and len(classes) > 1:
            raise ValueError(f"pos_label={pos_label!r} must be one of {classes.tolist()}")
        return (truth == pos_label).astype(np.int32), ok
    numbered = truth.dtype.kind == "i" and truth.min() >= 0 and truth.max() < width
    if labels is None and len(classes) < width and numbered:
        classes = np.arange(width)
    elif labels is None and len(classes) == 1 and set(classes.tolist()) <= {-1, 1}:
        classes = np.asarray([-1, 1])
    if len(classes) != width:
        if labels is None and truth.dtype.kind == "i" and checks.traced(weights):
            # A label that fits no column may be that of an absent row, as inside jit.
            return _numbered(name, truth, width, weights, pos_label)
        cure = "name them with labels" if len(classes) < width else "each class needs its column"
        raise ValueError(f"{name} has {width} columns and y_true {len(classes)} classes: {cure}")
    codes = codes_in(truth, classes)
    good = checks.counts_or(codes < width, weights)
    rule = f"y_true must hold only labels among {classes.tolist()}"
    return np.minimum(codes, width - 1), checks.both(ok, checks.require(good.all(), rule))


def named(name: str, labels) -> np.ndarray:
    """The labels of an argument that lists them, [C]."""
    return labels_in(name, column(name, labels))[0]


def _numbered(name, truth, width, weights, pos_label):
    if pos_label not in (None, 0, 1):
        raise ValueError(f"pos_label must be 0 or 1 inside jit, and is {pos_label!r}")
    good = checks.counts_or((truth >= 0) & (truth < width), weights)
    message = f"y_true must hold classes from 0 to {width - 1}, the columns of {name}"
    ok = checks.require(jnp.all(good), message)
    codes = jnp.clip(truth, 0, width - 1).astype(jnp.int32)
    return (1 - codes if pos_label == 0 else codes), ok


def _present(array, weights):
    """Labels [N, ...] in which absent rows repeat a row that counts, if all can be read."""
    if weights is None or checks.traced(array, weights):
        return array
    absent = np.asarray(weights) == 0
    if not absent.any():
        return array
    first = array[np.argmin(absent)]
    if absent.all() and array.dtype.kind in "iuf":
        first = np.zeros_like(first)
    return np.where(absent.reshape(absent.shape + (1,) * (array.ndim - 1)), first, array)


def _whole(name: str, array: np.ndarray, weights):
    """(floats as integers, verdict); those beyond 64 bits stay floats."""
    good = np.isfinite(array)
    ok = None
    if not good.all():
        kind = "NaN" if np.isnan(array).any() else "infinity"
        ok = checks.require(checks.counts_or(good, weights).all(), _missing(name, kind, good))
        array = np.where(good, array, array[np.argmax(good)] if good.any() else 0)
    if not (array == np.floor(array)).all():
        raise ValueError(f"{name} must hold labels, and holds continuous numbers")
    return (array.astype(np.int64) if (np.abs(array) < 2.0**63).all() else array), ok


def _missing(name: str, kind: str, good: np.ndarray) -> str:
    return (
        f"{name} must not hold {kind}, and does in row {np.argmin(good)}: leave such rows out, or "
        f"give them weight 0"
    )


def _alike(*columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """The columns in types whose values compare exactly: as Python's numbers if nothing else."""
    kinds = {c.dtype.kind for c in columns}
    one = len(kinds) == 1 or kinds == {"U", "O"}
    return columns if one else tuple(c.astype(object) for c in columns)
