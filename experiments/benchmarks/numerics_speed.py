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
    shape: tuple[int, ...]
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
    one_hot = jax.nn.one_hot(label, 16, dtype=dtype)
    names = ("sigmoid", "softplus", "log_sigmoid", "softmax", "log_softmax")
    pairs = [(name, getattr(activations, name), getattr(jax.nn, name)) for name in names]
    elementwise = jax.vmap(jax.vmap(losses.log_loss))
    of_rows = jax.vmap(losses.softmax_cross_entropy)
    return [
        *(Duel(*pair[:1], z.shape, *pair[1:], (z,)) for pair in pairs),
        *(Duel(*pair[:1], logits.shape, *pair[1:], (logits,)) for pair in pairs[3:]),
        Duel("log_loss", z.shape, elementwise, optax.sigmoid_binary_cross_entropy, (z, binary)),
        Duel(
            "softmax_cross_entropy, class",
            logits.shape,
            of_rows,
            optax.softmax_cross_entropy_with_integer_labels,
            (logits, label),
        ),
        Duel(
            "softmax_cross_entropy, distribution",
            logits.shape,
            of_rows,
            optax.softmax_cross_entropy,
            (logits, one_hot),
        ),
    ]


def gradient(function: Callable) -> Callable:
    """Of the sum, in the first argument."""
    return jax.grad(lambda *arguments: jnp.sum(function(*arguments)))


def compare(duel: Duel, rounds: int = ROUNDS) -> list[dict]:
    """A row for the value and a row for the gradient: medians of interleaved rounds."""
    rows = []
    for order, of in (("value", lambda f: f), ("gradient", gradient)):
        programs, compile_seconds = zip(
            *(_compiled(of(f), duel.arguments) for f in (duel.ours, duel.theirs)), strict=True
        )
        for program in programs:
            jax.block_until_ready(program(*duel.arguments))
        times = [
            [machine.once(lambda p=program: p(*duel.arguments)) for program in programs]
            for _ in range(rounds)
        ]
        ours, theirs = np.median(times, axis=0)
        rows.append(
            {
                "function": duel.name,
                "shape": list(duel.shape),
                "dtype": str(duel.arguments[0].dtype),
                "order": order,
                "ours_ms": 1e3 * ours,
                "theirs_ms": 1e3 * theirs,
                # The middle of the rounds' own ratios: what slows a round slows both.
                "ratio": float(np.median([a / b for a, b in times])),
                "compile_ours": compile_seconds[0],
                "compile_theirs": compile_seconds[1],
            }
        )
    return rows


def _compiled(function: Callable, arguments: tuple) -> tuple[Callable, float]:
    start = time.perf_counter()
    program = jax.jit(function).lower(*arguments).compile()
    return program, time.perf_counter() - start


def measure() -> list[dict]:
    """float32 as JAX comes, then float64, on a quarter of the numbers."""
    rows = [row for duel in duels(jnp.float32, 4096, 2**20) for row in compare(duel)]
    with jax.enable_x64(True):
        rows += [row for duel in duels(jnp.float64, 2048, 2**18) for row in compare(duel)]
    return rows
