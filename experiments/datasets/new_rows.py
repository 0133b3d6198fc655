"""Rows without labels, or with: the columns that an encoder needs, out of any file."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.datasets import sources
from experiments.datasets.arrays import as_columns
from experiments.datasets.cells import typed
from experiments.datasets.encode import Encoder
from experiments.datasets.errors import DataError, each, listed, shown
from experiments.datasets.formats import embeddings
from experiments.datasets.formats.embeddings import Column
from experiments.datasets.probes import check_layers
from experiments.datasets.table import Columns, Reading, Table, Target


class NewRows(NamedTuple):
    """What a file has for an encoder.

    Attributes:
      table: the columns of the encoder, without labels; those that the file lacks are empty.
      missing: names of these.
      extra: names of columns that nobody asked for.
      labels: the target's column as it was read; None where the file has none.
      unknown: by column of categories, those that training never met and how many rows have each;
        None is a gap.
      notes: what was inferred to read the file, a sentence each.
    """

    table: Table
    missing: list[str]
    extra: list[str]
    labels: Column | None
    unknown: dict[str, dict[str | None, int]]
    notes: tuple[str, ...]


def read(file: str, encoder: Encoder, target: str, layer: str, reading: Reading) -> NewRows:
    """The rows of a file for an encoder, its columns found by name.

    Args:
      file: as of `load`, or embeddings as of `load_probes`; labels are not needed.
      encoder: what it needs.
      target: name of the column of labels.
      layer: the one to take where the file holds several.
      reading: how texts are to be read.

    Raises:
      DataError: a fault in the file; faults of several columns are one error.
    """
    source, labels = _source(file, encoder, target, layer, reading)
    names = source.table.column_names
    if source.is_sparse:
        zeros = pa.array(np.zeros(source.table.num_rows))
        for name in [name for name in encoder.numbers if name not in names]:
            source = source._replace(table=source.table.append_column(name, zeros))
    missing = [name for name in encoder.columns if name not in source.table.column_names]
    notes = source.said_of([name for name in encoder.columns if name in names])
    extra = [name for name in names if name not in {*encoder.columns, target, source.target}]
    labels = next((source.table[n] for n in (target, source.target) if n in names), labels)
    features = _frame(source, encoder)
    nothing = Target(target, np.zeros(len(features)), "regression", ())
    table = Table.of(file, features, encoder.columns, nothing)
    return NewRows(table, missing, extra, labels, _unknown(table, encoder, missing), tuple(notes))


def _source(
    file: str, encoder: Encoder, target: str, layer: str, reading: Reading
) -> tuple[Columns, Column | None]:
    """The file's columns, and labels that are none of them."""
    held = sources.held(file, reading)
    if held is None:
        alone = len(encoder.columns) == 1
        return sources.read(file, reading=reading, labelled=False, one_column=alone), None
    check_layers(held)
    name = next(iter(held.layers)) if len(held.layers) == 1 else layer
    if name not in held.layers:
        raise DataError(
            f"{shown(file)} holds layers {listed(held.layers)} and none called {shown(layer)}, as"
            " the model's is; give a file with that one, or with one layer"
        )
    features = embeddings.checked(held.layers[name], name)
    labels = next((held.columns[n] for n in (target, *held.usual) if n in held.columns), None)
    return as_columns(features, {}), labels


def _frame(source: Columns, encoder: Encoder) -> pd.DataFrame:
    values = each(lambda name: _values(source, name, name in encoder.categories), encoder.columns)
    return pd.DataFrame(dict(zip(encoder.columns, values, strict=True)))


def _values(source: Columns, name: str, is_category: bool) -> np.ndarray | pd.Categorical:
    if name not in source.table.column_names:
        gaps = np.full(source.table.num_rows, np.nan)
        return pd.Categorical(gaps) if is_category else gaps
    values = typed(source.of(name, is_category), name, is_category)
    if isinstance(values, pd.Categorical) and not is_category:
        raise DataError(
            f"column {shown(name)} holds texts ({listed(values.categories, 3)}) where the model"
            " has numbers",
            "mend it, or list the texts that mean a gap with --missing-values",
        )
    return values


def _unknown(table: Table, encoder: Encoder, missing: list[str]) -> dict:
    """As `NewRows.unknown` says."""
    found = {}
    for name in encoder.categories:
        counts = table.features[name].value_counts(dropna=False)
        counts = {None if pd.isna(value) else value: int(n) for value, n in counts.items() if n}
        known = {*encoder.categories[name], *([None] if name in missing else ())}
        unknown = {value: n for value, n in counts.items() if value not in known}
        found |= {name: unknown} if unknown else {}
    return found
