"""Optimizers that give every coordinate its own step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.optimizers.parts import like, rate_at, scale
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class AdamState(NamedTuple):
    """Steps taken, and the running means of g (mu) and of g² (nu)."""

    count: Array
    mu: Params
    nu: Params


def adam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
) -> Optimizer:
    """v ← b1·v + (1-b1)·g;  s ← b2·s + (1-b2)·g²;  u = -learning_rate·v̂ / (√ŝ + eps).

    v̂ = v/(1 - b1ᵗ) and ŝ = s/(1 - b2ᵗ): the lecture's cheat sheet prints b1 in both, a slip.

    Reference:
      Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamState(jnp.zeros([], jnp.int32), zeros, zeros)

    def update(grads, state, params=None):
        del params
        count = state.count + 1
        mu = jax.tree.map(lambda v, g: _mean(b1, v, g), state.mu, grads)
        nu = jax.tree.map(lambda s, g: _mean(b2, s, g * g), state.nu, grads)

        def direction(v, s):
            v_hat = v / like(1 - b1**count, v)
            s_hat = s / like(1 - b2**count, s)
            return v_hat / (jnp.sqrt(s_hat) + like(eps, s))

        updates = scale(-rate_at(learning_rate, state.count), jax.tree.map(direction, mu, nu))
        return updates, AdamState(count, mu, nu)

    return Optimizer(init, update)


def _mean(decay: Scalar, mean: Array, new: Array) -> Array:
    return like(decay, mean) * mean + like(1 - decay, mean) * new
