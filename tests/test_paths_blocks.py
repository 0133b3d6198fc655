"""Sums of w x xᵀ over rows: in tiles, and from a sample of the rows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from jaxlr import Batch, losses, paths
from jaxlr.paths import blocks

pytestmark = pytest.mark.float64_pass


def rows(num_rows=300, num_columns=7, num_groups=3):
    rng = np.random.default_rng(num_rows)
    x = rng.normal(size=(num_rows, num_columns))
    return x, rng.uniform(size=(num_groups, num_rows)) ** 4


@pytest.mark.parametrize("num_columns", [7, 8])
def test_tiles_below_the_diagonal_are_the_whole_block(monkeypatch, num_columns):
    monkeypatch.setattr(blocks, "ROWS", 64)
    monkeypatch.setattr(blocks, "TILED", 4)
    x, weights = rows(num_columns=num_columns)
    found = blocks.blocks_of(*map(jnp.asarray, (x, x.T, weights)))
    np.testing.assert_allclose(found, np.einsum("gn,np,nq->gpq", weights, x, x), rtol=1e-11)
    np.testing.assert_array_equal(found, np.swapaxes(found, 1, 2))


def test_a_sample_keeps_the_diagonal_and_most_of_the_shape(monkeypatch):
    monkeypatch.setattr(blocks, "ROWS", 64)
    monkeypatch.setattr(blocks, "DRAWN", 150)
    x, weights = rows(3_000)
    long = np.arange(len(x)) % 2 == 0  # light rows, as long as they are light, and of one shape
    weights[:, long] /= 10
    x[long] *= 10
    x[long, 1] += 2 * x[long, 0]
    x[:, 3] *= np.arange(len(x)) % 50 == 1  # a rare feature
    x[:, 5] = 0
    x[7, 5], weights[:, 7] = 2.0, 1e-9  # one that a sample misses
    exact = np.einsum("gn,np,nq->gpq", weights, x, x)
    found = np.asarray(jax.jit(blocks.of_sample)(jnp.asarray(x), jnp.asarray(weights)))
    diagonals = np.einsum("gpp->gp", exact)
    np.testing.assert_allclose(np.einsum("gpp->gp", found), diagonals, rtol=1e-12)
    kept = [0, 1, 2, 4, 6]
    for one, whole in zip(found[:, kept][:, :, kept], exact[:, kept][:, :, kept], strict=True):
        half = np.linalg.inv(np.linalg.cholesky(whole))
        values = np.linalg.eigvalsh(half @ one @ half.T)
        assert 0.5 < values.min() < values.max() < 2


def test_rows_that_curve_most_are_drawn_most(monkeypatch):
    """All of the curvature in a hundredth of the rows: evenly drawn, hardly one would be seen."""
    monkeypatch.setattr(blocks, "DRAWN", 20)
    x, weights = rows(4_000, num_columns=4, num_groups=1)
    weights *= np.where(np.arange(len(x)) % 100 == 50, 1, 1e-9)
    exact = np.einsum("n,np,nq->pq", weights[0], x, x)
    found = np.asarray(blocks.of_sample(jnp.asarray(x), jnp.asarray(weights)))[0]
    half = np.linalg.inv(np.linalg.cholesky(exact))
    values = np.linalg.eigvalsh(half @ found @ half.T)
    assert 0.3 < values.min() < values.max() < 3


def test_a_path_on_a_sampled_metric_ends_where_scikit_learn_does():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4))
    labels = (x[:, :3] + rng.gumbel(size=(600, 3))).argmax(axis=1)
    assert blocks.can_be_sampled(600, 4)
    loss = losses.softmax_cross_entropy
    path = paths.fit(Batch(x, labels), [1.0, 1e-2, 1e-4], loss=loss, tol=1e-8)
    assert (path.status == paths.Status.certified).all()
    for lam, risk in zip(path.lambdas, path.risk, strict=True):
        peer = LogisticRegression(C=1 / (lam * len(x)), solver="newton-cg", tol=1e-10)
        peer.fit(x, labels)
        p = peer.predict_proba(x)[np.arange(len(x)), labels]
        expected = -np.log(p).mean() + lam / 2 * np.sum(peer.coef_**2)
        np.testing.assert_allclose(risk, expected, rtol=1e-8)
