"""From arrays (NPZ, LIBSVM, IDX) to a table, without a data frame in between."""

import numpy as np
import pyarrow as pa

from experiments.datasets.cells import check_numbers, check_weights
from experiments.datasets.columns import from_columns
from experiments.datasets.errors import DataError, did_you_mean, listed, shown
from experiments.datasets.formats.npz import Arrays
from experiments.datasets.formats.texts import understood
from experiments.datasets.table import AS_FOUND, Choices, Columns, Table
from experiments.datasets.target import labels_of, plain_labels


def from_arrays(arrays: Arrays, name: str, choices: Choices) -> Table:
    """The table of a feature array and a label array.

    NaN is an error whatever the policy for missing values: an array has no other sign for a
    failed computation. Columns are looked at one by one only if a choice names one.
    """
    features = _features(arrays.features)
    names = arrays.feature_names or tuple(f"x{i}" for i in range(features.shape[1]))
    labels = arrays.labels
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    labels = plain_labels(labels, arrays.target)
    if len(features) != len(labels):
        raise DataError(
            f"{len(features)} rows of features but {len(labels)} labels in {shown(arrays.target)};"
            " give one label per row"
        )
    check_numbers(features, None, lambda index: names[index])
    weights = _weights(arrays, choices.weights, len(labels))
    if choices.drop or choices.categorical or choices.target not in (None, arrays.target):
        columns = {name: pa.array(column) for name, column in zip(names, features.T, strict=True)}
        columns[arrays.target] = pa.array(labels)
        columns |= {} if weights is None else {choices.weights: pa.array(weights)}
        is_class = arrays.is_class and choices.target in (None, arrays.target)
        source = understood(Columns(pa.table(columns)), AS_FOUND)
        return from_columns(source, name, choices, is_class=is_class)
    target = labels_of(labels, choices.task, arrays.target, is_class=arrays.is_class)
    return Table.of(name, features, names, target, weights=weights, complete=True)


def _features(features: np.ndarray) -> np.ndarray:
    if features.dtype.kind not in "biuf":
        raise DataError(
            f"features have dtype {features.dtype} where numbers belong; cast them, or write"
            " categories into a CSV or Parquet file"
        )
    if features.ndim < 1 or not features.size:
        raise DataError(f"features have shape {features.shape}; give rows of features")
    return features.reshape(len(features), -1)


def _weights(arrays: Arrays, name: str | int | None, num_rows: int) -> np.ndarray | None:
    if name is None:
        return None
    others = sorted(arrays.others)
    if name not in others:
        near = did_you_mean(str(name), others)
        known = f"the other arrays are {listed(others)}" if others else "this file holds none"
        raise DataError(f"--weights: no array {shown(name)}{near}; {known}")
    return check_weights(arrays.others[name], name, num_rows)
