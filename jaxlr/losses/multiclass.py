"""The loss of one class out of C, from the logits."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from jaxlr.activations.arguments import floating, widened
from jaxlr.activations.multiclass import log_probabilities, log_softmax_tangent, probabilities
from jaxlr.activations.rest import is_class, loss_of_class, split, sum_of_others, total
from jaxlr.losses.arguments import check_class, check_probability, check_total, distribution
from jaxlr.pytypes import Array


def softmax_cross_entropy(logits: Array, label: Array) -> Array:
    """-log softmax(logits)[label], or -Σ label · log softmax(logits), in nats.

    The gradient at the true class is minus the sum of the other probabilities, never
    p - 1, which is 0 as soon as p rounds to 1.

    Args:
      logits: [C] one score per class.
      label: integer [], the class, or a distribution [C], cast to the logits' dtype.

    Returns:
      [] loss in nats. A class that is traced and out of range makes it NaN.

    Raises:
      TypeError: integer logits; a floating-point class. ValueError: a wrong shape; a
        label known to be no class, or not to be a distribution.
    """
    shape = jnp.shape(logits)
    if len(shape) != 1 or not shape[0]:
        raise ValueError(
            f"logits must hold the C scores of one example [C], and has shape {shape}:"
            " jax.vmap the loss over the batch"
        )
    if jnp.ndim(label):
        check_probability("label", label)
        check_total("label", label)
        return _of_distribution_as_given(logits, label)
    check_class("label", label, shape[0])
    return _of_class_as_given(logits, label)


@partial(jax.jit, inline=True)
def _of_class_as_given(logits, label):
    logits, label = floating("logits", logits), jnp.asarray(label)
    if jnp.issubdtype(label.dtype, jnp.inexact):
        raise TypeError(
            f"label must be an integer class [] or a distribution [C], and is {label.dtype} of"
            f" shape {label.shape}: cast a class to an integer"
        )
    label = label.astype(jnp.int32)
    return _of_class(widened(logits), label).astype(logits.dtype)


@partial(jax.jit, inline=True)
def _of_distribution_as_given(logits, label):
    logits = floating("logits", logits)
    label = distribution("label", label, logits.shape[0], logits.dtype)
    return _of_distribution(widened(logits), widened(label)).astype(logits.dtype)


@jax.custom_jvp
def _of_class(logits: Array, label: Array) -> Array:
    return loss_of_class(logits, label)[0]


@jax.custom_jvp
def _gradient_of_class(logits: Array, label: Array) -> Array:
    e, own, rest = split(logits, label)
    return jnp.where(is_class(label, logits.shape[0]), -rest, e) / (own + rest)


@_of_class.defjvp
def _of_class_jvp(primals, tangents):
    gradient = _gradient_of_class(*primals)
    return _of_class(*primals), jnp.sum(gradient * tangents[0])


@_gradient_of_class.defjvp
def _gradient_of_class_jvp(primals, tangents):
    p, others = probabilities(primals[0])
    return _gradient_of_class(*primals), p * log_softmax_tangent(p, others, tangents[0])


@jax.custom_jvp
def _of_distribution(logits: Array, q: Array) -> Array:
    return -jnp.sum(jnp.where(q == 0, 0, q * log_probabilities(logits)))


@jax.custom_jvp
def _gradient_of_distribution(logits: Array, q: Array) -> Array:
    """p Σq - q, as p_k Σ_{j≠k} q_j - q_k Σ_{j≠k} p_j: a one-hot q gives `_gradient_of_class`."""
    p, others = probabilities(logits)
    return p * sum_of_others(q) - q * others


@partial(_of_distribution.defjvp, symbolic_zeros=True)
def _of_distribution_jvp(primals, tangents):
    logits, q = primals
    d_logits, d_q = tangents
    tangent = jnp.zeros_like(logits[0])
    if type(d_logits) is not SymbolicZero:
        tangent += jnp.sum(_gradient_of_distribution(logits, q) * d_logits)
    if type(d_q) is not SymbolicZero:
        tangent -= jnp.sum(log_probabilities(logits) * d_q)
    return _of_distribution(logits, q), tangent


@partial(_gradient_of_distribution.defjvp, symbolic_zeros=True)
def _gradient_of_distribution_jvp(primals, tangents):
    logits, q = primals
    d_logits, d_q = tangents
    p, others = probabilities(logits)
    tangent = jnp.zeros_like(logits)
    if type(d_logits) is not SymbolicZero:
        tangent += total(q) * p * log_softmax_tangent(p, others, d_logits)
    if type(d_q) is not SymbolicZero:
        tangent -= others * d_q - p * (total(d_q) - d_q)
    return _gradient_of_distribution(logits, q), tangent
