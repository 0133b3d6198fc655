"""Steps scaled by a norm of the whole array: one number per layer."""

from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.optimizers.adam import AdamState, adam_direction
from jaxlr.optimizers.parts import Mask, decayed, leafwise, norm, zeros
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


def trust_ratio(w: Array, d: Array, trust_coefficient: Scalar = 1.0, eps: Scalar = 0.0) -> Array:
    """[] trust_coefficient·‖w‖ / (‖d‖ + eps), and 1 where either norm is 0."""
    w_norm, d_norm = norm(w), norm(d)
    still = (w_norm == 0) | (d_norm == 0)
    return jnp.where(still, 1, trust_coefficient * w_norm / jnp.where(still, 1, d_norm + eps))


class LarsState(NamedTuple):
    """Steps taken (None without a schedule), and the velocity, learning rate included."""

    count: Array | None
    velocity: Params


def lars(
    learning_rate: ScalarOrSchedule,
    weight_decay: ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = True,
    trust_coefficient: Scalar = 0.001,
    eps: Scalar = 0.0,
    trust_ratio_mask: Mask = True,
    momentum: Scalar = 0.9,
    nesterov: bool = False,
) -> Optimizer:
    """Momentum with steps in proportion to the norm of the layer they move.

        d = g + weight_decay·w
        r = trust_coefficient · ‖w‖ / (‖d‖ + eps),  1 if either norm is 0
        v ← -learning_rate·r·d + momentum·v
        u = v   (Nesterov: -learning_rate·r·d + momentum·v)

    Outside its mask, r is 1 or the decay 0.

    Reference:
      You, Gitman and Ginsburg, Large batch training of convolutional networks (2017), alg. 1.
    """

    def rule(g, w, t, v, *, learning_rate, weight_decay, trust_coefficient, eps, momentum):
        d = decayed(g, weight_decay, w)
        if trust_coefficient is not None:
            d = d * trust_ratio(w, d, trust_coefficient, eps)
        step = -learning_rate * d
        v = step + momentum * v
        return (step + momentum * v if nesterov else v), v

    return leafwise(
        rule,
        LarsState,
        (zeros,),
        needs_params=True,
        masks={"weight_decay": weight_decay_mask, "trust_coefficient": trust_ratio_mask},
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        trust_coefficient=trust_coefficient,
        eps=eps,
        momentum=momentum,
    )


def lamb(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-6,
    eps_root: Scalar = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
) -> Optimizer:
    """Adamw with steps in proportion to the norm of the layer they move.

        d ← d + weight_decay·w,  with adam's d
        u = -learning_rate · ‖w‖/‖d‖ · d,  the ratio 1 if either norm is 0

    Weights outside `mask` do not decay.

    Reference:
      You et al., Large batch optimization for deep learning (2020), algorithm 2.
    """

    def rule(g, w, t, m, v, *, learning_rate, weight_decay, **numbers):
        d, m, v = adam_direction(g, t, m, v, nesterov=False, **numbers)
        d = decayed(d, weight_decay, w)
        return -learning_rate * (d * trust_ratio(w, d)), m, v

    return leafwise(
        rule,
        AdamState,
        (zeros, zeros),
        counts=True,
        needs_params=True,
        masks={"weight_decay": mask},
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
        weight_decay=weight_decay,
    )


class NovogradState(NamedTuple):
    """Steps taken, the running sum of normalised g (mu), the running mean of ‖g‖² (nu, [])."""

    count: Array
    mu: Params
    nu: Params


def novograd(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.25,
    eps: Scalar = 1e-6,
    eps_root: Scalar = 0.0,
    weight_decay: ScalarOrSchedule = 0.0,
) -> Optimizer:
    """Momentum on gradients that were divided by their layer's norm.

        v ← b2·v + (1 - b2)·‖g‖²,  at first ‖g‖²
        m ← b1·m + g / (√(v + eps_root) + eps) + weight_decay·w
        u = -learning_rate · m

    Reference:
      Ginsburg et al., Training deep networks with stochastic normalized gradients (2019), alg. 1.
    """

    def rule(g, w, t, m, v, *, learning_rate, b1, b2, eps, eps_root, weight_decay):
        square = jnp.sum(g**2)
        v = jnp.where(t == 1, square, b2 * v + (1 - b2) * square)
        d = g / (jnp.sqrt(v + eps_root) + eps)
        m = b1 * m + decayed(d, weight_decay, w)
        return -learning_rate * m, m, v

    def scalar(leaf):
        return jnp.zeros([], jnp.result_type(leaf))

    return leafwise(
        rule,
        NovogradState,
        (zeros, scalar),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
        weight_decay=weight_decay,
    )
