"""Exact answers from mpmath, and the error of a float in ulps: the ruler of the numerics table.

The precision lets the textbook formulas stand as they are: 1 + exp(-745) keeps its tail.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import mpmath
import numpy as np

BITS = 1_400
Curve = tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]  # value, first and second derivative


def logistic_curves(z: float) -> dict[str, Curve]:
    """The elementwise functions of z by their textbook formulas."""
    with mpmath.workprec(BITS):
        e = mpmath.exp(-mpmath.mpf(z))
        sigmoid = 1 / (1 + e)
        slope = e * sigmoid**2
        bend = slope * (1 - 2 * sigmoid)
        softplus = mpmath.mpf(z) + mpmath.log(1 + e)
        return {
            "sigmoid": (sigmoid, slope, bend),
            "softplus": (softplus, sigmoid, slope),
            "log_sigmoid": (mpmath.mpf(z) - softplus, 1 - sigmoid, -slope),
        }


def log_loss_curve(z: float, y: float) -> Curve:
    """-y log σ(z) - (1 - y) log(1 - σ(z)), in z."""
    with mpmath.workprec(BITS):
        z, y = mpmath.mpf(z), mpmath.mpf(y)
        e = mpmath.exp(-z)
        sigmoid = 1 / (1 + e)
        # Both logarithms by log(1 + e), as 1 - sigmoid is 0 at any precision for z large enough.
        value = y * mpmath.log(1 + e) + (1 - y) * (z + mpmath.log(1 + e))
        return value, sigmoid - y, e * sigmoid**2


def softmax_row(logits: Sequence[float]) -> list[mpmath.mpf]:
    """exp(z_k) / Σ exp(z_j)."""
    with mpmath.workprec(BITS):
        top = max(logits)
        e = [mpmath.exp(mpmath.mpf(float(z)) - mpmath.mpf(float(top))) for z in logits]
        return [one / mpmath.fsum(e) for one in e]


def ulp_error(found: float, exact: mpmath.mpf, dtype: np.dtype) -> float:
    """|found - exact| in units of the last place of `exact` in `dtype`.

    An exact answer below the smallest normal number allows any answer as close as that
    (XLA flushes subnormals): 0 then, else infinity. One beyond the format asks for infinity.
    """
    format = jnp.finfo(dtype)
    tiny, largest = mpmath.mpf(float(format.tiny)), mpmath.mpf(float(format.max))
    found = float(found)
    if np.isnan(found):
        return float("inf")
    with mpmath.workprec(BITS):
        if abs(exact) > largest:
            return 0.0 if abs(found) >= largest and (found > 0) == (exact > 0) else float("inf")
        if np.isinf(found):
            return float("inf")
        error = abs(mpmath.mpf(found) - exact)
        if abs(exact) < tiny:
            return 0.0 if error <= tiny else float("inf")
        _, exponent = mpmath.frexp(exact)
        return float(error / mpmath.ldexp(1, int(exponent) - format.nmant - 1))


def worst_ulp(found: np.ndarray, exact: Sequence[mpmath.mpf], dtype: np.dtype) -> tuple[float, int]:
    """The largest error, and where."""
    found = np.asarray(found).astype(np.float64).ravel()
    errors = [ulp_error(f, e, dtype) for f, e in zip(found, exact, strict=True)]
    return max(errors), int(np.argmax(errors))


def grid(dtype: np.dtype, num_mantissas: int = 8, seed: int = 0) -> np.ndarray:
    """Normal numbers of both signs: every exponent (in float64 every 8th), random mantissas."""
    format = jnp.finfo(dtype)
    exponents = np.arange(format.minexp, format.maxexp, 8 if format.bits == 64 else 1)
    rng = np.random.default_rng(seed)
    mantissas = (
        1 + rng.integers(0, 2**format.nmant, (len(exponents), num_mantissas)) / 2.0**format.nmant
    )
    numbers = np.ldexp(mantissas, exponents[:, None]).ravel()
    # Where the functions have their character the exponents alone are too coarse.
    middle = rng.uniform(-1, 1, 100 * num_mantissas) * np.repeat(
        [1, 20, 90, 745], 25 * num_mantissas
    )
    numbers = np.concatenate([numbers, -numbers, middle, [0.0]])
    return numbers.astype(dtype)
