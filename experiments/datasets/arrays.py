"""From arrays (NPZ, LIBSVM, IDX, embeddings) to columns."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from experiments.datasets.errors import DataError, shown
from experiments.datasets.table import Columns


def as_columns(
    features: np.ndarray,
    beside: Mapping[str, np.ndarray],
    names: Sequence[str] | None = None,
    **about,
) -> Columns:
    """Features and labels as columns.

    NaN is an error whatever the policy for missing values: an array has no other sign for a
    failed computation.

    Args:
      features: [N, ...] numbers; further axes are flattened.
      beside: arrays [N] by name: labels first, and perhaps weights.
      names: of the features; None: x0, x1, …
      **about: what else `Columns` says of the format.
    """
    if features.dtype.kind not in "biuf":
        raise DataError(
            f"features have dtype {features.dtype} where numbers belong; cast them, or write"
            " categories into a CSV or Parquet file"
        )
    if features.ndim < 1 or not features.size:
        raise DataError(f"features have shape {features.shape}; give rows of features")
    features = features.reshape(len(features), -1)
    names = names or [f"x{i}" for i in range(features.shape[1])]
    columns = {name: pa.array(column) for name, column in zip(names, features.T, strict=True)}
    for other, values in beside.items():
        columns[other] = as_column(values, other)
        if len(values) != len(features):
            raise DataError(
                f"{len(features)} rows of features but {len(values)} values in {shown(other)};"
                " give one per row"
            )
    target = next(iter(beside), None)
    return Columns(pa.table(columns), target=target, complete=True, **about)


def as_column(values: np.ndarray, name: str, shapes: str = "one value per row") -> pa.ChunkedArray:
    """An array [N] of numbers or texts as a column; texts are categories, numbers or not.

    Raises:
      DataError: another shape than `shapes` says, or another dtype.
    """
    if values.ndim != 1:
        raise DataError(f"array {shown(name)} has shape {values.shape}; give {shapes}")
    if values.dtype.kind not in "biufSU":
        raise DataError(f"array {shown(name)} has dtype {values.dtype}; give numbers or texts")
    if values.dtype.kind in "iuf":
        return pa.chunked_array([pa.array(np.asarray(values))])
    names, codes = np.unique(values.astype(str), return_inverse=True)
    codes = pa.array(codes.astype(np.int32))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, names.tolist(), ordered=True)])
