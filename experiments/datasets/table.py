"""What every source becomes: a table of raw features and labels, before any split or scaling."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TASKS = ("binary", "multiclass", "regression")
MISSING = ("impute", "drop", "error")
MAX_BYTES = 8 << 30  # the largest dense array that a table or its encoding may need


@dataclass(frozen=True)
class Table:
    """Raw features and labels of N examples.

    `features` is an array [N, D] when every column is a number in every row (its dtype is the
    file's: MNIST stays uint8), and otherwise a DataFrame whose columns are numbers (NaN where
    missing) or pandas categories (no category where missing).
    """

    name: str
    features: np.ndarray | pd.DataFrame
    labels: np.ndarray  # [N]: int32 in 0..C-1, or float64 for regression
    task: str  # binary, multiclass or regression
    class_names: tuple[str, ...]  # () for regression
    feature_names: tuple[str, ...]
    target: str  # the name of the column that the labels came from
    weights: np.ndarray | None = None  # [N] float64, ≥ 0, or None when all are 1
    notes: tuple[str, ...] = ()  # what was inferred or left out, a sentence each


@dataclass(frozen=True)
class Choices:
    """What the caller asks of a source; `load` says what each means."""

    target: str | int | None = None
    task: str | None = None
    weights: str | int | None = None
    missing: str = "impute"
    drop: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()
