"""A step for every coordinate, from the squares of its own past gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.optimizers.checks import check_number
from jaxlr.optimizers.parts import Mask, decayed, full, leafwise, unbiased, zeros
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class AdagradState(NamedTuple):
    """Steps taken (None without a schedule), and the sum of squared gradients so far."""

    count: Array | None
    sum_of_squares: Params


def adagrad(
    learning_rate: ScalarOrSchedule,
    initial_accumulator_value: Scalar = 0.1,
    eps: Scalar = 1e-7,
) -> Optimizer:
    """A coordinate slows down with all the gradient it has ever seen.

        s ← s + g²
        u = -learning_rate · g / √(s + eps)

    The lecture's formula, whose s starts at 0: here it starts at `initial_accumulator_value`.
    A coordinate with s = 0 stays where it is.

    Reference:
      Duchi, Hazan and Singer, Adaptive subgradient methods (2011), fig. 1.
    """

    def rule(g, w, t, s, *, learning_rate, eps):
        s = s + g**2
        return -learning_rate * (jnp.where(s > 0, jax.lax.rsqrt(s + eps), 0) * g), s

    start = full(check_number("initial_accumulator_value", initial_accumulator_value))
    return leafwise(rule, AdagradState, (start,), learning_rate=learning_rate, eps=eps)


class AdadeltaState(NamedTuple):
    """Steps taken (None without a schedule); running means of squared gradients and steps."""

    count: Array | None
    square_gradient: Params
    square_step: Params


def adadelta(
    learning_rate: ScalarOrSchedule | None = None,
    rho: Scalar = 0.9,
    eps: Scalar = 1e-6,
    weight_decay: ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = None,
) -> Optimizer:
    """Adagrad that forgets, with a step measured in the units of the weights.

        g ← g + weight_decay·w
        v ← rho·v + (1 - rho)·g²
        Δ = √(s + eps) / √(v + eps) · g
        s ← rho·s + (1 - rho)·Δ²
        u = -learning_rate · Δ

    No learning rate is a rate of 1, Zeiler's own rule. (optax then returns +Δ, which is uphill.)

    Reference:
      Zeiler, ADADELTA: an adaptive learning rate method (2012), algorithm 1.
    """

    def rule(g, w, t, v, s, *, learning_rate, rho, eps, weight_decay):
        g = decayed(g, weight_decay, w)
        v = rho * v + (1 - rho) * g**2
        step = jnp.sqrt(s + eps) / jnp.sqrt(v + eps) * g
        s = rho * s + (1 - rho) * step**2
        return -learning_rate * step, v, s

    return leafwise(
        rule,
        AdadeltaState,
        (zeros, zeros),
        masks={"weight_decay": weight_decay_mask},
        learning_rate=1.0 if learning_rate is None else learning_rate,
        rho=rho,
        eps=eps,
        weight_decay=weight_decay,
    )


class RmspropState(NamedTuple):
    """Steps taken (None if nobody asks); running means of g² and, when centered, g; velocity."""

    count: Array | None
    mean_square: Params
    mean: Params | None
    velocity: Params | None


def rmsprop(
    learning_rate: ScalarOrSchedule,
    decay: Scalar = 0.9,
    eps: Scalar = 1e-8,
    initial_scale: Scalar = 0.0,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    bias_correction: bool = False,
) -> Optimizer:
    """A gradient over its root mean square.

        s ← decay·s + (1 - decay)·g²
        u = -learning_rate · g / √(s + eps)

    The lecture divides by √s + eps: that is `eps_in_sqrt=False`. Centered takes the variance
    s - m² for s, with m ← decay·m + (1 - decay)·g. Bias correction divides s and m by 1 - decayᵗ.
    Momentum accumulates the steps, v ← u + momentum·v, and moves by v (Nesterov: u + momentum·v).

    References:
      Hinton, Neural networks for machine learning, lecture 6e (2012).
      Graves, Generating sequences with recurrent neural networks (2013), eq. 38 (centered).
    """

    def rule(g, w, t, s, m, v, *, learning_rate, decay, eps, momentum):
        s = decay * s + (1 - decay) * g**2
        m = decay * m + (1 - decay) * g if centered else None
        variance = unbiased(s, decay, t) if bias_correction else s
        if centered:
            mean = unbiased(m, decay, t) if bias_correction else m
            variance = jnp.maximum(variance - mean**2, 0)  # rounding may leave it below 0
        root = jax.lax.rsqrt(variance + eps) if eps_in_sqrt else 1 / (jnp.sqrt(variance) + eps)
        u = -learning_rate * (root * g)
        if momentum is None:
            return u, s, m, None
        v = u + momentum * v
        return (u + momentum * v if nesterov else v), s, m, v

    start = full(check_number("initial_scale", initial_scale))
    return leafwise(
        rule,
        RmspropState,
        (start, zeros if centered else None, None if momentum is None else zeros),
        counts=bias_correction,
        learning_rate=learning_rate,
        decay=decay,
        eps=eps,
        momentum=momentum,
    )
