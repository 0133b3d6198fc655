"""Conjugate gradients: for a linear system, and for any smooth function."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Scalar
from jaxlr.solvers.diagonal import Diagonal, doubted, next_entry, unscaled
from jaxlr.solvers.line_search import strong_wolfe
from jaxlr.solvers.parts import Solver, Step, cautious_step, choose, downhill, looks


class LinearSolution(NamedTuple):
    """Where the linear method ended.

    `residual` is b - Ax by its own recurrence, of `residual_norm`, √(rᵀMr) with a preconditioner;
    `solved` says that this is at most tol times that of b; `bends_down` that a direction p
    with pᵀAp ≤ 0 was met (A is not positive definite), where it stops.
    """

    params: Array
    residual: Array
    residual_norm: Array
    solved: Array
    bends_down: Array
    num_steps: Array


class _Linear(NamedTuple):
    params: Array
    residual: Array
    direction: Array
    squared: Array  # residualᵀ M residual
    steepest: Array  # the largest |pᵀAp| / pᵀp met
    bends_down: Array
    num_steps: Array


def conjugate_gradients(
    matvec: Callable[[Array], Array],
    b: Array,
    *,
    tol: Scalar | None = None,
    max_steps: int | Array | None = None,
    precondition: Callable[[Array], Array] = lambda r: r,
) -> LinearSolution:
    """Solves Ax = b [D] for a symmetric positive definite A, known by v -> Av alone.

        α = rᵀMr / pᵀAp;   x ← x + αp;   r₊ = r - αAp;   p ← Mr₊ + (r₊ᵀMr₊ / rᵀMr) p

    In exact arithmetic D steps suffice; rounding makes it more, so the default limit is 10 D.
    Starts from 0, and so every xₖ keeps bᵀxₖ > 0. A direction with pᵀAp ≤ 0 is the last one: it
    is followed as far as its |curvature| would say, which leaves a saddle and keeps bᵀx > 0, or
    left out where its curvature is 0 to rounding.

    Args:
      matvec: v [D] -> A v [D].
      b: [D] right-hand side.
      tol: bound on ‖b - Ax‖ / ‖b‖ in the norm √(rᵀMr); 10 eps if None.
      max_steps: products with A at most.
      precondition: r [D] -> Mr [D], M symmetric positive definite, near A's inverse.

    Reference:
      Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems (1952);
      Nocedal and Wright, Numerical Optimization (2006), algorithms 5.2 and 7.1.
    """
    tol = 10 * jnp.finfo(b.dtype).eps if tol is None else tol
    max_steps = 10 * b.size if max_steps is None else max_steps
    first = precondition(b)
    goal = jnp.asarray(tol, b.dtype) ** 2 * jnp.vdot(b, first)

    def going(state):
        return (state.squared > goal) & ~state.bends_down & (state.num_steps < max_steps)

    def step(state):
        product = matvec(state.direction)
        curvature = jnp.vdot(state.direction, product)
        squares = jnp.vdot(state.direction, state.direction)
        steepest = jnp.maximum(state.steepest, jnp.abs(curvature) / squares)
        length = state.squared / jnp.abs(curvature)
        further = state.params + length * state.direction
        residual = state.residual - length * product
        image = precondition(residual)
        squared = jnp.vdot(residual, image)
        moved = state._replace(
            params=further,
            residual=residual,
            direction=image + squared / state.squared * state.direction,
            squared=squared,
        )
        beyond_rounding = curvature < -b.size * jnp.finfo(b.dtype).eps * steepest * squares
        last = state._replace(
            params=jnp.where(beyond_rounding, further, state.params), bends_down=jnp.array(True)
        )
        new = choose(curvature > 0, moved, last)
        return new._replace(steepest=steepest, num_steps=state.num_steps + 1)

    zero, no = jnp.zeros([], b.dtype), jnp.array(False)
    state = _Linear(
        jnp.zeros_like(b), b, first, jnp.vdot(b, first), zero, no, jnp.array(0, jnp.int32)
    )
    end = jax.lax.while_loop(going, step, state)
    solved = (end.squared <= goal) & ~end.bends_down
    norm = jnp.sqrt(end.squared)
    return LinearSolution(end.params, end.residual, norm, solved, end.bends_down, end.num_steps)


class NonlinearCgMemory(NamedTuple):
    """The last direction [D] and the next first step []; direction 0 begins afresh."""

    direction: Array
    first: Array
    diagonal: Diagonal | None


def nonlinear_cg(c2: Scalar = 0.1, *, scaled: bool = True) -> Solver:
    """Polak and Ribière's β, never negative, under a tight line search.

        d ← -M⁻¹g₊ + β d,   β = max(0, g₊ᵀM⁻¹(g₊ - g) / gᵀM⁻¹g)

    β = 0 restarts down the gradient, and so does a direction that leads up. M is the diagonal of
    the Hessian's magnitude: each step looks at one more entry, by one product with the Hessian,
    and every D steps a restart begins with the new scales. That product costs about what a look
    does, and saves most of the steps where features differ in size.

    Unless `scaled`, M is 1, as in textbooks. On a parabola and with exact line searches that is
    the linear method; a risk whose features differ a ten-thousandfold takes it ten thousand steps.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), algorithm 5.4 and equation 5.45; the
      first step of a search keeps the change of f to first order, section 3.5.
    """

    def init(point):
        diagonal = unscaled(point.params) if scaled else None
        return NonlinearCgMemory(0 * point.grad, cautious_step(point.grad), diagonal)

    def update(objective, point, memory):
        diagonal = memory.diagonal
        if scaled:
            diagonal = next_entry(objective, point.params, diagonal)
            anew = diagonal.count == 0
            kept = jnp.where(anew, 0, memory.direction)
            memory = memory._replace(direction=kept, first=jnp.where(anew, 1, memory.first))
        over = 1 / diagonal.scale if scaled else 1
        direction = downhill(memory.direction - over * point.grad, point.grad)
        search = strong_wolfe(objective, point, direction, memory.first, c2)
        new, old = search.point.grad, point.grad
        beta = jnp.maximum(0, jnp.vdot(over * new, new - old) / jnp.vdot(over * old, old))
        kept = beta * direction
        slope, next_slope = jnp.vdot(old, direction), jnp.vdot(new, kept - over * new)
        ratio = jnp.where(next_slope < 0, slope / next_slope, 1)
        going_on = NonlinearCgMemory(kept, search.step * jnp.minimum(ratio, 10), diagonal)
        afresh = init(point)
        if scaled:
            afresh = afresh._replace(diagonal=doubted(diagonal))
        memory = choose(search.failed, afresh, going_on)
        return Step(search.point, memory, looks(search.num_looks, int(scaled)), search.failed)

    return Solver(init, update)
