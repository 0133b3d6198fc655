"""Adam with another idea of the spread: its largest, its surprise, its warm-up."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxlr.optimizers.adam import AdamState
from jaxlr.optimizers.parts import Mask, decayed, full, leafwise, power, unbiased, zeros, zeros_in
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


class AmsgradState(NamedTuple):
    """Steps taken, the running means of g and of g², and the largest of the latter so far."""

    count: Array
    mu: Params
    nu: Params
    nu_max: Params


def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any | None = None,
    bias_correction_mu: bool = True,
    bias_correction_nu: bool = True,
) -> Optimizer:
    """Adam whose steps never grow back: it divides by the largest mean square so far.

        m ← b1·m + (1 - b1)·g        m̂ = m / (1 - b1ᵗ)
        v ← b2·v + (1 - b2)·g²       v̂ = v / (1 - b2ᵗ)
        z ← max(z, v̂)
        u = -learning_rate · m̂ / (√(z + eps_root) + eps)

    The paper corrects neither bias: that is both flags False.

    Reference:
      Reddi, Kale and Kumar, On the convergence of Adam and beyond (2018), algorithm 2.
    """

    def rule(g, w, t, m, v, z, *, learning_rate, b1, b2, eps, eps_root):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat = unbiased(m, b1, t) if bias_correction_mu else m
        z = jnp.maximum(z, unbiased(v, b2, t) if bias_correction_nu else v)
        return -learning_rate * (m_hat / (jnp.sqrt(z + eps_root) + eps)), m, v, z

    return leafwise(
        rule,
        AmsgradState,
        (zeros_in(mu_dtype), zeros, zeros),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
    )


def adamax(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
) -> Optimizer:
    """Adam with the largest recent |g| for the root mean square.

        m ← b1·m + (1 - b1)·g
        v ← max(b2·v, |g| + eps)
        u = -learning_rate · m / (1 - b1ᵗ) / v

    Reference:
      Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 2.
    """
    return adamaxw(learning_rate, b1, b2, eps, weight_decay=0.0)


def adamaxw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask = None,
) -> Optimizer:
    """Adamax with adamw's weight decay: u = -learning_rate · (m / (1 - b1ᵗ) / v + weight_decay·w).

    m and v as in adamax. Weights outside `mask` do not decay.
    """

    def rule(g, w, t, m, v, *, learning_rate, b1, b2, eps, weight_decay):
        m = b1 * m + (1 - b1) * g
        v = jnp.maximum(b2 * v, jnp.abs(g) + eps)
        return -learning_rate * decayed(unbiased(m, b1, t) / v, weight_decay, w), m, v

    return leafwise(
        rule,
        AdamState,
        (zeros, zeros),
        counts=True,
        masks={"weight_decay": mask},
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        weight_decay=weight_decay,
    )


def adabelief(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-16,
    eps_root: Scalar = 1e-16,
    *,
    nesterov: bool = False,
) -> Optimizer:
    """Adam that divides by its surprise: how far gradients fall from their mean.

        m ← b1·m + (1 - b1)·g
        v ← b2·v + (1 - b2)·(g - m)² + eps_root
        u = -learning_rate · m̂ / (√v̂ + eps)

    m̂ and v̂ as in adam (with Nesterov, as in nadam).

    Reference:
      Zhuang et al., AdaBelief optimizer (2020), algorithm 2.
    """

    def rule(g, w, t, m, v, *, learning_rate, b1, b2, eps, eps_root):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g - m) ** 2 + eps_root
        v_hat = unbiased(v, b2, t)
        return -learning_rate * (_mean(g, t, m, b1, nesterov) / (jnp.sqrt(v_hat) + eps)), m, v

    return leafwise(
        rule,
        AdamState,
        (zeros, zeros),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
    )


def yogi(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-3,
) -> Optimizer:
    """Adam whose mean square moves by g², however far away it is.

        m ← b1·m + (1 - b1)·g
        v ← v - (1 - b2)·sign(v - g²)·g²
        u = -learning_rate · m̂ / (√v̂ + eps)

    m̂ and v̂ as in adam, but m and v start at 1e-6.

    Reference:
      Zaheer et al., Adaptive methods for nonconvex optimization (2018), algorithm 2.
    """

    def rule(g, w, t, m, v, *, learning_rate, b1, b2, eps):
        m = b1 * m + (1 - b1) * g
        v = v - (1 - b2) * jnp.sign(v - g**2) * g**2
        m_hat, v_hat = unbiased(m, b1, t), unbiased(v, b2, t)
        return -learning_rate * (m_hat / (jnp.sqrt(v_hat) + eps)), m, v

    return leafwise(
        rule,
        AdamState,
        (full(1e-6), full(1e-6)),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
    )


def radam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    threshold: Scalar = 5.0,
    *,
    nesterov: bool = False,
) -> Optimizer:
    """Adam that waits for its mean square to be worth dividing by.

        ρ∞ = 2 / (1 - b2) - 1
        ρ = ρ∞ - 2·t·b2ᵗ / (1 - b2ᵗ)
        r = √[ (ρ - 4)(ρ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρ) ]
        u = -learning_rate · r · m̂ / (√(v̂ + eps_root) + eps)   if ρ ≥ threshold
        u = -learning_rate · m̂                                  before

    m, v, m̂ and v̂ as in adam (with Nesterov, as in nadam).

    Reference:
      Liu et al., On the variance of the adaptive learning rate and beyond (2020), algorithm 2.
    """

    def rule(g, w, t, m, v, *, learning_rate, b1, b2, eps, eps_root, threshold):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat, v_hat = _mean(g, t, m, b1, nesterov), unbiased(v, b2, t)
        rho, r = _rectification(t, b2)
        d = r.astype(g.dtype) * m_hat / (jnp.sqrt(v_hat + eps_root) + eps)
        return -learning_rate * jnp.where(rho.astype(g.dtype) >= threshold, d, m_hat), m, v

    return leafwise(
        rule,
        AdamState,
        (zeros, zeros),
        counts=True,
        learning_rate=learning_rate,
        b1=b1,
        b2=b2,
        eps=eps,
        eps_root=eps_root,
        threshold=threshold,
    )


def _rectification(t: Array, b2: Scalar) -> tuple[Array, Array]:
    """radam's ρ, and its r (NaN where ρ is between 2 and 4, long before it is used)."""
    end = 2.0 / (1.0 - b2) - 1.0
    kept = power(b2, t)
    rho = end - 2 * t.astype(kept.dtype) * kept / (1 - kept)
    return rho, jnp.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))


def _mean(g: Array, t: Array, m: Array, b1: Scalar, nesterov: bool) -> Array:
    """m̂, adam's or nadam's."""
    if nesterov:
        return b1 * unbiased(m, b1, t + 1) + (1 - b1) * unbiased(g, b1, t)
    return unbiased(m, b1, t)
