"""λ = 0: without a penalty any basis of the columns will do, so each fold has an orthonormal one.

Columns of any scale, collinear or nearly so, then cost no digits: the Hessian is as well
conditioned as the loss's own curvature lets it be.
"""

import numpy as np

from jaxlr.glm import host
from jaxlr.glm.losses import Loss
from jaxlr.paths import placed, resort
from jaxlr.paths.basis import basis
from jaxlr.paths.proofs import Answers


def answers(
    family: Loss, x, labels, weights, solvable, tol: float, max_steps: int, mesh
) -> Answers:
    """Of x [N, D], labels [T, N] and weights [F, N], of which `solvable` [T, F] have an optimum.

    Leaves are [T, F, 1, ...].
    """
    num_targets, num_folds = solvable.shape
    out = _table((num_targets, num_folds, 1), (family.num_outputs, x.shape[1] + 1))
    for fold in np.flatnonzero(solvable.any(axis=0)):
        even = basis(x, weights[fold], family.intercept)
        rows = host.laid_out(even.rows, last=family.intercept)
        rows = rows._replace(labels=labels, weights=weights[fold : fold + 1])
        problem = placed.problem(rows, mesh)
        laid = len(problem.labels), len(problem.weights)  # a mesh may have repeated lanes
        table = _table((laid[0] * laid[1], 1), (family.num_outputs, rows.x.shape[1]))
        table.gap.reshape(laid)[:num_targets, 0] = np.where(solvable[:, fold], np.inf, 0)
        resort.finish(family, problem, np.zeros((1, len(table.gap))), 0.0, tol, max_steps, table)
        found = [leaf.reshape(*laid, *leaf.shape[2:])[:num_targets, 0] for leaf in table]
        found = Answers(*found)
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
