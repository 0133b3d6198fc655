"""Steepest descent, each step halved until it goes down."""

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers.line_search import End, Search, decreases, level
from jaxlr.solvers.parts import (
    Objective,
    Point,
    Solver,
    Step,
    cautious_step,
    choose,
    look,
    looks,
)

MAX_HALVINGS = 60


def gradient_descent() -> Solver:
    """x ← x - αg, where α begins at twice the last one and is halved until f decreases enough.

    The plainest method, for comparison: on a valley of condition number κ it needs about κ steps.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), algorithm 3.1.
    """

    def init(point):
        return cautious_step(point.grad)

    def update(objective, point, memory):
        search = backtracking(objective, point, -point.grad, memory)
        step = jnp.where(search.failed, cautious_step(point.grad), 2 * search.step)
        return Step(search.point, step, looks(search.num_looks), search.failed)

    return Solver(init, update)


def backtracking(objective: Objective, start: Point, direction: Array, first: Array) -> Search:
    """The first of `first`, `first`/2, `first`/4 … that decreases the objective enough.

    Enough means φ(α) ≤ φ(0) + c₁ α φ′(0), or the same seen in slopes (see `line_search`).
    """
    origin = End(jnp.zeros_like(start.value), start.value, jnp.vdot(start.grad, direction))

    def searching(state):
        _, _, done, num_looks = state
        return (origin.slope < 0) & ~done & (num_looks < MAX_HALVINGS)

    def halve(state):
        step, _, _, num_looks = state
        point = look(objective, start.params + step * direction)
        end = End(step, point.value, jnp.vdot(point.grad, direction))
        done = decreases(origin, end, level(origin, end, start.params, direction))
        return jnp.where(done, step, step / 2), point, done, num_looks + 1

    state = (first, start, jnp.array(False), jnp.array(0, jnp.int32))
    step, point, found, num_looks = jax.lax.while_loop(searching, halve, state)
    return Search(choose(found, point, start), jnp.where(found, step, 0), ~found, num_looks)
