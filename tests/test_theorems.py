"""What must hold of every softmax, loss and risk, whatever the numbers: theorems as properties.

The shapes are fixed and the numbers drawn, so that each theorem runs one compiled program.
"""

from itertools import pairwise

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression, Ridge

from jaxlr import Batch, activations, losses, models

pytestmark = pytest.mark.once

WIDE = jnp.zeros(()).dtype
EPS, TINY = float(jnp.finfo(WIDE).eps), float(jnp.finfo(WIDE).tiny)
LANES, ROWS, FEATURES, CLASSES = 4, 4, 2, 3
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False)
SMALL = st.floats(-2, 2, width=32, allow_subnormal=False)
EIGHTHS = st.integers(-8_000, 8_000).map(lambda k: k / 8)  # sums of two are exact in float32
SHARES = st.integers(0, 64).map(lambda k: k / 64)  # and so is 1 - y

SOFTMAX, LOG_SOFTMAX, SIGMOID = (
    jax.jit(f) for f in (activations.softmax, activations.log_softmax, activations.sigmoid)
)
LOG_LOSS, FROM_PROBABILITY, CROSS_ENTROPY, SQUARED_ERROR = (
    jax.jit(jax.vmap(jax.value_and_grad(loss)))
    for loss in (
        losses.log_loss,
        losses.log_loss_from_probability,
        losses.softmax_cross_entropy,
        losses.squared_error,
    )
)


def drawn(elements, *shape):
    """Arrays of the widest float."""
    return arrays(np.float64, shape, elements=elements).map(lambda a: jnp.asarray(a, WIDE))


def assert_within_ulps(found, expected, ulps):
    """Where the answer may be below the smallest normal number XLA flushes it to zero."""
    chex.assert_trees_all_close(found, expected, rtol=ulps * EPS, atol=TINY)


# Softmax and log_softmax keep every component within 8 ulps of its exact value, and both
# sides have the same exact value: 16. The logistic side is within 2.5: 8 + 2.5 < 11.


@given(drawn(EIGHTHS, LANES, CLASSES), EIGHTHS)
def test_softmax_does_not_feel_a_shift(logits, shift):
    moved = logits + shift
    assert_within_ulps(SOFTMAX(moved), SOFTMAX(logits), 16)
    assert_within_ulps(LOG_SOFTMAX(moved), LOG_SOFTMAX(logits), 16)
    label = jnp.arange(LANES) % CLASSES
    assert_within_ulps(CROSS_ENTROPY(moved, label), CROSS_ENTROPY(logits, label), 16)


@given(drawn(FINITE, LANES))
def test_a_softmax_of_two_classes_is_the_logistic(z):
    pair = jnp.stack([jnp.zeros_like(z), z], axis=1)
    p = SIGMOID(z)
    assert_within_ulps(SOFTMAX(pair), jnp.stack([SIGMOID(-z), p], axis=1), 11)
    for label in (0, 1):
        labels = jnp.full(LANES, label)
        value, slope = LOG_LOSS(z, labels)
        by_softmax, slopes = CROSS_ENTROPY(pair, labels)
        assert_within_ulps(by_softmax, value, 11)
        assert_within_ulps(slopes, jnp.stack([-slope, slope], axis=1), 11)


@given(arrays(np.float64, (LANES, CLASSES), elements=EIGHTHS), st.integers(-8, 8))
def test_entropy_grows_with_the_temperature(logits, power):
    def softmax_and_entropy(temperature):
        z = jnp.asarray(logits / temperature, WIDE)  # powers of two: only H itself is rounded
        p = np.asarray(SOFTMAX(z))
        return p, -(p * np.asarray(LOG_SOFTMAX(z))).sum(axis=1)

    temperatures = 2.0**-40, 2.0**power, 2.0 ** (power + 2), 2.0**60
    shares, entropies = zip(*map(softmax_and_entropy, temperatures), strict=True)
    for colder, hotter in pairwise(entropies):
        assert np.all(colder <= hotter + 32 * EPS)  # of three products and two sums near 1
    top = logits == logits.max(axis=1, keepdims=True)
    np.testing.assert_allclose(shares[0], top / top.sum(axis=1, keepdims=True), rtol=16 * EPS)
    np.testing.assert_allclose(entropies[-1], np.log(CLASSES), rtol=16 * EPS)


@given(drawn(FINITE, LANES), drawn(SHARES, LANES))
def test_the_classes_of_a_log_loss_may_change_names_with_the_sign_of_the_logit(z, y):
    # The same operations on the same numbers: not a bit of difference is allowed. Only the
    # slope between two labels is a difference of two products, of at most 1, of which a
    # fused multiply-add rounds either the one or the other.
    for label, rounding in (jnp.ones_like(z), 0.0), (y, EPS):
        value, slope = LOG_LOSS(z, label)
        renamed, back = LOG_LOSS(-z, 1 - label)
        chex.assert_trees_all_equal(renamed, value)
        chex.assert_trees_all_close(back, -slope, rtol=0, atol=rounding)


@given(drawn(FINITE, LANES), drawn(SHARES, LANES))
def test_a_label_between_two_costs_what_lies_between(z, y):
    (one, _), (zero, _) = LOG_LOSS(z, jnp.ones_like(z)), LOG_LOSS(z, jnp.zeros_like(z))
    # Positive terms, each within 2.5 ulps and a product and a sum of its own: 5 on each side.
    mixed = jnp.where(y == 0, 0, y * one) + jnp.where(y == 1, 0, (1 - y) * zero)
    assert_within_ulps(LOG_LOSS(z, y)[0], mixed, 10)


@given(drawn(st.floats(750, 3e38), LANES))  # exp(-750) is 0 in float64 too
def test_to_be_certain_and_right_costs_nothing(z):
    certain = jnp.ones_like(z)
    zero = jnp.zeros_like(z)
    chex.assert_trees_all_equal(LOG_LOSS(z, certain)[0], LOG_LOSS(-z, zero)[0], zero)
    chex.assert_trees_all_equal(
        FROM_PROBABILITY(certain, certain)[0], FROM_PROBABILITY(zero, zero)[0], zero
    )
    logits = jnp.stack([zero, z, -z], axis=1)
    chex.assert_trees_all_equal(CROSS_ENTROPY(logits, jnp.ones(LANES, jnp.int32))[0], zero)
    chex.assert_trees_all_equal(SQUARED_ERROR(z, z), (zero, zero))


@given(drawn(SHARES, LANES), drawn(FINITE, LANES))
def test_a_coin_flip_costs_log_2_and_a_fair_die_the_log_of_its_faces(y, logit):
    # log 2 = -log p within the 2.5 ulps of a loss, and its two shares add a rounding each: 4.
    for value, _ in (LOG_LOSS(jnp.zeros_like(y), y), FROM_PROBABILITY(jnp.full(LANES, 0.5), y)):
        assert_within_ulps(value, jnp.full(LANES, np.log(2), WIDE), 4)
    faces = jnp.broadcast_to(logit[:, None], (LANES, CLASSES))
    value, _ = CROSS_ENTROPY(faces, jnp.arange(LANES) % CLASSES)
    assert_within_ulps(value, jnp.full(LANES, np.log(CLASSES), WIDE), 8)


CASES = {
    "squared_error": losses.squared_error,
    "log_loss": losses.log_loss,
    "softmax_cross_entropy": losses.softmax_cross_entropy,
}


def whole(loss):
    """(params, batch, l2, l1) -> the risk and its gradient; one program for all penalties."""
    return jax.jit(
        lambda params, batch, l2, l1: jax.value_and_grad(
            losses.risk(models.linear, loss, l2=l2, l1=l1)
        )(params, batch)
    )


RISKS = {name: whole(loss) for name, loss in CASES.items()}
each_risk = pytest.mark.parametrize("name", CASES)


@st.composite
def params_of(draw, name):
    outputs = (CLASSES,) if name == "softmax_cross_entropy" else ()
    return {"w": draw(drawn(SMALL, FEATURES, *outputs)), "b": draw(drawn(SMALL, *outputs))}


@st.composite
def batches(draw, name):
    """Every class is there; the weights are positive."""
    x, weights = draw(drawn(SMALL, ROWS, FEATURES)), 1 + draw(drawn(SHARES, ROWS))
    if name == "squared_error":
        return Batch(x, draw(drawn(SMALL, ROWS)), weights)
    classes = 2 if name == "log_loss" else CLASSES
    rest = draw(arrays(np.int32, ROWS - classes, elements=st.integers(0, classes - 1)))
    labels = np.concatenate([np.arange(classes, dtype=np.int32), rest])
    return Batch(x, jnp.asarray(labels), weights)


def size(params, batch):
    """What a term of the gradient may reach, with |x| and |y| up to 2: 2 (|z| + |y|) |x|."""
    z = np.abs(batch.x) @ np.abs(params["w"]) + np.abs(params["b"])
    return 4 * (2 + float(np.max(z)))


def assert_same_risk(one, other, params, batch):
    """Both are the same few terms, in another order: 2 · ROWS + 4 roundings of the largest."""
    roundings = (2 * ROWS + 4) * EPS
    chex.assert_trees_all_close(one[0], other[0], rtol=roundings)  # no term is negative
    chex.assert_trees_all_close(one[1], other[1], atol=roundings * size(params, batch))


@each_risk
@given(st.data(), SHARES)
def test_a_risk_lies_below_its_chords_and_above_its_tangents(name, data, t):
    batch = data.draw(batches(name))
    a, b = data.draw(params_of(name)), data.draw(params_of(name))
    middle = jax.tree.map(lambda a, b: (1 - t) * a + t * b, a, b)
    (at_a, slope_a), (at_b, slope_b), (between, _) = (
        RISKS[name](params, batch, 0.25, 0.125) for params in (a, b, middle)
    )
    # A score carries FEATURES + 1 roundings of `size`, the loss passes them on with a slope
    # of up to `size`, and the sum over the rows adds its own: far less than a bend would be.
    slack = (ROWS + 2 * FEATURES + 4) * EPS * max(size(a, batch), size(b, batch)) ** 2
    assert float(between) <= (1 - t) * float(at_a) + t * float(at_b) + slack
    ahead = jax.tree.map(jnp.subtract, b, a)
    rise_a, rise_b = (sum_of_products(slope, ahead) for slope in (slope_a, slope_b))
    assert float(at_b) - float(at_a) >= rise_a - slack
    assert rise_b >= rise_a - slack


def sum_of_products(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return sum(float(jnp.vdot(a, b)) for a, b in pairs)


@each_risk
@given(st.data(), st.permutations(range(ROWS)))
def test_a_weight_of_two_is_the_row_twice(name, data, order):
    params, batch = data.draw(params_of(name)), data.draw(batches(name))
    twice, once, absent = order[0], order[1:-1], order[-1]  # as many rows on both sides
    weights = jnp.ones(ROWS, WIDE).at[twice].set(2).at[absent].set(0)
    rows = np.array([twice, twice, *once])
    repeated = Batch(batch.x[rows], batch.labels[rows], jnp.ones(ROWS, WIDE))
    found = RISKS[name](params, batch._replace(weights=weights), 0.25, 0.125)
    assert_same_risk(found, RISKS[name](params, repeated, 0.25, 0.125), params, batch)


@each_risk
@given(st.data(), st.permutations(range(ROWS)))
def test_a_risk_has_no_order_of_its_rows(name, data, order):
    params, batch = data.draw(params_of(name)), data.draw(batches(name))
    shuffled = jax.tree.map(lambda leaf: leaf[np.array(order)], batch)
    found = RISKS[name](params, shuffled, 0.25, 0.125)
    assert_same_risk(found, RISKS[name](params, batch, 0.25, 0.125), params, batch)


@each_risk
@given(st.data())
def test_a_batch_and_its_copy_have_the_risk_of_the_batch(name, data):
    params, batch = data.draw(params_of(name)), data.draw(batches(name))
    doubled = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), batch)
    found = RISKS[name](params, doubled, 0.25, 0.125)
    assert_same_risk(found, RISKS[name](params, batch, 0.25, 0.125), params, batch)


@each_risk
@given(st.data(), st.sampled_from([0.125, 0.5, 2.0]))
def test_the_gradient_is_zero_at_the_optimum_that_scikit_learn_finds(name, data, l2):
    batch = data.draw(batches(name))
    params = optimum(name, batch, l2)
    _, slope = RISKS[name](jax.tree.map(lambda a: jnp.asarray(a, WIDE), params), batch, l2, 0.0)
    # The optimum is rounded to the format: (Hessian) · eps · |params|, the former up to 2 |x|²
    # with |x|² ≤ 4 (FEATURES + 1); scikit-learn itself stops at 1e-8.
    largest = max(float(np.max(np.abs(leaf))) for leaf in params.values())
    curvature = 8 * (FEATURES + 1) + l2
    slack = 1e-7 + EPS * (curvature * largest + (2 * ROWS + 4) * size(params, batch))
    zero = jax.tree.map(jnp.zeros_like, slope)
    chex.assert_trees_all_close(slope, zero, atol=slack)


def optimum(name, batch, l2):
    """scikit-learn sums where the risk averages, and has a square without its half."""
    x, y, s = (np.asarray(leaf, np.float64) for leaf in batch)
    if name == "squared_error":
        fit = Ridge(alpha=l2 / 2 * s.sum(), solver="cholesky").fit(x, y, sample_weight=s)
        return {"w": fit.coef_, "b": np.asarray(fit.intercept_)}
    fit = LogisticRegression(C=1 / (l2 * s.sum()), solver="newton-cholesky", tol=1e-8)
    fit.fit(x, y, sample_weight=s)
    if name == "log_loss":
        return {"w": fit.coef_[0], "b": fit.intercept_[0]}
    return {"w": fit.coef_.T, "b": fit.intercept_}
