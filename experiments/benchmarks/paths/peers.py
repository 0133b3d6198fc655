"""Peers of the path benchmarks: the whole problem by scikit-learn, glum or skglm.

Paths start each penalty where the stronger one ended, wherever the library can; nothing is scored
and nothing refitted. celer fits no intercept, so has no answer to this question. Nothing here
imports jax.
"""

import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import scipy.sparse
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from threadpoolctl import threadpool_limits

from experiments.benchmarks.paths.problems import Problem

MAX_ITER = 1_000_000  # the tolerance decides, not this
SKLEARN = ("lbfgs", "newton-cg", "newton-cholesky", "liblinear", "saga")


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
    return [name for name in found if name in SKLEARN or find_spec(name.split()[0])]


def solve(problem: Problem, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Weights [..., D, C] and intercepts [..., C] of all lanes with a penalty, from memory."""
    x = scipy.sparse.csr_array(problem.x) if setting.sparse else problem.x
    sizes = problem.folds @ problem.weights
    # LogisticRegressionCV has one C for all folds.
    crossed = len(sizes) > 1 and np.ptp(sizes) == 0 and (problem.weights == 1).all()
    with warnings.catch_warnings(), threadpool_limits(1 if setting.jobs == 1 else None):
        warnings.simplefilter("ignore")  # of paths that end early, which the error tells
        if crossed and setting.name in SKLEARN and problem.labels.dtype.kind in "iu":
            targets = np.atleast_2d(problem.labels)
            coefs = [_cross_validated(problem, x, labels, setting) for labels in targets]
        else:
            coefs = _each_path(problem, x, setting)
    coefs = np.reshape(coefs, (*problem.shape[:-1], *np.shape(coefs)[-3:])).swapaxes(-1, -2)
    return coefs[..., :-1, :], coefs[..., -1, :]


def _options(problem, setting):
    """Arguments of scikit-learn's estimators."""
    found = {"solver": setting.name, "random_state": 0}
    if setting.tol is not None:
        found |= {"tol": setting.tol, "max_iter": MAX_ITER}
    if setting.name == "liblinear":  # it penalises the intercept as the weight of this feature
        found["intercept_scaling"] = 1e6 if problem.l1_ratio else 1e4
    return found


def _cross_validated(problem, x, labels, setting):
    """[F, K, C, D + 1] of LogisticRegressionCV."""
    cross = LogisticRegressionCV(
        Cs=1 / (problem.lambdas[problem.lambdas > 0] * problem.folds[0].sum()),
        l1_ratios=np.array([problem.l1_ratio]),  # it indexes them with an array
        cv=[(np.flatnonzero(fold), np.flatnonzero(fold == 0)) for fold in problem.folds],
        scoring=lambda estimator, x, y: 0.0,  # the comparison is of fits
        refit=False,
        n_jobs=setting.jobs,
        use_legacy_attributes=False,
        **_options(problem, setting),
    )
    return cross.fit(x, labels).coefs_paths_[:, 0]


def _each_path(problem, x, setting):
    """[T F, K, C, D + 1], every path a job; as it comes a library knows no paths: every penalty."""
    if setting.name in SKLEARN:
        work, options = _warm_started, _options(problem, setting)
    else:
        work, options = {"glum": _glum, "skglm": _skglm}[setting.name.split()[0]], setting.tol
    lambdas = problem.lambdas[problem.lambdas > 0]
    jobs = [lambdas] if setting.tol is not None else lambdas[:, None]
    coefs = Parallel(n_jobs=setting.jobs)(
        delayed(work)(*_rows(x, labels, problem.weights * fold), some, problem.l1_ratio, options)
        for labels in np.atleast_2d(problem.labels)
        for fold in problem.folds
        for some in jobs
    )
    return np.reshape(coefs, (-1, len(lambdas), *np.shape(coefs)[2:]))


def _rows(x, labels, weights):
    """Rows of weight, without a copy where that is all; a share of a class is two rows."""
    if not weights.all():
        used = np.flatnonzero(weights)
        x, labels, weights = x[used], labels[used], weights[used]
    if labels.dtype.kind in "iu":
        return x, labels, weights
    both = np.concatenate([weights * (1 - labels), weights * labels])
    return np.concatenate([x, x]), np.repeat([0, 1], len(x)), both


def _warm_started(x, labels, weights, lambdas, l1_ratio, options):
    """[K, C, D + 1] of LogisticRegression; as it comes, it starts every fit from zero."""
    model = LogisticRegression(l1_ratio=l1_ratio, warm_start="tol" in options, **options)
    found = []
    for lam in lambdas:
        model.set_params(C=1 / (lam * weights.sum())).fit(x, labels, weights)
        found.append(np.concatenate([model.coef_, model.intercept_[:, None]], axis=1))
    return found


def _glum(x, labels, weights, lambdas, l1_ratio, tol):
    """[K, 1, D + 1] of glum's binomial path."""
    from glum import GeneralizedLinearRegressor

    path = {"alpha_search": True, "alphas": lambdas, "l1_ratio": l1_ratio}
    ends = {"gradient_tol": tol, "max_iter": MAX_ITER}
    solver = "irls-cd" if l1_ratio else "irls-ls"
    model = GeneralizedLinearRegressor(family="binomial", solver=solver, **path, **ends)
    model.fit(x.tocsc() if scipy.sparse.issparse(x) else x, labels.astype(float))
    return np.concatenate([model.coef_path_, model.intercept_path_[:, None]], axis=1)[:, None]


def _skglm(x, labels, weights, lambdas, l1_ratio, tol):
    """[K, 1, D + 1] of skglm's proximal Newton method, each from the one before."""
    from skglm.datafits import Logistic
    from skglm.penalties import L1, L1_plus_L2
    from skglm.solvers import ProxNewton
    from skglm.utils.jit_compilation import compiled_clone

    x = x.tocsc() if scipy.sparse.issparse(x) else np.asfortranarray(x)
    y = 2.0 * labels - 1
    solver = ProxNewton(tol=tol, max_iter=1000)
    datafit = compiled_clone(Logistic())
    found, theta, z = [], np.zeros(x.shape[1] + 1), np.zeros(len(y))
    for lam in lambdas:
        penalty = compiled_clone(L1(lam) if l1_ratio == 1 else L1_plus_L2(lam, l1_ratio))
        theta = solver.solve(x, y, datafit, penalty, theta, z)[0]
        z = x @ theta[:-1] + theta[-1]
        found.append(theta[None].copy())
    return found
