"""Random path problems: no status lies, no lane is left early, no offset of a column matters."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression

from jaxlr import paths
from jaxlr.results.path import About
from tests import hard_paths, path_judge, random_paths, truth, unmoved_paths
from tests.sizes import PROOFS

pytestmark = pytest.mark.float64  # a path works in float64 whatever JAX is set to

SHAPES = None if PROOFS else random_paths.FEW
NUM_LAMBDAS = 5 if PROOFS else 4
LEFT = 80  # of some 5,300 lanes of a family
RNG = np.random.default_rng


@pytest.mark.parametrize("families", [["ridge"], ["elastic", "lasso"]])  # that share programs
def test_no_status_lies_beside_an_independent_optimum(families):
    for family in families:
        seeds = range(500 if PROOFS else 4)
        cases = ((seed, random_paths.case(family, seed, SHAPES, NUM_LAMBDAS)) for seed in seeds)
        lies, left = path_judge.survey(family, cases)
        assert lies == 0
        # What is beyond float64 stays: columns of 10⁶⁰, or of 10⁸ beside others of 10⁻⁸.
        assert left <= (LEFT if PROOFS else 0)


@pytest.mark.parametrize(("size", "limit"), [(1e6, 1e-8), (1e9, 1e-5)])
def test_an_offset_of_columns_changes_no_risk_and_no_status(size, limit):
    assert unmoved_paths.offsets(range(200 if PROOFS else 3), size, limit, SHAPES) == 0


@pytest.mark.skipif(not PROOFS, reason="many programs to compile")
@pytest.mark.parametrize("family", ["stiff", "rare", "sizes"])
def test_what_was_hard_once(family):
    problem, num = {
        "stiff": (hard_paths.stiff, 72),
        "rare": (hard_paths.rare, 3),
        "sizes": (hard_paths.sizes, len(hard_paths.SIZES)),
    }[family]
    cases = ((seed, problem(seed)) for seed in range(num))
    assert path_judge.survey(family, cases, folds=(0,)) == (0, 0)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_witness_finds_what_scikit_learn_finds(num_classes):
    rng = RNG(0)
    x = rng.normal(size=(60, 4))
    y = (x[:, :num_classes] + rng.gumbel(size=(60, num_classes))).argmax(axis=1)
    x = x * [1, 10, 0.1, 1] + [0, 1e3, 0, 0]
    kind = "log_loss" if num_classes == 2 else "softmax"
    peer = LogisticRegression(C=1 / (0.01 * 60), solver="newton-cg", tol=1e-13, max_iter=1000)
    peer.fit(x - x.mean(axis=0), y)
    params = peer.coef_.T if num_classes > 2 else peer.coef_[0], peer.intercept_
    theirs = truth.objective(x - x.mean(axis=0), y, np.ones(60), params, kind, 0.01, 0.0)
    ours = truth.optimum(x, y, np.ones(60), kind, num_classes, 0.01)
    np.testing.assert_allclose([ours.risk, ours.bound], theirs, rtol=1e-9)


def test_the_witness_finds_a_lasso():
    rng = RNG(1)
    x, y = rng.normal(size=(30, 50)), rng.normal(size=30)
    peer = Lasso(alpha=0.05, tol=1e-14, max_iter=100_000).fit(x, y)
    params = peer.coef_, peer.intercept_
    theirs = truth.objective(x, y, np.ones(30), params, "squared_error", 0.1, 1.0)
    ours = truth.optimum(x, y, np.ones(30), "squared_error", None, 0.1, 1.0)
    np.testing.assert_allclose([ours.risk, ours.bound], theirs, rtol=1e-9)


def test_the_witness_knows_what_no_params_reach():
    x = np.array([[0.0], [0.0], [1.0]])
    quasi = truth.optimum(x, np.array([0, 1, 1]), np.ones(3), "log_loss", None, 0.0)
    np.testing.assert_allclose([quasi.risk, quasi.bound], 2 / 3 * np.log(2), rtol=1e-12)
    apart = truth.optimum(x, np.array([0, 0, 1]), np.ones(3), "log_loss", None, 0.0)
    assert apart.risk <= 1e-12
    labels = np.array([0, 2, 2])
    missing = truth.optimum(x, labels, np.ones(3), "softmax", 3, 0.1)
    # Of two classes W₁ = -W₀ = w/2, whose ½λ‖W‖² is ¼λ‖w‖².
    two = truth.optimum(x, labels / 2, np.ones(3), "log_loss", None, 0.05)
    np.testing.assert_allclose(missing.risk, two.risk, rtol=1e-12)
    assert [quasi.attained, apart.attained, missing.attained, two.attained] == [False] * 3 + [True]


def test_the_judge_hears_a_lie():
    rng = RNG(2)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40).astype(float)
    folds = np.stack([np.ones(40), y])
    case = path_judge.Case(x, y, np.ones(40), folds, np.array([0.1, 0.0]), "log_loss", *[None] * 4)
    case = case._replace(l1_ratio=0.0, tol=1e-6)
    lanes = np.zeros((2, 2))
    risk = lanes + np.log(2)
    status = np.array([[paths.Status.certified, paths.Status.separable], [paths.Status.solved] * 2])
    params = {"w": np.zeros((2, 2, 3)), "b": lanes}
    about = About("log_loss", ("fold", "lambda"))
    path = paths.Path(
        params, risk, lanes + 1e-9, lanes, status, lanes, case.lambdas, np.float64(0), about
    )
    heard = [verdict.lies for verdict in path_judge.judged(case, path)]
    assert heard[0] == ["certified too far from the optimum", "a gap below the error"]
    assert heard[1][0] == "separable, where an optimum is attained"
    assert heard[2] == heard[3] == ["no finite optimum, and solved"]
