"""Choosing as scikit-learn chooses: its folds, its metrics, its refit; data sets; orders of λ."""

from functools import partial

import jax
import numpy as np
import pytest
import sklearn.metrics
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge
from sklearn.model_selection import StratifiedKFold

from jaxlr import Batch, losses, metrics, paths
from jaxlr.metrics import kinds
from jaxlr.paths import scorers

pytestmark = pytest.mark.float64

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 4))
TWO = (X[:, 0] + RNG.logistic(size=60) > 0).astype(int)
THREE = (X[:, :3] + RNG.gumbel(size=(60, 3))).argmax(axis=1)
NUMBERS = X @ [1.0, -1.0, 0.5, 0.0] + RNG.normal(size=60)
LAMBDAS = np.array([0.1, 1.0, 0.003, 0.03])  # in no order
KINDS = {
    "two": (losses.log_loss, TWO),
    "three": (losses.softmax_cross_entropy, THREE),
    "numbers": (losses.squared_error, NUMBERS),
}


def folds_of(labels, num=3):
    folds = np.ones((num, len(labels)))
    for fold, (_, out) in enumerate(StratifiedKFold(num).split(X, labels)):
        folds[fold, out] = 0
    return folds


FOLDS = np.repeat(np.arange(3)[:, None], 60, axis=1) != np.arange(60) % 3


def found(kind="two", **options):
    loss, labels = KINDS[kind]
    given = {"lambdas": LAMBDAS, "loss": loss, "fold_weights": FOLDS * 1.0} | options
    return paths.cross_validate(Batch(X, labels), given.pop("lambdas"), **given)


@pytest.mark.parametrize("kind", ["two", "three"])
def test_scikit_learn_s_own_cross_validation_chooses_and_refits_alike(kind):
    labels = KINDS[kind][1]
    costs = 1 / (LAMBDAS * 40)
    splits = [(np.flatnonzero(row), np.flatnonzero(~row)) for row in FOLDS]
    peer = LogisticRegressionCV(Cs=np.sort(costs), cv=splits, l1_ratios=(0,), max_iter=10_000)
    peer.set_params(scoring="neg_log_loss", tol=1e-10, use_legacy_attributes=False).fit(X, labels)
    ours = found(kind, hold="C", tol=1e-12)
    np.testing.assert_allclose(-ours.scores[:, :, np.argsort(costs)], peer.scores_, rtol=1e-5)
    assert costs[ours.chosen[1]] == pytest.approx(peer.C_)
    assert ours.best.lambdas == pytest.approx(1 / (peer.C_ * 60))
    w = ours.best.params["w"].T if kind == "three" else ours.best.params["w"][None]
    np.testing.assert_allclose(w, peer.coef_, atol=1e-5)
    theirs = peer.predict_proba(X) if kind == "three" else peer.predict_proba(X)[:, 1]
    np.testing.assert_allclose(ours.probabilities(X), theirs, atol=1e-5)


@pytest.mark.parametrize("hold", ["lambda", "C"])
def test_a_refit_keeps_what_it_is_told_to(hold):
    """Folds of different sizes, weighted rows: λ alone says the same of all of them."""
    weights, folds = RNG.integers(1, 4, 60).astype(float), FOLDS * 1.0
    folds[0, :20] = 0
    options = {"loss": losses.log_loss, "fold_weights": folds, "hold": hold, "tol": 1e-12}
    ours = paths.cross_validate(Batch(X, TWO, weights), LAMBDAS, **options)
    lam = LAMBDAS[ours.chosen[1]]
    if hold == "C":
        lam = lam * np.mean(folds @ weights) / weights.sum()
    assert ours.best.lambdas == pytest.approx(lam)
    peer = LogisticRegression(C=1 / (lam * weights.sum()), tol=1e-12, max_iter=10_000)
    peer.fit(X, TWO, sample_weight=weights)
    np.testing.assert_allclose(ours.best.params["w"], peer.coef_[0], atol=1e-6)
    assert ours.best.status == paths.Status.certified


def test_least_squares_keep_c_too():
    ours = found("numbers", hold="C")
    lam = LAMBDAS[ours.chosen[1]] * 40 / 60
    peer = Ridge(alpha=lam * 60 / 2).fit(X, NUMBERS)
    np.testing.assert_allclose(ours.best.params["w"], peer.coef_, rtol=1e-9)
    folds = [Ridge(alpha=LAMBDAS[0] * 40 / 2).fit(X[row], NUMBERS[row]).coef_ for row in FOLDS]
    np.testing.assert_allclose(ours.at(lambda_=0.1, l1_ratio=0).params["w"], folds, rtol=1e-9)


def theirs(name, kind, labels, logits):
    """scikit-learn's figure of held-out logits."""
    peer, many = getattr(sklearn.metrics, name), kind == "three"
    if kind == "numbers":
        return peer(labels, logits)
    p = np.exp(logits - logits.max(axis=1, keepdims=True)) if many else 1 / (1 + np.exp(-logits))
    p = p / p.sum(axis=1, keepdims=True) if many else p
    options = {"average": "macro"} if many and name in kinds.AVERAGED else {}
    options |= {"multi_class": "ovr"} if many and name == "roc_auc_score" else {}
    if name == "top_k_accuracy_score":
        return peer(labels, p, k=1, labels=np.arange(3) if many else None)
    if kinds.KINDS[name] == "classes":
        return peer(labels, logits.argmax(axis=1) if many else logits > 0, **options)
    return peer(labels, p, **options)


MORE = {name for name in kinds.KINDS if name.endswith(("_score", "_corrcoef"))}
CASES = [
    (name, kind)
    for name, wants in kinds.KINDS.items()
    for kind in (["numbers"] if wants == "numbers" else ["two", "three"])
    if hasattr(sklearn.metrics, name) and name != "fbeta_score"
]


@pytest.mark.filterwarnings("ignore:.* is ill-defined")  # where no row is called so
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_metric_needs_no_wrapper(name, kind):
    metric = getattr(metrics, name)
    if name == "top_k_accuracy_score":
        metric = partial(metric, k=1)
    ours = found(kind, metric=metric)
    labels, x = KINDS[kind][1], X
    for fold, row in enumerate(FOLDS):
        for k in range(len(LAMBDAS)):
            at = ours.at(fold=fold, l1_ratio=0, lambda_=LAMBDAS[k])
            logits = x[~row] @ at.params["w"] + at.params["b"]
            expected = theirs(name, kind, labels[~row], logits)
            np.testing.assert_allclose(ours.scores[fold, 0, k], expected, rtol=1e-6)
    better = np.nanmax if name in MORE else np.nanmin
    assert ours.mean[tuple(ours.best_mean)] == better(ours.mean)
    against = found(kind, metric=metric, maximise=name not in MORE)
    worse = np.nanmin if name in MORE else np.nanmax
    assert against.mean[tuple(against.best_mean)] == worse(ours.mean)


def test_what_a_partial_says_of_averages_is_kept():
    labels = KINDS["three"][1]
    ours = found("three", metric=partial(metrics.f1_score, average="weighted"))
    at, out = ours.at(fold=0, l1_ratio=0, lambda_=LAMBDAS[0]), ~FOLDS[0]
    said = at.predict(X[out]).argmax(axis=1)
    expected = sklearn.metrics.f1_score(labels[out], said, average="weighted")
    np.testing.assert_allclose(ours.scores[0, 0, 0], expected, rtol=1e-6)


def test_every_metric_that_chooses_knows_which_way_is_better():
    """The names say so; here the figures of right and of wrong predictions do."""
    labels = np.arange(12) % 2
    right = {
        "classes": labels,
        "probabilities": 0.1 + 0.8 * labels,
        "ranks": 1.0 * labels,
        "numbers": labels + 0.1,
    }
    for name, kind in kinds.KINDS.items():
        metric, wrong = getattr(metrics, name), 1 - right[kind]
        metric = partial(metric, k=1) if name == "top_k_accuracy_score" else metric
        metric = partial(metric, beta=1) if name == "fbeta_score" else metric
        told = metric(labels, right[kind]) > metric(labels, wrong)
        assert kinds.more_is_better(name) == (name in MORE) == told, name
    assert scorers.scorer(jax.jit(metrics.f1_score), None, losses.log_loss, None).maximise


def log_odds(logit, label):  # a user's loss
    return (1 - 2 * label) * logit + 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": metrics.roc_curve}, "metric roc_curve is no single figure of predictions"),
        ({"metric": metrics.r2_score}, "metric r2_score is one of numbers, and log_loss predicts"),
        ({"metric": sklearn.metrics.f1_score}, r"scikit-learn's f1_score, .* jaxlr.metrics.f1_s"),
        ({"metric": metrics.f1_score, "kind": "numbers"}, "f1_score is one of classes, and squ"),
        ({"metric": metrics.log_loss, "loss": log_odds}, "is one of probabilities, and .*log_odds"),
        (
            {"fold_weights": FOLDS[:1] * 1.0, "rule": "one_standard_error"},
            "rule one_standard_error needs two folds, and there is one",
        ),
    ],
)
def test_what_can_not_choose_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        found(**options)


def test_probabilities_for_labels_are_no_classes():
    soft = np.where(np.arange(60) == 7, 0.25, TWO)
    with pytest.raises(ValueError, match=r"one of classes, and labels hold 0.25, which is none"):
        paths.cross_validate(
            Batch(X, soft),
            LAMBDAS,
            loss=losses.log_loss,
            fold_weights=FOLDS * 1.0,
            metric=metrics.accuracy_score,
        )


def test_one_split_is_enough():
    ours = found(fold_weights=FOLDS[:1] * 1.0, metric=metrics.accuracy_score)
    all_folds = found(metric=metrics.accuracy_score)
    np.testing.assert_allclose(ours.scores[0], all_folds.scores[0])
    np.testing.assert_array_equal(ours.mean, ours.scores[0])
    assert np.isnan(ours.standard_error).all()
    np.testing.assert_array_equal(ours.one_standard_error, ours.best_mean)
    assert np.isfinite(ours.predictions).sum() == 20
    assert ours.frame()["score"].tolist() == ours.scores.ravel().tolist()
    assert LAMBDAS[ours.chosen[1]] == LAMBDAS[ours.mean[0] == ours.mean.max()].max()


def test_default_penalties_are_of_all_rows_and_predictions_means_over_folds():
    folds = np.stack([FOLDS[0], FOLDS[0] & FOLDS[1], FOLDS[2]]) * 1.0
    ours = found(lambdas=None, fold_weights=folds)
    grid = paths.lambda_grid(Batch(X, TWO), loss=losses.log_loss)
    np.testing.assert_allclose(ours.lambdas, grid)
    logits = ours.at(l1_ratio=0, lambda_=ours.lambdas[ours.chosen[1]]).predict(X)
    expected = np.nanmean(np.where(folds == 0, logits, np.nan), axis=0)
    np.testing.assert_allclose(ours.predictions, expected, rtol=1e-12)


def test_penalties_come_back_in_the_order_they_went():
    options = {"loss": losses.log_loss, "fold_weights": FOLDS * 1.0}
    there = np.array([3, 1, 1, 0, 2, 3])
    given = np.sort(LAMBDAS)[::-1]
    plain = paths.fit(Batch(X, TWO), given, **options)
    mixed = paths.fit(Batch(X, TWO), given[there], **options)
    assert (np.diff(plain.risk) < 0).all()  # a weaker penalty, a smaller risk
    np.testing.assert_array_equal(mixed.risk, plain.risk[:, there])
    np.testing.assert_array_equal(mixed.params["w"], plain.params["w"][:, there])
    np.testing.assert_array_equal(mixed.lambdas, given[there])
    crossed = paths.cross_validate(
        Batch(X, TWO), given[there], rule="one_standard_error", **options
    )
    sorted_ = paths.cross_validate(Batch(X, TWO), given, rule="one_standard_error", **options)
    np.testing.assert_array_equal(crossed.scores, sorted_.scores[:, :, there])
    for name in ("best_mean", "one_standard_error", "chosen"):
        k, own = getattr(crossed, name)[1], getattr(sorted_, name)[1]
        assert given[there][k] == given[own]
        assert k == np.argmax(there == own)  # of equal ones the first
    assert crossed.refit.lambdas == sorted_.refit.lambdas


SETS = np.stack([X, X[:, ::-1] + 1, X * [1, 2, 3, 4]])


def count_compilations(call):
    seen = []

    def heard(event, _, **__):
        if event.endswith("backend_compile_duration"):
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        return call(), len(seen)
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)


@pytest.mark.parametrize("own_labels", [False, True])
def test_data_sets_are_lanes_of_programs_that_are_compiled_once(own_labels):
    options = {"loss": losses.log_loss, "fold_weights": FOLDS * 1.0}
    labels = np.stack([TWO, 1 - TWO, TWO]) if own_labels else np.stack([TWO] * 3)
    alone = [
        paths.cross_validate(Batch(x, y), LAMBDAS, **options)
        for x, y in zip(SETS, labels, strict=True)
    ]
    batch = Batch(SETS, labels if own_labels else TWO)
    crossed, spent = count_compilations(lambda: paths.cross_validate(batch, LAMBDAS, **options))
    path, also = count_compilations(lambda: paths.fit(batch, LAMBDAS, **options))
    assert spent == 0
    assert also <= 2  # without the refit's lane it is another program: the path and its proof
    assert crossed.path.axes == ("dataset", "fold", "l1_ratio", "lambda")
    assert path.axes == ("dataset", "fold", "lambda")
    for s, one in enumerate(alone):
        np.testing.assert_array_equal(crossed.scores[s], one.scores)
        np.testing.assert_array_equal(crossed.chosen[s], one.chosen)
        np.testing.assert_array_equal(crossed.predictions[s], one.predictions)
        np.testing.assert_array_equal(crossed.best.params["w"][s], one.best.params["w"])
        np.testing.assert_allclose(path.risk[s], one.path.risk[:, 0], rtol=1e-6)
    assert crossed.probabilities(SETS).shape == (3, 60)


def test_targets_lead_and_weights_and_folds_may_be_a_data_set_s_own():
    labels = np.stack([np.stack([TWO] * 3), np.stack([TWO, 1 - TWO, TWO])])  # [T, S, N]
    weights, folds = RNG.integers(1, 3, (3, 60)), np.stack([FOLDS, FOLDS[::-1], FOLDS]) * 1.0
    found = paths.fit(
        Batch(SETS, labels, weights), LAMBDAS, loss=losses.log_loss, fold_weights=folds
    )
    assert found.axes == ("target", "dataset", "fold", "lambda")
    one = paths.fit(
        Batch(SETS[1], labels[:, 1], weights[1]),
        LAMBDAS,
        loss=losses.log_loss,
        fold_weights=folds[1],
    )
    np.testing.assert_array_equal(found.risk[:, 1], one.risk)
    grid = paths.lambda_grid(Batch(SETS, TWO), loss=losses.log_loss, num=3)
    each = [paths.lambda_grid(Batch(x, TWO), loss=losses.log_loss, num=3) for x in SETS]
    np.testing.assert_allclose(grid, np.max(each, axis=0))


def test_classes_are_those_of_all_data_sets():
    labels = np.stack([THREE, np.where(THREE == 2, 0, THREE), THREE])
    path = paths.fit(Batch(SETS, labels), LAMBDAS, loss=losses.softmax_cross_entropy)
    assert path.params["w"].shape == (3, 4, 4, 3)
    assert (path.status[1] == paths.Status.separable).all()
    assert (path.params["b"][1, :, 2] == -np.inf).all()
    assert (path.status[[0, 2]] == paths.Status.certified).all()


BAD = SETS.copy()
BAD[2, 4, 1] = np.nan


@pytest.mark.parametrize(
    ("batch", "folds", "message"),
    [
        (Batch(SETS, np.stack([TWO] * 2)), None, r"labels must be \[N\], \[S, N\] or \[T, S, N\]"),
        (Batch(SETS, TWO, np.ones((2, 60))), None, r"weights must be \[N\] or \[S, N\] beside x"),
        (Batch(SETS, TWO), np.ones((2, 1, 60)), r"fold_weights must be \[F, N\] or \[S, F, N\]"),
        (Batch(BAD, TWO), None, r"data set 2: x must be finite; x\[4, 1\] is nan"),
        (Batch(SETS[:0], TWO), None, r"x must be \[S, N, D\] with a data set at least"),
        (Batch(SETS[None], TWO), None, r"x must be \[N, D\]"),
    ],
)
def test_data_sets_that_do_not_fit_are_named(batch, folds, message):
    with pytest.raises(ValueError, match=message):
        paths.fit(batch, LAMBDAS, loss=losses.log_loss, fold_weights=folds)
