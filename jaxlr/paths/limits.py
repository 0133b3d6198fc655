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
    classes = np.arange(asked.num_classes or 2)
    found = Limits(np.zeros((len(asked.labels), len(asked.weights), len(classes)), bool), {})
    for at in np.ndindex(found.alone.shape) if asked.fit_intercept else ():
        labels = asked.labels[at[0], asked.weights[at[1]] > 0]
        present = np.isin(classes, np.floor(labels)) | np.isin(classes, np.ceil(labels))
        found.empty[at] = ~present
    if asked.lambdas[-1] == 0:
        _look(found, asked, ~found.alone)
    return found


def noticed(found: Limits | None, asked: Given, loss: Callable, answers: Answers, tol: float):
    """The limits with those that only show where a lane at λ = 0 ended: its params may separate."""
    if found is not None and asked.lambdas[-1] == 0:
        proved = answers.decrement[:, :, 0, -1] <= tol * answers.risk[:, :, 0, -1]
        _look(found, asked, ~(proved | found.waiting), answers.params[:, :, 0, -1])
    return found


def _look(found, asked, where, guesses=None) -> None:
    """Notes the directions of targets and folds `where` [T, F]; guesses are [T, F, C, P]."""
    for target, fold in np.argwhere(where):
        problem = asked.x, asked.labels[target], asked.weights[fold], asked.num_classes
        guess = None if guesses is None else guesses[target, fold]
        direction = separating_direction(*problem, guess=guess, fit_intercept=asked.fit_intercept)
        if direction is not None:
            value = infimum(*problem, asked.fit_intercept)
            found.endless[target, fold] = np.atleast_2d(direction), value


def applied(found: Limits, asked: Given, answers: Answers) -> tuple[Answers, np.ndarray]:
    """The answers [T, F, A, K, ...] with these limits in them, and which have no optimum."""
    params, risk, gap, decrement, num_steps = answers
    alone = found.alone[:, :, None, None]
    empty = found.empty[:, :, None, None] & ((asked.lambdas > 0) | alone)[..., None]
    separable = empty.any(axis=-1)  # [T, F, 1, K]
    b = params[..., -1]
    if asked.num_classes is None:  # the logit is that of label 1
        never, end = separable[..., None], np.where(empty[..., :1], np.inf, -np.inf)
    else:
        never, end = empty, -np.inf
        idle = b.mean(axis=-1, where=~never, keepdims=True)
        b = np.where(separable[..., None], b - idle, b)
    w = np.where((never | alone[..., None])[..., None], 0, params[..., :-1])
    params = np.concatenate([w, np.where(never, end, b)[..., None]], axis=-1)
    risk, gap, decrement = (np.where(alone, 0, leaf) for leaf in (risk, gap, decrement))
    separable = np.broadcast_to(separable, risk.shape).copy()
    for at, (direction, value) in found.endless.items():
        params[*at, :, -1], risk[*at, :, -1] = direction, value
        gap[*at, :, -1] = decrement[*at, :, -1] = np.inf
        separable[*at, :, -1] = True
    return Answers(params, risk, gap, decrement, num_steps), separable
