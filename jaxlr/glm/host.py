"""Rows on the host, laid out so that a device of the CPU takes them as they are, without a copy."""

from typing import NamedTuple

import numpy as np

ALIGNED = 64  # bytes: XLA shares a buffer that starts at a multiple of this
LOOKED_AT = 1000  # rows
STRIP = 256  # rows that are turned at a time: NumPy's own transpose walks through all of memory


def empty(shape: tuple[int, ...]) -> np.ndarray:
    """Like `np.empty`, in float64, and aligned."""
    numbers = ALIGNED // 8
    flat = np.empty(int(np.prod(shape)) + numbers)
    first = -(flat.ctypes.data // 8) % numbers
    return flat[first : first + int(np.prod(shape))].reshape(shape)


def middles(x: np.ndarray) -> np.ndarray:
    """For each column of x [N, D] a value from the middle of a thousand of its rows: [D].

    Being one of the column's own values, it leaves a constant column 0, a dummy's zeros as they
    are, and loses nothing where all values are far from 0 and near each other.
    """
    sample = x[:: max(1, len(x) // LOOKED_AT)]
    return np.sort(sample, axis=0)[len(sample) // 2]


class Rows(NamedTuple):
    """x [N, P], with a last column for the intercept, and x_t [P, N], its transpose.

    squares: [N] ‖x‖² of the features. largest: [P] max |x| of every column.
    """

    x: np.ndarray
    x_t: np.ndarray
    squares: np.ndarray
    largest: np.ndarray


def laid_out(x: np.ndarray, power: int = 0, last: float = 1.0) -> Rows:
    """Features x [N, D] times 2^power, in one walk through memory.

    `last` is the last column: 0 where there is no intercept.
    """
    num_rows, num_columns = x.shape
    out = Rows(
        empty((num_rows, num_columns + 1)),
        empty((num_columns + 1, num_rows)),
        np.empty(num_rows),
        np.ones(num_columns + 1),
    )
    out.largest[:-1] = 0
    for first in range(0, num_rows, STRIP):
        here = slice(first, first + STRIP)
        strip = out.x[here]
        strip[:, :-1], strip[:, -1] = scaled(x[here], power) if power else x[here], last
        out.x_t[:, here] = strip.T
        np.einsum("np,np->n", strip[:, :-1], strip[:, :-1], out=out.squares[here])
        np.maximum(out.largest, np.abs(strip).max(axis=0), out=out.largest)
    return out


def scaled(x: np.ndarray, power: int) -> np.ndarray:
    """x times a power of 2, exactly; `ldexp` takes several times as long."""
    return x * 2.0**power if abs(power) < 1000 else np.ldexp(x, power)
