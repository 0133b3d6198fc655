"""BFGS: an inverse Hessian learnt from the differences of gradients."""

from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, choose, downhill, looks


class BfgsMemory(NamedTuple):
    """The inverse Hessian [D, D], and whether it is still the identity that it began as."""

    inverse: Array
    fresh: Array


def bfgs() -> Solver:
    """d = -Bg with B the inverse Hessian, as far as the steps s and differences y have told it.

        B ← (I - ρ s yᵀ) B (I - ρ y sᵀ) + ρ s sᵀ,   ρ = 1 / yᵀs

    The first B is I · yᵀs / yᵀy, in the units of the curvature just met. A pair without positive
    curvature (only rounding makes one) teaches nothing. Remembers D² numbers.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), algorithm 6.1, equations 6.17 and 6.20.
    """

    def init(point):
        identity = jnp.eye(point.grad.size, dtype=point.grad.dtype)
        return BfgsMemory(identity, jnp.array(True))

    def update(objective, point, memory):
        direction = downhill(-memory.inverse @ point.grad, point.grad)
        first = jnp.where(memory.fresh, cautious_step(point.grad), 1)
        search = strong_wolfe(objective, point, direction, first)
        s, y = search.point.params - point.params, search.point.grad - point.grad
        learnt = choose(curved(s, y), BfgsMemory(_learn(memory, s, y), jnp.array(False)), memory)
        memory = choose(search.failed, init(point), learnt)
        return Step(search.point, memory, looks(search.num_looks), search.failed)

    return Solver(init, update)


def curved(s: Array, y: Array) -> Array:
    """Whether the gradient rose along the step by more than rounding: sᵀy > eps ‖s‖ ‖y‖."""
    eps = jnp.finfo(s.dtype).eps
    return jnp.vdot(s, y) > eps * jnp.linalg.norm(s) * jnp.linalg.norm(y)


def _learn(memory: BfgsMemory, s: Array, y: Array) -> Array:
    sy = jnp.vdot(s, y)
    inverse = jnp.where(memory.fresh, sy / jnp.vdot(y, y) * memory.inverse, memory.inverse)
    by = inverse @ y  # the rule multiplied out: two products with vectors, none of matrices
    cross = jnp.outer(by, s)
    gain = (1 + jnp.vdot(y, by) / sy) / sy
    return inverse - (cross + cross.T) / sy + gain * jnp.outer(s, s)


def learnt_hessian(hessian: Array, s: Array, y: Array) -> Array:
    """A Hessian [D, D] after a step s [D] and its change y [D] of the gradient, kept positive.

    It learns nothing of less than a thousandth of the curvature that it expects along s.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), equation 6.19.
    """
    image = hessian @ s
    curvature, expected = s @ y, s @ image
    learns = (expected > 0) & (curvature > 1e-3 * expected)
    new = jnp.where(learns, 1 / jnp.where(learns, curvature, 1), 0)
    old = jnp.where(learns, 1 / jnp.where(learns, expected, 1), 0)
    return hessian + new * jnp.outer(y, y) - old * jnp.outer(image, image)
