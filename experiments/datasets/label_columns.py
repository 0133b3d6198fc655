"""Labels beside embeddings or in a file of their own: columns, and targets from them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.datasets import sources
from experiments.datasets.cells import check_weights, missing_fault, typed
from experiments.datasets.errors import DataError, each, shown
from experiments.datasets.formats import embeddings
from experiments.datasets.formats.embeddings import Held
from experiments.datasets.table import Reading, Target
from experiments.datasets.target import labels_of, named


def read(file: str, reading: Reading) -> Held:
    """The columns of a label file: .npy, NPZ, CSV or Parquet; one column will do."""
    if sources.existing(file).is_dir():
        raise DataError(f"--labels {shown(file)} is a folder; give .npy, NPZ, CSV or Parquet")
    held = sources.held(file, reading)
    if held is None:
        return embeddings.table(sources.read(file, reading=reading, one_column=True), file)
    if held.columns:
        return held
    columns, _ = embeddings.named({"labels": next(iter(held.layers.values()))})  # of .npy
    return held._replace(columns=columns, usual=tuple(columns))


def chosen(found: Held, targets: Sequence[str]) -> list[str]:
    """The columns meant: those named, by name or number, or the usual ones."""
    if not targets and not found.usual:
        raise DataError(
            f"{shown(found.file)} holds no array called labels or y; choose one with --target"
        )
    names = list(found.columns)
    return each(lambda target: named(target, names, "--target"), targets) or list(found.usual)


def target_of(found: Held, name: str, task: str | None, *, whole_is_class: bool = True) -> Target:
    """The target in a column; with `whole_is_class` integers that recur are classes.

    So a thousand integers are a thousand classes, where `load` would take them for a measurement,
    as long as there are two rows of each on average.
    """
    values = values_of(found, name)
    recur = values.dtype.kind in "biu" and 2 * len(np.unique(values)) <= len(values)
    return labels_of(values, task, name, is_class=whole_is_class and recur)


def values_of(found: Held, name: str) -> np.ndarray | pd.Categorical:
    """The raw labels in a column: numbers or texts [N], none missing."""
    column = found.column(name)
    if column.null_count:
        row = int(column.is_null().to_numpy().argmax())
        raise missing_fault("target", name, row, found.source.gaps.get(name, ()), "fill it in")
    return typed(column, name, False, is_target=True)


def weights_of(found: Held, name: str) -> np.ndarray:
    """[N] weights from a column."""
    return check_weights(typed(found.column(name), name, False), name)
