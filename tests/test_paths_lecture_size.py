"""Elastic nets of twenty rows, twenty features and three classes: small, and hard for some.

Newton methods whose inner solver goes from one coordinate to the next were reported to fail just
there (scikit-learn#34681), since softmax's Hessian couples the classes. The witness knows nothing
of Hessians: proximal gradient steps with momentum, in NumPy, until its optimality conditions hold.
"""

import numpy as np
import pytest
from sklearn.datasets import make_classification

from jaxlr import Batch, certificates, losses, paths

pytestmark = pytest.mark.float64

LAMBDAS = 1 / (20 * np.array([0.1, 1.0, 100.0]))  # scikit-learn's C
SOFTMAX = {"loss": losses.softmax_cross_entropy, "num_classes": 3}


def rows(seed):
    return make_classification(
        n_samples=20, n_features=20, n_informative=10, n_classes=3, random_state=seed
    )


def objective(x, labels, theta, lam, l1_ratio):
    """J at theta [21, 3], and the gradient of its smooth part."""
    z = x @ theta
    z = z - z.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(z).sum(axis=1))
    w = theta[:-1]
    value = (log_total - z[np.arange(len(z)), labels]).mean()
    value += lam * ((1 - l1_ratio) / 2 * (w**2).sum() + l1_ratio * np.abs(w).sum())
    gradient = x.T @ (np.exp(z - log_total[:, None]) - np.eye(3)[labels]) / len(z)
    gradient[:-1] += lam * (1 - l1_ratio) * w
    return value, gradient


def shrunk(theta, by):
    """Soft-thresholded weights; intercepts in the last row stay."""
    w = np.sign(theta[:-1]) * np.maximum(np.abs(theta[:-1]) - by, 0)
    return np.vstack([w, theta[-1:]])


def witness(x, labels, lam, l1_ratio):
    """theta where a proximal step of length 1 / L moves nothing (FISTA, momentum restarted)."""
    x = np.c_[x, np.ones(len(x))]
    length = 1 / (np.linalg.norm(x, ord=2) ** 2 / len(x) / 2 + lam)
    theta = ahead = np.zeros((21, 3))
    age = 1.0
    for _ in range(400_000):
        gradient = objective(x, labels, ahead, lam, l1_ratio)[1]
        new = shrunk(ahead - length * gradient, length * lam * l1_ratio)
        if np.abs(new - ahead).max() <= 1e-13 * np.abs(new).max():
            return new, objective(x, labels, new, lam, l1_ratio)[0]
        uphill = ((ahead - new) * (new - theta)).sum() > 0
        age, before = (1.0, 1.0) if uphill else ((1 + np.sqrt(1 + 4 * age**2)) / 2, age)
        theta, ahead = new, new + (0 if uphill else (before - 1) / age) * (new - theta)
    raise AssertionError("the witness has not ended")


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_an_elastic_net_of_lecture_size_is_certified_and_the_witness_s(seed, l1_ratio):
    x, labels = rows(seed)
    path = paths.fit(Batch(x, labels), LAMBDAS, l1_ratio=l1_ratio, tol=1e-9, **SOFTMAX)
    assert (path.status == paths.Status.certified).all()
    for k, lam in enumerate(LAMBDAS):
        theta, least = witness(x, labels, lam, l1_ratio)
        assert abs(path.risk[k] - least) <= 2e-9 * least
        assert path.risk[k] - path.gap[k] <= least * (1 + 1e-12)
        z = x @ path.params["w"][k] + path.params["b"][k]
        expected = x @ theta[:-1] + theta[-1]
        z, expected = (a - a.mean(axis=1, keepdims=True) for a in (z, expected))
        np.testing.assert_allclose(z, expected, atol=1e-3 * np.abs(expected).max())


def test_the_witness_s_own_answer_is_certified_and_a_worse_one_is_not():
    x, labels = rows(0)
    theta, least = witness(x, labels, LAMBDAS[1], 0.5)
    options = {"l1_ratio": 0.5, "tol": 1e-9, **SOFTMAX}
    params = {"w": theta[:-1], "b": theta[-1]}
    good = certificates.certify(Batch(x, labels), params, LAMBDAS[1], **options)
    assert good.status == certificates.Status.certified
    np.testing.assert_allclose(good.risk, least, rtol=1e-12)
    params = {"w": 0.99 * theta[:-1], "b": theta[-1]}
    worse = certificates.certify(Batch(x, labels), params, LAMBDAS[1], **options)
    assert worse.status != certificates.Status.certified
    assert worse.gap >= worse.risk - least > 1e-9 * least
