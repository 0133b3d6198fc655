"""sigmoid, softplus, softmax: every derivative beside mpmath, at every exponent of every format."""

import chex
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import activations
from jaxlr.activations.logistic import _LOG1P_TAIL
from tests.truth.exact import (
    grid,
    logistic_curves,
    softmax_row,
    ulp_error,
    worst_ulp,
)

pytestmark = pytest.mark.as_shipped

WIDE = jnp.zeros(()).dtype  # float32, or float64 when it is enabled
# The narrow formats have their turn in the other pass.
NARROW = () if WIDE.itemsize == 8 else (jnp.float16, jnp.bfloat16)
FORMATS = sorted({jnp.dtype(d) for d in (*NARROW, jnp.float32, WIDE)}, key=str)
ELEMENTWISE = ["sigmoid", "softplus", "log_sigmoid"]
# The bounds of value, first and second derivative in ulps. XLA's exp alone is off by 1.0 in
# float32 and 1.4 in float64, each of the three or four roundings after it by a half.
BOUNDS = (2.5, 2.5, 4.0)


def curves(name):
    """The function and its first two derivatives, each for any array."""
    function = getattr(activations, name)
    slope = jax.grad(function)
    return [jax.jit(jax.vmap(f)) for f in (function, slope, jax.grad(slope))]


COMPILED = {name: curves(name) for name in ELEMENTWISE}


@pytest.fixture(scope="module")
def exact_grid():
    """The grid of each format, and mpmath's answers there."""
    answers = {}
    for dtype in FORMATS:
        z = grid(dtype, num_mantissas=3)
        answers[dtype] = z, [logistic_curves(float(one)) for one in z]
    return answers


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_slope_and_curvature_are_right_to_the_last_bits(name, dtype, exact_grid):
    z, exact = exact_grid[dtype]
    for order, f in enumerate(COMPILED[name]):
        found = f(jnp.asarray(z))
        assert found.dtype == dtype
        worst, where = worst_ulp(found, [one[name][order] for one in exact], dtype)
        bound = BOUNDS[order] if dtype.itemsize >= 4 else 0.51
        assert worst <= bound, f"derivative {order} at z = {z[where]}"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_million_float32_numbers_agree_with_numpy_in_float64(name):
    z = np.arange(0, 2**32, 4_001, dtype=np.uint32).view(np.float32)
    tiny, largest = float(jnp.finfo(jnp.float32).tiny), float(jnp.finfo(jnp.float32).max)
    z = z[np.isfinite(z) & (abs(z) >= tiny)]
    with np.errstate(over="ignore", under="ignore"):
        e = np.exp(-abs(z.astype(np.float64)))
    sigmoid = np.where(z > 0, 1, e) / (1 + e)
    slope = e / (1 + e) ** 2
    plus, minus = (np.maximum(s * z.astype(np.float64), 0) + np.log1p(e) for s in (1, -1))
    exact = {
        "sigmoid": (sigmoid, slope),
        "softplus": (plus, sigmoid),
        "log_sigmoid": (-minus, np.where(z > 0, e, 1) / (1 + e)),
    }[name]
    for order, want in enumerate(exact):
        found = np.asarray(COMPILED[name][order](z), np.float64)
        normal = (abs(want) >= tiny) & (abs(want) <= largest)
        ulp = np.spacing(np.where(normal, abs(want), 1).astype(np.float32))
        assert np.max(np.where(normal, abs(found - want) / ulp, 0)) <= BOUNDS[order]
        assert np.all(normal | (abs(found - want) <= tiny))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_no_float_is_adversarial(z):
    exact = logistic_curves(z)
    for name, fs in COMPILED.items():
        for order, f in enumerate(fs):
            found = f(jnp.full(1, z, WIDE))[0]
            assert ulp_error(found, exact[name][order], WIDE) <= BOUNDS[order], (name, order)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize(
    ("name", "order", "at_minus_infinity", "at_infinity"),
    [
        ("sigmoid", 0, 0, 1),
        ("sigmoid", 1, 0, 0),
        ("sigmoid", 2, 0, 0),
        ("softplus", 0, 0, np.inf),
        ("softplus", 1, 0, 1),
        ("softplus", 2, 0, 0),
        ("log_sigmoid", 0, -np.inf, 0),
        ("log_sigmoid", 1, 1, 0),
        ("log_sigmoid", 2, 0, 0),
    ],
)
def test_infinity_gives_the_limit_and_nan_gives_nan(
    name, order, at_minus_infinity, at_infinity, dtype
):
    found = COMPILED[name][order](jnp.asarray([-np.inf, np.inf, np.nan], dtype))
    want = np.array([at_minus_infinity, at_infinity, np.nan])
    np.testing.assert_array_equal(np.asarray(found, np.float64), want)


def test_the_third_derivative_at_zero_is_that_of_mpmath():
    # A rule that traced |z| would have slope 0 there.
    for name in ELEMENTWISE:
        f = getattr(activations, name)
        for _ in range(3):
            f = jax.grad(f)
        textbook = {
            "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
            "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
            "log_sigmoid": lambda z: -mpmath.log(1 + mpmath.exp(-z)),
        }[name]
        with mpmath.workdps(60):
            exact = float(mpmath.diff(textbook, 0, 3))
        assert float(f(jnp.zeros(()))) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("size", _LOG1P_TAIL)
def test_the_polynomial_is_log1p_within_one_ulp(size):
    bits = {4: 24, 8: 53}[size]
    with mpmath.workprec(300):
        for e in (mpmath.mpf(k) / 500 for k in range(1, 501)):
            tail = sum(mpmath.mpf(c) * e**k for k, c in enumerate(_LOG1P_TAIL[size]))
            exact = mpmath.log(1 + e)
            assert abs(e - e * e * tail - exact) < exact * mpmath.mpf(2) ** -(bits - 0.5)


def rows(num_classes, seed=0, num_rows=20):
    """Rows with one class far ahead, ties, scores up to 1e4, and p near the smallest number."""
    rng = np.random.default_rng(seed)
    shape = (num_rows, num_classes)
    ahead = rng.normal(size=shape)
    ahead[:, 0] += rng.uniform(0, 88, num_rows)
    tied = np.round(rng.normal(size=shape))
    spread = [rng.normal(size=shape) * scale for scale in (1e-4, 1, 10, 100, 1e4)]
    moved = rng.normal(size=shape) * 10 + rng.uniform(-150, 150, (num_rows, 1))
    return np.concatenate([ahead, tied, moved, rng.uniform(-90, 90, shape), *spread])


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("num_classes", [1, 2, 5, 16])
def test_every_component_of_a_softmax_is_right_to_its_own_last_bits(num_classes, dtype):
    z = rows(num_classes).astype(dtype)
    bound = 8 if dtype.itemsize >= 4 else 0.51
    exact = [softmax_row([float(one) for one in row]) for row in z]
    flat = [p for row in exact for p in row]
    assert worst_ulp(jax.jit(activations.softmax)(z), flat, dtype)[0] <= bound
    with mpmath.workprec(1_400):
        logs = [mpmath.log(p) for p in flat]
    assert worst_ulp(jax.jit(activations.log_softmax)(z), logs, dtype)[0] <= bound


@pytest.mark.parametrize("num_classes", [2, 16])
def test_every_entry_of_the_jacobians_is_right_to_its_own_last_bits(num_classes):
    z = rows(num_classes, seed=1, num_rows=12).astype(WIDE)
    of_softmax = jax.jit(jax.vmap(jax.jacrev(activations.softmax)))(z)
    forward = jax.jit(jax.vmap(jax.jacfwd(activations.softmax)))(z)
    of_log_softmax = jax.jit(jax.vmap(jax.jacrev(activations.log_softmax)))(z)
    exact, exact_log = [], []
    with mpmath.workprec(1_400):
        for row in z:
            p = softmax_row([float(one) for one in row])
            for k, own in enumerate(p):
                others = mpmath.fsum(p[:k] + p[k + 1 :])
                exact += [own * others if j == k else -own * p[j] for j in range(num_classes)]
                exact_log += [others if j == k else -p[j] for j in range(num_classes)]
    assert worst_ulp(of_softmax, exact, WIDE)[0] <= 8
    assert worst_ulp(forward, exact, WIDE)[0] <= 8
    assert worst_ulp(of_log_softmax, exact_log, WIDE)[0] <= 8


def test_a_row_of_64_classes_is_the_widest_that_keeps_every_last_bit():
    z = jnp.zeros(64, WIDE).at[1].set(30)
    with mpmath.workdps(60):
        rest = 63 / (mpmath.exp(30) + 63)
        exact = [float(mpmath.log(1 - rest)), float(rest * (1 - rest))]
    loss = jax.jit(activations.log_softmax)(z)[1]
    slope = jax.jit(jax.grad(lambda z: activations.softmax(z)[1]))(z)[1]
    np.testing.assert_allclose([loss, slope], exact, rtol=8 * float(jnp.finfo(WIDE).eps))


def test_a_row_wider_than_64_classes_loses_only_what_its_sum_loses():
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(20, 300)) * np.repeat([1, 10, 60, 1e4], 5)[:, None]).astype(WIDE)
    exact = [softmax_row([float(one) for one in row]) for row in z]
    flat = [p for row in exact for p in row]
    # 300 roundings of a running sum, nearly all of them in the last bit of a larger number.
    assert worst_ulp(jax.jit(activations.softmax)(z), flat, WIDE)[0] <= 40
    with mpmath.workprec(1_400):
        logs = np.array([float(mpmath.log(p)) for p in flat]).reshape(z.shape)
    eps = float(jnp.finfo(WIDE).eps)
    found = np.asarray(jax.jit(activations.log_softmax)(z), np.float64)
    np.testing.assert_allclose(found, logs, rtol=4 * eps, atol=40 * eps)
    found = jax.jit(jax.vmap(jax.grad(lambda row: activations.log_softmax(row)[0])))(z)
    slope = -np.array(flat, float).reshape(z.shape)
    slope[:, 0] += 1
    np.testing.assert_allclose(found, slope, rtol=40 * eps, atol=40 * eps)


@pytest.mark.parametrize("width", [2, 100])  # both ways of summing a row
def test_infinite_logits_give_the_limit_where_there_is_one(width):
    row = np.zeros(width, WIDE)
    one, two, none, broken = row.copy(), row.copy(), row.copy(), row.copy()
    one[0], two[:2], none[0], broken[1] = np.inf, np.inf, -np.inf, np.nan
    first = np.eye(width)[0]
    softmax, log_softmax = jax.jit(activations.softmax), jax.jit(activations.log_softmax)
    slopes = [jax.jit(jax.grad(lambda z, f=f: f(z)[0])) for f in (softmax, log_softmax)]
    np.testing.assert_array_equal(softmax(one), first)
    np.testing.assert_array_equal(softmax(two)[:2], [0.5, 0.5])
    np.testing.assert_allclose(softmax(none), (1 - first) / (width - 1), rtol=1e-6)
    assert float(log_softmax(one)[0]) == 0
    assert float(log_softmax(none)[0]) == -np.inf
    np.testing.assert_allclose(slopes[1](none), first - (1 - first) / (width - 1), rtol=1e-6)
    for nothing in (np.full(width, -np.inf, WIDE), broken):
        assert np.isnan(softmax(nothing)).all()
        assert np.isnan(log_softmax(nothing)).all()
        assert np.isnan(slopes[0](nothing)).all()


def test_narrow_log_softmax_of_an_impossible_class_is_minus_infinity():
    assert np.asarray(activations.log_softmax(jnp.array([jnp.inf, 0.0])))[1] == -np.inf


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax", "log_softmax"])
def test_the_rules_compose_under_every_transform(name):
    function, theirs = getattr(activations, name), getattr(jax.nn, name)
    z = jnp.asarray(np.linspace(-6, 6, 12).reshape(3, 4), WIDE)
    close = {"rtol": 1e-5, "atol": 1e-6}

    @jax.jit
    def transformed(z, tangent):
        def weighed(function):
            return lambda z: jnp.vdot(function(z), tangent)

        out, along = jax.jvp(function, (z,), (tangent,))
        (back,) = jax.vjp(function, z)[1](tangent)
        curvature = {
            "forward over reverse": jax.jacfwd(jax.grad(weighed(function)))(z),
            "reverse over reverse": jax.jacrev(jax.jacrev(weighed(function)))(z),
            "hessian": jax.hessian(weighed(function))(z),
        }
        # <J t, t> both ways
        products = jnp.vdot(along, tangent), jnp.vdot(tangent, back)
        expected = theirs(z), jax.hessian(weighed(theirs))(z)
        return out, jax.vmap(function)(z), products, curvature, expected

    out, over_rows, products, curvature, expected = transformed(z, jnp.cos(z))
    chex.assert_trees_all_close(out, function(z), over_rows, expected[0], **close)
    chex.assert_trees_all_close(*products, **close)
    chex.assert_trees_all_close(*curvature.values(), **close)
    chex.assert_trees_all_close(curvature["hessian"], expected[1], rtol=1e-4, atol=1e-5)


def test_any_shape_is_elementwise_and_softmax_runs_over_the_last_axis():
    z = jnp.linspace(-3.0, 3.0, 24).reshape(2, 3, 4)
    for name in ELEMENTWISE:
        function = getattr(activations, name)
        chex.assert_trees_all_equal(function(z), jax.vmap(jax.vmap(jax.vmap(function)))(z))
    np.testing.assert_allclose(jnp.sum(activations.softmax(z), axis=-1), np.ones((2, 3)), rtol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_integers_are_refused_by_name(name):
    message = r"z must be floating point, and is int32 of shape \(3,\): cast it first"
    with pytest.raises(TypeError, match=message):
        getattr(activations, name)(jnp.arange(3, dtype=jnp.int32))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_what_is_no_row_of_scores_is_refused_by_name(name):
    function = getattr(activations, name)
    with pytest.raises(TypeError, match="logits must be floating point, and is int32"):
        function(jnp.arange(3, dtype=jnp.int32))
    for nothing in (jnp.zeros(()), jnp.zeros((3, 0))):
        with pytest.raises(ValueError, match=r"logits must hold one score per class .* shape \("):
            function(nothing)
