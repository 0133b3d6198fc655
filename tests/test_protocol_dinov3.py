"""DINOv3's rule beside its own words: who validates, who is drawn, the first best, the refit."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier

from experiments.datasets import DataError
from experiments.kit.mistakes import SettingError
from experiments.protocols import dinov3
from experiments.protocols.found import Rows, Splits

pytestmark = pytest.mark.once

RNG = np.random.default_rng(3)
CENTRES = RNG.normal(size=(3, 4))


def rows_of(labels):
    labels = RNG.permutation(labels)
    x = CENTRES[labels] + 0.8 * RNG.normal(size=(len(labels), 4))
    return Rows(x.astype(np.float32), labels.astype(np.int32))


TRAIN = rows_of(np.repeat([0, 1, 2], [70, 40, 12]))
SPLITS = Splits("three", TRAIN, None, rows_of(np.arange(90) % 3), ("a", "b", "c"))


def test_there_are_45_costs_with_exponents_in_float32():
    assert len(dinov3.COSTS) == 45
    assert dinov3.COSTS[0] == np.float64(np.float32(1e-6))
    assert dinov3.COSTS[-1] == 1e5
    exponents = np.log10(dinov3.COSTS)
    np.testing.assert_allclose(np.diff(exponents), 0.25, atol=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_a_share_of_every_class_validates(share):
    labels = RNG.permutation(np.repeat(np.arange(4), [100, 35, 2, 1]))
    rows = Rows(np.arange(len(labels))[:, None], labels)
    train, held = dinov3.validation(rows, share, seed=0)
    assert sorted([*train.x[:, 0], *held.x[:, 0]]) == list(range(len(labels)))
    counts = np.bincount(held.labels, minlength=4)
    assert counts.tolist() == [max(1, int(share * n)) for n in (100, 35, 2)] + [0]
    order = np.random.default_rng(0).permutation(len(labels))  # the rule again, row by row
    met, said = {}, []
    for row in order:
        met[labels[row]] = met.get(labels[row], 0) + 1
        if met[labels[row]] <= counts[labels[row]]:
            said.append(row)
    assert held.x[:, 0].tolist() == said


@pytest.mark.parametrize(
    ("number", "sizes"), [(5, [5, 5, 5]), (0.1, [7, 4, 1]), (50, [50, 40, 12])]
)
def test_few_shot_rows_are_so_many_of_a_class_or_a_share(number, sizes):
    rows = dinov3.drawn(TRAIN, number, seed=1)
    assert np.bincount(rows.labels).tolist() == sizes
    others = dinov3.drawn(TRAIN, number, seed=2)
    assert number == 50 or not np.array_equal(rows.x, others.x)


def test_a_row_of_several_labels_is_in_each_of_their_classes():
    labels = np.array([[1, 1], [0, 1], [1, 0], [0, 0]])
    assert [rows.tolist() for rows in dinov3.of_classes(labels)] == [[0, 2], [0, 1]]


def reference(cost, rows):
    options = {"C": cost, "tol": 1e-12, "max_iter": 1000}
    return LogisticRegression(**options).fit(rows.x.astype(float), rows.labels)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_curve_choice_and_refit_are_those_of_the_original(metric):
    found = dinov3.run(SPLITS, metric=metric)
    train, held = dinov3.validation(TRAIN, 0.1, 0)
    worth = []
    for cost in dinov3.COSTS:
        said = reference(cost, train).predict(held.x)
        plain = np.mean(said == held.labels)
        worth.append(plain if metric == "accuracy" else balanced_accuracy_score(held.labels, said))
    np.testing.assert_allclose(found.curve.iloc[:, 1], worth, rtol=1e-12)
    first = int(np.argmax(worth))
    assert worth.count(max(worth)) > 1  # so that the first of them is a choice
    assert found.chosen == {"C": dinov3.COSTS[first]}
    assert np.flatnonzero(found.curve["chosen"]) == [first]
    both = Rows(np.concatenate([train.x, held.x]), np.concatenate([train.labels, held.labels]))
    last = reference(dinov3.COSTS[first], both)
    said = last.predict(SPLITS.test.x)
    assert found.scores == {
        "accuracy": pytest.approx(np.mean(said == SPLITS.test.labels)),
        "mean per class": pytest.approx(balanced_accuracy_score(SPLITS.test.labels, said)),
    }
    assert next(iter(found.scores)) == dinov3.METRICS[metric][0]
    np.testing.assert_allclose(found.params["w"].T, last.coef_, atol=1e-4)
    assert found.statuses == {"certified": 46}
    assert found.notes == (dinov3.DRAWN,)


def test_few_shot_fits_are_judged_as_they_are_and_averaged():
    found = dinov3.run(SPLITS, few_shot=12, tries=2)
    train, held = dinov3.validation(TRAIN, 0.01, 0)
    for number, row in found.table.iterrows():
        fit = reference(row["C"], dinov3.drawn(train, 12, number))
        assert row["accuracy"] == fit.score(SPLITS.test.x, SPLITS.test.labels)
        assert row["validation accuracy"] == fit.score(held.x, held.labels)
    assert found.scores["accuracy"] == found.table["accuracy"].mean()
    assert found.statuses == {"certified": 90}
    assert found.chosen is None
    assert found.params is None
    assert found.notes[1:] == (dinov3.FEW.format("'c'", 12),)  # one of its twelve validates


def test_several_labels_are_targets_one_against_the_rest_under_one_c():
    def flags(rows):
        return np.stack([rows.labels == 0, rows.x[:, 1] > np.median(TRAIN.x[:, 1])], axis=1) * 1

    labels, test = flags(TRAIN), Rows(SPLITS.test.x, flags(SPLITS.test))
    splits = Splits("two", Rows(TRAIN.x, labels), test, test, ("zero", "high"))
    found = dinov3.run(splits, metric="balanced_accuracy", few_shot=30)
    rows = dinov3.drawn(splits.train, 30, 0)
    for cost, told in zip(dinov3.COSTS, found.curve["validation mean per class f1"], strict=True):
        one = LogisticRegression(C=cost, tol=1e-10, max_iter=1000)
        said = OneVsRestClassifier(one).fit(rows.x.astype(float), rows.labels).predict(test.x)
        assert told == f1_score(test.labels, said, average="macro", zero_division=0)
    assert list(found.scores) == ["mean per class f1", "f1"]
    assert found.scores["mean per class f1"] == found.curve["validation mean per class f1"].max()
    assert found.params["w"].shape == (2, 4)
    assert found.statuses == {"certified": 90}


def test_classes_of_a_row_each_leave_none_to_validate():
    three = Rows(TRAIN.x[:3], np.arange(3))
    with pytest.raises(DataError, match=r"no validation rows, as every class has one .* FILE"):
        dinov3.run(replace(SPLITS, train=three))


def test_what_the_rule_has_no_word_for_is_refused():
    with pytest.raises(SettingError, match="--metric f1: --protocol dinov3 takes accuracy or"):
        dinov3.run(SPLITS, metric="f1")
    several = Splits("s", Rows(TRAIN.x, np.eye(3, dtype=int)[TRAIN.labels]), None, None, "abc")
    with pytest.raises(SettingError, match="rows have several labels"):
        dinov3.run(several, class_weight="balanced")
