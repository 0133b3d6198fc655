"""The rules of SentEval, SAE-probes and CLIP_benchmark, beside scikit-learn's own loops."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score, top_k_accuracy_score
from sklearn.model_selection import StratifiedKFold

from experiments.datasets import DataError
from experiments.kit.mistakes import SettingError
from experiments.protocols import clip_benchmark, sae_probes, senteval
from experiments.protocols.found import Rows, Splits

pytestmark = pytest.mark.float64
RNG = np.random.default_rng(6)
NAMES = ("no", "so", "yes")


def rows(num, num_classes=3, noise=1.0):
    labels = np.arange(num) % num_classes
    x = np.eye(num_classes, 4)[labels] + noise * RNG.normal(size=(num, 4))
    return Rows(x.astype(np.float32), labels)


TRAIN, DEV, TEST = rows(63), rows(30), rows(40)
TWO = rows(40, 2)


def task(train=TRAIN, validation=None, test=None, names=NAMES):
    return Splits("task", train, validation, test, names)


def fitted(x, labels, cost, **options):
    options = {"tol": 1e-10, "max_iter": 100_000} | options
    return LogisticRegression(C=cost, **options).fit(x.astype(float), labels)


def percent(shares):
    return round(100 * np.mean(shares), 2)


def chosen_by_folds(own, costs, num_folds):
    """The published loop: (C, its score in per cent)."""
    splitter = StratifiedKFold(num_folds, shuffle=True, random_state=1111)
    scores = []
    for cost in costs:
        each = [
            fitted(own.x[train], own.labels[train], cost).score(own.x[held], own.labels[held])
            for train, held in splitter.split(own.x, own.labels)
        ]
        scores.append(percent(each))
    return costs[int(np.argmax(scores))], max(scores)


def test_inner_k_fold_is_the_nested_loops():
    costs = [2.0**t for t in range(-2, 4)]
    splitter = StratifiedKFold(3, shuffle=True, random_state=1111)
    found = senteval.run(task(), num_folds=3)
    assert found.statuses == {"certified": 3 * 4 * 6}
    for fold, (train, held) in enumerate(splitter.split(TRAIN.x, TRAIN.labels)):
        own = Rows(TRAIN.x[train], TRAIN.labels[train])
        cost, dev = chosen_by_folds(own, costs, 3)
        test = fitted(own.x, own.labels, cost).score(TRAIN.x[held], TRAIN.labels[held])
        told = found.table.iloc[fold]
        assert (told["C"], told["dev_accuracy"]) == (cost, pytest.approx(dev / 100, abs=1e-9))
        assert told["accuracy"] == pytest.approx(percent([test]) / 100, abs=1e-9)
    mean = round(np.mean(100 * found.table["accuracy"]), 2)
    assert found.scores["accuracy"] == pytest.approx(mean / 100, abs=1e-9)
    assert found.curve["chosen"].sum() == 3
    assert found.params is None


def test_k_fold_chooses_on_training_folds_and_refits_on_all_at_the_same_c():
    found = senteval.run(task(test=TEST), num_folds=3)
    cost, dev = chosen_by_folds(TRAIN, [2.0**t for t in range(-1, 6)], 3)
    peer = fitted(TRAIN.x, TRAIN.labels, cost)
    assert found.chosen == {"C": cost}
    assert found.scores["dev_accuracy"] == pytest.approx(dev / 100, abs=1e-9)
    share = percent([peer.score(TEST.x, TEST.labels)]) / 100
    assert found.scores["accuracy"] == pytest.approx(share, abs=1e-9)
    np.testing.assert_allclose(found.params["w"].T, peer.coef_, atol=1e-3)
    assert list(found.table)[1] == "C = 0.5"


def test_a_split_trains_on_training_rows_alone():
    found = senteval.run(task(validation=DEV, test=TEST))
    costs = [2.0**t for t in range(-2, 4)]
    fits = [fitted(TRAIN.x, TRAIN.labels, cost) for cost in costs]
    dev = [percent([fit.score(DEV.x, DEV.labels)]) for fit in fits]
    best = int(np.argmax(dev))
    assert found.chosen == {"C": costs[best]}
    np.testing.assert_allclose(found.curve["dev_accuracy"], np.array(dev) / 100, atol=1e-9)
    share = percent([fits[best].score(TEST.x, TEST.labels)]) / 100
    assert found.scores["accuracy"] == pytest.approx(share, abs=1e-9)


def test_shares_that_round_alike_are_equal_and_the_first_wins():
    assert senteval.first_best(np.array([0.8, 0.90001, 0.900049, 0.9])) == 1
    assert senteval.first_best(np.array([0.8, 0.90001, 0.90006])) == 2
    np.testing.assert_array_equal(senteval.rounded([2 / 3, 0.123449]), [0.6667, 0.1234])


@pytest.mark.parametrize("num", [13, 60, 127])
def test_probes_of_few_rows_have_six_stratified_folds(num):
    labels = np.arange(num) % 2
    splitter = StratifiedKFold(6, shuffle=True, random_state=42)
    expected = [held for _, held in splitter.split(labels[:, None], labels)]
    found = sae_probes.folds("task", labels, 42)
    assert [np.flatnonzero(~own).tolist() for own in found] == [own.tolist() for own in expected]


def test_probes_of_a_dozen_rows_leave_out_every_pair_of_both_classes():
    labels = np.array([0, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1])
    pairs = itertools.combinations(range(12), 2)
    expected = [pair for pair in pairs if labels[pair[0]] != labels[pair[1]]]
    found = sae_probes.folds("task", labels, 0)
    assert [tuple(np.flatnonzero(~own)) for own in found] == expected
    assert len(sae_probes.folds("task", np.array([0, 1, 0]), 0)) == 0


def test_probes_of_many_rows_validate_on_the_last():
    for num, held in ((128, 25), (200, 40), (499, 99), (1024, 100)):
        (found,) = sae_probes.folds("task", np.arange(num) % 2, 0)
        np.testing.assert_array_equal(np.flatnonzero(~found), np.arange(num - held, num))
    labels = np.r_[np.arange(160) % 2, np.zeros(40, int)]
    with pytest.raises(DataError, match=r"the last 40 rows of task validate, .* shuffle the rows"):
        sae_probes.folds("task", labels, 0)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_probes_choose_by_auc_as_the_published_loop_does(penalty):
    splits = task(TWO, test=rows(40, 2), names=NAMES[:2])
    options = {"l1_ratio": 1, "solver": "saga"} if penalty == "l1" else {}
    splitter = StratifiedKFold(6, shuffle=True, random_state=42)
    costs, mean = np.logspace(5, -5, 10), []
    for cost in costs:
        each = []
        for train, held in splitter.split(TWO.x, TWO.labels):
            peer = fitted(TWO.x[train], TWO.labels[train], cost, **options)
            chances = peer.predict_proba(TWO.x[held].astype(float))[:, 1]
            each.append(roc_auc_score(TWO.labels[held], chances))
        mean.append(np.mean(each))
    found = sae_probes.run(splits, penalty=penalty)
    np.testing.assert_allclose(found.curve["val_auc"], mean, atol=1e-12)
    assert found.chosen["C"] == costs[int(np.argmax(mean))]
    peer = fitted(TWO.x, TWO.labels, found.chosen["C"], **options)
    np.testing.assert_allclose(found.params["w"], peer.coef_[0], rtol=1e-2, atol=1e-3)
    test, said = splits.test, peer.predict(splits.test.x)
    auc = roc_auc_score(test.labels, peer.predict_proba(test.x.astype(float))[:, 1])
    assert found.scores["auc"] == pytest.approx(auc)
    assert found.scores["f1"] == pytest.approx(f1_score(test.labels, said, average="weighted"))
    assert found.scores["accuracy"] == np.mean(said == test.labels)


def test_probes_of_folds_with_one_class_to_train_on_have_half_and_of_three_rows_no_choice():
    labels = np.array([1, 0, 0, 0])
    found = sae_probes.run(task(Rows(TWO.x[:4], labels), test=TWO, names=NAMES[:2]))
    assert (found.curve["val_auc"] == 0.5).all()
    assert found.chosen == {"C": 1e5}  # the first of equals
    few = Rows(TWO.x[:3], TWO.labels[:3])
    found = sae_probes.run(task(few, test=TWO, names=NAMES[:2]))
    peer = fitted(few.x, few.labels, 1.0)
    np.testing.assert_allclose(found.params["w"], peer.coef_[0], atol=1e-3)
    assert found.chosen == {"C": 1.0}
    assert found.scores["val_auc"] == roc_auc_score(few.labels, peer.decision_function(few.x))


def test_areas_are_those_of_probabilities_which_may_be_equal_at_one():
    params = {"w": np.array([1.0]), "b": np.array(0.0)}
    x, labels = (
        np.array([[-3.0], [50.0], [60.0], [2.0], [2.0], [1.0]]),
        np.array([0, 1, 0, 1, 0, 1]),
    )
    expected = roc_auc_score(labels, 1 / (1 + np.exp(-x[:, 0])))
    assert sae_probes.area(params, Rows(x, labels)) == pytest.approx(expected)
    assert expected != roc_auc_score(labels, x[:, 0])


def test_rows_of_a_probe_are_drawn_by_halves():
    own = Rows(np.arange(400.0)[:, None], np.repeat([0, 1], 200))
    train, test = sae_probes.drawn(task(own, names=NAMES[:2]), 42)
    random = np.random.RandomState(42)
    ones = random.choice(np.arange(200, 400), 150, replace=False)
    noes = random.choice(np.arange(200), 150, replace=False)
    assert set(train.x[:, 0]) == {*ones, *noes}
    assert len(test.x) == 99
    assert test.labels.sum() == 50
    assert not set(train.x[:, 0]) & set(test.x[:, 0])
    with pytest.raises(
        DataError, match=r"has 200 and 100 rows of its two classes, and .* takes 150 of"
    ):
        sae_probes.drawn(task(Rows(own.x[:300], own.labels[:300]), names=NAMES[:2]), 42)


def test_the_search_sees_what_the_original_sees():
    seven = np.logspace(-6, 2, num=7).tolist()
    assert [i for i, decay in enumerate(clip_benchmark.DECAYS) if decay in seven] == [
        *clip_benchmark.ANCHORS
    ]
    for accuracy in RNG.integers(0, 9, (200, 97)):
        best, most = 0, 0
        for place in range(0, 97, 16):
            if accuracy[place] > most:
                best, most = place, accuracy[place]
        span, fits = 8, 7
        while span:
            left, right = max(best - span, 0), min(best + span, 96)
            places, best, most = (left, best, right), 0, 0
            for place in places:
                fits += 1
                if accuracy[place] > most:
                    best, most = place, accuracy[place]
            span //= 2
        seen, found = clip_benchmark.searched(accuracy)
        assert (found, len(seen)) == (best, fits)
        assert fits == 19


def test_figures_of_classes_are_scikit_learn_s():
    params = {"w": RNG.normal(size=(4, 8)), "b": RNG.normal(size=8)}
    test = Rows(RNG.normal(size=(50, 4)), np.arange(50) % 7)  # no row of the last class
    found, logits = clip_benchmark.judged(params, test), test.x @ params["w"] + params["b"]
    five = top_k_accuracy_score(test.labels, logits, k=5, labels=range(8))
    assert found["top5"] == pytest.approx(five)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        recall = balanced_accuracy_score(test.labels, logits.argmax(axis=1))
    assert found["mean_recall"] == pytest.approx(recall)
    few = Rows(test.x, test.labels % 3)
    assert np.isnan(clip_benchmark.judged(params, few)["top5"])


ONE = Rows(TRAIN.x, np.zeros(63, int))


@pytest.mark.parametrize(
    ("run", "splits", "options", "message"),
    [
        (senteval.run, task(ONE, names=NAMES[:1]), {}, "all 63 training rows of task are of class"),
        (senteval.run, task(ONE), {}, "class 'so' of task has 0 training rows, fewer than the 1"),
        (senteval.run, task(rows(24)), {}, "class 'no' of task has 8 training rows, fewer than"),
        (senteval.run, task(rows(33)), {}, "class '(no|so|yes)' of task has 9 training rows"),
        (senteval.run, task(validation=DEV), {}, "task has no test rows, .*; give --test FILE"),
        (senteval.run, task(), {"num_folds": 1}, "num_folds must be at least 2, and is 1"),
        (sae_probes.run, task(), {}, "task has 3 classes, and this protocol takes two; give"),
        (sae_probes.run, task(), {"penalty": "l0"}, "penalty 'l0': must be l2 or l1"),
        (sae_probes.run, task(TWO, test=ONE, names=NAMES[:2]), {}, "all 63 test rows of task are"),
        (sae_probes.run, task(TWO, names=NAMES[:2]), {}, "drawing 0 to train and 39 to test"),
        (clip_benchmark.run, task(test=TEST), {}, "task has no validation rows, .* --validation"),
        (clip_benchmark.run, task(validation=DEV), {}, "task has no test rows, .* --test FILE"),
        (clip_benchmark.run, task(TRAIN, DEV, TEST), {"epochs": 0}, "epochs must be at least 1"),
        (
            senteval.run,
            task(Rows(TRAIN.x, np.eye(3, dtype=int)[TRAIN.labels])),
            {},
            "task has 3 labels a row, and this protocol takes one; give a task for each",
        ),
    ],
)
def test_what_no_rule_can_take_is_refused_in_one_line(run, splits, options, message):
    with pytest.raises((DataError, SettingError), match=message) as refused:
        run(splits, **options)
    assert "\n" not in str(refused.value)
