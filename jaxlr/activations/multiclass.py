"""softmax and log_softmax over the last axis, every component right to its own last bits.

One infinite logit takes all; several share equally; where all are -inf the row is NaN.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxlr.activations.arguments import floating, widened
from jaxlr.activations.rest import (
    NARROW,
    exponentials,
    exponentials_with_headroom,
    finite,
    is_class,
    largest,
    loss_of_largest,
    total,
)
from jaxlr.pytypes import Array


@partial(jax.jit, inline=True)
def softmax(logits: Array) -> Array:
    """exp(logits) / sum(exp(logits)) over the last axis."""
    logits = _classes(logits)
    return probabilities(widened(logits))[0].astype(logits.dtype)


@partial(jax.jit, inline=True)
def log_softmax(logits: Array) -> Array:
    """logits - log(sum(exp(logits))) over the last axis."""
    logits = _classes(logits)
    return log_probabilities(widened(logits)).astype(logits.dtype)


@jax.custom_jvp
def probabilities(logits: Array) -> tuple[Array, Array]:
    """Softmax p and 1 - p, both to their last bits; for float32 or float64."""
    if logits.shape[-1] > NARROW:
        e, _ = exponentials(logits)
        p = e / total(e)
        return p, 1 - p
    e = exponentials_with_headroom(logits)
    # The largest is the one class whose 1 - p can cancel.
    is_top = is_class(jnp.argmax(logits, axis=-1), e.shape[-1])
    rest = _total_by_halves(jnp.where(is_top, 0, e))
    whole = rest + total(jnp.where(is_top, e, 0))
    return e / whole, jnp.where(is_top, rest, whole - e) / whole


@probabilities.defjvp
def _probabilities_jvp(primals, tangents):
    p, others = probabilities(*primals)
    d_p = p * log_softmax_tangent(p, others, *tangents)
    return (p, others), (d_p, -d_p)


def log_softmax_tangent(p: Array, others: Array, tangent: Array) -> Array:
    """t_k - Σ_j p_j t_j as (1 - p_k) t_k - Σ_{j≠k} p_j t_j; times p it is that of softmax."""
    weighted = p * tangent
    if p.shape[-1] > NARROW:
        return tangent - total(weighted)
    return others * tangent - (total(weighted) - weighted)


@jax.custom_jvp
def log_probabilities(logits: Array) -> Array:
    """log_softmax of logits that are known to be float32 or float64."""
    if logits.shape[-1] > NARROW:
        e, shift = exponentials(logits)
        # No select and no clamp: a backend that fuses a whole row does so only without them.
        top = finite(jnp.max(logits, axis=-1, keepdims=True))
        return (jnp.minimum(logits, top) - top) - jnp.log(total(e) * jnp.exp(shift - top))
    top = largest(logits)
    return jnp.where(logits == top, 0, logits - top) - loss_of_largest(logits, top)


log_probabilities.defjvps(
    lambda tangent, _, logits: log_softmax_tangent(*probabilities(logits), tangent)
)


def _total_by_halves(a: Array) -> Array:
    """Σ a over the last axis, [..., 1]: half as long a chain of roundings.

    A whole tree would round less still, and take half as long again.
    """
    middle = a.shape[-1] // 2
    return total(a[..., :middle]) + total(a[..., middle:])


def _classes(logits: Array) -> Array:
    logits = floating("logits", logits)
    if not logits.ndim or not logits.shape[-1]:
        raise ValueError(
            f"logits must hold one score per class on the last axis [..., C], and has shape"
            f" {logits.shape}"
        )
    return logits
