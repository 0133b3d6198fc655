"""Descents in float32: their answers are those of float64, or float64 takes over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.paths import march, quasi_newton
from tests.test_paths import BINARY, CLASSES, LAMBDAS

pytestmark = pytest.mark.float64_pass


@pytest.fixture
def dtypes(monkeypatch):
    """The precisions of the descents of a path, in order."""
    seen = []

    def note(name):
        descend = getattr(march, name)

        def noted(engine, family, problem, *rest):
            seen.append(str(problem.x.dtype))
            return descend(engine, family, problem, *rest)

        monkeypatch.setattr(march, name, noted)

    note("_walked")
    note("_solved")
    return seen


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_a_march_in_float32_ends_where_one_in_float64_does(kind, dtypes):
    x, labels = BINARY if kind == "binary" else CLASSES
    loss = losses.log_loss if kind == "binary" else losses.softmax_cross_entropy
    narrow = paths.fit(Batch(x, labels), LAMBDAS, loss=loss)
    assert dtypes == ["float32"]
    exact = paths.fit(Batch(x, labels), LAMBDAS, loss=loss, tol=1e-12)
    assert set(dtypes[1:]) == {"float64"}
    assert (narrow.status == paths.Status.certified).all()
    excess = narrow.risk - exact.risk
    assert (excess <= narrow.gap + exact.gap).all()
    assert (excess <= 1e-6 * exact.risk).all()
    assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(narrow.params))


def test_what_float32_cannot_do_is_done_in_float64(dtypes):
    """Features far from 0, all alike to five digits: float32 logits are noise."""
    x, labels = BINARY
    far = 1e5 + x
    found = paths.fit(Batch(far, labels), LAMBDAS, loss=losses.log_loss)
    near = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, tol=1e-12)
    assert {"float32", "float64"} <= set(dtypes)
    ended = (paths.Status.certified, paths.Status.solved)
    assert np.isin(found.status, ended).all()
    np.testing.assert_allclose(found.risk, near.risk, rtol=2e-6)


@pytest.mark.parametrize("scale", [1e-25, 1e-3, 1e3, 1e25])
def test_features_of_any_size_have_the_optimum_scaled(scale):
    x, labels = BINARY
    lambdas = np.array(LAMBDAS)
    one = paths.fit(Batch(x, labels), lambdas, loss=losses.log_loss)
    found = paths.fit(Batch(x * scale, labels), lambdas * scale**2, loss=losses.log_loss)
    assert (found.status == paths.Status.certified).all()
    np.testing.assert_allclose(found.risk, one.risk, rtol=2e-6)
    np.testing.assert_allclose(found.params["w"] * scale, one.params["w"], rtol=0, atol=2e-2)


SIZE = 7


def test_the_compact_form_is_the_update_of_bfgs_pair_after_pair():
    rng = np.random.default_rng(3)
    hessian, other = (np.cov(rng.normal(size=(SIZE, 40))) + np.eye(SIZE) for _ in range(2))
    metric, renewed = np.linalg.inv(other), np.diag(rng.uniform(1, 2, SIZE))
    steps = rng.normal(size=(quasi_newton.PAIRS + 3, SIZE))  # more than are remembered
    grad = rng.normal(size=SIZE)

    def dense(scale_of, pairs):
        s, y = pairs[-1]
        inverse = scale_of * (s @ y) / (y @ scale_of @ y)
        for s, y in pairs:
            turn = np.eye(SIZE) - np.outer(s, y) / (s @ y)
            inverse = turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)
        return inverse @ grad

    pairs = quasi_newton.no_pairs(jnp.zeros((2, SIZE)))
    learns = jnp.array([True, False])
    kept = []
    for k, s in enumerate(steps):
        y = hessian @ s if k != 2 else -hessian @ s  # one bends down, and is left out
        both = [jnp.asarray(np.stack([a, a])) for a in (s, y, metric @ y)]
        pairs = quasi_newton.learnt(pairs, *both, learns)
        kept += [(s, y)] if k != 2 else []
    kept = kept[-quasi_newton.PAIRS :]
    both = jnp.asarray(np.stack([grad, grad]))
    ours = quasi_newton.inverse_hessian(pairs, both, both @ metric)
    np.testing.assert_allclose(ours[0], dense(metric, kept), rtol=1e-9)
    np.testing.assert_allclose(ours[1], metric @ grad, rtol=1e-12)  # this lane has learnt nothing
    pairs = quasi_newton.remeasured(pairs, pairs.y @ renewed)
    ours = quasi_newton.inverse_hessian(pairs, both, both @ renewed)
    np.testing.assert_allclose(ours[0], dense(renewed, kept), rtol=1e-9)
