"""What a step of a sweep is made of: the same products by hand, with one thing more each time."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks import machine
from experiments.benchmarks.sgd import quality
from jaxlr import data, sweeps
from jaxlr.pytypes import Array, Batch

WAYS = ("products alone", "rows gathered", "slopes of the loss", "the update", "weights [D, L]")


def by_hand(way: str, hypers: dict[str, Array]) -> Callable:
    """(batch, order, weights, memory) -> an epoch of logistic regressions, written out.

    Without intercepts and without a word of how the risk falls. Weights are [L, D] but for the last
    way.
    """
    gathers, slopes, updates = (WAYS.index(way) >= number for number in (1, 2, 3))
    turned = way == WAYS[-1]
    rate, keeps, l2 = (
        value[None] if turned else value[:, None]
        for value in (hypers["learning_rate"], hypers["momentum"], hypers["l2"])
    )

    def run(batch, order, w, memory):
        def step(carry, taken):
            w, memory = carry
            taken = taken if gathers else slice(order.shape[1])
            x, y = batch.x[taken], batch.labels[taken]
            z = x @ w if turned else w @ x.T
            if slopes:
                z = (jax.nn.sigmoid(z) - (y[:, None] if turned else y)) / len(y)
            grad = x.T @ z if turned else z @ x
            if not updates:
                return (grad, memory), None
            memory = keeps * memory + grad + l2 * w
            return (w - rate * memory, memory), None

        return jax.lax.scan(step, (w, memory), order)[0]

    return run


def shares(batch: Batch, hypers: dict[str, np.ndarray], batch_size: int, rounds: int) -> dict:
    """Milliseconds of a step and shares of the peak, of all ways and of the engine."""
    num_lanes, size = len(hypers["l2"]), batch.x.shape[1]
    order = data.epochs(jax.random.key(0), len(batch.x), batch_size, 1)
    numbers = {name: jnp.asarray(column, jnp.float32) for name, column in hypers.items()}
    lane, lanes = quality.lane(size), sweeps.cross(hypers)
    works = {"peak": lambda: 1 / machine.matrix_product_peak()}
    for way in WAYS:
        shape = (size, num_lanes) if way == WAYS[-1] else (num_lanes, size)
        run, start = jax.jit(by_hand(way, numbers)), jnp.zeros(shape)
        works[way] = lambda run=run, start=start: machine.once(
            lambda: run(batch, order, start, start)
        )
    works["jaxlr"] = lambda: sweeps.run(lane, lanes, batch, order).run_seconds
    for work in works.values():
        work()  # warm
    times = machine.turns(works, rounds, timed=lambda work: work())
    operations = 4 * order.size * size * num_lanes
    fastest = np.multiply(operations, times.pop("peak"))
    return {
        way: {
            "ms_per_step": float(np.median(own)) / len(order) * 1e3,
            "share_of_peak": float(np.median(fastest / np.array(own))),
        }
        for way, own in times.items()
    }
