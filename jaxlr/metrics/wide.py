"""Sixty-four bits inside, the caller's precision outside; and what a bad row does to a result."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array


def wide(function: Callable) -> Callable:
    """Runs `function` with 64-bit types, and rounds once, on the way out.

    Ten thousand float32 additions lose the sixth digit, and the pairs that an AUC counts pass 2²⁴
    at a few thousand rows, so sums and counts are kept in float64 and int64 whatever the caller's
    setting. Scores and probabilities stay as they came. Nested calls round once, at the outermost.
    """

    @functools.wraps(function)
    def rounded(*args, **kwargs):
        with jax.enable_x64(True):
            result = function(*args, **kwargs)
        return jax.tree.map(narrow, result)

    return rounded


def narrow(leaf):
    """An array in the default precision of the setting around the call; other leaves unchanged."""
    if not isinstance(leaf, jax.Array):
        return leaf
    if jnp.issubdtype(leaf.dtype, jnp.floating):
        return leaf.astype(jnp.result_type(float))
    if jnp.issubdtype(leaf.dtype, jnp.integer):
        return leaf.astype(jnp.result_type(int))
    return leaf


def poison(value: Array, ok: Array | None) -> Array:
    """`value` where `ok`; otherwise NaN, or -1 in a count, since integers have no NaN."""
    if ok is None:
        return value
    bad = -1 if jnp.issubdtype(value.dtype, jnp.integer) else jnp.nan
    return jnp.where(ok, value, jnp.asarray(bad, value.dtype))


def real(counts: Array) -> Array:
    """Counts as float64, with the -1 of a poisoned count turned back into NaN."""
    counts = jnp.asarray(counts)
    if jnp.issubdtype(counts.dtype, jnp.floating):
        return counts.astype(jnp.float64)
    return jnp.where(counts < 0, jnp.nan, counts.astype(jnp.float64))


def ratio(numerator: Array, denominator: Array, otherwise: float = 0.0) -> Array:
    """numerator / denominator, and `otherwise` where the denominator is 0."""
    empty = denominator == 0
    return jnp.where(empty, otherwise, numerator / jnp.where(empty, 1.0, denominator))


def mean(values: Array, weights: Array | None = None) -> Array:
    """Weighted mean over rows [N, ...] in float64; NaN when the weights sum to zero.

    A row of weight zero is absent, whatever it holds: NaN there does no harm.
    """
    if weights is None:
        return jnp.mean(values.astype(jnp.float64), axis=0)
    return total_of(values, weights) / jnp.sum(weights.astype(jnp.float64))


def total_of(values: Array, weights: Array | None = None) -> Array:
    """Weighted sum over rows [N, ...] in float64, rows of weight zero absent."""
    values = values.astype(jnp.float64)
    if weights is None:
        return jnp.sum(values, axis=0)
    weights = weights.astype(jnp.float64).reshape(weights.shape + (1,) * (values.ndim - 1))
    return jnp.sum(weights * jnp.where(weights == 0, 0.0, values), axis=0)
