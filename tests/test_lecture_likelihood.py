"""What the pages A4 to A6 say, by ways that they don't go."""

import jax
import numpy as np
import pytest

from experiments.lecture import a05_likelihood, ad_clicks, corners, underflow
from jaxlr import Batch, losses

pytestmark = pytest.mark.once


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


def test_the_likelihood_is_greatest_where_the_risk_is_least():
    x, labels = ad_clicks.users(np.random.default_rng(3), 24)
    found = a05_likelihood.surfaces(Batch(x[:, :1], labels))
    likelihood, risk, highest, lowest = jax.tree.map(np.asarray, found)
    z = a05_likelihood.W * x[:, 0, None, None] + a05_likelihood.B[:, None].astype(float)
    p = 1 / (1 + np.exp(-z))  # [users, B, W]
    product = np.where(labels[:, None, None] == 1, p, 1 - p).prod(axis=0)
    np.testing.assert_allclose(likelihood, product, rtol=1e-4)
    np.testing.assert_allclose(np.exp(-24 * risk.astype(float)), product, rtol=1e-4)
    assert likelihood.argmax() == risk.argmin() == product.argmax()
    np.testing.assert_allclose(
        [*highest["w"], highest["b"]], [*lowest["w"], lowest["b"]], rtol=1e-3
    )


def test_a_product_of_probabilities_ends_at_zero_where_its_logarithms_are_a_number():
    x, labels = ad_clicks.users(np.random.default_rng(4), 2000)
    found = underflow.product(x, labels)
    minus_log = np.array(found["exact"])
    for name, smallest, end in found["formats"]:
        gone = np.log(smallest) - np.log(2)  # half of a format's smallest number is its zero
        assert -minus_log[end - 1] < gone + 1.5, name
        assert -minus_log[end - 2] > gone - 1.5, name
    assert np.isclose(found["sum32"], minus_log[-1], rtol=1e-6)


def test_the_formula_as_written_dies_where_the_model_is_right():
    found = corners.table()["corners"]
    columns = {name: [row[name] for row in found] for name in corners.COLUMNS}
    assert list(zip(columns["y"], columns["p"], strict=True)) == [(0, 0), (1, 1), (1, 0), (0, 1)]
    inf, nan = np.inf, np.nan
    for name, lecture in {
        "sum": [nan, nan, -inf, -inf], "slope": [nan, nan, inf, -inf],
        "loss": [0, 0, inf, inf], "right_slope": [1, -1, -inf, inf],
    }.items():  # fmt: skip
        np.testing.assert_array_equal(columns[name], lecture, err_msg=name)


def test_a_soft_label_costs_its_entropy_at_least():
    p = np.linspace(0.01, 0.99, 99).astype(np.float32)
    cost = jax.jit(jax.vmap(jax.vmap(losses.log_loss_from_probability, (0, None)), (None, 0)))(p, p)
    entropy = -p * np.log(p) - (1 - p) * np.log1p(-p)
    np.testing.assert_allclose(np.diagonal(cost), entropy, rtol=1e-5)
    divergence = p[:, None] * np.log(p[:, None] / p)
    divergence += (1 - p[:, None]) * np.log((1 - p[:, None]) / (1 - p))
    np.testing.assert_allclose(cost - entropy[:, None], divergence, atol=2e-6)
    assert (np.asarray(cost).argmin(axis=1) == np.arange(99)).all()
