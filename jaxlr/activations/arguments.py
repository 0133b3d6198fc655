"""What a function of scores accepts: floating-point arrays, computed in float32 or wider."""

import jax.numpy as jnp

from jaxlr.pytypes import Array


def floating(name: str, value: Array) -> Array:
    """`value` as an array, or a TypeError that names the argument: nothing is cast in silence."""
    value = jnp.asarray(value)
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(
            f"{name} must be floating point, and is {value.dtype} of shape {value.shape}:"
            f" cast it first, as in {name}.astype(jnp.float32)"
        )
    return value


def widened(value: Array) -> Array:
    """`value` in float32 where it is narrower, so that a result is rounded to its format once."""
    return value.astype(jnp.float32) if value.dtype.itemsize < 4 else value
