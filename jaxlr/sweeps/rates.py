"""Learning rates that change along a run, by numbers of which each lane may have its own."""

from collections.abc import Callable

import jax.numpy as jnp

from jaxlr.pytypes import Array, Scalar


def warmup_cosine(
    peak: Scalar, num_steps: Scalar, *, warmup: Scalar = 0.0, final: Scalar = 1.0
) -> Callable[[Array], Array]:
    """The rate at each step (from 0): a line from 0 to the peak, then half a cosine to the end.

    Give it to an optimizer as its learning rate. Without a warm-up, and with `final` 1, it is
    constant.

    Args:
      peak: the highest rate.
      num_steps: of the run; a number of the lane's own too, where lanes leave at different steps.
      warmup: in [0, 1), the part of the steps on which it rises.
      final: in [0, 1], the part of the peak that is left at the end.

    Reference:
      Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts (2017).
    """

    def rate(step: Array) -> Array:
        numbers = peak, num_steps, warmup, final
        high, length, rises, left = (jnp.asarray(number, float) for number in numbers)
        share = step.astype(high.dtype) / length
        rising = share / jnp.where(rises > 0, rises, 1)
        falling = (share - rises) / (1 - rises)
        cosine = left + (1 - left) * (1 + jnp.cos(jnp.pi * jnp.clip(falling, 0, 1))) / 2
        return high * jnp.where(share < rises, rising, cosine)

    return rate
