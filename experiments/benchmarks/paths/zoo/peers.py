"""scikit-learn on the zoo: its fastest solver within 1e-6, in a process that can be ended.

Each penalty starts where the stronger one ended; folds are rows, shares of a class two rows of
each. Nothing here imports jax.
"""

import multiprocessing
import time
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from experiments.benchmarks.paths import zoo_truth
from experiments.benchmarks.paths.zoo_problems import Case

GOOD = 1e-6  # the worst lane, relative to the optimum
LADDER = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
MAX_ITER = 1_000_000  # the tolerance decides, not this


class Peer(NamedTuple):
    """A solver at its loosest tolerance that is good, and warm seconds; None where none is."""

    solver: str
    tol: float | None
    error: float | None
    seconds: float | None


class Contest:
    """A process of its own for scikit-learn, begun anew where a solver had to be ended."""

    def __init__(self, limit: float):
        self.limit = limit
        self._pool = self._begun()

    def best(self, case: Case, truth: zoo_truth.Truth) -> tuple[Peer | None, list[Peer]]:
        """The fastest good solver, and what became of each."""
        peers = [self._tuned(case, truth, solver) for solver in solvers(case)]
        good = [peer for peer in peers if peer.seconds is not None]
        return min(good, key=lambda peer: peer.seconds, default=None), peers

    def seconds(self, case: Case, peer: Peer) -> float:
        """A call more of a peer that is tuned."""
        return self._asked(_timed, case, peer.solver, peer.tol)[0]

    def close(self) -> None:
        """Ends the process."""
        self._pool.terminate()

    def _begun(self):
        return multiprocessing.get_context("spawn").Pool(1)

    def _asked(self, function, *args, limit=3600.0):
        """What the function returns in the other process; None where the limit came first."""
        try:
            return self._pool.apply_async(function, args).get(limit)
        except multiprocessing.TimeoutError:
            self._pool.terminate()
            self._pool = self._begun()
            return None

    def _tuned(self, case, truth, solver) -> Peer:
        """The loosest tolerance of the ladder that is good; the whole climb has the limit."""
        self._asked(solvers, case)  # and so the process has begun, and imported what it needs
        least, end = None, time.monotonic() + self.limit
        for tol in LADDER:
            left = max(end - time.monotonic(), 0.1)
            answer = self._asked(_attempt, case, truth, solver, tol, limit=left)
            if answer is None:
                break
            error, seconds = answer
            least = error if least is None else min(least, error)
            if error <= GOOD:
                return Peer(solver, tol, error, seconds)
        return Peer(solver, None, least, None)


def solvers(case: Case) -> list[str]:
    """Those that solve this problem with its intercept free, the likely fastest first."""
    every = np.arange(case.num_classes)
    if any(not np.array_equal(np.unique(_rows(case, f)[1]), every) for f in case.folds):
        return []  # of a fold without a class it makes a smaller problem
    if case.l1_ratio > 0:
        return ["saga"]
    small = case.x.shape[1] * case.num_classes <= 3000
    return [*(["newton-cholesky"] * small), "newton-cg", "lbfgs"]


def solve(case: Case, solver: str, tol: float) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """(w [D, C], b [C]) of every fold and penalty > 0."""
    found = []
    for fold in case.folds:
        x, labels, weights = _rows(case, fold)
        model = LogisticRegression(
            l1_ratio=case.l1_ratio, solver=solver, tol=tol, max_iter=MAX_ITER, warm_start=True
        )
        model.random_state = 0
        path = []
        for lam in case.lambdas[case.lambdas > 0]:
            model.set_params(C=1 / (lam * weights.sum())).fit(x, labels, weights)
            path.append((model.coef_.T.copy(), model.intercept_.copy()))
        found.append(path)
    return found


def _rows(case, fold):
    """Rows of weight, their labels and weights; a share of a class is two rows."""
    used = np.flatnonzero(case.weights * fold)
    x, labels, weights = case.x[used], case.labels[used], case.weights[used]
    if labels.dtype.kind in "iu":
        return x, labels, weights
    both = np.concatenate([weights * (1 - labels), weights * labels])
    return np.concatenate([x, x]), np.repeat([0, 1], len(x)), both


def _attempt(case, truth, solver, tol):
    """(worst lane, seconds of a warm call)."""
    seconds, found = _timed(case, solver, tol)
    if seconds < 2:
        seconds, found = _timed(case, solver, tol)
    worst = 0.0
    for f, k in np.ndindex(truth.risk.shape):
        if case.lambdas[k] > 0:
            here = zoo_truth.risk(case, case.folds[f], k, *found[f][k])
            worst = max(worst, float((here - truth.risk[f, k]) / truth.risk[f, k]))
    return worst if np.isfinite(worst) else float("inf"), seconds


def _timed(case, solver, tol):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of paths that end early, which the error tells
        found = solve(case, solver, tol)
    return time.perf_counter() - start, found
