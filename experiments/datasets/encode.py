"""From a table to float32 features, with every statistic taken from training rows alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from experiments.datasets.errors import DataError, shown
from experiments.datasets.table import MAX_BYTES, Table

_BLOCK = 4096  # rows cast to float64 at a time: MNIST is 47 MB as bytes, 376 MB as float64


@dataclass(frozen=True)
class Encoded:
    """Features of every row of a table, in the units of its training rows."""

    features: np.ndarray  # [N, D] float32, finite
    names: tuple[str, ...]  # [D]


def encode(table: Table, train_rows: np.ndarray) -> Encoded:
    """Standardised numbers, then "…_missing" indicators, then one-hot categories.

    Numbers: a gap becomes the median of the training rows, and where these have gaps a column
    of 0 and 1 says which rows; then minus the training mean, over the training standard
    deviation. A column constant in training taught nothing, so it is 0 in every row.
    Categories: a column for each one in the training rows, a gap being one of its own; a
    category that training never met is 0 in all of them.

    Args:
      table: N rows.
      train_rows: bool [N], or row numbers.
    """
    rows = _row_numbers(train_rows, len(table.labels))
    numbers, number_names, categories = _parts(table)
    gaps = np.isnan(numbers) if isinstance(table.features, pd.DataFrame) else None
    told = np.flatnonzero(gaps[rows].any(axis=0)) if gaps is not None else []
    indicators = [gaps[:, j] for j in told]
    hot, hot_names = _one_hot(categories, rows)
    names = (*number_names, *(f"{number_names[j]}_missing" for j in told), *hot_names)
    features = _empty(len(table.labels), len(names), categories)
    width = len(number_names)
    if width:
        _standardise(numbers, gaps, rows, out=features[:, :width])
    for j, indicator in enumerate(indicators, start=width):
        features[:, j] = indicator
    if hot is not None:
        features[:, width + len(indicators) :] = hot.toarray()
    _check_range(features, names)
    return Encoded(features, names)


def _row_numbers(train_rows: np.ndarray, num_rows: int) -> np.ndarray:
    train_rows = np.asarray(train_rows)
    if train_rows.dtype == bool and train_rows.shape != (num_rows,):
        raise DataError(
            f"train_rows has shape {train_rows.shape}; give one bool for each of {num_rows} rows"
        )
    rows = np.flatnonzero(train_rows) if train_rows.dtype == bool else train_rows
    if not rows.size:
        raise DataError("train_rows is empty; give at least one training row")
    return rows


def _parts(table: Table):
    """Numbers [N, Dn], their names, and a frame of the categorical columns."""
    features = table.features
    if isinstance(features, np.ndarray):
        return features, table.feature_names, pd.DataFrame()
    is_category = [isinstance(dtype, pd.CategoricalDtype) for dtype in features.dtypes]
    categories = features.loc[:, is_category]
    numbers = features.loc[:, np.logical_not(is_category)]
    return numbers.to_numpy(np.float64), tuple(numbers.columns), categories


def _empty(num_rows: int, num_columns: int, categories: pd.DataFrame) -> np.ndarray:
    needed = 4 * num_rows * num_columns
    if needed > MAX_BYTES:
        widest = max(categories, key=lambda name: len(categories[name].cat.categories), default="")
        advice = f"; drop a column of many categories ({shown(widest)})" if widest else ""
        raise DataError(
            f"{num_rows} rows of {num_columns} encoded features need {needed / 2**30:.1f} GiB of"
            f" at most {MAX_BYTES >> 30}{advice or '; use fewer rows'}"
        )
    return np.empty((num_rows, num_columns), np.float32)


def _standardise(numbers, gaps, rows: np.ndarray, out: np.ndarray) -> None:
    """(x - mean) / std into `out`, block by block in float64."""
    medians = None if gaps is None else _medians(numbers, gaps, rows)
    scaler = StandardScaler()
    for start in range(0, len(rows), _BLOCK):
        scaler.partial_fit(_filled(numbers, gaps, medians, rows[start : start + _BLOCK]))
    constant = (scaler.scale_ == 1) & (scaler.var_ < 0.5)  # how the scaler marks them
    for start in range(0, len(numbers), _BLOCK):
        block = slice(start, start + _BLOCK)
        with np.errstate(over="ignore"):  # found, and said, by _check_range
            out[block] = scaler.transform(_filled(numbers, gaps, medians, block))
    out[:, constant] = 0


def _medians(numbers: np.ndarray, gaps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[Dn] medians over the training rows that have a value; 0 where none has."""
    medians = np.zeros(numbers.shape[1])
    for j in np.flatnonzero(gaps.any(axis=0)):
        present = numbers[rows, j][~gaps[rows, j]]
        medians[j] = np.median(present) if present.size else 0
    return medians


def _filled(numbers, gaps, medians, rows) -> np.ndarray:
    block = numbers[rows].astype(np.float64)
    return block if gaps is None else np.where(gaps[rows], medians, block)


def _one_hot(categories: pd.DataFrame, rows: np.ndarray):
    """A sparse matrix [N, ·] and its names; (None, []) without categories."""
    if not categories.shape[1]:
        return None, []
    codes = np.column_stack([categories[name].cat.codes for name in categories])  # -1: a gap
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32).fit(codes[rows])
    names = [
        f"{name}_missing" if code < 0 else f"{name}={categories[name].cat.categories[code]}"
        for name, known in zip(categories, encoder.categories_, strict=True)
        for code in known
    ]
    return encoder.transform(codes), names


def _check_range(features: np.ndarray, names: tuple[str, ...]) -> None:
    finite = np.isfinite(features)
    if not finite.all():
        row, column = np.unravel_index(int(finite.argmin()), finite.shape)
        raise DataError(
            f"column {shown(names[column])} in row {row + 1} is too far from the training rows for"
            " float32; mend that row, or drop the column"
        )
