"""What is compiled: one segment of a chunk of lanes.

A segment is a scan over steps of a vmap over lanes, then one evaluation of every lane.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr import data, training
from jaxlr.pytypes import Array, Batch
from jaxlr.sweeps.lanes import Lane

ALIVE = -1


class Chunk(NamedTuple):
    """Lanes that go through a segment together: hypers {name: [W]}, fold [W], and where they are.

    state has the leading axis W; died_at [W] is the first step whose risk was not finite, or ALIVE;
    step [] is the next one.
    """

    hypers: dict[str, Array]
    fold: Array
    state: Any
    died_at: Array
    step: Array


class Rows(NamedTuple):
    """The examples that all lanes share, and what each fold hears of them.

    fold_weights [F, N] or None; weights [F, N] of the rows that each fold trains on; stand_ins [N]
    as from `data.stand_ins`.
    """

    batch: Batch
    fold_weights: Array | None
    weights: Array | None
    stand_ins: Array | None


@partial(jax.jit, static_argnums=0)
def init(lane: Lane, hypers: dict[str, Array], key: Array) -> Any:
    """The state of every lane before the first step."""
    return jax.vmap(lane.init)(hypers, key)


@partial(jax.jit, static_argnums=0)
def segment(lane: Lane, chunk: Chunk, rows: Rows, order: Array):
    """One segment along order [T, B] or [W, T, B]: (state, died_at, mean losses [W], metrics)."""
    own_order = order.ndim == 3
    over_lanes = partial(jax.vmap, in_axes=(0, 0, 0, 0 if own_order else None))

    def lane_step(hyper, state, fold, taken):
        examples = training.take(rows.batch, taken, rows.stand_ins)
        if rows.weights is not None:
            examples = examples._replace(weights=rows.weights[:, taken][fold])
        return lane.step(hyper, state, examples)

    def all_step(carry, taken):
        state, died_at, step = carry
        state, losses = over_lanes(lane_step)(chunk.hypers, state, chunk.fold, taken)
        dies = (died_at == ALIVE) & ~jnp.isfinite(losses)
        return (state, jnp.where(dies, step, died_at), step + 1), losses

    steps = jnp.moveaxis(order, 1, 0) if own_order else order
    carry = chunk.state, chunk.died_at, chunk.step
    (state, died_at, _), losses = jax.lax.scan(all_step, carry, steps)
    metrics = evaluated(lane, chunk._replace(state=state), rows)
    return state, died_at, jnp.mean(losses, axis=0), metrics


def evaluated(lane: Lane, chunk: Chunk, rows: Rows) -> dict[str, Array]:
    """{name: [W]} of every lane on the rows that its fold holds out."""

    def evaluate(hyper, state, fold):
        held_out = rows.batch
        if rows.fold_weights is not None:
            held_out = _reweighted(rows.batch, 1 - rows.fold_weights[fold])
        return lane.evaluate(hyper, state, held_out)

    return jax.vmap(evaluate)(chunk.hypers, chunk.state, chunk.fold)


def rows(batch: Batch, fold_weights: Array | None) -> Rows:
    """The rows that all lanes share, and what each fold hears of them."""
    return Rows(batch, fold_weights, *_heard(batch, fold_weights))


@jax.jit
def _heard(batch: Batch, fold_weights: Array | None) -> tuple[Array | None, Array | None]:
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
