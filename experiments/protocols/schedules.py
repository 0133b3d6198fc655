"""Learning rates that fall along half a cosine, as those who publish linear probes have them."""

from collections.abc import Callable

import jax.numpy as jnp

from jaxlr.pytypes import Array, Scalar


def cosine(rate: Scalar, num_steps: int) -> Callable[[Array], Array]:
    """The learning rate of step t, counted from 0: rate (1 + cos(πt / T)) / 2.

    It would be 0 at step T, which no run takes.
    """

    def at(step: Array) -> Array:
        angle = jnp.pi / num_steps * step.astype(jnp.result_type(rate))
        return rate * (1 + jnp.cos(angle)) / 2

    return at
