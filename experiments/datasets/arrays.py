"""From arrays (NPZ, LIBSVM, IDX) to a table, by way of columns."""

import dataclasses

import numpy as np
import pyarrow as pa

from experiments.datasets.columns import from_columns
from experiments.datasets.errors import DataError, did_you_mean, listed, shown
from experiments.datasets.formats.npz import Arrays
from experiments.datasets.table import Choices, Columns, Table
from experiments.datasets.target import as_column


def from_arrays(arrays: Arrays, name: str, choices: Choices) -> Table:
    """The table of a feature array and a label array.

    NaN is an error whatever the policy for missing values: an array has no other sign for a
    failed computation.
    """
    features = _features(arrays.features)
    names = arrays.feature_names or tuple(f"x{i}" for i in range(features.shape[1]))
    labels, weights = arrays.labels, choices.weights
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    beside = {arrays.target: labels} | (
        {} if weights is None else {weights: _other(arrays, weights)}
    )
    columns = {name: pa.array(column) for name, column in zip(names, features.T, strict=True)}
    for other, values in beside.items():
        columns[other] = as_column(values, other)
        if len(values) != len(features):
            raise DataError(
                f"{len(features)} rows of features but {len(values)} values in {shown(other)};"
                " give one per row"
            )
    is_own = choices.target in (None, arrays.target)
    choices = dataclasses.replace(choices, target=arrays.target) if is_own else choices
    is_class = arrays.is_class and is_own
    table = from_columns(Columns(pa.table(columns)), name, choices, is_class=is_class)
    return dataclasses.replace(table, complete=True)


def _features(features: np.ndarray) -> np.ndarray:
    if features.dtype.kind not in "biuf":
        raise DataError(
            f"features have dtype {features.dtype} where numbers belong; cast them, or write"
            " categories into a CSV or Parquet file"
        )
    if features.ndim < 1 or not features.size:
        raise DataError(f"features have shape {features.shape}; give rows of features")
    return features.reshape(len(features), -1)


def _other(arrays: Arrays, name: str | int) -> np.ndarray:
    others = sorted(arrays.others)
    if name not in others:
        near = did_you_mean(str(name), others)
        known = f"the other arrays are {listed(others)}" if others else "this file holds none"
        raise DataError(f"--weights: no array {shown(name)}{near}; {known}")
    return arrays.others[name]
