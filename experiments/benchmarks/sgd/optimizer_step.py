"""A step of ours against a step of optax, for 256 lanes of 784 x 10 weights.

Both under the same vmap, a learning rate per lane, params and state donated. Run and compile
times are medians of interleaved measurements in one process; ratios are ours over optax's.

    python -m experiments.benchmarks.sgd.optimizer_step [NAME ...]
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.benchmarks import machine, tables
from jaxlr import optimizers

NUM_LANES, NUM_FEATURES, NUM_CLASSES = 256, 784, 10
RUNS, STEPS, COMPILES = 31, 4, 9
LIBRARIES = {"": optimizers, "optax_": optax}
OPTIONS = {
    "sgd momentum": {"momentum": 0.9},
    "sgd nesterov": {"momentum": 0.9, "nesterov": True},
    "rmsprop centered": {"centered": True, "momentum": 0.9},
    "noisy_sgd": {"key": 0},
}
NAMES = (
    *("sgd", "sgd momentum", "sgd nesterov", "adagrad", "adadelta", "rmsprop", "rmsprop centered"),
    *("adam", "adamw", "adamax", "adamaxw", "amsgrad", "nadam", "nadamw", "radam", "adabelief"),
    *("adan", "yogi", "lion", "lamb", "lars", "sign_sgd", "novograd", "rprop", "noisy_sgd"),
)


class Contestant:
    """An optimizer of a library: what it compiles, what it runs, and where its lanes are."""

    def __init__(self, library, name: str):
        def optimizer(rate):
            return getattr(library, name.split()[0])(rate, **OPTIONS.get(name, {}))

        def start(rate, key):
            w, g = jax.random.normal(key, (2, NUM_FEATURES, NUM_CLASSES))
            params = {"w": w, "b": w[0]}
            return (params, optimizer(rate).init(params)), {"w": g, "b": g[0]}

        def step(lane, rate, grads):
            params, state = lane
            updates, state = optimizer(rate).update(grads, state, params)
            return jax.tree.map(jnp.add, params, updates), state

        self._step, self._rates = step, jnp.logspace(-4, -1, NUM_LANES)
        keys = jax.random.split(jax.random.key(0), NUM_LANES)
        self._lanes, self._grads = jax.jit(jax.vmap(start))(self._rates, keys)

    def compile(self) -> None:
        """Traces and compiles a step, nothing remembered."""
        jax.clear_caches()
        program = jax.jit(jax.vmap(self._step), donate_argnums=0)
        self._program = program.lower(self._lanes, self._rates, self._grads).compile()

    def run(self) -> jax.Array:
        """Some steps of all lanes, from where the last left them."""
        for _ in range(STEPS):
            self._lanes = self._program(self._lanes, self._rates, self._grads)
        return self._lanes[0]


def measure(name: str, runs: int = RUNS, compiles: int = COMPILES) -> dict[str, float]:
    """A row of the table: milliseconds of ours and of optax, and the ratio within a turn."""
    both = {prefix: Contestant(library, name) for prefix, library in LIBRARIES.items()}
    compile_seconds = machine.turns({p: c.compile for p, c in both.items()}, compiles)
    seconds = machine.turns({p: c.run for p, c in both.items()}, runs)
    row = {}
    for what, times, each in (("step", seconds, STEPS), ("compile", compile_seconds, 1)):
        row |= {f"{of}{what}_ms": 1e3 / each * float(np.median(t)) for of, t in times.items()}
        row[f"{what}_ratio"] = machine.ratio(*times.values())
    return row


def main():
    """Prints rows of the table, and puts them among the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(NAMES))
    parser.add_argument("--runs", type=int, default=RUNS, help="turns of each library")
    parser.add_argument("--compiles", type=int, default=COMPILES, help="turns of its compilation")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in NAMES]:
        parser.error(f"no optimizer {unknown[0]!r}; there are {', '.join(NAMES)}")
    rows = {row["optimizer"]: row for row in tables.kept("optimizer_step").get("rows", [])}
    for name in asked.names or NAMES:
        row = measure(name, asked.runs, asked.compiles)
        rows[name] = {"optimizer": name, **{key: round(number, 3) for key, number in row.items()}}
        print(rows[name], flush=True)
    where = machine.description("optax")
    size = {"lanes": NUM_LANES, "weights": [NUM_FEATURES, NUM_CLASSES]}
    ordered = [rows[name] for name in NAMES if name in rows]
    tables.save("optimizer_step", {**where, **size, "rows": ordered})


if __name__ == "__main__":
    main()
