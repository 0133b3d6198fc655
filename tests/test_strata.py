"""Splits and folds of the commands: every class of every target where something trains."""

import jax
import numpy as np
import pandas as pd
import pytest

from experiments.datasets import DataError, Table
from experiments.datasets.table import Target
from experiments.kit import problems, strata
from jaxlr import data

pytestmark = pytest.mark.once

KEY = jax.random.key(3)
ALL = np.ones(96, bool)


def target(labels, name="t"):
    labels = np.asarray(labels, np.int32)
    names = tuple("abcdefgh"[: labels.max() + 1])
    return Target(name, labels, "multiclass" if len(names) > 2 else "binary", names)


def with_rare_classes(seed, num_targets, rare, rows=96):
    """Targets of three common classes, and a fourth in `rare` rows of each."""
    rng = np.random.default_rng(seed)
    made = []
    for t in range(num_targets):
        labels = rng.integers(0, 3, rows)
        labels[rng.choice(rows, rare, replace=False)] = 3
        made.append(target(labels, f"t{t}"))
    return made


def test_one_target_is_dealt_as_by_the_library():
    labels = np.random.default_rng(0).integers(0, 4, 96)
    for targets, of in (([target(labels)], labels), ([numbers()], np.zeros(96, int))):
        folds = strata.folds(KEY, targets, ALL, 5)
        np.testing.assert_array_equal(folds, data.folds(KEY, of, 5))
        for mine, theirs in zip(
            strata.split(KEY, targets, ALL, 0.25), data.split(KEY, of, 0.25), strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)


def numbers():
    return Target("n", np.arange(96.0), "regression", ())


@pytest.mark.parametrize(("num_folds", "rare"), [(2, 2), (2, 3), (5, 5), (7, 8)])
@pytest.mark.parametrize("num_targets", [1, 2, 6])
def test_every_fold_trains_on_every_class_of_every_target(num_folds, rare, num_targets):
    for seed in range(8):
        targets = with_rare_classes(seed, num_targets, rare)
        folds = strata.folds(jax.random.key(seed), [*targets, numbers()], ALL, num_folds)
        assert (folds.sum(axis=0) == num_folds - 1).all()
        assert np.ptp(folds.sum(axis=1)) <= 1
        for fold in folds:
            seen = pd.DataFrame({t.name: t.labels for t in targets})[fold > 0].nunique()
            assert (seen == 4).all()


def test_rows_without_weight_stand_for_no_class():
    labels = np.repeat([0, 1], 48)
    heard = ALL & ((labels == 0) | (np.arange(96) % 16 == 0))  # three rows of class b
    for seed in range(8):
        train, test = strata.split(jax.random.key(seed), [target(labels)], heard, 0.25, 2)
        assert (labels[train] == 1)[heard[train]].sum() >= 2
        assert len(test) == 24
        for num_folds in (2, 5):  # with more folds than rows of b some hold none of it out
            folds = strata.folds(jax.random.key(seed), [target(labels)], heard, num_folds)
            assert all(len(set(labels[heard & (fold > 0)])) == 2 for fold in folds)
    once = heard & (np.arange(96) < 50)
    with pytest.raises(DataError, match="class 'b' of target 't' has 1 training row with weight"):
        strata.folds(KEY, [target(labels)], once, 5)


def test_rows_with_weight_are_shared_out_evenly_too():
    heard = np.arange(96) % 3 == 0
    for targets in ([numbers()], [target(np.arange(96) % 2)]):
        folds = strata.folds(KEY, targets, heard, 5)
        assert np.ptp((folds[:, heard] == 0).sum(axis=1)) <= 1
        _, test = strata.split(KEY, targets, heard, 0.25)
        assert heard[test].sum() == 8


def test_a_sweep_s_split_knows_which_rows_have_weight():
    labels = np.repeat(np.array([0, 1], np.int32), 48)
    weights = 1.0 * ((labels == 0) | (np.arange(96) % 24 == 0))  # two rows of class b
    x = np.arange(96.0)[:, None]
    table = Table("made", x, labels, "binary", ("a", "b"), ("x",), "y", weights)
    for seed in range(8):
        problem = problems.prepare(table, jax.random.key(seed), 0.25, 2)
        assert (problem.target.labels[problem.heard] == 1).sum() == 2


@pytest.mark.parametrize("rare", [2, 5, 6])
def test_a_split_leaves_rare_classes_to_train_on(rare):
    for seed in range(8):
        targets = with_rare_classes(seed, 5, rare)
        train, _ = strata.split(jax.random.key(seed), targets, ALL, 0.2, 5)
        least = min((t.labels[train] == 3).sum() for t in targets)
        assert least == rare - rare // 5  # no class gives more than its share


def test_a_validation_split_trains_on_every_class():
    for seed in range(8):
        targets = with_rare_classes(seed, 5, 2)
        (fold,) = strata.validation(jax.random.key(seed), targets, ALL, 0.2)
        assert all(len(set(t.labels[fold > 0])) == 4 for t in targets)
        assert fold.sum() == 77


def test_what_cannot_be_is_said_with_class_target_and_fold():
    pairs = [target(labels, name) for name, labels in zip("pqr", PAIRS, strict=True)]
    said = r"fold \d of --folds 2 would train without a row of class '[ab]' of target '[pqr]'; take"
    with pytest.raises(DataError, match=said):
        strata.folds(KEY, pairs, np.ones(4, bool), 2)


PAIRS = [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]]  # of any two rows one target sees one class


@pytest.mark.parametrize(
    ("labels", "num_folds", "said"),
    [
        ([0] * 8 + [1] * 8 + [2], 3, "class 'c' of target 't' has 1 training row; add rows or .*"
         "or leave out what is rare with --drop-classes c$"),
    ],
)  # fmt: skip
def test_too_few_rows_are_said_with_a_cure(labels, num_folds, said):
    with pytest.raises(DataError, match=said):
        strata.folds(KEY, [target(labels)], np.ones(len(labels), bool), num_folds)


def test_more_folds_than_rows_and_an_empty_side_are_said():
    with pytest.raises(DataError, match="--folds 97: there are only 96 training rows; take --fol"):
        strata.folds(KEY, [numbers()], ALL, 97)
    with pytest.raises(DataError, match="--test-fraction 1e-09 of 96 rows leaves one side empty"):
        strata.split(KEY, [numbers()], ALL, 1e-9)
    with pytest.raises(DataError, match="--weights are 0 in each of the 3 rows to test on"):
        strata.check_heard(np.arange(9) < 6, np.arange(6), np.arange(6, 9))
