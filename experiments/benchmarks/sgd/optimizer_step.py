"""A step of ours against a step of optax, for 256 lanes of 784 x 10 weights.

Both under the same vmap, a learning rate per lane, params and state donated. Run and compile
times are medians of interleaved measurements in one process; ratios are ours over optax's.

    python -m experiments.benchmarks.optimizer_step [NAME ...]
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import optax

from jaxlr import optimizers

NUM_LANES, NUM_FEATURES, NUM_CLASSES = 256, 784, 10
RUNS, STEPS, COMPILES = 31, 4, 9
RESULTS = Path(__file__).parent / "results" / "optimizer_step.json"
NUMBERS = {
    "sgd": {},
    "sgd momentum": {"momentum": 0.9},
    "sgd nesterov": {"momentum": 0.9, "nesterov": True},
    "adagrad": {},
    "adadelta": {},
    "rmsprop": {},
    "rmsprop centered": {"centered": True, "momentum": 0.9},
    "adam": {},
    "adamw": {},
    "adamax": {},
    "adamaxw": {},
    "amsgrad": {},
    "nadam": {},
    "nadamw": {},
    "radam": {},
    "adabelief": {},
    "adan": {},
    "yogi": {},
    "lion": {},
    "lamb": {},
    "lars": {},
    "sign_sgd": {},
    "novograd": {},
    "rprop": {},
    "noisy_sgd": {"key": 0},
}


def make_step(library, name):
    """One step of every lane: (rates [L], params, state, grads) -> (params, state)."""

    def step(rate, params, state, grads):
        optimizer = getattr(library, name.split()[0])(rate, **NUMBERS[name])
        updates, state = optimizer.update(grads, state, params)
        return jax.tree.map(jnp.add, params, updates), state

    return jax.jit(jax.vmap(step), donate_argnums=(1, 2))


def start(library, name):
    """Arguments of a step: random params and grads, the state at the start."""

    def one(rate, key):
        w, g = jax.random.normal(key, (2, NUM_FEATURES, NUM_CLASSES))
        params, grads = {"w": w, "b": w[0]}, {"w": g, "b": g[0]}
        state = getattr(library, name.split()[0])(rate, **NUMBERS[name]).init(params)
        return rate, params, state, grads

    rates = jnp.logspace(-4, -1, NUM_LANES)
    return jax.jit(jax.vmap(one))(rates, jax.random.split(jax.random.key(0), NUM_LANES))


def compile_seconds(library, name, arguments):
    """Seconds to trace and compile a step, nothing remembered; and the program."""
    jax.clear_caches()
    began = time.perf_counter()
    program = make_step(library, name).lower(*arguments).compile()
    return time.perf_counter() - began, program


def run_seconds(program, arguments):
    """Seconds per step, and the arguments for the next."""
    rate, params, state, grads = arguments
    began = time.perf_counter()
    for _ in range(STEPS):
        params, state = program(rate, params, state, grads)
    jax.block_until_ready(params)
    return (time.perf_counter() - began) / STEPS, (rate, params, state, grads)


def measure(name):
    """A row of the table, with the libraries taking turns."""
    libraries = (optimizers, optax)
    arguments = [start(library, name) for library in libraries]
    programs, compiles, runs = [None, None], [], []
    for i in range(COMPILES):
        seconds = [0.0, 0.0]
        for j in (0, 1) if i % 2 else (1, 0):
            seconds[j], programs[j] = compile_seconds(libraries[j], name, arguments[j])
        compiles.append(seconds)
    for i in range(RUNS):
        seconds = [0.0, 0.0]
        for j in (0, 1) if i % 2 else (1, 0):
            seconds[j], arguments[j] = run_seconds(programs[j], arguments[j])
        runs.append(seconds)
    return {**medians("step", runs), **medians("compile", compiles)}


def medians(what, pairs):
    """Milliseconds of ours and of optax, and the ratio within a turn."""
    return {
        f"{what}_ms": 1e3 * statistics.median(ours for ours, _ in pairs),
        f"optax_{what}_ms": 1e3 * statistics.median(theirs for _, theirs in pairs),
        f"{what}_ratio": statistics.median(ours / theirs for ours, theirs in pairs),
    }


def versions():
    """What the numbers depend on, and what they were measured on."""
    return {
        "device": jax.devices()[0].device_kind,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "optax": optax.__version__,
        "lanes": NUM_LANES,
        "weights": [NUM_FEATURES, NUM_CLASSES],
    }


def main():
    """Prints the table, and puts its rows among the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(NUMBERS))
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in NUMBERS]:
        parser.error(f"no optimizer {unknown[0]!r}; there are {', '.join(NUMBERS)}")
    columns = ("step ms", "optax", "ratio", "compile ms", "optax", "ratio")
    print(f"{'optimizer':18}" + "".join(f"{column:>12}" for column in columns))
    old = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    rows = {row["optimizer"]: row for row in old}
    for name in names or NUMBERS:
        row = measure(name)
        print(f"{name:18}" + "".join(f"{number:12.2f}" for number in row.values()), flush=True)
        rows[name] = {"optimizer": name, **{key: round(number, 3) for key, number in row.items()}}
    ordered = [rows[name] for name in NUMBERS if name in rows]
    RESULTS.write_text(json.dumps({**versions(), "rows": ordered}, indent=1) + "\n")


if __name__ == "__main__":
    main()
