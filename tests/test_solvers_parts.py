"""The parts of the solvers against textbook formulas in numpy: searches, systems, updates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import solvers
from jaxlr.solvers import compact
from jaxlr.solvers.bfgs import BfgsMemory
from jaxlr.solvers.diagonal import Diagonal, next_entry, unscaled
from jaxlr.solvers.gradient_descent import GradientDescentMemory, first_step
from jaxlr.solvers.parts import look
from tests.sizes import DTYPE, EPS

pytestmark = pytest.mark.float64

seeds = st.integers(0, 2**32 - 1)
SIZE = 5


def matrix(seed, condition=100.0, negative=0):
    """A symmetric [SIZE, SIZE] matrix with known eigenvalues, some of them negative."""
    random = np.random.default_rng(seed)
    q, _ = np.linalg.qr(random.normal(size=(SIZE, SIZE)))
    values = np.geomspace(1, condition, SIZE) * np.where(np.arange(SIZE) < negative, -1, 1)
    return (q * values) @ q.T, random.normal(size=SIZE)


def cast(*arrays):
    return tuple(jnp.asarray(array, DTYPE) for array in arrays)


@jax.jit
def linear(a, b):
    return solvers.conjugate_gradients(lambda v: a @ v, b)


@given(seeds)
def test_linear_conjugate_gradients_solve_the_system(seed):
    a, b = matrix(seed)
    end = linear(*cast(a, b))
    assert end.solved
    assert not end.bends_down
    assert end.num_steps <= 4 * SIZE
    np.testing.assert_allclose(a @ np.asarray(end.params), b, atol=1e4 * EPS * abs(b).max())


@given(seeds)
def test_a_matrix_that_bends_down_is_found_out_and_still_leads_along_b(seed):
    a, b = matrix(seed, negative=2)
    end = linear(*cast(a, b))
    assert end.bends_down or (b @ np.asarray(end.params) > 0 and end.solved)
    assert b @ np.asarray(end.params) > 0


def test_a_negative_matrix_leads_along_b_by_its_curvature():
    end = linear(*cast(-4 * np.eye(SIZE), np.ones(SIZE)))
    assert end.bends_down
    assert not end.solved
    np.testing.assert_allclose(end.params, 0.25)
    assert linear(*cast(0 * np.eye(SIZE), np.ones(SIZE))).params.sum() == 0


def test_nothing_is_asked_of_a_system_that_is_solved_already():
    end = linear(*cast(np.eye(SIZE), np.zeros(SIZE)))
    assert (end.num_steps, end.solved) == (0, True)


@jax.jit
def conjugate_descent(a, b):
    def parabola(x):
        return x @ a @ x / 2 - b @ x

    textbook = solvers.nonlinear_cg(c2=1e-3, scaled=False)
    return solvers.minimise(textbook, parabola, jnp.zeros_like(b), tol=1e-3)


@given(seeds)
def test_on_a_parabola_the_nonlinear_method_is_the_linear_one(seed):
    a, b = matrix(seed, condition=10.0)
    end = conjugate_descent(*cast(a, b))
    assert end.status == solvers.Status.solved
    assert end.num_steps <= SIZE + 2  # exact searches and arithmetic would need SIZE


newton_direction = jax.jit(solvers.newton_direction)


@given(seeds)
def test_newton_solves_with_the_hessian_where_that_is_positive(seed):
    a, g = matrix(seed)
    direction = np.asarray(newton_direction(*cast(a, g)))
    np.testing.assert_allclose(direction, -np.linalg.solve(a, g), atol=1e3 * EPS * abs(g).max())


@given(seeds)
def test_newton_goes_down_where_the_hessian_does_not_bend_up(seed):
    a, g = matrix(seed, negative=2)
    assert np.asarray(newton_direction(*cast(a, g))) @ g < 0


@given(seeds)
def test_newton_does_not_know_the_units_of_the_params(seed):
    a, g = matrix(seed)
    units = np.float64(2.0) ** np.arange(-20, 20, 8)  # powers of 2 round nothing
    scaled = newton_direction(*cast(a * units[:, None] * units[None, :], g * units))
    expected = np.asarray(newton_direction(*cast(a, g))) / units
    np.testing.assert_allclose(scaled, expected, rtol=1e-10)


def test_a_singular_hessian_moves_nothing_that_has_no_slope():
    direction = newton_direction(*cast(np.diag([2.0, 0, 0, 1, 4]), [2.0, 0, 0, 3, 4]))
    np.testing.assert_allclose(direction, [-1, 0, 0, -3, -1], rtol=1e-3)


def pairs(seed, num_pairs):
    """Steps s and gradient differences y of a parabola, newest first."""
    a, _ = matrix(seed)
    s = np.random.default_rng(seed + 1).normal(size=(num_pairs, SIZE))
    return s, s @ a


def inverse_hessian(inverse, s, y):
    """Nocedal and Wright, equation 6.17, as it is printed."""
    rho = 1 / (y @ s)
    left = np.eye(SIZE) - rho * np.outer(s, y)
    return left @ inverse @ left.T + rho * np.outer(s, s)


@jax.jit
def compactly(s, y, images, grad, image):
    """The compact form's product after pairs [K, D], oldest first, of which three are kept."""
    pairs = compact.no_pairs(grad, 3)
    for k, pair in enumerate(zip(s, y, images, strict=True)):
        pairs = compact.learnt(pairs, jnp.int32(k), *pair)
    return compact.inverse_hessian(pairs, grad, image)


@given(seeds)
def test_the_compact_form_multiplies_by_the_matrix_of_the_formula(seed):
    s, y = (rows[::-1] for rows in pairs(seed, 5))  # oldest first; two are forgotten
    y = y * np.array([1, 1, 1, -1, 1])[:, None]  # one bends down, and is left out
    before, _ = matrix(seed + 2)
    kept = [2, 4]
    scale = (s[4] @ y[4]) / (y[4] @ before @ y[4])
    expected = scale * before
    for i in kept:
        expected = inverse_hessian(expected, s[i], y[i])
    g = np.random.default_rng(seed).normal(size=SIZE)
    ours = compactly(*cast(s, y, y @ before, g, before @ g))
    np.testing.assert_allclose(ours, expected @ g, atol=1e4 * EPS * abs(expected @ g).max())


def test_a_compact_form_that_knows_nothing_is_the_preconditioner():
    nothing = compact.no_pairs(jnp.ones(SIZE, DTYPE), 4)
    g = jnp.arange(SIZE, dtype=DTYPE)
    np.testing.assert_array_equal(compact.inverse_hessian(nothing, g, 2 * g), 2 * g)


def test_an_lbfgs_on_the_inverse_hessian_needs_no_history():
    a, b = matrix(4, condition=1e4)
    inverse = jnp.asarray(np.linalg.inv(a), DTYPE)

    def parabola(x):
        return x @ jnp.asarray(a, DTYPE) @ x / 2 - jnp.asarray(b, DTYPE) @ x

    start, tol = jnp.ones(SIZE, DTYPE), 1e-2
    plain = solvers.minimise(solvers.lbfgs(1), parabola, start, tol=tol)
    near = solvers.lbfgs(1, precondition=lambda v: inverse @ v)
    known = solvers.minimise(near, parabola, start, tol=tol)
    assert known.status == plain.status == solvers.Status.solved
    assert known.num_steps <= 3 < plain.num_steps
    np.testing.assert_allclose(a @ known.params, b, atol=2 * tol)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_step_of_bfgs_learns_by_the_formula(fresh):
    a, b = matrix(7)

    def parabola(x):
        return x @ jnp.asarray(a, DTYPE) @ x / 2 - jnp.asarray(b, DTYPE) @ x

    solver = solvers.bfgs()
    start = look(parabola, jnp.zeros(SIZE, DTYPE))
    inverse = np.eye(SIZE) if fresh else np.linalg.inv(a) + np.eye(SIZE)
    memory = BfgsMemory(jnp.asarray(inverse, DTYPE), jnp.array(fresh))
    step = solver.update(parabola, start, memory)
    s = np.asarray(step.point.params, np.float64)
    y = a @ s
    inverse = inverse * (s @ y) / (y @ y) if fresh else inverse
    expected = inverse_hessian(inverse, s, y)
    np.testing.assert_allclose(step.memory.inverse, expected, atol=1e3 * EPS * abs(expected).max())
    np.testing.assert_allclose(step.memory.inverse @ (y).astype(DTYPE), s, rtol=1e-2)
    assert not step.memory.fresh


def curve(x, c):
    """A line through hills and valleys, one for each c [3]."""
    return c[0] * x[0] ** 2 + c[1] * jnp.sin(3 * x[0]) + c[2] * x[0] ** 4 / 10


@jax.jit
def search(c, x, first):
    start = look(lambda x: curve(x, c), x)
    return solvers.strong_wolfe(lambda x: curve(x, c), start, -start.grad, first, 0.5)


@given(seeds)
def test_a_search_ends_at_a_point_that_satisfies_wolfe(seed):
    random = np.random.default_rng(seed)
    c, x = random.uniform(0.1, 2, size=3), random.normal(size=1) * 3
    first = 10 ** random.uniform(-6, 3)
    end = search(*cast(c, x, first))

    def value(x):
        return (c[0] * x**2 + c[1] * np.sin(3 * x) + c[2] * x**4 / 10)[0]

    def slope(x):
        return (2 * c[0] * x + 3 * c[1] * np.cos(3 * x) + 0.4 * c[2] * x**3)[0]

    before, after = x.astype(DTYPE).astype(float), np.asarray(end.point.params, float)
    rounding = 100 * EPS * (abs(value(before)) + 1)
    assert not end.failed
    assert end.num_looks <= 20
    assert value(after) <= value(before) - 1e-4 * float(end.step) * slope(before) ** 2 + rounding
    assert abs(slope(after)) <= 0.5 * abs(slope(before)) + rounding


@pytest.mark.parametrize("first", [1e-3, 0.4, 100.0])
def test_a_direction_that_leads_up_fails_without_a_look(first):
    start = look(jnp.sum, jnp.ones(2, DTYPE))
    for end in (
        solvers.strong_wolfe(jnp.sum, start, start.grad, first),
        solvers.backtracking(jnp.sum, start, start.grad, jnp.asarray(first, DTYPE)),
    ):
        assert end.failed
        assert (end.step, end.num_looks) == (0, 0)
        np.testing.assert_array_equal(end.point.params, 1)


def test_a_wall_of_infinities_is_backed_away_from():
    def barrier(x):
        return x[0] - jnp.log(x[0])  # the least at 1, nothing at all below 0

    start = look(barrier, jnp.full(1, 3.0, DTYPE))
    for end in (
        solvers.strong_wolfe(barrier, start, -start.grad, 1e4),
        solvers.backtracking(barrier, start, -start.grad, jnp.asarray(1e4, DTYPE)),
    ):
        assert not end.failed
        assert 0 < end.point.params[0] < 3


def test_backtracking_takes_the_first_half_that_goes_down_enough():
    start = look(lambda x: 8 * x[0] ** 2, jnp.ones(1, DTYPE))
    end = solvers.backtracking(lambda x: 8 * x[0] ** 2, start, -start.grad, jnp.ones([], DTYPE))
    # x = 1 - 16α: Armijo, (1 - 16α)² ≤ 1 - 32 · 1e-4 α, first holds at α = 1/16.
    assert float(end.step) == 1 / 16
    assert int(end.num_looks) == 5


@pytest.mark.parametrize(
    ("direction", "image", "count", "scale", "expected", "remembered"),
    [
        # As steep in every direction: the long step, dᵀMd / dᵀHd = 8 / 12.
        ([2.0, 2.0], [2.0, 4.0], 1, [1.0, 1.0], 8 / 12, 12 / 20),
        # A valley: the least of the short steps remembered, and of dᵀHd / (Hd)ᵀM⁻¹Hd = 2 / 101.
        ([1.0, 0.1], [1.0, 10.0], 1, [1.0, 1.0], 0.01, 2 / 101),
        # Scales have come since: 1.01 / 2 is 2 / 2, and nothing older is remembered.
        ([1.0, 0.1], [1.0, 10.0], 0, [1.0, 100.0], 1.0, 1.0),
        # It bends down: four times the last step. Nothing was tried: the last step.
        ([1.0, 0.1], [-1.0, 0.0], 1, [1.0, 1.0], 12.0, np.inf),
        ([0.0, 0.0], [0.0, 0.0], 1, [1.0, 1.0], 3.0, np.inf),
        # The first scales of all: as Newton's method.
        ([2.0, 2.0], [2.0, 4.0], 0, [2.0, 1.0], 1.0, 12 / 18),
    ],
)
def test_the_first_step_down_the_gradient_is_long_but_for_valleys(
    direction, image, count, scale, expected, remembered
):
    direction, image, scale, shorts = cast(direction, image, scale, [0.5, 0.01, np.inf])
    before = jnp.ones(2, DTYPE) if count or scale[0] > 1 else scale
    known = Diagonal(before, scale, jnp.array(1))
    memory = GradientDescentMemory(jnp.asarray(3, DTYPE), direction, image, shorts, known)
    now = Diagonal(scale, scale, jnp.array(count))
    first, shorts = first_step(memory, now)
    np.testing.assert_allclose(first, expected, rtol=10 * EPS)
    np.testing.assert_allclose(shorts[0], remembered, rtol=10 * EPS)
    older = [0.5, 0.01] if count else [np.inf, np.inf]
    np.testing.assert_allclose(shorts[1:], older, rtol=10 * EPS)


def test_scales_are_the_hessians_diagonal_however_far_apart_and_0_counts_as_the_largest():
    bend = np.array([1e10, -3.0, 1e-2, 0.0])

    def objective(x):
        return jnp.sum(jnp.asarray(bend, DTYPE) * x**2) / 2

    known = unscaled(jnp.ones(4, DTYPE))
    for i in range(4):
        np.testing.assert_array_equal(known.scale, 1)
        assert known.count == i
        known = next_entry(objective, jnp.full(4, 0.5, DTYPE), known)
    assert known.count == 0
    np.testing.assert_allclose(known.scale, [1e10, 3, 1e-2, 1e10], rtol=4 * EPS)
    flat = next_entry(jnp.sum, jnp.ones(1, DTYPE), unscaled(jnp.ones(1, DTYPE)))
    np.testing.assert_array_equal(flat.scale, 1)  # nothing bends: as it was
