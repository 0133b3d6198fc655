"""The logistic trick: sigmoid, softplus, softmax and their logarithms, never forming exp(+large)."""

import jax.numpy as jnp

from jaxlr.pytypes import Array


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), elementwise."""
    e = jnp.exp(-jnp.abs(z))
    return jnp.where(z >= 0, 1, e) / (1 + e)


def softplus(z: Array) -> Array:
    """log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), elementwise."""
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))


def log_sigmoid(z: Array) -> Array:
    """log(sigmoid(z)) = -softplus(-z), elementwise."""
    return -softplus(-z)


def log_softmax(logits: Array) -> Array:
    """logits - log(sum(exp(logits))) over the last axis, shifted by the maximum."""
    shifted = logits - jnp.max(logits, axis=-1, keepdims=True)
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=-1, keepdims=True))


def softmax(logits: Array) -> Array:
    """exp(logits) / sum(exp(logits)) over the last axis, shifted by the maximum."""
    e = jnp.exp(logits - jnp.max(logits, axis=-1, keepdims=True))
    return e / jnp.sum(e, axis=-1, keepdims=True)
