"""Certificates for anybody's answer: never below the error that an independent judge measures."""

import jax
import numpy as np
import pytest
from sklearn import linear_model
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.preprocessing import StandardScaler

from jaxlr import Batch, certificates, losses, paths
from jaxlr.certificates import Status, bounds
from tests import truth
from tests.path_judge import LOSSES, fitted
from tests.random_paths import FEW, case
from tests.sizes import PROOFS

pytestmark = pytest.mark.float64

PROBLEMS = 300 if PROOFS else 2
MOVES = np.array([0.0, 1e-9, 1e-6, 1e-4, 1e-2, 0.3])


@pytest.mark.parametrize("family", ["ridge", "elastic", "lasso"])
def test_a_gap_is_never_below_the_error(family):
    """At random distances from the optimum, whose risk an independent solver knows."""
    for seed in range(PROBLEMS):
        problem, rng = case(family, seed, FEW, num_lambdas=2), np.random.default_rng(seed)
        path = fitted(problem)
        s = problem.weights / problem.weights.max() * problem.folds[0]
        rows, kind, ratio = (problem.x, problem.labels, s), problem.kind, problem.l1_ratio
        w, b = path.params["w"][0], path.params["b"][0]
        if not np.isfinite(w).all() or not np.isfinite(b).all():
            continue  # a class without rows
        moved = MOVES[:, None, None]
        w = w * (1 + moved * rng.normal(size=(len(MOVES), *w.shape)))
        b = b + MOVES[:, None] * rng.normal(size=(len(MOVES), *b.shape))
        batch, lambdas = Batch(problem.x, problem.labels, s), problem.lambdas
        found = certificates.certify(
            batch, {"w": w, "b": b}, lambdas, loss=LOSSES[kind], l1_ratio=ratio
        )
        for k, lam in enumerate(lambdas):
            best = truth.optimum(*rows, kind, problem.num_classes, lam, ratio)
            for m in range(len(MOVES)):
                here = truth.objective(*rows, (w[m, k], b[m, k]), kind, lam, ratio)
                np.testing.assert_allclose(found.risk[m, k], here, rtol=1e-9)
                assert found.gap[m, k] >= here - best.risk - 1e-13 * here, (seed, m, k)


def standardised(load):
    x, y = load(return_X_y=True)
    return StandardScaler().fit_transform(x), y


CANCER, WINE, DIABETES = map(standardised, (load_breast_cancer, load_wine, load_diabetes))
CANCER = CANCER[0][::2, :12], CANCER[1][::2]


@pytest.mark.parametrize("rows", [CANCER, WINE], ids=["cancer", "wine"])
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_what_a_logistic_regression_lacks_is_told_within_a_hundred_times(rows, C):
    x, y = rows
    exact = linear_model.LogisticRegression(C=C, solver="newton-cg", tol=1e-12, max_iter=10_000)
    best = certificates.of_estimator(exact.fit(x, y), x, y)
    assert best.status == Status.certified
    assert best.gap <= 1e-12
    for tol in (1e-2, 1e-4, 1e-8):
        quick = linear_model.LogisticRegression(C=C, tol=tol, max_iter=10_000).fit(x, y)
        found = certificates.of_estimator(quick, x, y)
        error = found.risk - best.risk
        assert error - best.gap <= found.gap <= 100 * error + 1e-12
        assert (found.status == Status.certified) == (found.gap <= 1e-6 * found.risk)


CLICKS = np.random.default_rng(0).integers(1, 4, len(CANCER[1])).astype(float)
DRAWN = np.random.default_rng(0).integers(1, 4, len(DIABETES[1])).astype(float)
SAGA = {"solver": "saga", "tol": 1e-10, "max_iter": 100_000, "random_state": 0}
NEWTON = {"solver": "newton-cg", "tol": 1e-11, "max_iter": 10_000}
READ = {  # estimator, rows, sample_weight
    "l1": (linear_model.LogisticRegression(C=0.5, l1_ratio=1.0, **SAGA), CANCER, None),
    "elastic net": (linear_model.LogisticRegression(C=0.2, l1_ratio=0.4, **SAGA), CANCER, CLICKS),
    "balanced": (linear_model.LogisticRegression(class_weight="balanced", **NEWTON), CANCER, None),
    "balanced weights": (
        linear_model.LogisticRegression(class_weight="balanced", **NEWTON),
        CANCER,
        CLICKS,
    ),
    "weights of classes": (
        linear_model.LogisticRegression(class_weight={0: 3.0}, **NEWTON),
        CANCER,
        CLICKS,
    ),
    "no intercept": (linear_model.LogisticRegression(fit_intercept=False, **NEWTON), CANCER, None),
    "no penalty": (linear_model.LogisticRegression(C=np.inf, **NEWTON), DIABETES, None),
    "chosen": (
        linear_model.LogisticRegressionCV(
            Cs=3, l1_ratios=(0.0,), scoring="neg_log_loss", use_legacy_attributes=False, **NEWTON
        ),
        CANCER,
        CLICKS,
    ),
    "ridge": (linear_model.Ridge(alpha=3.0, solver="svd"), DIABETES, DRAWN),
    "ridge without intercept": (linear_model.Ridge(fit_intercept=False), DIABETES, None),
    "least squares": (linear_model.LinearRegression(), DIABETES, DRAWN),
    "lasso": (linear_model.Lasso(alpha=2.0, tol=1e-12, max_iter=100_000), DIABETES, None),
    "elastic net of squares": (
        linear_model.ElasticNet(alpha=1.0, l1_ratio=0.3, tol=1e-12, max_iter=100_000),
        DIABETES,
        DRAWN,
    ),
}


@pytest.mark.parametrize("name", READ)
def test_an_estimators_objective_is_read_from_itself(name):
    """What has converged is certified, which another λ, ratio or weight would not be."""
    fitted, (x, y), weights = READ[name]
    if name == "no penalty":
        y = (y > np.median(y)).astype(int)
    fitted.fit(x, y, sample_weight=weights)
    found = certificates.of_estimator(fitted, x, y, sample_weight=weights)
    assert found.status == Status.certified, (found.gap, found.risk)
    fitted.coef_ = 1.1 * fitted.coef_
    assert certificates.of_estimator(fitted, x, y, sample_weight=weights).status == Status.stalled


def test_labels_of_any_name_and_targets_side_by_side():
    x, y = WINE
    names = np.array(["barolo", "grignolino", "barbera"])[y]
    fitted = linear_model.LogisticRegression(**NEWTON).fit(x, names)
    assert certificates.of_estimator(fitted, x, names).status == Status.certified
    x, y = DIABETES
    both = np.c_[y, y**2 / 100]
    ridges = linear_model.Ridge(alpha=[1.0, 30.0], solver="svd").fit(x, both)
    assert (certificates.of_estimator(ridges, x, both).status == [Status.certified] * 2).all()


def test_a_paths_own_lanes_are_certified_again():
    """Targets x folds x l1 ratios x penalties, as a path has them."""
    x, y = CANCER[0][:, :3], CANCER[1]
    labels, folds = np.stack([y, x[:, 0] > 0]).astype(int), np.arange(len(y)) % 3 != [[0], [1]]
    options = {"loss": losses.log_loss, "fold_weights": folds}
    path = paths.fit(Batch(x, labels), [0.1, 0.01], l1_ratio=[0.0], **options)
    found = certificates.certify(
        Batch(x, labels), path.params, path.lambdas, l1_ratio=[[0.0]], **options
    )
    np.testing.assert_allclose(found.risk, path.risk, rtol=1e-12)
    assert (found.status == Status.certified).all()
    assert (found.gap <= 4 * path.gap + 1e-13).all()


def test_lanes_that_memory_does_not_hold_together_are_looked_at_in_turns(monkeypatch):
    x, y = CANCER
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(5, 12)), "b": rng.normal(size=5)}
    whole = certificates.certify(Batch(x, y), params, 0.1, loss=losses.log_loss)
    monkeypatch.setattr(bounds, "MEMORY", 1)
    turns = certificates.certify(Batch(x, y), params, 0.1, loss=losses.log_loss)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), whole, turns)


GOOD = {"w": np.zeros(12), "b": np.zeros(())}


@pytest.mark.parametrize(
    ("params", "change", "said"),
    [
        (
            {"w": np.zeros(11), "b": np.zeros(())},
            {},
            r'params are .*\(11,\).*one model .* is {"w": \(12,\)',
        ),
        ({"w": np.zeros((3, 12)), "b": np.zeros(())}, {}, "lanes before it"),
        ([1.0], {}, 'params must be a dict of "w" and "b"'),
        (GOOD, {"lam": -1.0}, "lam must be finite and at least 0, and one is -1.0"),
        (GOOD, {"lam": [1.0, 2.0]}, r"lam \(2,\) doesn't fit the lanes \(\) of the params"),
        (GOOD, {"l1_ratio": 1.5}, "l1_ratio must lie between 0 .* and one is 1.5"),
        (GOOD, {"tol": 0.0}, "tol must lie between 0 and 1, and is 0.0"),
        (GOOD, {"fold_weights": np.ones((2, len(CANCER[1])))}, r"must begin with the folds, \[2\]"),
    ],
)
def test_bad_input_is_named(params, change, said):
    with pytest.raises(ValueError, match=said):
        certificates.certify(
            Batch(*CANCER), params, **{"lam": 0.1, "loss": losses.log_loss} | change
        )


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (linear_model.LogisticRegression(), "not fitted: call fit"),
        (StandardScaler(), "StandardScaler is no linear model that is known here"),
        (
            linear_model.LogisticRegression(solver="liblinear").fit(*CANCER),
            "penalises the intercept",
        ),
        (linear_model.Ridge(positive=True).fit(*DIABETES), "positive=True"),
    ],
)
def test_an_estimator_that_cannot_be_read_is_named(estimator, said):
    x, y = DIABETES if isinstance(estimator, linear_model.Ridge) else CANCER
    with pytest.raises(ValueError, match=said):
        certificates.of_estimator(estimator, x, y)


def test_labels_that_the_fit_never_saw_are_named():
    fitted = linear_model.LogisticRegression().fit(*CANCER)
    with pytest.raises(ValueError, match="y holds 7, which is none of the classes"):
        certificates.of_estimator(fitted, CANCER[0], CANCER[1] + 7 * (CANCER[0][:, 0] > 1))
