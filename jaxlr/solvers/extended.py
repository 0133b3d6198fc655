"""Products and sums of float64 matrices to twice the working precision, in NumPy.

A compiler that may regroup sums would undo them.
"""

import math

import numpy as np

DIGITS = np.finfo(np.float64).nmant + 1


def product(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Matrices whose exact sum is a @ b to about twice the working precision.

    Rows of a and columns of b are cut into slices so short that their products are exact, in
    whatever order they are summed (Ozaki, Ogita, Oishi and Rump, Error-free transformations of
    matrix multiplication, 2012).
    """
    bits = (DIGITS - math.ceil(math.log2(max(a.shape[1], 2)))) // 2
    count = math.ceil(DIGITS / bits)
    left, right = _slices(a, 1, bits, count), _slices(b, 0, bits, count)
    return [left[i] @ right[j] for i in range(count) for j in range(count - i)]


def _slices(a, axis, bits, count) -> list[np.ndarray]:
    """The leading bits of a, measured from its largest along the axis; the next; and so on."""
    slices = []
    for _ in range(count):
        power = _power(np.abs(a).max(axis=axis, keepdims=True, initial=0))
        shift = 1.5 * power * 2.0 ** (DIGITS - 1 - bits)
        slices.append((a + shift) - shift)
        a = a - slices[-1]
    return slices


def _power(sizes):
    """The power of 2 from each size up, 1 of 0."""
    return np.exp2(np.ceil(np.log2(np.where(sizes > 0, sizes, 1))))


def scalar_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a b, entry by entry, as its rounding and the rest (Dekker 1971): halves multiply exactly."""

    def halves(x):
        wide = (2.0 ** math.ceil(DIGITS / 2) + 1) * x
        high = wide - (wide - x)
        return high, x - high

    (a1, a2), (b1, b2) = halves(a), halves(b)
    rounded = a * b
    return rounded, ((a1 * b1 - rounded) + a1 * b2 + a2 * b1) + a2 * b2


def total(terms: list[np.ndarray]) -> np.ndarray:
    """Their sum, as if in twice the precision (Ogita, Rump and Oishi 2005)."""
    out, rest = terms[0], np.zeros_like(terms[0])
    for term in terms[1:]:
        new = out + term
        part = new - out
        rest = rest + ((out - (new - part)) + (term - part))
        out = new
    return out + rest
