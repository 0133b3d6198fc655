"""Whole Hessians of a path with an l1 part: made, learnt, and of next to no curvature."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from jaxlr import Batch, losses, paths
from jaxlr.certificates import duality
from jaxlr.glm import problem
from jaxlr.glm.losses import loss as loss_of
from jaxlr.paths import march, proximal
from jaxlr.solvers.bfgs import learnt_hessian
from tests import truth
from tests.test_paths import BINARY, CLASSES

pytestmark = pytest.mark.float64


def rows_of(x, labels, num_folds):
    rng = np.random.default_rng(0)
    ones = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weights = rng.dirichlet(np.ones(len(x)), num_folds)
    arrays = map(jnp.asarray, (ones, labels[None], weights, ones.T))
    return problem.Problem(*arrays)


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_a_hessian_is_that_of_autodiff(kind):
    x, labels = BINARY if kind == "binary" else CLASSES
    num_classes = None if kind == "binary" else 3
    loss = losses.log_loss if kind == "binary" else losses.softmax_cross_entropy
    family = loss_of(loss, num_classes)
    rows = rows_of(x, labels, 2)
    lanes = problem.lanes_of(rows, np.array([0.3, 0.02]), 0.5)
    shape = (2, family.num_outputs, x.shape[1] + 1)
    params = np.random.default_rng(1).normal(size=shape)

    @jax.jit
    def found(params):
        z = jax.vmap(partial(problem.logits_of, rows=rows))(params)
        own = jax.vmap(partial(problem.lane_of, rows))(lanes)
        factors = jax.vmap(family.factors)(z, own.labels)
        whole = jax.vmap(partial(problem.hessian, family, rows))(factors, own.weights)
        firm = partial(proximal.firm, lift=0.0, num_outputs=family.num_outputs)
        return jax.vmap(firm)(whole, jnp.asarray(lanes.lam) / 2)

    @jax.jit
    @jax.vmap
    @jax.hessian
    def exact(flat, lane):
        w = flat.reshape(shape[1:])
        z = rows.x @ w.T
        each = jax.vmap(loss)(z[:, 0] if num_classes is None else z, rows.labels[0])
        lam, weights = jnp.asarray(lanes.lam)[lane], rows.weights[lane]
        return weights @ each + lam / 4 * jnp.sum(w[:, :-1] ** 2)

    exact = exact(params.reshape(2, -1), np.arange(2))
    np.testing.assert_allclose(found(params), exact, atol=1e-12 * np.abs(exact).max())


def test_a_longer_diagonal_gives_any_hessian_a_factor():
    """Of rank 1, with a column of nothing but zeros."""
    row = np.array([1e6, 1e-6, 0.0, 1.0])
    with jax.enable_x64(True):
        found = proximal.firm(jnp.asarray(np.outer(row, row)), 0.0, 1e-10, 1)
        assert np.isfinite(np.linalg.cholesky(found)).all()
        np.testing.assert_allclose(found[:2, :2], np.outer(row, row)[:2, :2], rtol=2e-10)


def test_a_hessian_learns_its_last_step_and_stays_positive():
    rng = np.random.default_rng(0)
    size = 9
    half = rng.normal(size=(3, size, size))
    truth = half @ half.swapaxes(1, 2) + 0.1 * np.eye(size)
    found = np.broadcast_to(np.eye(size), truth.shape)
    first, learnt = np.linalg.norm(found - truth), jax.vmap(learnt_hessian)
    for turn in range(30):
        s = rng.normal(size=(3, size))
        y = np.einsum("lpq,lq->lp", truth, s)
        y[2] *= -1  # no curvature: this lane learns nothing
        found = np.asarray(learnt(jnp.asarray(found), s, y))
        np.testing.assert_allclose(np.einsum("lpq,lq->lp", found, s)[:2], y[:2], rtol=1e-8)
        assert (np.linalg.eigvalsh(found[:2]) > 0).all(), turn
    assert np.linalg.norm(found[:2] - truth[:2]) < 0.1 * first
    np.testing.assert_array_equal(found[2], np.eye(size))


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_a_gap_without_rows_is_no_less_than_the_one_with_them(l1_ratio):
    x, labels = BINARY
    lambdas = np.array([0.1, 0.01, 0.001])
    path = paths.fit(Batch(x, labels), lambdas, loss=losses.log_loss, l1_ratio=l1_ratio, tol=1e-3)
    family = loss_of(losses.log_loss, None)
    ones = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    params = np.concatenate([path.params["w"], path.params["b"][:, None]], axis=1)[:, None]
    with jax.enable_x64(True):
        weights = np.full((1, len(x)), 1 / len(x))
        rows = problem.Problem(
            *map(jnp.asarray, (ones, labels[None].astype(float), weights, ones.T))
        )
        lanes = jax.vmap(partial(problem.lane_of, rows))(problem.lanes_of(rows, lambdas, l1_ratio))
        point = jax.jit(jax.vmap(partial(duality.settled, family, rows)))(lanes, params)
        z = np.asarray(point.params)[:, 0] @ ones.T
        u = ((labels - scipy.special.expit(z)) @ ones / len(x))[:, None]
        rough = jax.jit(jax.vmap(duality.rough_gap))(lanes, point.params, u, point.risk)
    rough, sharp = np.asarray(rough), np.asarray(point.gap)
    assert (rough >= sharp * (1 - 1e-6) - 1e-12).all()
    assert (rough < 0.1 * point.risk).all()


def test_a_lane_ends_as_soon_as_its_gap_is_small_enough(monkeypatch):
    x, labels = BINARY
    lambdas, options = [1e-2, 1e-3, 1e-4], {"loss": losses.log_loss, "l1_ratio": 0.5}
    found = paths.fit(Batch(x, labels), lambdas, **options)
    monkeypatch.setattr(proximal, "_proved", lambda *_: jnp.bool_(False))
    march._walked_l1.clear_cache()
    further = paths.fit(Batch(x, labels), lambdas, **options)
    march._walked_l1.clear_cache()
    assert (found.status == paths.Status.certified).all()
    assert found.num_steps.sum() <= further.num_steps.sum() - len(lambdas)


@pytest.mark.parametrize("seed", [1, 5])
def test_columns_that_a_small_ridge_alone_tells_apart_are_solved(seed):
    """Columns and mixtures of them."""
    x, labels = BINARY
    mixed = x @ np.random.default_rng(seed).normal(size=(x.shape[1], x.shape[1]))
    x, lambdas = np.concatenate([x, mixed], axis=1), [1e-2, 1e-6]
    options = {"loss": losses.log_loss, "l1_ratio": 0.5, "tol": 1e-9}
    found = paths.fit(Batch(x, labels), lambdas, **options)
    assert (found.status == paths.Status.certified).all()
    for risk, lam in zip(found.risk, lambdas, strict=True):
        best = truth.optimum(x, labels, np.ones(len(x)), "log_loss", None, lam, 0.5)
        np.testing.assert_allclose(risk, best.risk, rtol=2e-9)
