"""The losses beside mpmath, optax and scikit-learn; their corners, their doors, and `risk`."""

import functools

import chex
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss

from jaxlr import Batch, losses, models
from tests.truth.exact import (
    grid,
    log_loss_curve,
    softmax_row,
    ulp_error,
    worst_ulp,
)

pytestmark = pytest.mark.as_shipped

WIDE = jnp.zeros(()).dtype
# The narrow formats have their turn in the other pass.
NARROW = () if WIDE.itemsize == 8 else (jnp.float16, jnp.bfloat16)
FORMATS = sorted({jnp.dtype(d) for d in (*NARROW, jnp.float32, WIDE)}, key=str)


def curves(loss):
    """The loss and its first two derivatives in the score, each for a batch."""
    slope = jax.grad(loss)
    return [jax.jit(jax.vmap(f)) for f in (loss, slope, jax.grad(slope))]


LOG_LOSS = curves(losses.log_loss)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("label", [0, 1])
def test_log_loss_its_slope_and_curvature_are_right_to_the_last_bits(label, dtype):
    z = grid(dtype, num_mantissas=2)
    exact = [log_loss_curve(float(one), label) for one in z]
    for order, f in enumerate(LOG_LOSS):
        found = f(jnp.asarray(z), jnp.full(z.shape, label))
        assert found.dtype == dtype
        bound = (2.5, 2.5, 4)[order] if dtype.itemsize >= 4 else 0.51
        assert worst_ulp(found, [one[order] for one in exact], dtype)[0] <= bound


@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
    st.floats(0, 1, width=32, allow_subnormal=False),
)
def test_a_label_may_be_a_probability(z, y):
    value, slope, curvature = log_loss_curve(z, y)
    found = [f(jnp.full(1, z, WIDE), jnp.full(1, y, WIDE))[0] for f in LOG_LOSS]
    assert ulp_error(found[0], value, WIDE) <= 4
    assert ulp_error(found[2], curvature, WIDE) <= 4
    # Where σ(z) is near y the slope is a true difference: a bit of exp(z) is lost, and so
    # the error is counted in ulps of the larger of its two terms.
    p = float(slope) + y
    term = max(p * (1 - y), y * (1 - p), abs(float(slope)), float(jnp.finfo(WIDE).tiny))
    assert abs(float(found[1]) - float(slope)) <= 4 * float(jnp.finfo(WIDE).eps) * term


@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [
        (np.inf, 1, 0, 0),
        (np.inf, 0, np.inf, 1),
        (-np.inf, 0, 0, 0),
        (-np.inf, 1, np.inf, -1),
        (np.inf, 0.5, np.inf, 0.5),
        (-np.inf, 0.5, np.inf, -0.5),
        (np.nan, 1, np.nan, np.nan),
    ],
)
def test_an_infinite_logit_gives_the_limit(z, y, value, slope):
    found = [f(jnp.full(1, z), jnp.full(1, y, WIDE))[0] for f in LOG_LOSS]
    np.testing.assert_array_equal(found, [value, slope, np.nan if np.isnan(z) else 0])
    _, forward = jax.jvp(lambda z: losses.log_loss(z, jnp.asarray(y)), (jnp.asarray(z),), (1.0,))
    np.testing.assert_array_equal(forward, slope)


def test_log_loss_has_the_derivatives_in_the_label_too():
    @jax.jit
    def derivatives(z, y):
        return jax.grad(losses.log_loss, 1)(z, y), jax.hessian(losses.log_loss, (0, 1))(z, y)

    slope, hessian = derivatives(jnp.asarray(1.5), jnp.asarray(0.25))
    assert float(slope) == -1.5
    np.testing.assert_allclose(hessian[0][1], -1)
    np.testing.assert_allclose(hessian[1][0], -1)
    np.testing.assert_allclose(hessian[1][1], 0)


def labelled(dtype):
    """log_loss in every format, and a cross-entropy, of labels in one dtype."""
    z = [jnp.asarray(0.75, wide) for wide in FORMATS]
    return of_labels(z, jnp.array([0.5, -1.0]), jnp.asarray(1, dtype), jnp.asarray([0, 1], dtype))


@jax.jit
def of_labels(z, logits, label, pair):
    return [losses.log_loss(one, label) for one in z], losses.softmax_cross_entropy(logits, pair)


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.uint8, jnp.bool_, jnp.float16, jnp.float32])
def test_a_label_of_any_dtype_is_cast_to_the_logits(dtype):
    found, picked = labelled(dtype)
    assert [one.dtype for one in found] == FORMATS
    for i, wide in enumerate(FORMATS):
        chex.assert_trees_all_equal(found[i], labelled(wide)[0][i])
    chex.assert_trees_all_equal(picked, labelled(WIDE)[1])


@pytest.mark.parametrize(
    ("p", "y", "value", "slope"),
    [(0, 0, 0, 1), (1, 1, 0, -1), (0, 1, np.inf, -np.inf), (1, 0, np.inf, np.inf)],
)
def test_the_lectures_table_of_corners(p, y, value, slope):
    p, y = jnp.asarray(p, WIDE), jnp.asarray(y)
    assert float(losses.log_loss_from_probability(p, y)) == value
    assert float(jax.grad(losses.log_loss_from_probability)(p, y)) == slope
    assert float(jax.jit(jax.jacfwd(losses.log_loss_from_probability))(p, y)) == slope
    assert float(jax.jit(jax.hessian(losses.log_loss_from_probability))(p, y)) == abs(slope)


@given(
    st.floats(0, 1, width=32, allow_subnormal=False),
    st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32, allow_subnormal=False)),
)
def test_loss_slope_and_curvature_of_a_probability_are_right_to_the_last_bits(p, y):
    with mpmath.workprec(400):
        mp, my = mpmath.mpf(p), mpmath.mpf(y)
        parts = [(my, mp, -1), (1 - my, 1 - mp, 1)]
        parts = [(weight, q, sign) for weight, q, sign in parts if weight]
        if any(q == 0 for _, q, _ in parts):
            return  # the corners have their own test
        value = mpmath.fsum(-weight * mpmath.log(q) for weight, q, _ in parts)
        slope = mpmath.fsum(sign * weight / q for weight, q, sign in parts)
        curvature = mpmath.fsum(weight / q**2 for weight, q, _ in parts)
    found = [f(jnp.full(1, p, WIDE), jnp.full(1, y, WIDE))[0] for f in FROM_PROBABILITY]
    assert ulp_error(found[0], value, WIDE) <= 4
    assert ulp_error(found[1], slope, WIDE) <= 4
    assert ulp_error(found[2], curvature, WIDE) <= 4


FROM_PROBABILITY = curves(losses.log_loss_from_probability)


def test_log_loss_from_probability_has_the_derivatives_in_the_label_too():
    @jax.jit
    def derivatives(p, y):
        loss = losses.log_loss_from_probability
        return jax.grad(loss, 1)(p, y), jax.grad(jax.grad(loss), 1)(p, y)

    gradient, mixed = derivatives(jnp.asarray(0.25), jnp.asarray(0.5))
    np.testing.assert_allclose(gradient, np.log(3), rtol=1e-6)
    np.testing.assert_allclose(mixed, -16 / 3, rtol=1e-6)


@given(*[st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False)] * 2)
def test_squared_error_and_its_slope_are_right_to_the_last_bits(p, t):
    with mpmath.workprec(400):
        gap = mpmath.mpf(p) - mpmath.mpf(t)
        exact = gap**2, 2 * gap, mpmath.mpf(2)
    for f, want in zip(SQUARED_ERROR, exact, strict=True):
        assert ulp_error(f(jnp.full(1, p, WIDE), jnp.full(1, t, WIDE))[0], want, WIDE) <= 2


SQUARED_ERROR = curves(losses.squared_error)


def test_the_slope_of_a_squared_error_survives_a_difference_below_the_smallest_number():
    tiny = float(jnp.finfo(WIDE).tiny)
    slope = jax.grad(losses.squared_error)(jnp.asarray(1.75 * tiny), jnp.asarray(1.0 * tiny))
    assert float(slope) == 1.5 * tiny
    assert float(jax.grad(losses.squared_error, 1)(jnp.asarray(3.0), jnp.asarray(1.0))) == -4


def test_a_squared_error_of_the_largest_numbers_has_a_slope():
    largest = jnp.asarray([1.0, -1.0], WIDE) * jnp.finfo(WIDE).max
    assert jax.vmap(jax.grad(losses.squared_error))(largest, largest).tolist() == [0, 0]


def test_the_curvature_of_a_squared_error_in_both_arguments():
    both = jax.hessian(losses.squared_error, (0, 1))(jnp.asarray(3.0), jnp.asarray(1.0))
    np.testing.assert_array_equal(both, [[2, -2], [-2, 2]])


def multiclass_problems(num_classes, seed=0, num_rows=12):
    rng = np.random.default_rng(seed)
    shape = (num_rows, num_classes)
    ahead = rng.normal(size=shape)
    ahead[:, 0] += rng.uniform(0, 88, num_rows)
    spread = [rng.normal(size=shape) * scale for scale in (1e-4, 1, 10, 100, 1e4)]
    z = np.concatenate([ahead, np.round(rng.normal(size=shape)), *spread])
    label = np.where(
        rng.random(len(z)) < 0.5, z.argmax(axis=1), rng.integers(0, num_classes, len(z))
    )
    return z, label.astype(np.int32)


CROSS_ENTROPY = [
    jax.jit(jax.vmap(f))
    for f in (
        losses.softmax_cross_entropy,
        jax.grad(losses.softmax_cross_entropy),
        jax.hessian(losses.softmax_cross_entropy),
    )
]


@functools.cache
def cross_entropies(num_classes, dtype):
    """Scores and labels, and mpmath's value, gradient and Hessian of each row."""
    z, label = multiclass_problems(num_classes)
    z = z.astype(dtype)
    value, gradient, hessian = [], [], []
    with mpmath.workprec(1_400):
        for row, y in zip(z, label, strict=True):
            p = softmax_row([float(one) for one in row])
            value.append(-mpmath.log(p[y]))
            gradient += [
                -mpmath.fsum(p[:y] + p[y + 1 :]) if k == y else p[k] for k in range(len(p))
            ]
            for k in range(len(p)):
                others = mpmath.fsum(p[:k] + p[k + 1 :])
                hessian += [p[k] * others if j == k else -p[k] * p[j] for j in range(len(p))]
    return z, label, (value, gradient, hessian)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("num_classes", [1, 2, 16])
@pytest.mark.parametrize("form", ["class", "distribution"])
def test_every_component_of_cross_entropy_and_its_gradient_has_its_own_last_bits(
    form, num_classes, dtype
):
    z, label, answers = cross_entropies(num_classes, dtype)
    given = label if form == "class" else np.eye(num_classes)[label].astype(dtype)
    bound = 8 if dtype.itemsize >= 4 else 0.51
    for f, exact in zip(CROSS_ENTROPY, answers, strict=True):
        if dtype.itemsize < 4 and exact is answers[2]:
            continue  # the gradient's own rounding to 16 bits comes first
        found = f(jnp.asarray(z), jnp.asarray(given))
        assert found.dtype == dtype
        assert worst_ulp(found, exact, dtype)[0] <= bound


@jax.jit
@jax.vmap
def spread_label(z, q):
    """Gradients of cross-entropy in the scores and in the label, their Hessians, optax's value."""
    loss = losses.softmax_cross_entropy
    in_scores, in_label = jax.grad(loss, (0, 1))(z, q)
    hessian, mixed = jax.jacfwd(jax.grad(loss), (0, 1))(z, q)
    with jax.numpy_dtype_promotion("standard"):
        theirs = optax.softmax_cross_entropy(z, q)
    return loss(z, q), in_scores, hessian, in_label, mixed, theirs


def test_a_spread_label_pulls_towards_itself():
    z = multiclass_problems(5)[0][:40].astype(WIDE)
    q = np.random.default_rng(1).normal(size=z.shape) * 3
    q = (np.exp(q) / np.exp(q).sum(1, keepdims=True)).astype(WIDE)
    value, gradient, hessian, in_label, mixed, theirs = spread_label(z, q)
    p = np.array([[float(one) for one in softmax_row([float(v) for v in row])] for row in z])
    eps = 20 * float(jnp.finfo(WIDE).eps)
    exact = p * np.asarray(q, float).sum(1, keepdims=True) - np.asarray(q, float)
    np.testing.assert_allclose(gradient, exact, rtol=eps, atol=eps)
    outer = np.einsum("ni,ij->nij", p, np.eye(5)) - np.einsum("ni,nj->nij", p, p)
    np.testing.assert_allclose(hessian, outer, rtol=eps, atol=eps)
    np.testing.assert_allclose(value, theirs, rtol=1e-5)
    np.testing.assert_allclose(in_label, -np.log(p), rtol=eps, atol=eps)
    expected = np.broadcast_to(p[:, :, None], mixed.shape) - np.eye(5)
    np.testing.assert_allclose(mixed, expected, rtol=eps, atol=eps)


def test_an_impossible_class_costs_nothing_to_a_label_without_it():
    logits = jnp.array([0.0, -jnp.inf, 0.0])
    label = jnp.array([0.5, 0.0, 0.5])
    np.testing.assert_allclose(losses.softmax_cross_entropy(logits, label), np.log(2), rtol=1e-6)
    gradient = jax.grad(losses.softmax_cross_entropy)(logits, label)
    np.testing.assert_allclose(gradient, [0, 0, 0], atol=1e-6)
    forward = jax.jit(jax.jacfwd(losses.softmax_cross_entropy))(logits, label)
    np.testing.assert_allclose(forward, [0, 0, 0], atol=1e-6)
    assert float(losses.softmax_cross_entropy(logits, jnp.asarray(1))) == np.inf


@pytest.mark.parametrize("num_classes", [3, 100])
def test_a_traced_class_that_is_none_makes_the_loss_nan(num_classes):
    loss = jax.jit(losses.softmax_cross_entropy)
    for label in (-1, num_classes):
        assert np.isnan(loss(jnp.zeros(num_classes), jnp.asarray(label)))
    assert np.isfinite(loss(jnp.zeros(num_classes), jnp.asarray(num_classes - 1)))
    for label in (0, num_classes - 1):  # known at the door
        value = losses.softmax_cross_entropy(jnp.zeros(num_classes), label)
        np.testing.assert_allclose(value, np.log(num_classes), rtol=1e-5)


@pytest.mark.parametrize("num_classes", [5, 64])  # 64 is the widest row that keeps every last bit
def test_a_label_that_is_nearly_one_class_keeps_the_last_bits(num_classes):
    ahead, small = 30, 2.0**-30
    logits = jnp.zeros(num_classes, WIDE).at[1].set(ahead)
    with mpmath.workdps(60):
        p, q = 1 / (mpmath.exp(ahead) + num_classes - 1), mpmath.mpf(small)
        rest_p, rest_q = (num_classes - 1) * p, (num_classes - 1) * q
        own = [-rest_p, -mpmath.log(1 - rest_p)]
        spread = [(1 - rest_p) * rest_q - rest_p, own[1] - rest_q * mpmath.log(p)]
        other = p * (1 + rest_q - q) - q * (1 - p)
    eps = float(jnp.finfo(WIDE).eps)
    program = jax.jit(jax.value_and_grad(losses.softmax_cross_entropy))
    value, gradient = program(logits, jnp.asarray(1))
    np.testing.assert_allclose([gradient[1], value], np.array(own, float), rtol=8 * eps)
    value, gradient = program(logits, jnp.full(num_classes, small, WIDE).at[1].set(1))
    # One product and one sum more on each side.
    np.testing.assert_allclose([gradient[1], value], np.array(spread, float), rtol=16 * eps)
    np.testing.assert_allclose(gradient[0], float(other), rtol=16 * eps)


@pytest.mark.parametrize("num_classes", [3, 100])
def test_an_infinite_score_settles_the_loss(num_classes):
    program = jax.jit(jax.value_and_grad(losses.softmax_cross_entropy))
    first, second = np.eye(num_classes)[:2]
    certain = jnp.zeros(num_classes).at[0].set(jnp.inf)
    for label, value, gradient in (0, 0, 0 * first), (1, np.inf, first - second):
        found = program(certain, jnp.asarray(label))
        np.testing.assert_array_equal(found[0], value)
        np.testing.assert_array_equal(found[1], gradient)
    assert np.isnan(program(jnp.full(num_classes, -jnp.inf), jnp.asarray(0))[0])
    far = jnp.full(num_classes, -50.0).at[0].set(-20)
    np.testing.assert_allclose(program(far, jnp.asarray(0))[1], 0 * first, atol=1e-6)


def test_a_hundred_classes_agree_with_optax():
    rng = np.random.default_rng(2)
    z = jnp.asarray(rng.normal(size=(30, 100)) * 5, WIDE)
    label = rng.integers(0, 100, 30)

    @jax.jit
    def both(z, label, one_hot):
        ours = jax.vmap(jax.value_and_grad(losses.softmax_cross_entropy))
        theirs = jax.vmap(jax.value_and_grad(optax.softmax_cross_entropy_with_integer_labels))
        with jax.numpy_dtype_promotion("standard"):
            return ours(z, label), ours(z, one_hot), theirs(z, label)

    by_class, by_distribution, theirs = both(z, jnp.asarray(label), np.eye(100, dtype=WIDE)[label])
    chex.assert_trees_all_close(by_class, theirs, rtol=1e-5, atol=1e-6)
    chex.assert_trees_all_close(by_distribution, theirs, rtol=1e-5, atol=1e-6)


def test_the_mean_of_log_losses_is_scikit_learns():
    rng = np.random.default_rng(3)
    z, y, s = rng.normal(size=50), rng.integers(0, 2, 50), rng.random(50)
    batch = Batch(jnp.asarray(z, WIDE), jnp.asarray(y), jnp.asarray(s, WIDE))
    objective = losses.risk(lambda params, x: params * x, losses.log_loss)
    theirs = sklearn_log_loss(y, 1 / (1 + np.exp(-z)), sample_weight=s)
    np.testing.assert_allclose(objective(jnp.ones(()), batch), theirs, rtol=1e-5)


def problem():
    rng = np.random.default_rng(4)
    params = {"w": jnp.asarray(rng.normal(size=(3, 2)), WIDE), "b": jnp.ones(2)}
    params["w"] = params["w"].at[0, 0].set(0)
    x = jnp.asarray(rng.normal(size=(8, 3)), WIDE)
    return params, Batch(x, jnp.arange(8) % 2, jnp.asarray(rng.random(8), WIDE))


@pytest.mark.parametrize("traced", [False, True])
def test_risk_is_the_design_papers_formula(traced):
    params, batch = problem()
    w, b, x, s = (np.asarray(a, float) for a in (params["w"], params["b"], batch.x, batch.weights))
    z = x @ w + b
    loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(8), np.asarray(batch.labels)]
    exact = (s * loss).sum() / s.sum() + 0.3 * (w**2).sum() / 2 + 0.7 * abs(w).sum()

    def value(params, l2, l1):
        risk = losses.risk(models.linear, losses.softmax_cross_entropy, l2=l2, l1=l1)
        return risk(params, batch)

    # Numbers that aren't traced are Python's, as in a risk made outside of any program.
    static = () if traced else (1, 2)
    compiled = jax.jit(value, static_argnums=static)
    np.testing.assert_allclose(compiled(params, 0.3, 0.7), exact, rtol=1e-5)
    slope = jax.jit(jax.grad(value), static_argnums=static)
    flat = slope(params, 0.0, 0.7)["w"] - slope(params, 0.0, 0.0)["w"]
    np.testing.assert_allclose(flat, 0.7 * np.sign(w), atol=1e-5)  # sign(0) = 0 at the zero weight


def test_a_penalty_is_of_every_leaf_but_the_intercepts():
    params = [{"w": jnp.array([3.0, -4.0]), "b": jnp.array(9.0)}, {"w": jnp.array([[2.0]])}]
    assert float(losses.l2_penalty(params)) == 14.5
    assert float(losses.l1_penalty(params)) == 9
    assert float(losses.l2_penalty(jnp.array([3.0, 4.0]))) == 12.5


def test_weights_that_sum_to_zero_say_nothing():
    params, batch = problem()
    silent = batch._replace(weights=jnp.zeros(8))
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)
    value, grads = jax.jit(jax.value_and_grad(risk))(params, silent)
    assert float(value) == 0
    chex.assert_trees_all_equal(grads, jax.tree.map(jnp.zeros_like, params))


def test_no_weights_are_equal_weights():
    params, batch = problem()
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)
    for equal in (3, 2.0**-10):
        ones = batch._replace(weights=jnp.full(8, equal))
        np.testing.assert_allclose(
            risk(params, batch._replace(weights=None)), risk(params, ones), rtol=1e-6
        )


@pytest.mark.once
@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_a_risk_of_many_narrow_rows_is_summed_in_float32(dtype):
    rng = np.random.default_rng(5)
    x = jnp.asarray(rng.normal(size=(100_000, 2)), dtype)
    labels = rng.integers(0, 2, 100_000)
    params = {"w": jnp.array([0.5, -300], dtype), "b": jnp.zeros((), dtype)}
    batch = Batch(x, labels, np.full(100_000, 4.0))
    risk = losses.risk(models.linear, losses.log_loss, l2=1e-3)
    value, grads = jax.jit(jax.value_and_grad(risk))(params, batch)
    wide, w = np.asarray(x, np.float64), np.asarray(params["w"], np.float64)
    z = wide @ w
    loss = np.mean(np.logaddexp(0, np.where(labels == 1, -z, z))) + 5e-4 * w @ w
    slope = wide.T @ (scipy.special.expit(z) - labels) / 100_000 + 1e-3 * w
    assert value.dtype == dtype
    eps = float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(np.float64(value), loss, rtol=4 * eps)
    np.testing.assert_allclose(np.asarray(grads["w"], np.float64), slope, rtol=4 * eps, atol=eps)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: losses.log_loss(jnp.array(1), 1),
            TypeError,
            r"logit must be floating point, and is int\d+ of shape \(\): cast it first",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(3), 1),
            ValueError,
            r"logit must be a scalar \[\], .* has shape \(3,\): jax.vmap the loss",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(()), jnp.ones(2)),
            ValueError,
            r"label must be a scalar \[\], .* has shape \(2,\)",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(()), 1j),
            TypeError,
            r"label must be real, and is complex\d+ of shape \(\)",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(()), 2),
            ValueError,
            "label must lie between 0 and 1, and is 2",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(()), jnp.array(-0.5)),
            ValueError,
            "label must lie between 0 and 1, and is -0.5",
        ),
        (
            lambda: losses.log_loss(jnp.zeros(()), np.nan),
            ValueError,
            "label must lie between 0 and 1, and is nan",
        ),
        (
            lambda: losses.log_loss_from_probability(jnp.array(1.5), 1),
            ValueError,
            "p must lie between 0 and 1, and is 1.5",
        ),
        (
            lambda: losses.log_loss_from_probability(jnp.array(0.5), -1),
            ValueError,
            "label must lie between 0 and 1, and is -1",
        ),
        (
            lambda: losses.log_loss_from_probability(jnp.array(1), 1),
            TypeError,
            "p must be floating point",
        ),
        (
            lambda: losses.squared_error(jnp.zeros(2), 1.0),
            ValueError,
            r"prediction must be a scalar",
        ),
        (
            lambda: losses.squared_error(jnp.zeros(()), jnp.zeros(2)),
            ValueError,
            r"target must be a scalar",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.arange(3), 1),
            TypeError,
            "logits must be floating point",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros((2, 3)), 1),
            ValueError,
            r"logits must hold the C scores of one example \[C\], and has shape \(2, 3\): jax.vmap",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(()), 1),
            ValueError,
            r"logits must hold the C scores",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), 3),
            ValueError,
            "label must be a class from 0 to 2, the logits' last, and is 3",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), jnp.array(-1)),
            ValueError,
            "label must be a class from 0 to 2, the logits' last, and is -1",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), 1.0),
            TypeError,
            r"label must be an integer class \[\] or a distribution \[C\], and is float",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), jnp.ones(2) / 2),
            ValueError,
            r"label must be a class \[\] or one probability for each of the 3 logits,"
            r" and has shape \(2,\)",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), jnp.ones(3)),
            ValueError,
            "label must sum to 1, and sums to 3",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(3), jnp.array([1, 1, 0])),
            ValueError,
            "label must sum to 1, and sums to 2",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(2), jnp.array([0.5, 0.501])),
            ValueError,
            "label must sum to 1, and sums to 1.0",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(2), jnp.array([0.5, 0.25])),
            ValueError,
            "label must sum to 1, and sums to 0.75",
        ),
        (
            lambda: losses.softmax_cross_entropy(jnp.zeros(2), jnp.array([1.5, -0.5])),
            ValueError,
            "label must lie between 0 and 1",
        ),
        (
            lambda: losses.risk(models.linear, losses.log_loss)({}, np.zeros((2, 1)), np.zeros(2)),
            TypeError,
            r"batch must be a jaxlr\.Batch, and is a tuple: give jaxlr\.Batch\(x, labels\)",
        ),
        (
            lambda: losses.risk(models.linear, losses.log_loss)({}, Batch(1.0, 1)),
            ValueError,
            r"x must be \[B, D\], the rows of a batch, and is the number 1.0",
        ),
        (
            lambda: losses.risk(models.linear, losses.log_loss, l2=-1.0),
            ValueError,
            "l2 must be at least 0, and is -1.0",
        ),
        (
            lambda: losses.risk(models.linear, losses.log_loss, l1=np.nan),
            ValueError,
            "l1 must be at least 0, and is nan",
        ),
    ],
)
def test_a_callers_mistake_is_named_at_the_door(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_doors_stand_inside_jit_and_vmap_too():
    with pytest.raises(TypeError, match="logit must be floating point"):
        jax.jit(losses.log_loss)(jnp.array(1), 1)
    with pytest.raises(ValueError, match="logit must be a scalar"):
        jax.vmap(losses.log_loss)(jnp.zeros((2, 2)), jnp.ones(2))


def test_labels_and_weights_must_have_the_rows_of_x():
    params, batch = problem()
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)
    with pytest.raises(ValueError, match=r"labels must have one entry for each of the 8 rows of x"):
        risk(params, batch._replace(labels=jnp.zeros(7, jnp.int32)))
    with pytest.raises(ValueError, match=r"weights must be \[B\] = \[8\], one for each row of x"):
        risk(params, batch._replace(weights=jnp.ones((8, 1))))


def test_checks_leave_no_trace_in_the_program():
    program = jax.make_jaxpr(losses.log_loss)(jnp.zeros(()), jnp.ones(()))
    assert not {"debug_callback", "pure_callback", "check"} & {
        str(equation.primitive) for equation in program.eqns
    }


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_a_penalty_that_is_the_number_zero_leaves_the_program(penalty):
    params, batch = problem()

    def size(value):
        risk = losses.risk(models.linear, losses.softmax_cross_entropy, **{penalty: value})
        return len(jax.make_jaxpr(risk)(params, batch).eqns)

    assert size(0) == size(0.0) < size(0.5)


def test_the_labels_of_a_risk_may_be_distributions():
    params, batch = problem()
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)
    spread = batch._replace(labels=jax.nn.one_hot(batch.labels, 2, dtype=WIDE))
    np.testing.assert_allclose(risk(params, spread), risk(params, batch), rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "score", "label"),
    [
        (losses.log_loss, 1.5, 0.25),
        (losses.log_loss_from_probability, 0.75, 0.25),
        (losses.squared_error, 1.5, 0.25),
        (losses.softmax_cross_entropy, [1.5, -1.0, 0.5], [0.25, 0.25, 0.5]),
    ],
)
def test_forward_mode_is_reverse_mode_in_score_and_label(loss, score, label):
    given = jnp.asarray(score, WIDE), jnp.asarray(label, WIDE)
    tangents = jax.tree.map(lambda leaf: jnp.cos(3 * leaf), given)
    _, forward = jax.jit(functools.partial(jax.jvp, loss))(given, tangents)
    grads = jax.jit(jax.grad(loss, (0, 1)))(*given)
    along = sum(float(jnp.vdot(g, t)) for g, t in zip(grads, tangents, strict=True))
    np.testing.assert_allclose(forward, along, rtol=1e-5)  # sums of up to six products
