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
      directions: [T, F, C, P] that separate at λ = 0, NaN where none does or it isn't asked.
      infima: [T, F] of the risk at λ = 0, where there is a direction; NaN where it isn't known.
    """

    empty: np.ndarray
    directions: np.ndarray
    infima: np.ndarray

    @property
    def alone(self) -> np.ndarray:
        """[T, F] whether one class has all rows: then its risk tends to 0 at any penalty."""
        return self.empty.sum(axis=-1) == self.empty.shape[-1] - 1

    @property
    def separates(self) -> np.ndarray:
        """[T, F] whether a direction separates at λ = 0."""
        return np.isfinite(self.directions).all(axis=(2, 3))

    @property
    def waiting(self) -> np.ndarray:
        """[T, F] whether a march to λ = 0 would have no end."""
        return self.alone | self.separates


def _none(asked) -> Limits:
    num_classes, shape = asked.num_classes, (len(asked.labels), len(asked.weights))
    return Limits(
        np.zeros((*shape, num_classes or 2), bool),
        np.full((*shape, num_classes or 1, asked.x.shape[1] + 1), np.nan),
        np.full(shape, np.nan),
    )


def limits(asked: Given, loss: Callable) -> Limits | None:
    """None where every lane has an optimum; of losses that are not known nothing else is said."""
    if loss not in (losses.log_loss, losses.softmax_cross_entropy):
        return None
    num_classes, found = asked.num_classes, _none(asked)
    empty, directions, infima = found
    for at in np.ndindex(infima.shape) if asked.fit_intercept else ():
        labels, weights = asked.labels[at[0]], asked.weights[at[1]]
        empty[at] = _without_rows(labels[weights > 0], num_classes)
    if asked.lambdas[-1] == 0:
        for at in np.argwhere(~found.alone):
            problem = asked.x, asked.labels[at[0]], asked.weights[at[1]], num_classes
            direction = separating_direction(*problem, fit_intercept=asked.fit_intercept)
            if direction is not None:
                directions[*at] = direction
                infima[*at] = infimum(*problem, asked.fit_intercept)
    return found if empty.any() or found.separates.any() else None


def noticed(found: Limits | None, asked: Given, loss: Callable, answers: Answers, tol: float):
    """The limits with those that only show where a lane at λ = 0 ended: its params may separate."""
    if asked.lambdas[-1] > 0 or loss not in (losses.log_loss, losses.softmax_cross_entropy):
        return found
    open_ = ~(answers.decrement[:, :, 0, -1] <= tol * answers.risk[:, :, 0, -1])
    open_ &= True if found is None else ~found.waiting
    for at in np.argwhere(open_):
        problem = asked.x, asked.labels[at[0]], asked.weights[at[1]], asked.num_classes
        options = {"guess": answers.params[*at, 0, -1], "fit_intercept": asked.fit_intercept}
        if (direction := separating_direction(*problem, **options)) is not None:
            found = found or _none(asked)
            found.directions[*at] = direction
            found.infima[*at] = infimum(*problem, asked.fit_intercept)
    return found


def _without_rows(labels, num_classes):
    if num_classes is None:
        return ~np.array([(labels < 1).any(), (labels > 0).any()])
    return np.bincount(labels, minlength=num_classes) == 0


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
    endless = found.separates
    params[endless, :, -1] = found.directions[endless][:, None]
    risk[endless, :, -1] = found.infima[endless][:, None]
    gap[endless, :, -1] = decrement[endless, :, -1] = np.inf
    separable[endless, :, -1] = True
    return Answers(params, risk, gap, decrement, num_steps), separable
