"""Folds as lanes: each has its own rows' answer, and what a metric made elsewhere still bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from jaxlr import Batch, losses, paths
from jaxlr.glm.losses import loss as loss_of
from jaxlr.glm.problem import Problem, lanes_of
from jaxlr.paths import descent

pytestmark = pytest.mark.float64

NUM_FOLDS = 3


def problem(num_rows=300, num_features=4):
    """x, labels and fold weights [F, N] on samples of different weight, some of them 0."""
    rng = np.random.default_rng(num_rows)
    x = rng.normal(size=(num_rows, num_features))
    labels = (x[:, 0] + rng.normal(size=num_rows) > 0).astype(int)
    sample = rng.integers(0, 4, num_rows)
    trains = rng.integers(0, NUM_FOLDS, num_rows)[None] != np.arange(NUM_FOLDS)[:, None]
    return x, labels, trains * sample


def normalised(weights):
    return weights / weights.sum(axis=1, keepdims=True)


def test_folds_equal_scikit_learn_and_their_bounds_hold():
    x, labels, weights = problem()
    lambdas = np.logspace(0, -6, 7)
    found = paths.fit(Batch(x, labels), lambdas, loss=losses.log_loss, fold_weights=weights)
    exact = paths.fit(
        Batch(x, labels), lambdas, loss=losses.log_loss, fold_weights=weights, tol=1e-13
    )
    assert (found.status == paths.Status.certified).all()
    assert (found.gap >= found.risk - exact.risk - exact.gap).all()
    for fold in range(NUM_FOLDS):
        for k in (0, 4):
            expected = newtons_decrement(found, x, labels, normalised(weights), fold, k)
            assert 0.49 * expected <= found.decrement[fold, k] <= 2.02 * expected
            theirs = LogisticRegression(C=1 / (lambdas[k] * weights[fold].sum()), tol=1e-12)
            theirs.set_params(solver="newton-cholesky").fit(x, labels, sample_weight=weights[fold])
            np.testing.assert_allclose(
                exact.params["w"][fold, k], theirs.coef_[0], rtol=1e-5, atol=1e-9
            )


def test_squared_errors_of_folds_are_of_their_own_rows():
    x, _, weights = problem()
    y = x @ [1.0, 2.0, 3.0, 4.0] + np.sin(np.arange(len(x)))
    found = paths.fit(Batch(x, y), [0.1], loss=losses.squared_error, fold_weights=weights)
    assert (found.status == paths.Status.certified).all()
    for fold, s in enumerate(normalised(weights)):
        centred = x - s @ x
        system = 2 * (centred.T * s) @ centred + 0.1 * np.eye(x.shape[1])
        expected = np.linalg.solve(system, 2 * (centred.T * s) @ y)
        np.testing.assert_allclose(found.params["w"][fold, 0], expected, rtol=1e-9)


def test_folds_of_different_sizes_keep_one_c_where_they_are_told_to():
    x, labels, weights = problem(60)
    weights[0, :30] = 0
    costs = np.array([0.1, 10.0])
    lambdas = 1 / (costs * weights.sum(axis=1).mean())
    options = {"loss": losses.log_loss, "fold_weights": weights, "tol": 1e-13}
    found = paths.fit(Batch(x, labels), lambdas, hold="C", **options)
    for fold, k in np.ndindex(found.risk.shape):
        theirs = LogisticRegression(C=costs[k], tol=1e-12, solver="newton-cholesky")
        theirs.fit(x, labels, sample_weight=weights[fold])
        w = found.params["w"][fold, k]
        np.testing.assert_allclose(w, theirs.coef_[0], rtol=1e-5, atol=1e-9)
    with pytest.raises(ValueError, match="hold must be one of lambda, C, and is 'c'"):
        paths.fit(Batch(x, labels), lambdas, hold="c", **options)


def newtons_decrement(path, x, labels, weights, fold, k):
    """½ gᵀ H⁻¹ g by NumPy, at a lane's params."""
    x = np.c_[x, np.ones(len(x))]
    w = np.r_[path.params["w"][fold, k], path.params["b"][fold, k]]
    p, penalty = expit(x @ w), np.diag([path.lambdas[k]] * (x.shape[1] - 1) + [0])
    gradient = x.T @ (weights[fold] * (p - labels)) + penalty @ w
    hessian = (x.T * (weights[fold] * p * (1 - p))) @ x + penalty
    return gradient @ np.linalg.solve(hessian, gradient) / 2


def test_a_lane_at_rest_stays_to_the_last_bit_while_others_step():
    x, labels, weights = problem(40)
    whole = np.c_[x, np.ones(len(x))]
    arrays = (whole, labels[None].astype(float), normalised(weights), whole.T)
    rows = Problem(*map(jnp.asarray, arrays))
    loss = loss_of(losses.log_loss, None)
    lanes = jax.tree.map(lambda leaf: leaf[None], lanes_of(rows, np.full(NUM_FOLDS, 1e-3), 0.0))
    planned = descent.plan(loss, rows, NUM_FOLDS)
    start = jnp.asarray(np.random.default_rng(3).normal(size=(NUM_FOLDS, 1, whole.shape[1])))
    walk = jax.jit(descent.walk, static_argnums=(0, 4))
    rest = jnp.full((1, NUM_FOLDS), np.inf), jnp.array([50], jnp.int32)
    there, *_ = walk(loss, rows, lanes, (start, start), planned, 1e-12, *rest)
    mixed = start.at[1].set(there[1])  # the second begins where it should end
    *_, ends = walk(loss, rows, lanes, (mixed, mixed), planned, 1e-6, *rest)
    np.testing.assert_array_equal(ends.params[0, 1], there[1])
    assert ends.num_steps[0, 1] == 0
    assert (np.asarray(ends.num_steps)[0, [0, 2]] > 1).all()


def test_whoever_listens_hears_of_every_lane_while_paths_are_solved():
    x, labels, weights = problem()
    options = {"loss": losses.log_loss, "fold_weights": weights}
    lambdas = np.logspace(-1, -4, 15)
    quiet = paths.fit(Batch(x, labels), lambdas, **options)
    heard = []
    with paths.progress(heard.append):
        told = paths.fit(Batch(x, labels), lambdas, **options)
    assert sum(heard) == NUM_FOLDS * len(lambdas)
    assert len(heard) > 4
    assert (told.status == quiet.status).all()
    np.testing.assert_allclose(told.risk, quiet.risk, rtol=1e-6)
    paths.fit(Batch(x, labels), lambdas, **options)
    assert sum(heard) == NUM_FOLDS * len(lambdas)  # nobody listens any more
