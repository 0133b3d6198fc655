"""The sweep: every lane through the same segments of one compiled program.

A segment is a scan over steps of a vmap over lanes, then one evaluation of every lane. What stands
between segments is data on the host's terms: a place to look, to save, to prune.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import data, training
from jaxlr.pytypes import Array, Batch
from jaxlr.results import Sweep
from jaxlr.sweeps.lanes import Lane, Lanes

ALIVE = -1


class Progress(NamedTuple):
    """All that the next segment needs: state (leading axis L), died_at [L], step []."""

    state: Any
    died_at: Array
    step: Array


def run(
    lane: Lane,
    lanes: Lanes,
    batch: Batch,
    order: Array,
    *,
    fold_weights: Array | None = None,
    num_segments: int = 1,
    on_segment: Callable[[int, Progress], None] | None = None,
) -> Sweep:
    """Runs every lane through `order`.

    The lanes share their minibatches: their products become one matrix product, and they are
    compared on common random numbers. An order per lane costs L times the memory traffic.

    Args:
      lane: the run's three pure functions.
      lanes: the numbers of L lanes, as from `cross`.
      batch: all N examples.
      order: [T, B] rows of each step, or [L, T, B], an order for each lane.
      fold_weights: [F, N], as from `data.folds`: lane i trains with weights
        batch.weights * fold_weights[lanes.fold[i]] and is evaluated on the rest.
      num_segments: S, a divisor of T; the lanes are evaluated at the end of each segment.
      on_segment: called with (segments done, progress) after each; the progress may be kept.

    Returns:
      Sweep. A lane that diverges is data (NaN from step `died_at` on) and disturbs no other.

    Raises:
      ValueError: the segments don't divide the steps, or a fold that has no weights.
      TypeError: no batch, or one that holds what is no number.
    """
    batch, order = data.as_batch(batch), data.as_array("order", order)
    if fold_weights is not None:
        fold_weights = data.as_array("fold_weights", fold_weights)
    num_steps = order.shape[-2]
    if num_segments < 1 or num_steps % num_segments:
        raise ValueError(f"num_segments must divide the {num_steps} steps, and is {num_segments}")
    num_folds = 1 if fold_weights is None else len(fold_weights)
    if int(jnp.max(lanes.fold)) >= num_folds:
        raise ValueError(
            f"lanes.fold goes up to {int(jnp.max(lanes.fold))}, and fold_weights has {num_folds}"
        )
    start = time.perf_counter()
    pieces = jnp.split(order, num_segments, axis=-2)
    progress, heard = _init(lane, lanes), _heard(batch, fold_weights)
    waited = time.perf_counter()
    segment = _segment.lower(lane, lanes, progress, batch, fold_weights, heard, pieces[0]).compile()
    compile_seconds = time.perf_counter() - waited
    seen = []
    for done, piece in enumerate(pieces, start=1):
        progress, report = segment(lanes, progress, batch, fold_weights, heard, piece)
        seen.append(jax.device_get(report))
        if on_segment is not None:
            # A copy, since the next segment takes the arrays of this one over.
            on_segment(done, jax.tree.map(jnp.copy, progress))
    losses, metrics = jax.tree.map(lambda *columns: np.stack(columns, axis=1), *seen)
    died_at = np.asarray(progress.died_at)
    run_seconds = time.perf_counter() - start - compile_seconds
    seconds = compile_seconds, run_seconds
    return Sweep(progress.state, losses, metrics, died_at, *seconds, *_numbers(lanes))


def _numbers(lanes: Lanes) -> tuple:
    """hypers {name: [L]}, configuration, fold and seed [L]; lanes made by hand have no seed."""
    hypers, fold, _, configuration, seed = lanes
    num_lanes = len(fold)
    configuration = np.arange(num_lanes) if configuration is None else configuration
    seed = np.zeros(num_lanes, np.uint32) if seed is None else seed
    return jax.tree.map(np.asarray, (hypers, configuration, fold, seed))


@partial(jax.jit, static_argnums=0)
def _init(lane: Lane, lanes: Lanes) -> Progress:
    state = jax.vmap(lane.init)(lanes.hypers, lanes.key)
    return Progress(state, jnp.full(lanes.fold.shape, ALIVE, jnp.int32), jnp.int32(0))


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def _segment(lane, lanes, progress, batch, fold_weights, heard, order):
    """One segment of every lane: (progress, (mean losses [L], metrics {name: [L]}))."""
    own_order = order.ndim == 3
    over_lanes = partial(jax.vmap, in_axes=(0, 0, 0, 0 if own_order else None))
    weights, stand_ins = heard

    def lane_step(hyper, state, fold, rows):
        examples = training.take(batch, rows, stand_ins)
        if weights is not None:
            examples = examples._replace(weights=weights[:, rows][fold])
        return lane.step(hyper, state, examples)

    def all_step(progress, rows):
        state, losses = over_lanes(lane_step)(lanes.hypers, progress.state, lanes.fold, rows)
        dies = (progress.died_at == ALIVE) & ~jnp.isfinite(losses)
        died_at = jnp.where(dies, progress.step, progress.died_at)
        return Progress(state, died_at, progress.step + 1), losses

    def evaluate(hyper, state, fold):
        held_out = batch
        if fold_weights is not None:
            held_out = _reweighted(batch, 1 - fold_weights[fold])
        return lane.evaluate(hyper, state, held_out)

    steps = jnp.moveaxis(order, 1, 0) if own_order else order
    progress, losses = jax.lax.scan(all_step, progress, steps)
    metrics = jax.vmap(evaluate)(lanes.hypers, progress.state, lanes.fold)
    return progress, (jnp.mean(losses, axis=0), metrics)


@jax.jit
def _heard(batch: Batch, fold_weights: Array | None) -> tuple[Array | None, Array | None]:
    """Weights [F, N] of the rows that each fold trains on, and the stand-ins [N] of all folds."""
    if fold_weights is None:
        return None, data.stand_ins(batch)[1]

    def of_fold(factor):
        heard, stand_ins = data.stand_ins(_reweighted(batch, factor))
        return heard.weights, stand_ins

    return jax.vmap(of_fold, out_axes=(0, None))(fold_weights)


def _reweighted(batch: Batch, factor: Array) -> Batch:
    weights = (
        factor if batch.weights is None else batch.weights * factor.astype(batch.weights.dtype)
    )
    return batch._replace(weights=weights)
