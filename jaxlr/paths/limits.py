"""Lanes without an optimum: what their risk tends to, and the params that stand for it.

A class without a row of weight sends its intercept to -∞ at any penalty, and leaves the problem of
the other classes. Without a penalty any direction that separates labels has no end.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxlr import losses
from jaxlr.glm.door import Given
from jaxlr.paths.infimum import infimum
from jaxlr.paths.march import Answers
from jaxlr.paths.separation import separating_direction


class Limits(NamedTuple):
    """What T targets on F folds run into.

    Attributes:
      empty: [T, F, C] classes without a row of weight; C = 2 for a single logit, labels 0 and 1.
      endless: at (target, fold) a direction [C, P] that separates at λ = 0, and the infimum there.
    """

    empty: np.ndarray
    endless: dict[tuple[int, int], tuple[np.ndarray, float]]

    @property
    def alone(self) -> np.ndarray:
        """[T, F] whether one class has all rows: then its risk tends to 0 at any penalty."""
        return self.empty.sum(axis=-1) == self.empty.shape[-1] - 1

    @property
    def waiting(self) -> np.ndarray:
        """[T, F] whether a march to λ = 0 would have no end."""
        out = self.alone
        for at in self.endless:
            out[at] = True
        return out


def limits(asked: Given, loss: Callable) -> Limits | None:
    """None of losses that are not known: of those nothing is said."""
    if loss not in (losses.log_loss, losses.softmax_cross_entropy):
        return None
    labels, classes = asked.labels[..., None], np.arange(asked.num_classes or 2)
    sides = (np.floor(labels) == classes) | (np.ceil(labels) == classes)
    found = Limits(~((asked.weights > 0) @ sides) & asked.fit_intercept, {})
    return _looked(found, asked, ~found.alone)


def noticed(found: Limits | None, asked: Given, answers: Answers, tol: float) -> Limits | None:
    """The limits with those that only show where a lane at λ = 0 ended: its params may separate."""
    if found is None:
        return None
    ends = Answers(*(leaf[:, :, 0, -1] for leaf in answers))
    return _looked(found, asked, ~(ends.decrement <= tol * ends.risk) & ~found.waiting, ends.params)


def _looked(found, asked, where, guesses=None) -> Limits:
    """With the directions of targets and folds `where` [T, F]; guesses are [T, F, C, P]."""
    for at in np.argwhere(where) if asked.lambdas[-1] == 0 else ():
        target, fold = at.tolist()
        problem = asked.x, asked.labels[target], asked.weights[fold], asked.num_classes
        guess = None if guesses is None else guesses[target, fold]
        direction = separating_direction(*problem, guess=guess, fit_intercept=asked.fit_intercept)
        if direction is not None:
            value = infimum(*problem, asked.fit_intercept)
            found.endless[target, fold] = np.atleast_2d(direction), value
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
    for at, (direction, value) in found.endless.items():
        params[*at, :, -1], risk[*at, :, -1] = direction, value
        gap[*at, :, -1] = decrement[*at, :, -1] = np.inf
        separable[*at, :, -1] = True
    return Answers(params, risk, gap, decrement, num_steps), separable
