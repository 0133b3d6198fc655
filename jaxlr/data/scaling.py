"""Columns of mean 0 and standard deviation 1."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.data.containers import as_array, at_least_float32
from jaxlr.pytypes import Array


class Moments(NamedTuple):
    """Weighted mean [D] and standard deviation [D] of each column; a constant column has std 1."""

    mean: Array
    std: Array


def moments(x: Array, weights: Array | None = None) -> Moments:
    """The columns' moments, in two passes, from the rows that have weight.

    Take them from training rows only: a test row's scale is knowledge of the test set. Computed in
    float32 where x is narrower, and rounded to its dtype.

    Args:
      x: [N, D].
      weights: [N] >= 0, or None for ones.

    Raises:
      TypeError: x is not floating point.
    """
    x = as_array("x", x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(
            f"x must be floating point, and is {x.dtype} of shape {x.shape}: cast it first, as in"
            " x.astype(jnp.float32)"
        )
    weights = jnp.ones(len(x)) if weights is None else as_array("weights", weights)
    return _moments(x, weights)


def standardise(x: Array, given: Moments) -> Array:
    """(x - mean) / std, column by column; x is [N, D]."""
    return _standardised(as_array("x", x), given)


@jax.jit
def _moments(x: Array, weights: Array) -> Moments:
    wide = at_least_float32(x)
    weights = weights.astype(wide.dtype)
    heard = (weights != 0).reshape(-1, *[1] * (x.ndim - 1))
    # In units of a power of two near the largest number: neither sums nor squares overflow.
    shares, _ = _scaled(weights)
    z, exponent = _scaled(jnp.where(heard, wide, 0))
    centre = jnp.average(z, axis=0, weights=shares)
    spread = jnp.sqrt(jnp.average((z - centre[None]) ** 2, axis=0, weights=shares))
    mean = jnp.ldexp(centre, exponent).astype(x.dtype)
    std = jnp.ldexp(spread, exponent).astype(x.dtype)
    # A constant column keeps a spread of rounding size, which must not be blown up.
    varies = (spread > 4 * jnp.finfo(wide.dtype).eps * jnp.abs(centre)) & (std > 0)
    return Moments(mean, jnp.where(varies, std, 1))


@jax.jit
def _standardised(x: Array, given: Moments) -> Array:
    mean, std = at_least_float32(given.mean), at_least_float32(given.std)
    dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else given.mean.dtype
    # In powers of two near std, whose reciprocal may be no normal number.
    scale = jnp.ldexp(jnp.ones_like(std), 2 - jnp.frexp(std)[1])
    deviation = x.astype(mean.dtype) * scale[None] - (mean * scale)[None]
    return (deviation / (std * scale)[None]).astype(dtype)


def _scaled(columns: Array) -> tuple[Array, Array]:
    """Columns divided by a power of two that leaves them within ±1, and its exponent."""
    _, exponent = jnp.frexp(jnp.max(jnp.abs(columns), axis=0))
    return jnp.ldexp(columns, -exponent[None]), exponent
