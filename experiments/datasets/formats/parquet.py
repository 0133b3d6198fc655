"""Parquet files."""

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet

from experiments.datasets.errors import DataError, shown
from experiments.datasets.formats.texts import understood
from experiments.datasets.table import Columns, Reading


def read(
    file: Path | BinaryIO, path: Path, reading: Reading, *, one_column: bool = False
) -> Columns:
    """Every column of the file; what pandas stored as its index is no feature.

    Args:
      file: its path, or its bytes.
      path: what messages call it.
      reading: which texts mean a gap.
      one_column: one column will do, as in a file of labels.
    """
    table = _of_file(file, path, lambda opened: opened.read())
    names = enumerate(table.column_names)
    table = table.select([i for i, name in names if not name.startswith("__index_level_")])
    if table.num_columns < 2 - one_column or not table.num_rows:
        raise DataError(
            f"{shown(str(path))} has {table.num_rows} rows and {table.num_columns} columns;"
            " give one with rows, features and a target"
        )
    return understood(Columns(table), reading)


def schema(path: Path) -> pa.Schema:
    """Names and types of the file's columns."""
    return _of_file(path, path, lambda opened: opened.schema_arrow)


def _of_file(file: Path | BinaryIO, path: Path, what):
    try:  # pyarrow's read_table can't read two equal names
        with pyarrow.parquet.ParquetFile(file) as opened:
            return what(opened)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{shown(str(path))} is a broken Parquet file; write or download it again"
        ) from error
