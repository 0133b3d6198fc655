"""Separation: directions that hold on the data, and None where the optimum is finite."""

import csv
from pathlib import Path

import numpy as np
import pytest

from jaxlr.paths.separation import separating_direction

pytestmark = pytest.mark.float64_pass

REFERENCE = Path(__file__).parents[2] / "shared" / "data" / "reference" / "data"


def margins(x, labels, direction, num_classes):
    """Every margin, and the rounding it may have: the definition, row by row."""
    rows = np.hstack([x, np.ones((len(x), 1))])
    tops = np.abs(rows).max(axis=0)
    if num_classes is None:
        values = np.where(labels == 1, 1, -1) * (rows @ direction)
        return values, tops @ np.abs(direction)
    values = [
        row @ (direction[label] - direction[c])
        for row, label in zip(rows, labels, strict=True)
        for c in range(num_classes)
        if c != label
    ]
    return np.array(values), 2 * (np.abs(direction) @ tops).max()


def check(x, labels, direction, num_classes=None):
    values, size = margins(x, labels, direction, num_classes)
    assert values.min() >= -2e-12 * size
    assert values.max() > 1e-9 * size
    return values


def ones(x):
    return np.ones(len(x))


def test_textbook_points():
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    assert (
        check(x, np.array([0, 0, 1, 1]), separating_direction(x, [0, 0, 1, 1], ones(x))).min() > 0
    )
    assert separating_direction(x, [0, 1, 0, 1], ones(x)) is None
    # Albert and Anderson's quasi-complete case: a tie on the boundary.
    x = np.array([[1.0], [2.0], [2.0], [3.0]])
    labels = np.array([0, 0, 1, 1])
    values = check(x, labels, separating_direction(x, labels, ones(x)))
    np.testing.assert_allclose(values[1:3], 0, atol=1e-12)
    assert separating_direction(x, labels, np.array([1.0, 1.0, 0.0, 1.0])) is not None
    assert separating_direction(x, [1, 0, 0, 1], ones(x)) is None


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("seed", range(4))
def test_random_data_of_every_kind(num_classes, shift, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(120, 4)) * [1e3, 1, 1, 1e-3] + shift
    scores = ((x - x.mean(axis=0)) / x.std(axis=0)) @ rng.normal(size=(4, num_classes or 2))
    complete = scores.argmax(axis=1)
    noisy = (scores + 3 * rng.gumbel(size=scores.shape)).argmax(axis=1)
    assert (
        check(
            x, complete, separating_direction(x, complete, ones(x), num_classes), num_classes
        ).min()
        > 0
    )
    assert separating_direction(x, noisy, ones(x), num_classes) is None
    rare = np.hstack([x, (noisy == 1)[:, None] * (rng.random((120, 1)) < 0.2)])
    direction = separating_direction(rare, noisy, ones(x), num_classes)
    values = check(rare, noisy, direction, num_classes)
    assert (np.abs(values) <= 1e-9 * np.abs(values).max()).sum() > 50  # quasi-complete
    np.testing.assert_array_equal(np.atleast_2d(direction)[:, :4], 0)


def test_a_small_overlap_is_seen_and_so_is_a_narrow_gap():
    x = np.append(np.linspace(-1, 1, 200), [1e-6, -1e-6])[:, None]
    labels = np.append(np.linspace(-1, 1, 200) > 0, [False, True]).astype(int)
    assert separating_direction(x, labels, ones(x)) is None
    check(
        x,
        labels ^ (np.arange(202) >= 200),
        separating_direction(x, labels ^ (np.arange(202) >= 200), ones(x)),
    )


def test_a_class_without_rows_separates_by_its_intercept():
    x = np.random.default_rng(0).normal(size=(60, 2))
    labels = np.arange(60) % 2
    np.testing.assert_array_equal(
        separating_direction(x, labels, ones(x), 3), [[0, 0, 0], [0, 0, 0], [0, 0, -1]]
    )
    np.testing.assert_array_equal(separating_direction(x, 0 * labels, ones(x)), [0, 0, -1])
    np.testing.assert_array_equal(separating_direction(x, 0 * labels + 1, ones(x)), [0, 0, 1])
    assert separating_direction(x, labels, ones(x), 2) is None


def test_a_label_in_between_belongs_to_both_sides():
    x = np.array([[1.0], [2.0], [3.0]])
    assert separating_direction(x, np.array([0.3, 0.5, 0.9]), ones(x)) is None
    direction = separating_direction(x, np.array([0.0, 0.5, 1.0]), ones(x))
    assert direction @ [2, 1] == pytest.approx(0, abs=1e-12)
    assert direction[0] > 0


def test_a_good_guess_is_taken_and_a_bad_one_is_not():
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    labels = np.array([0, 0, 1, 1])
    guess = np.array([7.0, -17.0])
    np.testing.assert_array_equal(separating_direction(x, labels, ones(x), guess=guess), guess)
    check(x, labels, separating_direction(x, labels, ones(x), guess=-guess))
    assert separating_direction(x, [0, 1, 0, 1], ones(x), guess=guess) is None
    almost = np.array([1.0, -2.0 + 1e-9])  # the second row's margin is -1e-9
    better = separating_direction(x, labels, ones(x), guess=almost)
    assert check(x, labels, better).min() > 0


def test_the_urinary_tract_data_of_firths_method_are_quasi_separated():
    path = REFERENCE / "sex2.csv"
    if not path.exists():
        pytest.skip("the published data are not here")
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    table = np.array(rows, float)
    x, labels = table[:, 1:], table[:, 0]
    direction = separating_direction(x, labels, ones(x))
    check(x, labels, direction)
    along = dict(zip(header[1:], direction, strict=False))
    assert along.pop("dia") > 0  # every woman with dia was a case
    assert set(along.values()) == {0}
    rest = np.delete(x, header.index("dia") - 1, axis=1)
    assert separating_direction(rest, labels, ones(x)) is None
