"""The small parts that optimizers share: the rate at a step, and a number in a leaf's dtype."""

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Params, Scalar, ScalarOrSchedule


def rate_at(learning_rate: ScalarOrSchedule, count: Array) -> Scalar:
    """The learning rate of step `count` (from 0): a number as it is, a schedule called."""
    return learning_rate(count) if callable(learning_rate) else learning_rate


def like(number: Scalar, leaf: Array) -> Array:
    """`number` in the leaf's dtype, so that a traced float32 rate leaves bfloat16 bfloat16."""
    return jnp.asarray(number, leaf.dtype)


def scale(factor: Scalar, tree: Params) -> Params:
    """factor * leaf, for every leaf, in the leaf's dtype."""
    return jax.tree.map(lambda leaf: like(factor, leaf) * leaf, tree)
