"""From arrays (NPZ, LIBSVM, IDX) to a table, without a data frame in between."""

import numpy as np
import pyarrow as pa

from experiments.datasets.cells import check_numbers, check_weights
from experiments.datasets.columns import from_columns
from experiments.datasets.errors import DataError, did_you_mean, listed, shown
from experiments.datasets.formats.npz import Arrays
from experiments.datasets.formats.texts import understood
from experiments.datasets.table import AS_FOUND, Choices, Columns, Table
from experiments.datasets.target import labels_of


def from_arrays(arrays: Arrays, name: str, choices: Choices) -> Table:
    """The table of a feature array and a label array.

    NaN is an error whatever the policy for missing values: an array has no other sign for a
    failed computation. Columns are looked at one by one only if a choice names one.
    """
    features, labels = _features(arrays), _labels(arrays)
    names = arrays.feature_names or tuple(f"x{i}" for i in range(features.shape[1]))
    if len(features) != len(labels):
        raise DataError(
            f"{len(features)} rows of features but {len(labels)} labels in {shown(arrays.target)};"
            " give one label per row"
        )
    check_numbers(features, None, lambda index: names[index])
    if choices.drop or choices.categorical or choices.target not in (None, arrays.target):
        return _by_columns(features, labels, names, arrays, name, choices)
    if labels.dtype.kind not in "OUT":
        check_numbers(labels, None, lambda _: arrays.target)
    found = labels_of(labels, choices.task, arrays.target, is_class=arrays.is_class)
    return Table(
        name=name,
        features=features,
        labels=found.values,
        task=found.task,
        class_names=found.class_names,
        feature_names=names,
        target=arrays.target,
        weights=_weights(arrays, choices, len(labels)),
        complete=True,
    )


def _features(arrays: Arrays) -> np.ndarray:
    features = arrays.features
    if features.dtype.kind not in "biuf":
        raise DataError(
            f"features have dtype {features.dtype} where numbers belong; cast them, or write"
            " categories into a CSV or Parquet file"
        )
    if features.ndim < 1 or not features.size:
        raise DataError(f"features have shape {features.shape}; give rows of features")
    return features.reshape(len(features), -1)


def _labels(arrays: Arrays) -> np.ndarray:
    labels = arrays.labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"labels {shown(arrays.target)} have shape {labels.shape}; give one label per row"
        )
    if labels.dtype.kind in "bS":
        return labels.astype(str)
    if labels.dtype.kind not in "iufU":
        raise DataError(
            f"labels {shown(arrays.target)} have dtype {labels.dtype}; give numbers or texts"
        )
    return labels


def _weights(arrays: Arrays, choices: Choices, num_rows: int) -> np.ndarray | None:
    if choices.weights is None:
        return None
    others = sorted(arrays.others)
    if choices.weights not in others:
        near = did_you_mean(str(choices.weights), others)
        known = f"the other arrays are {listed(others)}" if others else "this file holds none"
        raise DataError(f"--weights: no array {shown(choices.weights)}{near}; {known}")
    weights = arrays.others[choices.weights]
    if weights.shape != (num_rows,):
        raise DataError(
            f"--weights {shown(choices.weights)} has shape {weights.shape}; give one weight for"
            f" each of the {num_rows} rows"
        )
    check_numbers(weights, None, lambda _: choices.weights)
    return check_weights(weights, choices.weights)


def _by_columns(features, labels, names, arrays: Arrays, name: str, choices: Choices) -> Table:
    columns = {name: pa.array(column) for name, column in zip(names, features.T, strict=True)}
    columns[arrays.target] = pa.array(labels)
    if choices.weights is not None:
        columns[choices.weights] = pa.array(_weights(arrays, choices, len(labels)))
    is_class = arrays.is_class and choices.target in (None, arrays.target)
    source = understood(Columns(pa.table(columns)), AS_FOUND)
    return from_columns(source, name, choices, is_class=is_class)
