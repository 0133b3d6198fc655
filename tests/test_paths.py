"""Exact paths: optima against scikit-learn, scipy and the conditions of optimality in numpy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import Lasso, LogisticRegression

from jaxlr import Batch, data, losses, paths
from jaxlr.paths import march, newton, proximal

pytestmark = pytest.mark.float64  # a path works in float64 whatever JAX is set to

LAMBDAS = [1.0, 0.1, 1e-2, 1e-3]


def problem(num_rows=60, num_features=5, num_classes=None, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(num_rows, num_features)) * np.logspace(0, 1, num_features)
    if num_classes is None:
        labels = (x[:, 0] + 0.1 * x[:, -1] + rng.logistic(size=num_rows) > 0).astype(int)
    else:
        scores = x[:, :num_classes] + rng.gumbel(size=(num_rows, num_classes))
        labels = scores.argmax(axis=1)
    return x, labels


BINARY = problem()
CLASSES = problem(80, 4, 3, seed=1)


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_ridge_equals_scikit_learn_at_the_same_c(kind):
    x, labels = BINARY if kind == "binary" else CLASSES
    loss = losses.log_loss if kind == "binary" else losses.softmax_cross_entropy
    path = paths.fit(Batch(x, labels), LAMBDAS, loss=loss, tol=1e-12)
    assert (path.status == paths.Status.certified).all()
    for k, lam in enumerate(LAMBDAS):
        peer = LogisticRegression(C=1 / (lam * len(x)), solver="newton-cg", tol=1e-12)
        peer.fit(x, labels)
        p = peer.predict_proba(x)[np.arange(len(x)), labels]
        risk = -np.log(p).mean() + lam / 2 * np.sum(peer.coef_**2)
        np.testing.assert_allclose(path.risk[k], risk, rtol=1e-9)
        w = peer.coef_[0] if kind == "binary" else peer.coef_.T
        # Within gap of the optimum, ‖w - w*‖² <= 2 gap / λ.
        np.testing.assert_allclose(path.params["w"][k], w, atol=2e-6 / np.sqrt(lam))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_lanes_that_are_not_proved_go_on_alone_and_are_one_program(monkeypatch, l1_ratio):
    alone, calls = (proximal if l1_ratio else newton).alone, []

    def noted(*args):
        calls.append(args)
        return alone(*args)

    monkeypatch.setattr(proximal if l1_ratio else newton, "alone", noted)
    program = alone
    compiled = march._walked._cache_size(), program._cache_size()
    x, labels = BINARY
    found = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, l1_ratio=l1_ratio, tol=1e-15)
    assert len(calls) > 1
    assert march._walked._cache_size() - compiled[0] <= 1
    assert program._cache_size() - compiled[1] <= 1
    assert (found.gap <= 1e-12 * found.risk).all()


def test_softmax_with_rare_columns_ends_at_its_optimum_from_a_cold_start():
    """From a cold start at a weak penalty, with columns that few rows have."""
    rng = np.random.default_rng(1)
    groups = rng.choice(20, 800, p=np.append(np.full(10, 0.097), np.full(10, 0.003)))
    x = np.c_[rng.normal(size=(800, 3)), np.eye(20)[groups]]
    scores = x @ rng.normal(size=(x.shape[1], 4)) * 1.5 - np.array([0, 0, 4, 5])
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    found = paths.fit(Batch(x, labels), [1e-6], loss=losses.softmax_cross_entropy)
    assert found.status == [paths.Status.certified]
    peer = LogisticRegression(C=1e6 / len(x), solver="newton-cg", tol=1e-10, max_iter=1000)
    p = peer.fit(x, labels).predict_proba(x)[np.arange(len(x)), labels]
    risk = -np.log(p).mean() + 1e-6 / 2 * np.sum(peer.coef_**2)
    np.testing.assert_allclose(found.risk, risk, rtol=1e-6)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_with_an_l1_part_the_slopes_balance_the_penalty(l1_ratio):
    """The conditions of optimality: |slope| <= λα at 0, = λα + ridge elsewhere."""
    x, labels = BINARY
    path = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, l1_ratio=l1_ratio, tol=1e-12)
    assert set(path.status) <= {paths.Status.certified, paths.Status.solved}
    for k, lam in enumerate(LAMBDAS):
        w, b = path.params["w"][k], path.params["b"][k]
        slopes = (1 / (1 + np.exp(-(x @ w + b))) - labels) / len(x)
        gradient = x.T @ slopes + lam * (1 - l1_ratio) * w
        assert abs(slopes.sum()) < 1e-12
        assert (np.abs(gradient[w == 0]) <= lam * l1_ratio * (1 + 1e-9)).all()
        np.testing.assert_allclose(
            gradient[w != 0], -lam * l1_ratio * np.sign(w[w != 0]), atol=1e-5
        )
    assert (path.params["w"][0] == 0).any() or l1_ratio < 1


def test_a_lasso_of_separable_rows_is_certified_down_to_weak_penalties():
    x, _ = BINARY
    path = paths.fit(
        Batch(x, (x[:, 0] > 0.1).astype(int)),
        [1e-2, 1e-4, 1e-6, 1e-8],
        loss=losses.log_loss,
        l1_ratio=1.0,
    )
    assert (path.status == paths.Status.certified).all()
    assert path.risk[-1] < 1e-5


def test_classes_with_an_l1_part_equal_a_smooth_solver_on_the_split_weights():
    """min over w = u - v, u, v >= 0 by scipy's L-BFGS-B: no code in common."""
    x, labels = CLASSES
    lam, size = 0.02, (3, x.shape[1])
    path = paths.fit(
        Batch(x, labels), [lam], loss=losses.softmax_cross_entropy, l1_ratio=0.7, tol=1e-10
    )

    def objective(v):
        u, v, b = v[:12].reshape(size), v[12:24].reshape(size), v[24:]
        z = x @ (u - v).T + b
        top = z.max(axis=1, keepdims=True)
        p = np.exp(z - top)
        value = np.mean(top[:, 0] + np.log(p.sum(axis=1)) - z[np.arange(len(x)), labels])
        r = (p / p.sum(axis=1, keepdims=True) - np.eye(3)[labels]) / len(x)
        ridge = lam * 0.3 * (u - v)
        value += lam * 0.15 * np.sum((u - v) ** 2) + lam * 0.7 * np.sum(u + v)
        grad = r.T @ x + ridge
        slopes = [(grad + lam * 0.7).ravel(), (-grad + lam * 0.7).ravel(), r.sum(axis=0)]
        return value, np.concatenate(slopes)

    bounds = [(0, None)] * 24 + [(None, None)] * 3
    options = {"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    peer = minimize(objective, np.zeros(27), jac=True, bounds=bounds, options=options)
    np.testing.assert_allclose(path.risk[0], peer.fun, rtol=1e-8)


def test_squared_error_equals_its_closed_form_and_scikit_learn():
    x, _ = BINARY
    y = x @ np.arange(5) + np.sin(np.arange(len(x)))
    ridge = paths.fit(Batch(x, y), LAMBDAS, loss=losses.squared_error)
    lasso = paths.fit(Batch(x, y), LAMBDAS, loss=losses.squared_error, l1_ratio=1.0, tol=1e-12)
    centred = x - x.mean(axis=0)
    for k, lam in enumerate(LAMBDAS):
        system = 2 * centred.T @ centred / len(x) + lam * np.eye(5)
        expected = np.linalg.solve(system, 2 * centred.T @ y / len(x))
        np.testing.assert_allclose(ridge.params["w"][k], expected, rtol=1e-9)
        peer = Lasso(alpha=lam / 2, tol=1e-12, max_iter=100_000).fit(x, y)
        np.testing.assert_allclose(lasso.params["w"][k], peer.coef_, atol=1e-7)


def test_any_convex_loss_of_the_logit():
    """A loss that nobody named: Huber's, smooth, against scipy."""
    x, labels = BINARY
    y = labels * 2.0 - 1

    def pseudo_huber(logit, label):
        return jnp.sqrt(1 + (logit - label) ** 2) - 1

    path = paths.fit(Batch(x, y), LAMBDAS, loss=pseudo_huber, tol=1e-10)

    def objective(v):
        r = x @ v[:-1] + v[-1] - y
        return np.mean(np.sqrt(1 + r**2) - 1) + 0.05 * np.sum(v[:-1] ** 2)

    peer = minimize(objective, np.zeros(6), options={"gtol": 1e-9})
    np.testing.assert_allclose(path.risk[1], peer.fun, rtol=1e-9)
    assert (path.status == paths.Status.certified).all()


def test_weights_are_repetition_and_folds_are_weights():
    x, labels = BINARY
    weights = np.arange(len(x)) % 3
    repeated = np.repeat(np.arange(len(x)), weights)
    folds = np.stack([np.ones(len(x)), weights])
    both = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, fold_weights=folds, tol=1e-11)
    alone = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, tol=1e-11)
    rows = Batch(x[repeated], labels[repeated])
    twice = paths.fit(rows, LAMBDAS, loss=losses.log_loss, tol=1e-11)
    for fold, other in ((0, alone), (1, twice)):
        np.testing.assert_allclose(both.params["w"][fold], other.params["w"], atol=1e-4)
        np.testing.assert_allclose(both.risk[fold], other.risk, rtol=1e-10)


def test_targets_are_lanes():
    x, labels = BINARY
    other = (x[:, 1] > 0.3).astype(int)
    path = paths.fit(Batch(x, np.stack([labels, other])), LAMBDAS, loss=losses.log_loss, tol=1e-11)
    for target, row in enumerate((labels, other)):
        alone = paths.fit(Batch(x, row), LAMBDAS, loss=losses.log_loss, tol=1e-11)
        np.testing.assert_allclose(path.params["w"][target], alone.params["w"], atol=1e-4)
    assert path.risk.shape == (2, 4)
    assert path.params["w"].shape == (2, 4, 5)


def test_a_class_without_rows_has_no_finite_intercept_and_leaves_the_others_problem():
    x, labels = CLASSES
    folds = np.stack([labels != 2, labels != 0]).astype(float)
    loss = losses.softmax_cross_entropy
    # Two classes of weights ±w/2 cost half the penalty of one logit's w: λ is twice as strong.
    twice = [lam * 2 for lam in LAMBDAS]
    path = paths.fit(Batch(x, labels), twice, loss=loss, fold_weights=folds, tol=1e-11)
    assert (path.status == paths.Status.separable).all()
    assert (path.gap <= 1e-11 * path.risk).all()
    assert (path.params["b"][[0, 1], :, [2, 0]] == -np.inf).all()
    assert (path.params["w"][[0, 1], :, :, [2, 0]] == 0).all()
    pair = labels != 2
    for k, lam in enumerate(LAMBDAS):
        peer = LogisticRegression(C=1 / (lam * pair.sum()), solver="newton-cg", tol=1e-12)
        peer.fit(x[pair], labels[pair])
        p = peer.predict_proba(x[pair])[np.arange(pair.sum()), labels[pair]]
        risk = -np.log(p).mean() + lam / 2 * np.sum(peer.coef_**2)
        np.testing.assert_allclose(path.risk[0, k], risk, rtol=1e-9)
        b = peer.intercept_[0] * np.array([-1, 1]) / 2
        np.testing.assert_allclose(path.params["b"][0, k, :2], b, atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_fold_of_one_class_is_separable_at_any_penalty(l1_ratio):
    x, labels = BINARY
    folds = np.stack([labels == 1, np.ones(60)])
    options = {"loss": losses.log_loss, "l1_ratio": l1_ratio}
    path = paths.fit(Batch(x, labels), LAMBDAS, fold_weights=folds, **options)
    whole = paths.fit(Batch(x, labels), LAMBDAS, **options)
    assert (path.status[0] == paths.Status.separable).all()
    for part in (path.risk, path.gap, path.decrement, path.params["w"]):
        assert (part[0] == 0).all()
    assert (path.params["b"][0] == np.inf).all()
    np.testing.assert_allclose(path.risk[1], whole.risk, rtol=1e-6)
    # Of a label in between the optimum is finite, of zeros alone it isn't.
    between = paths.fit(Batch(x, np.full(60, 0.3)), LAMBDAS, **options)
    assert (between.status == paths.Status.certified).all()
    np.testing.assert_allclose(between.params["b"], np.log(0.3 / 0.7), atol=1e-3)
    zeros = paths.fit(Batch(x, np.zeros(60)), LAMBDAS, **options)
    assert (zeros.status == paths.Status.separable).all()
    assert (zeros.params["b"] == -np.inf).all()


def test_more_features_than_rows():
    x, labels = problem(20, 50)
    path = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, tol=1e-12)
    peer = LogisticRegression(C=1 / (LAMBDAS[1] * 20), solver="newton-cg", tol=1e-12).fit(x, labels)
    np.testing.assert_allclose(path.params["w"][1], peer.coef_[0], atol=1e-5)


def test_the_penalty_of_a_grid_starts_where_everything_is_zero():
    x, labels = CLASSES
    loss = losses.softmax_cross_entropy
    grid = paths.lambda_grid(Batch(x, labels), loss=loss, num=5, l1_ratio=1.0)
    both = np.array([grid[0] * 1.01, grid[0] * 0.99])
    path = paths.fit(Batch(x, labels), both, loss=loss, l1_ratio=1.0, tol=1e-9)
    assert (path.params["w"][0] == 0).all()
    assert (path.params["w"][1] != 0).any()
    assert len(grid) == 5
    assert np.isclose(grid[-1] / grid[0], 1e-4)


def test_without_a_penalty_separable_labels_say_so():
    x, labels = BINARY
    lambdas = [*LAMBDAS[:-1], 0.0]
    sides = (x[:, 0] > 0).astype(int)
    apart = paths.fit(Batch(x, sides), lambdas, loss=losses.log_loss)
    assert list(apart.status) == [paths.Status.certified] * 3 + [paths.Status.separable]
    margins = (x @ apart.params["w"][-1] + apart.params["b"][-1]) * np.where(sides, 1, -1)
    assert (margins > 0).all()
    mixed = paths.fit(Batch(x, labels), lambdas, loss=losses.log_loss)
    assert list(mixed.status) == [paths.Status.certified] * 4
    peer = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-10).fit(x, labels)
    np.testing.assert_allclose(mixed.params["w"][-1], peer.coef_[0], atol=1e-3)


def test_without_a_penalty_the_risk_of_separable_labels_is_its_infimum():
    """A column that only ones have separates those rows; the rest have an optimum."""
    x, labels = BINARY
    x = x.copy()
    x[:, 4] = (labels == 1) & (np.arange(60) % 3 == 0)
    path = paths.fit(Batch(x, labels), [*LAMBDAS[:-1], 0.0], loss=losses.log_loss)
    assert path.status[-1] == paths.Status.separable
    rest = x[:, 4] == 0
    peer = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-10)
    p = peer.fit(x[rest, :4], labels[rest]).predict_proba(x[rest, :4])
    infimum = -np.log(p[np.arange(rest.sum()), labels[rest]]).sum() / 60
    np.testing.assert_allclose(path.risk[-1], infimum, rtol=1e-8)
    assert path.gap[-1] == path.decrement[-1] == np.inf
    direction = path.params["w"][-1]
    assert direction[4] > 0
    assert (direction[:4] == 0).all()


def test_where_nothing_can_be_learnt_every_weight_is_zero():
    _, labels = BINARY
    rate = labels.mean()
    constant = Batch(np.full((60, 5), 0.1), labels)
    signs = Batch(np.tile([[1.0], [-1.0]], (30, 5)), np.arange(60) // 2 % 2)
    for batch in (constant, signs):
        grid = paths.lambda_grid(batch, loss=losses.log_loss, num=4)
        assert (grid > 0).all()
        assert (np.diff(grid) < 0).all()
    path = paths.fit(constant, grid, loss=losses.log_loss)
    assert (path.status == paths.Status.certified).all()
    np.testing.assert_allclose(path.params["w"], 0, atol=1e-6)
    b = path.params["b"] + 0.1 * path.params["w"].sum(axis=-1)
    np.testing.assert_allclose(b, np.log(rate / (1 - rate)), atol=1e-5)
    numbers = Batch(BINARY[0], np.full(60, 3.7))
    path = paths.fit(numbers, LAMBDAS, loss=losses.squared_error)
    assert (path.status == paths.Status.certified).all()
    assert (path.params["w"] == 0).all()
    assert (path.params["b"] == 3.7).all()


def test_rows_without_weight_are_absent():
    x, labels = BINARY
    more = np.r_[x, np.full((2, 5), np.nan)], np.r_[labels, [-100, 99]]
    weights = np.r_[np.ones(60), 0, 0]
    folds = np.c_[np.stack([np.arange(60) % 2 > 0, np.arange(60) % 2 < 1]), [[0, 1], [1, 0]]]
    alone = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss)
    for batch, options in (
        (Batch(*more, weights), {}),
        (Batch(*more), {"fold_weights": [weights, weights]}),
    ):
        path = paths.fit(batch, LAMBDAS, loss=losses.log_loss, **options)
        risk = path.risk if not options else path.risk[1]
        np.testing.assert_allclose(risk, alone.risk, rtol=1e-6)
    options = {"loss": losses.log_loss}
    found = paths.cross_validate(Batch(*more, weights), LAMBDAS, fold_weights=folds, **options)
    own = paths.cross_validate(Batch(x, labels), LAMBDAS, fold_weights=folds[:, :60], **options)
    np.testing.assert_array_equal(found.scores, own.scores)
    np.testing.assert_array_equal(found.predictions[:60], own.predictions)
    assert np.isnan(found.predictions[60:]).all()
    grid = paths.lambda_grid(Batch(*more, weights), loss=losses.log_loss)
    np.testing.assert_array_equal(grid, paths.lambda_grid(Batch(x, labels), loss=losses.log_loss))


def test_a_run_that_may_not_finish_says_budget():
    x, labels = BINARY
    path = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, max_steps=1)
    assert path.status[-1] == paths.Status.budget
    assert (path.num_steps == 1).all()


def test_gaps_bound_what_is_left():
    """tol from 1e-2 down: whatever was reached, the gap is not below the distance to the end."""
    x, labels = BINARY
    exact = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, tol=1e-13).risk
    for tol in (1e-2, 1e-4, 1e-6):
        path = paths.fit(Batch(x, labels), LAMBDAS, loss=losses.log_loss, tol=tol)
        assert (path.gap >= path.risk - exact).all()
        assert (path.gap <= tol * path.risk).all()


class TestCrossValidation:
    @functools.cached_property
    def folds(self):
        return data.folds(jax.random.key(0), jnp.asarray(BINARY[1]), 2)

    def found(self, **options):
        x, labels = BINARY
        return paths.cross_validate(
            Batch(x, labels), LAMBDAS, loss=losses.log_loss, fold_weights=self.folds, **options
        )

    def test_scores_are_the_held_out_losses(self):
        x, labels = BINARY
        found = self.found()
        for fold in range(2):
            out = np.asarray(self.folds[fold]) == 0
            for k, lam in enumerate(LAMBDAS):
                peer = LogisticRegression(C=1 / (lam * (~out).sum()), tol=1e-10, max_iter=10_000)
                peer.fit(x[~out], labels[~out])
                p = peer.predict_proba(x[out])[np.arange(out.sum()), labels[out]]
                np.testing.assert_allclose(found.scores[fold, 0, k], -np.log(p).mean(), rtol=1e-3)
        np.testing.assert_allclose(found.mean, found.scores.mean(axis=0))
        assert tuple(found.best_mean) == (0, found.mean[0].argmin())

    def test_the_simpler_choice_is_within_one_standard_error(self):
        found = self.found(rule="one_standard_error", l1_ratio=[0.0, 0.5])
        a, k = found.best_mean
        limit = found.mean[a, k] + found.standard_error[a, k]
        simple_a, simple_k = found.one_standard_error
        assert simple_a == a
        assert simple_k <= k
        assert found.mean[a, simple_k] <= limit
        assert simple_k == 0 or found.mean[a, simple_k - 1] > limit
        assert tuple(found.chosen) == (simple_a, simple_k)

    def test_refit_and_predictions(self):
        x, labels = BINARY
        found = self.found()
        lam = LAMBDAS[found.chosen[1]]
        alone = paths.fit(Batch(x, labels), [lam], loss=losses.log_loss)
        np.testing.assert_allclose(found.refit.params["w"], alone.params["w"][0], atol=1e-3)
        assert found.refit.lambdas == lam
        fold = np.flatnonzero(np.asarray(self.folds)[:, 0] == 0)[0]
        w, b = (found.path.params[name][fold, 0, found.chosen[1]] for name in "wb")
        np.testing.assert_allclose(found.predictions[0], x[0] @ w + b)

    def test_more_of_a_metric_may_be_better(self):
        def accuracy(labels, logits, *, sample_weight):
            right = ((logits > 0) == (labels == 1)).astype(logits.dtype)
            return jnp.vdot(right, sample_weight) / jnp.sum(sample_weight)

        found = self.found(metric=accuracy, maximise=True)
        assert found.mean[tuple(found.best_mean)] == found.mean.max()

    def test_a_fold_without_a_class_is_left_out_by_name(self):
        x, labels = BINARY
        folds = np.stack([np.arange(60) % 2 > 0, labels == 0])
        found = paths.cross_validate(
            Batch(x, labels), LAMBDAS, loss=losses.log_loss, fold_weights=folds
        )
        assert found.left_out.tolist() == [False, True]
        assert np.isnan(found.scores[1]).all()
        np.testing.assert_array_equal(found.mean, found.scores[0])
        assert np.isnan(found.standard_error).all()
        assert tuple(found.one_standard_error) == tuple(found.best_mean)
        kept = folds[0] == 0
        np.testing.assert_array_equal(np.isfinite(found.predictions), kept)

    def test_a_choice_among_nan_is_refused(self):
        """A metric of two classes, on held-out rows of one."""
        x, labels = BINARY

        def apart(labels, logits, *, sample_weight):
            ones, zeros = labels * sample_weight, (1 - labels) * sample_weight
            return ones @ logits / jnp.sum(ones) - zeros @ logits / jnp.sum(zeros)

        some = np.arange(60) % 3 == 0
        folds = np.stack([~((labels == 1) & some), ~((labels == 0) & some)])
        options = {"loss": losses.log_loss, "metric": apart, "maximise": True}
        with pytest.raises(
            ValueError, match="the metric is not finite on what fold 0, 1 holds out"
        ):
            paths.cross_validate(Batch(x, labels), LAMBDAS, fold_weights=folds, **options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"rule": "cheapest"}, "rule must be one of best, one_standard_error"),
            ({"hold": "alpha"}, "hold must be one of lambda, C, and is 'alpha'"),
            ({"fold_weights": None}, "cross_validate needs fold_weights"),
            ({"fold_weights": np.ones((2, 60))}, "fold 0 of fold_weights holds no row out"),
        ],
    )
    def test_mistakes(self, options, message):
        x, labels = BINARY
        asked = {"loss": losses.log_loss, "fold_weights": self.folds} | options
        with pytest.raises(ValueError, match=message):
            paths.cross_validate(Batch(x, labels), LAMBDAS, **asked)


X, Y = BINARY
DIRTY = X.copy()
DIRTY[3, 1] = np.nan
MISTAKES = {
    "negative": ({"lambdas": [0.1, -1.0]}, "lambdas must be finite and at least 0, and one is -1"),
    "no lambdas": ({"lambdas": []}, "lambdas must be"),
    "nan": ({"x": DIRTY}, r"x must be finite; x\[3, 1\] is nan"),
    "flat x": ({"x": X[:, 0]}, r"x must be \[N, D\]"),
    "short labels": ({"labels": Y[:9]}, r"labels must be \[N\] or \[T, N\] with N = 60"),
    "two": ({"labels": Y * 2}, "labels must be 0, 1 or a probability"),
    "text": ({"labels": np.array(["a"] * 60)}, "labels must be numbers"),
    "no weight": ({"weights": np.zeros(60)}, "weights are all zero"),
    "negative weight": ({"weights": -np.ones(60)}, "weights must be finite and at least 0"),
    "short weights": ({"weights": np.ones(9)}, r"weights must be \[N\] = \[60\]"),
    "dead fold": ({"fold_weights": np.eye(2)[:, [0] * 60]}, "weights of fold 1 are all zero"),
    "flat folds": ({"fold_weights": np.ones(60)}, r"fold_weights must be \[F, N\]"),
    "ratio": ({"l1_ratio": 1.5}, "l1_ratio must lie between 0"),
    "tol": ({"tol": 0.0}, "tol must lie between 0 and 1"),
    "steps": ({"max_steps": 0}, "max_steps must be at least 1"),
    "fractions": (
        {"loss": losses.softmax_cross_entropy, "labels": Y * 1.0},
        "labels must be integer classes",
    ),
    "undeclared": (
        {"loss": losses.softmax_cross_entropy, "labels": Y * 4, "num_classes": 3},
        "labels go up to class 4, and num_classes is 3",
    ),
    "below": ({"loss": losses.softmax_cross_entropy, "labels": Y - 1}, "labels must be classes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named_before_any_work(mistake):
    options, message = MISTAKES[mistake]
    options = {"x": X, "labels": Y, "weights": None, "lambdas": LAMBDAS} | options
    options = {"loss": losses.log_loss} | options
    batch = Batch(*(options.pop(name) for name in ("x", "labels", "weights")))
    with pytest.raises(ValueError, match=message):
        paths.fit(batch, options.pop("lambdas"), **options)


@pytest.mark.parametrize(("num", "ratio"), [(0, 1e-3), (5, 2.0)])
def test_a_grid_needs_a_number_and_a_ratio(num, ratio):
    with pytest.raises(ValueError, match=r"(num|ratio) must (be at least 1|lie between 0 and 1)"):
        paths.lambda_grid(Batch(X, Y), loss=losses.log_loss, num=num, ratio=ratio)
