"""L-BFGS: the inverse Hessian of BFGS, never formed, from the last few steps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers.bfgs import curved
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, choose, downhill, looks


class LbfgsMemory(NamedTuple):
    """Steps s and differences y [M, D], newest first, and ρ = 1 / yᵀs [M] (0: a row unused)."""

    s: Array
    y: Array
    rho: Array


def lbfgs(history_size: int = 10) -> Solver:
    """d = -Bg with B from the last `history_size` pairs (s, y): 4 M D operations a step.

    Reference:
      Liu and Nocedal, On the limited memory BFGS method for large scale optimization (1989);
      Nocedal and Wright, Numerical Optimization (2006), algorithms 7.4 and 7.5.

    Raises:
      ValueError: history_size is not an integer of 1 or more.
    """
    if not isinstance(history_size, int) or history_size < 1:
        raise ValueError(f"history_size must be an integer of at least 1; got {history_size}.")

    def init(point):
        pairs = jnp.zeros((history_size, point.grad.size), point.grad.dtype)
        return LbfgsMemory(pairs, pairs, jnp.zeros(history_size, point.grad.dtype))

    def update(objective, point, memory):
        direction = downhill(-two_loops(memory, point.grad), point.grad)
        first = jnp.where(memory.rho[0] > 0, 1, cautious_step(point.grad))
        search = strong_wolfe(objective, point, direction, first)
        s, y = search.point.params - point.params, search.point.grad - point.grad
        pair = LbfgsMemory(s, y, 1 / jnp.vdot(s, y))
        learnt = choose(curved(s, y), jax.tree.map(_push, memory, pair), memory)
        memory = choose(search.failed, init(point), learnt)
        return Step(search.point, memory, looks(search.num_looks), search.failed)

    return Solver(init, update)


def two_loops(memory: LbfgsMemory, grad: Array) -> Array:
    """B g [D]: down the pairs from the newest, scaled by its yᵀs / yᵀy, and up again.

    down: a = ρ sᵀq,  q ← q - a y;      up: q ← q + (a - ρ yᵀq) s
    """

    def down(q, pair):
        a = pair.rho * jnp.vdot(pair.s, q)
        return q - a * pair.y, a

    def up(q, pair_and_a):
        pair, a = pair_and_a
        return q + (a - pair.rho * jnp.vdot(pair.y, q)) * pair.s, None

    newest = memory.rho[0] * jnp.vdot(memory.y[0], memory.y[0])
    q, a = jax.lax.scan(down, grad, memory)
    q = q / jnp.where(newest > 0, newest, 1)
    return jax.lax.scan(up, q, (memory, a), reverse=True)[0]


def _push(rows: Array, row: Array) -> Array:
    return jnp.concatenate([row[None], rows[:-1]])
