"""A loss of the logits as a path needs it: value, slope and curvature, many lanes at a time.

The softmax has its own forms, since a row of C classes is cheaper with the examples as the
last axis. Every other loss, a user's too, is differentiated by autodiff.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr import losses
from jaxlr.pytypes import Array


class Family(NamedTuple):
    """A convex loss with C outputs, on logits [L, C, N] and labels [L, N].

    Attributes:
      num_outputs: C, 1 where the loss takes a scalar.
      multiclass: whether the loss takes a row of logits.
      value: (logits, labels) -> [L, N] nats.
      slope: -> [L, C, N], its derivatives.
      bend: -> arrays with leading axes [L, ...]: what its second derivatives are made of. It costs
        exponentials, and what is made of it doesn't.
      curvature: (bend) -> [L, C, N], the second derivatives, one class at a time.
      hessian_product: (bend, v [L, C, N]) -> [L, C, N].
      intercept: whether logits have one that is free.
      concordance: M with |l'''[v, v, u]| <= M range(u) l''[v, v], where range is the largest
        minus the smallest of the classes (|u| for a scalar); None if it isn't known.
    """

    num_outputs: int
    multiclass: bool
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    bend: Callable[[Array, Array], Any]
    curvature: Callable[[Any], Array]
    hessian_product: Callable[[Any, Array], Array]
    concordance: float | None
    intercept: bool = True


@lru_cache  # one object for one loss: programs are found by it
def family(
    loss: Callable[[Array, Array], Array], num_classes: int | None, fit_intercept: bool = True
) -> Family:
    """The family of a loss: of the C classes of `num_classes`, or of a scalar where it is None."""
    known = {losses.log_loss: 1.0, losses.squared_error: 0.0}
    if loss is losses.softmax_cross_entropy:
        found = _softmax(num_classes)
    elif num_classes is None:
        found = _scalar(loss, known.get(loss))
    else:
        found = _rows(loss, num_classes)
    return found._replace(intercept=fit_intercept)


def _scalar(loss, concordance) -> Family:
    """A loss of one logit: lanes and rows are plain vmaps."""
    slope = jax.grad(loss)
    curvature = jax.grad(slope)

    def over(function):
        def mapped(logits, labels):
            return jax.vmap(jax.vmap(function))(logits[:, 0], labels)

        return mapped

    return Family(
        1,
        False,
        over(loss),
        lambda z, y: over(slope)(z, y)[:, None],
        lambda z, y: over(curvature)(z, y)[:, None],
        lambda bend: bend,
        lambda bend, v: bend * v,
        concordance,
    )


def _rows(loss, num_classes) -> Family:
    """A loss of a row of logits, by autodiff."""
    slope = jax.grad(loss)

    def over(function, out):
        return jax.vmap(jax.vmap(function, (1, 0), out), (0, 0))

    def diagonal(z, y):
        return jnp.diagonal(jax.hessian(loss)(z, y))

    def product(bend, v):
        def one(z, y, v):
            return jax.jvp(lambda z: slope(z, y), (z,), (v,))[1]

        return jax.vmap(jax.vmap(one, (1, 0, 1), 1))(*bend, v)

    return Family(
        num_classes,
        True,
        over(loss, 0),
        over(slope, 1),
        lambda z, y: (z, y),
        lambda bend: over(diagonal, 1)(*bend),
        product,
        None,
    )


def _softmax(num_classes) -> Family:
    def is_class(labels):
        return jnp.arange(num_classes, dtype=labels.dtype)[None, :, None] == labels[:, None]

    def parts(logits, labels):
        """exp(z - max z), where the label is, and the sums of the others and of all."""
        e = jnp.exp(logits - jnp.max(logits, axis=1, keepdims=True))
        own = is_class(labels)
        others = jnp.sum(jnp.where(own, 0, e), axis=1, keepdims=True)
        return e, own, others, others + jnp.sum(jnp.where(own, e, 0), axis=1, keepdims=True)

    def value(logits, labels):
        top = jnp.max(logits, axis=1)
        total = jnp.sum(jnp.exp(logits - top[:, None]), axis=1)
        own = is_class(labels)
        return jnp.sum(jnp.where(own, top[:, None] - logits, 0), axis=1) + jnp.log(total)

    def slope(logits, labels):
        e, own, others, total = parts(logits, labels)
        return jnp.where(own, -others, e) / total  # p - 1 would round to 0 at the true class

    def bend(logits, labels):
        del labels
        return jax.nn.softmax(logits, axis=1)

    def curvature(p):
        return p * (1 - p)

    def product(p, v):
        return p * (v - jnp.sum(p * v, axis=1, keepdims=True))

    return Family(num_classes, True, value, slope, bend, curvature, product, 1.0)
