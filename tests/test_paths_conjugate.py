"""Newton's decrement by conjugate gradients and by a factor, beside numpy's own solution."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import losses
from jaxlr.certificates import decrements
from jaxlr.certificates.duality import Point
from jaxlr.glm.intercepts import generalised_inverse, intercept_hessian
from jaxlr.glm.losses import loss as family
from jaxlr.glm.problem import Lane, Problem

pytestmark = pytest.mark.float64

ROWS, FEATURES, LANES = 60, 7, 6
LAMBDAS = np.logspace(-1, -8, LANES)
SOLVED = 1e-6  # what rounding may do to the truth itself, whose Hessians are next to singular


def point_and_truth(num_classes, seed):
    """Rows of which two columns are next to alike, lanes, points [L], their ν² and H by numpy."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, FEATURES)) * 10.0 ** rng.uniform(-1, 1, FEATURES)
    x[:, 1] = x[:, 0] + 1e-5 * x[:, 1]
    x = np.concatenate([x, np.ones((ROWS, 1))], axis=1)
    num_outputs = num_classes or 1
    z = 2 * rng.normal(size=(LANES, num_outputs, ROWS))
    weights = np.full((LANES, ROWS), 1 / ROWS)
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
    of = family(losses.softmax_cross_entropy if num_classes else losses.log_loss, num_classes)
    rows = Problem(x, np.zeros((1, ROWS)), weights[:1], x.T.copy())
    inverse = jax.vmap(lambda b, s: generalised_inverse(intercept_hessian(of, b, s)))(bend, weights)
    labels = np.tile(np.arange(ROWS) % num_outputs, (LANES, 1))
    lanes = Lane(labels, weights, LAMBDAS, np.zeros(LANES))
    steep = np.full(LANES, np.mean(np.sum(x**2, axis=1)))
    fields = dict.fromkeys(Point._fields) | {"factors": bend, "inverse": inverse, "steep": steep}
    point = Point(**fields | {"grad": grad})
    return of, rows, (lanes, point), np.array(truth), hessian


@partial(jax.jit, static_argnums=(0, 4))
def by_products(of, rows, where, metric, num_steps, enough):
    def one(lane, point, metric):
        def precondition(r):
            return jnp.dot(metric, r.ravel()).reshape(r.shape)

        options = precondition, num_steps, lambda squared: squared <= enough
        return decrements.by_products(of, rows, lane, point, *options)

    return jax.vmap(one)(*where, metric)


def metrics(kind, hessian):
    """What preconditions each lane: [L, C P, C P]."""
    if kind == "exact":
        return np.linalg.inv(hessian)
    if kind == "diagonal":
        return np.linalg.inv(hessian * np.eye(len(hessian[0])))
    half = np.random.default_rng(1).normal(size=hessian.shape)
    return half @ half.swapaxes(1, 2)


@pytest.mark.parametrize("kind", ["exact", "diagonal", "nonsense"])
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_hold_whatever_the_preconditioner_and_are_close(kind, num_classes, seed):
    of, rows, where, truth, hessian = point_and_truth(num_classes, seed)
    metric = metrics(kind, hessian)
    for num_steps in (1, 60):
        found = by_products(of, rows, where, metric, num_steps, -1.0)
        assert (found.least <= truth * (1 + SOLVED)).all()
        assert (found.squared >= truth * (1 - SOLVED)).all()
    if kind != "nonsense":
        strong = LAMBDAS >= 1e-4
        np.testing.assert_array_less((found.squared - found.least)[strong], 1.1e-3 * truth[strong])


@pytest.mark.parametrize("num_classes", [None, 3])
def test_steps_end_where_the_bound_is_enough(num_classes):
    of, rows, where, truth, hessian = point_and_truth(num_classes, 0)
    metric = metrics("diagonal", hessian)
    first, whole = (by_products(of, rows, where, metric, n, -1.0).squared for n in (1, 60))
    goal = 1.3 * np.asarray(whole[1])
    found = by_products(of, rows, where, metric, 60, goal)
    assert 1.05 * whole[1] < found.squared[1] <= goal < first[1]
    assert truth[1] / 2 <= found.least[1] <= truth[1]


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(3))
def test_a_factor_bounds_the_decrement_from_both_sides(num_classes, seed):
    of, rows, where, truth, hessian = point_and_truth(num_classes, seed)
    found = jax.jit(jax.vmap(partial(decrements.by_factor, of, rows)))(*where)
    assert (found.least <= truth * (1 + SOLVED)).all()
    assert (found.squared >= truth * (1 - SOLVED)).all()
    strong = LAMBDAS >= 1e-4
    np.testing.assert_allclose(found.squared[strong], truth[strong], rtol=1e-3)
    flat, inverse = where[1].grad.reshape(LANES, -1), np.linalg.inv(hessian)
    steps = np.einsum("lpq,lq->lp", inverse, flat)[strong]
    apart = np.array(found.step)[strong] - steps.reshape(-1, *found.step.shape[1:])
    if num_classes:  # what moves all intercepts alike is no step
        apart[..., -1] -= apart[..., -1].mean(axis=1, keepdims=True)
    apart = apart.reshape(len(steps), -1)
    assert (np.linalg.norm(apart, axis=1) <= 1e-4 * np.linalg.norm(steps, axis=1)).all()


@pytest.mark.parametrize("size", [2, 5, 20])
@pytest.mark.parametrize("missing", [False, True])
def test_a_generalised_inverse_answers_what_the_matrix_can_say(size, missing):
    """Of the Hessian of a softmax's intercepts, which is singular, with a class without rows."""
    p = np.random.default_rng(size).dirichlet(np.full(size, 0.3), 50)
    p[:, 1] *= not missing
    matrix = -(p.T @ p)
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    found = np.asarray(generalised_inverse(jnp.asarray(matrix)))
    np.testing.assert_allclose(matrix @ found @ matrix, matrix, atol=1e-13 * np.abs(matrix).max())
    np.testing.assert_allclose(found, found.T, rtol=1e-9)
    np.testing.assert_allclose(found @ matrix @ found, found, atol=1e-9 * (1 + np.abs(found).max()))
