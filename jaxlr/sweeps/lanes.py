"""A lane is one run inside a sweep: three pure functions, and the numbers that make it its own."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import training
from jaxlr.pytypes import Array, Batch, Optimizer, Params


class Lane(NamedTuple):
    """One run over a state that is any pytree.

    init(hyper, key) -> state; step(hyper, state, batch) -> (state, loss []);
    evaluate(hyper, state, batch) -> {name: metric []}.
    """

    init: Callable[[dict, Array], Any]
    step: Callable[[dict, Any, Batch], tuple[Any, Array]]
    evaluate: Callable[[dict, Any, Batch], dict[str, Array]]


class Lanes(NamedTuple):
    """The numbers of L lanes: hypers {name: [L]}, fold [L] (which fold is held out), key [L].

    And for the result configuration [L] and seed [L], where they are known. A lane leaves after its
    number of segments [L]: so lanes of few epochs and of many share a program.
    """

    hypers: dict[str, Array]
    fold: Array
    key: Array
    configuration: Array | None = None
    seed: Array | None = None
    segments: Array | None = None


def descent(
    init_params: Callable[[Array], Params],
    risk: Callable[[dict], Callable[[Params, Batch], Array]],
    optimizer: Callable[[dict], Optimizer],
    metrics: Callable[[Params, Batch], dict[str, Array]],
) -> Lane:
    """A lane of stochastic gradient descent.

    Args:
      init_params: key -> params.
      risk: hyper -> J(params, batch).
      optimizer: hyper -> (init, update), ours or optax's.
      metrics: (params, batch) -> {name: []}, on the rows that have weight.
    """

    def init(hyper, key):
        return training.init(optimizer(hyper), init_params(key))

    def step(hyper, state, batch):
        return training.step(risk(hyper), optimizer(hyper), state, batch)

    def evaluate(hyper, state, batch):
        del hyper
        return metrics(state.params, batch)

    return Lane(init, step, evaluate)


def cross(
    hypers: Mapping[str, Array],
    num_folds: int = 1,
    seeds: Array | None = None,
    dtype=float,
    segments: Array | None = None,
) -> Lanes:
    """Every configuration on every fold: lane = configuration * num_folds + fold.

    Args:
      hypers: {name: [K]} numbers of K configurations; with seeds there may be none.
      num_folds: F.
      seeds: [K] whole numbers, one per configuration; None starts them all from the same
        random numbers, so that only their settings tell them apart.
      dtype: of the numbers.
      segments: [K] after how many a configuration leaves; None: after all.

    Raises:
      ValueError: no configuration, or columns of different lengths.
    """
    lengths = {name: len(column) for name, column in hypers.items()}
    if seeds is not None:
        lengths["seeds"] = len(seeds)
    if not lengths or len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise ValueError(f"hypers need one column length of at least 1, and have {lengths}")
    num_configs = next(iter(lengths.values()))
    seeds = jnp.zeros(num_configs, jnp.uint32) if seeds is None else jnp.asarray(seeds)
    lane = jnp.arange(num_configs * num_folds)
    numbers = {name: jnp.asarray(column, dtype) for name, column in hypers.items()}
    return Lanes(
        {name: column[lane // num_folds] for name, column in numbers.items()},
        lane % num_folds,
        jax.vmap(jax.random.key)(seeds[lane // num_folds]),
        lane // num_folds,
        seeds[lane // num_folds],
        None if segments is None else np.asarray(segments)[lane // num_folds],
    )
