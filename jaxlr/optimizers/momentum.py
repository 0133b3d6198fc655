"""Gradient descent: plain, with momentum, with noise."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.optimizers.checks import check_number, check_params
from jaxlr.optimizers.parts import (
    leafwise,
    like,
    next_count,
    rate_at,
    working_dtype,
    zeros,
    zeros_in,
)
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class SgdState(NamedTuple):
    """Steps taken (None without a schedule), and the velocity (None without momentum)."""

    count: Array | None
    velocity: Params | None = None


def sgd(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    accumulator_dtype: Any | None = None,
) -> Optimizer:
    """Gradient descent; with momentum, the heavy ball.

        v ← g + momentum·v
        u = -learning_rate · v

    Without momentum v is g. Nesterov looks one step ahead: u = -learning_rate·(g + momentum·v).

    References:
      Polyak, Some methods of speeding up the convergence of iteration methods (1964), eq. 9.
      Sutskever et al., On the importance of initialization and momentum in deep learning (2013).
    """

    def rule(g, w, t, v, *, learning_rate, momentum):
        if momentum is None:
            return -learning_rate * g, None
        v = g + momentum * v
        return -learning_rate * (g + momentum * v if nesterov else v), v

    velocity = None if momentum is None else zeros_in(accumulator_dtype)
    return leafwise(rule, SgdState, (velocity,), learning_rate=learning_rate, momentum=momentum)


def momentum_ema(learning_rate: ScalarOrSchedule, decay: Scalar = 0.9) -> Optimizer:
    """The lecture's momentum: a step along the exponential average of the gradients.

        v ← decay·v + (1 - decay)·g
        u = -learning_rate · v

    The heavy ball `sgd(learning_rate·(1 - decay), momentum=decay)` takes the same steps.
    """

    def rule(g, w, t, v, *, learning_rate, decay):
        v = decay * v + (1 - decay) * g
        return -learning_rate * v, v

    return leafwise(rule, SgdState, (zeros,), learning_rate=learning_rate, decay=decay)


class NoisySgdState(NamedTuple):
    """Steps taken, and the key of the noise to come."""

    count: Array
    key: Array


def noisy_sgd(
    learning_rate: ScalarOrSchedule,
    eta: Scalar = 0.01,
    gamma: Scalar = 0.55,
    key: Array | int | None = None,
) -> Optimizer:
    """Gradient descent on gradients with a noise that dies away.

        u = -learning_rate · (g + √(eta / tᵞ) · noise),  noise ~ N(0, 1)

    `key` is a random key or a seed; None is seed 0, so lanes meet the same noise unless each is
    given its own.

    Reference:
      Neelakantan et al., Adding gradient noise improves learning for very deep networks (2015).
    """
    eta, gamma = check_number("eta", eta), check_number("gamma", gamma)
    learning_rate = check_number("learning_rate", learning_rate)

    def init(params):
        check_params(params)
        first = 0 if key is None else key
        is_key = isinstance(first, jax.Array) and jnp.issubdtype(first.dtype, jax.dtypes.prng_key)
        return NoisySgdState(jnp.zeros([], jnp.int32), first if is_key else jax.random.key(first))

    def update(grads, state, params=None):
        del params
        t = next_count(state.count)
        rate = rate_at(learning_rate, state.count)
        carry, key = jax.random.split(state.key)
        leaves, structure = jax.tree.flatten(grads)
        keys = structure.unflatten(jax.random.split(key, len(leaves)))
        noisy = functools.partial(_noisy, t, rate, eta, gamma)
        return jax.tree.map(noisy, grads, keys), NoisySgdState(t, carry)

    return Optimizer(init, update)


def _noisy(t: Array, rate: Scalar, eta: Scalar, gamma: Scalar, g: Array, key: Array) -> Array:
    dtype = working_dtype(g)
    rate, eta, gamma = (like(number, dtype) for number in (rate, eta, gamma))
    noise = jax.random.normal(key, g.shape, g.dtype).astype(dtype)
    deviation = jnp.sqrt(eta / t.astype(dtype) ** gamma)
    return (-rate * (g.astype(dtype) + deviation * noise)).astype(g.dtype)
