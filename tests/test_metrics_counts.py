"""Figures of counts against textbook formulas in numpy, by the thousand, and scikit-learn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as theirs

from jaxlr import metrics
from jaxlr.metrics import figures
from tests.metrics_cases import NUM_CASES, NUM_THEIRS, assert_same, labels, weights

pytestmark = pytest.mark.float64

C = 3
AVERAGES = [None, "micro", "macro", "weighted"]
BY_CLASS = ["precision", "recall", "f1", "jaccard", "specificity"]
LABELS = list(range(C))
Y, P = labels(1)
W = weights(2)


@functools.cache
def ours():
    """Every figure of every problem, from one compiled program."""

    def one(y, p, w):
        options = {"sample_weight": w, "num_classes": C}
        result = {
            "confusion": metrics.confusion_matrix(y, p, **options),
            "tables": metrics.multilabel_confusion_matrix(y, p, **options),
            "accuracy": metrics.accuracy_score(y, p, sample_weight=w),
            "balanced": metrics.balanced_accuracy_score(y, p, **options),
            "adjusted": metrics.balanced_accuracy_score(y, p, adjusted=True, **options),
            "matthews": metrics.matthews_corrcoef(y, p, **options),
            "zero_one": metrics.zero_one_loss(y, p, sample_weight=w),
            "hamming": metrics.hamming_loss(y, p, sample_weight=w),
        }
        for cost in (None, "linear", "quadratic"):
            result[f"kappa {cost}"] = metrics.cohen_kappa_score(y, p, weights=cost, **options)
        for norm in ("true", "pred", "all"):
            result[f"share {norm}"] = metrics.confusion_matrix(y, p, normalize=norm, **options)
        for name in BY_CLASS:
            for average in AVERAGES:
                score = getattr(metrics, f"{name}_score")
                result[f"{name} {average}"] = score(y, p, average=average, **options)
        for beta in (0.0, 0.5, 2.0):
            fbeta = metrics.fbeta_score(y, p, beta=beta, average="macro", **options)
            result[f"fbeta {beta}"] = fbeta
        return result

    found = jax.jit(jax.vmap(one))(jnp.asarray(Y), jnp.asarray(P), jnp.asarray(W))
    return jax.tree.map(np.asarray, found)


def cells():
    """[L, C, C] counts, by comparing every label with every class."""
    true, predicted = (y[..., None] == np.arange(C) for y in (Y, P))
    return np.einsum("ln,lni,lnj->lij", W, true, predicted)


def over(numerator, denominator, otherwise=0.0):
    with np.errstate(all="ignore"):
        return np.where(denominator == 0, otherwise, numerator / denominator)


def averaged(parts, average, support):
    numerator, denominator = parts
    if average == "micro":
        return over(numerator.sum(-1), denominator.sum(-1))
    values = over(numerator, denominator)
    if average is None:
        return values
    if average == "macro":
        return values.mean(-1)
    return np.where(
        support.sum(-1) == 0, values.mean(-1), over((support * values).sum(-1), support.sum(-1))
    )


def test_confusion_matrices_are_the_weight_of_each_pair_of_classes():
    counts = cells()
    assert_same(ours()["confusion"], counts, "confusion")
    total = counts.sum((1, 2), keepdims=True)
    tp = np.einsum("lii->li", counts)
    fn, fp = counts.sum(2) - tp, counts.sum(1) - tp
    tn = total[:, :, 0] - tp - fn - fp
    assert_same(
        ours()["tables"], np.moveaxis(np.array([[tn, fp], [fn, tp]]), (0, 1), (2, 3)), "tables"
    )
    for norm, axis in (("true", 2), ("pred", 1), ("all", (1, 2))):
        shares = over(counts, counts.sum(axis, keepdims=True))
        assert_same(ours()[f"share {norm}"], shares, norm)


def test_integer_weights_are_counted_exactly():
    whole = np.arange(NUM_CASES) % 3 < 2
    np.testing.assert_array_equal(ours()["confusion"][whole], cells()[whole])


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("name", BY_CLASS)
def test_figures_of_a_class_follow_from_its_table(name, average):
    counts = cells()
    tp = np.einsum("lii->li", counts)
    fn, fp = counts.sum(2) - tp, counts.sum(1) - tp
    tn = counts.sum((1, 2))[:, None] - tp - fn - fp
    # Differences of fractions leave dust where there is nothing.
    fn, fp, tn = (np.where(np.abs(x) < 1e-12, 0, x) for x in (fn, fp, tn))
    parts = {
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "f1": (2 * tp, 2 * tp + fp + fn),
        "jaccard": (tp, tp + fp + fn),
        "specificity": (tn, tn + fp),
    }[name]
    assert_same(ours()[f"{name} {average}"], averaged(parts, average, tp + fn), name)


def test_figures_of_the_whole_against_their_definitions():
    right = Y == P
    share = np.average(right, axis=1, weights=W)
    for name, value in (("accuracy", share), ("zero_one", 1 - share), ("hamming", 1 - share)):
        assert_same(ours()[name], value, name)
    counts = cells()
    with np.errstate(all="ignore"):
        recalls = np.einsum("lii->li", counts) / counts.sum(2)
        balanced, present = np.nanmean(recalls, axis=1), (counts.sum(2) > 0).sum(1)
        adjusted = (balanced - 1 / present) / (1 - 1 / present)
    assert_same(ours()["balanced"], balanced, "balanced")
    assert_same(ours()["adjusted"], adjusted, "adjusted")


def test_matthews_is_the_correlation_of_indicators():
    """Gorodkin's covariance of the one-hot truth and the one-hot prediction, from the rows."""
    true, predicted = (y[..., None] == np.arange(C) for y in (Y, P))
    share = W / W.sum(1, keepdims=True)
    apart = [x - np.einsum("ln,lnc->lc", share, x)[:, None, :] for x in (true, predicted)]
    across = np.einsum("ln,lnc,lnc->l", share, *apart)
    spread = [np.einsum("ln,lnc,lnc->l", share, x, x) for x in apart]
    fine = (spread[0] > 1e-12) & (spread[1] > 1e-12)
    expected = np.where(fine, over(across, np.sqrt(spread[0] * spread[1])), 0)
    assert_same(
        ours()["matthews"],
        expected,
        "matthews",
        max(1e-11, 1e-6 * (ours()["matthews"].dtype == np.float32)),
    )


@pytest.mark.parametrize("cost", [None, "linear", "quadratic"])
def test_kappa_is_one_minus_observed_over_expected_cost(cost):
    apart = np.abs(np.arange(C)[:, None] - np.arange(C)[None, :])
    price = {None: apart > 0, "linear": apart, "quadratic": apart**2}[cost].astype(float)
    seen = np.average(price[Y, P], axis=1, weights=W)
    everyone = W[:, :, None] * W[:, None, :]
    expected = (everyone * price[Y[:, :, None], P[:, None, :]]).sum((1, 2)) / W.sum(1) ** 2
    # A quotient of two rounded sums near zero is as unsure as they are.
    assert_same(
        ours()[f"kappa {cost}"],
        1 - over(seen, expected, np.nan),
        "kappa",
        1e-11 if ours()["accuracy"].dtype == np.float64 else 1e-6,
    )


THEIRS = {
    "confusion": lambda y, p, **w: theirs.confusion_matrix(y, p, labels=LABELS, **w),
    "accuracy": theirs.accuracy_score,
    "zero_one": theirs.zero_one_loss,
    "hamming": theirs.hamming_loss,
    "balanced": theirs.balanced_accuracy_score,
    "matthews": theirs.matthews_corrcoef,
    "kappa linear": lambda y, p, **w: theirs.cohen_kappa_score(y, p, weights="linear", **w),
    **{
        f"{name} {average}": functools.partial(
            getattr(theirs, f"{name}_score"), labels=LABELS, average=average, zero_division=0
        )
        for name in BY_CLASS[:4]
        for average in AVERAGES
    },
    **{
        f"fbeta {beta}": functools.partial(
            theirs.fbeta_score, beta=beta, labels=LABELS, average="macro", zero_division=0
        )
        for beta in (0.0, 0.5, 2.0)
    },
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIRS)
def test_scikit_learn_agrees(name):
    for i in range(NUM_THEIRS):
        if name == "balanced" and W[i][Y[i] == P[i]].sum() == 0:
            continue
        expected = THEIRS[name](Y[i], P[i], sample_weight=W[i])
        assert_same(ours()[name][i], expected, f"{name} of problem {i}")


@pytest.mark.parametrize("name", BY_CLASS)
def test_the_lectures_micro_averages_the_counts_and_its_macro_the_figures(name):
    """Average TP, FP, TN, FN over the K tables, then the figure; or the figure, then average."""
    tables = ours()["tables"].astype(float)
    figure = getattr(figures, "f_beta" if name == "f1" else name)
    micro = figure(tables.mean(axis=1, keepdims=True))[:, 0]
    assert_same(micro, ours()[f"{name} micro"], name)
    assert_same(figure(tables).mean(axis=1), ours()[f"{name} macro"], name)


def test_a_weight_is_a_repetition():
    y, p = labels(5, 300)
    counts = np.random.default_rng(6).integers(0, 3, y.shape)
    counts[:, 0] += 1
    for i in range(5):
        repeated = [np.repeat(a[i], counts[i]) for a in (y, p)]
        for metric in (metrics.matthews_corrcoef, metrics.cohen_kappa_score):
            weighted = metric(y[i], p[i], sample_weight=counts[i])
            assert_same(weighted, metric(*repeated), metric.__name__)


OF_INDICATORS = [
    (f"{name}_score", average) for name in BY_CLASS[:4] for average in [*AVERAGES, "samples"]
]


@functools.cache
def indicators():
    """Indicators and weights, and every figure of them from one compiled program."""
    y, p = np.random.default_rng(7).integers(0, 2, (2, 8, 6, 3))
    w = weights(8, 8, 6)

    def one(y, p, w):
        return [getattr(metrics, f)(y, p, sample_weight=w, average=a) for f, a in OF_INDICATORS]

    found = jax.jit(jax.vmap(one))(y, p, jnp.asarray(w))
    return y, p, w, dict(zip(OF_INDICATORS, found, strict=True))


@pytest.mark.parametrize(("name", "average"), OF_INDICATORS)
def test_indicators_as_scikit_learn(name, average):
    y, p, w, inside = indicators()
    for i in range(len(y)):
        options = {"sample_weight": w[i], "average": average}
        expected = getattr(theirs, name)(y[i], p[i], zero_division=0, **options)
        assert_same(getattr(metrics, name)(y[i], p[i], **options), expected, name)
        assert_same(inside[name, average][i], expected, name)


@pytest.mark.filterwarnings("ignore")
def test_top_k_and_likelihood_ratios_as_scikit_learn():
    rng = np.random.default_rng(9)
    y, w = rng.integers(0, 4, (40, 8)), weights(10, 40, 8)
    s = np.round(rng.random((40, 8, 4)), 1).astype(np.float32)
    top = {k: functools.partial(metrics.top_k_accuracy_score, k=k) for k in (1, 2, 3)}
    inside = jax.jit(
        jax.vmap(lambda *a: {k: f(*a[:2], sample_weight=a[2]) for k, f in top.items()})
    )
    found = inside(jnp.asarray(y), jnp.asarray(s), jnp.asarray(w))
    ratios = jax.jit(jax.vmap(metrics.class_likelihood_ratios))(
        jnp.asarray(y % 2), jnp.asarray(y // 2)
    )
    for i in range(len(y)):
        for k in top:
            expected = theirs.top_k_accuracy_score(
                y[i], s[i], k=k, sample_weight=w[i], labels=range(4)
            )
            assert_same(found[k][i], expected, "top k")
        expected = theirs.class_likelihood_ratios(y[i] % 2, y[i] // 2, labels=[0, 1])
        assert_same([r[i] for r in ratios], expected, "ratios")


@pytest.mark.filterwarnings("ignore")
def test_the_report_reads_as_scikit_learns():
    rng = np.random.default_rng(11)
    y, p = rng.integers(0, 3, (2, 40))
    names = ["a rather long name", "b", "c"]
    for options in ({}, {"labels": [0, 2]}, {"target_names": names, "digits": 4}):
        expected = theirs.classification_report(y, p, zero_division=0, **options)
        assert metrics.classification_report(y, p, **options) == expected
    y, p = rng.integers(0, 2, (2, 40, 3))
    assert metrics.classification_report(y, p) == theirs.classification_report(y, p)
    ours_ = metrics.classification_report(y, p, output_dict=True)
    for name, line in theirs.classification_report(y, p, output_dict=True).items():
        assert_same(list(ours_[name].values()), [line[k] for k in ours_[name]], name, 1e-12)
