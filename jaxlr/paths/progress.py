"""When a lane ends: where what is left is little enough, or nothing is gained for a while."""

from typing import TypeVar

import jax.numpy as jnp

from jaxlr.pytypes import Array

State = TypeVar("State")
PATIENCE = 6  # steps without a smaller estimate or a lower J
FALLS = {4: 1e-5, 8: 1e-12}  # of J: a fall that is more than a number's rounding, by its bytes


def judged(state: State, estimate: Array, goal: Array) -> State:
    """A state with J - J* estimated anew; `active` says whether it goes on, of one lane or many.

    It ends where the estimate is at most its goal, is no number, or where neither it nor J has
    become smaller for a while: no lane is left while its risk falls.

    Args:
      state: any NamedTuple with risk, best (the least estimate so far), mark (J where it was last
        not idle), idle (the steps since) and active.
      estimate: of J - J*.
      goal: what is enough.
    """
    falls = state.mark - state.risk > FALLS[state.risk.dtype.itemsize] * state.risk
    smaller = estimate < 0.9 * state.best
    idle = jnp.where(smaller | falls, 0, state.idle + state.active.astype(jnp.int32))
    over = (estimate <= goal) | ~jnp.isfinite(estimate) | (idle >= PATIENCE)
    return state._replace(
        best=jnp.where(smaller, estimate, state.best),
        mark=jnp.where(smaller | falls, jnp.fmin(state.risk, state.mark), state.mark),
        idle=idle,
        active=state.active & ~over,
    )
