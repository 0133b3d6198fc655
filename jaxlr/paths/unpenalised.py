"""λ = 0: without a penalty any basis of the columns will do, so each fold has an orthonormal one.

Columns of any scale, collinear or nearly so, then cost no digits: the Hessian is as well
conditioned as the loss's own curvature lets it be.
"""

import numpy as np

from jaxlr.glm import sharing
from jaxlr.glm.door import Given
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import laid_out
from jaxlr.paths import resort
from jaxlr.paths.basis import basis
from jaxlr.paths.proofs import Answers


def answers(
    family: Loss, asked: Given, solvable: np.ndarray, tol: float, max_steps: int, mesh
) -> Answers:
    """Of T targets and F folds [T, F, 1, ...], of which `solvable` [T, F] have an optimum."""
    num_targets = len(solvable)
    out = _table((*solvable.shape, 1), (family.num_outputs, asked.x.shape[1] + 1))
    for fold in np.flatnonzero(solvable.any(axis=0)):
        even = basis(asked.x, asked.weights[fold], family.intercept)
        own = asked.codes, asked.weights[fold : fold + 1]
        problem = sharing.placed(laid_out(even.rows, *own, last=family.intercept), mesh)
        laid = len(problem.labels), len(problem.weights)  # a mesh may have repeated lanes
        table = _table((laid[0] * laid[1], 1), (family.num_outputs, problem.x.shape[1]))
        table.gap.reshape(laid)[:num_targets, 0] = np.where(solvable[:, fold], np.inf, 0)
        resort.finish(family, problem, np.zeros((1, len(table.gap))), 0.0, tol, max_steps, table)
        found = Answers(*(leaf.reshape(*laid, *leaf.shape[2:])[:num_targets, 0] for leaf in table))
        w = found.params[..., :-1] @ even.back.T
        found = found._replace(params=np.dstack([w, found.params[..., -1] - w @ even.centre]))
        if not even.whole:  # of what is left out nothing is known
            found.gap[:] = found.decrement[:] = np.inf
        for column, new in zip(out, found, strict=True):
            column[:, fold, 0] = new
    return out


def _table(lanes, shape) -> Answers:
    """Of lanes that nobody has to finish."""
    risk, steps = np.full(lanes, np.inf), np.zeros(lanes, np.int32)
    return Answers(np.zeros((*lanes, *shape)), risk, np.zeros(lanes), np.zeros(lanes), steps)
