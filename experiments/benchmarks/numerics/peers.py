"""The contestants of the numerics table: value and derivatives of each function, as they come.

A contestant is `answer(order, z)`: value (0), first (1) or second derivative (2) of every number
of z [N] or every row of z [N, C], or None where it has none; the second derivative of log_softmax
is that of its component 0. Derivatives are the library's own: jax.grad or torch's autograd through
whatever it ships.
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


def contestants(function: str, label: np.ndarray | float | None = None) -> dict[str, Answer]:
    """By name; a loss has one label for all numbers, or [N] for rows."""
    name = function.split(",")[0]
    in_jax = {
        "jaxlr": getattr(activations, name, None) or getattr(losses, name),
        "jax.nn": _of_xlogy if "prob" in name else getattr(jax.nn, name, None),
        "optax": _OPTAX.get(name),
        "naive": _NAIVE[name],
    }
    answers = {peer: _by_jax(name, f, label) for peer, f in in_jax.items() if f}
    if name in _BY_HAND:
        answers["by hand"] = functools.partial(_by_hand, name, label)
    if name in _SCIPY:
        answers["scipy"] = functools.partial(_scipy, name, label)
    if torch:
        answers["torch"] = functools.partial(_torch, name, label)
    return answers


def _of_xlogy(p, y):
    return -xlogy(y, p) - xlog1py(1 - y, -p)


def _naive_softmax(z):
    return jnp.exp(z) / jnp.sum(jnp.exp(z))


def _naive_from_probability(p, y):
    return -y * jnp.log(p) - (1 - y) * jnp.log(1 - p)


_OPTAX = {
    "log_loss": optax.sigmoid_binary_cross_entropy,
    "softmax_cross_entropy": optax.softmax_cross_entropy_with_integer_labels,
}
_NAIVE = {
    "sigmoid": lambda z: 1 / (1 + jnp.exp(-z)),
    "softplus": lambda z: jnp.log(1 + jnp.exp(z)),
    "log_sigmoid": lambda z: jnp.log(1 / (1 + jnp.exp(-z))),
    "log_loss": lambda z, y: _naive_from_probability(1 / (1 + jnp.exp(-z)), y),
    "log_loss_from_probability": _naive_from_probability,
    "softmax": _naive_softmax,
    "log_softmax": lambda z: jnp.log(_naive_softmax(z)),
    "softmax_cross_entropy": lambda z, y: -jnp.log(_naive_softmax(z))[y],
}
# The textbook's first and second derivatives from a p that is right; of rows p is [N, C].
_BY_HAND = {
    "sigmoid": (lambda p, y: p * (1 - p), lambda p, y: p * (1 - p) * (1 - 2 * p)),
    "softplus": (lambda p, y: p, lambda p, y: p * (1 - p)),
    "log_sigmoid": (lambda p, y: 1 - p, lambda p, y: -p * (1 - p)),
    "log_loss": (lambda p, y: p - y, lambda p, y: p * (1 - p)),
    "softmax": (lambda p, y: _spread(p), None),
    "log_softmax": (lambda p, y: _eye(p) - p[:, None, :], lambda p, y: -_spread(p)),
    "softmax_cross_entropy": (lambda p, y: p - _eye(p)[y], lambda p, y: _spread(p)),
}
_SCIPY = {
    "sigmoid": scipy.special.expit,
    "softplus": lambda z: -scipy.special.log_expit(-z),
    "log_sigmoid": scipy.special.log_expit,
    "log_loss": lambda z, y: -scipy.special.log_expit(z if y else -z),
    "log_loss_from_probability": lambda p, y: (
        -scipy.special.xlogy(y, p) - scipy.special.xlog1py(1 - y, -p)
    ),
    "softmax": functools.partial(scipy.special.softmax, axis=-1),
    "log_softmax": functools.partial(scipy.special.log_softmax, axis=-1),
}


def _eye(p):
    return jnp.eye(p.shape[1], dtype=p.dtype)


def _spread(p):
    return p[:, :, None] * _eye(p) - p[:, :, None] * p[:, None, :]


def _by_jax(name, function, label) -> Answer:
    """A function of one number or one row, and its derivatives, each compiled once per format."""
    first = jax.jacrev(function) if name in ("softmax", "log_softmax") else jax.grad(function)
    second = {
        "softmax": None,
        "log_softmax": jax.jacrev(jax.grad(lambda z: function(z)[0])),
        "softmax_cross_entropy": jax.jacrev(first),
    }.get(name, jax.grad(first))
    programs = [program and jax.jit(jax.vmap(program)) for program in (function, first, second)]

    def answer(order, z):
        labels = [] if label is None else [_labels(label, z)]
        return programs[order] and programs[order](jnp.asarray(z), *labels)

    return answer


def _labels(label, z):
    """One for each number, in its format; of rows they are whole numbers already."""
    return jnp.asarray(label) if np.ndim(label) else jnp.full(z.shape, label, z.dtype)


def _by_hand(name, label, order, z):
    if order == 0 or _BY_HAND[name][order - 1] is None:
        return None
    z, formula = jnp.asarray(z), _BY_HAND[name][order - 1]
    y = None if label is None else _labels(label, z)
    return jax.jit(lambda z: formula((jax.nn.softmax if z.ndim > 1 else jax.nn.sigmoid)(z), y))(z)


def _scipy(name, label, order, z):
    if order or z.dtype.kind != "f":  # values only, and no bfloat16
        return None
    with np.errstate(all="ignore"):
        # Its own loops begin at float32.
        wide = z.astype(np.result_type(z, np.float32))
        return np.asarray(_SCIPY[name](wide, *([] if label is None else [label]))).astype(z.dtype)


def _torch(name, label, order, z):
    if (name, order) == ("softmax", 2):
        return None
    functional = torch.nn.functional
    call = {
        "sigmoid": lambda z: torch.sigmoid(z),
        "softplus": functional.softplus,
        "log_sigmoid": functional.logsigmoid,
        "log_loss": functional.binary_cross_entropy_with_logits,
        "log_loss_from_probability": functional.binary_cross_entropy,
        "softmax": functools.partial(functional.softmax, dim=-1),
        "log_softmax": functools.partial(functional.log_softmax, dim=-1),
        "softmax_cross_entropy": functional.cross_entropy,
    }[name]
    wide = np.asarray(z, np.float64 if z.dtype.itemsize == 8 else np.float32)
    z = torch.tensor(wide).to(getattr(torch, str(z.dtype))).requires_grad_()  # bfloat16 too
    if label is None:
        answer = call(z)
    else:
        y = torch.tensor(label).long() if np.ndim(label) else torch.full_like(z, label).detach()
        answer = call(z, y, reduction="none")
    if (name, order) == ("log_softmax", 2):
        answer = answer[:, 0]
    for _ in range(order):
        answer = _torch_derivative(answer, z)
    return answer.detach().double().numpy()


def _torch_derivative(answer, z):
    """d answer [N, ...] / d z: of numbers z [N], or of rows [N, C], a component at a time."""
    columns = [
        torch.autograd.grad(column.sum(), z, create_graph=True)[0]
        for column in answer.reshape(len(z), -1).unbind(dim=1)
    ]
    return torch.stack(columns, dim=1).reshape(*answer.shape, *z.shape[1:])
