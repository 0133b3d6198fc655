"""Separation: directions that hold on the data, and None where the optimum is finite."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from jaxlr import Batch, losses, paths
from jaxlr.paths import limits, separation
from jaxlr.paths.separation import infimum, separating_direction
from tests import truth
from tests.random_paths import case

pytestmark = pytest.mark.float64

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


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
def test_an_offset_hides_no_separation_and_makes_none(offset):
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(size=(80, 3)), 3) + offset
    sides = (x[:, 0] > np.median(x[:, 0])).astype(int)
    assert separating_direction(x, sides, ones(x)) is not None
    assert separating_direction(x, rng.integers(0, 2, 80), ones(x)) is None
    assert infimum(x, sides, ones(x)) == 0


def test_without_an_intercept_a_direction_has_none():
    x = np.array([[1.0, 0.5], [2.0, -1.0], [3.0, 0.2], [1.5, -0.3]])
    every = np.ones(4, int)
    direction = separating_direction(x, every, ones(x), fit_intercept=False)
    assert direction[-1] == 0
    assert (x @ direction[:-1] > 0).all()
    assert infimum(x, every, ones(x), fit_intercept=False) == 0
    both = np.vstack([x, -x])  # no plane through 0 has a point and its mirror on one side
    assert separating_direction(both, np.ones(8, int), ones(both), fit_intercept=False) is None
    assert separating_direction(both, np.ones(8, int), ones(both)) is not None
    value = infimum(both, np.ones(8, int), ones(both), fit_intercept=False)
    assert value == pytest.approx(np.log(2), rel=1e-12)


def limit_of_a_ridge(x, labels, weights):
    """The mean loss at a penalty of 1e-10; a label in between is two rows."""
    x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    between = labels % 1
    x, labels = np.vstack([x, x]), np.concatenate([np.ceil(labels), np.floor(labels)]).astype(int)
    weights = np.concatenate([np.where(between > 0, between, 1), 1 - between]) * np.tile(weights, 2)
    weights[len(between) :][between == 0] = 0
    peer = LogisticRegression(C=1e10 / weights.sum(), solver="newton-cholesky", tol=1e-10)
    logs = peer.fit(x, labels, sample_weight=weights).predict_log_proba(x)
    return -weights @ logs[np.arange(len(x)), labels] / weights.sum()


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("seed", range(2))
def test_an_infimum_is_the_limit_of_weaker_and_weaker_penalties(num_classes, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 3)) * [1e2, 1, 1e-2] + 10
    scores = (x - 10) / [1e2, 1, 1e-2] @ rng.normal(size=(3, num_classes or 2))
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    weights = rng.integers(0, 3, 90)
    tells = np.stack([(labels == 1) & (rng.random(90) < 0.3), rng.random(90) < 0.1], axis=1)
    x = np.hstack([x, tells])
    value = infimum(x, labels, weights, num_classes)
    assert separating_direction(x, labels, weights, num_classes) is not None
    kept = weights > 0
    expected = limit_of_a_ridge(x[kept], labels[kept], weights[kept])
    assert value > 0.01
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    between = np.where(labels == 1, 1.0, 0.25 * (np.arange(90) % 2))
    if num_classes is None:
        value = infimum(x, between, weights)
        expected = limit_of_a_ridge(x[kept], between[kept], weights[kept])
        np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", [7, 24, 48])  # powers, weights of six decades, heavy tails
def test_infima_of_random_classes_lie_between_the_bounds_of_a_witness(seed):
    problem = case("ridge", seed)
    weights = problem.weights / problem.weights.max() * problem.folds[0]
    rows = problem.x, problem.labels, weights
    best = truth.optimum(*rows, problem.kind, problem.num_classes, 0.0, 0.0)
    value = infimum(*rows, problem.num_classes)
    assert best.bound * (1 - 1e-6) <= value <= best.risk * (1 + 1e-6)


def test_an_infimum_that_rounding_hides_is_not_told():
    """Powers under weights of six decades: no step balances counts well enough for a bound."""
    problem = case("ridge", 283)
    for fold in problem.folds:
        rows = problem.x, problem.labels, problem.weights * fold
        best = truth.optimum(*rows, problem.kind, problem.num_classes, 0.0, 0.0)
        value = infimum(*rows, problem.num_classes)
        assert np.isnan(value) or abs(value - best.risk) <= 1e-6 * best.risk


@pytest.mark.parametrize("num_classes", [None, 3])
def test_products_find_what_a_hessian_finds(monkeypatch, num_classes):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(90, 3))
    scores = x @ rng.normal(size=(3, num_classes or 2))
    noisy = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    tells = np.column_stack([x, (noisy == 1) & (np.arange(90) % 3 == 0)])
    value = infimum(tells, noisy, ones(x), num_classes)
    monkeypatch.setattr(separation, "LARGE", 0)
    assert separating_direction(x, noisy, ones(x), num_classes) is None
    complete = scores.argmax(axis=1)
    values = check(
        x, complete, separating_direction(x, complete, ones(x), num_classes), num_classes
    )
    assert values.min() > 0
    direction = separating_direction(tells, noisy, ones(x), num_classes)
    check(tells, noisy, direction, num_classes)
    np.testing.assert_allclose(infimum(tells, noisy, ones(x), num_classes), value, rtol=1e-6)


def test_infima_of_textbook_points():
    x, labels = np.array([[1.0], [2.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    assert infimum(x, labels, ones(x)) == pytest.approx(np.log(2) / 2, rel=1e-12)
    assert infimum(x, labels, np.array([1, 3, 1, 1])) == pytest.approx(
        (4 * np.log(4) - 3 * np.log(3)) / 6, rel=1e-12
    )
    # However narrow the gap, what it tells apart costs nothing.
    narrow = np.array([[1.0], [2], [2], [2 + 1e-6]])
    assert infimum(narrow, labels, ones(x)) == pytest.approx(np.log(2) / 2, rel=1e-9)
    # The first column leaves the points at 2, and the second tells those apart.
    x = np.hstack([x, [[0.0], [1], [2], [0]]])
    assert infimum(x, labels, ones(x)) == 0
    # A class without rows costs nothing, and the others have an optimum.
    x = np.random.default_rng(0).normal(size=(60, 2))
    labels = np.arange(60) % 2
    peer = LogisticRegression(C=np.inf, tol=1e-12).fit(x, labels)
    expected = -np.log(peer.predict_proba(x)[np.arange(60), labels]).mean()
    assert infimum(x, labels, ones(x), 3) == pytest.approx(expected, rel=1e-9)


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
    without = x[:, header.index("dia") - 1] == 0
    peer = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
    p = peer.fit(rest[without], labels[without]).predict_proba(rest[without])
    expected = -np.log(p[np.arange(len(p)), labels[without].astype(int)]).sum() / len(x)
    assert infimum(x, labels, ones(x)) == pytest.approx(expected, rel=1e-9)


def test_a_gap_that_only_the_solver_finds_is_separable(monkeypatch):
    """As where a search gives up: without it the end of the lane is what separates."""

    def only_guesses(*problem, guess=None, fit_intercept=True):
        if guess is None:
            return None
        return separating_direction(*problem, guess=guess, fit_intercept=fit_intercept)

    monkeypatch.setattr(limits, "separating_direction", only_guesses)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 2))
    labels = (x[:, 0] > 0).astype(int)
    found = paths.fit(Batch(x, labels), [0.0], loss=losses.log_loss)
    assert found.status == [paths.Status.separable]
    assert found.risk == 0
    mixed = rng.permutation(labels)
    assert paths.fit(Batch(x, mixed), [0.0], loss=losses.log_loss).status[0] <= 1


def test_collinear_columns_hide_no_separation():
    """Powers of a number far from 0: as they are, or scaled, the margins are next to nothing."""
    u = 100 + np.random.default_rng(1).normal(size=40)
    x = np.stack([u**k for k in range(1, 5)], axis=1)
    labels = (np.abs(u - 100) > 0.8).astype(int)  # two cuts: a parabola tells them apart
    direction = separating_direction(x, labels, ones(x))
    assert direction is not None
