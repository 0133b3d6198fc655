"""From the columns of a file to a table: choose the target, type every column, mind the gaps."""

import shlex
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.datasets.cells import check_weights, missing_fault, typed
from experiments.datasets.errors import DataError, Faults, each, listed, shown
from experiments.datasets.table import Choices, Columns, Table
from experiments.datasets.target import labels_of, named, usual_target

MAX_SURE_CATEGORIES = 50  # so many texts are categories even where most rows differ


class Roles(NamedTuple):
    """What every column is for, by name."""

    target: str
    weights: str | None
    categorical: list[str]
    used: list[str]  # in the file's order, target and weights among them
    empty: list[str]
    index: list[str]  # left out, as nameless columns in front of the others


def from_columns(source: Columns, name: str, choices: Choices) -> Table:
    """The table that the choices make of the columns; see `load` for their meaning.

    Raises:
      DataError: mistakes in choices, or faults of columns: all of them in one.
    """
    roles = _roles(source, choices)
    target, weights, labels, faults = roles.target, None, None, Faults()
    columns = _typed(source, roles, faults)
    if roles.weights in columns:  # before rows go: a message counts them as the file does
        with faults.caught():
            check_weights(columns[roles.weights], roles.weights)
    gaps = {name: np.asarray(pd.isna(column)) for name, column in columns.items()}
    notes = []
    if choices.missing == "drop":
        faults.tell()
        kept = _full_rows(gaps)
        columns = {name: column[kept] for name, column in columns.items()}
        notes = [f"{(~kept).sum()} rows left out for missing values"] * (not kept.all())
    else:
        never = columns if choices.missing == "error" else [n for n in columns if n in roles[:2]]
        faults += [_gap(n, gaps[n], roles, source) for n in never if gaps[n].any()]
    if target in columns and not (choices.missing != "drop" and gaps[target].any()):
        with faults.caught():
            is_class = source.is_class and target == source.target
            labels = labels_of(columns[target], choices.task, target, is_class=is_class)
    faults.tell()
    if roles.weights is not None:
        weights = check_weights(columns.pop(roles.weights), roles.weights)
    del columns[target]
    if not columns:
        raise DataError("no feature column is left beside the target; drop fewer columns")
    asked = [name for name in roles.used if name not in roles.categorical]
    notes = (*source.said_of(asked), *_notes(columns, roles, notes))
    about = {"weights": weights, "notes": notes, "complete": source.complete}
    return Table.of(name, _features(columns), columns, labels, **about)


def _roles(source: Columns, choices: Choices) -> Roles:
    table = source.table
    names = table.column_names
    target = source.target if choices.target is None else choices.target
    asked = {"--drop": choices.drop, "--categorical": choices.categorical}
    asked |= {"--weights": (choices.weights,), "--target": (target,)}
    pairs = [(n, option) for option, given in asked.items() for n in given if n is not None]
    found = each(lambda pair: (named(pair[0], names, pair[1]), pair[1]), pairs)
    dropped, texts, weights, target = ([n for n, o in found if o == option] for option in asked)
    weights = weights[0] if weights else None
    index = [n for n in source.index if n not in (*dropped, *texts, weights)]
    target = _target(source, target, {*dropped, *index, weights})
    index = [n for n in index if n != target]
    empty = [n for n in names if table[n].null_count == len(table) and n != target]
    used = [n for n in names if n not in {*dropped, *empty, *index}]
    if not {*used} - {target, weights}:  # no other feature
        used, index = [n for n in names if n in {*used, *index}], []
    if target not in used:
        raise DataError(f"--drop leaves out the target {shown(target)}; choose another --target")
    if weights is not None and (weights == target or weights not in used):
        why = "the target" if weights == target else "dropped or empty"
        raise DataError(f"--weights {shown(weights)} is {why}; choose another column")
    return Roles(target, weights, texts, used, empty, index)


def _target(source: Columns, chosen: list[str], others: set) -> str:
    """The target chosen, or the usual one among the columns that have no other part to play."""
    table = source.table
    words = {n: len(source.gaps.get(n, ())) for n in table.column_names}
    is_empty = {n: table[n].null_count == len(table) for n in words}
    for target in chosen:
        if is_empty[target] and not words[target]:
            raise DataError(
                f"target {shown(target)} is empty in every row; choose another --target"
            )
        return target
    # Two words for nothing in one column are rather its classes.
    open_to = [n for n in words if (not is_empty[n] or words[n] > 1) and n not in others]
    if not open_to:
        raise DataError("every column is empty or dropped; give rows of data, or drop fewer")
    return usual_target(open_to)


def _typed(source: Columns, roles: Roles, faults: Faults) -> dict:
    """The values of every column in use that has no fault."""
    columns = {}
    for n in roles.used:
        as_category = n in roles.categorical
        with faults.caught():
            column = source.of(n, as_category)
            columns[n] = typed(column, n, as_category, is_target=n == roles.target)
    open_to = [n for n in columns if n not in (roles.target, *roles.categorical)]
    ids = [n for n in open_to if _differs_in_most_rows(columns[n])]
    doubtful = [n for n in ids if source.remarks.get(n)]
    faults += [DataError(f"column {shown(n)} is read as {source.remarks[n][0]}") for n in doubtful]
    ids = [n for n in ids if n not in doubtful]
    if ids:
        cure = (
            f"leave ids and prose out with --drop {shlex.join(ids)}, or insist with --categorical"
        )
        faults.append(DataError(f"columns {listed(ids)} hold another text in most rows", cure))
    return columns


def _differs_in_most_rows(column) -> bool:
    """Whether texts would teach nothing as categories, and fill memory."""
    is_text = isinstance(column, pd.Categorical)
    return is_text and len(column.categories) > max(MAX_SURE_CATEGORIES, len(column) / 2)


def _full_rows(gaps: dict[str, np.ndarray]) -> np.ndarray:
    """[N] whether a row has no gap."""
    kept = ~np.any(list(gaps.values()), axis=0)
    if not kept.any():
        worst = max(gaps, key=lambda name: gaps[name].sum())
        raise DataError(
            f"--missing drop leaves no row; column {shown(worst)} is empty in"
            f" {gaps[worst].sum()} of {len(kept)}: leave it out with --drop"
        )
    return kept


def _gap(name: str, gaps: np.ndarray, roles: Roles, source: Columns) -> DataError:
    role = "target" if name == roles.target else "column"
    cure = "fill it, or choose --missing drop" + " or impute" * (name not in roles[:2])
    return missing_fault(role, name, int(gaps.argmax()), source.gaps.get(name, ()), cure)


def _features(columns: dict) -> np.ndarray | pd.DataFrame:
    """An array where every cell is a number, else a frame."""
    arrays = list(columns.values())
    if any(isinstance(a, pd.Categorical) or np.isnan(a).any() for a in arrays):
        return pd.DataFrame(columns)
    dtype = np.result_type(*arrays)
    if all(array.dtype.kind in "iu" for array in arrays):  # pixels in a CSV are bytes
        ends = min(array.min() for array in arrays), max(array.max() for array in arrays)
        dtype = np.result_type(*map(np.min_scalar_type, ends))
    features = np.empty((len(arrays[0]), len(arrays)), dtype)
    for index, array in enumerate(arrays):
        features[:, index] = array
    return features


def _notes(columns: dict, roles: Roles, removed: list[str]) -> list[str]:
    notes = []
    if roles.index:
        notes.append(f"left out as names of the rows: {listed(roles.index)}, nameless in the file")
    if roles.empty:
        notes.append(f"left out, empty in every row: {listed(roles.empty)}")
    gaps = {name: int(np.sum(pd.isna(column))) for name, column in columns.items()}
    with_gaps = [f"{name} ({count})" for name, count in gaps.items() if count]
    return [*notes, *removed, *[f"missing values in {', '.join(with_gaps)}"] * bool(with_gaps)]
