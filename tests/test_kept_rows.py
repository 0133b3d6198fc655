"""Classes left out by name, and weights of any size."""

import numpy as np
import pandas as pd
import pytest

from experiments.datasets import DataError, Table
from experiments.datasets.probes import Probes
from experiments.datasets.table import Target
from experiments.kit import kept_rows

pytestmark = pytest.mark.once

LABELS = np.array([0, 1, 2, 1, 0, 2, 3, 1], np.int32)
X = np.arange(16.0).reshape(8, 2)


def table(weights=None, features=X, names=("p", "q", "r", "s,t")):
    return Table(
        "made", features, LABELS, "multiclass", names, ("a", "b"), "y", weights, ("A note.",)
    )


@pytest.mark.parametrize("given", [("q", "s,t"), ("y=q", "y=s,t")])
@pytest.mark.parametrize("features", [X, pd.DataFrame(X, columns=["a", "b"])], ids=type)
def test_rows_of_the_classes_named_are_left_out(given, features):
    left = kept_rows.of_table(table(np.arange(1.0, 9), features), given)
    kept = [0, 2, 4, 5]
    np.testing.assert_array_equal(np.asarray(left.features), X[kept])
    np.testing.assert_array_equal(left.labels, [0, 1, 0, 1])
    np.testing.assert_array_equal(left.weights, [1, 3, 5, 6])
    assert (left.class_names, left.task) == (("p", "r"), "binary")
    assert left.notes == ("A note.", "4 rows left out for 'q', 's,t' in 'y'")


def test_names_may_be_joined_by_commas_and_a_task_asked_for_stays():
    left = kept_rows.of_table(table(), ("p,q",), "multiclass")
    assert (left.class_names, left.task) == (("r", "s,t"), "multiclass")
    np.testing.assert_array_equal(left.labels, [0, 0, 1])
    assert kept_rows.of_table(table()).features is X


def test_a_row_of_many_targets_goes_where_one_of_its_classes_does():
    other = Target("z", LABELS % 2, "binary", ("p", "even"))
    layers = {"l": table(), "m": table(features=X + 1)}
    first = Target("y", LABELS, "multiclass", table().class_names)
    left = kept_rows.of_probes(Probes("made", layers, (first, other)), ("y=p",))
    assert left.targets[0].class_names == ("q", "r", "s,t")
    assert left.targets[1].class_names == ("p", "even")
    assert [len(t.labels) for t in left.targets] == [6, 6]
    np.testing.assert_array_equal(left.layers["m"].features, X[LABELS != 0] + 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ("rr",),
            r"--drop-classes: no class 'rr' \(did you mean 'r'\?\); the classes are 'p', 'q'",
        ),
        (("p", "q", "r"), "--drop-classes leaves 1 of the 4 classes of 'y'; leave two at least"),
    ],
)
def test_mistakes_are_said(given, said):
    with pytest.raises(DataError, match=said):
        kept_rows.of_table(table(), given)


def test_a_target_of_numbers_has_no_classes():
    made = Table("made", X, np.arange(8.0), "regression", (), ("a", "b"), "y")
    with pytest.raises(DataError, match="no class '3'; the target is a number, and has no classes"):
        kept_rows.of_table(made, ("3",))


@pytest.mark.parametrize("size", [1e37, 1e300, 1e-44, 1e-300, 5e-324])
def test_weights_of_any_size_are_scaled_by_a_power_of_two(size):
    weights = size * np.array([1, 2, 3, 0, 5, 6, 7, 8.0])
    scaled = kept_rows.of_table(table(weights))
    power = np.log2(scaled.weights[0]) - np.log2(weights[0])
    assert power == pytest.approx(round(power), abs=1e-9)
    np.testing.assert_array_equal(scaled.weights / scaled.weights[0], weights / weights[0])
    assert 1 <= scaled.weights.max() < 2
    assert "weights are divided by 2^" in scaled.notes[-1]
    assert np.isfinite(np.square(scaled.weights.astype(np.float32)).sum())


@pytest.mark.parametrize("size", [1.0, 1 / 8, 100.0, 1e-9, 1e9])
def test_weights_within_reach_stay_as_they_are(size):
    weights = size * np.array([1, 2, 3, 0, 5, 6, 7, 8.0])
    made = table(weights)
    assert kept_rows.of_table(made).weights is weights
    assert kept_rows.of_table(made).notes == made.notes


def test_weights_that_no_sum_can_tell_from_nothing_are_absent_and_said():
    weights = np.array([1e30, 1, 1e-10, 1e30, 1e30, 1e30, 1e30, 0])
    left = kept_rows.of_table(table(weights))
    np.testing.assert_array_equal(left.weights > 0, weights > 1)
    assert left.notes[-1] == "2 rows weigh less than 1e-27 of the heaviest, and count as absent"
    with pytest.raises(DataError, match="--weights are 0 in every row that is left"):
        kept_rows.of_table(table(1.0 * (LABELS == 3)), ("s,t",))
