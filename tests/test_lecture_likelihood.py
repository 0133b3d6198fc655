"""What the pages A4 to A6 say, by ways that they don't go."""

import jax
import numpy as np
import pytest

from experiments.lecture import ad_clicks

pytestmark = pytest.mark.float32_pass


def test_a_fit_and_its_errors_are_those_of_fisher_scoring():
    x, labels = ad_clicks.users(np.random.default_rng(1), 400)
    one = np.column_stack([x, np.ones(400)]).astype(np.float64)
    w = np.zeros(4)
    for _ in range(20):  # least squares, each with the weights of the last
        p = 1 / (1 + np.exp(-one @ w))
        inverse = np.linalg.inv(one.T @ (one * (p * (1 - p))[:, None]))
        w += inverse @ one.T @ (labels - p)
    estimates, errors = jax.jit(ad_clicks.fit)(x, labels)
    np.testing.assert_allclose(errors, np.sqrt(np.diagonal(inverse)), rtol=1e-3)
    assert (abs(estimates - w) < 0.01 * errors).all()


def test_intervals_hold_the_truth_as_often_as_they_say():
    x, labels = ad_clicks.users(np.random.default_rng(2), 400, 400)
    estimates, errors = map(np.asarray, jax.jit(jax.vmap(ad_clicks.fit))(x, labels))
    away = abs(estimates - ad_clicks.TRUTH) / errors
    for multiple, share in [(1.0, 0.6827), (1.959964, 0.95)]:
        chance = (share * (1 - share) / 400) ** 0.5
        assert (abs((away <= multiple).mean(axis=0) - share) < 3.5 * chance).all()
