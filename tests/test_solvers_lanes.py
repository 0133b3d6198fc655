"""The driver: lanes are pure runs, segments are one run, and mistakes are named."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import solvers
from jaxlr.solvers import Status
from tests.sizes import DTYPE, EPS, PROOFS
from tests.test_solvers import SOLVERS, every_solver

pytestmark = pytest.mark.float64

TOL = EPS ** (2 / 3)
NUM_LANES, ROWS, FEATURES = 256, 24, 3
IN_COMPANY = list(SOLVERS) if PROOFS else ["lbfgs", "newton"]  # each is long to compile, twice


def risk(params, x, labels, l2):
    margins = labels * (x @ params["w"] + params["b"])
    return jnp.mean(jnp.logaddexp(0, -margins)) + l2 / 2 * jnp.sum(params["w"] ** 2)


def problems():
    random = np.random.default_rng(11)
    x = random.normal(size=(NUM_LANES, ROWS, FEATURES))
    labels = np.where(x[:, :, 0] + random.normal(size=(NUM_LANES, ROWS)) > 0, 1.0, -1.0)
    l2 = 10 ** random.uniform(-3, 0, size=NUM_LANES)
    return tuple(jnp.asarray(array, DTYPE) for array in (x, labels, l2))


def zeros():
    return {"w": jnp.zeros(FEATURES, DTYPE), "b": jnp.zeros([], DTYPE)}


def solve(name, x, labels, l2):
    return solvers.minimise(SOLVERS[name](), risk, zeros(), x, labels, l2, max_steps=100)


@functools.cache
def lanes(name):
    return jax.jit(jax.vmap(functools.partial(solve, name)))


@pytest.mark.parametrize("name", IN_COMPANY)
def test_256_problems_at_once_are_each_of_them_alone(name):
    together = lanes(name)(*problems())
    one = jax.jit(functools.partial(solve, name))
    alone = [one(*(array[i] for array in problems())) for i in range(NUM_LANES)]
    alone = jax.tree.map(lambda *leaves: np.stack(leaves), *alone)
    np.testing.assert_array_equal(together.status, Status.solved)
    np.testing.assert_array_equal(alone.status, Status.solved)
    # Alone, a product of matrices may sum in another order: a step more or less at the tolerance.
    assert np.abs(together.num_steps - alone.num_steps).max() <= 1
    np.testing.assert_allclose(together.value, alone.value, rtol=20 * EPS)
    chex.assert_trees_all_close(together.params, alone.params, atol=3 * TOL / 1e-3)


def test_a_lane_of_nan_is_only_its_own():
    x, labels, l2 = problems()
    clean = lanes("lbfgs")(x, labels, l2)
    harmed = lanes("lbfgs")(x.at[7, 0, 0].set(jnp.nan).at[9].mul(1e30), labels, l2)
    assert harmed.status[7] == Status.nan
    others = np.delete(np.arange(NUM_LANES), [7, 9])
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(harmed), strict=True):
        np.testing.assert_array_equal(np.asarray(a)[others], np.asarray(b)[others])


def test_segments_are_one_run_bit_for_bit():
    x, labels, l2 = (array[:4] for array in problems())
    solver = solvers.lbfgs()

    def begin(*data):
        return solvers.start(solver, risk, zeros(), *data)

    def go(run, num_steps, *data):
        return solvers.advance(solver, risk, zeros(), run, *data, max_steps=num_steps)

    go = jax.jit(jax.vmap(go, in_axes=(0, None, 0, 0, 0)))
    begun = jax.jit(jax.vmap(begin))(x, labels, l2)
    at_once = go(begun, 40, x, labels, l2)
    parts = begun
    for _ in range(10):
        parts = go(parts, 4, x, labels, l2)
    assert (at_once.status == Status.solved).all()
    assert (at_once.num_steps > 4).all()
    chex.assert_trees_all_equal(at_once, parts)


def rounded(w):
    """A bowl around 1 with noise: the last sum is 0 on paper, and its slope nearly so here."""
    a = w - 1
    noise = jnp.sum((w + 4) ** 2 - 16 - 8 * w - w**2)
    return (a[0] ** 2 + 3 * a[1] ** 2) / 2 + jnp.sum(a**4) / 20 + noise


def test_noise_that_the_value_does_not_show_stalls_no_lane():
    starts = jnp.asarray(2 * np.random.default_rng(0).normal(size=(64, 2)), DTYPE)
    end = jax.jit(jax.vmap(lambda w: solvers.minimise(solvers.lbfgs(), rounded, w)))(starts)
    np.testing.assert_array_equal(end.status, Status.solved)
    np.testing.assert_allclose(end.params, 1, atol=2 * TOL)
    assert end.counts.values.max() < 25  # searches by value alone need 40 and stall in half


def nested(params):
    (a, b), c = params["pair"], params["c"]
    rest = jnp.sum((a - 1) ** 2).astype(DTYPE) + jnp.sum((b - 2) ** 2)
    return rest + jnp.sum(c.astype(DTYPE) ** 2)


@every_solver
def test_any_pytree_comes_back_in_its_own_shapes_and_dtypes(name):
    params = {
        "pair": (jnp.zeros((2, 3), jnp.float32), jnp.zeros([], DTYPE)),
        "c": jnp.ones((0, 4), jnp.float32),
    }
    end = jax.eval_shape(lambda p: solvers.minimise(SOLVERS[name](), nested, p), params)
    chex.assert_trees_all_equal_shapes_and_dtypes(end.params, jax.eval_shape(lambda: params))
    assert end.value.dtype == end.gradient_norm.dtype == DTYPE
    assert end.status.dtype == end.num_steps.dtype == jnp.int32


def test_a_pytree_of_several_leaves_is_solved_as_one():
    params = {
        "pair": (jnp.zeros((2, 3), jnp.float32), jnp.zeros([], DTYPE)),
        "c": jnp.ones((0, 4), jnp.float32),
    }
    end = jax.jit(lambda p: solvers.minimise(solvers.bfgs(), nested, p))(params)
    np.testing.assert_allclose(end.params["pair"][0], 1, atol=1e-4)
    np.testing.assert_allclose(end.params["pair"][1], 2, atol=1e-4)


@every_solver
def test_float32_stays_float32_where_float64_is_possible(name):
    def parabola(x):
        return jnp.sum(x**2)

    x = jnp.ones(3, jnp.float32)
    with jax.enable_x64(True):
        end = jax.eval_shape(lambda x: solvers.minimise(SOLVERS[name](), parabola, x), x)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(end)} == {"float32", "int32"}


def test_a_tolerance_or_a_budget_is_a_number_and_costs_no_compilation():
    traces = []

    def parabola(x):
        traces.append(1)
        return jnp.sum((x - 3) ** 2)

    @jax.jit
    def run(x, tol, max_steps):
        return solvers.minimise(solvers.lbfgs(), parabola, x, tol=tol, max_steps=max_steps)

    run(jnp.ones(2, DTYPE), jnp.asarray(1e-3, DTYPE), 10)
    once = len(traces)
    assert run(jnp.zeros(2, DTYPE), jnp.asarray(1e-1, DTYPE), 0).num_steps == 0
    assert len(traces) == once


def minimise(params, objective=lambda x: jnp.sum(x**2), **options):
    return solvers.minimise(solvers.lbfgs(), objective, params, **options)


@pytest.mark.parametrize("dtype", ["int32", "bfloat16", "complex64"])
def test_params_that_a_line_search_cannot_move_are_named(dtype):
    with pytest.raises(
        TypeError, match=rf"^params\['w'\] has dtype {dtype}, .* cast it to float32"
    ):
        minimise({"w": jnp.zeros(2, dtype)})


@pytest.mark.parametrize("params", [{}, jnp.zeros((0, 3))])
def test_params_without_a_number_are_named(params):
    with pytest.raises(ValueError, match=r"^params holds no number: "):
        minimise(params)


@pytest.mark.parametrize("objective", [lambda x: x, lambda x: (x[0], x[1])])
def test_an_objective_of_many_numbers_is_named(objective):
    with pytest.raises(ValueError, match=r"^objective must return one number, shape \(\); it"):
        minimise(jnp.ones(2), objective)


@pytest.mark.parametrize("tol", [-1e-3, float("nan")])
def test_a_negative_tolerance_is_named(tol):
    with pytest.raises(ValueError, match=rf"^tol must be zero or positive; got {tol}"):
        minimise(jnp.ones(2), tol=tol)


def test_a_negative_budget_is_named():
    with pytest.raises(ValueError, match=r"^max_steps must be at least 0; got -1"):
        minimise(jnp.ones(2), max_steps=-1)


@pytest.mark.parametrize("history_size", [0, -3, 2.5])
def test_a_history_of_nothing_is_named(history_size):
    with pytest.raises(ValueError, match=f"^history_size must be .* got {history_size}"):
        solvers.lbfgs(history_size)
