"""Newton's decrement ν² = gᵀ H⁻¹ g by conjugate gradients, two products with the rows a step.

The intercepts are profiled out: S = H_WW - H_Wb H_bb⁺ H_bW is the Hessian of min_b J, and S ⪰ λI.
For any u with residual ρ = g - S u

    ν² = 2 gᵀu - uᵀSu + ρᵀ S⁻¹ ρ,

so u may come from anywhere. Where float32 rows are at hand, steps are made with those, and what
they found is looked at once with float64 rows: a residual, from which they may go on.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.certificates.decrements import Decrement, Point
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Rows, carried, dot, gradient, logits, narrowed, without_intercept
from jaxlr.pytypes import Array

Precondition = Callable[[Array], Array]
NEAR = 4.0  # C / c up to which the middle of the bounds is estimate enough: half or twice ν²
SHARP = 1e-3  # of ν²: a last term that is no more than this is known well enough
SETTLED = 0.1  # of ν²: the part of ρ that is bounded, where the bound is enough
LOOKS = 4  # in float64, at what float32 steps found


def by_products(
    family: Loss,
    point: Point,
    inverse: Array,
    narrow: Rows | None,
    precondition: Precondition | None,
    shares: tuple[Array, Array],
    rounding: Array,
    num_steps: int,
    enough: Callable[[Array], Array],
) -> Decrement:
    """Bounds of ν² with S ⪰ λI, and with S ⪰ c M⁻¹ where such a c is known.

    They bound the last term by ‖ρ‖² / λ and by ρᵀMρ / c, where `precondition` is an M whose inverse
    is at least S / C and at most S / c, and c and C are the `shares` [L]. Where these are near each
    other no step is needed: ν² is between gᵀMg / C and gᵀMg / c, and their geometric mean is the
    estimate. Rounding is in the bounds: at most `rounding` [L] times the lengths of what S was
    multiplied by. A lane rests when the last term is below a thousandth of the others, or when
    `enough` of the bound [L] says so and the others are known to a tenth. What is found from below
    may be next to nothing, so but for that mean the estimate is the upper bound. `narrow` are the
    rows in float32, if steps may be made with those; `num_steps` steps at most between two looks.
    `inverse` is H_bb⁺ [L, C, C].
    """
    moves = without_intercept(point.moves)
    precondition = precondition or _diagonal(family, point)
    product, metric = _operators(family, point, moves, inverse, precondition)
    share, most = shares
    lam = jnp.where(point.ridge > 0, point.ridge, 1)

    def last_term(squared, rz, error):
        """Of a residual with ‖ρ‖² and ρᵀMρ, known to `error` in norm: at most this."""
        norm = (jnp.sqrt(squared) + error) ** 2
        rest = jnp.where(point.ridge > 0, norm / lam, jnp.where(norm > 0, jnp.inf, 0))
        by_metric = (jnp.sqrt(rz / jnp.where(share > 0, share, 1)) + error / jnp.sqrt(lam)) ** 2
        return jnp.where((share > 0) & (point.ridge > 0), jnp.fmin(rest, by_metric), rest)

    def bounds(u, r, rz, walked):
        """2 gᵀu - uᵀSu and the last term at most: gᵀu - uᵀSu is uᵀρ."""
        error = rounding * walked
        found = dot(grad, u) + dot(r, u)
        return found, last_term(dot(r, r), rz, error) + error * jnp.sqrt(dot(u, u))

    def unfinished(found, rz, rest):
        settled = (rz <= SETTLED * found) & enough(found + rest)
        return ~(rest <= SHARP * found) & ~settled

    def steps_of_point(active):
        def on(u, r, rz, walked):
            found, rest = bounds(u, r, rz, walked)
            return unfinished(found, rz, rest)

        u, r, rz, walked, _ = conjugated(product, metric, grad, active, num_steps, on)
        found, rest = bounds(u, r, rz, walked)
        return found, found + rest, u

    def looks(active):
        small = narrowed(point)._replace(x=narrow.x, x_t=narrow.x_t)
        operators = _operators(family, small, *narrowed((moves, inverse)), precondition)

        def going(state):
            return jnp.any(state[-1]) & (state[-2] < LOOKS)

        def look(state):
            u, r, rz, found, rest, known, count, active = state
            new = u + jnp.where(active[:, None, None], narrow_steps(operators, r, found, active), 0)
            new_r = grad - product(new)
            new_rz = dot(new_r, metric(new_r))
            new_found, new_rest = bounds(new, new_r, new_rz, jnp.sqrt(dot(new, new)))
            lower, upper = known
            known = jnp.fmax(lower, new_found), jnp.fmin(upper, new_found + new_rest)
            # Either bound of the last term may be the one that steps make smaller.
            better = active & ((new_rz < rz) | (new_rest < rest))
            halved = better & ((new_rz < rz / 2) | (new_rest < rest / 2))

            def kept(new, old):
                return jnp.where(better.reshape(-1, *[1] * (old.ndim - 1)), new, old)

            fresh = (new, new_r, new_rz, new_found, new_rest)
            old = (u, r, rz, found, rest)
            u, r, rz, found, rest = jax.tree.map(kept, fresh, old)
            active = halved & unfinished(found, rz, rest)
            return u, r, rz, found, rest, known, count + 1, active

        rest = bounds(0 * grad, grad, rz, zero)[1]
        state = (0 * grad, grad, rz, zero, rest, (zero, rest), 0, active)
        out = jax.lax.while_loop(going, look, state)
        return *out[5], out[0]

    def narrow_steps(operators, r, found, active):
        """Steps [L, C, P] towards S⁻¹ r, where 2 gᵀu - uᵀSu is `found` already."""
        size = jnp.sqrt(dot(r, r))[:, None, None]
        size = jnp.where(size > 0, size, 1)  # float32 knows no small numbers
        unit = (r / size).astype(narrow.x.dtype)

        def of_r(number):
            return number.astype(r.dtype) * size[:, 0, 0] ** 2

        def on(u, left, rz, walked):
            del walked
            more, rz = of_r(dot(unit, u) + dot(left, u)), of_r(rz)
            return unfinished(found + more, rz, last_term(of_r(dot(left, left)), rz, 0.0))

        u, *_ = conjugated(*operators, unit, active, num_steps, on)
        return size * u.astype(r.dtype)

    grad = moves * point.grad
    image = metric(grad)
    rz = dot(grad, image)
    zero = jnp.zeros_like(rz)
    near = (most <= NEAR * share) & enough(bounds(0 * grad, grad, rz, zero)[1])
    active = (rz > 0) & ~near
    at_once = zero, bounds(0 * grad, grad, rz, zero)[1], image
    steps = steps_of_point if narrow is None else looks
    lower, upper, step = jax.lax.cond(jnp.any(active), steps, lambda _: at_once, active)
    lower = jnp.maximum(lower, rz / most)
    middle = rz / jnp.sqrt(jnp.where(near, share * most, 1))
    estimate = jnp.where(near, middle, upper)
    unknown = jnp.full_like(lower, jnp.inf)
    step = jnp.where(near[:, None, None], image, step)
    return Decrement(lower, upper, estimate, unknown, unknown, step)


def _operators(family, point, moves, inverse, precondition) -> tuple[Precondition, Precondition]:
    """u -> S u and r -> M r, both masked, in the precision of the point; `inverse` is H_bb⁺."""
    bend, weights = point.bend, point.weights
    ridge = point.ridge[:, None, None]

    def curved(v):
        return family.hessian_product(bend, v) * weights[:, None]

    def product(u):
        heavy = curved(logits(u, point))
        shift = jnp.einsum("lcd,ld->lc", inverse, jnp.sum(heavy, axis=2), precision="highest")
        heavy = heavy - curved(jnp.broadcast_to(shift[:, :, None], heavy.shape))
        return moves * (gradient(heavy, point) + ridge * u)

    def metric(r):
        return moves * precondition(moves * r)

    return product, metric


def conjugated(product, metric, grad, active, num_steps, on):
    """Steps on S u = g from 0, for the lanes `active` [L], while `on`(u, r, rᵀMr, walked) says so.

    Returns u, its residual r [L, C, P], rᵀMr and the lengths walked [L], and how many steps.
    """

    def going(state):
        return jnp.any(state[-1]) & (state[-2] < num_steps)

    def step(state):
        u, r, p, rz, walked, count, active = state
        sp = product(p)
        curvature = dot(p, sp)
        go = active & (curvature > 0)
        length = jnp.where(go, rz / jnp.where(go, curvature, 1), 0)
        walked = walked + length * jnp.sqrt(dot(p, p))
        length = length[:, None, None]
        u, r = u + length * p, r - length * sp
        y = metric(r)
        new = dot(r, y)
        p = y + jnp.where(go, new / jnp.where(rz > 0, rz, 1), 0)[:, None, None] * p
        rz = jnp.where(go, new, rz)
        return u, r, p, rz, walked, count + 1, go & on(u, r, rz, walked)

    y = metric(grad)
    rz = dot(grad, y)
    state = (jnp.zeros_like(grad), grad, y, rz, jnp.zeros_like(rz), 0, active)
    u, r, _, rz, walked, count, _ = jax.lax.while_loop(going, step, state)
    return u, r, rz, walked, count


def _diagonal(family, point) -> Precondition:
    """The inverse of H's diagonal, means taken out."""
    heavy = family.diagonal(point.bend) * point.weights[:, None]
    squares = carried(heavy, point.x**2)
    first = gradient(heavy, point)
    total = first[..., -1:]
    diagonal = squares - first**2 / jnp.where(total > 0, total, 1)
    eps = jnp.finfo(squares.dtype).eps
    diagonal = jnp.maximum(diagonal, 10 * eps * squares) + point.ridge[:, None, None]
    inverse = jnp.where(diagonal > 0, 1 / jnp.where(diagonal > 0, diagonal, 1), 1)
    return lambda r: inverse.astype(r.dtype) * r
