"""Newton's method without a Hessian: conjugate gradients on products, stopped early."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.solvers.conjugate_gradients import conjugate_gradients
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, downhill, looks


class NewtonCgMemory(NamedTuple):
    """The largest gradient norm seen, and whether the last step failed."""

    largest_norm: jax.Array
    failed: jax.Array


def newton_cg() -> Solver:
    """H d = -g to within η‖g‖ by conjugate gradients, then a line search along d.

    H v is the derivative of the gradient along v (`jax.jvp` of `jax.grad`): two gradients' work,
    and no matrix. The forcing term η = min(½, √(‖g‖ / largest ‖g‖ seen)) asks for little far from
    the minimum, and for enough near it to converge superlinearly. Where H bends down, the last
    direction of `conjugate_gradients` is the one that does, and the step leaves the saddle.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), algorithm 7.1.
    """

    def init(point):
        return NewtonCgMemory(jnp.linalg.norm(point.grad), jnp.array(False))

    def update(objective, point, memory):
        def product(v):
            return jax.jvp(jax.grad(objective), (point.params,), (v,))[1]

        norm = jnp.linalg.norm(point.grad)
        largest = jnp.maximum(memory.largest_norm, norm)
        forcing = jnp.minimum(0.5, jnp.sqrt(norm / jnp.where(largest > 0, largest, 1)))
        linear = conjugate_gradients(product, -point.grad, tol=forcing)
        direction = downhill(linear.params, point.grad)
        direction = jnp.where(memory.failed, -point.grad, direction)
        first = jnp.where(memory.failed, cautious_step(point.grad), 1)
        search = strong_wolfe(objective, point, direction, first)
        cost = looks(search.num_looks, linear.num_steps)
        return Step(search.point, NewtonCgMemory(largest, search.failed), cost, search.failed)

    return Solver(init, update)
