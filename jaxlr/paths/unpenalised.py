"""λ = 0: without a penalty any basis of the columns will do, so each fold has an orthonormal one.

Columns of any scale, collinear or nearly so, then cost no digits: the Hessian is as well
conditioned as the loss's own curvature lets it be.
"""

import numpy as np

from jaxlr.glm import host
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Problem
from jaxlr.paths import placed, resort
from jaxlr.paths.basis import basis


def answers(
    family: Loss, x, labels, weights, solvable, before, tol: float, max_steps: int, mesh
) -> resort.Table:
    """Of x [N, D], labels [T, N] and weights [F, N], of which `solvable` [T, F] have an optimum.

    Params `before` [T, F, C, P] are near it, or None. Leaves are [T, F, 1, ...].
    """
    shape = (*solvable.shape, 1)
    params = np.zeros((*shape, family.num_outputs, x.shape[1] + 1))
    gap, decrement = np.full((2, *shape), np.inf)
    out = resort.Table(np.zeros(shape), gap, decrement, params, np.zeros(shape, np.int32))
    for fold in np.flatnonzero(solvable.any(axis=0)):
        even = basis(x, weights[fold], family.intercept)
        rows = host.laid_out(even.rows, last=float(family.intercept))
        for target in np.flatnonzero(solvable[:, fold]):
            own = labels[target : target + 1], weights[fold : fold + 1]
            arrays = Problem(rows.x, *own, rows.x_t, None, rows.squares, rows.largest)
            start = np.zeros((family.num_outputs, rows.x.shape[1]))
            if before is not None:
                w, b = before[target, fold][:, :-1], before[target, fold][:, -1]
                start = np.column_stack([w @ even.forth, b + w @ even.centre])
            lane = _alone(family, placed.problem(arrays, mesh), start, tol, max_steps)
            w = lane.params[:, :-1] @ even.back.T
            params = np.column_stack([w, lane.params[:, -1] - w @ even.centre])
            lane = lane._replace(params=params)
            if not even.whole:  # of what is left out nothing is known
                lane = lane._replace(gap=np.inf, decrement=np.inf)
            for column, new in zip(out, lane, strict=True):
                column[target, fold, 0] = new
    return out


def _alone(family, problem, start, tol, max_steps) -> resort.Table:
    """The first lane of a problem, from params `start` [C, P]; a mesh may have repeated it."""
    lanes = (1, len(problem.labels) * len(problem.weights))
    risk, (gap, decrement, lambdas) = np.full(lanes, np.inf), np.zeros((3, *lanes))
    gap[0, 0] = np.inf  # the others are left as they are
    params = np.tile(start, (*lanes, 1, 1))
    table = resort.Table(risk, gap, decrement, params, np.zeros(lanes, np.int32))
    resort.finish(family, problem, lambdas, 0.0, tol, max_steps, table)
    return resort.Table(*(column[0, 0] for column in table))
