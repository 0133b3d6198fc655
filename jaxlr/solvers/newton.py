"""Newton's method with a Cholesky factor, damped where the Hessian does not bend upwards."""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve

from jaxlr.pytypes import Array
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, downhill, looks

MAX_DAMPINGS = 40


def newton() -> Solver:
    """d = -(H + τS)⁻¹ g, then a line search along d that tries the whole step first.

    τ is 0 where H is positive definite beyond its rounding; S is H's own diagonal, so that the
    steps do not depend on the units of the params. Costs D Hessian-vector products, D² numbers
    and D³/3 operations a step: for D up to a few hundred.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), algorithms 3.2 and 3.3.
    """

    def init(point):
        del point
        return jnp.array(False)  # whether the last step failed: then try the gradient

    def update(objective, point, memory):
        hessian = jax.hessian(objective)(point.params).astype(point.grad.dtype)
        direction = downhill(newton_direction(hessian, point.grad), point.grad)
        direction = jnp.where(memory, -point.grad, direction)
        first = jnp.where(memory, cautious_step(point.grad), 1)
        search = strong_wolfe(objective, point, direction, first)
        cost = looks(search.num_looks, hessian_products=point.grad.size)
        return Step(search.point, search.failed, cost, search.failed)

    return Solver(init, update)


def newton_direction(hessian: Array, grad: Array) -> Array:
    """-(H + τS)⁻¹ g [D] with the smallest τ of 0, √eps, 10√eps … that is positive definite.

    H is first brought to a unit diagonal. A factor whose pivots are no larger than rounding
    counts as failed: a singular H would otherwise send the step anywhere. NaN if nothing helps.
    """
    eps = jnp.finfo(hessian.dtype).eps
    diagonal = jnp.diagonal(hessian)
    largest = jnp.max(jnp.abs(hessian), axis=1)
    scale = jnp.where(diagonal > 0, diagonal, jnp.where(largest > 0, largest, 1)) ** -0.5
    scaled = hessian * scale[:, None] * scale[None, :]

    def factor(damping):
        return jnp.linalg.cholesky(scaled + damping * jnp.eye(grad.size, dtype=grad.dtype))

    def too_small(state):
        _, lower, tries = state
        sound = jnp.all(jnp.diagonal(lower) ** 2 > grad.size * eps)
        return ~sound & (tries < MAX_DAMPINGS)

    def damp(state):
        damping, _, tries = state
        damping = jnp.maximum(10 * damping, eps**0.5)
        return damping, factor(damping), tries + 1

    damping = jnp.zeros([], grad.dtype)
    state = (damping, factor(damping), jnp.array(0, jnp.int32))
    _, lower, _ = jax.lax.while_loop(too_small, damp, state)
    return -scale * cho_solve((lower, True), scale * grad)
