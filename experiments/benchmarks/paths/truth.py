"""What answers are worth, without jax: optima by `tests.truth`, kept in files, and J itself.

Where rows are fewer than features a ridge is rotated to their span first; a softmax with too many
parameters for a Hessian goes to `newton_cg`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.benchmarks.paths.problems import Problem
from tests import truth
from tests.truth import losses, newton_cg

MAX_DENSE = 2500  # parameters of a Hessian that is factored


class Truth(NamedTuple):
    """Of every lane: the infimum, how far above it that may be, and whether params reach it.

    They don't where a class has no weight, or, without a penalty, where a direction separates.
    """

    risk: np.ndarray
    slack: np.ndarray
    attained: np.ndarray


def kind(problem: Problem) -> str:
    """The loss, as `tests.truth` names it."""
    return "softmax" if problem.num_classes > 2 else "log_loss"


def optimum(problem: Problem, folder: Path, report=print) -> Truth:
    """The truth of a problem: from its file in `folder`, or found and put there."""
    file = Path(folder) / f"{problem.key()}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        found, shape = [], problem.shape
        for path in np.ndindex(shape[:-1]):
            found.append(list(_path(problem, path, file.with_suffix(".part.npz"))))
            report(f"optimum of path {len(found)} of {np.prod(shape[:-1])} found", flush=True)
        np.save(file, np.reshape(np.array(found, float), (*shape, 3)))
    risk, slack, attained = np.moveaxis(np.load(file), -1, 0)
    return Truth(risk, slack, attained == 1)


def _path(problem, path, checkpoint):
    """(infimum, slack, attained) of every penalty, from strong to weak."""
    labels, weights, _ = problem.lane((*path, 0))
    used = np.flatnonzero(weights)
    x, labels, weights = problem.x[used], labels[used], weights[used]
    if problem.l1_ratio == 0 and len(x) < x.shape[1]:
        x = x @ np.linalg.qr(x.T)[0]
    num_outputs = problem.num_classes if problem.num_classes > 2 else 1
    if (x.shape[1] + 1) * num_outputs > MAX_DENSE and problem.l1_ratio == 0:
        yield from newton_cg.path(x, labels, weights, problem.lambdas, checkpoint)
        return
    of = (x, labels, weights, kind(problem), problem.num_classes)
    for lam in problem.lambdas:
        found = truth.optimum(*of, lam, problem.l1_ratio)
        yield found.risk, found.risk - found.bound, found.attained is not False


def risk(problem: Problem, at: tuple[int, ...], w, b, dtype=np.float64) -> float:
    """J of a lane's params w [D, C], b [C], in this precision."""
    labels, weights, lam = problem.lane(at)
    used = np.flatnonzero(weights)
    s, w = weights[used].astype(dtype), w.astype(dtype)
    z = problem.x[used].astype(dtype) @ w + b
    rows = losses.Rows(None, labels[used], s / s.sum(), kind(problem), np.ones(z.shape, bool))
    size = (1 - problem.l1_ratio) / 2 * (w**2).sum() + problem.l1_ratio * np.abs(w).sum()
    with np.errstate(all="ignore"):  # params may be infinite, or far out
        return float(rows.s @ losses.values(rows, z) + lam * size)


def worst(problem: Problem, params, best: Truth) -> float:
    """The greatest (J - J*) / J* of lanes with a penalty; inf where one is not finite."""
    w, b = params
    errors = [
        risk(problem, at, w[at], b[at]) / best.risk[at] - 1
        for at in np.ndindex(problem.shape)
        if problem.lambdas[at[-1]] > 0
    ]
    return float(np.max(errors)) if np.isfinite(errors).all() else float("inf")
