"""Newton's decrement ν² = gᵀ H⁻¹ g of one lane by preconditioned conjugate gradients.

The intercepts are profiled out: S = H_WW - H_Wb H_bb⁺ H_bW is the Hessian of min_b J, and S ⪰ λI.
For any u with residual ρ = g - S u

    ν² = 2 gᵀu - uᵀSu + ρᵀ S⁻¹ ρ <= gᵀu + ρᵀu + ‖ρ‖² / λ,

so neither the preconditioner nor the steps have to be right, only the residual.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.certificates.decrements import Decrement, Point, curved
from jaxlr.certificates.duality import norm
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import gradient, logits, without_intercept
from jaxlr.pytypes import Array

Operator = Callable[[Array], Array]
SHARP = 1e-3  # of ν²: a last term that is no more than this is known well enough


def by_products(
    family: Loss,
    point: Point,
    answer: Array,
    precondition: Operator | None,
    rounding: Array,
    num_steps: int,
    enough: Callable[[Array], Array],
) -> Decrement:
    """Bounds of ν², where S was multiplied by lengths whose rounding is `rounding` times them.

    Steps, of two products with the rows each, end where the last term is a thousandth of ν², or
    where the bound is `enough` and no more than twice ν². `answer` [C, C] is H_bb⁺, and
    `precondition` about S⁻¹, symmetric positive definite; if None, the inverse of H's diagonal.
    """
    free, ridge = without_intercept(point.free), point.ridge
    grad = free * point.grad
    precondition = precondition or _diagonal(family, point)

    def product(u):
        heavy = curved(family, point, logits(u, point))
        shift = (answer @ jnp.sum(heavy, axis=1))[:, None]
        heavy = heavy - curved(family, point, jnp.broadcast_to(shift, heavy.shape))
        return free * (gradient(heavy, point) + ridge * u)

    def known(u, r, walked):
        """gᵀu + ρᵀu, and the last term at most."""
        error = rounding * walked
        rest = (norm(r) + error) ** 2
        return jnp.vdot(grad + r, u), jnp.where(rest > 0, rest / ridge, 0) + error * norm(u)

    def unfinished(u, r, rz, walked):
        found, rest = known(u, r, walked)
        return ~((rest <= SHARP * found) | (enough(found + rest)))

    u, r, _, walked, _ = conjugated(
        product, lambda r: free * precondition(free * r), grad, num_steps, unfinished
    )
    found, rest = known(u, r, walked)
    unknown = jnp.full_like(rest, jnp.inf)
    return Decrement(found, found + rest, unknown, unknown, u)


def conjugated(
    product: Operator,
    precondition: Operator,
    grad: Array,
    num_steps: int,
    unfinished: Callable[[Array, Array, Array, Array], Array],
) -> tuple[Array, Array, Array, Array, Array]:
    """Steps on S u = g from 0, while `unfinished`(u, r, rᵀMr of the last step, walked).

    Returns u, its residual r, that rᵀMr, the length walked, and how many steps.
    """

    def going(state):
        return state[-1] & (state[-2] < num_steps)

    def step(state):
        u, r, p, last, walked, count, _ = state
        y = precondition(r)
        rz = jnp.vdot(r, y)
        p = y + jnp.where(last > 0, rz / jnp.where(last > 0, last, 1), 0) * p
        sp = product(p)
        curvature = jnp.vdot(p, sp)
        go = curvature > 0
        length = jnp.where(go, rz / jnp.where(go, curvature, 1), 0)
        u, r, walked = u + length * p, r - length * sp, walked + length * norm(p)
        return u, r, p, rz, walked, count + 1, go & unfinished(u, r, rz, walked)

    zero, zeros = jnp.zeros((), grad.dtype), jnp.zeros_like(grad)
    state = zeros, grad, zeros, zero, zero, jnp.int32(0), jnp.bool_(True)
    u, r, _, rz, walked, count, _ = jax.lax.while_loop(going, step, state)
    return u, r, rz, walked, count


def _diagonal(family, point) -> Operator:
    """The inverse of H's diagonal, means taken out."""
    heavy = family.diagonal(point.factors) * point.weights
    squares = jnp.matmul(heavy, point.x**2, precision="highest")
    first = gradient(heavy, point)
    total = first[:, -1:]
    diagonal = squares - first**2 / jnp.where(total > 0, total, 1)
    diagonal = jnp.maximum(diagonal, 10 * jnp.finfo(squares.dtype).eps * squares) + point.ridge
    inverse = jnp.where(diagonal > 0, 1 / jnp.where(diagonal > 0, diagonal, 1), 1)
    return lambda r: inverse * r
