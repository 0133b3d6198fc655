"""SentEval: C chosen on stratified folds or a dev set, by accuracies rounded to 0.01 %.

Three kinds of tasks, told apart by the rows that there are. *Inner k-fold* (no test rows): ten
folds test, and each chooses its C on ten folds of its own training rows. *K-fold* (test rows): C is
chosen on ten folds of the training rows. *Split* (dev and test rows): C is chosen on the dev rows,
which train nothing, not even the last fit. Everywhere the first of the best C's wins.

Reference:
  Conneau and Kiela, SentEval: an evaluation toolkit for universal sentence representations (2018);
  its logistic regression, tools/validation.py.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from experiments.protocols import checks, exact
from experiments.protocols.found import Found, Rows, Splits

SEED, FOLDS = 1111, 10
COSTS, K_FOLD_COSTS = 2.0 ** np.arange(-2, 4), 2.0 ** np.arange(-1, 6)
NOTE = (
    "Published scores are those of scikit-learn's L-BFGS as it comes (tol 1e-4, at most 100"
    " iterations); these are optima, and rows near a boundary may be said otherwise."
)


def run(splits: Splits, *, seed: int = 0, num_folds: int = FOLDS, tol: float = 1e-8) -> Found:
    """The kind of task that the rows make it; seed is not used, as the rule has its own, 1111.

    Raises:
      DataError: a class with fewer training rows than folds; dev rows without test rows.
      SettingError: fewer than two folds.
    """
    del seed
    checks.classes(splits)
    checks.at_least(2, num_folds=num_folds)
    if splits.validation is not None:
        checks.given(splits, "test", "and its dev rows can't both choose and judge")
        return split(splits, tol)
    if splits.test is not None:
        return k_fold(splits, num_folds, tol)
    return inner_k_fold(splits, num_folds, tol)


def inner_k_fold(splits: Splits, num_folds: int, tol: float) -> Found:
    """Outer folds × (inner folds and the refit) × C as lanes of one path."""
    rows = splits.train
    every = np.ones(len(rows.x), bool)
    outer = folds(splits, every, num_folds)
    inner = np.stack([folds(splits, trains, num_folds) for trains in outer])
    lanes = np.concatenate([inner, outer[:, None]], axis=1)  # [O, F + 1, N]
    path = exact.fit(rows, COSTS, lanes.reshape(-1, len(every)), len(splits.class_names), tol=tol)
    first = np.arange(num_folds) * (num_folds + 1)
    dev = [
        held_out(path, start, rows, trains & ~own).mean(axis=0)
        for start, trains, own in zip(first, outer, inner, strict=True)
    ]
    best = [first_best(scores) for scores in dev]
    refits = [exact.params(path.params, s + num_folds, k) for s, k in zip(first, best, strict=True)]
    test = [exact.accuracy(p, rows, ~trains) for p, trains in zip(refits, outer, strict=True)]
    table = pd.DataFrame({"fold": range(num_folds), "C": COSTS[best], "accuracy": rounded(test)})
    table["dev_accuracy"] = rounded(np.max(dev, axis=1))
    curve = pd.DataFrame({"C": COSTS, "dev_accuracy": np.mean(dev, axis=0)})
    curve["chosen"] = np.bincount(best, minlength=len(COSTS))
    scores = {name: float(rounded(table[name].mean())) for name in ("accuracy", "dev_accuracy")}
    return Found(scores, table, curve, notes=(NOTE,), **exact.endings(path))


def k_fold(splits: Splits, num_folds: int, tol: float) -> Found:
    """Folds × C as lanes, and all training rows as one fold more."""
    rows = splits.train
    inner = folds(splits, np.ones(len(rows.x), bool), num_folds)
    lanes = np.concatenate([inner, np.ones_like(inner[:1])])
    path = exact.fit(rows, K_FOLD_COSTS, lanes, len(splits.class_names), tol=tol)
    each = held_out(path, 0, rows, ~inner)
    table = pd.DataFrame(each, columns=[f"C = {cost:g}" for cost in K_FOLD_COSTS])
    table.insert(0, "fold", range(num_folds))
    return chosen(splits, path, K_FOLD_COSTS, each.mean(axis=0), table)


def split(splits: Splits, tol: float) -> Found:
    """C's as lanes, each trained once; the dev rows choose, and train nothing."""
    trains = np.ones((1, len(splits.train.x)), bool)
    path = exact.fit(splits.train, COSTS, trains, len(splits.class_names), tol=tol)
    dev = held_out(path, 0, splits.validation, np.ones((1, len(splits.validation.x)), bool))[0]
    return chosen(splits, path, COSTS, dev, pd.DataFrame({"C": COSTS, "dev_accuracy": dev}))


def folds(splits: Splits, among: np.ndarray, num_folds: int) -> np.ndarray:
    """[F, N] whether a fold trains on a row, of the rows [N] among which it takes them."""
    labels, rows = splits.train.labels[among], np.flatnonzero(among)
    checks.enough(splits.name, labels, splits.class_names, num_folds, f"the {num_folds} folds")
    trains = np.tile(among, (num_folds, 1))
    splitter = StratifiedKFold(num_folds, shuffle=True, random_state=SEED)
    for own, (_, held) in zip(trains, splitter.split(rows, labels), strict=True):
        own[rows[held]] = False
    return trains


def rounded(shares) -> np.ndarray:
    """Shares to 0.01 %, rounded as percentages."""
    return np.round(np.round(100 * np.asarray(shares), 2) / 100, 4)


def first_best(shares: np.ndarray) -> int:
    """The place of the first of the largest, as they are once rounded."""
    return int(np.argmax(rounded(shares)))


def held_out(path, first: int, rows: Rows, held: np.ndarray) -> np.ndarray:
    """Accuracy [F, K] of the lanes from `first` on, each on the rows [F, N] held out from it."""
    lanes = np.ndindex(len(held), path.risk.shape[1])
    own = [(exact.params(path.params, first + f, k), held[f]) for f, k in lanes]
    each = [exact.accuracy(params, rows, which) for params, which in own]
    return np.reshape(each, (len(held), -1))


def chosen(splits: Splits, path, costs, dev: np.ndarray, table: pd.DataFrame) -> Found:
    """The first best C, and its lane of all training rows on the test rows."""
    k = first_best(dev)
    refit = exact.params(path.params, -1, k)
    scores = {"accuracy": exact.accuracy(refit, splits.test), "dev_accuracy": dev[k]}
    scores = {name: float(rounded(share)) for name, share in scores.items()}
    curve = pd.DataFrame({"C": costs, "dev_accuracy": rounded(dev)})
    curve["chosen"] = np.arange(len(costs)) == k
    told = {"chosen": {"C": float(costs[k])}, "params": refit, "notes": (NOTE,)}
    return Found(scores, table, curve, **told, **exact.endings(path))
