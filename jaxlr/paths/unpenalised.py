"""λ = 0: without a penalty any basis of the columns will do, so each fold has an orthonormal one.

Columns of any scale, collinear or nearly so, then cost no digits: the Hessian is as well
conditioned as the loss's own curvature lets it be.
"""

import numpy as np

from jaxlr.glm import host
from jaxlr.glm.losses import Loss
from jaxlr.paths import placed, resort
from jaxlr.paths.basis import basis


def answers(
    family: Loss,
    x: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    solvable: np.ndarray,
    before: np.ndarray | None,
    tol: float,
    max_steps: int,
    mesh,
) -> resort.Table:
    """Of targets [T, N] and folds [F, N], of which `solvable` [T, F] have an optimum.

    Params `before` [T, F, C, P] are near it, if there are any. Leaves are [T, F, 1, ...].
    """
    num_targets, num_folds = solvable.shape
    shape = (num_targets, num_folds, 1)
    out = resort.Table(
        np.zeros(shape),
        np.full(shape, np.inf),
        np.full(shape, np.inf),
        np.zeros((*shape, family.num_outputs, x.shape[1] + 1)),
        np.zeros(shape, np.int32),
    )
    for fold in np.flatnonzero(solvable.any(axis=0)):
        found = basis(x, weights[fold], family.intercept)
        rows = host.laid_out(found.rows, last=family.intercept)
        for target in np.flatnonzero(solvable[:, fold]):
            own, fold_weights = labels[target : target + 1], weights[fold : fold + 1]
            arrays = rows._replace(labels=own, weights=fold_weights)
            start = np.zeros((family.num_outputs, rows.x.shape[1]))
            if before is not None:
                w, b = before[target, fold][:, :-1], before[target, fold][:, -1]
                start[:, :-1] = w @ found.forth
                start[:, -1] = b + w @ found.centre
            lane = _alone(family, placed.problem(arrays, mesh), start, tol, max_steps)
            w = lane.params[..., :-1] @ found.back.T
            b = lane.params[..., -1] - w @ found.centre
            lane = lane._replace(params=np.concatenate([w, b[..., None]], axis=-1))
            if not found.whole:  # of what is left out nothing is known
                lane.gap[:] = lane.decrement[:] = np.inf
            for column, new in zip(out, lane, strict=True):
                column[target, fold] = new[:, 0]
    return out


def _alone(family, problem, start, tol, max_steps) -> resort.Table:
    """The first lane of a problem, from params `start`: leaves [1, m, ...]; others mean nothing."""
    lanes = (1, len(problem.labels) * len(problem.weights))  # a mesh may have repeated it
    table = resort.Table(
        np.full(lanes, np.inf),
        np.zeros(lanes),
        np.zeros(lanes),
        np.tile(start, (*lanes, 1, 1)),
        np.zeros(lanes, np.int32),
    )
    table.gap[:, 0] = np.inf
    table.risk[:, 1:] = 1
    resort.finish(family, problem, np.zeros(lanes), 0.0, tol, max_steps, table)
    return table
