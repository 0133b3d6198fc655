"""From the columns of a file to a table: choose the target, type every column, mind the gaps."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.datasets.cells import check_weights, typed
from experiments.datasets.errors import DataError, listed, shown
from experiments.datasets.table import Choices, Table
from experiments.datasets.target import labels_of, position, usual_target

MAX_SURE_CATEGORIES = 50  # so many texts are categories even where most rows differ


class Roles(NamedTuple):
    """What every column is for, by name."""

    target: str
    weights: str | None
    categorical: list[str]
    used: list[str]  # in the file's order, target and weights among them
    empty: list[str]


def from_columns(table: pa.Table, name: str, choices: Choices, notes=(), is_class=False) -> Table:
    """The table that the choices make of the columns; see `load` for their meaning."""
    roles = _roles(table, choices)
    target, weights = roles.target, None
    columns = {
        n: typed(table[n], n, n in roles.categorical, is_target=n == target) for n in roles.used
    }
    _check_ids({n: columns[n] for n in roles.used if n not in (target, *roles.categorical)})
    if roles.weights is not None:  # before rows go, so that a message counts them as the file does
        check_weights(columns[roles.weights], roles.weights)
    columns, removed = _without_gaps(columns, choices.missing, target, roles.weights)
    labels = _labels(columns.pop(target), choices, target, is_class)
    if roles.weights is not None:
        weights = check_weights(columns.pop(roles.weights), roles.weights)
    if not columns:
        raise DataError("no feature column is left beside the target; drop fewer columns")
    return Table(
        name=name,
        features=_features(columns),
        labels=labels.values,
        task=labels.task,
        class_names=labels.class_names,
        feature_names=tuple(columns),
        target=target,
        weights=weights,
        notes=(*notes, *_notes(columns, roles.empty, removed)),
    )


def _roles(table: pa.Table, choices: Choices) -> Roles:
    names = _distinct(table.column_names)
    dropped = [names[position(column, names, "--drop")] for column in choices.drop]
    texts = [names[position(column, names, "--categorical")] for column in choices.categorical]
    weights = choices.weights
    if weights is not None:
        weights = names[position(weights, names, "--weights")]
    target = _target(table, choices.target, {*dropped, weights})
    empty = [n for n in names if table[n].null_count == len(table) and n != target]
    used = [n for n in names if n not in {*dropped, *empty}]
    _check_roles(target, weights, used)
    return Roles(target, weights, texts, used, empty)


def _distinct(names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"columns called {listed(twice)} occur twice; rename them in the file")
    return names


def _target(table: pa.Table, chosen: str | int | None, others: set) -> str:
    """The target chosen, or the usual one among the columns that have no other part to play."""
    names = table.column_names
    if chosen is not None:
        target = names[position(chosen, names, "--target")]
        if table[target].null_count == len(table):
            raise DataError(
                f"target {shown(target)} is empty in every row; choose another --target"
            )
        return target
    open_to = [n for n in names if table[n].null_count < len(table) and n not in others]
    if not open_to:
        raise DataError("every column is empty or dropped; give rows of data, or drop fewer")
    return usual_target(open_to)


def _check_roles(target: str, weights: str | None, used: list[str]) -> None:
    if target not in used:
        raise DataError(f"--drop leaves out the target {shown(target)}; choose another --target")
    if weights == target:
        raise DataError(f"--weights {shown(weights)} is the target; choose another column")
    if weights is not None and weights not in used:
        raise DataError(f"--weights {shown(weights)} is dropped or empty; choose another column")


def _check_ids(columns: dict) -> None:
    """Refuse texts that differ in most rows: as categories they teach nothing and fill memory."""
    ids = [
        name
        for name, column in columns.items()
        if isinstance(column, pd.Categorical)
        and len(column.categories) > max(MAX_SURE_CATEGORIES, len(column) / 2)
    ]
    if ids:
        raise DataError(
            f"columns {listed(ids)} hold another text in most rows; leave ids and prose out with"
            f" --drop {' '.join(ids)}, or insist with --categorical"
        )


def _without_gaps(columns: dict, missing: str, target: str, weights: str | None):
    """The columns under the policy for missing values, and how many rows it removed."""
    gaps = {name: np.asarray(pd.isna(column)) for name, column in columns.items()}
    if missing == "drop":
        kept = ~np.any(list(gaps.values()), axis=0)
        if not kept.any():
            worst = max(gaps, key=lambda name: gaps[name].sum())
            raise DataError(
                f"--missing drop leaves no row; column {shown(worst)} is empty in"
                f" {gaps[worst].sum()} of {len(kept)}: leave it out with --drop"
            )
        return {name: column[kept] for name, column in columns.items()}, int((~kept).sum())
    never = [target] if weights is None else [target, weights]
    for name in gaps if missing == "error" else never:
        if gaps[name].any():
            row = int(gaps[name].argmax()) + 1
            cure = "fill it, or choose --missing drop"
            cure += "" if name in never else " or impute"
            role = "target " * (name == target) + "column " * (name != target)
            raise DataError(f"{role}{shown(name)} is missing in row {row}; {cure}")
    return columns, 0


def _labels(column, choices: Choices, target: str, is_class: bool):
    if not isinstance(column, pd.Categorical):
        return labels_of(column, choices.task, target, is_class=is_class)
    order = tuple(column.categories) if column.ordered else None
    values = np.asarray(column.categories, dtype=object)[column.codes]
    return labels_of(values, choices.task, target, order=order)


def _features(columns: dict) -> np.ndarray | pd.DataFrame:
    """An array where every cell is a number, else a frame."""
    arrays = list(columns.values())
    if any(isinstance(a, pd.Categorical) or np.isnan(a).any() for a in arrays):
        return pd.DataFrame(columns)
    if all(array.dtype.kind in "iu" for array in arrays):  # pixels in a CSV are bytes
        low, high = min(array.min() for array in arrays), max(array.max() for array in arrays)
        dtype = np.result_type(np.min_scalar_type(low), np.min_scalar_type(high))
    else:
        dtype = np.float64
    features = np.empty((len(arrays[0]), len(arrays)), dtype)
    for index, array in enumerate(arrays):
        features[:, index] = array
    return features


def _notes(columns: dict, empty: list[str], removed: int) -> list[str]:
    notes = []
    if empty:
        notes.append(f"left out, empty in every row: {listed(empty)}")
    if removed:
        notes.append(f"{removed} rows left out for missing values")
    gaps = {name: int(np.sum(pd.isna(column))) for name, column in columns.items()}
    with_gaps = [f"{name} ({count})" for name, count in gaps.items() if count]
    if with_gaps:
        notes.append(f"missing values in {', '.join(with_gaps)}")
    counters = [name for name, column in columns.items() if _counts_rows(column)]
    if counters:
        notes.append(f"{listed(counters)} counts the rows; --drop leaves it out")
    return notes


def _counts_rows(column) -> bool:
    is_whole = not isinstance(column, pd.Categorical) and column.dtype.kind in "iu"
    return (
        is_whole
        and column[0] in (0, 1)
        and bool((column == np.arange(len(column)) + column[0]).all())
    )
