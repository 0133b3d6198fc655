"""Probabilities, numbers and calibration against their definitions and scikit-learn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, special
from sklearn import calibration as their_calibration
from sklearn import metrics as theirs

from jaxlr import metrics
from tests.metrics_cases import (
    LOOSE,
    NUM_CASES,
    NUM_THEIRS,
    TOLERANCE,
    assert_same,
    labels,
    scores,
    weights,
)

pytestmark = pytest.mark.float64

C = 3
Y = labels(1)[0]
W = weights(2)
# Eighths, so that certainty and ties occur and rows sum to one in every precision.
Q = np.random.default_rng(3).multinomial(8, np.ones(C) / C, Y.shape) / 8
TRUTH, GUESS = np.nan_to_num(scores(4), posinf=9, neginf=-9), np.nan_to_num(scores(5), posinf=7)
GUESS = np.where(np.arange(NUM_CASES)[:, None] % 50 == 0, TRUTH, np.maximum(GUESS, -7))
PROBABILITY = ["log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score"]
REGRESSION = [
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "median_absolute_error",
    "r2_score",
    "explained_variance_score",
    "d2_absolute_error_score",
]


@functools.cache
def ours():
    """Every metric of every problem, from one compiled program."""

    def one(y, q, truth, guess, w):
        result = {}
        for name in PROBABILITY:
            metric = functools.partial(getattr(metrics, name), sample_weight=w)
            result[name] = metric(y, q)
            result[f"{name} binary"] = metric(jnp.minimum(y, 1), q[:, 0])
        for name in REGRESSION:
            result[name] = getattr(metrics, name)(truth, guess, sample_weight=w)
        result["max_error"] = metrics.max_error(truth, guess, sample_weight=w)
        for strategy in ("uniform", "quantile"):
            ece = functools.partial(metrics.expected_calibration_error, sample_weight=w, n_bins=4)
            result[f"ece {strategy}"] = ece(jnp.minimum(y, 1), q[:, 0], strategy=strategy)
            result[f"top ece {strategy}"] = ece(y, q, strategy=strategy)
        return result

    problems = (Y, Q.astype(np.float32), TRUTH, GUESS, W.astype(np.float32))
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(*map(jnp.asarray, problems)))


def average(values, weight=W):
    return (values * weight).sum(1) / weight.sum(1)


def share(error, spread):
    with np.errstate(all="ignore"):
        return np.where(error == 0, 1, np.where(spread == 0, 0, 1 - error / spread))


def test_log_loss_and_brier_score_are_their_definitions():
    # Probabilities are clipped at the machine epsilon of the float32 they came in.
    eps = np.finfo(np.float32).eps
    hit = np.eye(C)[Y]
    surprise = -np.log(np.clip((Q * hit).sum(2), eps, 1 - eps))
    assert_same(ours()["log_loss"], average(surprise), "log loss", max(TOLERANCE, 3e-7))
    assert_same(ours()["brier_score_loss"], average(((Q - hit) ** 2).sum(2)), "brier")
    b, p = np.minimum(Y, 1), Q[..., 0]
    surprise = -np.log(np.clip(np.where(b == 1, p, 1 - p), eps, 1 - eps))
    assert_same(ours()["log_loss binary"], average(surprise), "binary", max(TOLERANCE, 3e-7))
    assert_same(ours()["brier_score_loss binary"], average((b - p) ** 2), "brier")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROBABILITY)
def test_scikit_learn_agrees_on_probabilities(name):
    for i in range(NUM_THEIRS):
        options = {"sample_weight": W[i], "labels": range(C)}
        expected = getattr(theirs, name)(Y[i], Q[i].astype(np.float32), **options)
        if not np.isfinite(expected) or abs(expected) > 1e6:
            continue  # one class only: the D² divides by a clipped zero
        assert_same(ours()[name][i], expected, name, max(TOLERANCE, 1e-6))
        exact = getattr(metrics, name)(Y[i], Q[i], **options)
        assert_same(exact, getattr(theirs, name)(Y[i], Q[i], **options), name, LOOSE)


def test_regression_metrics_are_their_definitions():
    error = TRUTH.astype(float) - GUESS
    middle = average(TRUTH.astype(float))[:, None]
    spread = average((TRUTH - middle) ** 2)
    squared = average(error**2)
    assert_same(ours()["mean_squared_error"], squared, "squared")
    assert_same(ours()["root_mean_squared_error"], np.sqrt(squared), "root")
    assert_same(ours()["mean_absolute_error"], average(np.abs(error)), "absolute")
    assert_same(ours()["max_error"], np.where(W > 0, np.abs(error), 0).max(1), "max")
    fine = (spread > 1e-9) | (squared == 0)
    assert_same(ours()["r2_score"][fine], share(squared, spread)[fine], "r2", 20 * LOOSE)
    bias = average(error)[:, None]
    explained = share(average((error - bias) ** 2), spread)
    assert_same(ours()["explained_variance_score"][fine], explained[fine], "explained", 20 * LOOSE)


@pytest.mark.parametrize("outputs", ["raw_values", "uniform_average", (0.3, 0.7)])
@pytest.mark.parametrize("name", REGRESSION)
def test_scikit_learn_agrees_on_several_outputs(name, outputs):
    if isinstance(outputs, tuple):
        outputs = list(outputs)
    for i in range(0, NUM_THEIRS, 5):
        pair = [np.stack([a[i], a[i + 1]], axis=1).astype(float) for a in (TRUTH, GUESS)]
        options = {"sample_weight": W[i], "multioutput": outputs}
        expected = getattr(theirs, name)(*pair, **options)
        # scikit-learn's quotient of dust by zero is whatever the dust was.
        assert_same(getattr(metrics, name)(*pair, **options), expected, name, 20 * LOOSE)
        one = getattr(theirs, name)(TRUTH[i].astype(float), GUESS[i].astype(float))
        assert_same(getattr(metrics, name)(TRUTH[i], GUESS[i]), one, name, 20 * LOOSE)


def test_the_weighted_median_is_the_median_of_repetitions():
    whole = np.flatnonzero((np.arange(NUM_CASES) % 3 == 1) & (np.round(W) == W).all(1))[:500]
    for i in whole:
        error = np.repeat(np.abs(TRUTH[i].astype(float) - GUESS[i]), W[i].astype(int))
        assert_same(ours()["median_absolute_error"][i], np.median(error), "median")


def bins_of(p, weight, strategy, n_bins=4):
    edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    if strategy == "quantile":
        edges = quantiles_of(p, weight, edges)
    return np.searchsorted(edges + 1e-9, p)


def quantiles_of(p, weight, at):
    """Means of the step function of sorted p over stretches of one of Kish's effective rows."""
    order = np.argsort(p)
    share = weight[order] / weight.sum()
    width = (share**2).sum()
    up_to, area = (np.append(0, np.cumsum(a)) for a in (share, share * p[order]))
    start = at * (1 - width)
    return (np.interp(start + width, up_to, area) - np.interp(start, up_to, area)) / width


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_error_is_the_gap_of_each_bin(strategy):
    for i in range(750):
        top = Q[i].argmax(1)
        for name, p, hit in (
            ("ece", Q[i, :, 0], np.minimum(Y[i], 1)),
            ("top ece", Q[i].max(1), top == Y[i]),
        ):
            place = bins_of(p, W[i], strategy)
            gaps = [abs((W[i] * (hit - p))[place == b].sum()) for b in range(4)]
            assert_same(ours()[f"{name} {strategy}"][i], sum(gaps) / W[i].sum(), name)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_curves_as_scikit_learn(strategy):
    for i in range(NUM_THEIRS):
        b, p = np.minimum(Y[i], 1), Q[i, :, 0]
        found = metrics.calibration_curve(b, p, strategy=strategy)
        expected = their_calibration.calibration_curve(b, p, strategy=strategy)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, "curve")
    inside = jax.jit(functools.partial(metrics.calibration_curve, strategy=strategy))(b, p)
    full = ~np.isnan(np.asarray(inside.prob_true))
    assert_same(np.asarray(inside.prob_true)[full], found.prob_true, "inside jit")


def test_platt_scaling_as_scikit_learn():
    rng = np.random.default_rng(6)
    s = (rng.normal(size=(20, 12)) * 10).astype(np.float32)
    y, w = rng.integers(0, 2, s.shape), weights(7, 20, 12) + 0.125
    fits = jax.jit(jax.vmap(lambda y, s, w: metrics.platt_scaling(y, s, sample_weight=w)))
    found = fits(jnp.asarray(y), jnp.asarray(s), jnp.asarray(w))
    for i in range(len(s)):
        a, b = their_calibration._sigmoid_calibration(s[i].astype(float), y[i], w[i])
        assert_same([found.slope[i], found.intercept[i]], [-a, -b], "platt", 1e-5)


def test_platt_scaling_minimises_the_log_loss():
    """Without Platt's imagined rows the gradient of the plain log-loss is zero."""
    rng = np.random.default_rng(8)
    y, s = rng.integers(0, 2, 200), rng.normal(size=200)
    slope, intercept = metrics.platt_scaling(y, s, smooth=False)
    residual = special.expit(float(slope) * s + float(intercept)) - y
    assert abs(residual.sum()) < 1e-4
    assert abs((residual * s).sum()) < 1e-4


def test_temperature_scaling_minimises_the_log_loss():
    rng = np.random.default_rng(9)
    z, y = (rng.normal(size=(20, 15, C)) * 3).astype(np.float32), rng.integers(0, C, (20, 15))
    z += 1.5 * np.eye(C)[y].astype(np.float32)
    w = weights(10, 20, 15) + 0.125
    fits = jax.jit(jax.vmap(lambda y, z, w: metrics.temperature_scaling(y, z, sample_weight=w)))
    found = np.asarray(fits(jnp.asarray(y), jnp.asarray(z), jnp.asarray(w)))
    for i in range(len(z)):

        def loss(log_beta, i=i):
            scaled = np.exp(log_beta) * z[i].astype(float)
            own = np.take_along_axis(scaled, y[i][:, None], 1)[:, 0]
            return (w[i] * (special.logsumexp(scaled, axis=1) - own)).sum()

        best = optimize.minimize_scalar(
            loss, bounds=(-8, 8), method="bounded", options={"xatol": 1e-12}
        )
        assert_same(np.log(found[i]), -best.x, "temperature", 1e-5)


def test_hopeless_logits_are_given_an_infinite_temperature():
    worse = -np.eye(C)[[0, 1, 2]]
    assert metrics.temperature_scaling([0, 1, 2], worse) == np.inf
    assert metrics.temperature_scaling([0, 1, 2], -worse) < 1e-2
    assert metrics.temperature_scaling([0, 1], [-1.0, 1.0]) < 1e-2
