"""Paths through the origin, beside scikit-learn and NIST's certified answer."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression

from jaxlr import Batch, losses, paths
from tests.test_paths import BINARY, CLASSES, LAMBDAS

pytestmark = pytest.mark.float64
HALVES = np.arange(60)[None] % 2 != np.arange(2)[:, None]


def peer(x, labels, lam, **options):
    options |= {"solver": "newton-cg"} if not options.get("l1_ratio") else {"solver": "saga"}
    given = {"fit_intercept": False, "tol": 1e-11, "max_iter": 50_000, **options}
    return LogisticRegression(C=1 / (lam * len(x)), **given).fit(x, labels)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_logistic_regression_through_the_origin_is_scikit_learns(l1_ratio):
    x, labels = BINARY
    x = x + 2  # no origin of its own
    options = {"loss": losses.log_loss, "l1_ratio": l1_ratio, "fit_intercept": False}
    found = paths.fit(Batch(x, labels), LAMBDAS, fold_weights=HALVES, tol=1e-10, **options)
    assert (found.status == paths.Status.certified).all()
    assert (found.params["b"] == 0).all()
    for fold, k in ((0, 0), (1, 2)):
        rows = HALVES[fold]
        theirs = peer(x[rows], labels[rows], LAMBDAS[k], l1_ratio=l1_ratio).coef_[0]
        np.testing.assert_allclose(found.params["w"][fold, k], theirs, atol=2e-5)


def test_classes_through_the_origin_are_scikit_learns():
    x, labels = CLASSES
    options = {"loss": losses.softmax_cross_entropy, "fit_intercept": False, "tol": 1e-10}
    found = paths.fit(Batch(x + 1, labels), LAMBDAS, **options)
    assert (found.status == paths.Status.certified).all()
    theirs = peer(x + 1, labels, LAMBDAS[1]).coef_.T
    np.testing.assert_allclose(found.params["w"][1], theirs, atol=2e-5)


def test_one_class_is_fitted_where_no_intercept_can_run_away():
    x, _ = BINARY
    found = paths.fit(
        Batch(x, np.zeros(60, int)), LAMBDAS, loss=losses.log_loss, fit_intercept=False
    )
    assert (found.status == paths.Status.certified).all()
    assert (found.risk > 0).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_numbers_through_the_origin(l1_ratio):
    x, y = BINARY[0] + 2, BINARY[0] @ [1.0, -2.0, 0.5, 0.0, 1.0] + np.sin(np.arange(60))
    options = {"loss": losses.squared_error, "l1_ratio": l1_ratio, "fit_intercept": False}
    found = paths.fit(Batch(x, y), [0.2, 0.0], **options)
    assert (found.status == paths.Status.certified).all()
    assert (found.params["b"] == 0).all()
    np.testing.assert_allclose(
        found.params["w"][1], np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9
    )
    ridge = ElasticNet(alpha=0.1, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12)
    if not l1_ratio:
        expected = np.linalg.solve(2 * x.T @ x / 60 + 0.2 * np.eye(5), 2 * x.T @ y / 60)
    else:
        expected = ridge.fit(x, y).coef_
    np.testing.assert_allclose(found.params["w"][0], expected, atol=1e-6)
    top = paths.lambda_grid(Batch(x, y), num=1, **options | {"l1_ratio": 1.0})
    np.testing.assert_allclose(top, 2 * np.abs(x.T @ y).max() / 60)


def test_nists_line_through_the_origin():
    """StRD's NoInt1: y = β x, certified to fifteen digits."""
    x = np.arange(60.0, 71)[:, None]
    y = np.arange(130.0, 141)
    found = paths.fit(Batch(x, y), [0.0], loss=losses.squared_error, fit_intercept=False)
    np.testing.assert_allclose(found.params["w"][0, 0], 2.07438016528926, rtol=1e-14)
    assert found.status == [paths.Status.certified]


def test_a_cross_validation_and_its_refit_have_none_either():
    x, labels = BINARY
    options = {"loss": losses.log_loss, "fold_weights": HALVES, "fit_intercept": False}
    found = paths.cross_validate(Batch(x, labels), LAMBDAS, **options)
    assert not found.path.params["b"].any()
    assert not found.refit.params["b"].any()
