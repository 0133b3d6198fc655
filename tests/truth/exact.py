"""Exact answers from mpmath, and the error of a float in ulps: the ruler of the numerics table.

The precision lets the textbook formulas stand as they are: 1 + exp(-745) keeps its tail.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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


def from_probability_curve(p: float, y: int) -> Curve:
    """-y log p - (1 - y) log(1 - p), in p strictly between 0 and 1."""
    with mpmath.workprec(BITS):
        own, sign = (mpmath.mpf(p), -1) if y else (1 - mpmath.mpf(p), 1)
        return -mpmath.log(own), sign / own, 1 / own**2


class Numbers(NamedTuple):
    """Exact answers (high + low) 2**exponent, high in [1/2, 1], for arithmetic on whole arrays."""

    high: np.ndarray
    low: np.ndarray
    exponent: np.ndarray


def numbers(exact: Iterable[mpmath.mpf]) -> Numbers:
    """106 bits of each, at any exponent that a float can come near."""
    with mpmath.workprec(BITS):
        parts = []
        for one in exact:
            mantissa, exponent = mpmath.frexp(one)
            high = float(mantissa)
            parts.append((high, float(mantissa - high), min(max(int(exponent), -9_999), 9_999)))
    high, low, exponent = (np.array(part) for part in zip(*parts, strict=True))
    return Numbers(high, low, np.where(high == 0, -9_999, exponent))


def ulp_errors(found: np.ndarray, exact: Numbers, dtype: np.dtype) -> np.ndarray:
    """|found - exact| in units of the last place of `exact` in `dtype`, to less than 2^-50 ulp.

    An exact answer below the smallest normal number allows any answer as close as that
    (XLA flushes subnormals): 0 then, else infinity. One beyond the format asks for infinity.
    """
    format = jnp.finfo(dtype)
    found = np.asarray(found).astype(np.float64).ravel()
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        scaled = np.ldexp(found, -exact.exponent)
        errors = np.abs((scaled - exact.high) - exact.low) * 2.0 ** (format.nmant + 1)
        rest = np.abs(found - np.ldexp(exact.high, exact.exponent))
    right = np.isinf(found) & (np.sign(found) == np.sign(exact.high))
    above_largest = np.abs(exact.high) + np.abs(exact.low) > 1 - 2.0 ** -(format.nmant + 1)
    errors = np.where(right & (exact.exponent + above_largest > format.maxexp), 0, errors)
    errors = np.where(~right & (exact.exponent > format.maxexp), np.inf, errors)
    is_below = exact.exponent <= format.minexp
    errors = np.where(is_below, np.where(rest <= float(format.tiny), 0, np.inf), errors)
    return np.where(np.isnan(found), np.inf, errors)


def worst_ulp(found: np.ndarray, exact: Sequence[mpmath.mpf], dtype: np.dtype) -> tuple[float, int]:
    """The largest error, and where."""
    errors = ulp_errors(found, numbers(exact), dtype)
    return float(errors.max()), int(errors.argmax())


def ulp_error(found: float, exact: mpmath.mpf, dtype: np.dtype) -> float:
    """`ulp_errors` of one number."""
    return worst_ulp(np.array([found]), [exact], dtype)[0]


def grid(dtype: np.dtype, num_mantissas: int = 8, seed: int = 0) -> np.ndarray:
    """Normal numbers of both signs: every exponent (in float64 every 8th), random mantissas."""
    format = jnp.finfo(dtype)
    exponents = np.arange(format.minexp, format.maxexp, 8 if format.bits == 64 else 1)
    rng = np.random.default_rng(seed)
    fractions = rng.integers(0, 2**format.nmant, (len(exponents), num_mantissas))
    numbers = np.ldexp(1 + fractions / 2.0**format.nmant, exponents[:, None]).ravel()
    # Where the functions have their character the exponents alone are too coarse.
    scales = np.repeat([1, 20, 90, 745], 25 * num_mantissas)
    middle = rng.uniform(-1, 1, 100 * num_mantissas) * scales
    return np.concatenate([numbers, -numbers, middle, [0.0]]).astype(dtype)
