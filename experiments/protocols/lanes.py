"""Exact fits in scikit-learn's terms: C and class weights in, lanes and predicted classes out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.protocols import exact
from jaxlr import Batch, losses, paths


def fitted(x, labels, weights, costs: Sequence[float], num_classes: int, tol: float) -> paths.Path:
    """A lane for each C, weakest first: two classes have one logit, as scikit-learn has it.

    Args:
      x: [N, D], or data sets [S, N, D] whose weights have one sum.
      labels: [N], [S, N], or [T, N] of 0 and 1 for targets.
      weights: [N] or [S, N].
      costs: [K] of scikit-learn's C = 1 / (λ Σ weights).
      num_classes: of the labels.
      tol: of the risk.
    """
    total = np.atleast_2d(weights).sum(axis=1)[0]
    kind = {"loss": losses.log_loss}
    if num_classes > 2:
        kind = {"loss": losses.softmax_cross_entropy, "num_classes": num_classes}
    return paths.fit(Batch(x, labels, weights), 1 / (np.asarray(costs) * total), tol=tol, **kind)


def classes(path: paths.Path, x: np.ndarray) -> np.ndarray:
    """[..., M] predicted classes of rows x [M, D] by every lane of a path, one after the other."""
    x, lanes = np.asarray(x, np.float64), np.ndindex(path.risk.shape)
    said = [exact.said(exact.params(path.params, *lane), x) for lane in lanes]
    return np.reshape(said, (*path.risk.shape, len(x)))


def frame(path: paths.Path, costs: Sequence[float]) -> pd.DataFrame:
    """A row per C or data set, and how its fit ended; of several targets the widest bound's."""
    found = path.frame()
    found.insert(0, "C", np.broadcast_to(costs, path.risk.shape).ravel())
    if "target" in found:
        widest = (found["gap"] / found["risk"]).groupby(found["C"], sort=False).idxmax()
        found = found.loc[widest].reset_index(drop=True)
    return found.drop(columns=[name for name in ("dataset", "target") if name in found])
