"""Embeddings: layers of features for the same rows, memory-mapped where the format allows it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from experiments.datasets.arrays import as_column
from experiments.datasets.cells import LARGEST
from experiments.datasets.errors import DataError, listed, shown, unreadable
from experiments.datasets.formats import npz, parquet
from experiments.datasets.table import Columns, Reading
from experiments.datasets.target import usual_target

_BLOCK = 4096  # rows looked at in one go: a memory-mapped layer never lies in memory as a whole

Column = np.ndarray | pa.ChunkedArray


class Held(NamedTuple):
    """What a file holds.

    Attributes:
      file: its name, for messages.
      layers: name -> features [N, ...], further axes still to be flattened.
      columns: name -> values [N] beside them: labels and weights.
      usual: the names in `columns` that are labels unless the caller chooses others.
      source: where `columns` are those of a table, what was inferred to read it.
    """

    file: str
    layers: dict[str, np.ndarray]
    columns: dict[str, Column]
    usual: tuple[str, ...] = ()
    source: Columns | None = None

    def column(self, name: str) -> pa.ChunkedArray:
        """One of the columns, which must be numbers or texts."""
        values = self.columns[name]
        is_array = isinstance(values, np.ndarray)
        return as_column(values, name, "[rows] or [rows, targets]") if is_array else values


def read(path: Path, reading: Reading) -> Held | None:
    """The embeddings in a .npy, an NPZ or a Parquet file with list columns; None: no such file."""
    magic, file = b"" if path.is_dir() else start(path), str(path)
    if magic == b"\x93NUMPY":
        return Held(file, {path.stem: array(path)}, {})
    if magic.startswith(b"PK"):
        arrays = npz.archive(path, path)
        name = next((name for name in npz.FEATURES if name in arrays), None)
        layers = {} if name is None else {path.stem: arrays.pop(name)}
        return Held(file, layers, *named(arrays))
    if magic.startswith(b"PAR1") and any(map(_is_list, parquet.schema(path).types)):
        return table(parquet.read(path, path, reading, one_column=True), file)
    return None


def table(source: Columns, file: str) -> Held:
    """The columns of a table, those of lists of numbers as layers."""
    columns = {name: source.table[name] for name in source.table.column_names}
    layers = {name: _matrix(c, name) for name, c in columns.items() if _is_list(c.type)}
    others = {name: column for name, column in columns.items() if name not in layers}
    open_to = [name for name in others if name not in source.index]
    return Held(file, layers, others, (usual_target(open_to),) if open_to else (), source)


def array(path: Path) -> np.ndarray:
    """The array of a .npy file, memory-mapped."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{shown(str(path))} is no .npy file of a plain array; write it with"
            " numpy.save(file, array), objects cast to numbers or texts"
        ) from error


def named(arrays: dict[str, np.ndarray]) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Columns, an array [N, T] as T of them called name[t]; and which of them are labels."""
    columns, of = {}, {}
    for name, values in arrays.items():
        parts = {name: values}
        if values.ndim == 2:
            parts = {f"{name}[{t}]": values[:, t] for t in range(values.shape[1])}
            parts = parts if len(parts) > 1 else {name: values[:, 0]}
        columns |= parts
        of[name] = tuple(parts)
    return columns, next((of[name] for name in npz.LABELS if name in of), ())


def checked(features: np.ndarray, name: str) -> np.ndarray:
    """Features as [N, D].

    Raises:
      DataError: no numbers, no rows of features, or a value that is not finite in float32.
    """
    if features.dtype.kind not in "biuf":
        raise DataError(
            f"layer {shown(name)} has dtype {features.dtype} where numbers belong; cast it to"
            " float32 before it is saved"
        )
    if features.ndim < 2 or not features.size:
        raise DataError(f"layer {shown(name)} has shape {features.shape}; give rows of features")
    features = features.reshape(len(features), -1)
    for start in range(0, len(features), _BLOCK):
        block = features[start : start + _BLOCK]
        fine = np.abs(block.astype(np.float64)) <= LARGEST  # NaN compares false
        if not fine.all():
            row, column = np.unravel_index(int(fine.argmin()), fine.shape)
            raise DataError(
                f"layer {shown(name)} is {block[row, column]:g} in row {start + row + 1}, column"
                f" {column} counted from 0",
                "mend that row, or leave it out of every layer",
            )
    return features


def start(path: Path) -> bytes:
    """The first bytes of a file."""
    try:
        with path.open("rb") as file:
            return file.read(6)
    except OSError as error:
        raise unreadable(path, error) from error


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    is_number = (pa.types.is_floating, pa.types.is_integer)
    return any(of(kind) for of in lists) and any(of(kind.value_type) for of in is_number)


def _matrix(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """[N, D] from a column of N lists, which must be of one length."""
    lists = column.combine_chunks()
    gaps = np.flatnonzero(lists.is_null())
    if len(gaps):
        raise DataError(f"layer {shown(name)} is missing in row {gaps[0] + 1}; leave that row out")
    lengths = np.unique(lists.value_lengths())
    if len(lengths) != 1:
        raise DataError(
            f"layer {shown(name)} has lists of {listed(lengths)} numbers; give every row as many"
        )
    values = lists.flatten()
    gaps = np.flatnonzero(values.is_null())
    if len(gaps):
        row = int(gaps[0] // lengths[0]) + 1
        raise DataError(f"layer {shown(name)} has an empty cell in row {row}; mend that row")
    return values.to_numpy().reshape(len(lists), int(lengths[0]))
