"""Rows on the host, laid out so that a device of the CPU takes them as they are, without a copy."""

import numpy as np

ALIGNED = 64  # bytes: XLA shares a buffer that starts at a multiple of this
STRIP = 256  # rows that are turned at a time: NumPy's own transpose walks through all of memory


def empty(shape: tuple[int, ...]) -> np.ndarray:
    """Like `np.empty`, in float64, and aligned."""
    numbers = ALIGNED // 8
    flat = np.empty(int(np.prod(shape)) + numbers)
    first = -(flat.ctypes.data // 8) % numbers
    return flat[first : first + int(np.prod(shape))].reshape(shape)


def with_ones(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x [N, D] with a last column of ones, the transpose of that, and every column's max |x|."""
    num_rows, num_columns = x.shape
    rows, columns = empty((num_rows, num_columns + 1)), empty((num_columns + 1, num_rows))
    largest = np.ones(num_columns + 1)
    largest[:-1] = 0
    for first in range(0, num_rows, STRIP):
        strip = rows[first : first + STRIP]
        strip[:, :-1], strip[:, -1] = x[first : first + STRIP], 1
        columns[:, first : first + STRIP] = strip.T
        np.maximum(largest, np.abs(strip).max(axis=0), out=largest)
    return rows, columns, largest


def scaled(x: np.ndarray, power: int) -> np.ndarray:
    """x times a power of 2, exactly; `ldexp` takes several times as long."""
    return x * 2.0**power if abs(power) < 1000 else np.ldexp(x, power)
