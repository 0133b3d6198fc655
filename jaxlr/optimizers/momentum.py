"""Gradient descent, plain and with momentum."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.optimizers.parts import like, rate_at, scale
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class SgdState(NamedTuple):
    """Steps taken, and the velocity (None without momentum)."""

    count: Array
    velocity: Params | None


def sgd(
    learning_rate: ScalarOrSchedule, momentum: Scalar | None = None, nesterov: bool = False
) -> Optimizer:
    """v ← momentum·v + g;  u = -learning_rate·v  (heavy ball, Polyak 1964).

    Nesterov looks one step ahead: u = -learning_rate·(momentum·v + g). Without momentum, v = g.
    """

    def init(params):
        velocity = None if momentum is None else jax.tree.map(jnp.zeros_like, params)
        return SgdState(jnp.zeros([], jnp.int32), velocity)

    def accumulate(velocity, grads):
        return jax.tree.map(lambda v, g: like(momentum, g) * v + g, velocity, grads)

    def update(grads, state, params=None):
        del params
        velocity, ahead = state.velocity, grads
        if momentum is not None:
            velocity = accumulate(state.velocity, grads)
            ahead = accumulate(velocity, grads) if nesterov else velocity
        updates = scale(-rate_at(learning_rate, state.count), ahead)
        return updates, SgdState(state.count + 1, velocity)

    return Optimizer(init, update)


def momentum_ema(learning_rate: ScalarOrSchedule, decay: Scalar = 0.9) -> Optimizer:
    """v ← decay·v + (1 - decay)·g;  u = -learning_rate·v  (the lecture's momentum, A3).

    The heavy ball `sgd(learning_rate·(1 - decay), momentum=decay)` takes the same steps.
    """

    def init(params):
        return SgdState(jnp.zeros([], jnp.int32), jax.tree.map(jnp.zeros_like, params))

    def update(grads, state, params=None):
        del params
        velocity = jax.tree.map(
            lambda v, g: like(decay, g) * v + like(1 - decay, g) * g, state.velocity, grads
        )
        updates = scale(-rate_at(learning_rate, state.count), velocity)
        return updates, SgdState(state.count + 1, velocity)

    return Optimizer(init, update)
