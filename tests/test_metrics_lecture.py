"""The lecture's own numbers: A9 the mailbox, A10 the staircase, A11 micro and macro."""

import jax
import numpy as np
import pytest

from jaxlr import metrics
from jaxlr.metrics import figures
from tests.metrics_cases import assert_same

pytestmark = pytest.mark.once

SCORE = np.array([0.5, 0.1, 0.2, 0.6, 0.2, 0.3, 0.0])
CLASS = np.array([0, 0, 0, 1, 1, 1, 0])


def test_the_staircase():
    """A positive is a step up, a negative a step right, a tie one diagonal: 9.5 of 12 cells."""
    roc = metrics.roc_curve(CLASS, SCORE, drop_intermediate=False)
    assert_same(roc.fpr, [0, 0, 1 / 4, 1 / 4, 1 / 2, 3 / 4, 1], "fpr")
    assert_same(roc.tpr, [0, 1 / 3, 1 / 3, 2 / 3, 1, 1, 1], "tpr")
    assert_same(metrics.roc_auc_score(CLASS, SCORE), 9.5 / 12, "auc")
    assert_same(metrics.auc(roc.fpr, roc.tpr), 9.5 / 12, "area")
    inside = jax.jit(metrics.roc_curve)(CLASS, SCORE)
    assert {tuple(p) for p in np.asarray(inside[:2]).T} == {tuple(p) for p in np.asarray(roc[:2]).T}


@pytest.mark.parametrize(("scores", "area"), [(CLASS, 1), (np.ones(7), 0.5), (-CLASS, 0)])
def test_ideal_random_and_worst(scores, area):
    assert metrics.roc_auc_score(CLASS, scores) == area


def test_always_spam_scores_nine_tenths_and_what_the_others_say():
    """1,000 letters, 900 spam (class 1): accuracy is fooled, and the others are not."""
    truth, always = np.repeat([1, 0], [900, 100]), np.ones(1000, int)
    assert_same(metrics.accuracy_score(truth, always), 0.9, "accuracy")
    assert_same(metrics.balanced_accuracy_score(truth, always), 0.5, "balanced")
    assert metrics.matthews_corrcoef(truth, always) == 0
    assert metrics.cohen_kappa_score(truth, always) == 0
    assert metrics.roc_auc_score(truth, always) == 0.5
    assert_same(metrics.precision_score(truth, always), 0.9, "precision")
    assert metrics.recall_score(truth, always) == 1
    assert_same(metrics.f1_score(truth, always), 2 * 0.9 / 1.9, "f1 of spam")
    assert metrics.f1_score(truth, always, pos_label=0) == 0
    assert metrics.specificity_score(truth, always) == 0
    np.testing.assert_array_equal(metrics.confusion_matrix(truth, always), [[0, 100], [0, 900]])


def test_imbalance_moves_precision_and_not_recall():
    """Ten times the negatives, answered the same way: recall stands still, precision falls."""
    tables = np.array([[[80.0, 20], [10, 90]], [[800, 200], [10, 90]]])
    assert_same(figures.recall(tables), [0.9, 0.9], "recall")
    assert_same(figures.specificity(tables), [0.8, 0.8], "specificity")
    assert_same(figures.precision(tables), [90 / 110, 90 / 290], "precision")
    assert_same(figures.f_beta(tables), [180 / 210, 180 / 390], "f1")


def test_f_beta_runs_from_precision_to_recall():
    table = np.array([[[5.0, 4], [2, 3]]])
    betas = [0, 0.25, 1, 4, np.inf]
    values = [float(figures.f_beta(table, beta)[0]) for beta in betas]
    assert_same([values[0], values[-1]], [3 / 7, 3 / 5], "ends")
    assert values == sorted(values)
    assert_same(values[2], 2 / (7 / 3 + 5 / 3), "harmonic mean")


def test_micro_and_macro_by_the_lectures_recipe():
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    guess = np.array([0, 0, 1, 2, 1, 0, 2, 2, 0])
    tables = metrics.multilabel_confusion_matrix(truth, guess)
    mean = figures.average_table(tables)
    assert_same(mean, np.asarray(tables).mean(0), "averaged counts")
    tn, fp, fn, tp = np.asarray(mean).ravel()
    assert_same(metrics.precision_score(truth, guess, average="micro"), tp / (tp + fp), "micro")
    assert_same(metrics.recall_score(truth, guess, average="micro"), tp / (tp + fn), "micro")
    assert_same(metrics.specificity_score(truth, guess, average="micro"), tn / (tn + fp), "micro")
    each = [metrics.f1_score(truth == c, guess == c) for c in range(3)]
    assert_same(metrics.f1_score(truth, guess, average="macro"), np.mean(each), "macro")
