"""The door: labels of any kind come in, bad input is refused by name, or is NaN inside jit."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from jaxlr import metrics
from jaxlr.metrics import figures, streaming
from tests.metrics_cases import assert_same

pytestmark = pytest.mark.once

Y, P, S = [0, 1, 1, 0], [0, 1, 0, 0], [0.1, 0.9, 0.4, 0.3]
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(-3, 3)), min_size=3, max_size=3
)
NAMES = {
    "-1/1": [-1, 1],
    "strings": ["ham", "spam"],
    "booleans": [False, True],
    "far": [7, 70_000_000],
}
KEY = jax.random.key(0)


@settings(max_examples=settings.default.max_examples // 5)  # scikit-learn's door is slow
@given(ROWS)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_labels_of_any_kind_mean_what_scikit_learn_takes_them_for(names, rows):
    y, p, s = (np.array(column) for column in zip(*rows, strict=True))
    y[0], y[1] = 0, 1
    y, p = np.array(names)[y], np.array(names)[p]
    for name in ("confusion_matrix", "accuracy_score", "matthews_corrcoef"):
        assert_same(getattr(metrics, name)(y, p), getattr(theirs, name)(y, p), name)
        assert_same(getattr(metrics, name)(list(y), p), getattr(theirs, name)(y, p), name)
    positive = {"pos_label": names[1]}
    f1 = metrics.f1_score(y, p, **positive)
    assert_same(f1, theirs.f1_score(y, p, zero_division=0, **positive), "f1")
    assert_same(metrics.roc_auc_score(y, s), theirs.roc_auc_score(y, s), "auc")
    precision = theirs.average_precision_score(y, s, **positive)
    assert_same(metrics.average_precision_score(y, s, **positive), precision, "precision")
    curve = metrics.roc_curve(y, s, **positive)
    for one, other in zip(curve, theirs.roc_curve(y, s, **positive), strict=True):
        assert_same(one, other, "roc")
    q = (s + 3) / 6
    assert_same(metrics.log_loss(y, q), theirs.log_loss(y, q), "log loss", 3e-6)
    assert_same(
        metrics.brier_score_loss(y, q), ((y == names[1]) - q) @ ((y == names[1]) - q) / 3, ""
    )


@pytest.mark.filterwarnings("ignore:A single label")
def test_labels_choose_and_order_the_classes():
    y, p = ["cat", "ant", "cat", "bee"], ["ant", "ant", "cat", "cat"]
    for labels in (["ant", "bee", "cat"], ["cat", "ant"], ["bee"]):
        options = {"labels": labels}
        found = metrics.confusion_matrix(y, p, **options)
        np.testing.assert_array_equal(found, theirs.confusion_matrix(y, p, **options))
        found = metrics.recall_score(y, p, average="micro", **options)
        assert_same(found, theirs.recall_score(y, p, average="micro", **options), "recall")
    inside = jax.jit(functools.partial(metrics.confusion_matrix, labels=[2, 0], num_classes=3))
    y, p = jnp.array([2, 0, 2, 1]), jnp.array([0, 0, 2, 2])
    np.testing.assert_array_equal(inside(y, p), theirs.confusion_matrix(y, p, labels=[2, 0]))


def test_a_row_of_weight_zero_is_absent_whatever_it_holds():
    y, s, w = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, np.nan, 0.95]), np.array([1, 1, 0, 1.0])
    keep = w > 0
    for metric in (metrics.roc_auc_score, metrics.average_precision_score):
        expected = metric(y[keep], s[keep])
        assert_same(metric(y, s, sample_weight=w), expected, "eager")
        assert_same(jax.jit(metric)(y, s, sample_weight=w), expected, "inside jit")
    y_bad = np.where(keep, y, 9)
    inside = jax.jit(functools.partial(metrics.confusion_matrix, num_classes=2))
    expected = metrics.confusion_matrix(y[keep], y[keep])
    assert_same(inside(y_bad, y, sample_weight=w), expected, "confusion")
    q = np.where(keep, 0.5, 7.0)
    assert_same(jax.jit(metrics.log_loss)(y_bad, q, sample_weight=w), np.log(2), "log loss")
    error = jax.jit(metrics.mean_squared_error)(s, np.nan_to_num(s), sample_weight=w)
    assert error == 0


REFUSED = [
    (lambda: metrics.accuracy_score(Y, P[:3]), "one length.*y_true has 4.*y_pred has 3"),
    (lambda: metrics.accuracy_score([], []), "y_true must have at least one row"),
    (lambda: metrics.accuracy_score(Y, np.zeros((4, 2), int)), "labels of one kind"),
    (lambda: metrics.accuracy_score(np.zeros((2, 2, 2)), Y), r"y_true must have shape \[N\] or"),
    (lambda: metrics.accuracy_score(Y, [0.5, 1, 0, 0]), "y_pred must hold labels, and holds cont"),
    (lambda: metrics.accuracy_score(Y, [np.nan, 1, 0, 0]), "y_pred must not hold NaN"),
    (lambda: metrics.accuracy_score(Y, ["a", "b", "a", "a"]), "must not mix strings and numbers"),
    (
        lambda: metrics.accuracy_score(np.array([0, "a"], object), np.array([0, "a"], object)),
        "not mix",
    ),
    (
        lambda: metrics.accuracy_score(Y, P, sample_weight=[1, 1, -1, 1]),
        "sample_weight must be fin",
    ),
    (
        lambda: metrics.accuracy_score(Y, P, sample_weight=[1, 1, 1]),
        "sample_weight must be one num",
    ),
    (
        lambda: metrics.confusion_matrix(Y, P, num_classes=1),
        "integers from 0 to num_classes - 1 = 0",
    ),
    (lambda: metrics.confusion_matrix(Y, P, normalize="rows"), "normalize must be one of"),
    (lambda: metrics.confusion_matrix(Y, P, labels=[]), "labels must be distinct"),
    (lambda: metrics.confusion_matrix(Y, P, labels=[5]), "labels must name one in y_true"),
    (
        lambda: metrics.confusion_matrix(np.eye(2, dtype=int), np.eye(2, dtype=int)),
        "one label a row",
    ),
    (lambda: metrics.multilabel_confusion_matrix(Y, P, samplewise=True), "samplewise needs indic"),
    (
        lambda: metrics.multilabel_confusion_matrix(np.eye(3), 2 * np.eye(3)),
        "y_pred must hold only",
    ),
    (
        lambda: metrics.f1_score(np.eye(3), np.eye(3), average="macro", labels=[4]),
        "labels must lie",
    ),
    (
        lambda: metrics.f1_score(np.eye(3), np.eye(3), average="macro", num_classes=2),
        "num_classes is",
    ),
    (lambda: metrics.f1_score(Y, P, average="mean"), "average must be one of"),
    (lambda: metrics.f1_score([0, 1, 2], [0, 1, 2]), "average='binary' needs two classes"),
    (lambda: metrics.f1_score(Y, P, pos_label=3), "pos_label=3 must be one of the labels"),
    (lambda: metrics.f1_score(Y, P, zero_division=2), "zero_division must be 0, 1, NaN"),
    (lambda: metrics.fbeta_score(Y, P, beta=-1), "beta must be at least 0"),
    (lambda: metrics.cohen_kappa_score(Y, P, weights="cubic"), "weights must be one of"),
    (lambda: metrics.class_likelihood_ratios([0, 1, 2], [0, 1, 2]), "needs two classes"),
    (
        lambda: metrics.class_likelihood_ratios(Y, P, replace_undefined_by={"LR+": 1}),
        "needs LR. and",
    ),
    (lambda: metrics.top_k_accuracy_score(Y, np.eye(4)), "labels must name the 4 columns"),
    (
        lambda: metrics.top_k_accuracy_score([0, 2], np.eye(2), labels=[0, 1]),
        "y_true must hold only",
    ),
    (
        lambda: metrics.top_k_accuracy_score([0, 1], np.eye(2), labels=[1, 0]),
        "labels must be sorted",
    ),
    (lambda: metrics.classification_report(Y, P, target_names=["a"]), "target_names must name 2"),
    (lambda: metrics.roc_auc_score(Y, [0, np.nan, 1, 1]), "y_score must be not NaN"),
    (lambda: metrics.roc_auc_score(Y, ["a"] * 4), "y_score must hold real numbers"),
    (lambda: metrics.roc_auc_score(Y, S, max_fpr=0), r"max_fpr must lie in \(0, 1\]"),
    (lambda: metrics.roc_auc_score(Y, S, average="mean"), "average must be one of"),
    (lambda: metrics.roc_auc_score([0, 1, 2], [0, 1, 2]), "y_score must have a column for each"),
    (lambda: metrics.roc_auc_score([0, 1, 2], np.eye(3)), "multi_class must be one of"),
    (
        lambda: metrics.roc_auc_score([0, 1, 2], np.eye(3), multi_class="ovr", max_fpr=0.5),
        "max_fpr must be None",
    ),
    (
        lambda: metrics.roc_auc_score([0, 1, 2], np.eye(3), multi_class="ovo", average="micro"),
        "not defined for multi_class='ovo'",
    ),
    (
        lambda: metrics.roc_auc_score([0, 1, 2], np.eye(3), multi_class="ovr", labels=[2, 1, 0]),
        "labels must be sorted",
    ),
    (
        lambda: metrics.roc_auc_score([0, 1, 5], np.eye(3), multi_class="ovr", labels=[0, 1, 2]),
        "y_true must hold only labels among",
    ),
    (
        lambda: metrics.roc_auc_score(np.eye(3), np.eye(3)[:, :2]),
        "y_true and y_score must have one",
    ),
    (lambda: metrics.roc_auc_score(2 * np.eye(3), np.eye(3)), "y_true must hold only 0 and 1"),
    (lambda: metrics.average_precision_score(Y, S, pos_label=4), "pos_label=4 must be one of"),
    (
        lambda: metrics.average_precision_score(np.eye(3), np.eye(3), pos_label=0),
        "must be 1 for sc",
    ),
    (lambda: metrics.roc_curve(["a", "b"], [0, 1]), "pos_label must say which"),
    (lambda: metrics.roc_curve(Y, np.eye(4)), r"y_score must have shape \[N\]"),
    (lambda: metrics.roc_curve(np.eye(4), S), r"y_true must have shape \[N\]"),
    (lambda: metrics.roc_curve([], []), "y_true must have at least one row"),
    (lambda: metrics.det_curve([1, 1], [0, 1]), "y_true must hold two classes"),
    (lambda: metrics.auc([0, 1], [0, 1, 2]), "x and y must have one shape"),
    (lambda: metrics.auc([0], [0]), "x must have at least 2 points"),
    (lambda: metrics.auc([0, 2, 1], [0, 1, 2]), "x must be increasing or decreasing"),
    (lambda: metrics.log_loss(Y, [0.1, 1.2, 0.5, 0.5]), "y_proba must lie between 0 and 1"),
    (lambda: metrics.log_loss(np.eye(4), S), r"y_true must have shape \[N\]"),
    (lambda: metrics.log_loss(["a", "b"], np.eye(3)[:2]), "y_proba has 3 columns and y_true 2"),
    (
        lambda: metrics.log_loss([0, 5], [0.1, 0.2], labels=[0, 1]),
        "y_true must hold only labels am",
    ),
    (lambda: metrics.brier_score_loss(Y, S, pos_label=7), "pos_label=7 must be one of"),
    (lambda: metrics.brier_score_loss(Y, S, scale_by_half=2), "scale_by_half must be True"),
    (lambda: metrics.mean_squared_error(Y, [0, 1, 2, np.inf]), "y_pred must be finite"),
    (
        lambda: metrics.mean_squared_error(Y, np.ones((4, 2))),
        "y_true and y_pred must have one shape",
    ),
    (lambda: metrics.mean_squared_error(np.ones((1, 1, 1)), Y), r"y_true must have shape \[N\] or"),
    (lambda: metrics.mean_squared_error([], []), "y_true must have at least one row"),
    (lambda: metrics.mean_squared_error(Y, Y, multioutput="sum"), "multioutput must be one of"),
    (
        lambda: metrics.mean_squared_error(Y, Y, multioutput=[1, 2]),
        "multioutput must have one weight",
    ),
    (lambda: metrics.max_error(np.eye(2), np.eye(2)), r"y_true must have shape \[N\]"),
    (lambda: metrics.calibration_curve(Y, S, strategy="even"), "strategy must be one of"),
    (lambda: metrics.calibration_curve(Y, [0, 1, 2, 3]), "y_prob must lie between 0 and 1"),
    (lambda: metrics.platt_scaling(Y, [0, 1, np.inf, 1]), "y_score must be finite"),
    (lambda: metrics.roc_auc_interval(Y, S, confidence=1.5), r"confidence must lie in \(0, 1\)"),
    (lambda: metrics.bootstrap_interval(None, KEY, Y, method="bca"), "method must be one of"),
    (lambda: metrics.bootstrap_interval(None, KEY, Y, confidence=0), "confidence must lie in"),
    (lambda: metrics.bootstrap_interval(None, KEY, Y, num_resamples=1), "num_resamples must be at"),
    (lambda: metrics.bootstrap_interval(None, KEY, Y, P[:2]), "arguments must have one length"),
    (lambda: streaming.histogram_auc(4, 1.0, 0.0), "low must be below high"),
    (
        lambda: (s := streaming.confusion(2)).update(s.init(), Y, P, [0.5] * 4),
        "sample_weight must be integers unless",
    ),
    (lambda: figures.cohen_kappa(np.eye(2), weights="cubic"), "weights must be one of"),
    (lambda: figures.precision(np.ones((1, 2, 2)), average="mean"), "average must be one of"),
]


@pytest.mark.parametrize(("call", "match"), REFUSED, ids=[match[:28] for _, match in REFUSED])
def test_bad_input_is_refused_with_a_sentence_that_names_it(call, match):
    with pytest.raises(ValueError, match=match):
        call()


INSIDE = [
    (lambda y, p: metrics.confusion_matrix(y, p), "num_classes must be given inside jit"),
    (lambda y, p: metrics.accuracy_score(y, p[:2]), "one length"),
    (lambda y, p: metrics.accuracy_score(y, jnp.ones((4, 2), int)), "labels of one kind"),
    (
        lambda y, p: metrics.accuracy_score(y, p.astype(float)),
        "y_pred must hold integers inside jit",
    ),
    (
        lambda y, p: metrics.brier_score_loss(y, p.astype(float), pos_label=4),
        "pos_label must be 0 or 1 in",
    ),
    (lambda y, p: metrics.classification_report(y, p), "y_true must be known values"),
    (lambda y, p: metrics.accuracy_score(y, [*"abab"]), "must not mix strings and numbers"),
]


@pytest.mark.parametrize(("call", "match"), INSIDE, ids=[match[:28] for _, match in INSIDE])
def test_what_shapes_and_types_show_is_refused_inside_jit_too(call, match):
    with pytest.raises(ValueError, match=match):
        jax.jit(call)(jnp.array(Y), jnp.array(P))


POISON = {
    "label": (jnp.array([0, 1, 7, 0]), jnp.array(S), None, "y_true must hold"),
    "score": (jnp.array(Y), jnp.array([0.1, jnp.nan, 0.4, 0.3]), None, "y_score must be not NaN"),
    "weight": (jnp.array(Y), jnp.array(S), jnp.array([1, 1, -1.0, 1]), "sample_weight must be"),
}


@pytest.mark.parametrize("bad", POISON)
def test_inside_jit_a_bad_value_makes_its_own_lane_nan_and_can_be_named(bad):
    y, s, w, message = POISON[bad]
    for metric in (metrics.roc_auc_score, metrics.average_precision_score):
        lanes = jax.jit(jax.vmap(lambda y, s, w, m=metric: m(y, s, sample_weight=w)))
        good = jnp.ones(4)
        both = lanes(
            jnp.stack([y, jnp.array(Y)]),
            jnp.stack([s, jnp.array(S)]),
            jnp.stack([good if w is None else w, good]),
        )
        assert np.isnan(both[0])
        assert_same(both[1], metric(Y, S), "the lane beside it")
        error, value = jax.jit(metrics.checked(metric))(y, s, sample_weight=w)
        assert message in error.get()
        assert np.isnan(value)
    error, value = jax.jit(metrics.checked(metrics.roc_auc_score))(jnp.array(Y), jnp.array(S))
    assert error.get() is None
    assert_same(value, metrics.roc_auc_score(Y, S), "checked and fine")


def test_counts_have_no_nan_so_a_bad_label_makes_them_all_minus_one():
    y = jnp.array([0, 1, 2, 0])

    @jax.jit
    def all_of_it(y, p):
        confusion = metrics.confusion_matrix(y, p, num_classes=2)
        tables = metrics.one_vs_rest(confusion)
        averages = (None, "micro", "macro", "weighted")
        of_classes = [figures.f_beta(tables, average=average) for average in averages]
        of_all = figures.accuracy(confusion), figures.matthews_corrcoef(confusion)
        return (confusion, tables), (of_classes, of_all)

    counts, quotients = all_of_it(y, jnp.array(P))
    for count in counts:
        np.testing.assert_array_equal(count, -1)
    for quotient in jax.tree.leaves(quotients):
        assert np.isnan(quotient).all()
    error, _ = jax.jit(metrics.checked(metrics.f1_score))(y, jnp.array(P))
    assert "integers from 0 to num_classes - 1 = 1" in error.get()


def test_other_metrics_are_nan_by_the_same_rule():
    y, q = jnp.array(Y), jnp.array(S)
    nan = [
        jax.jit(metrics.log_loss)(y + 2, q),
        jax.jit(metrics.log_loss)(y, q + 1),
        jax.jit(metrics.brier_score_loss)(y, q * jnp.nan),
        jax.jit(metrics.mean_squared_error)(q, q / 0),
        jax.jit(metrics.accuracy_score)(y, y, sample_weight=-q),
        jax.jit(metrics.top_k_accuracy_score)(y + 5, jnp.eye(4)),
        jax.jit(metrics.temperature_scaling)(y + 2, q),
        jax.jit(metrics.auc)(jnp.array([0, 2.0, 1]), jnp.ones(3)),
        jax.jit(lambda y, q: metrics.roc_auc_interval(y, q).standard_error)(y + 2, q),
    ]
    assert all(np.isnan(value) for value in nan)
