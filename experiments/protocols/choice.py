"""One C for a task: each is fitted on training rows, and the first best on others fitted again."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.kit import class_weights
from experiments.protocols import exact, lanes
from experiments.protocols.found import Found, Rows, Splits
from jaxlr import paths


class Choice(NamedTuple):
    """What was chosen.

    Attributes:
      curve: a row per C: what it is worth on held-out rows, how its fit ended, and `chosen`.
      row: the chosen C, what it is worth there and on test rows, and how the last fit ended.
      refit: the last fit, without an axis of penalties.
      fits: all of them.
    """

    curve: pd.DataFrame
    row: dict
    refit: paths.Path
    fits: tuple[paths.Path, ...]


def choose(
    splits: Splits,
    train: Rows,
    held: Rows,
    again: Rows | None,
    costs: Sequence[float],
    judge: Callable[[np.ndarray, np.ndarray], dict[str, float]],
    metric: str,
    *,
    class_weight=None,
    tol: float,
) -> Choice:
    """Fits every C on `train`, and the first best on `held` on the rows `again`.

    Args:
      splits: test rows, and names of classes.
      train: rows.
      held: rows that choose.
      again: rows of the last fit; None: it is the chosen one itself.
      costs: [K] of C, in the order in which the first of equals is meant.
      judge: (labels, predicted) -> figures by name.
      metric: the one that chooses, more of it being better.
      class_weight: as of `class_weights.of_classes`.
      tol: of the risk of every fit.
    """
    path = fitted(splits, train, costs, class_weight, tol)
    worth = [judge(held.labels, said(path.at(lambda_=lam), held.x))[metric] for lam in path.lambdas]
    k = int(np.argmax(worth))
    fits, last = (path,), path.at(lambda_=path.lambdas[k])
    if again is not None:
        refit = fitted(splits, again, costs[k : k + 1], class_weight, tol)
        fits, last = (path, refit), refit.at(lambda_=refit.lambdas[0])
    curve = lanes.frame(path, costs)
    curve.insert(1, f"validation {metric}", worth)
    curve["chosen"] = np.arange(len(costs)) == k
    row = {"C": costs[k], f"validation {metric}": worth[k]}
    row |= judge(splits.test.labels, said(last, splits.test.x))
    row |= lanes.frame(last, costs[k]).drop(columns="C").iloc[0].to_dict()
    return Choice(curve, row, last, fits)


def fitted(splits: Splits, rows: Rows, costs, class_weight, tol) -> paths.Path:
    """A lane per C, and per label where a row has several."""
    if rows.labels.ndim == 2:
        return lanes.fitted(rows.x, rows.labels.T, np.ones(len(rows.x)), costs, 2, tol)
    weights = class_weights.of_rows(class_weight, rows.labels, splits.class_names)
    return lanes.fitted(rows.x, rows.labels, weights, costs, len(splits.class_names), tol)


def said(path: paths.Path, x: np.ndarray) -> np.ndarray:
    """[M] classes predicted by a lane, or [M, T] labels by T of them."""
    return np.moveaxis(lanes.classes(path, x), 0, -1) if path.axes else lanes.classes(path, x)


def found(choices: Sequence[Choice], scores: Sequence[str], notes: Sequence[str]) -> Found:
    """What one choice found, or the mean of several tries.

    Args:
      choices: of the tries.
      scores: the figures to tell, the published one first.
      notes: what a reader must know.
    """
    table = pd.DataFrame([choice.row for choice in choices])
    curves = [choice.curve.assign(**{"try": t}) for t, choice in enumerate(choices)]
    curve = pd.concat(curves, ignore_index=True)
    alone = len(choices) == 1
    return Found(
        {name: float(table[name].mean()) for name in scores},
        table if alone else table.assign(**{"try": range(len(table))}),
        curve.drop(columns="try") if alone else curve,
        chosen={"C": float(table["C"][0])} if alone else None,
        params=choices[0].refit.params if alone else None,
        notes=tuple(notes),
        **exact.endings(*(fit for choice in choices for fit in choice.fits)),
    )
