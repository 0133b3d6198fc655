"""Labels beside embeddings or in a file of their own: columns, and targets from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.datasets import sources
from experiments.datasets.cells import check_numbers, check_weights, missing_fault, typed
from experiments.datasets.errors import DataError, shown
from experiments.datasets.formats import delimited, embeddings, npz, parquet
from experiments.datasets.formats.embeddings import Column
from experiments.datasets.table import Columns, Reading
from experiments.datasets.target import labels_of, position, usual_target


class Target(NamedTuple):
    """What is to be predicted: its name, its labels [N], and what kind they are."""

    name: str
    labels: np.ndarray
    task: str
    class_names: tuple[str, ...]


class LabelColumns(NamedTuple):
    """Columns by name, those that are labels by default, the file, and how a table was read."""

    columns: dict[str, Column]
    usual: tuple[str, ...]
    file: str
    source: Columns | None = None


def read(file: str, reading: Reading) -> LabelColumns:
    """The columns of a label file: .npy, NPZ, CSV or Parquet; one column will do."""
    path = sources.existing(file)
    if path.is_dir():
        raise DataError(f"--labels {shown(file)} is a folder; give .npy, NPZ, CSV or Parquet")
    data = sources.contents(path)
    if data.startswith(b"\x93NUMPY"):
        return LabelColumns(*embeddings.named({"labels": embeddings.array(path)}), file)
    if data.startswith(b"PK"):
        return LabelColumns(*embeddings.named(npz.archive(path, path)), file)
    if data.startswith(b"PAR1"):
        source = parquet.read(path, path, reading, one_column=True)
    else:
        source = delimited.read(sources.as_utf8(data, path), path, reading, one_column=True)
    names = source.table.column_names
    usual = usual_target([name for name in names if name not in source.index])
    return LabelColumns({name: source.table[name] for name in names}, (usual,), file, source)


def chosen(found: LabelColumns, targets: Sequence[str]) -> list[str]:
    """The columns meant: those named, by name or number, or the usual ones."""
    names = list(found.columns)
    if not targets and not found.usual:
        raise DataError(
            f"{shown(found.file)} holds no array called labels or y; choose one with --target"
        )
    picked = [names[position(target, names, "--target")] for target in targets]
    return picked or list(found.usual)


def target_of(
    found: LabelColumns, name: str, task: str | None, *, whole_is_class: bool = True
) -> Target:
    """The target in a column; with `whole_is_class` integers that recur are classes.

    So a thousand integers are a thousand classes, where `load` would take them for a measurement,
    as long as there are two rows of each on average.
    """
    words = found.source.gaps.get(name, ()) if found.source else ()
    values, order = _values(found.columns[name], name, words)
    recur = values.dtype.kind in "biu" and 2 * len(np.unique(values)) <= len(values)
    is_class = whole_is_class and recur
    found = labels_of(values, task, name, order=order, is_class=is_class)
    return Target(name, found.values, found.task, found.class_names)


def weights_of(found: LabelColumns, name: str, num_rows: int) -> np.ndarray:
    """[N] weights from a column."""
    names = list(found.columns)
    name = names[position(name, names, "--weights")]
    column = found.columns[name]
    values = typed(column, name, False) if isinstance(column, pa.ChunkedArray) else column
    if len(values) != num_rows:
        raise DataError(f"--weights {shown(name)} has {len(values)} rows, not {num_rows}")
    if not isinstance(values, pd.Categorical):
        check_numbers(values, None, lambda _: name)
        if np.ndim(values) != 1:
            raise DataError(f"--weights {shown(name)} has shape {values.shape}; give one per row")
    return check_weights(values, name)


def notes_on(found: LabelColumns, names: Sequence[str]) -> tuple[str, ...]:
    """What was inferred to read the file, and what is in doubt of these columns."""
    return () if found.source is None else tuple(found.source.said_of(names))


def _values(
    column: Column, name: str, words: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Numbers or texts [N] without gaps, and the order of categories where they have one."""
    if isinstance(column, pa.ChunkedArray):
        if column.null_count:
            row = int(column.is_null().to_numpy().argmax())
            raise missing_fault("target", name, row, words, "fill it in")
        column = typed(column, name, False, is_target=True)
    if isinstance(column, pd.Categorical):
        gaps = np.flatnonzero(column.codes < 0)
        if len(gaps):
            raise DataError(f"target {shown(name)} is missing in row {gaps[0] + 1}; fill it in")
        order = tuple(column.categories) if column.ordered else None
        return np.asarray(column.categories, dtype=object)[column.codes], order
    if column.ndim != 1:
        raise DataError(
            f"labels {shown(name)} have shape {column.shape}; give [rows] or [rows, targets]"
        )
    if column.dtype.kind in "bS":
        return column.astype(str), None
    if column.dtype.kind not in "iufU":
        raise DataError(f"labels {shown(name)} have dtype {column.dtype}; give numbers or texts")
    if column.dtype.kind != "U":
        check_numbers(column, None, lambda _: name)
    return np.asarray(column), None
