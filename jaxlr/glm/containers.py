"""Other people's containers as NumPy's arrays, and one line for what is no number in them."""

from typing import Any

import jax.numpy as jnp
import numpy as np


def array(name: str, values: Any) -> np.ndarray:
    """The values as they are; what a mask hides is NaN.

    Raises:
      ValueError: sparse, complex or ragged values.
    """
    if hasattr(values, "toarray"):  # SciPy's
        raise ValueError(f"{name} is sparse, a {type(values).__name__}: give {name}.toarray()")
    if np.ma.is_masked(values):
        values = values.astype(np.float64).filled(np.nan)
    try:
        out = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is ragged: give rows of one length") from None
    if np.iscomplexobj(out):
        raise ValueError(f"{name} must be real, and is {out.dtype}: give its real part")
    return out


def numbers(
    name: str, values: Any, absent: np.ndarray | None = None, columns: Any = None
) -> np.ndarray:
    """The values in float64.

    Args:
      name: the argument's.
      values: any container.
      absent: where nobody looks, broadcast to their shape; there the answer may be NaN.
      columns: names for the second axis, if it has any.

    Raises:
      ValueError: as `array`; an entry that is no number.
    """
    out = array(name, values)
    if absent is not None and not is_number(out.dtype):
        out = np.where(absent, np.nan, out.astype(object))
    try:
        return out.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        out = out.astype(object)
        at = next(at for at in _by_column(out.shape) if not _is_number(out[at]))
    raise ValueError(
        f"{place(name, at, columns)} is {short(out[at])}, and must be a number: encode the texts,"
        " fill what is missing, or leave it out"
    )


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


def _by_column(shape):
    """Indices, column by column."""
    return (at[::-1] for at in np.ndindex(*shape[::-1]))


def _is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
