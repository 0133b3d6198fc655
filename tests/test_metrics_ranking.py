"""Curves and areas against the definition, pair by pair, on thousands of problems."""

import functools
import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as theirs

from jaxlr import metrics
from tests.metrics_cases import NUM_CASES, NUM_THEIRS, TOLERANCE, assert_same, scores, weights

pytestmark = pytest.mark.float64

Y = np.random.default_rng(1).random((NUM_CASES, 9)) < np.linspace(0.05, 0.95, 9)[None, :]
S = scores(2)
W = weights(3)
CURVES = ["roc_curve", "precision_recall_curve", "det_curve", "confusion_matrix_at_thresholds"]


@functools.cache
def ours():
    """Every area and curve of every problem, weighted and not, from one compiled program."""

    def one(y, s, w):
        result = {}
        for name, weight in (("plain", None), ("weighted", w)):
            options = {"sample_weight": weight}
            result[f"auc {name}"] = metrics.roc_auc_score(y, s, **options)
            result[f"precision {name}"] = metrics.average_precision_score(y, s, **options)
            result[f"partial {name}"] = metrics.roc_auc_score(y, s, max_fpr=0.3, **options)
            for curve in CURVES:
                result[f"{curve} {name}"] = getattr(metrics, curve)(y, s, **options)
        return result

    problems = (jnp.asarray(Y, jnp.int32), jnp.asarray(S), jnp.asarray(W))
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(*problems))


def pairs(weight):
    """[L] twice the weight of pairs won (ties half), and of all pairs, by comparing all."""
    here, there = S[:, :, None], S[:, None, :]
    higher = (here > there).astype(float) - (here < there)
    pair = (weight * Y)[:, :, None] * (weight * ~Y)[:, None, :]
    return (pair * (higher + 1)).sum((1, 2)), pair.sum((1, 2))


def flagged(weight, at):
    """(tp, fp) [L, T] when rows scoring at least `at` [L, T] are flagged."""
    above = S[:, None, :] >= at[:, :, None]
    return ((above * (weight * kind)[:, None, :]).sum(2) for kind in (Y, ~Y))


def test_auc_is_exactly_pairs_won_over_pairs():
    """The correctly rounded quotient of two integers: not a unit in the last place apart."""
    twice_won, num_pairs = pairs(np.ones_like(S, float))
    with np.errstate(invalid="ignore"):
        quotient = (twice_won / (2 * num_pairs)).astype(ours()["auc plain"].dtype)
    np.testing.assert_array_equal(ours()["auc plain"], quotient)


def test_weighted_auc_is_the_weight_of_pairs_won():
    twice_won, all_pairs = pairs(W)
    with np.errstate(invalid="ignore"):
        assert_same(ours()["auc weighted"], twice_won / (2 * all_pairs), "auc")


@pytest.mark.parametrize("name", ["plain", "weighted"])
def test_average_precision_is_the_precision_met_on_the_way_to_each_positive(name):
    weight = np.ones_like(W) if name == "plain" else W
    tp, fp = flagged(weight, S)
    with np.errstate(invalid="ignore"):
        precision = np.where(tp + fp > 0, tp / (tp + fp), 0)
        expected = (weight * Y * precision).sum(1) / (weight * Y).sum(1)
    none = (weight * Y).sum(1) == 0
    assert_same(ours()[f"precision {name}"], np.where(none, 0, expected), "average precision")


@pytest.mark.parametrize("name", ["plain", "weighted"])
def test_each_vertex_counts_the_rows_at_or_above_its_threshold(name):
    weight = np.ones_like(W) if name == "plain" else W
    counts = ours()[f"confusion_matrix_at_thresholds {name}"]
    np.testing.assert_array_equal(counts.thresholds, -np.sort(-S, axis=1))
    tp, fp = flagged(weight, S[np.arange(len(S))[:, None], np.argsort(-S, axis=1, kind="stable")])
    positives, negatives = ((weight * kind).sum(1, keepdims=True) for kind in (Y, ~Y))
    for found, expected in zip(counts, (negatives - fp, fp, positives - tp, tp), strict=False):
        assert_same(found, expected, "counts")
    roc = ours()[f"roc_curve {name}"]
    with np.errstate(invalid="ignore"):
        assert_same(roc.fpr[:, 1:], fp / negatives, "fpr")
        assert_same(roc.tpr[:, 1:], tp / positives, "tpr")
    assert np.all(np.nan_to_num(roc.fpr[:, 0]) == 0)
    assert np.all(roc.thresholds[:, 0] == np.inf)


@pytest.mark.parametrize("name", ["plain", "weighted"])
def test_the_area_under_the_drawn_curve_is_the_auc(name):
    """So ties are collapsed: a curve through the middle of a tie would have another area."""
    roc = ours()[f"roc_curve {name}"]
    area = np.trapezoid(roc.tpr.astype(float), roc.fpr.astype(float), axis=1)
    assert_same(area, ours()[f"auc {name}"], "area", 5 * TOLERANCE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["plain", "weighted"])
def test_scikit_learn_agrees_on_areas(name):
    for i in range(NUM_THEIRS):
        if len(set(Y[i][W[i] > 0])) < 2 or not np.isfinite(S[i]).all():
            continue
        options = {"sample_weight": None if name == "plain" else W[i]}
        for ours_, metric in (
            ("auc", theirs.roc_auc_score),
            ("partial", functools.partial(theirs.roc_auc_score, max_fpr=0.3)),
            ("precision", theirs.average_precision_score),
        ):
            assert_same(ours()[f"{ours_} {name}"][i], metric(Y[i], S[i], **options), ours_)


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("name", CURVES[:3])
def test_where_values_are_known_curves_are_scikit_learns(name, drop):
    tried = 0
    for i in range(NUM_THEIRS):
        if len(set(Y[i][W[i] > 0])) < 2 or not np.isfinite(S[i]).all():
            continue
        tried += 1
        options = {"sample_weight": W[i], "drop_intermediate": drop}
        found = getattr(metrics, name)(Y[i], S[i], **options)
        expected = getattr(theirs, name)(Y[i], S[i], **options)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, name)
    assert tried > 20


@jax.jit
@jax.vmap
def both_areas(y, s):
    return metrics.roc_auc_score(y, s), metrics.average_precision_score(y, s)


@pytest.mark.parametrize("num_rows", [1, 2, 33, 1_000])
@pytest.mark.parametrize("levels", [1, 3, 40, None])
def test_any_number_of_rows_and_ties(num_rows, levels):
    """Ties longer than the four that are found in passing, and lengths around a word of bits."""
    rng = np.random.default_rng(num_rows)
    shape = (20, num_rows)
    s = rng.normal(size=shape) if levels is None else rng.integers(0, levels, shape)
    s, y = s.astype(np.float32), rng.random(shape) < 0.4
    auc, precision = both_areas(jnp.asarray(y), jnp.asarray(s))
    for i in range(20):
        if len(set(y[i])) == 2:
            assert_same(auc[i], theirs.roc_auc_score(y[i], s[i]), "auc")
            assert_same(precision[i], theirs.average_precision_score(y[i], s[i]), "precision")
        else:
            assert np.isnan(auc[i])


def test_auc_stays_exact_when_the_pairs_outgrow_float32_and_int32():
    rng = np.random.default_rng(4)
    y = rng.random(300_001) < 0.3
    s = (rng.normal(size=y.size) + y).astype(np.float32)
    s = np.where(rng.random(y.size) < 0.5, np.round(s, 2), s)
    negatives = np.sort(s[~y])
    below = np.searchsorted(negatives, s[y], "left") + np.searchsorted(negatives, s[y], "right")
    exact = Fraction(int(below.sum()), 2 * int(y.sum()) * int((~y).sum()))
    assert int(y.sum()) * int((~y).sum()) > 2**33
    found = np.asarray(jax.jit(metrics.roc_auc_score)(jnp.asarray(y), jnp.asarray(s)))
    assert found == found.dtype.type(float(exact))


def test_scores_that_only_bits_tell_apart_are_apart_and_zeros_are_one():
    tiny = np.float32(1e-45)
    assert metrics.roc_auc_score([0, 1, 0], np.array([0.0, tiny, -tiny], np.float32)) == 1
    assert metrics.roc_auc_score([0, 1], np.array([0.0, -0.0], np.float32)) == 0.5
    after = np.nextafter(np.float32(1), np.float32(2))
    assert metrics.roc_auc_score([0, 1], np.array([1, after], np.float32)) == 1
    assert metrics.roc_auc_score([0, 1], [1.0, 1.0 + 2e-16]) == 1  # float64 is heard in full
    assert metrics.roc_auc_score([0, 1, 0], [3, 10**18 + 1, 10**18]) == 1  # and so is int64


AVERAGES = (None, "micro", "macro", "weighted", "samples")
AREAS = ("roc_auc_score", "average_precision_score")


@functools.cache
def indicators():
    """Labels, scores and weights of columns, and every area of them from one compiled program."""
    rng = np.random.default_rng(5)
    y, s, w = rng.integers(0, 2, (6, 10, 3)), rng.random((6, 10, 3)), weights(6, 6, 10) + 0.125
    s = np.round(s, 1).astype(np.float32)
    y[:, 0], y[:, 1] = 1, 0  # both classes in every column, and in every row
    y[..., 0], y[..., 1] = 1 - y[..., 2], y[..., 2]

    rows = list(itertools.product(AREAS, AVERAGES))

    def one(y, s, w):
        return [getattr(metrics, area)(y, s, sample_weight=w, average=a) for area, a in rows]

    found = jax.jit(jax.vmap(one))(y, s, jnp.asarray(w))
    return y, s, w, dict(zip(rows, found, strict=True))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("name", AREAS)
def test_indicators_as_scikit_learn(name, average):
    y, s, w, inside = indicators()
    for i in range(len(y)):
        options = {"sample_weight": w[i], "average": average}
        expected = getattr(theirs, name)(y[i], s[i], **options)
        assert_same(inside[name, average][i], expected, name)
        assert_same(getattr(metrics, name)(y[i], s[i], **options), expected, name)


WAYS = [("ovr", average) for average in AVERAGES[:4]] + [("ovo", "macro"), ("ovo", "weighted")]


@functools.cache
def classes():
    """Labels and scores of three classes, and every AUC of them from one compiled program."""
    rng = np.random.default_rng(7)
    y = np.stack([rng.permutation(np.arange(10) % 3) for _ in range(6)])
    s = rng.multinomial(8, np.ones(3) / 3, (6, 10)) / 8

    def one(y, s):
        return [area_by(way, y, s) for way in WAYS]

    found = jax.jit(jax.vmap(one))(jnp.asarray(y), jnp.asarray(s, jnp.float32))
    return y, s, dict(zip(WAYS, found, strict=True))


def area_by(way, y, s):
    return metrics.roc_auc_score(y, s, multi_class=way[0], average=way[1])


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_many_classes_as_scikit_learn(way):
    y, s, inside = classes()
    for i in range(len(y)):
        expected = theirs.roc_auc_score(y[i], s[i], multi_class=way[0], average=way[1])
        assert_same(area_by(way, y[i], s[i]), expected, "eager")
        assert_same(inside[way][i], expected, "inside jit")


def test_a_class_that_never_occurs_makes_no_pairs():
    y = np.array([0, 1, 0, 1, 1])
    s = np.random.default_rng(8).dirichlet(np.ones(3), 5).astype(np.float32)
    found = metrics.roc_auc_score(y, s, multi_class="ovo", labels=[0, 1, 2])
    expected = [theirs.roc_auc_score(y == c, s[:, c]) for c in (0, 1)]
    assert_same(found, np.mean(expected), "ovo")
    rest = metrics.roc_auc_score(y, s, multi_class="ovr", average=None, labels=[0, 1, 2])
    assert np.isnan(rest[2])
    assert_same(rest[:2], expected, "ovr")


def test_one_class_is_nan_unless_told_otherwise():
    assert np.isnan(metrics.roc_auc_score([1, 1], [0.1, 0.2]))
    assert metrics.roc_auc_score([0, 0], [0.1, 0.2], undefined=0.5) == 0.5
    assert metrics.average_precision_score([0, 0], [0.1, 0.2]) == 0
    roc = metrics.roc_curve([1, 1], [0.1, 0.2])
    assert np.isnan(roc.fpr).all()
    assert not np.isnan(roc.tpr).any()
