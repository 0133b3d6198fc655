"""Moré, Garbow and Hillstrom's functions: the same minima as scipy, in 64 bits and in 32."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxlr import solvers
from jaxlr.solvers import Status
from tests import solver_problems
from tests.sizes import DTYPE, EPS
from tests.solver_problems import NAMES, PROBLEMS, STARTS
from tests.test_solvers import SOLVERS

pytestmark = pytest.mark.float64

TOL, RELATIVE = EPS ** (2 / 3), 1e-8
# Rounding alone makes gradients above the tolerance: of a product times 10⁶.
FLOOR_ABOVE_TOL = {"Brown badly scaled"}
# Each Hessian in the program is long to compile: Newton's method gets the characters alone.
TRIED = {
    "gradient_descent": ("Brown badly scaled", "Helical valley", "Powell singular"),
    "lbfgs": tuple(NAMES),
    "newton": (
        "Brown badly scaled",
        "Helical valley",
        "Powell singular",
        "Jennrich-Sampson",
        "Wood",
    ),
}
in_trials = pytest.mark.parametrize(
    ("name", "problem"), [(name, problem) for name in TRIED for problem in TRIED[name]]
)
every_problem = pytest.mark.parametrize("problem", NAMES)


@functools.cache
def endings(name):
    """Problem -> ending from its published start: lanes of one program."""
    objective = functools.partial(solver_problems.objective, names=TRIED[name])

    def run(x, which):
        return solvers.minimise(SOLVERS[name](), objective, x, which)

    # Compiled without optimisation: it runs for a blink, and compiles for long.
    program = jax.jit(jax.vmap(run), compiler_options={"xla_backend_optimization_level": 0})
    starts = STARTS[[NAMES.index(problem) for problem in TRIED[name]]]
    end = program(jnp.asarray(starts, DTYPE), jnp.arange(len(starts)))
    return {
        problem: jax.tree.map(lambda x, i=i: np.asarray(x)[i], end)
        for i, problem in enumerate(TRIED[name])
    }


@functools.cache
def by_scipy(problem):
    """The value that scipy's BFGS comes to, with numpy's function and complex-step gradient."""
    value, gradient = (
        solver_problems.numpy_value(problem),
        solver_problems.numpy_gradient(problem),
    )
    start = np.array(PROBLEMS[problem].start)
    end = scipy.optimize.minimize(value, start, jac=gradient, method="BFGS", options={"gtol": 1e-9})
    return end.fun


@in_trials
def test_the_minimum_is_scipys(name, problem):
    end = endings(name)[problem]
    n = len(PROBLEMS[problem].start)
    assert abs(end.value - by_scipy(problem)) <= RELATIVE * max(1, by_scipy(problem))
    # And the params are as good as the value says.
    value = solver_problems.numpy_value(problem)(end.params[:n])
    assert abs(value - end.value) <= 1e-8 * max(1, value)
    assert min(abs(end.value - m) / max(1, m) for m in PROBLEMS[problem].minima) <= RELATIVE
    np.testing.assert_array_equal(end.params[n:], 0)


@in_trials
def test_the_status_is_solved_or_says_why_not(name, problem):
    end = endings(name)[problem]
    if problem in FLOOR_ABOVE_TOL:
        assert end.status == (Status.solved if end.gradient_norm <= TOL else Status.stalled)
    else:
        assert end.status == Status.solved
        assert end.gradient_norm <= TOL


@every_problem
def test_the_functions_and_their_gradients_are_those_of_numpy(problem):
    gradients = all_gradients()
    n = len(PROBLEMS[problem].start)
    start = STARTS[NAMES.index(problem), :n] + 0.01
    value = solver_problems.numpy_value(problem)(start)
    expected = solver_problems.numpy_gradient(problem)(start)
    ours = gradients[0][NAMES.index(problem)], gradients[1][NAMES.index(problem), :n]
    precision = 100 * float(jnp.finfo(DTYPE).eps)
    np.testing.assert_allclose(ours[0], value, rtol=precision)
    np.testing.assert_allclose(
        ours[1], expected, rtol=precision, atol=precision * abs(expected).max()
    )


@functools.cache
def all_gradients():
    starts = np.where(
        np.arange(solver_problems.WIDTH) < [[len(p.start)] for p in PROBLEMS.values()],
        STARTS + 0.01,
        0,
    )
    program = jax.jit(jax.vmap(jax.value_and_grad(solver_problems.objective)))
    return jax.tree.map(np.asarray, program(jnp.asarray(starts, DTYPE), jnp.arange(len(NAMES))))
