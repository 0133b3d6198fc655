"""The contestant of this house: a whole problem by `paths.fit`, in its one configuration."""

import numpy as np

from experiments.benchmarks.paths.problems import Problem
from jaxlr import Batch, losses, paths


def fitted(problem: Problem, tol: float = 1e-6) -> paths.Path:
    """The path, as anyone would ask for it; one fold has an axis too."""
    several = problem.num_classes > 2
    return paths.fit(
        Batch(problem.x, problem.labels, problem.weights),
        problem.lambdas,
        loss=losses.softmax_cross_entropy if several else losses.log_loss,
        num_classes=problem.num_classes if several else None,
        l1_ratio=problem.l1_ratio,
        fold_weights=problem.folds,
        tol=tol,
    )


def params(problem: Problem, path: paths.Path) -> tuple[np.ndarray, np.ndarray]:
    """Weights [..., D, C] and intercepts [..., C] of its lanes, C = 1 for one logit."""
    shape = problem.shape
    w = np.reshape(path.params["w"], (*shape, problem.x.shape[1], -1))
    return w, np.reshape(path.params["b"], (*shape, -1))
