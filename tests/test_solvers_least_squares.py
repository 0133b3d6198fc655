"""Least squares: NIST's certified digits, exact rational answers, numpy, and laws of weights."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from jaxlr.solvers.least_squares import least_squares

pytestmark = pytest.mark.float64

REFERENCE = Path(__file__).parents[2] / "shared" / "data" / "reference"
# 9 digits, and of Filip what its powers, rounded to 53 bits, still determine.
DIGITS = dict.fromkeys(["norris", "pontius", "noint1", "longley", "wampler1", "wampler4"], 9)
DIGITS["filip"] = 7


def with_ones(features):
    return np.hstack([features, np.ones((len(features), 1))])


def fitted(features, y, lam=0.0, weights=None):
    weights = np.ones(len(y)) if weights is None else weights
    return least_squares(with_ones(features), y[None], weights[None], np.array([lam]))[0, 0, 0]


def digits(got, expected):
    return -np.log10(np.max(np.abs(got - expected) / np.abs(expected)) + 1e-16)


def exact(features, y, lam=0, weights=None):
    """Gaussian elimination of the normal equations in rational numbers."""
    rows = [[*map(Fraction, map(float, row)), Fraction(1)] for row in features]
    s = [Fraction(1)] * len(y) if weights is None else [Fraction(float(w)) for w in weights]
    size, total = len(rows[0]), sum(s)
    system = []
    for i in range(size):
        line = [sum(w * r[i] * r[j] for w, r in zip(s, rows, strict=True)) for j in range(size)]
        line.append(sum(w * r[i] * Fraction(float(t)) for w, r, t in zip(s, rows, y, strict=True)))
        line[i] += Fraction(lam) * total / 2 if i < size - 1 else 0
        system.append(line)
    for i in range(size):
        system[i] = [v / system[i][i] for v in system[i]]
        for k in range(size):
            if k != i and system[k][i]:
                factor = system[k][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i], strict=True)]
    return np.array([float(line[-1]) for line in system])


@pytest.mark.parametrize("name", DIGITS)
def test_certified_digits(name):
    if not (REFERENCE / "nist_linear.json").exists():
        pytest.skip("the published data are not here")
    case = json.loads((REFERENCE / "nist_linear.json").read_text())[name]
    with (REFERENCE / case["csv"]).open(newline="", encoding="utf-8-sig") as file:
        table = np.array(list(csv.reader(file))[1:], float)
    y, features = table[:, 0], table[:, 1:]
    if case["degree"]:
        features = features[:, :1] ** np.arange(1, case["degree"] + 1)
    if not case["intercept"]:  # with its mirror image the intercept is 0
        features, y = np.vstack([features, -features]), np.append(y, -y)
    params = fitted(features, y)
    params = np.append(params[-1], params[:-1]) if case["intercept"] else params[:-1]
    assert digits(params, np.array(case["certified_coef"])) >= DIGITS[name]


@pytest.mark.parametrize("lam", [0.0, 1e-12, 1e-3])
def test_rounded_data_of_condition_a_billion_have_their_exact_answer(lam):
    x = np.linspace(3, 9, 30)[:, None] ** np.arange(1, 8) / 9.0 ** np.arange(1, 8)
    y = np.cos(np.arange(30.0))
    s = np.where(np.arange(30) % 7, 1.0, 2.5)
    assert digits(fitted(x, y, lam, s), exact(x, y, lam, s)) >= 11


def test_every_target_fold_and_penalty_satisfies_its_own_normal_equations():
    rng = np.random.default_rng(0)
    x, y = with_ones(rng.normal(size=(50, 6))), rng.normal(size=(3, 50))
    weights = rng.choice([0.0, 1.0, 3.0], (2, 50))
    lambdas = np.array([10.0, 1e-1, 1e-4, 0.0])
    params = least_squares(x, y, weights, lambdas)
    assert params.shape == (3, 2, 4, 7)
    ridge = np.append(np.ones(6), 0)
    for t, f, k in np.ndindex(3, 2, 4):
        s = weights[f] / weights[f].sum()
        grad = 2 * x.T @ (s * (x @ params[t, f, k] - y[t])) + lambdas[k] * ridge * params[t, f, k]
        np.testing.assert_allclose(grad, 0, atol=1e-14)


@pytest.mark.parametrize("shape", [(8, 20), (20, 8)])
def test_dependent_columns_get_the_answer_of_least_norm(shape):
    rng = np.random.default_rng(1)
    features = rng.normal(size=shape) @ np.diag(rng.uniform(0.5, 2, shape[1]))
    features[:, 1] = features[:, 0] - 2 * features[:, 2]
    y = rng.normal(size=shape[0])
    params = fitted(features, y)
    expected = np.linalg.lstsq(features - features.mean(axis=0), y - y.mean(), rcond=1e-12)[0]
    np.testing.assert_allclose(params[:-1], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(params[-1], y.mean() - features.mean(axis=0) @ expected, rtol=1e-10)


def test_a_weight_is_a_repetition_and_a_constant_column_has_weight_0():
    rng = np.random.default_rng(2)
    features, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    counts = rng.integers(0, 4, 30)
    repeated = fitted(np.repeat(features, counts, axis=0), np.repeat(y, counts), 0.1)
    np.testing.assert_allclose(fitted(features, y, 0.1, counts.astype(float)), repeated, rtol=1e-12)
    constant = np.hstack([features, np.full((30, 1), 0.1)])
    for lam in (0.0, 0.1):
        params = fitted(constant, y, lam)
        assert params[3] == pytest.approx(0, abs=1e-15)
        np.testing.assert_allclose(np.delete(params, 3), fitted(features, y, lam), rtol=1e-10)


def test_the_scale_of_a_column_costs_no_digits_without_a_penalty():
    rng = np.random.default_rng(3)
    features, y = rng.normal(size=(40, 4)), rng.normal(size=40)
    scale = np.array([1e-9, 1.0, 1e7, 1e3])
    scaled = fitted(features * scale, y) * np.append(scale, 1)
    np.testing.assert_allclose(scaled, fitted(features, y), rtol=1e-12)
