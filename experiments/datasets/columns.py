"""From the columns of a file to a table: choose the target, type every column, mind the gaps."""

import shlex
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.datasets.cells import check_weights, missing_fault, typed
from experiments.datasets.errors import DataError, each, listed, raise_all, shown
from experiments.datasets.table import Choices, Columns, Table
from experiments.datasets.target import labels_of, position, usual_target

MAX_SURE_CATEGORIES = 50  # so many texts are categories even where most rows differ


class Roles(NamedTuple):
    """What every column is for, by name."""

    target: str
    weights: str | None
    categorical: list[str]
    used: list[str]  # in the file's order, target and weights among them
    empty: list[str]
    index: list[str]  # left out, as nameless columns in front of the others


def from_columns(source: Columns, name: str, choices: Choices, is_class=False) -> Table:
    """The table that the choices make of the columns; see `load` for their meaning.

    Raises:
      DataError: a mistake in a choice or in the file; faults of several columns are one error.
    """
    roles = _roles(source, choices)
    target, weights = roles.target, None
    columns = _typed(source, roles)
    asked = [name for name in roles.used if name not in roles.categorical]
    if roles.weights is not None:  # before rows go, so that a message counts them as the file does
        check_weights(columns[roles.weights], roles.weights)
    columns, removed = _without_gaps(columns, choices.missing, target, roles.weights, source.gaps)
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
        notes=(*source.said_of(asked), *_notes(columns, roles, removed)),
    )


def _roles(source: Columns, choices: Choices) -> Roles:
    table = source.table
    names = table.column_names
    options = [("--drop", choices.drop), ("--categorical", choices.categorical)]
    options += [("--weights", () if choices.weights is None else (choices.weights,))]
    asked = [(column, option) for option, columns in options for column in columns]
    found = each(lambda pair: (names[position(pair[0], names, pair[1])], pair[1]), asked)
    dropped, texts, weights = ([n for n, o in found if o == option] for option, _ in options)
    weights = weights[0] if weights else None
    index = [n for n in source.index if n not in (*dropped, *texts, weights)]
    target = _target(source, choices.target, {*dropped, *index, weights})
    index = [n for n in index if n != target]
    empty = [n for n in names if table[n].null_count == len(table) and n != target]
    used = [n for n in names if n not in {*dropped, *empty, *index}]
    if not {*used} - {target, weights}:  # no other feature
        used, index = [n for n in names if n in {*used, *index}], []
    _check_roles(target, weights, used)
    return Roles(target, weights, texts, used, empty, index)


def _target(source: Columns, chosen: str | int | None, others: set) -> str:
    """The target chosen, or the usual one among the columns that have no other part to play."""
    table, names = source.table, source.table.column_names
    if chosen is not None:
        target = names[position(chosen, names, "--target")]
        if table[target].null_count == len(table) and not source.gaps.get(target):
            raise DataError(
                f"target {shown(target)} is empty in every row; choose another --target"
            )
        return target
    # Two words for nothing in one column are rather its classes.
    is_filled = {
        n: table[n].null_count < len(table) or len(source.gaps.get(n, ())) > 1 for n in names
    }
    open_to = [n for n in names if is_filled[n] and n not in others]
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


def _typed(source: Columns, roles: Roles) -> dict:
    """The values of every column in use; the faults of all of them are one error."""
    columns, faults = {}, []
    for n in roles.used:
        as_category = n in roles.categorical
        column = source.written.get(n, source.table[n]) if as_category else source.table[n]
        try:
            columns[n] = typed(column, n, as_category, is_target=n == roles.target)
        except DataError as fault:
            faults.append(fault)
    open_to = [n for n in columns if n not in (roles.target, *roles.categorical)]
    ids = [n for n in open_to if _differs_in_most_rows(columns[n])]
    doubtful = [n for n in ids if source.remarks.get(n)]
    faults += [DataError(f"column {shown(n)} is read as {source.remarks[n][0]}") for n in doubtful]
    ids = [n for n in ids if n not in doubtful]
    if ids:
        faults.append(
            DataError(
                f"columns {listed(ids)} hold another text in most rows",
                f"leave ids and prose out with --drop {shlex.join(ids)}, or insist with"
                " --categorical",
            )
        )
    raise_all(faults)
    return columns


def _differs_in_most_rows(column) -> bool:
    """Whether texts would teach nothing as categories, and fill memory."""
    is_text = isinstance(column, pd.Categorical)
    return is_text and len(column.categories) > max(MAX_SURE_CATEGORIES, len(column) / 2)


def _without_gaps(columns: dict, missing: str, target: str, weights: str | None, words):
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
    wrong = [name for name in (gaps if missing == "error" else never) if gaps[name].any()]
    faults = []
    for name in wrong:
        role = "target" if name == target else "column"
        cure = "fill it, or choose --missing drop" + " or impute" * (name not in never)
        row = int(gaps[name].argmax())
        faults.append(missing_fault(role, name, row, words.get(name, ()), cure))
    raise_all(faults)
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


def _notes(columns: dict, roles: Roles, removed: int) -> list[str]:
    notes = []
    if roles.index:
        notes.append(f"left out as names of the rows: {listed(roles.index)}, nameless in the file")
    if roles.empty:
        notes.append(f"left out, empty in every row: {listed(roles.empty)}")
    if removed:
        notes.append(f"{removed} rows left out for missing values")
    gaps = {name: int(np.sum(pd.isna(column))) for name, column in columns.items()}
    with_gaps = [f"{name} ({count})" for name, count in gaps.items() if count]
    if with_gaps:
        notes.append(f"missing values in {', '.join(with_gaps)}")
    return notes
