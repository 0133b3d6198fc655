"""Peers of the path benchmark: the whole problem by scikit-learn, glum or skglm.

Paths start each penalty where the stronger one ended, wherever the library can; nothing is scored
and nothing refitted. celer fits no intercept, so has no answer to this question.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from threadpoolctl import threadpool_limits

from experiments.benchmarks.paths.problems import Problem

MAX_ITER = 100_000  # the tolerance decides, not this


class Setting(NamedTuple):
    """How a peer is asked: its name, tolerance, processes, and rows as CSR or dense.

    No tolerance is scikit-learn as it comes, 100 iterations and 1e-4. jobs: None is one process
    whose BLAS takes every core, 1 one process on one core, -1 a process for each core.
    """

    name: str
    tol: float | None
    jobs: int | None = None
    sparse: bool = False

    def label(self) -> str:
        """For a table."""
        tol = "as it comes" if self.tol is None else f"tol {self.tol:.0e}"
        cores = {None: "threads", 1: "one core", -1: "processes"}[self.jobs]
        return ", ".join([self.name, tol, cores, *(["CSR"] if self.sparse else [])])


def names(problem: Problem) -> list[str]:
    """The peers that solve this problem and are installed, the likely fastest first."""
    if problem.num_classes > 2:
        ridge = ["newton-cg", "newton-cholesky", "lbfgs"]
        return ridge if problem.l1_ratio == 0 else ["saga"]
    if problem.l1_ratio == 0:
        found = ["newton-cholesky", "glum irls-ls", "newton-cg", "lbfgs", "liblinear"]
    else:
        found = ["skglm", "glum irls-cd", *(["liblinear"] * (problem.l1_ratio == 1)), "saga"]
    return [name for name in found if _installed(name.split()[0])]


def solve(problem: Problem, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Weights [T, F, K, D, C] and intercepts [T, F, K, C], from arrays in memory."""
    x = scipy.sparse.csr_array(problem.x) if setting.sparse else problem.x
    with warnings.catch_warnings(), threadpool_limits(1 if setting.jobs == 1 else None):
        warnings.simplefilter("ignore")  # of paths that end early, which the error tells
        if len(problem.trains) > 1 and setting.name in _SKLEARN:
            coefs = [_cross_validated(problem, x, labels, setting) for labels in problem.labels]
        else:
            coefs = _each_path(problem, x, setting)
    both = np.reshape(coefs, (len(problem.labels), len(problem.trains), *np.shape(coefs)[-3:]))
    both = np.swapaxes(both, -1, -2)
    return both[..., :-1, :], both[..., -1, :]


_SKLEARN = ("lbfgs", "newton-cg", "newton-cholesky", "liblinear", "saga")


def _options(problem, setting):
    """Arguments of scikit-learn's estimators."""
    found = {"solver": setting.name, "random_state": 0}
    if setting.tol is not None:
        found |= {"tol": setting.tol, "max_iter": MAX_ITER}
    if setting.name == "liblinear":  # it penalises the intercept as the weight of this feature
        found["intercept_scaling"] = 1e6 if problem.l1_ratio else 1e4
    return found


def _no_score(estimator, x, y):
    """Stands where a metric would be: the comparison is of fits."""
    return 0.0


def _cross_validated(problem, x, labels, setting):
    """[F, K, C, D + 1] of LogisticRegressionCV."""
    cross = LogisticRegressionCV(
        Cs=problem.C,
        l1_ratios=np.array([problem.l1_ratio]),  # it indexes them with an array
        cv=[(np.flatnonzero(trains), np.flatnonzero(~trains)) for trains in problem.trains],
        scoring=_no_score,
        refit=False,
        n_jobs=setting.jobs,
        use_legacy_attributes=False,
        **_options(problem, setting),
    )
    return cross.fit(x, labels).coefs_paths_[:, 0]


def _each_path(problem, x, setting):
    """[T F, K, C, D + 1], every path a job; as it comes a library knows no paths: every penalty."""
    if setting.name in _SKLEARN:
        work, options = _warm_started, _options(problem, setting)
    else:
        work, options = _OTHERS[setting.name], {"tol": setting.tol}
    jobs = [problem.C] if setting.tol is not None else problem.C[:, None]
    coefs = Parallel(n_jobs=setting.jobs)(
        delayed(work)(x, labels, trains, penalties, problem.l1_ratio, options)
        for labels in problem.labels
        for trains in problem.trains
        for penalties in jobs
    )
    return np.reshape(coefs, (-1, len(problem.C), *np.shape(coefs)[2:]))


def _rows(x, labels, trains):
    """The training rows, without a copy where that is all of them."""
    return (x, labels) if trains.all() else (x[trains], labels[trains])


def _warm_started(x, labels, trains, penalties, l1_ratio, options):
    """[K, C, D + 1] of LogisticRegression; as it comes, it starts every fit from zero."""
    x, labels = _rows(x, labels, trains)
    model = LogisticRegression(l1_ratio=l1_ratio, warm_start="tol" in options, **options)
    found = []
    for C in penalties:
        model.set_params(C=C).fit(x, labels)
        found.append(np.concatenate([model.coef_, model.intercept_[:, None]], axis=1))
    return found


def _glum(x, labels, trains, penalties, l1_ratio, options):
    """[K, 1, D + 1] of glum's binomial path."""
    from glum import GeneralizedLinearRegressor

    x, labels = _rows(x, labels, trains)
    model = GeneralizedLinearRegressor(
        family="binomial",
        l1_ratio=l1_ratio,
        solver="irls-cd" if l1_ratio else "irls-ls",
        alpha_search=True,
        alphas=1 / (penalties * len(labels)),
        gradient_tol=options["tol"],
        max_iter=MAX_ITER,
    )
    model.fit(x.tocsc() if scipy.sparse.issparse(x) else x, labels.astype(float))
    return np.concatenate([model.coef_path_, model.intercept_path_[:, None]], axis=1)[:, None]


def _skglm(x, labels, trains, penalties, l1_ratio, options):
    """[K, 1, D + 1] of skglm's proximal Newton method, each from the one before."""
    from skglm.datafits import Logistic
    from skglm.penalties import L1, L1_plus_L2
    from skglm.solvers import ProxNewton
    from skglm.utils.jit_compilation import compiled_clone

    x, labels = _rows(x, labels, trains)
    x = x.tocsc() if scipy.sparse.issparse(x) else np.asfortranarray(x)
    y = 2.0 * labels - 1
    solver = ProxNewton(tol=options["tol"], max_iter=1000)
    datafit = compiled_clone(Logistic())
    found, theta, z = [], np.zeros(x.shape[1] + 1), np.zeros(len(y))
    for C in penalties:
        lam = 1 / (C * len(y))
        penalty = compiled_clone(L1(lam) if l1_ratio == 1 else L1_plus_L2(lam, l1_ratio))
        theta = solver.solve(x, y, datafit, penalty, theta, z)[0]
        z = x @ theta[:-1] + theta[-1]
        found.append(theta[None].copy())
    return found


_OTHERS: dict[str, Callable] = {"glum irls-ls": _glum, "glum irls-cd": _glum, "skglm": _skglm}


def _installed(library: str) -> bool:
    if library not in ("glum", "skglm"):
        return True
    try:
        __import__(library)
    except ImportError:
        return False
    return True
