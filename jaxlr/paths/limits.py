"""Lanes without an optimum: what their risk tends to, and the params that stand for it.

A class without a row of weight sends its intercept to -∞ at any penalty, and leaves the problem of
the other classes. Without a penalty any direction that separates labels has no end.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxlr import losses
from jaxlr.glm import sharing
from jaxlr.glm.door import Given
from jaxlr.glm.problem import laid_out
from jaxlr.paths import proofs
from jaxlr.paths.basis import basis
from jaxlr.paths.proofs import Answers
from jaxlr.paths.separation import infimum, separating_direction


class Limits(NamedTuple):
    """What T targets on F folds run into."""

    empty: np.ndarray  # [T, F, C] classes without a row of weight; C = 2 for labels 0 and 1
    directions: np.ndarray  # [T, F, C, P] that separate at λ = 0, C = 1 of a logit; 0 if none does
    infima: np.ndarray  # [T, F] of the risk there

    @property
    def alone(self) -> np.ndarray:
        """[T, F] whether one class has all rows: then its risk tends to 0 at any penalty."""
        return self.empty.sum(axis=-1) == self.empty.shape[-1] - 1

    @property
    def waiting(self) -> np.ndarray:
        """[T, F] whether a march to λ = 0 would have no end."""
        return self.alone | self.directions.any(axis=(2, 3))


def limits(asked: Given, loss: Callable) -> Limits | None:
    """None of losses that are not known: of those nothing is said."""
    if loss not in (losses.log_loss, losses.softmax_cross_entropy):
        return None
    labels, classes = asked.labels[..., None], np.arange(asked.num_classes or 2)
    sides = (np.floor(labels) == classes) | (np.ceil(labels) == classes)
    empty = ~((asked.weights > 0) @ sides) & asked.fit_intercept
    directions = np.zeros((*empty.shape[:2], asked.num_classes or 1, asked.x.shape[1] + 1))
    found = Limits(empty, directions, np.zeros(empty.shape[:2]))
    return _looked(found, asked, ~found.alone)


def noticed(found: Limits | None, asked: Given, answers: Answers, tol: float) -> Limits | None:
    """The limits with those that only show where a lane at λ = 0 ended: its params may separate."""
    if found is None:
        return None
    ends = Answers(*(leaf[:, :, 0, -1] for leaf in answers))
    return _looked(found, asked, ~(ends.decrement <= tol * ends.risk) & ~found.waiting, ends.params)


def _looked(found, asked, where, guesses=None) -> Limits:
    """With the directions of targets and folds `where` [T, F]; guesses are [T, F, C, P]."""
    for target, fold in np.argwhere(where & (asked.lambdas[-1] == 0)):
        problem = asked.x, asked.labels[target], asked.weights[fold], asked.num_classes
        guess = None if guesses is None else guesses[target, fold]
        direction = separating_direction(*problem, guess=guess, fit_intercept=asked.fit_intercept)
        if direction is not None:
            found.directions[target, fold] = direction
            found.infima[target, fold] = infimum(*problem, asked.fit_intercept)
    return found


def applied(found: Limits, asked: Given, answers: Answers) -> tuple[Answers, np.ndarray]:
    """The answers [T, F, A, K, ...] with these limits in them, and which have no optimum."""
    params, risk, gap, decrement, num_steps = answers
    alone = found.alone[:, :, None, None]
    empty = found.empty[:, :, None, None] & ((asked.lambdas > 0) | alone)[..., None]
    separable = np.broadcast_to(empty.any(axis=-1), risk.shape).copy()
    b, ends, gone = params[..., -1], np.where(empty, -np.inf, 0), alone[..., None]
    if asked.num_classes is None:  # the logit is that of label 1
        b = b + ends[..., 1:] - ends[..., :1]
    else:
        idle = b.mean(axis=-1, where=~empty, keepdims=True)
        b, gone = np.where(separable[..., None], b - idle, b) + ends, gone | empty
    params = np.concatenate([np.where(gone[..., None], 0, params[..., :-1]), b[..., None]], axis=-1)
    risk, gap, decrement = (np.where(alone, 0, leaf) for leaf in (risk, gap, decrement))
    at = *np.nonzero(found.directions.any(axis=(2, 3))), slice(None), -1
    params[at], risk[at] = found.directions[at[:2]][:, None], found.infima[at[:2]][:, None]
    gap[at] = decrement[at] = np.inf
    separable[at] = True
    return Answers(params, risk, gap, decrement, num_steps), separable


def unpenalised(family, asked, solvable, tol, max_steps, mesh) -> Answers:
    """Answers at λ = 0 [T, F, 1, ...], where `solvable` [T, F] have an optimum.

    Any basis of the columns will do, so each fold has an orthonormal one: columns of any scale,
    collinear or nearly so, cost no digits.
    """
    num_targets = len(solvable)
    out = _table((*solvable.shape, 1), (family.num_outputs, asked.x.shape[1] + 1))
    for fold in np.flatnonzero(solvable.any(axis=0)):
        even = basis(asked.x, asked.weights[fold], family.intercept)
        own = asked.codes, asked.weights[fold : fold + 1]
        problem = sharing.placed(laid_out(even.rows, *own, last=family.intercept), mesh)
        laid = len(problem.labels), len(problem.weights)  # a mesh may have repeated lanes
        table = _table((laid[0] * laid[1], 1), (family.num_outputs, problem.x.shape[1]))
        table.gap.reshape(laid)[:num_targets, 0] = np.where(solvable[:, fold], np.inf, 0)
        proofs.finish(family, problem, np.zeros((1, len(table.gap))), 0.0, tol, max_steps, table)
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
