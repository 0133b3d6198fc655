"""What every source becomes: a table of raw features and labels, before any split or scaling."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.datasets.errors import listed
from experiments.kit.settings import MISSING_TEXTS

TASKS = ("binary", "multiclass", "regression")
MISSING = ("impute", "drop", "error")
MAX_BYTES = 8 << 30  # the largest dense array that a table or its encoding may need


class Target(NamedTuple):
    """What is to be predicted: its name, its labels in the form that losses take, their kind."""

    name: str  # of the column that the labels came from
    labels: np.ndarray  # [N]: int32 in 0..C-1, or float64 for regression
    task: str  # binary, multiclass or regression
    class_names: tuple[str, ...]  # () for regression


@dataclass(frozen=True)
class Table:
    """Raw features and labels of N examples.

    `features` is an array [N, D] when every column is a number in every row (its dtype is the
    file's: MNIST stays uint8), and otherwise a DataFrame whose columns are numbers (NaN where
    missing) or pandas categories (no category where missing).
    """

    name: str
    features: np.ndarray | pd.DataFrame
    labels: np.ndarray  # [N]; these three, and the target's name, are those of a Target
    task: str
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    target: str
    weights: np.ndarray | None = None  # [N] float64, ≥ 0, or None when all are 1
    notes: tuple[str, ...] = ()  # what was inferred or left out, a sentence each
    complete: bool = False  # whether its kind of file knows no missing cell

    @classmethod
    def of(cls, name, features, names: Iterable[str], target: Target, **others) -> "Table":
        """The table of these features and this target."""
        about = (target.labels, target.task, target.class_names)
        return cls(name, features, *about, tuple(names), target.name, **others)

    def about(self, target: Target, **others) -> "Table":
        """The same table with another target."""
        return replace(
            self,
            labels=target.labels,
            task=target.task,
            class_names=target.class_names,
            target=target.name,
            **others,
        )


@dataclass(frozen=True)
class Choices:
    """What the caller asks of a source; `load` says what each means."""

    target: str | int | None = None
    task: str | None = None
    weights: str | int | None = None
    missing: str = "impute"
    drop: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()


class Reading(NamedTuple):
    """How the caller wants texts to be read; `load` says what each means."""

    header: bool | None = None
    missing_values: tuple[str, ...] = MISSING_TEXTS
    comment: str | None = None
    decimal: str | None = None


AS_FOUND = Reading()


class Columns(NamedTuple):
    """A file's columns as Arrow holds them, and what had to be inferred to read them.

    Attributes:
      table: [N] rows.
      notes: a sentence each, on the whole file.
      index: names of the first columns where the file leaves them nameless.
      written: the texts of columns that were read as numbers or dates and say more than these.
      remarks: by column, how it might have been meant otherwise.
      gaps: by column of texts, which of these mean a missing value though they are words.
      target: the column of labels, where the format says which it is.
      is_class: the format says that those are classes, however many.
      is_sparse: what the file does not mention is 0.
      complete: a file of its kind knows no missing cell.
    """

    table: pa.Table
    notes: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    written: Mapping[str, pa.ChunkedArray] = MappingProxyType({})
    remarks: Mapping[str, list[str]] = MappingProxyType({})
    gaps: Mapping[str, list[str]] = MappingProxyType({})
    target: str | None = None
    is_class: bool = False
    is_sparse: bool = False
    complete: bool = False

    def said_of(self, names: Iterable[str]) -> list[str]:
        """The notes on the file and on these columns."""
        said: dict[str, list[str]] = {}
        for name in names:
            cure = "is a missing value; --missing-values says which texts are"
            words = self.gaps.get(name)
            gaps = [f"{listed(words)} {cure}"] if words else []
            for remark in (*self.remarks.get(name, ()), *gaps):
                said.setdefault(remark, []).append(name)
        return [*self.notes, *(f"{listed(found)}: {remark}" for remark, found in said.items())]

    def of(self, name: str, is_category: bool) -> pa.ChunkedArray:
        """A column; as categories it is what is written."""
        return self.written.get(name, self.table[name]) if is_category else self.table[name]
