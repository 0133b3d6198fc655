"""A third witness: every rule once more, from its paper, in numpy and float64.

The papers' own letters and order are kept, and so differ from the code's where those differ.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import optimizers
from tests.test_optimizers_trajectories import NUM_STEPS, walk

pytestmark = pytest.mark.float64

RATE = 0.03


def sgd(w, g, t, s):
    return -RATE * g


def heavy_ball(w, g, t, s):
    """Polyak: Δ ← β Δ - α g. (The same steps as v ← β v + g, u = -α v, for a constant α.)"""
    s["step"] = 0.9 * s.get("step", 0) - RATE * g
    return s["step"]


def nesterov(w, g, t, s):
    """Sutskever's v, seen from the point that looks ahead, where g is taken."""
    before = s.get("v", 0)
    s["v"] = 0.9 * before - RATE * g
    return (1 + 0.9) * s["v"] - 0.9 * before


def momentum_ema(w, g, t, s):
    """The lecture's A3."""
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g
    return -RATE * s["v"]


def adagrad(w, g, t, s):
    """The lecture's, with 0.1 in the sum from the start."""
    s["sum"] = s.get("sum", 0.1) + g**2
    return -RATE * g / np.sqrt(s["sum"] + 1e-7)


def adadelta(w, g, t, s):
    """The lecture's."""
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    delta = np.sqrt(s.get("w", 0) + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["w"] = 0.9 * s.get("w", 0) + 0.1 * delta**2
    return -RATE * delta


def rmsprop(w, g, t, s):
    """The lecture's: epsilon outside the root."""
    s["s"] = 0.9 * s.get("s", 0) + 0.1 * g**2
    return -RATE * g / (np.sqrt(s["s"]) + 1e-8)


def centered_rmsprop(w, g, t, s):
    """Graves: epsilon inside, the squared mean taken off."""
    s["n"] = 0.9 * s.get("n", 0) + 0.1 * g**2
    s["g"] = 0.9 * s.get("g", 0) + 0.1 * g
    return -RATE * g / np.sqrt(s["n"] - s["g"] ** 2 + 1e-2)


def moments(g, t, s, b1=0.9, b2=0.999):
    """m̂ and v̂ as sums over the past: what the recursions with their corrections are for."""
    past = s.setdefault("past", [])
    past.append(g)
    age = np.arange(t)[::-1].reshape(-1, *[1] * np.ndim(g))
    mean = np.sum(b1**age * np.array(past), axis=0) / np.sum(b1**age)
    square = np.sum(b2**age * np.array(past) ** 2, axis=0) / np.sum(b2**age)
    return mean, square


def adam(w, g, t, s):
    m_hat, v_hat = moments(g, t, s)
    return -RATE * m_hat / (np.sqrt(v_hat) + 1e-8)


def adamw(w, g, t, s):
    return adam(w, g, t, s) - RATE * 0.1 * w


def adamax(w, g, t, s):
    m_hat, _ = moments(g, t, s)
    s["u"] = np.maximum(0.999 * s.get("u", 0), np.abs(g) + 1e-8)
    return -RATE * m_hat / s["u"]


def amsgrad(w, g, t, s):
    """Reddi, Kale and Kumar: no correction of bias."""
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g**2
    s["z"] = np.maximum(s.get("z", 0), s["v"])
    return -RATE * s["m"] / (np.sqrt(s["z"]) + 1e-8)


def nadam(w, g, t, s):
    """Dozat, with a constant μ."""
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    _, v_hat = moments(g, t, s)
    m_bar = 0.9 * s["m"] / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
    return -RATE * m_bar / (np.sqrt(v_hat) + 1e-8)


def radam(w, g, t, s):
    """Liu et al.: ρ > 4 in the paper, ≥ 5 here."""
    m_hat, v_hat = moments(g, t, s)
    end = 2 / (1 - 0.999) - 1
    rho = end - 2 * t * 0.999**t / (1 - 0.999**t)
    if rho < 5:
        return -RATE * m_hat
    r = np.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))
    return -RATE * r * m_hat / (np.sqrt(v_hat) + 1e-8)


def adabelief(w, g, t, s):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["s"] = 0.999 * s.get("s", 0) + 0.001 * (g - s["m"]) ** 2 + 1e-16
    s_hat = s["s"] / (1 - 0.999**t)
    return -RATE * s["m"] / (1 - 0.9**t) / (np.sqrt(s_hat) + 1e-16)


def adan(w, g, t, s):
    """Xie et al., with β = 1 - b; weights decay by a plain step."""
    beta1, beta2, beta3 = 1 - 0.98, 1 - 0.92, 1 - 0.99
    change = g - s.get("g", g)
    s["g"] = g
    s["m"] = (1 - beta1) * s.get("m", 0) + beta1 * g
    s["v"] = (1 - beta2) * s.get("v", 0) + beta2 * change
    s["n"] = (1 - beta3) * s.get("n", 0) + beta3 * (g + beta2 * change) ** 2
    m_hat, v_hat, n_hat = (
        s[x] / (1 - (1 - beta) ** t) for x, beta in zip("mvn", (beta1, beta2, beta3), strict=True)
    )
    return -RATE * (m_hat + beta2 * v_hat) / (np.sqrt(n_hat + 1e-8) + 1e-8) - RATE * 0.02 * w


def yogi(w, g, t, s):
    s["m"] = 0.9 * s.get("m", 1e-6) + 0.1 * g
    v = s.get("v", 1e-6)
    s["v"] = v + 0.001 * np.where(g**2 > v, 1, -1) * g**2
    m_hat, v_hat = s["m"] / (1 - 0.9**t), s["v"] / (1 - 0.999**t)
    return -RATE * m_hat / (np.sqrt(v_hat) + 1e-3)


def lion(w, g, t, s):
    """Chen et al.: c = β₁ m + (1 - β₁) g, then θ ← θ - η (sign(c) + λ θ)."""
    m = s.get("m", np.zeros_like(g))
    s["m"] = 0.99 * m + 0.01 * g
    return -RATE * (np.sign(0.9 * m + 0.1 * g) + 1e-3 * w)


def lamb(w, g, t, s):
    m_hat, v_hat = moments(g, t, s)
    r = m_hat / (np.sqrt(v_hat) + 1e-6) + 0.1 * w
    return -RATE * np.linalg.norm(w) / np.linalg.norm(r) * r


def lars(w, g, t, s):
    d = g + 0.1 * w
    local_rate = 0.001 * np.linalg.norm(w) / np.linalg.norm(d)
    s["v"] = 0.9 * s.get("v", 0) + RATE * local_rate * d
    return -s["v"]


def sign_sgd(w, g, t, s):
    return -RATE * np.sign(g)


def novograd(w, g, t, s):
    size = np.linalg.norm(g) ** 2
    s["v"] = 0.25 * s["v"] + 0.75 * size if "v" in s else size
    s["m"] = 0.9 * s.get("m", 0) + (g / (np.sqrt(s["v"]) + 1e-6) + 0.1 * w)
    return -RATE * s["m"]


def rprop(w, g, t, s):
    """Igel and Hüsken's Rprop- with a zeroed gradient at a turn, one gradient late."""
    size = s.setdefault("size", np.full_like(g, RATE))
    last = s.get("g", np.zeros_like(g))
    late = -size * np.sign(last) if "g" in s else np.zeros_like(g)
    longer, turn = g * last > 0, g * last < 0
    s["size"] = np.where(longer, np.minimum(size * 1.2, 50), size)
    s["size"] = np.where(turn, np.maximum(size * 0.5, 1e-6), s["size"])
    s["g"] = np.where(turn, 0, g)
    return np.where(turn, 0, late)


RULES = {
    sgd: optimizers.sgd(RATE),
    heavy_ball: optimizers.sgd(RATE, 0.9),
    nesterov: optimizers.sgd(RATE, 0.9, nesterov=True),
    momentum_ema: optimizers.momentum_ema(RATE),
    adagrad: optimizers.adagrad(RATE),
    adadelta: optimizers.adadelta(RATE),
    rmsprop: optimizers.rmsprop(RATE, eps_in_sqrt=False),
    centered_rmsprop: optimizers.rmsprop(RATE, eps=1e-2, centered=True),
    adam: optimizers.adam(RATE),
    adamw: optimizers.adamw(RATE, weight_decay=0.1),
    adamax: optimizers.adamax(RATE),
    amsgrad: optimizers.amsgrad(RATE, bias_correction_mu=False, bias_correction_nu=False),
    nadam: optimizers.nadam(RATE),
    radam: optimizers.radam(RATE),
    adabelief: optimizers.adabelief(RATE),
    adan: optimizers.adan(RATE, weight_decay=0.02),
    yogi: optimizers.yogi(RATE),
    lion: optimizers.lion(RATE),
    lamb: optimizers.lamb(RATE, weight_decay=0.1),
    lars: optimizers.lars(RATE, weight_decay=0.1),
    sign_sgd: optimizers.sign_sgd(RATE),
    novograd: optimizers.novograd(RATE, weight_decay=0.1),
    rprop: optimizers.rprop(RATE),
}
TOLERANCE = 1e-11


def textbook(rule, w, grads):
    w, memory, updates = np.array(w, np.float64), {}, []
    for t, g in enumerate(np.asarray(grads, np.float64), start=1):
        updates.append(rule(w, g, t, memory))
        w = w + updates[-1]
    return np.array(updates)


@functools.cache
def problem():
    rng = np.random.default_rng(11)
    size = 10.0 ** rng.uniform(-1, 1, (NUM_STEPS, 1))
    return jnp.asarray(rng.normal(size=4)), jnp.asarray(size * rng.normal(size=(NUM_STEPS, 4)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_textbook_takes_the_same_steps(rule):
    w, grads = problem()
    ours = jax.jit(functools.partial(walk, RULES[rule]))(w, grads)
    theirs = textbook(rule, w, grads)
    scale = np.maximum.accumulate(np.abs(theirs), axis=0).max(axis=1, keepdims=True)
    assert np.all(np.abs(ours - theirs) <= TOLERANCE * scale)
    assert np.abs(theirs).max() > 1e-5
