"""From a start to an honest ending: `minimise` repeats a solver's update until it is over.

The one meaning of `tol`, for every solver: no derivative is larger than it,

    max |∂f/∂xᵢ| ≤ tol.

It is in the units of f over those of x, and relative to nothing: measured against |f|, a start
at 10¹² passes for a minimum, and so does a function that falls for ever. So let the objective be
a mean over examples rather than a sum. The default is eps^⅔: 2.4e-5 in float32, 3.7e-11 in
float64. It is a first-order test: a solver that walks into a saddle exactly has solved it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.optimizers.checks import check_number
from jaxlr.pytypes import Array, Params, Scalar
from jaxlr.solvers.flat import ravel
from jaxlr.solvers.parts import Counts, Point, Solver, choose, is_finite, look, looks, size
from jaxlr.solvers.status import Status

PATIENCE = 50  # steps in a row without a lower value or a smaller gradient


class Solution(NamedTuple):
    """Where it ended: params, value [] and gradient_norm [] = max |∂f/∂xᵢ| there; how, and why.

    `status` is a `Status` [] int32, num_steps [] the updates made, counts what they cost.
    """

    params: Params
    value: Array
    gradient_norm: Array
    status: Array
    num_steps: Array
    counts: Counts


class Run(NamedTuple):
    """All that the next step needs; status is `budget` while it lasts."""

    point: Point
    memory: Any
    status: Array
    num_steps: Array
    counts: Counts
    failed: Array
    idle: Array
    best_value: Array
    best_norm: Array


def minimise(
    solver: Solver,
    objective: Callable[..., Array],
    params: Params,
    *args: Any,
    tol: Scalar | None = None,
    max_steps: int | Array = 1000,
) -> Solution:
    """The params near `params` where objective(params, *args) is least.

    Pure, for `jax.jit` and `jax.vmap`: a lane that has ended is frozen, bit for bit, while others
    go on, and a lane of NaN is only its own.

    Args:
      solver: from this module, as `lbfgs()`.
      objective: (params, *args) -> [], differentiable (twice, for the Newton methods).
      params: the start: any pytree of float32 or float64 arrays.
      *args: data, handed on.
      tol: see above; None is the default of the dtype, 0 asks for all that rounding allows.
      max_steps: updates at most.

    Raises:
      TypeError: a leaf of params is not float32 or float64.
      ValueError: params is empty, the objective is not one number, or tol or max_steps is
        negative.
    """
    run = start(solver, objective, params, *args, tol=tol)
    run = advance(solver, objective, params, run, *args, tol=tol, max_steps=max_steps)
    _, unravel = ravel(params)
    point = run.point
    return Solution(
        unravel(point.params),
        point.value,
        size(point.grad),
        run.status,
        run.num_steps,
        run.counts,
    )


def start(
    solver: Solver,
    objective: Callable[..., Array],
    params: Params,
    *args: Any,
    tol: Scalar | None = None,
) -> Run:
    """The run before its first step, judged already: a start may be an end."""
    check_number("tol", tol)
    x, unravel = ravel(params)
    out = jax.eval_shape(objective, params, *args)
    if getattr(out, "shape", None) != ():
        raise ValueError(f"objective must return one number, shape (); it returned {out}.")
    point = look(lambda x: objective(unravel(x), *args), x)
    norm = size(point.grad)
    no, zero = jnp.array(False), jnp.array(0, jnp.int32)
    nan = jnp.array(Status.nan, jnp.int32)
    status = jnp.where(is_finite(point), _status(norm, no, tol), nan)
    return Run(point, solver.init(point), status, zero, looks(1), no, zero, point.value, norm)


def advance(
    solver: Solver,
    objective: Callable[..., Array],
    params: Params,
    run: Run,
    *args: Any,
    tol: Scalar | None = None,
    max_steps: int | Array = 1000,
) -> Run:
    """The run after at most `max_steps` more updates: segments make the same run as one go.

    `params` tells the structure alone; where the run stands is in the run.
    """
    if isinstance(max_steps, int) and max_steps < 0:
        raise ValueError(f"max_steps must be at least 0; got {max_steps}.")
    check_number("tol", tol)
    _, unravel = ravel(params)
    last = run.num_steps + max_steps

    def flat(x):
        return objective(unravel(x), *args)

    def going(run):
        return (run.status == Status.budget) & (run.num_steps < last)

    return jax.lax.while_loop(going, lambda run: _step(solver, flat, run, going(run), tol), run)


def _step(solver: Solver, flat: Callable[[Array], Array], run: Run, going: Array, tol) -> Run:
    """One update and its judgement.

    Under vmap the loop's body also runs for lanes that have ended (what comes of it is thrown
    away); their gradient is set to 0 so that their line searches end at once.
    """
    grad = jnp.where(going, run.point.grad, 0)
    step = solver.update(flat, run.point._replace(grad=grad), run.memory)
    point = choose(step.failed, run.point, step.point)
    norm = size(point.grad)
    better = (point.value < run.best_value) | (norm < run.best_norm)
    new = Run(
        point,
        step.memory,
        run.status,
        run.num_steps + 1,
        jax.tree.map(jnp.add, run.counts, step.counts),
        step.failed,
        jnp.where(better, 0, run.idle + 1),
        jnp.minimum(point.value, run.best_value),
        jnp.minimum(norm, run.best_norm),
    )
    stalled = (run.failed & step.failed) | (new.idle >= PATIENCE)
    return new._replace(status=_status(norm, stalled, tol))


def _status(norm: Array, stalled: Array, tol: Scalar | None) -> Array:
    tol = jnp.finfo(norm.dtype).eps ** (2 / 3) if tol is None else tol
    unsolved = jnp.where(stalled, Status.stalled, Status.budget)
    solved = norm <= jnp.asarray(tol, norm.dtype)
    return jnp.where(solved, Status.solved, unsolved).astype(jnp.int32)
