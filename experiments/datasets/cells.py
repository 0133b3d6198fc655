"""One column at a time: numbers, or categories, or a message that names the cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from experiments.datasets.errors import DataError, listed, shown
from experiments.datasets.formats import numerals

LARGEST = float(np.finfo(np.float32).max)  # features are float32 once encoded


def typed(
    column: pa.ChunkedArray, name: str, as_category: bool, *, is_target: bool = False
) -> np.ndarray | pd.Categorical:
    """Numbers [N] (NaN where missing) or categories [N] in sorted order.

    A text column whose cells are numbers for the most part is an error: it is a numeric column with
    a slip in it, or categories that the caller has to declare.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        if kind.ordered and pa.types.is_string(kind.value_type):
            return _ordered(column)
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind):
        column, kind = column.cast(pa.float64()), pa.float64()
    is_flag = pa.types.is_boolean(kind)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or (is_flag and not is_target):
        if not as_category:
            return _numbers(column.cast(pa.int8()) if is_flag else column, name)
        return _categories(column.cast(pa.string()), key=None if is_flag else float)
    if is_flag or (as_category and pa.types.is_temporal(kind)):
        return _categories(column.cast(pa.string()))
    if not pa.types.is_string(kind):
        cure = "leave it out with --drop, or write numbers or texts"
        raise DataError(f"column {shown(name)} holds {kind} values", cure)
    if not as_category:
        _check_text(column, name)
    return _categories(column)


def check_numbers(values: np.ndarray, missing: np.ndarray | None, column) -> None:
    """Raise for NaN that is no gap, ±inf, and what float32 cannot hold; `column(j)` is a name.

    Args:
      values: [N] or [N, D] numbers.
      missing: [N] where NaN means a gap, or None.
      column: index -> the name of a column, for the message.
    """
    if values.dtype.kind != "f":
        return
    largest = min(LARGEST, float(np.finfo(values.dtype).max))
    bad = ~(np.abs(values) <= largest)  # NaN compares false
    if missing is not None:
        bad &= ~missing
    if not bad.any():
        return
    row, *rest = (int(i) for i in np.unravel_index(bad.argmax(), bad.shape))
    name = shown(column(rest[0] if rest else 0))
    value = values[(row, *rest)]
    cure = "mend or remove the row; a missing value is an empty cell, NA or null"
    if np.isfinite(value):
        cure = "rescale the column, since float32 ends at 3.4e38"
    raise DataError(f"column {name} is {value:g} in row {row + 1}", cure)


def missing_fault(role: str, name: str, row: int, words: Sequence[str], cure: str) -> DataError:
    """The error for a gap where none may be; `words` are texts of the column that mean one."""
    mean = f", where {listed(words)} is a missing value" if words else ""
    keep = ", or list the texts that mean one with --missing-values" if words else ""
    return DataError(f"{role} {shown(name)} is missing in row {row + 1}{mean}", cure + keep)


def check_weights(values: np.ndarray | pd.Categorical, name: str) -> np.ndarray:
    """Weights [N] as float64: none negative, some above zero; NaN, a gap, passes."""
    option = f"--weights {shown(name)}"
    if isinstance(values, pd.Categorical):
        raise DataError(f"{option} holds texts; choose a column of numbers")
    weights = values.astype(np.float64)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise DataError(f"{option} is {weights[row]:g} in row {row + 1}; weights are 0 or more")
    if not (weights > 0).any():
        raise DataError(f"{option} is 0 in every row; give some row a weight")
    return weights


def _numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    values = column.to_numpy()
    missing = column.is_null().to_numpy() if column.null_count else None
    check_numbers(values, missing, lambda _: name)
    return values


def _check_text(texts: pa.ChunkedArray, name: str) -> None:
    count = pc.sum(numerals.numeric(texts)).as_py() or 0
    if count and 2 * count >= len(texts) - texts.null_count:
        row = numerals.first_text(texts)
        raise DataError(
            f"column {shown(name)} is text in row {row + 1} ({shown(texts[row].as_py())}) where"
            " numbers belong",
            "mend it, name the column in --categorical, or the text in --missing-values",
        )


def _categories(texts: pa.ChunkedArray, key=None) -> pd.Categorical:
    """Categories [N], sorted by the key of their texts; no category where null."""
    encoded = texts.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy()
    names = encoded.dictionary.to_pylist()
    in_order = sorted(names, key=key)
    place = {name: code for code, name in enumerate(in_order)}
    rank = np.array([*(place[name] for name in names), -1])  # the last for code -1, a gap
    return pd.Categorical.from_codes(rank[codes], in_order)


def _ordered(column: pa.ChunkedArray) -> pd.Categorical:
    encoded = column.combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy()
    return pd.Categorical.from_codes(codes, encoded.dictionary.to_pylist(), ordered=True)
