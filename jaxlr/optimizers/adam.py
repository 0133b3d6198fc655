"""Adam and its nearest kin: the mean gradient over the root of its mean square."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxlr.optimizers.parts import Mask, decayed, leafwise, unbiased, zeros, zeros_in
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class AdamState(NamedTuple):
    """Steps taken, and the running means of g (mu) and of g² (nu)."""

    count: Array
    mu: Params
    nu: Params


def adam_direction(
    g: Array,
    t: Array,
    m: Array,
    v: Array,
    *,
    b1: Scalar,
    b2: Scalar,
    eps: Scalar,
    eps_root: Scalar,
    nesterov: bool,
) -> tuple[Array, Array, Array]:
    """Adam's d, m and v, as `adam` writes them; with `nesterov`, Nadam's."""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    if nesterov:
        m_hat = b1 * unbiased(m, b1, t + 1) + (1 - b1) * unbiased(g, b1, t)
    else:
        m_hat = unbiased(m, b1, t)
    v_hat = unbiased(v, b2, t)
    return m_hat / (jnp.sqrt(v_hat + eps_root) + eps), m, v


def adam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any | None = None,
    *,
    nesterov: bool = False,
) -> Optimizer:
    """Every coordinate steps about learning_rate, less where its gradients disagree.

        m ← b1·m + (1 - b1)·g       m̂ = m / (1 - b1ᵗ)
        v ← b2·v + (1 - b2)·g²      v̂ = v / (1 - b2ᵗ)
        u = -learning_rate · d,     d = m̂ / (√(v̂ + eps_root) + eps)

    The lecture's cheat sheet prints v / (1 - b1ᵗ), a slip.

    Reference:
      Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1.
    """

    def rule(g, w, t, m, v, *, learning_rate, **numbers):
        d, m, v = adam_direction(g, t, m, v, nesterov=nesterov, **numbers)
        return -learning_rate * d, m, v

    return leafwise(
        rule,
        AdamState,
        (zeros_in(mu_dtype), zeros),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
    )


def adamw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any | None = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask = None,
    *,
    nesterov: bool = False,
) -> Optimizer:
    """Adam with a weight decay that its division does not touch.

        u = -learning_rate · (d + weight_decay·w),  with adam's d

    Weights outside `mask` do not decay.

    Reference:
      Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2.
    """

    def rule(g, w, t, m, v, *, learning_rate, weight_decay, **numbers):
        d, m, v = adam_direction(g, t, m, v, nesterov=nesterov, **numbers)
        return -learning_rate * decayed(d, weight_decay, w), m, v

    return leafwise(
        rule,
        AdamState,
        (zeros_in(mu_dtype), zeros),
        counts=True,
        masks={"weight_decay": mask},
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
        weight_decay=weight_decay,
    )


def nadam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any | None = None,
    *,
    nesterov: bool = True,
) -> Optimizer:
    """Adam that looks one step ahead, as Nesterov does.

        m̂ = b1 · m / (1 - b1ᵗ⁺¹) + (1 - b1) · g / (1 - b1ᵗ),  the rest as in adam

    Reference:
      Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 2, whose extra factor b2
      on v̂ is left out, as everywhere.
    """
    return adam(learning_rate, b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)


def nadamw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any | None = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask = None,
    *,
    nesterov: bool = True,
) -> Optimizer:
    """Nadam with adamw's weight decay: u = -learning_rate · (d + weight_decay·w)."""
    return adamw(
        learning_rate, b1, b2, eps, eps_root, mu_dtype, weight_decay, mask, nesterov=nesterov
    )


class AdanState(NamedTuple):
    """Steps taken, the last gradient, and running means of g, of its change, of their square."""

    count: Array
    gradient: Params
    mean: Params
    mean_change: Params
    mean_square: Params


def adan(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.98,
    b2: Scalar = 0.92,
    b3: Scalar = 0.99,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    mask: Mask = None,
) -> Optimizer:
    """Adam that measures where the gradient is heading, instead of looking there.

        δ = g - (the last g),  0 on the first step
        m ← b1·m + (1 - b1)·g
        v ← b2·v + (1 - b2)·δ
        n ← b3·n + (1 - b3)·(g + (1 - b2)·δ)²
        u = -learning_rate · ((m̂ + (1 - b2)·v̂) / (√(n̂ + eps_root) + eps) + weight_decay·w)

    Hats divide by 1 - bᵗ. The paper's β is 1 - b, with β₂ where this has (1 - b2) before v.

    Reference:
      Xie et al., Adan: adaptive Nesterov momentum algorithm (2022), algorithm 1.
    """

    def rule(g, w, t, last, m, v, n, *, learning_rate, b1, b2, b3, eps, eps_root, weight_decay):
        change = jnp.where(t == 1, 0, g - last)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * change
        n = b3 * n + (1 - b3) * (g + (1 - b2) * change) ** 2
        m_hat, v_hat, n_hat = unbiased(m, b1, t), unbiased(v, b2, t), unbiased(n, b3, t)
        d = (m_hat + (1 - b2) * v_hat) / (jnp.sqrt(n_hat + eps_root) + eps)
        return -learning_rate * decayed(d, weight_decay, w), g, m, v, n

    return leafwise(
        rule,
        AdanState,
        (zeros, zeros, zeros, zeros),
        counts=True,
        masks={"weight_decay": mask},
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        b3=b3,
        eps=eps,
        eps_root=eps_root,
        weight_decay=weight_decay,
    )
