"""Whatever people hand over, as arrays of the few types that the formulas know.

Values that can be read become NumPy's: in native byte order, without long doubles, boxed numbers
out of their boxes, a missing number as NaN. What is traced stays JAX's. All are widened to 32 bits
at least, so that no later sum or product is made in a caller's small type.
"""

import numbers
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array

# Missing cells by name, since pandas is no dependency.
_MISSING = {"NoneType", "NAType", "NaTType"}


def traced(*values) -> bool:
    """Whether any of these is an array inside `jit`, `vmap` or `grad`, whose values are unknown."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def array_of(name: str, values: Any) -> Array | np.ndarray:
    """`values` as int32, int64, uint64, float32, float64, dates, texts or other objects.

    Raises:
      TypeError: a sparse matrix, or bytes.
      ValueError: complex numbers, rows of several lengths, or lists of labels.
    """
    if traced(values):
        return _widened(name, jnp.asarray(values))
    if hasattr(values, "toarray"):
        raise TypeError(
            f"{name} must be dense, and is a sparse {type(values).__name__}: pass {name}.toarray()"
        )
    if np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    try:
        array = np.asarray(values)
    except ValueError:
        raise _ragged(name) from None
    if array.dtype.kind == "T":
        array = array.astype(object)
    return _widened(name, _unboxed(name, array) if array.dtype.kind == "O" else array)


def numbers_of(name: str, values: Any) -> Array | np.ndarray:
    """`values` as an array of real numbers; a ValueError names the first cell that is none."""
    array = array_of(name, values)
    if array.dtype.kind in "iuf":
        return array
    for index, cell in np.ndenumerate(array.astype(object)):
        if not (_is_number(cell) or is_missing(cell)):
            raise ValueError(
                f"{name} must hold real numbers, and holds {cell!r} in {place(index, values)}: "
                f"make numbers of it, or leave it out"
            )
    return np.array([_number(c) for c in array.ravel().tolist()], float).reshape(array.shape)


def place(index: tuple[int, ...], given: Any) -> str:
    """Where a cell stands, a data frame's column by its name."""
    row, *column = index or (0,)
    if not column:
        return f"row {row}"
    names = getattr(given, "columns", None)
    return f"row {row} of column {column[0] if names is None else names[column[0]]!r}"


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN, or pandas' NA or NaT."""
    return type(cell).__name__ in _MISSING or (isinstance(cell, float) and cell != cell)


def is_text(array: np.ndarray) -> bool:
    """Whether labels are texts."""
    return array.dtype.kind == "U" or (
        array.dtype.kind == "O" and any(isinstance(cell, str) for cell in array.flat)
    )


def _widened(name: str, array):
    kind = array.dtype.kind
    if kind in "SV" and not jnp.issubdtype(array.dtype, jnp.number):
        raise TypeError(f"{name} must not hold bytes: decode them to texts or numbers first")
    if kind == "c":
        raise ValueError(f"{name} must hold real numbers, and holds {array.dtype}: pass a part")
    if kind in "UOMm":
        return array
    size = array.dtype.itemsize
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(np.float32 if size <= 4 else np.float64)
    if kind == "u" and size >= 4:
        return array.astype(np.int64 if size == 4 else np.uint64)
    return array.astype(np.int32 if size <= 4 else np.int64)


def _unboxed(name: str, array: np.ndarray) -> np.ndarray:
    """An object array of numbers as numbers, NaN where one is missing; other objects as they are.

    Whole numbers beyond 64 bits stay Python's.
    """
    cells = array.ravel().tolist()
    kinds = set(map(type, cells))
    if any(issubclass(kind, bytes) for kind in kinds):
        raise TypeError(f"{name} must not hold bytes: decode them to texts or numbers first")
    if any(issubclass(kind, list | tuple | set | frozenset | dict | np.ndarray) for kind in kinds):
        raise _ragged(name)
    known = {kind for kind in kinds if kind.__name__ not in _MISSING}
    if not known or not all(issubclass(kind, numbers.Number | np.bool_) for kind in known):
        return array
    if any(issubclass(kind, complex) for kind in known):
        raise ValueError(f"{name} must hold real numbers, and holds complex ones: pass a part")
    whole = known == kinds and all(issubclass(k, numbers.Integral | np.bool_) for k in known)
    read, dtype = (int, np.int64) if whole else (_number, np.float64)
    try:
        return np.array([read(cell) for cell in cells], dtype).reshape(array.shape)
    except OverflowError:
        return array


def _is_number(cell: Any) -> bool:
    return isinstance(cell, numbers.Number | np.bool_) and not isinstance(cell, np.timedelta64)


def _number(cell: Any) -> float:
    return np.nan if type(cell).__name__ in _MISSING else float(cell)


def _ragged(name: str) -> ValueError:
    return ValueError(
        f"{name} must hold one number or label a row, or rows of one length, and holds lists: "
        f"several labels a row are given as indicators [N, C] of 0 and 1"
    )
