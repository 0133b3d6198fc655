"""Steps that read only the sign of a coordinate."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxlr.optimizers.checks import check_number
from jaxlr.optimizers.parts import CountState, Mask, decayed, full, leafwise, zeros, zeros_in
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


def sign_sgd(learning_rate: ScalarOrSchedule) -> Optimizer:
    """Every coordinate moves by learning_rate: u = -learning_rate · sign(g).

    Reference:
      Bernstein et al., signSGD: compressed optimisation for non-convex problems (2018).
    """

    def rule(g, w, t, *, learning_rate):
        return (-learning_rate * jnp.sign(g),)

    return leafwise(rule, CountState, (), learning_rate=learning_rate)


class LionState(NamedTuple):
    """Steps taken (None without a schedule), and the running mean of g."""

    count: Array | None
    mu: Params


def lion(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.99,
    mu_dtype: Any | None = None,
    weight_decay: ScalarOrSchedule = 1e-3,
    mask: Mask = None,
) -> Optimizer:
    """The sign of a momentum that trusts the newest gradient more than its memory does.

        u = -learning_rate · (sign(b1·m + (1 - b1)·g) + weight_decay·w)
        m ← b2·m + (1 - b2)·g

    Weights outside `mask` do not decay.

    Reference:
      Chen et al., Symbolic discovery of optimization algorithms (2023), algorithm 2.
    """

    def rule(g, w, t, m, *, learning_rate, b1, b2, weight_decay):
        d = jnp.sign((1 - b1) * g + b1 * m)
        m = b2 * m + (1 - b2) * g
        return -learning_rate * decayed(d, weight_decay, w), m

    return leafwise(
        rule,
        LionState,
        (zeros_in(mu_dtype),),
        masks={"weight_decay": mask},
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        weight_decay=weight_decay,
    )


class RpropState(NamedTuple):
    """No count; every coordinate's step size, and its signed step (0 after a turn)."""

    count: None
    size: Params
    step: Params


def rprop(
    learning_rate: Scalar,
    eta_minus: Scalar = 0.5,
    eta_plus: Scalar = 1.2,
    min_step_size: Scalar = 1e-6,
    max_step_size: Scalar = 50.0,
) -> Optimizer:
    """A coordinate lengthens its step while its gradient keeps its sign; for whole batches.

        size ← size·eta_plus if g·step > 0, size·eta_minus if g·step < 0, clipped
        u = -step if g·step >= 0, else 0
        step ← size·sign(g) if g·step >= 0, else 0

    Sizes start at `learning_rate`, a number. As in optax, u is the step chosen one gradient
    *earlier* (so the first is 0); the paper's is this rule with u taken after the last line.

    References:
      Riedmiller and Braun, A direct adaptive method for faster backpropagation learning (1993).
      Igel and Hüsken, Improving the Rprop learning algorithm (2000), for step ← 0 at a turn.
    """
    if callable(learning_rate):
        raise ValueError("learning_rate is rprop's first step size: a number, not a schedule.")

    def rule(g, w, t, size, step, *, eta_minus, eta_plus, min_step_size, max_step_size):
        turn = g * step
        factor = jnp.where(turn > 0, eta_plus, eta_minus)
        resized = jnp.clip(size * factor, min_step_size, max_step_size)
        size = jnp.where(turn == 0, size, resized)
        u = -jnp.where(turn < 0, 0, step)
        return u, size, jnp.where(turn < 0, 0, size * jnp.sign(g))

    return leafwise(
        rule,
        RpropState,
        (full(check_number("learning_rate", learning_rate)), zeros),
        eta_minus=eta_minus,
        eta_plus=eta_plus,
        min_step_size=min_step_size,
        max_step_size=max_step_size,
    )
