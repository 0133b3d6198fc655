"""Exact lanes as protocols ask for them: one C for folds of any size, and what a lane says."""

from collections import Counter

import numpy as np

from experiments.protocols.found import Rows
from jaxlr import losses, paths
from jaxlr.pytypes import Batch, Params


def fit(
    rows: Rows,
    costs: np.ndarray,
    trains: np.ndarray,
    num_classes: int,
    *,
    l1_ratio: float = 0.0,
    tol: float,
) -> paths.Path:
    """Every fold under every C as scikit-learn's LogisticRegression has it, [F, K] lanes.

    Two classes have one logit, as they have there; more have one each.

    Args:
      rows: x and labels [N].
      costs: [K] of C.
      trains: [F, N], 1 where a fold has the row.
      num_classes: C of the task, whether or not a fold has them all.
      l1_ratio: 0 for ridge, 1 for lasso.
      tol: of J: what a certified lane is proved to be within.
    """
    lambdas = 1 / (costs * trains.sum(axis=1).mean())
    options = {"fold_weights": trains, "hold": "C", "l1_ratio": l1_ratio, "tol": tol}
    return paths.fit(Batch(rows.x, rows.labels), lambdas, **options, **kind(num_classes))


def kind(num_classes: int) -> dict:
    """The loss of so many classes, as options of `paths.fit`: two have one logit."""
    if num_classes > 2:
        return {"loss": losses.softmax_cross_entropy, "num_classes": num_classes}
    return {"loss": losses.log_loss}


def params(lanes: Params, *place: int) -> Params:
    """The weights of one lane of many, by its place."""
    return {name: leaf[place] for name, leaf in lanes.items()}


def logits(params: Params, x: np.ndarray) -> np.ndarray:
    """Of rows x [M, D]: [M], or [M, C] of more than two classes."""
    return x @ params["w"] + params["b"]


def said(params: Params, x: np.ndarray) -> np.ndarray:
    """The class [M] of each row."""
    scores = logits(params, x)
    return (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)


def accuracy(params: Params, rows: Rows, which=slice(None)) -> float:
    """The share of rows whose class is said, of all or of those told."""
    return float(np.mean(said(params, rows.x[which]) == rows.labels[which]))


def endings(*fits: paths.Path) -> dict:
    """How all their lanes ended, as `Found` has it: statuses and worst_gap."""
    names = Counter(paths.Status(code).name for path in fits for code in path.status.flat)
    with np.errstate(invalid="ignore"):
        gap = max(np.max(path.gap / path.risk) for path in fits)
    return {"statuses": names, "worst_gap": float(gap)}
