"""The contestants of the numerics table for functions of a row of scores; see numerics_peers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.special

from experiments.benchmarks.numerics_peers import Answer, from_torch, to_torch, torch
from jaxlr import activations, losses


def contestants(function: str, label: np.ndarray) -> dict[str, Answer]:
    """Of softmax, log_softmax (its second derivative: of component 0), softmax_cross_entropy."""
    is_loss = function == "softmax_cross_entropy"
    jax_ones = {
        "jaxlr": getattr(losses if is_loss else activations, function),
        "jax.nn": None if is_loss else getattr(jax.nn, function),
        "optax": optax.softmax_cross_entropy_with_integer_labels if is_loss else None,
        "naive": _NAIVE[function],
        "by hand": None,
    }
    answers = {peer: _by_jax(function, f, label) for peer, f in jax_ones.items() if f}
    answers["by hand"] = functools.partial(_by_hand, function, label)
    if not is_loss:
        answers["scipy"] = functools.partial(_scipy, getattr(scipy.special, function))
    if torch:
        answers["torch"] = functools.partial(_torch, function, label)
    return answers


def _naive_softmax(z):
    return jnp.exp(z) / jnp.sum(jnp.exp(z))


_NAIVE = {
    "softmax": _naive_softmax,
    "log_softmax": lambda z: jnp.log(_naive_softmax(z)),
    "softmax_cross_entropy": lambda z, y: -jnp.log(_naive_softmax(z))[y],
}


def _by_jax(name, function, label):
    if name == "softmax_cross_entropy":
        programs = [function, jax.grad(function), jax.jacrev(jax.grad(function))]
    else:
        first = jax.jacrev(jax.grad(lambda z: function(z)[0]))
        programs = [function, jax.jacrev(function), first if name == "log_softmax" else None]
    programs = [program and jax.jit(jax.vmap(program)) for program in programs]
    extra = (jnp.asarray(label),) if name == "softmax_cross_entropy" else ()
    return lambda order, z: programs[order] and programs[order](jnp.asarray(z), *extra)


def _by_hand(name, label, order, z):
    """p - y, diag(p) - p pᵀ and their like, from jax.nn's p."""
    if order == 0 or (name, order) == ("softmax", 2):
        return None
    z = jnp.asarray(z)
    p, eye = jax.nn.softmax(z), jnp.eye(z.shape[1], dtype=z.dtype)
    if (name, order) == ("softmax_cross_entropy", 1):
        return p - eye[label]
    if (name, order) == ("log_softmax", 1):
        return eye - p[:, None, :]
    curvature = p[:, :, None] * eye - p[:, :, None] * p[:, None, :]
    return -curvature if name == "log_softmax" else curvature


def _scipy(function, order, z):
    if order or z.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        return function(z.astype(np.result_type(z, np.float32)), axis=-1).astype(z.dtype)


def _torch(name, label, order, z):
    if (name, order) == ("softmax", 2):
        return None
    functional = torch.nn.functional
    z = to_torch(z)
    if name == "softmax_cross_entropy":
        answer = functional.cross_entropy(z, torch.tensor(label).long(), reduction="none")
    else:
        answer = getattr(functional, name)(z, dim=-1)
    if (name, order) == ("log_softmax", 2):
        answer = answer[:, 0]
    for _ in range(order):
        answer = _jacobian(answer, z)
    return from_torch(answer)


def _jacobian(answer, z):
    """d answer [N, ...] / d z [N, C], one component of all rows at a time."""
    flat = answer.reshape(len(z), -1)
    columns = [
        torch.autograd.grad(flat[:, k].sum(), z, create_graph=True)[0] for k in range(flat.shape[1])
    ]
    return torch.stack(columns, dim=1).reshape(*answer.shape, z.shape[1])
