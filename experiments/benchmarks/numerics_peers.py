"""The contestants of the numerics table: value and derivatives of each function, as they come.

A contestant of one function is `answer(order, z)`: value (0), first (1) or second derivative (2)
of every number of z [N] or every row of z [N, C], or None where it has none. Derivatives are the
library's own: jax.grad or torch's autograd through whatever it ships.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.special
from jax.scipy.special import xlog1py, xlogy

from jaxlr import activations, losses

try:
    import torch
except ImportError:
    torch = None

NAMES = ("jaxlr", "jax.nn", "optax", "scipy", "torch", "naive", "by hand")
Answer = Callable[[int, np.ndarray], np.ndarray | None]


def elementwise(function: str) -> dict[str, Answer]:
    """Contestants of a function of one number; `log_loss, y = 1` carries its label."""
    name, _, y = function.partition(", y = ")
    jax_ones = {
        "jaxlr": _with_label(getattr(activations, name, None) or getattr(losses, name), y),
        "jax.nn": _with_label(_of_xlogy if "prob" in name else getattr(jax.nn, name, None), y),
        "optax": _with_label(_OPTAX[name], y) if name in _OPTAX else None,
        "naive": _with_label(_NAIVE[name], y),
    }
    answers = {peer: by_jax(f) for peer, f in jax_ones.items() if f}
    if name in _BY_HAND:
        answers["by hand"] = functools.partial(_formulas, _BY_HAND[name], y)
    answers["scipy"] = functools.partial(_scipy, _with_label(_SCIPY[name], y))
    if torch:
        answers["torch"] = functools.partial(_torch, name, y)
    return answers


def by_jax(function: Callable) -> Answer:
    """A function of one number and its derivatives by jax.grad, each compiled once per format."""
    slope = jax.grad(function)
    programs = [jax.jit(jax.vmap(f)) for f in (function, slope, jax.grad(slope))]
    return lambda order, z: programs[order](jnp.asarray(z))


def _with_label(function: Callable | None, y: str) -> Callable | None:
    if not y or function is None:
        return function
    return lambda z: function(z, jnp.asarray(float(y), z.dtype))


def _naive_log_loss(z, y):
    return _naive_from_probability(1 / (1 + jnp.exp(-z)), y)


def _naive_from_probability(p, y):
    return -y * jnp.log(p) - (1 - y) * jnp.log(1 - p)


def _of_xlogy(p, y):
    return -xlogy(y, p) - xlog1py(1 - y, -p)


_OPTAX = {"log_loss": optax.sigmoid_binary_cross_entropy}
_NAIVE = {
    "sigmoid": lambda z: 1 / (1 + jnp.exp(-z)),
    "softplus": lambda z: jnp.log(1 + jnp.exp(z)),
    "log_sigmoid": lambda z: jnp.log(1 / (1 + jnp.exp(-z))),
    "log_loss": _naive_log_loss,
    "log_loss_from_probability": _naive_from_probability,
}
# The textbook's derivatives from a p that is right: value, first, second.
_BY_HAND = {
    "sigmoid": (None, lambda p, y: p * (1 - p), lambda p, y: p * (1 - p) * (1 - 2 * p)),
    "softplus": (None, lambda p, y: p, lambda p, y: p * (1 - p)),
    "log_sigmoid": (None, lambda p, y: 1 - p, lambda p, y: -p * (1 - p)),
    "log_loss": (None, lambda p, y: p - y, lambda p, y: p * (1 - p)),
}
_SCIPY = {
    "sigmoid": scipy.special.expit,
    "softplus": lambda z: -scipy.special.log_expit(-z),
    "log_sigmoid": scipy.special.log_expit,
    "log_loss": lambda z, y: -scipy.special.log_expit(z if float(y) else -z),
    "log_loss_from_probability": lambda p, y: (
        -scipy.special.xlogy(float(y), p) - scipy.special.xlog1py(1 - float(y), -p)
    ),
}


def _formulas(formulas, y, order, z):
    if formulas[order] is None:
        return None
    z = jnp.asarray(z)
    label = jnp.asarray(float(y or 0), z.dtype)
    return jax.jit(lambda z: formulas[order](jax.nn.sigmoid(z), label))(z)


def _scipy(function, order, z):
    if order or z.dtype.kind != "f":  # values only, and no bfloat16
        return None
    with np.errstate(all="ignore"):
        # Its own loops begin at float32.
        return np.asarray(function(z.astype(np.result_type(z, np.float32)))).astype(z.dtype)


def _torch(name, y, order, z):
    functional = torch.nn.functional
    call = {
        "sigmoid": lambda z, _: torch.sigmoid(z),
        "softplus": lambda z, _: functional.softplus(z),
        "log_sigmoid": lambda z, _: functional.logsigmoid(z),
        "log_loss": functools.partial(
            functional.binary_cross_entropy_with_logits, reduction="none"
        ),
        "log_loss_from_probability": functools.partial(
            functional.binary_cross_entropy, reduction="none"
        ),
    }[name]
    z = to_torch(z)
    answer = call(z, torch.full_like(z, float(y or 0)).detach())
    for _ in range(order):
        (answer,) = torch.autograd.grad(answer.sum(), z, create_graph=True)
    return from_torch(answer)


def to_torch(z: np.ndarray):
    """A leaf in the format of z, bfloat16 too."""
    wide = np.asarray(z, np.float64 if z.dtype.itemsize == 8 else np.float32)
    return torch.tensor(wide).to(getattr(torch, str(z.dtype))).requires_grad_()


def from_torch(answer) -> np.ndarray:
    """Its numbers in float64."""
    return answer.detach().double().numpy()
