"""How an engine's lanes go on and end: `descent` and `proximal` differ in their steps alone.

A state here is any NamedTuple with the fields logits, risk, age, estimate, best, mark, idle, active
and num_steps, as `descent.State` describes them.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp

from jaxlr.glm import sharing
from jaxlr.pytypes import Array

State = TypeVar("State")
PATIENCE = 6  # steps without a smaller estimate or a lower J
FALLS = {4: 1e-5, 8: 1e-12}  # of J: a fall that is more than a number's rounding, by its bytes


def descended(
    state: State,
    remeasured: Callable[[State], State],
    step: Callable[[State], State],
    steps_per_metric: int,
    max_steps: Array,
) -> State:
    """Steps until no lane is active, with a new metric whenever the old one is of age."""

    def on(state):
        state = jax.lax.cond(state.age >= steps_per_metric, remeasured, lambda s: s, state)
        state = step(sharing.by_lane(state, num_rows=state.logits.shape[-1]))
        return state._replace(active=state.active & (state.num_steps < max_steps))

    state = state._replace(active=state.active & (state.num_steps < max_steps))
    return jax.lax.while_loop(lambda state: jnp.any(state.active), on, state)


def judged(state: State, estimate: Array, goal: Array, moved: Callable[[State], State]) -> State:
    """The state with J - J* estimated [L] anew, `moved` if that leaves a lane active.

    A lane ends where the estimate is at most its goal [L], is no number, or where neither it nor J
    has become smaller for a while: no lane is left while its risk falls.
    """
    falls = state.mark - state.risk > FALLS[state.risk.dtype.itemsize] * state.risk
    smaller = estimate < 0.9 * state.best
    better = smaller | falls
    idle = jnp.where(better, 0, state.idle + state.active.astype(jnp.int32))
    reached = estimate <= goal
    lost = ~jnp.isfinite(estimate) | (idle >= PATIENCE)
    state = state._replace(
        estimate=jnp.where(state.active, estimate, state.estimate),
        best=jnp.where(smaller, estimate, state.best),
        mark=jnp.where(better, jnp.fmin(state.risk, state.mark), state.mark),
        idle=idle,
        active=state.active & ~reached & ~lost,
    )
    return jax.lax.cond(jnp.any(state.active), moved, lambda s: s, state)


def renewed(state: State, **fresh) -> State:
    """The state with every lane at its first step under new penalties, and `fresh` in place."""
    far = jnp.full_like(state.best, jnp.inf)
    zero = jnp.zeros_like(state.num_steps)
    at_start = {"estimate": far, "best": far, "mark": far, "idle": zero, "num_steps": zero}
    return state._replace(active=jnp.ones_like(state.active), **at_start, **fresh)
