"""Down the gradient, each step halved until the objective decreases."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers.diagonal import Diagonal, doubted, next_entry, unscaled
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
SHORT = 3  # steps whose lengths for the steepest curvature are remembered
FLAT = 0.3  # the steepest and the mean curvature differ by more than this: short steps first


class GradientDescentMemory(NamedTuple):
    """The last step [], direction d [D] and its image Hd [D]; short steps [SHORT]; scales."""

    step: Array
    direction: Array
    image: Array
    shorts: Array
    diagonal: Diagonal


def gradient_descent(*, scaled: bool = True) -> Solver:
    """x ← x - αM⁻¹g, where α is halved until f decreases enough, from what the last step teaches.

        long α = dᵀMd / dᵀHd,   short α = dᵀHd / (Hd)ᵀM⁻¹Hd,   d = the last M⁻¹g

    Long steps go along valleys and make the gradient steeper across them, the short ones of the
    last steps take that away. M is the diagonal of the Hessian's magnitude, learnt one entry a
    step. A step costs two products with the Hessian, each about what a look does.

    Unless `scaled`, it is the textbook's steepest descent: M is 1, and α begins at twice the last
    one. On a valley of condition number κ that needs about κ steps.

    Reference:
      Barzilai and Borwein, Two-point step size gradient methods (1988); Frassoldati, Zanni and
      Zanghirati, New adaptive stepsize selections in gradient methods (2008), method ABBmin1;
      Nocedal and Wright, Numerical Optimization (2006), algorithm 3.1.
    """
    return _spectral() if scaled else _steepest()


def _steepest() -> Solver:
    def init(point):
        return cautious_step(point.grad)

    def update(objective, point, memory):
        search = backtracking(objective, point, -point.grad, memory)
        step = jnp.where(search.failed, cautious_step(point.grad), 2 * search.step)
        return Step(search.point, step, looks(search.num_looks), search.failed)

    return Solver(init, update)


def _spectral() -> Solver:
    def init(point):
        zero, shorts = 0 * point.grad, jnp.full(SHORT, jnp.inf, point.grad.dtype)
        return GradientDescentMemory(
            cautious_step(point.grad), zero, zero, shorts, unscaled(point.params)
        )

    def update(objective, point, memory):
        diagonal = next_entry(objective, point.params, memory.diagonal)
        first, shorts = first_step(memory, diagonal)
        direction = -point.grad / diagonal.scale
        search = backtracking(objective, point, direction, first)
        image = jax.jvp(jax.grad(objective), (search.point.params,), (direction,))[1]
        going_on = GradientDescentMemory(search.step, direction, image, shorts, diagonal)
        afresh = init(point)._replace(diagonal=doubted(diagonal))
        memory = choose(search.failed, afresh, going_on)
        return Step(search.point, memory, looks(search.num_looks, 2), search.failed)

    return Solver(init, update)


def first_step(memory: GradientDescentMemory, diagonal: Diagonal) -> tuple[Array, Array]:
    """The first step [] to try in the scales of now, and the short steps up to the last one."""
    step, direction, image, shorts, before = memory
    anew = diagonal.count == 0
    curvature = jnp.vdot(direction, image)
    long = jnp.vdot(direction * diagonal.scale, direction) / curvature
    short = curvature / jnp.vdot(image / diagonal.scale, image)
    bent = curvature > 0
    shorts = jnp.where(anew, jnp.inf, shorts)  # those known are in other scales
    shorts = jnp.roll(shorts, 1).at[0].set(jnp.where(bent, short, jnp.inf))
    learnt = jnp.where(short < FLAT * long, jnp.min(shorts), long)
    tried = jnp.any(direction != 0)
    first = jnp.where(bent, learnt, jnp.where(tried, 4 * step, step))
    first = jnp.where(anew & jnp.all(before.scale == 1), 1, first)  # the first scales: as Newton's
    return jnp.where(jnp.isfinite(first) & (first > 0), first, step), shorts


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
