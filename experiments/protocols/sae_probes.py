"""SAE-probes: a probe of two classes, its C chosen by AUC on folds that the row count decides.

Up to three rows choose nothing, and C is 1. Up to twelve, every two rows are left out once. Below
128 there are six stratified folds. From there on the last fifth of the rows, 100 at most,
validates. A fold that holds out one class alone is passed over; one that trains on one class alone
has AUC 0.5. The first of the best C's, from the weakest penalty on, is refitted on all rows.

Reference:
  Kantamneni et al., Are sparse autoencoders useful? A case study in sparse probing (2025); the
  package sae-probes 0.4.2.
"""

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.model_selection import LeavePOut, StratifiedKFold

from experiments.datasets import DataError
from experiments.kit import side_by_side
from experiments.kit.mistakes import SettingError
from experiments.protocols import checks, exact
from experiments.protocols.found import Found, Rows, Splits
from jaxlr import metrics

COSTS = np.logspace(5, -5, 10)
SEED = 42
SOLVERS = {"l2": "L-BFGS", "l1": "SAGA"}
TOLS = {"l2": 1e-8, "l1": 1e-6}  # under the weakest l1 penalties nothing finer can be proved
NOTE = (
    "Published scores are those of scikit-learn's {} within 1,000 iterations; these are optima,"
    " and under the weakest penalties AUCs may differ."
)


def run(
    splits: Splits, *, seed: int = SEED, penalty: str = "l2", tol: float | None = None
) -> Found:
    """Folds × C as lanes of one path, and all training rows as one fold more.

    Args:
      splits: two classes; without test rows both kinds are `drawn` from the training rows.
      seed: of the six folds and of what is drawn; 42 as published.
      penalty: "l2" or "l1".
      tol: of J: what a certified lane is proved to be within; None for the penalty's own.

    Raises:
      DataError: not two classes; too few rows to draw from; rows of one class to judge by.
      SettingError: another penalty.
    """
    if penalty not in SOLVERS:
        raise SettingError(f"penalty {penalty!r}: must be {' or '.join(SOLVERS)}")
    checks.classes(splits)
    if len(splits.class_names) != 2:
        classes = f"{len(splits.class_names)} classes, and this protocol takes two"
        raise DataError(f"{splits.name} has {classes}", "give a task for each class")
    train, test = (splits.train, splits.test) if splits.test else drawn(splits, seed)
    if len(set(test.labels)) < 2:
        fault = f"all {len(test.labels)} test rows of {splits.name} are of one class"
        raise DataError(fault, "AUC needs both: give more rows")
    trains = folds(splits.name, train.labels, seed)
    costs = COSTS if len(trains) else np.ones(1)
    apart = np.array([len(set(train.labels[own])) == 2 for own in trains], bool)
    lanes = np.concatenate([trains[apart], np.ones((1, len(train.x)), bool)])
    ratio, tol = float(penalty == "l1"), tol or TOLS[penalty]
    path = exact.fit(train, costs, lanes, 2, l1_ratio=ratio, tol=tol)
    each = np.full((len(trains), len(costs)), 0.5)
    for lane, fold in enumerate(np.flatnonzero(apart)):
        params = [exact.params(path.params, lane, k) for k in range(len(costs))]
        each[fold] = [area(own, train, ~trains[fold]) for own in params]
    if not len(trains):  # nothing is held out: as published, AUC is that of the rows fitted
        each = np.array([[area(exact.params(path.params, 0, 0), train)]])
    mean = each.mean(axis=0)
    k = int(np.argmax(mean))
    refit = exact.params(path.params, -1, k)
    table = pd.DataFrame(each, columns=[f"C = {cost:.3g}" for cost in costs])
    table.insert(0, "fold", range(len(each)))
    curve = pd.DataFrame({"C": costs, "val_auc": mean, "chosen": np.arange(len(costs)) == k})
    scores = judged(refit, test) | {"val_auc": float(mean[k])}
    told = {"chosen": {"C": float(costs[k])}, "notes": (NOTE.format(SOLVERS[penalty]),)}
    return Found(scores, table, curve, params=refit, **told, **exact.endings(path))


def drawn(splits: Splits, seed: int) -> tuple[Rows, Rows]:
    """Training and test rows, half of them of each class; all but 100 train, and 1,024 at most.

    Raises:
      DataError: a class with fewer rows than that takes.
    """
    rows = splits.train
    num_train = max(0, min(len(rows.x) - 100, 1024))
    numbers = num_train, len(rows.x) - num_train - 1
    left = [np.flatnonzero(rows.labels == label) for label in (1, 0)]
    needed = sum(-(-number // 2) for number in numbers)
    if num_train < 2 or min(map(len, left)) < needed:
        fault = f"{splits.name} has {len(left[1])} and {len(left[0])} rows of its two classes"
        asked = f"drawing {numbers[0]} to train and {numbers[1]} to test, half of each class,"
        cure = "give --test FILE, or as many rows of both classes, 200 at least"
        raise DataError(f"{fault}, and {asked} takes {needed} of each", cure)
    random, found = np.random.RandomState(seed), []
    for number in numbers:
        halves = -(-number // 2), number // 2
        taken = [random.choice(own, n, replace=False) for own, n in zip(left, halves, strict=True)]
        left = [np.setdiff1d(own, gone) for own, gone in zip(left, taken, strict=True)]
        found.append(np.concatenate(taken))
    return tuple(Rows(rows.x[own], rows.labels[own]) for own in map(random.permutation, found))


def folds(name: str, labels: np.ndarray, seed: int) -> np.ndarray:
    """[F, N] whether a fold trains on the row; F = 0 where there are too few rows to choose by.

    Raises:
      DataError: the last rows, which are to validate, are of one class.
    """
    num = len(labels)
    if num <= 3:
        return np.ones((0, num), bool)
    if num >= 128:
        trains = (np.arange(num) < num - min(int(0.2 * num), 100))[None]
        if len(set(labels[~trains[0]])) < 2:
            fault = f"the last {np.sum(~trains)} rows of {name} validate, and are of one class"
            raise DataError(fault, "shuffle the rows")
        return trains
    splitter = LeavePOut(2) if num <= 12 else StratifiedKFold(6, shuffle=True, random_state=seed)
    with side_by_side.quiet():  # a class of fewer rows than folds is foreseen
        held = [held for _, held in splitter.split(labels, labels)]
    both = [rows for rows in held if len(set(labels[rows])) == 2]
    return np.array([~np.isin(np.arange(num), rows) for rows in both], bool).reshape(-1, num)


def area(params, rows: Rows, which=slice(None)) -> float:
    """Under the ROC curve of probabilities, which are equal where they round to 1."""
    labels = rows.labels[which]
    ranks = rankdata(expit(exact.logits(params, rows.x[which])))
    ones = np.sum(labels)
    return float((ranks[labels == 1].sum() / ones - (ones + 1) / 2) / (len(labels) - ones))


def judged(params, test: Rows) -> dict[str, float]:
    """AUC, accuracy, and F1 weighted by class."""
    said = exact.said(params, test.x)
    f1 = metrics.f1_score(test.labels, said, average="weighted", num_classes=2)
    accuracy = float(np.mean(said == test.labels))
    return {"auc": area(params, test), "accuracy": accuracy, "f1": float(f1)}
