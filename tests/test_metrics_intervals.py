"""DeLong, bootstrap and streams: each against the textbook, or the whole at once."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxlr import metrics
from jaxlr.metrics import streaming
from tests.metrics_cases import LOOSE, assert_same, scores

pytestmark = pytest.mark.float64

RNG = np.random.default_rng(1)
Y = RNG.permuted(np.arange(60 * 12).reshape(60, 12) % 3 == 0, axis=1).astype(np.int32)
A, B = (np.nan_to_num(scores(seed, 60, 12), posinf=5, neginf=-5) for seed in (2, 3))
A, B = (A + Y).astype(np.float32), (B + Y).astype(np.float32)


def kernel(y, s):
    """[m, n] what each positive scores against each negative: 1, ½ or 0."""
    up, down = s[y == 1][:, None], s[y == 0][None, :]
    return (up > down) + 0.5 * (up == down)


def textbook(y, *columns):
    """(AUCs, covariance) by DeLong's formula written out over all pairs."""
    kernels = [kernel(y, s) for s in columns]
    m, n = kernels[0].shape
    by_positive, by_negative = (np.array([k.mean(axis) for k in kernels]) for axis in (1, 0))
    covariance = np.atleast_2d(np.cov(by_positive)) / m + np.atleast_2d(np.cov(by_negative)) / n
    return np.array([k.mean() for k in kernels]), covariance


def test_delong_is_the_textbook_formula():
    one = jax.jit(jax.vmap(metrics.roc_auc_interval))(Y, A)
    two = jax.jit(jax.vmap(metrics.roc_auc_difference))(Y, A, B)
    for i in range(len(Y)):
        auc, covariance = textbook(Y[i], A[i], B[i])
        error = np.sqrt(covariance[0, 0])
        ends = np.clip(auc[0] + np.array([-1, 1]) * stats.norm.ppf(0.975) * error, 0, 1)
        assert_same([x[i] for x in one], [auc[0], error, *ends], "interval", max(LOOSE, 2e-7))
        gap = auc[0] - auc[1]
        error = np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0))
        assert_same([two.estimate[i]], [gap], "difference")
        if error > 1e-6:
            assert_same([two.standard_error[i]], [error], "error", 1e-6)
            assert_same([two.p_value[i]], [2 * stats.norm.sf(abs(gap) / error)], "p", 1e-5)


def test_a_score_does_not_differ_from_itself():
    same = metrics.roc_auc_difference(Y[0], A[0], A[0])
    assert (same.estimate, same.standard_error, same.p_value) == (0, 0, 1)


def test_bootstrap_agrees_with_delong_and_covers():
    """Two roads to one standard error, on enough rows for both to be right."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 400)
    s = rng.normal(size=400) + y
    metric, key = metrics.roc_auc_score, jax.random.key(0)
    delong = metrics.roc_auc_interval(y, s)
    for method in ("percentile", "basic", "normal"):
        found = metrics.bootstrap_interval(metric, key, y, s, num_resamples=400, method=method)
        assert found.estimate == delong.estimate
        assert abs(found.standard_error / delong.standard_error - 1) < 0.15
        assert abs(found.low - delong.low) < 0.5 * delong.standard_error
        assert abs(found.high - delong.high) < 0.5 * delong.standard_error


def test_bootstrap_resamples_are_what_resampling_rows_would_give():
    key = jax.random.key(1)
    counts = np.stack([metrics.resample(k, 12) for k in jax.random.split(key, 50)])
    assert (counts.sum(1) == 12).all()
    values = np.array([np.mean(np.repeat(A[0] < 0.5, c)) for c in counts])
    options = {"num_resamples": 50, "chunk": 7}
    metric = functools.partial(metrics.zero_one_loss)
    y, p = np.zeros(12, int), (A[0] < 0.5).astype(int)
    found = metrics.bootstrap_interval(metric, key, y, p, **options)
    assert_same(found.standard_error, values.std(ddof=1), "error", 1e-6)
    assert_same([found.low, found.high], np.quantile(values, [0.025, 0.975]), "ends", 1e-6)


def test_strata_keep_their_sizes():
    strata = jnp.asarray([0, 1, 1, 2, 2, 2, 0, 0])
    draws = jax.vmap(lambda k: metrics.resample(k, 8, strata))(
        jax.random.split(jax.random.key(2), 99)
    )
    for stratum, size in ((0, 3), (1, 2), (2, 3)):
        assert (np.asarray(draws)[:, np.asarray(strata) == stratum].sum(1) == size).all()
    assert abs(np.asarray(draws).mean() - 1) < 1e-6
    assert np.asarray(draws).max() > 1


def batches(stream, *columns, sizes=(5, 0, 4, 3)):
    """Each batch's own state, from an update of nothing."""
    cuts = np.cumsum(sizes)[:-1]
    parts = zip(*(np.split(c, cuts) for c in columns), strict=True)
    return [stream.update(stream.init(), *part) for part in parts if len(part[0])]


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_of_batches_are_the_counts_of_the_whole(weighted):
    stream = streaming.confusion(3, weighted=weighted)
    y, p = np.random.default_rng(6).integers(0, 3, (2, 12))
    w = (np.random.default_rng(7).random(12) if weighted else np.arange(12)).astype(np.float32)
    w = w if weighted else w.astype(int)
    first, *rest = batches(stream, y, p, w)
    expected = metrics.confusion_matrix(y, p, sample_weight=w, num_classes=3)
    assert_same(stream.result(functools.reduce(stream.merge, rest, first)), expected, "merge")
    updates = jax.jit(stream.update)
    state = updates(updates(stream.init(), y[:6], p[:6], w[:6]), y[6:], p[6:], w[6:])
    assert_same(stream.result(state), expected, "update")


def test_a_weighted_stream_loses_nothing_to_rounding():
    """A million tenths: a running float32 sum is off by a hundred."""
    stream = streaming.confusion(1, weighted=True)
    zeros, tenths = jnp.zeros(1, int), jnp.full(1, 0.1, jnp.float32)

    def add(state, _):
        return stream.update(state, zeros, zeros, tenths), None

    state, _ = jax.jit(lambda s: jax.lax.scan(add, s, length=100_000))(stream.init())
    expected = 100_000 * float(np.float32(0.1))
    assert_same(stream.result(state)[0, 0], expected, "sum", 1e-7)


def test_auc_of_batches_is_the_auc_of_the_whole():
    stream = streaming.exact_auc(20)
    first, *rest = batches(stream, Y[0], A[0])
    found = stream.result(functools.reduce(stream.merge, rest, first))
    assert_same(found, metrics.roc_auc_score(Y[0], A[0]), "auc")
    full = stream.update(functools.reduce(stream.merge, rest, first), Y[1], A[1])
    assert np.isnan(stream.result(full))  # 24 rows in a room for 20


@pytest.mark.parametrize("num_bins", [2, 16, 4096])
def test_a_histograms_auc_errs_by_no_more_than_it_says(num_bins):
    stream = streaming.histogram_auc(num_bins, -4.0, 6.0)
    auc, bound = jax.jit(jax.vmap(lambda y, s: stream.result(stream.update(stream.init(), y, s))))(
        Y, A
    )
    for i in range(len(Y)):
        exact = kernel(Y[i], A[i]).mean()
        assert abs(float(auc[i]) - exact) <= bound[i] + 1e-6
    first, *rest = batches(stream, Y[0], A[0])
    merged = stream.result(functools.reduce(stream.merge, rest, first))
    assert_same(merged, (auc[0], bound[0]), "merged")
    assert bound.mean() < (1 if num_bins == 2 else 0.2)
