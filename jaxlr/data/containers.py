"""Other people's containers as JAX arrays; what can't become one is named, with the cure."""

import numbers
from collections.abc import Callable
from types import NoneType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array, Batch


def as_batch(batch: Any) -> Batch:
    """The batch with JAX arrays in place of NumPy's, lists and frames.

    Fields that are trees stay trees, and other fields of a user's own type stay as they are.

    Raises:
      TypeError: no batch, or as in `as_array`. ValueError: as in `as_array`.
    """
    if not all(hasattr(batch, name) for name in Batch._fields):
        raise TypeError(
            f"batch must be a jaxlr.Batch, and is a {type(batch).__name__}: give"
            " jaxlr.Batch(x, labels), or jaxlr.Batch(x, labels, weights)"
        )

    fields = {
        name: as_arrays(name, getattr(batch, name), is_leaf=lambda node: isinstance(node, list))
        for name in Batch._fields
    }
    return getattr(batch, "_replace", Batch)(**fields)


def as_arrays(name: str, tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with every leaf as in `as_array`, named by its place."""
    return jax.tree.map_with_path(
        lambda path, leaf: as_array(name + jax.tree_util.keystr(path), leaf), tree, is_leaf=is_leaf
    )


def as_array(name: str, value: Any) -> Array:
    """`value` as a JAX array, whatever container its numbers came in.

    Raises:
      TypeError: a sparse matrix, or an entry that is no number. ValueError: ragged rows.
    """
    if isinstance(value, jax.Array):
        return value
    if hasattr(value, "todense"):
        raise TypeError(
            f"{name} must be dense, and is a {type(value).__name__} of shape {value.shape}: make"
            f" it an array first, as in {name}.todense()"
        )
    dtype = getattr(value, "dtype", None)
    nullable = hasattr(value, "isna") and not isinstance(dtype, np.dtype | NoneType)
    try:  # as objects, missing entries of a nullable column stay what they are
        array = np.asarray(value, object if nullable else None)
    except ValueError:
        raise ValueError(f"{name} must be an array, and its rows differ in length") from None
    if array.dtype.kind in "OSUMmT":
        array = _numbers(name, array.astype(object), getattr(value, "columns", None))
    if array.dtype == np.longdouble:  # wider than anything that JAX knows
        array = array.astype(np.float64)
    return jnp.asarray(array.astype(array.dtype.newbyteorder("="), copy=False))


def at_least_float32(values: Array) -> Array:
    """Values whose sums can be trusted: in float32 where they are narrower, or whole numbers."""
    values = jnp.asarray(values)
    wide = jnp.issubdtype(values.dtype, jnp.inexact) and values.dtype.itemsize >= 4
    return values if wide else values.astype(jnp.float32)


def _numbers(name: str, array: np.ndarray, columns) -> np.ndarray:
    """Numbers that came as Python objects, in the type that NumPy finds for them."""
    for (row, *column), entry in np.ndenumerate(np.atleast_1d(array)):
        if not isinstance(entry, numbers.Number | np.bool_):
            names = [repr(columns[j]) if columns is not None else str(j) for j in column]
            of = f" of column {', '.join(names)}" if names else ""
            raise TypeError(
                f"{name} must hold numbers, and row {row}{of} is {entry!r}: code texts as numbers,"
                " and fill or drop what is missing"
            )
    return np.array(array.tolist())
