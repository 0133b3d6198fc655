"""Fits in scikit-learn's terms, to the optimum or by scikit-learn itself, and what they say."""

from collections.abc import Sequence

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from experiments.kit import side_by_side
from experiments.protocols import exact
from jaxlr import Batch, certificates, paths

Judged = Sequence[np.ndarray]  # [M, D] each: rows whose classes are asked for


def fitted(x, labels, weights, costs: Sequence[float], num_classes: int, tol: float) -> paths.Path:
    """A lane for each C, weakest first: two classes have one logit, as scikit-learn has it.

    Args:
      x: [N, D].
      labels: [N], or [T, N] of 0 and 1 for targets.
      weights: [N].
      costs: [K] of scikit-learn's C = 1 / (λ Σ weights).
      num_classes: of the labels.
      tol: of the risk.
    """
    lambdas, kind = 1 / (np.asarray(costs) * weights.sum()), exact.kind(num_classes)
    return paths.fit(Batch(x, labels, weights), lambdas, tol=tol, **kind)


def classes(path: paths.Path, x: np.ndarray) -> np.ndarray:
    """[..., M] predicted classes of rows x [M, D] by every lane of a path, one after the other."""
    x, lanes = np.asarray(x, np.float64), np.ndindex(path.risk.shape)
    said = [exact.said(exact.params(path.params, *lane), x) for lane in lanes]
    return np.reshape(said, (*path.risk.shape, len(x)))


def frame(path: paths.Path, costs: Sequence[float]) -> pd.DataFrame:
    """A row per C, and how its fit ended; of several targets the widest bound's."""
    found = path.frame()
    found.insert(0, "C", np.broadcast_to(costs, path.risk.shape).ravel())
    if "target" in found:
        widest = (found["gap"] / found["risk"]).groupby(found["C"], sort=False).idxmax()
        found = found.loc[widest].reset_index(drop=True)
    return found.drop(columns="target", errors="ignore")


def at_optimum(x, labels, weights, costs, num_classes: int, tol: float, judged: Judged):
    """Data sets under one C.

    Args:
      x: [S, N, D].
      labels: [S, N].
      weights: [S, N].
      costs: [C].
      num_classes: of the labels.
      tol: of the risk.
      judged: several [M, D].

    Returns:
      Classes predicted [S, M] for the rows of each of `judged`, and how every fit ended.
    """
    judged = [np.asarray(rows, np.float64) for rows in judged]

    def one(data_set):
        path = fitted(*data_set, costs, num_classes, tol)
        return [classes(path, rows)[0] for rows in judged], frame(path, costs)

    found = side_by_side.each(one, zip(x, labels, weights, strict=True))
    said, ends = zip(*found, strict=True)
    said = [np.stack(answers) for answers in zip(*said, strict=True)]
    return said, pd.concat(ends, ignore_index=True)


def by_scikit_learn(x, labels, weights, costs, num_classes: int, tol: float, judged: Judged):
    """The same by `LogisticRegression(max_iter=100)` on all cores, with certificates of it."""
    del num_classes
    (cost,), sets = costs, list(zip(x, labels, weights, strict=True))
    fits = joblib.Parallel(n_jobs=-1)(joblib.delayed(_stopped)(cost, *own) for own in sets)
    proofs = [
        certificates.of_estimator(fit, *own[:2], sample_weight=own[2], tol=tol)
        for fit, own in zip(fits, sets, strict=True)
    ]
    ends = pd.DataFrame(proofs).astype(float)
    ends.insert(0, "C", cost)
    ends["status"] = np.where(ends["gap"] <= tol * ends["risk"], "certified", "stopped")
    ends["num_steps"] = [int(fit.n_iter_[0]) for fit in fits]
    ends["lambda"] = 1 / (cost * weights.sum(axis=1))
    return [np.stack([fit.predict(rows) for fit in fits]) for rows in judged], ends


def _stopped(cost, x, labels, weights):
    with side_by_side.quiet():  # it says that it hasn't converged
        one = LogisticRegression(C=cost, max_iter=100)
        return one.fit(x, labels, sample_weight=weights)
