"""Newton's decrement by conjugate gradients, beside numpy's own solution of the same system."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import losses
from jaxlr.certificates import conjugate
from jaxlr.certificates.decrements import Point
from jaxlr.certificates.duality import unit
from jaxlr.glm.intercepts import intercept_hessian, pseudo_inverse
from jaxlr.glm.losses import loss as family
from jaxlr.glm.problem import narrowed

pytestmark = pytest.mark.float64_pass

ROWS, FEATURES, LANES = 60, 7, 6
LAMBDAS = np.logspace(-1, -8, LANES)
SOLVED = 1e-6  # what rounding may do to the truth itself, whose Hessians are next to singular


def point_and_truth(num_classes, seed):
    """A point on rows of which two columns are next to alike, its ν² [L] and H⁻¹ by numpy."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, FEATURES)) * 10.0 ** rng.uniform(-1, 1, FEATURES)
    x[:, 1] = x[:, 0] + 1e-5 * x[:, 1]
    x = np.concatenate([x, np.ones((ROWS, 1))], axis=1)
    num_outputs = num_classes or 1
    z = 2 * rng.normal(size=(LANES, num_outputs, ROWS))
    weights = np.full((LANES, ROWS), 1 / ROWS)
    labels = rng.integers(0, num_classes or 2, size=(LANES, ROWS))
    grad = rng.normal(size=(LANES, num_outputs, FEATURES + 1))
    grad[..., -1] = 0
    grad -= grad.mean(axis=1, keepdims=True) if num_classes else 0
    if num_classes:
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        curved = np.einsum("lcn,cd->lcdn", p, np.eye(num_classes)) - p[:, :, None] * p[:, None]
        bend = p
    else:
        bend = 1 / (2 + 2 * np.cosh(z))
        curved = bend[:, :, None]
    hessian = np.einsum("lcdn,ln,np,nq->lcpdq", curved, weights, x, x)
    size = num_outputs * (FEATURES + 1)
    hessian = hessian.reshape(LANES, size, size)
    penalised = np.tile(np.arange(FEATURES + 1) < FEATURES, num_outputs)
    hessian += LAMBDAS[:, None, None] * np.diag(penalised.astype(float))
    if num_classes:  # what moves all intercepts alike is flat, and the gradient has no part in it
        flat = (~penalised).astype(float)
        hessian += np.outer(flat, flat)
    flat_grad = grad.reshape(LANES, size)
    truth = [g @ np.linalg.solve(h, g) for h, g in zip(hessian, flat_grad, strict=True)]
    point = Point(x, x.T.copy(), labels, weights, bend, grad, np.ones_like(grad), LAMBDAS)
    return point, np.array(truth), np.linalg.inv(hessian)


@partial(jax.jit, static_argnums=0)
def found(num_classes, point, rounding, narrow):
    unknown = jnp.zeros(LANES), jnp.full(LANES, jnp.inf)
    of = family(losses.softmax_cross_entropy if num_classes else losses.log_loss, num_classes)
    inverse = pseudo_inverse(intercept_hessian(of, point.bend, point.weights))
    never = jnp.zeros(LANES, bool)
    return conjugate.by_products(
        of, point, inverse, narrow, None, unknown, rounding, 60, lambda _: never
    )


def bounds(num_classes, seed, spoil=None):
    """(lower, upper, truth), with float32 rows that `spoil` may have changed, or without any."""
    point, truth, _ = point_and_truth(num_classes, seed)
    with jax.enable_x64(True):
        point = jax.tree.map(jnp.asarray, point)
        steep = jnp.full(LANES, float((point.x**2).sum(axis=1).mean()))
        narrow = None if spoil is None else spoil(narrowed(point))
        decrement = found(num_classes, point, 4 * unit(point.x) * steep, narrow)
        return np.asarray(decrement.lower), np.asarray(decrement.upper), truth


def right(rows):
    return rows


def off(rows):
    """Rows that are off by a tenth."""
    wave = jnp.sin(jnp.arange(rows.x.size, dtype=rows.x.dtype))
    wrong = rows.x * (1 + 0.1 * wave.reshape(rows.x.shape))
    return rows._replace(x=wrong, x_t=wrong.T)


@pytest.mark.parametrize("spoil", [None, right, off], ids=["float64", "float32", "wrong"])
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_hold_whatever_the_narrow_rows_say(num_classes, seed, spoil):
    lower, upper, truth = bounds(num_classes, seed, spoil)
    assert (lower <= truth * (1 + SOLVED)).all()
    assert (upper >= truth * (1 - SOLVED)).all()


@pytest.mark.parametrize("spoil", [None, right], ids=["float64", "float32"])
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_are_close(num_classes, seed, spoil):
    lower, upper, truth = bounds(num_classes, seed, spoil)
    strong = LAMBDAS >= 1e-4
    np.testing.assert_array_less((upper - lower)[strong], 1.1e-3 * truth[strong])


def noise(rows):
    """Rows that have nothing to do with the point's."""
    wrong = jnp.cos(7.0 * jnp.arange(rows.x.size, dtype=rows.x.dtype)).reshape(rows.x.shape)
    return rows._replace(x=wrong, x_t=wrong.T)


@pytest.mark.parametrize("spoil", [right, noise])
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(3))
def test_an_estimate_that_did_not_settle_is_a_bound(num_classes, seed, spoil):
    """What steps on noise find of ν² is next to nothing, and must not pass for all of it."""
    point, truth, _ = point_and_truth(num_classes, seed)
    with jax.enable_x64(True):
        point = jax.tree.map(jnp.asarray, point)
        seen = found(num_classes, point, jnp.zeros(LANES), spoil(narrowed(point)))
    assert (seen.estimate >= 0.5 * truth).all()
    assert (seen.estimate <= np.where(seen.lower > 0.9 * truth, 1.2 * truth, np.inf)).all()


@pytest.mark.parametrize("narrow", [False, True])
def test_a_metric_that_bounds_the_hessian_from_both_sides_needs_no_step(narrow):
    """S is 1.3 times the metric's inverse, and said to be between 1 and 1.5 times it."""
    point, truth, inverse = point_and_truth(None, 0)
    family_ = family(losses.log_loss, None)
    with jax.enable_x64(True):
        point = jax.tree.map(jnp.asarray, point)

        @jax.jit
        def found(inverse, share, most):
            def metric(r):
                return 1.3 * jnp.einsum("lpq,lcq->lcp", inverse.astype(r.dtype), r)

            return conjugate.by_products(
                family_,
                point,
                pseudo_inverse(intercept_hessian(family_, point.bend, point.weights)),
                narrowed(point) if narrow else None,
                metric,
                (share, most),
                jnp.zeros(LANES),
                0,
                lambda _: jnp.ones(LANES, bool),
            )

        ones = jnp.ones(LANES)
        decrement = found(jnp.asarray(inverse), ones, 1.5 * ones)
        np.testing.assert_allclose(decrement.lower, 1.3 / 1.5 * truth, rtol=1e-4)
        np.testing.assert_allclose(decrement.upper, 1.3 * truth, rtol=1e-4)
        np.testing.assert_allclose(decrement.estimate, 1.3 / 1.5**0.5 * truth, rtol=1e-4)
