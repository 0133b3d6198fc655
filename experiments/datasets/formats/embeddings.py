"""Embeddings: layers of features for the same rows, memory-mapped where the format allows it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from experiments.datasets import target
from experiments.datasets.errors import DataError, listed, shown
from experiments.datasets.formats import npz, parquet
from experiments.datasets.table import Columns, Reading

_LARGEST = float(np.finfo(np.float32).max)
_BLOCK = 4096  # rows looked at in one go: a memory-mapped layer never lies in memory as a whole

Column = np.ndarray | pa.ChunkedArray


class Held(NamedTuple):
    """What a file holds.

    Attributes:
      layers: name -> features [N, ...], further axes still to be flattened.
      columns: name -> values [N] beside them: labels and weights.
      usual: the names in `columns` that are labels unless the caller chooses others.
      source: where `columns` are those of a table, what was inferred to read it.
    """

    layers: dict[str, np.ndarray]
    columns: dict[str, Column]
    usual: tuple[str, ...]
    source: Columns | None = None


def read(path: Path, reading: Reading) -> Held | None:
    """The embeddings in a .npy, an NPZ or a Parquet file with list columns; None: no such file."""
    magic = b"" if path.is_dir() else _start(path)
    if magic == b"\x93NUMPY":
        return Held({path.stem: array(path)}, {}, ())
    if magic.startswith(b"PK"):
        arrays = npz.archive(path, path)
        name = next((name for name in npz.FEATURES if name in arrays), None)
        layers = {} if name is None else {path.stem: arrays.pop(name)}
        return Held(layers, *named(arrays))
    if magic.startswith(b"PAR1"):
        return _parquet(path, reading)
    return None


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
    labels = next((name for name in npz.LABELS if name in of), None)
    return columns, of.get(labels, ())


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
        fine = np.abs(block.astype(np.float64)) <= _LARGEST  # NaN compares false
        if not fine.all():
            row, column = np.unravel_index(int(fine.argmin()), fine.shape)
            raise DataError(
                f"layer {shown(name)} is {block[row, column]:g} in row {start + row + 1}, column"
                f" {column} counted from 0; mend that row, or leave it out of every layer"
            )
    return features


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(6)
    except OSError as error:
        raise DataError(
            f"cannot read {shown(str(path))}: {error.strerror}; check its permissions, or give"
            " another file"
        ) from error


def _parquet(path: Path, reading: Reading) -> Held | None:
    """List columns as layers; None where no column holds lists of numbers."""
    layers = [field.name for field in parquet.schema(path) if _is_list(field.type)]
    if not layers:
        return None
    source = parquet.read(path, path, reading, one_column=True)
    names = [name for name in source.table.column_names if name not in layers]
    usual = (target.usual_target(names),) if names else ()
    return Held(
        {name: _matrix(source.table[name], name) for name in layers},
        {name: source.table[name] for name in names},
        usual,
        source,
    )


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(kind) for is_kind in lists):
        return False
    return pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)


def _matrix(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """[N, D] from a column of N lists, which must be of one length."""
    lists = column.combine_chunks()
    gaps = np.flatnonzero(lists.is_null().to_numpy(zero_copy_only=False))
    if len(gaps):
        raise DataError(f"layer {shown(name)} is missing in row {gaps[0] + 1}; leave that row out")
    lengths = np.unique(lists.value_lengths().to_numpy(zero_copy_only=False))
    if len(lengths) != 1:
        raise DataError(
            f"layer {shown(name)} has lists of {listed(lengths)} numbers; give every row as many"
        )
    values = lists.flatten()
    if values.null_count:
        row = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0] // lengths[0])
        raise DataError(f"layer {shown(name)} has an empty cell in row {row + 1}; mend that row")
    return values.to_numpy(zero_copy_only=False).reshape(len(lists), int(lengths[0]))
