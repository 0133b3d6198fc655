"""Newton's decrement ν² = gᵀ H⁻¹ g of one lane by preconditioned conjugate gradients.

The intercepts are profiled out: S = H_WW - H_Wb H_bb⁺ H_bW is the Hessian of min_b J, and S ⪰ λI.
For any u with residual ρ = g - S u

    ν² = 2 gᵀu - uᵀSu + ρᵀ S⁻¹ ρ <= gᵀu + ρᵀu + ‖ρ‖² / λ,

so neither the preconditioner nor the steps have to be right, only the residual.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.certificates.decrements import Decrement, Point
from jaxlr.certificates.duality import norm
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Problem, gradient_of, logits_of
from jaxlr.pytypes import Array

Operator = Callable[[Array], Array]
SHARP = 1e-3  # of ν²: a last term that is no more than this is known well enough


def by_products(
    family: Loss,
    problem: Problem,
    point: Point,
    precondition: Operator,
    rounding: Array,
    num_steps: int,
    goal: Array,
) -> Decrement:
    """Bounds of ν², where lengths that S multiplied add `rounding` times themselves to ‖ρ‖.

    Steps, of two products with the rows each, end where the last term is a thousandth of ν², or
    where the bound is at the `goal` and the estimate good to a factor of two: what steps found, and
    as much again as the last one did. `precondition` is about S⁻¹, symmetric positive definite.
    """
    free = point.free.at[:, -1].set(0)
    rows = jnp.ones_like(point.weights)

    def curved(v):
        return family.hessian_product(point.factors, v) * point.weights[None]

    def product(u):
        heavy = curved(logits_of(u, problem))
        shift = jnp.dot(point.inverse, jnp.dot(heavy, rows))[:, None]
        heavy = heavy - curved(jnp.broadcast_to(shift, heavy.shape))
        return free * (gradient_of(heavy, problem) + point.ridge * u)

    def step(state):
        u, r, p, last, walked, *_, count, _ = state
        y = free * precondition(r)
        rz = jnp.vdot(r, y)
        p = y + jnp.where(last > 0, rz / jnp.where(last > 0, last, 1), 0) * p
        image = product(p)
        curvature, squared = products(jnp.stack([image, p]), p)
        go = curvature > 0
        length = jnp.where(go, rz / jnp.where(go, curvature, 1), 0)
        u, r, walked = u + length * p, r - length * image, walked + length * jnp.sqrt(squared)
        error = rounding * walked
        rest = (norm(r) + error) ** 2
        # ‖u‖ is at most the way walked.
        rest = jnp.where(rest > 0, rest / point.ridge, 0) + error * walked
        found = jnp.vdot(grad + r, u)
        gained = length * rz  # of ν², by this step
        settled = (gained <= found / 2) | (rest <= found)
        go = go & ~((rest <= SHARP * found) | (settled & (found + rest <= goal)))
        return u, r, p, rz, walked, found, found + rest, found + gained, count + 1, go

    def products(vectors, v):
        return jnp.dot(vectors.reshape(len(vectors), -1), v.ravel())

    zeros, zero = jnp.zeros_like(free), jnp.zeros_like(rounding)
    grad, unknown = free * point.grad, zero + jnp.inf
    start = zeros, grad, zeros, zero, zero, zero, unknown, unknown, jnp.int32(0), point.ridge > 0
    end = jax.lax.while_loop(lambda state: state[-1] & (state[-2] < num_steps), step, start)
    u, *_, lower, upper, likely, _, _ = end
    estimate = jnp.where(upper <= goal, jnp.fmin(likely, upper), upper)
    return Decrement(lower, upper, estimate, None, unknown, u)


def inverse_diagonal(family: Loss, problem: Problem, point: Point) -> Array:
    """The inverse [C, P] of H's diagonal, means taken out."""
    heavy = family.diagonal(point.factors) * point.weights[None]
    squares = jnp.dot(heavy, problem.x**2)
    first = gradient_of(heavy, problem)
    total = first[:, -1:]
    diagonal = squares - first**2 / jnp.where(total > 0, total, 1)
    diagonal = jnp.maximum(diagonal, 10 * jnp.finfo(squares.dtype).eps * squares) + point.ridge
    return jnp.where(diagonal > 0, 1 / jnp.where(diagonal > 0, diagonal, 1), 1)
