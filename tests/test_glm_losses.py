"""A declared loss is its function: values and derivatives, recognition, lanes."""

from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxlr import glm, losses, paths
from jaxlr.glm.losses import recognised
from jaxlr.pytypes import Batch

LOGITS = np.array([-800.0, -40.0, -3.5, -1e-9, 0.0, 1e-9, 0.7, 38.0, 800.0])


def _softplus(z):
    return mpmath.log(1 + mpmath.exp(z))


@pytest.mark.parametrize("label", [0.0, 1.0, 0.3])
def test_log_loss_has_every_digit_of_confident_rows(label):
    with mpmath.workdps(800), jax.enable_x64(True):
        declared = glm.loss(losses.log_loss)
        z, y = jnp.asarray(LOGITS)[None], jnp.full(len(LOGITS), label)
        found = declared.value(z, y), declared.gradient(z, y)[0], declared.factors(z, y)[0]
        exact = np.zeros((3, len(LOGITS)))
        for i, logit in enumerate(map(mpmath.mpf, LOGITS)):
            p, q = 1 / (1 + mpmath.exp(-logit)), 1 / (1 + mpmath.exp(logit))
            one, two = mpmath.mpf(label), 1 - mpmath.mpf(label)
            exact[0, i] = one * _softplus(-logit) + two * _softplus(logit)
            exact[1, i], exact[2, i] = two * p - one * q, p * q
        np.testing.assert_allclose(np.stack(found), exact, rtol=1e-14, atol=1e-307)


@pytest.mark.parametrize(
    ("function", "num_classes"),
    [
        (losses.log_loss, None),
        (losses.squared_error, None),
        (losses.softmax_cross_entropy, 4),
        (lambda z, y: jnp.cosh(z - y), None),
        (lambda z, y: jnp.sum(jnp.cosh(z)) - z[y] + 1, 4),
    ],
)
def test_derivatives_are_those_of_the_function_on_any_lane(function, num_classes):
    rng = np.random.default_rng(0)
    shape = (num_classes or 1, 6)
    with jax.enable_x64(True):
        z, v = (jnp.asarray(rng.normal(size=(2, 3, *shape))) for _ in range(2))
        y = jnp.asarray(rng.integers(num_classes or 2, size=(2, 3, 6)))
        y = y if num_classes else y.astype(float)
        declared = glm.loss(function, num_classes)

        def lane(z, y, v):
            factors = declared.factors(z, y)
            second = declared.diagonal(factors), declared.hessian_product(factors, v)
            return declared.value(z, y), declared.gradient(z, y), *second

        value, gradient, diagonal, product = jax.vmap(jax.vmap(lane))(z, y, v)

        def plain(row, label):
            return function(row if num_classes else row[0], label)

        for at in np.ndindex(2, 3, 6):
            row, label, along = z[at[:2]][:, at[2]], y[at], v[at[:2]][:, at[2]]
            hessian = jax.hessian(plain)(row, label)
            for found, exact in [
                (value[at], plain(row, label)),
                (gradient[at[:2]][:, at[2]], jax.grad(plain)(row, label)),
                (diagonal[at[:2]][:, at[2]], jnp.diagonal(hessian)),
                (product[at[:2]][:, at[2]], hessian @ along),
            ]:
                np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["log_loss", "squared_error", "softmax_cross_entropy"])
def test_a_jit_a_partial_and_a_wrapper_are_recognised(name):
    function = getattr(losses, name)
    for other in (jax.jit(function), partial(function), lambda z, y: function(z, y)):
        assert recognised(other) is function
    for other in (lambda z, y: 2 * function(z, y), lambda z, y: function(z, 1 - y)):
        assert recognised(other) is other


def test_a_wrapper_keeps_its_bound_and_its_separable_labels():
    x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    batch = Batch(x, np.array([0, 0, 1, 1]))
    wrapped = paths.fit(batch, [1e-3, 0.0], loss=jax.jit(losses.log_loss))
    plain = paths.fit(batch, [1e-3, 0.0], loss=losses.log_loss)
    assert list(wrapped.status) == [paths.Status.certified, paths.Status.separable]
    np.testing.assert_array_equal(wrapped.gap, plain.gap)


def test_a_declared_loss_is_a_loss_of_a_path():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3))
    batch = Batch(x, rng.poisson(np.exp(x[:, 0] / 2)).astype(float))

    def poisson(z, y):  # at least 0: against the saturated model
        return jnp.exp(z) - y * z + jax.scipy.special.xlogy(y, y) - y

    ours = paths.fit(batch, [0.1], loss=glm.loss(poisson))
    from sklearn.linear_model import PoissonRegressor

    theirs = PoissonRegressor(alpha=0.1, tol=1e-12, max_iter=10_000).fit(x, batch.labels)
    assert ours.status[0] in (paths.Status.certified, paths.Status.solved)
    np.testing.assert_allclose(ours.params["w"][0], theirs.coef_, atol=1e-4)
