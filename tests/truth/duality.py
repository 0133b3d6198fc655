"""How far below a point the optimum can be: Fenchel's dual at the slopes there, made feasible."""

from typing import NamedTuple

import numpy as np

from tests.truth import losses, newton


class Optimum(NamedTuple):
    """The infimum is from `bound` to `risk`; `attained` by some params, or None: not known."""

    risk: float
    bound: float
    attained: bool | None


def between(rows, ridge, lasso, theta) -> Optimum:
    """The objective at theta [P, C], and the best dual value that its slopes lead to."""
    slopes = losses.slopes(rows, rows.x @ theta)
    values = [-np.inf]
    for u in (slopes, _balanced(rows, ridge, lasso, theta, slopes)):
        pull = np.abs(rows.x.T @ (rows.s[:, None] * u))
        beyond = pull / np.where(lasso > 0, lasso, np.inf)[:, None]
        for part in {1.0, 1 / max(1, np.nan_to_num(beyond, nan=1).max())}:
            values.append(_value(rows, ridge, lasso, theta, part * u, part * pull))
    risk = newton.risk(rows, ridge, lasso, theta)
    return Optimum(float(risk), float(np.nanmax(values)), True)


def _value(rows, ridge, lasso, theta, u, pull):
    """The dual at slopes u with |Σ s u x| = pull; free params' pull is 0 but for rounding.

    That is charged to params twice as far out as those of theta.
    """
    free = (ridge == 0) & (lasso == 0)
    beyond = np.where(free[:, None], 0, np.maximum(pull - lasso[:, None], 0))
    bare = (ridge == 0) & ~free
    if np.any(beyond[bare] > 1e-15 * lasso[bare, None]):
        return -np.inf
    cost = np.sum(beyond**2 / (2 * np.where(ridge > 0, ridge, 1)[:, None]))
    charge = 2 * np.sum(pull[free] * (np.abs(theta[free]) + 1))
    return -rows.s @ losses.conjugates(rows, u) - cost - charge


def _balanced(rows, ridge, lasso, theta, slopes):
    """The slopes after Newton's step for the free params, were they linear."""
    free = (ridge == 0) & (lasso == 0)
    z, step = rows.x @ theta, np.zeros_like(theta)
    pull = (rows.x.T @ (rows.s[:, None] * slopes))[free]
    hessian = newton.hessian(rows, z, free)
    step[free] = newton.solve(hessian, np.zeros_like(pull), pull, np.ones(len(pull), bool))
    return slopes - losses.bend_times(rows, z, rows.x @ step)
