"""Rows on the host, laid out so that a device of the CPU takes them as they are, without a copy."""

import math

import numpy as np

from jaxlr.glm.problem import Problem

ALIGNED = 64  # bytes where XLA shares a buffer: elsewhere it copies x and x_t, twice the memory


def middles(x: np.ndarray) -> np.ndarray:
    """For each column of x [N, D] a value from the middle of √N of its rows: [D].

    Being one of the column's own values, it leaves a constant column 0, a dummy's zeros as they
    are, and loses nothing where all values are far from 0 and near each other.
    """
    sample = x[:: math.isqrt(len(x))]
    return np.sort(sample, axis=0)[len(sample) // 2]


def laid_out(
    x: np.ndarray,
    labels: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    *,
    power: int = 0,
    last: float = 1.0,
) -> Problem:
    """A problem of features x [N, D] times 2^power; the last column is 0 without an intercept."""
    num_rows, num_columns = x.shape
    rows, turned = _empty(num_rows, num_columns + 1), _empty(num_columns + 1, num_rows)
    features = np.ldexp(x, power, out=rows[:, :-1])
    rows[:, -1] = last
    turned[:] = rows.T
    squares = np.einsum("np,np->n", features, features)
    largest = np.append(np.maximum(features.max(axis=0), -features.min(axis=0)), 1.0)
    return Problem(rows, labels, weights, turned, squares, largest)


def _empty(*shape: int) -> np.ndarray:
    """Like `np.empty`, in float64, and aligned."""
    flat = np.empty(np.prod(shape) * 8 + ALIGNED, np.uint8)
    first = -flat.ctypes.data % ALIGNED
    return flat[first : first - ALIGNED].view(np.float64).reshape(shape)
