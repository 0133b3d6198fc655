"""Parquet files."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from experiments.datasets.delimited import Columns
from experiments.datasets.errors import DataError, shown


def read(data: bytes, path: Path) -> Columns:
    """Every column of the file; what pandas stored as its index is no feature."""
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{shown(str(path))} is a broken Parquet file; write or download it again"
        ) from error
    kept = [name for name in table.column_names if not name.startswith("__index_level_")]
    if len(kept) < table.num_columns:
        table = table.select(kept)
    if table.num_columns < 2 or not table.num_rows:
        raise DataError(
            f"{shown(str(path))} has {table.num_rows} rows and {table.num_columns} columns;"
            " give one with rows, features and a target"
        )
    return Columns(table, ())
