"""What the last bits cost: our functions and jax.nn's or optax's, turn by turn in one process."""

import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.benchmarks import machine
from jaxlr import activations, losses

REQUIRED = 1.1  # times the peer's
ROUNDS = 21  # with 7, a busy machine moves a ratio by a tenth


class Duel(NamedTuple):
    """Two functions of the same arguments, differentiated in the first."""

    name: str
    ours: Callable
    theirs: Callable
    arguments: tuple


def duels(dtype: jnp.dtype, square: int, rows: int) -> list[Duel]:
    """Everything that jax.nn or optax has too, on [square, square] and on [rows, 16] scores."""
    rng = np.random.default_rng(0)
    z = jnp.asarray(rng.normal(size=(square, square)) * 5, dtype)
    binary = jnp.asarray(rng.random(z.shape) < 0.5, dtype)
    logits = jnp.asarray(rng.normal(size=(rows, 16)) * 5, dtype)
    label = jnp.asarray(rng.integers(0, 16, rows), jnp.int32)
    shares = jax.nn.one_hot(label, 16, dtype=dtype)
    of_all = [(n, z) for n in ("sigmoid", "softplus", "log_sigmoid", "softmax", "log_softmax")]
    of_rows = [(n, logits) for n in ("softmax", "log_softmax")]
    elementwise = jax.vmap(jax.vmap(losses.log_loss))
    name, own = "softmax_cross_entropy", jax.vmap(losses.softmax_cross_entropy)
    of_class = optax.softmax_cross_entropy_with_integer_labels
    return [
        *(Duel(n, getattr(activations, n), getattr(jax.nn, n), (x,)) for n, x in of_all + of_rows),
        Duel("log_loss", elementwise, optax.sigmoid_binary_cross_entropy, (z, binary)),
        Duel(f"{name}, class", own, of_class, (logits, label)),
        Duel(f"{name}, distribution", own, optax.softmax_cross_entropy, (logits, shares)),
    ]


def compare(duel: Duel, rounds: int = ROUNDS) -> list[dict]:
    """A row for the value and a row for the gradient: medians of interleaved rounds."""
    rows = []
    for order in ("value", "gradient"):
        works, compile_seconds = {}, {}
        for name, function in (("ours", duel.ours), ("theirs", duel.theirs)):
            start = time.perf_counter()
            if order == "gradient":  # of the sum, in the first argument
                function = jax.grad(lambda *arguments, f=function: jnp.sum(f(*arguments)))
            program = jax.jit(function).lower(*duel.arguments).compile()
            compile_seconds[f"compile_{name}"] = time.perf_counter() - start
            works[name] = lambda program=program: program(*duel.arguments)
            machine.once(works[name])
        times = machine.turns(works, rounds)
        rows.append(
            {
                "function": duel.name,
                "shape": list(duel.arguments[0].shape),
                "dtype": str(duel.arguments[0].dtype),
                "order": order,
                **{f"{name}_ms": 1e3 * float(np.median(t)) for name, t in times.items()},
                "ratio": machine.ratio(times["ours"], times["theirs"]),
                **compile_seconds,
            }
        )
    return rows


def measure() -> list[dict]:
    """float32 as JAX comes, then float64, on a quarter of the numbers."""
    rows = [row for duel in duels(jnp.float32, 4096, 2**20) for row in compare(duel)]
    with jax.enable_x64(True):
        rows += [row for duel in duels(jnp.float64, 2048, 2**18) for row in compare(duel)]
    return rows
