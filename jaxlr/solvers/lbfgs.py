"""L-BFGS: the inverse Hessian of BFGS, never formed, from the last few steps."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers import compact
from jaxlr.solvers.bfgs import curved
from jaxlr.solvers.compact import Pairs
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, choose, downhill, looks


class LbfgsMemory(NamedTuple):
    """The last steps and differences, and how many there were since the memory was fresh."""

    pairs: Pairs
    count: Array


def lbfgs(
    history_size: int = 10, precondition: Callable[[Array], Array] = lambda grad: grad
) -> Solver:
    """d = -Hg with H from the last `history_size` pairs (s, y): 4 M D operations a step.

    Args:
      history_size: M >= 1.
      precondition: v [D] -> Bv [D], B symmetric positive definite: the H before any pair, but for
        its scale. By default the identity.

    Reference:
      Liu and Nocedal, On the limited memory BFGS method for large scale optimization (1989);
      Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their use in
      limited memory methods (1994).

    Raises:
      ValueError: history_size is not an integer of 1 or more.
    """
    if not isinstance(history_size, int) or history_size < 1:
        raise ValueError(f"history_size must be an integer of at least 1; got {history_size}.")

    def init(point):
        return LbfgsMemory(compact.no_pairs(point.grad, history_size), jnp.array(0, jnp.int32))

    def update(objective, point, memory):
        inverse = compact.inverse_hessian(memory.pairs, point.grad, precondition(point.grad))
        direction = downhill(-inverse, point.grad)
        first = jnp.where(memory.count > 0, 1, cautious_step(point.grad))
        search = strong_wolfe(objective, point, direction, first)
        s, y = search.point.params - point.params, search.point.grad - point.grad
        pairs = compact.learnt(memory.pairs, memory.count, s, y, precondition(y))
        learnt = choose(curved(s, y), LbfgsMemory(pairs, memory.count + 1), memory)
        memory = choose(search.failed, init(point), learnt)
        return Step(search.point, memory, looks(search.num_looks), search.failed)

    return Solver(init, update)
