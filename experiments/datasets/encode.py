"""From a table to float32 features, with every statistic taken from training rows alone.

Written here, and not as scikit-learn's ColumnTransformer of SimpleImputer and OneHotEncoder: that
copies a whole table to float64 (MNIST: 47 MB to 376), and is kept by pickle alone.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from experiments.datasets.errors import DataError, shown
from experiments.datasets.table import MAX_BYTES, Table

_BLOCK = 4096  # rows cast to float64 at a time


class Encoder(NamedTuple):
    """What training rows say of columns, as plain data that applies to other tables.

    Attributes:
      numbers: names of the columns of numbers, Dn of them.
      fills: [Dn] what a missing cell becomes: the training median, or in tables that can't miss
        one the mean.
      means: [Dn] float64.
      scales: [Dn] standard deviations; inf where a column was constant in training, which taught
        nothing, so that it is 0 in every row.
      told: names of those numbers that had gaps in training, hence an indicator.
      categories: by column those of the training rows; None among them is a gap.
    """

    numbers: tuple[str, ...]
    fills: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    told: tuple[str, ...]
    categories: dict[str, tuple[str | None, ...]]

    @classmethod
    def as_it_is(cls, table: Table, train_rows: np.ndarray) -> "Encoder":
        """What leaves numbers as they are; for a table of nothing else, and no gaps."""
        zeros = np.zeros(len(table.feature_names))
        fills = zeros if table.complete else _medians(table.features, train_rows)
        return cls(tuple(table.feature_names), fills, zeros, zeros + 1, (), {})

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a table's columns that it needs, in any order."""
        return (*self.numbers, *self.categories)

    @property
    def sources(self) -> list[tuple[str, str, str]]:
        """[D] the features as (name, column, kind); kinds are number, indicator and category."""
        hot = [
            (f"{column}_missing" if name is None else f"{column}={name}", column, "category")
            for column, known in self.categories.items()
            for name in known
        ]
        numbers = [(name, name, "number") for name in self.numbers]
        return [*numbers, *((f"{name}_missing", name, "indicator") for name in self.told), *hot]

    @property
    def names(self) -> tuple[str, ...]:
        """[D] names of the features."""
        return tuple(name for name, _, _ in self.sources)

    def apply(self, table: Table) -> np.ndarray:
        """[N, D] float32, finite: what `encode` says, of any table that has the columns.

        Raises:
          DataError: a value beyond float32's reach, or more features than memory should hold.
        """
        numbers = self._numbers(table)
        features = self._empty(len(numbers))
        width = len(self.numbers)
        for start in range(0, len(features), _BLOCK):
            block = slice(start, start + _BLOCK)
            values = numbers[block].astype(np.float64)
            values = np.where(np.isnan(values), self.fills, values)
            with np.errstate(over="ignore"):  # found, and said, by _check_range
                features[block, :width] = (values - self.means) / self.scales
        for column, name in enumerate(self.told, start=width):
            features[:, column] = np.isnan(numbers[:, self.numbers.index(name)])
        column = width + len(self.told)
        for name, known in self.categories.items():
            values = table.features[name].array
            codes = {None: -1} | {category: code for code, category in enumerate(values.categories)}
            for category in known:
                features[:, column] = values.codes == codes.get(category, -2)
                column += 1
        self._check_range(features)
        return features

    def _numbers(self, table: Table) -> np.ndarray:
        """[N, Dn] as the table holds them."""
        if isinstance(table.features, pd.DataFrame):
            return table.features[list(self.numbers)].to_numpy(np.float64)
        if tuple(table.feature_names) == self.numbers:
            return table.features
        return table.features[:, [table.feature_names.index(name) for name in self.numbers]]

    def _empty(self, num_rows: int) -> np.ndarray:
        shape = num_rows, len(self.sources)
        needed = 4 * np.prod(shape)
        if needed > MAX_BYTES:
            widest = max(self.categories, key=lambda name: len(self.categories[name]), default="")
            advice = f"drop a column of many categories ({shown(widest)})" if widest else ""
            raise DataError(
                f"{num_rows} rows of {shape[1]} encoded features need {needed / 2**30:.1f} GiB of"
                f" at most {MAX_BYTES >> 30}; {advice or 'use fewer rows'}"
            )
        return np.empty(shape, np.float32)

    def _check_range(self, features: np.ndarray) -> None:
        finite = np.isfinite(features)
        if not finite.all():
            row, column = np.unravel_index(int(finite.argmin()), finite.shape)
            raise DataError(
                f"column {shown(self.names[column])} in row {row + 1} is too far from the training"
                " rows for float32; mend that row, or drop the column"
            )


class Encoded(NamedTuple):
    """Features of every row of a table, in the units of its training rows."""

    features: np.ndarray  # [N, D] float32, finite
    encoder: Encoder

    @property
    def names(self) -> tuple[str, ...]:
        """[D] names of the features."""
        return self.encoder.names


def encode(table: Table, train_rows: np.ndarray) -> Encoded:
    """Standardised numbers, then "…_missing" indicators, then one-hot categories.

    Numbers: a gap becomes the median of the training rows, and where these have gaps a column
    of 0 and 1 says which rows; then minus the training mean, over the training standard
    deviation. A column constant in training taught nothing, so it is 0 in every row.
    Categories: a column for each one in the training rows, a gap being one of its own; a
    category that training never met is 0 in all of them.

    Args:
      table: N rows.
      train_rows: bool [N], or row numbers; one row at least.
    """
    encoder = fit(table, train_rows)
    return Encoded(encoder.apply(table), encoder)


def fit(table: Table, train_rows: np.ndarray) -> Encoder:
    """The encoder of these rows, as `encode` says."""
    rows = np.arange(len(table.labels))[train_rows]
    features, names, told, categories = table.features, table.feature_names, (), {}
    if isinstance(features, pd.DataFrame):
        columns = {name: features[name] for name in features}
        categories = {
            name: _categories(column.array[rows])
            for name, column in columns.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
        names = tuple(name for name in columns if name not in categories)
        told = tuple(name for name in names if columns[name].array[rows].isna().any())
        features = features[list(names)].to_numpy(np.float64)
    fills = None if table.complete else _medians(features, rows)
    means, scales = _moments(features, fills, rows)
    return Encoder(names, means if fills is None else fills, means, scales, told, categories)


def _categories(values: pd.Categorical) -> tuple[str | None, ...]:
    """Those that occur, in order; a gap comes first."""
    codes = np.unique(values.codes)
    return tuple(None if code < 0 else str(values.categories[code]) for code in codes)


def _medians(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[Dn] over the training rows that have a value; 0 where none has."""
    medians = np.zeros(numbers.shape[1])
    for j in range(len(medians)):
        column = numbers[rows, j].astype(np.float64)
        present = column[~np.isnan(column)]
        medians[j] = np.median(present) if present.size else 0
    return medians


def _moments(numbers: np.ndarray, fills, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and scales [Dn], block by block in float64."""
    if not numbers.shape[1]:
        return np.zeros(0), np.zeros(0)
    scaler = StandardScaler()
    for start in range(0, len(rows), _BLOCK):
        block = numbers[rows[start : start + _BLOCK]].astype(np.float64)
        scaler.partial_fit(block if fills is None else np.where(np.isnan(block), fills, block))
    constant = (scaler.scale_ == 1) & (scaler.var_ < 0.5)  # how the scaler marks them
    return scaler.mean_, np.where(constant, np.inf, scaler.scale_)
