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
    """A convex loss of logits [C, N] under labels [N], of one lane: `vmap` makes lanes.

    `factors` are what the Hessian by the logits is made of, a pytree: they cost exponentials, and
    what is made of them doesn't. self_concordance is M, |l'''[v, v, u]| <= M range(u) l''[v, v],
    where range is the largest minus the smallest of the classes (|u| for a scalar), or None.
    """

    num_outputs: int  # C, 1 where the function takes a scalar
    multiclass: bool  # whether it takes a row of logits
    value: Callable[[Array, Array], Array]  # (logits, labels) -> [N] nats
    gradient: Callable[[Array, Array], Array]  # (logits, labels) -> [C, N], by the logits
    factors: Callable[[Array, Array], Any]  # (logits, labels) -> as above
    diagonal: Callable[[Any], Array]  # (factors) -> [C, N], of that Hessian
    hessian_product: Callable[[Any, Array], Array]  # (factors, v [C, N]) -> [C, N]
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
    # What cancels first: of a confident row the rest is all there is.
    return (log1p_exp_minus_abs(z) + (jnp.maximum(z, 0) - y[None] * z))[0]


def _logistic_gradient(z, y):
    e, y = jnp.exp(-jnp.abs(z)), y[None]  # one exponential, no digit lost
    return ((1 - y) * jnp.where(z >= 0, 1, e) - y * jnp.where(z >= 0, e, 1)) / (1 + e)


def _logistic_hessian(z, _):
    e = jnp.exp(-jnp.abs(z))
    return e / (1 + e) ** 2


def _scalar(value, gradient, second, self_concordance) -> Loss:
    """A loss of one logit: the factor of its Hessian is its diagonal itself."""
    return Loss(1, False, value, gradient, second, lambda d: d, jnp.multiply, self_concordance)


_log_loss = _scalar(_logistic_value, _logistic_gradient, _logistic_hessian, 1.0)
_squared_error = _scalar(
    lambda z, y: (z[0] - y) ** 2,
    lambda z, y: 2 * (z - y[None]),
    lambda z, y: jnp.full_like(z, 2),
    0.0,
)


def _softmax(num_classes) -> Loss:
    def is_class(labels):
        return jnp.arange(num_classes, dtype=labels.dtype)[:, None] == labels[None]

    def value(logits, labels):
        under = jnp.max(logits, axis=0, keepdims=True) - logits
        below = jnp.sum(jnp.where(is_class(labels), under, 0), axis=0)
        return below + jnp.log(jnp.sum(jnp.exp(-under), axis=0))

    def gradient(logits, labels):
        e = jnp.exp(logits - jnp.max(logits, axis=0, keepdims=True))
        own = is_class(labels)
        others = jnp.sum(jnp.where(own, 0, e), axis=0, keepdims=True)
        total = others + jnp.sum(jnp.where(own, e, 0), axis=0, keepdims=True)
        return jnp.where(own, -others, e) / total  # p - 1 would round to 0 at the true class

    def probabilities(logits, _):
        return jax.nn.softmax(logits, axis=0)

    def product(p, v):
        return p * (v - jnp.sum(p * v, axis=0, keepdims=True))

    derivatives = gradient, probabilities, lambda p: p * (1 - p), product
    return Loss(num_classes, True, value, *derivatives, 1.0)


def _of_scalar(function) -> Loss:
    """A loss of one logit, by autodiff."""
    slope = jax.grad(function)
    value, first, second = (jax.vmap(f) for f in (function, slope, jax.grad(slope)))

    def of_one(f):
        return lambda z, y: f(z[0], y)[None]

    return _scalar(lambda z, y: value(z[0], y), of_one(first), of_one(second), None)


def _of_rows(function, num_classes) -> Loss:
    """A loss of a row of logits, by autodiff."""
    slope = jax.grad(function)

    def diagonal(z, y):
        return jnp.diagonal(jax.hessian(function)(z, y))

    def product(z, y, v):
        return jax.jvp(lambda z: slope(z, y), (z,), (v,))[1]

    value = jax.vmap(function, (1, 0))
    slopes, diagonals = (jax.vmap(f, (1, 0), 1) for f in (slope, diagonal))
    products = jax.vmap(product, (1, 0, 1), 1)
    factors = lambda z, y: (z, y), lambda f: diagonals(*f), lambda f, v: products(*f, v)
    return Loss(num_classes, True, value, slopes, *factors, None)
