"""A loss of the logits, declared: its value and its first two derivatives by the logits.

The three losses of `jaxlr.losses` are written out here, for speed and for the digits of rows that
are all but certain. Any other convex function is differentiated by JAX.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr import losses
from jaxlr.activations.logistic import log1p_exp_minus_abs
from jaxlr.pytypes import Array

Function = Callable[[Array, Array], Array]


class Loss(NamedTuple):
    """A convex loss of logits [..., C, N] under labels [..., N]; leading axes are lanes.

    `factors` are what the Hessian by the logits is made of, a pytree: they cost exponentials, and
    what is made of them doesn't. self_concordance is M, |l'''[v, v, u]| <= M range(u) l''[v, v],
    where range is the largest minus the smallest of the classes (|u| for a scalar), or None.
    """

    num_outputs: int  # C, 1 where the function takes a scalar
    multiclass: bool  # whether it takes a row of logits
    value: Callable[[Array, Array], Array]  # (logits, labels) -> [..., N] nats
    gradient: Callable[[Array, Array], Array]  # (logits, labels) -> [..., C, N], by the logits
    factors: Callable[[Array, Array], Any]  # (logits, labels) -> as above
    diagonal: Callable[[Any], Array]  # (factors) -> [..., C, N], of that Hessian
    hessian_product: Callable[[Any, Array], Array]  # (factors, v [..., C, N]) -> [..., C, N]
    self_concordance: float | None
    intercept: bool = True  # whether logits have one that is free


@lru_cache  # one object for one function: programs are found by it
def loss(
    function: Function | Loss, num_classes: int | None = None, fit_intercept: bool = True
) -> Loss:
    """The loss of a function: of the C classes of `num_classes`, or of a scalar where it is None.

    A `jit`, a `partial` or a wrapper that computes what a loss of `jaxlr.losses` does is that loss.
    Of other functions the certificate lacks the bound from self-concordance, and separable labels
    are not looked for.

    Args:
      function: (logit [] or [C], label []) -> [], convex in the logit and at least 0; or a Loss.
      num_classes: C; needed by `softmax_cross_entropy`.
      fit_intercept: whether logits have an intercept.
    """
    named = recognised(function)
    if isinstance(named, Loss):
        return named._replace(intercept=fit_intercept)
    if named is losses.softmax_cross_entropy:
        found = _softmax(num_classes)
    elif num_classes is not None:
        found = _of_rows(function, num_classes)
    else:
        scalar = {losses.log_loss: _log_loss, losses.squared_error: _squared_error}
        found = scalar[named] if named in scalar else _of_scalar(function)
    return found._replace(intercept=fit_intercept)


@lru_cache
def recognised(function: Function | Loss) -> Function | Loss:
    """The loss of `jaxlr.losses` that has the same program, or the function itself."""
    named = {losses.log_loss: 0, losses.squared_error: 0, losses.softmax_cross_entropy: 3}
    if function in named or isinstance(function, Loss):
        return function
    for known, size in named.items():
        arguments = jnp.zeros(size or (), jnp.float32), jnp.zeros((), jnp.int32 if size else None)
        if _program(function, arguments) == _program(known, arguments):
            return known
    return function


def _program(function, arguments) -> str | None:
    try:
        with jax.disable_jit():  # a `jit` is what it wraps
            return str(jax.make_jaxpr(function)(*arguments))
    except Exception:  # whatever the function says of arguments that are not its own
        return None


def _logistic_value(z, y):
    z = z[..., 0, :]
    # What cancels first: of a confident row the rest is all there is.
    return log1p_exp_minus_abs(z) + (jnp.maximum(z, 0) - y * z)


def _logistic_gradient(z, y):
    e, y = jnp.exp(-jnp.abs(z)), y[..., None, :]  # one exponential, no digit lost
    return ((1 - y) * jnp.where(z >= 0, 1, e) - y * jnp.where(z >= 0, e, 1)) / (1 + e)


def _logistic_hessian(z, y):
    del y
    e = jnp.exp(-jnp.abs(z))
    return e / (1 + e) ** 2


def _scalar(value, gradient, second, self_concordance) -> Loss:
    """A loss of one logit: the factor of its Hessian is its diagonal itself."""
    return Loss(1, False, value, gradient, second, lambda d: d, jnp.multiply, self_concordance)


_log_loss = _scalar(_logistic_value, _logistic_gradient, _logistic_hessian, 1.0)
_squared_error = _scalar(
    lambda z, y: (z[..., 0, :] - y) ** 2,
    lambda z, y: 2 * (z - y[..., None, :]),
    lambda z, y: jnp.full_like(z, 2),
    0.0,
)


def _softmax(num_classes) -> Loss:
    def is_class(labels):
        shape = (*[1] * (labels.ndim - 1), num_classes, 1)
        return jnp.arange(num_classes, dtype=labels.dtype).reshape(shape) == labels[..., None, :]

    def value(logits, labels):
        top = jnp.max(logits, axis=-2)
        total = jnp.sum(jnp.exp(logits - top[..., None, :]), axis=-2)
        below = jnp.where(is_class(labels), top[..., None, :] - logits, 0)
        return jnp.sum(below, axis=-2) + jnp.log(total)

    def gradient(logits, labels):
        e = jnp.exp(logits - jnp.max(logits, axis=-2, keepdims=True))
        own = is_class(labels)
        others = jnp.sum(jnp.where(own, 0, e), axis=-2, keepdims=True)
        total = others + jnp.sum(jnp.where(own, e, 0), axis=-2, keepdims=True)
        return jnp.where(own, -others, e) / total  # p - 1 would round to 0 at the true class

    def product(p, v):
        return p * (v - jnp.sum(p * v, axis=-2, keepdims=True))

    def probabilities(logits, labels):
        del labels
        return jax.nn.softmax(logits, axis=-2)

    return Loss(
        num_classes, True, value, gradient, probabilities, lambda p: p * (1 - p), product, 1.0
    )


def _of_scalar(function) -> Loss:
    """A loss of one logit, by autodiff."""
    slope = jax.grad(function)
    second = jnp.vectorize(jax.grad(slope))
    value, first = jnp.vectorize(function), jnp.vectorize(slope)
    return _scalar(
        lambda z, y: value(z[..., 0, :], y),
        lambda z, y: first(z, y[..., None, :]),
        lambda z, y: second(z, y[..., None, :]),
        None,
    )


def _of_rows(function, num_classes) -> Loss:
    """A loss of a row of logits, by autodiff."""
    slope = jax.grad(function)

    def product(z, y, v):
        return jax.jvp(lambda z: slope(z, y), (z,), (v,))[1]

    diagonal = _over_rows(lambda z, y: jnp.diagonal(jax.hessian(function)(z, y)), "(c),()->(c)")
    times = _over_rows(product, "(c),(),(c)->(c)")
    return Loss(
        num_classes,
        True,
        _over_rows(function, "(c),()->()"),
        _over_rows(slope, "(c),()->(c)"),
        lambda z, y: (z, y),
        lambda factors: diagonal(*factors),
        lambda factors, v: times(*factors, v),
        None,
    )


def _over_rows(of_row, signature):
    """A function of a row of classes, on logits whose rows are the last axis."""
    mapped = jnp.vectorize(of_row, signature=signature)

    def apply(z, y, *v):
        rows = (jnp.swapaxes(part, -1, -2) for part in (z, *v))
        out = mapped(next(rows), y, *rows)
        return out if signature.endswith("->()") else jnp.swapaxes(out, -1, -2)

    return apply
