"""The zoo's witness and judge: right where scipy is, and nothing that is wrong gets past them."""

from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import scipy.special

from experiments.benchmarks.paths import peers, truth
from experiments.benchmarks.paths.zoo.__main__ import solvers
from experiments.benchmarks.paths.zoo.real import real
from jaxlr import paths
from jaxlr.results.path import About
from tests import zoo_judge as judge
from tests.truth import newton_cg
from tests.zoo_problems import DRAWN, case

pytestmark = pytest.mark.float64

TOL = 1e-6
ABOUT = About("log_loss", ("fold", "lambda"))


def small(num_classes=2, l1_ratio=0.0, zero=False, **options):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 3)) + 1e3
    labels = np.argmax(rng.gumbel(size=(40, num_classes)) + x[:, :num_classes], axis=1)
    return case(x, labels, l1_ratio, steps=3, reach=4.0, zero=zero, **options)


def objective(problem, lam):
    """J of flat params, in float64, with columns centred: only what scipy needs."""
    x = np.c_[problem.x - problem.x.mean(axis=0), np.ones(len(problem.x))]
    each, a, labels = np.arange(len(x)), problem.l1_ratio, problem.labels
    several = problem.num_classes > 2

    def value(flat):
        theta = flat.reshape(x.shape[1], -1)
        z = x @ theta if several else np.c_[np.zeros(len(x)), x @ theta]
        loss = np.mean(scipy.special.logsumexp(z, axis=1) - z[each, labels])
        w = theta[:-1]
        return loss + lam * ((1 - a) / 2 * np.sum(w**2) + a * np.sum(np.abs(w)))

    return value, x.shape[1] * (problem.num_classes if several else 1)


def scipys(problem, lam):
    """(least J, w, b) by BFGS from zero."""
    value, size = objective(problem, lam)
    found = scipy.optimize.minimize(value, np.zeros(size), tol=1e-10)
    theta = found.x.reshape(problem.x.shape[1] + 1, -1)
    return found.fun, theta[:-1], theta[-1] - problem.x.mean(axis=0) @ theta[:-1]


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_ridge_s_truth_is_scipy_s(tmp_path, num_classes):
    problem = small(num_classes, zero=True)
    best = truth.optimum(problem, tmp_path)
    assert best.attained.all()
    for k, lam in enumerate(problem.lambdas):
        np.testing.assert_allclose(best.risk[0, k], scipys(problem, lam)[0], rtol=1e-9)
    again = truth.optimum(problem, tmp_path)
    np.testing.assert_array_equal(again.risk, best.risk)


def test_what_is_too_large_for_a_hessian_has_the_same_optimum(tmp_path, monkeypatch):
    problem = small(3)
    problem = problem._replace(x=problem.x - 1e3, weights=np.arange(1.0, 41))
    best = truth.optimum(problem, tmp_path / "dense")
    monkeypatch.setattr(truth, "MAX_DENSE", 0)
    large = truth.optimum(problem, tmp_path / "large")
    np.testing.assert_allclose(large.risk, best.risk, rtol=1e-9)
    assert (large.slack <= newton_cg.PRECISION * large.risk).all()
    assert large.attained.all()


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_an_elastic_net_s_truth_is_saga_s(tmp_path, l1_ratio):
    problem = small(3, l1_ratio)
    problem = problem._replace(x=problem.x - 1e3)  # saga is no friend of offsets
    best = truth.optimum(problem, tmp_path)
    w, b = peers.solve(problem, peers.Setting("saga", 1e-12))
    for k in (1, 2):  # at λ_max it stops as soon as the weights are 0, whatever the intercepts
        here = truth.risk(problem, (0, k), w[0, k], b[0, k])
        np.testing.assert_allclose(here, best.risk[0, k], rtol=1e-9)


def test_weights_are_repetitions_and_folds_are_rows_left_out(tmp_path):
    problem = small(3)
    weights = np.arange(40) % 3 * 1.0
    folds = (np.arange(40) % 5 != np.arange(2)[:, None]) * 1.0
    weighted = truth.optimum(problem._replace(weights=weights, folds=folds), tmp_path)
    for f, fold in enumerate(folds):
        rows = np.repeat(np.arange(40), (weights * fold).astype(int))
        repeated = problem._replace(
            x=problem.x[rows],
            labels=problem.labels[rows],
            weights=np.ones(len(rows)),
            folds=np.ones((1, len(rows))),
        )
        best = truth.optimum(repeated, tmp_path)
        np.testing.assert_allclose(weighted.risk[f], best.risk[0], rtol=1e-12)


def test_what_is_separable_has_no_optimum_and_the_infimum_of_the_rest(tmp_path):
    x = np.arange(8.0)[:, None]
    apart = case(x, (x[:, 0] > 3).astype(int), steps=2, zero=True)
    best = truth.optimum(apart, tmp_path)
    assert best.attained.tolist() == [[True, True, False]]
    assert best.risk[0, -1] < 1e-9
    flag = np.array([0, 0, 0, 0, 0, 0, 1, 1.0])[:, None]  # whose rows are of one class
    half = case(flag, np.array([0, 0, 0, 1, 1, 1, 1, 1]), steps=2, zero=True)
    best = truth.optimum(half, tmp_path)
    assert best.attained.tolist() == [[True, True, False]]
    np.testing.assert_allclose(best.risk[0, -1], 0.75 * np.log(2), rtol=1e-6)
    alone = apart._replace(folds=(x.T > 3) * 1.0)  # a fold of one class
    best = truth.optimum(alone, tmp_path)
    assert not best.attained.any()
    assert not best.risk.any()


def answered(problem, status=paths.Status.certified, gap=1e-7, off=0.0, claim=0.0):
    """A path whose weights are scipy's times 1 + off, with what it says of itself."""
    w, b, risk = [], [], []
    for k, lam in enumerate(problem.lambdas):
        _, w_k, b_k = scipys(problem, lam)
        centre = problem.x.mean(axis=0)
        w_k, b_k = w_k * (1 + off), b_k - off * (centre @ w_k)
        w.append(w_k)
        b.append(b_k)
        risk.append(truth.risk(problem, (0, k), w_k, b_k, np.longdouble))
    risk = np.array([risk]) * (1 + claim)
    params = {"w": np.array([w]), "b": np.array([b])}
    full = np.full_like(risk, 1.0)
    status = (full * status).astype(np.int32)
    lanes = params, risk, gap * risk, gap * risk, status, status
    return paths.Path(*lanes, problem.lambdas, np.float64(0), ABOUT)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({}, "certified"),
        ({"off": 0.02, "gap": 0.1}, "LIE"),  # certified beyond its tolerance
        ({"claim": 1e-3}, "LIE"),  # a risk that is not J
        ({"status": paths.Status.solved}, "unproved"),
        ({"status": paths.Status.stalled, "gap": 1e-3}, "unproved"),
        ({"status": paths.Status.stalled, "gap": 0.1, "off": 0.02}, "wrong"),
        ({"status": paths.Status.stalled, "gap": 1e-7, "off": 0.02}, "LIE"),  # below the error
        ({"status": paths.Status.solved, "gap": 0.1, "off": 0.02}, "LIE"),
        ({"status": paths.Status.separable}, "LIE"),
    ],
)
def test_the_judge_tells_faults_from_answers(tmp_path, said, outcome):
    problem = small()
    problem = problem._replace(lambdas=problem.lambdas[1:])
    best = truth.optimum(problem, tmp_path)
    verdicts = judge.judged(problem, answered(problem, **said), best, TOL)
    assert {verdict.outcome for verdict in verdicts} == {outcome}
    told = [verdict.told for verdict in verdicts]
    assert all(told) == (outcome in judge.FAULTS)


def test_a_tolerance_that_float64_cannot_tell_is_an_explanation(tmp_path):
    problem = small()
    best = truth.optimum(problem, tmp_path)
    path = answered(problem, paths.Status.stalled)
    near = judge.judged(problem, path, best, 1e-14)
    assert {verdict.outcome for verdict in near} <= {"rounding", "wrong"}
    assert all(1e-17 < verdict.floor < 1e-15 for verdict in near)


def test_a_separable_lane_must_be_so_and_tell_the_infimum(tmp_path):
    x = np.arange(8.0)[:, None]
    problem = case(x, (x[:, 0] > 3).astype(int), steps=2, zero=True)
    problem = problem._replace(lambdas=np.zeros(1))
    best = truth.optimum(problem, tmp_path)
    params = {"w": np.full((1, 1, 1), 1.0), "b": np.full((1, 1), -3.5)}
    for status, risk, outcome in [
        (paths.Status.separable, 0.0, "separable"),
        (paths.Status.separable, 0.3, "LIE"),
        (paths.Status.certified, 0.3, "LIE"),
        (paths.Status.stalled, 0.3, "wrong"),
    ]:
        one = np.full((1, 1), risk)
        lanes = params, one, one, one, np.full((1, 1), status), one
        path = paths.Path(*lanes, problem.lambdas, np.float64(0), ABOUT)
        assert judge.judged(problem, path, best)[0].outcome == outcome


def test_the_peers_solve_the_same_problem(tmp_path):
    problem = small()
    soft = problem._replace(labels=np.where(problem.labels > 0, 0.9, 0.2))
    for each in (problem, soft):
        each = each._replace(lambdas=each.lambdas[1:2], x=each.x - 1e3)
        best = truth.optimum(each, tmp_path)
        for solver in solvers(each):
            w, b = peers.solve(each, peers.Setting(solver, 1e-10))
            here = truth.risk(each, (0, 0), w[0, 0], b[0, 0])
            np.testing.assert_allclose(here, best.risk[0, 0], rtol=1e-9)


def test_the_zoo_is_large_and_unknown_to_the_library():
    kinds = {entry.about for entry in DRAWN.values()}
    assert len(DRAWN) >= 40
    assert len(kinds) >= 12
    assert len({entry.seed for entry in DRAWN.values()}) == len(DRAWN)
    library = "".join(file.read_text() for file in Path(paths.__file__).parents[1].rglob("*.py"))
    assert not [name for name in DRAWN if name in library or name.replace("-", "_") in library]
    few = DRAWN["tiny-ridge"].build()
    assert few.lambdas[-1] == pytest.approx(1e-9 * few.lambdas[0])
    assert len(few.key()) == 12
    assert set(real("nowhere")) > {"mnist", "letter", "adult", "bank", "german", "spambase", "a9a"}
