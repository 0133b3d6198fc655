"""The loss of a number."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxlr.activations.arguments import widened
from jaxlr.losses.arguments import real_label, score
from jaxlr.pytypes import Array


@partial(jax.jit, inline=True)
def squared_error(prediction: Array, target: Array) -> Array:
    """(prediction - target)², not halved; [] each, the target cast to the prediction's dtype."""
    prediction = score("prediction", prediction)
    target = real_label("target", target, prediction.dtype)
    return _square(widened(prediction), widened(target)).astype(prediction.dtype)


@jax.custom_jvp
def _square(p: Array, t: Array) -> Array:
    return (p - t) ** 2


@jax.custom_jvp
def _twice_the_difference(p: Array, t: Array) -> Array:
    # p - t may be flushed to zero where 2 (p - t) is a normal number.
    return jnp.where(jnp.abs(p) < 1, 2 * p - 2 * t, 2 * (p - t))


@_square.defjvp
def _square_jvp(primals, tangents):
    d_p, d_t = tangents
    return _square(*primals), _twice_the_difference(*primals) * (d_p - d_t)


@_twice_the_difference.defjvp
def _twice_the_difference_jvp(primals, tangents):
    d_p, d_t = tangents
    return _twice_the_difference(*primals), 2 * (d_p - d_t)
