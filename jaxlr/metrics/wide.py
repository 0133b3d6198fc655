"""Sixty-four bits inside, the caller's precision outside; and what a bad row does to a result."""

import contextvars
import functools
from collections.abc import Callable
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array

_INSIDE = contextvars.ContextVar("inside", default=False)


def wide(function: Callable) -> Callable:
    """Runs `function` with 64-bit types, and rounds once, on the way out.

    Ten thousand float32 additions lose the sixth digit, and the pairs that an AUC counts pass 2²⁴
    at a few thousand rows, so sums and counts are kept in float64 and int64 whatever the caller's
    setting. Scores and probabilities stay as they came. Nested calls round once, at the outermost,
    which also makes jax arrays of numpy's.
    """

    @functools.wraps(function)
    def rounded(*args, **kwargs):
        if _INSIDE.get():
            return function(*args, **kwargs)
        token, top = _INSIDE.set(True), jnp.iinfo(jnp.result_type(int)).max
        try:
            with jax.enable_x64(True), np.errstate(all="ignore"):
                result = function(*args, **kwargs)
                result = jax.tree.map(functools.partial(_fitting, top), result)
        finally:
            _INSIDE.reset(token)
        return jax.tree.map(narrow, result)

    return rounded


def library(*arrays) -> ModuleType:
    """numpy when none of the arrays is jax's, else jax.numpy: one formula serves both.

    Values that can be read at the door stay numpy's, whose calls cost no compilation.
    """
    return jnp if any(isinstance(a, jax.Array) for a in arrays) else np


def narrow(leaf):
    """A jax array in the default precision; leaves that aren't arrays unchanged."""
    if not isinstance(leaf, jax.Array | np.ndarray | np.generic):
        return leaf
    if jnp.issubdtype(leaf.dtype, jnp.floating):
        return jnp.asarray(leaf.astype(jnp.result_type(float)))
    if jnp.issubdtype(leaf.dtype, jnp.signedinteger):
        return jnp.asarray(leaf.astype(jnp.result_type(int)))
    return jnp.asarray(leaf)


def _fitting(top: int, leaf):
    """Counts up to `top`, what the caller's integers hold; refused beyond, or inside `jit` -1."""
    if getattr(leaf, "dtype", None) != np.int64 or top == np.iinfo(np.int64).max:
        return leaf
    if isinstance(leaf, jax.core.Tracer):
        return jnp.where(leaf > top, -1, leaf)
    if leaf.size and leaf.max() > top:
        raise ValueError(
            f"sample_weight must add up to at most {top} in JAX's 32-bit integers, and adds up to "
            f"{leaf.max()}: set jax_enable_x64, or give it as floats"
        )
    return leaf


def poison(value, ok: Array | None):
    """`value` where `ok`; otherwise NaN, or -1 in a count, since integers have no NaN."""
    if ok is None:
        return value
    value = jnp.asarray(value)
    bad = -1 if jnp.issubdtype(value.dtype, jnp.integer) else jnp.nan
    return jnp.where(ok, value, jnp.asarray(bad, value.dtype))


def real(counts):
    """Counts as float64, with the -1 of a poisoned count turned back into NaN."""
    lib = library(counts)
    counts = lib.asarray(counts)
    if jnp.issubdtype(counts.dtype, jnp.floating):
        return counts.astype(np.float64)
    return lib.where(counts < 0, np.nan, counts.astype(np.float64))


def ratio(numerator, denominator, otherwise: float = 0.0):
    """numerator / denominator, and `otherwise` where the denominator is 0."""
    lib = library(numerator, denominator, otherwise)
    empty = denominator == 0
    return lib.where(empty, otherwise, numerator / lib.where(empty, 1.0, denominator))


def mean(values, weights=None):
    """Weighted mean over rows [N, ...] in float64; NaN when the weights sum to zero.

    A row of weight zero is absent, whatever it holds: NaN there does no harm.
    """
    if weights is None:
        return library(values).mean(values.astype(np.float64), axis=0)
    weights = in_range(weights)
    return total_of(values, weights) / library(weights).sum(weights)


def total_of(values, weights=None):
    """Weighted sum over rows [N, ...] in float64, rows of weight zero absent."""
    lib = library(values, weights)
    values = values.astype(np.float64)
    if weights is None:
        return lib.sum(values, axis=0)
    weights = lib.asarray(weights).astype(np.float64)
    weights = weights.reshape(weights.shape + (1,) * (values.ndim - 1))
    return lib.sum(weights * lib.where(weights == 0, 0.0, values), axis=0)


def num_rows(values, weights=None):
    """How many rows count: those whose weight isn't 0."""
    return values.shape[0] if weights is None else (weights != 0).sum()


def in_range(weights, axis=None):
    """Weights in float64, times a power of two where products of their sums would leave its range.

    Ratios of such products don't notice, and keep every bit.
    """
    lib = library(weights)
    weights = lib.asarray(weights).astype(np.float64)
    top = lib.max(_known(weights), axis=axis, keepdims=True)
    far = lib.where(top > 2.0**400, 2.0**-600, lib.where(top < 2.0**-400, 2.0**600, 1.0))
    return weights * far


def effective(weights):
    """Weights rescaled to add up to Kish's effective number of rows, (Σw)² / Σw² (Kish 1965).

    Where a number of rows is needed, weights can't say it: they are shares as often as counts.
    Equal weights become ones, whatever their size.
    """
    weights = weights.astype(np.float64)
    share = ratio(weights, _known(weights).max())
    return share * ratio(share.sum(), (share**2).sum())


def _known(weights):
    """The weights as constants: what is scaled by their greatest has no slope in the scale."""
    return jax.lax.stop_gradient(weights) if isinstance(weights, jax.Array) else weights
