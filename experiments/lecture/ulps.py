"""Exact losses by decimal arithmetic, errors in units of the last place, and first failures."""

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext

import jax.numpy as jnp
import numpy as np


def log_loss(z: float) -> Decimal:
    """log(1 + exp(-z)), with digits enough that the 1 swallows nothing."""
    with localcontext() as context:
        context.prec = 40 + int(abs(z) / math.log(10))
        return (1 + (-Decimal(z)).exp()).ln()


def errors(found: Iterable, exact: Iterable[Decimal], dtype: np.dtype) -> np.ndarray:
    """|found - exact| in units of the last place of `exact`, a normal number of the format."""
    digits = jnp.finfo(dtype).nmant + 1
    return np.array(
        [
            float(abs(Decimal(float(f)) - e) / Decimal(2) ** (math.frexp(float(e))[1] - digits))
            for f, e in zip(found, exact, strict=True)
        ]
    )


def first(dtype: np.dtype, sign: int, fails: Callable[[np.ndarray], bool]) -> float:
    """The number nearest to 0 on the side of `sign` at which `fails`, by halving the bit patterns.

    Args:
      dtype: of the numbers.
      sign: 1 or -1.
      fails: of an array [1]; once true, true from there to the end of the format.
    """
    bits = np.dtype(f"u{dtype.itemsize}")
    low, high = 0, int(np.array([jnp.finfo(dtype).max], dtype).view(bits)[0])

    def at(pattern):
        return dtype.type(sign) * np.array([pattern], bits).view(dtype)

    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(at(middle)) else (middle, high)
    return float(at(high)[0])
