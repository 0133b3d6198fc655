"""Other people's containers as arrays, and one line for what is no number in them."""

import numbers as kinds
import warnings
from collections.abc import Callable
from types import NoneType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array, Batch


class NumbersError(TypeError, ValueError):
    """What stands where a number must."""


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
      NumbersError: a sparse matrix, or an entry that is no number. ValueError: ragged rows.
    """
    if isinstance(value, jax.Array):
        return value
    # As objects, missing entries of a nullable column stay what they are.
    dtype = getattr(value, "dtype", None)
    nullable = hasattr(value, "isna") and not isinstance(dtype, np.dtype | NoneType)
    out = plain(
        name,
        np.asarray(value, object) if nullable else value,
        columns=getattr(value, "columns", None),
    )
    if out.dtype == np.longdouble:  # wider than anything that JAX knows
        out = out.astype(np.float64)
    return jnp.asarray(out.astype(out.dtype.newbyteorder("="), copy=False))


def at_least_float32(values: Array) -> Array:
    """Values whose sums can be trusted: in float32 where they are narrower, or whole numbers."""
    values = jnp.asarray(values)
    wide = jnp.issubdtype(values.dtype, jnp.inexact) and values.dtype.itemsize >= 4
    return values if wide else values.astype(jnp.float32)


def array(name: str, values: Any) -> np.ndarray:
    """The values as they are; what a mask hides is NaN.

    Raises:
      NumbersError: sparse or complex values. ValueError: ragged ones.
    """
    if hasattr(values, "toarray"):  # SciPy's
        raise NumbersError(f"{name} is sparse, a {type(values).__name__}: give {name}.toarray()")
    if np.ma.is_masked(values):
        values = values.astype(np.float64).filled(np.nan)
    try:
        out = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is ragged: give rows of one length") from None
    if np.iscomplexobj(out):
        raise NumbersError(f"{name} must be real, and is {out.dtype}: give its real part")
    return out


def plain(
    name: str, values: Any, absent: np.ndarray | None = None, columns: Any = None
) -> np.ndarray:
    """`array`, with numbers that came as Python objects in the type that NumPy finds for them.

    The arguments are those of `numbers`.
    """
    out = array(name, values)
    if is_number(out.dtype):
        return out
    out = out.astype(object)
    if absent is not None:
        out = np.where(absent, np.nan, out)
    for backwards in np.ndindex(*out.shape[::-1]):  # column by column
        entry = out[at := backwards[::-1]]
        if not isinstance(entry, kinds.Number | np.bool_):
            raise NumbersError(
                f"{place(name, at, columns)} is {short(entry)}, and must be a number: encode the"
                " texts, fill what is missing, or leave it out"
            )
    out = np.array(out.tolist())
    return out.astype(np.float64) if out.dtype == object else out


def numbers(
    name: str, values: Any, absent: np.ndarray | None = None, columns: Any = None
) -> np.ndarray:
    """The values in float64, with a warning where that has rounded them.

    Args:
      name: the argument's.
      values: any container.
      absent: where nobody looks, broadcast to their shape; there the answer may be NaN.
      columns: names for the second axis, if it has any.

    Raises:
      NumbersError: as `array`; an entry that is no number.
    """
    given = plain(name, values, absent, columns)
    out = given.astype(np.float64, copy=False)
    wide = given.dtype.kind in "iu" or given.dtype.itemsize > 8
    far = wide and np.isfinite(out) & ((np.abs(out) > 2.0**53) | (given.dtype.kind == "f"))
    if np.any(far):  # Python compares numbers of two kinds exactly, where NumPy would round
        lost = given[far].astype(object) != out[far].astype(object)
        if lost.any():
            warnings.warn(
                f"{name} is {given.dtype}, and {lost.sum()} of its entries are rounded to float64:"
                f" {given[far][lost][0]} to {out[far][lost][0]!r}; take off an offset first",
                stacklevel=3,
            )
    return out


def finite(
    name: str, values: np.ndarray, absent: np.ndarray | None = None, columns: Any = None
) -> None:
    """Raises ValueError where a value isn't finite; the arguments are those of `numbers`."""
    good = np.isfinite(values)
    if absent is not None:
        good |= absent
    if not good.all():  # looking for where takes twice as long
        bad = np.argwhere(~good)
        at = tuple(bad[0])
        raise ValueError(
            f"{name} must be finite; {place(name, at, columns)} is {values[at]}"
            f" ({len(bad)} such entries): fill or drop them first"
        )


def is_number(dtype: np.dtype) -> bool:
    """Whether it is one of whole or real numbers, JAX's own among them."""
    return dtype.kind in "biuf" or jnp.issubdtype(dtype, np.floating)


def place(name: str, at: tuple, columns: Any = None) -> str:
    """name[row, column], as the caller counts and names them."""
    at = [int(i) for i in at]
    if columns is not None:
        at[1] = list(columns)[at[1]]
    return f"{name}{at or ''}"


def short(value: Any) -> str:
    """A value as a message shows it."""
    text = str(value)
    text = text if len(text) <= 40 else text[:37] + "..."
    return repr(text) if isinstance(value, str) else text
