"""One SGD run as one compiled program: `fit` is a scan of `step` over the order of rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr import data
from jaxlr.pytypes import Array, Batch, Optimizer, Params


class State(NamedTuple):
    """What the next step needs."""

    params: Params
    opt_state: Any


class Fit(NamedTuple):
    """A finished run: params and opt_state after the last step, losses [T] before each step."""

    params: Params
    opt_state: Any
    losses: Array


def take(batch: Batch, rows: Array, stand_ins: Array | None = None) -> Batch:
    """The examples at `rows` [B] of a larger batch.

    With `stand_ins` [N], as from `data.stand_ins`, x and labels are those of the rows that these
    are for each.
    """
    if stand_ins is None:
        return jax.tree.map(lambda leaf: leaf[rows], data.as_batch(batch))
    standing = stand_ins[rows]
    weights = None if batch.weights is None else batch.weights[rows]
    return data.Present(batch.x[standing], batch.labels[standing], weights)


def init(optimizer: Optimizer, params: Params) -> State:
    """The state before the first step."""
    params = data.as_arrays("params", params)
    return State(params, optimizer.init(params))


def step(
    risk: Callable[[Params, Batch], Array], optimizer: Optimizer, state: State, batch: Batch
) -> tuple[State, Array]:
    """W ← W + update(∂J/∂W): one step on one minibatch, and the risk [] it started from.

    A minibatch whose weights sum to zero says nothing and moves nothing, momentum included.
    """
    batch = data.as_batch(batch)
    loss, grads = jax.value_and_grad(risk)(state.params, batch)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = jax.tree.map(lambda p, u: p + u.astype(p.dtype), state.params, updates)
    new = State(params, opt_state)
    if batch.weights is not None:
        heard = ~(jnp.sum(batch.weights) <= 0)  # NaN is heard, and ends the run in NaN
        new = jax.tree.map(lambda after, before: jnp.where(heard, after, before), new, state)
    return new, loss


def fit(
    risk: Callable[[Params, Batch], Array],
    optimizer: Optimizer,
    params: Params,
    batch: Batch,
    order: Array,
) -> Fit:
    """Runs stochastic gradient descent through `order`.

    Pure, and meant for `jax.jit` and `jax.vmap`: whatever `risk`, `optimizer` and `params` close
    over (learning rate, penalty, seed) may be a traced array, so a sweep is the vmap of a run.

    Args:
      risk: J(params, batch) -> [], as from `losses.risk`.
      optimizer: an (init, update) pair, ours or optax's.
      params: the start.
      batch: all N examples.
      order: [T, B] rows that each step meets, as from `data.epochs`.

    Returns:
      Fit; a run that diverges ends in NaN, and raises nothing.

    Raises:
      TypeError: no batch, or one that holds what is no number. ValueError: an order that isn't
        [T, B] whole numbers.
    """
    batch, order = data.as_batch(batch), data.as_array("order", order)
    if order.ndim != 2 or not jnp.issubdtype(order.dtype, jnp.integer):
        raise ValueError(
            f"order must be [T, B], the rows (whole numbers) of every step, and is {order.dtype} of"
            f" shape {order.shape}: take data.epochs"
        )
    batch, stand_ins = data.stand_ins(batch)

    def one_step(state, rows):
        return step(risk, optimizer, state, take(batch, rows, stand_ins))

    state, losses = jax.lax.scan(one_step, init(optimizer, params), order)
    return Fit(state.params, state.opt_state, losses)
