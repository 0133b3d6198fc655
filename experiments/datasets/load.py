"""`load`: the one door to every data set."""

from collections.abc import Iterable
from pathlib import Path

from experiments.datasets import builtin, sources
from experiments.datasets.arrays import from_arrays
from experiments.datasets.columns import from_columns
from experiments.datasets.delimited import Columns
from experiments.datasets.errors import DataError, did_you_mean, shown
from experiments.datasets.table import MISSING, TASKS, Choices, Table


def load(
    name_or_file: str,
    *,
    target: str | int | None = None,
    task: str | None = None,
    weights: str | int | None = None,
    missing: str = "impute",
    drop: Iterable[str | int] = (),
    categorical: Iterable[str | int] = (),
    labels_file: str | None = None,
    header: bool | None = None,
) -> Table:
    """The raw table of a built-in set or of a file.

    Files: CSV (comma, semicolon, tab or blanks; with or without a header), Parquet, NPZ,
    LIBSVM text (counting from 0 or 1), IDX pairs; the texts and IDX also as .gz, .bz2 or .xz.
    The content tells which. A column is named, or numbered from 0, or from -1 backwards;
    without a header the columns are x0, x1, …. Rows in messages count from 1, names apart.

    A cell that is empty, NA, N/A, ?, null or None (in Parquet: null) is a missing value. NaN
    and ±inf are errors anywhere, being failed computations, and in NPZ nothing is missing.

    Args:
      name_or_file: breast_cancer, iris, wine, diabetes, digits, or a path; a folder that holds
        an IDX pair will do, and means its training images.
      target: the column to predict; default: the one called target, label, labels, class or y,
        else the last. In an NPZ the array of that name, or called y, labels, label, target or
        targets, beside the features X, x, features, data or images.
      task: binary, multiclass or regression. Default: two values are binary; texts, and whole
        numbers of at most 20 values with 3 rows each on average, are multiclass.
      weights: a column (in NPZ an array) of sample weights, finite and ≥ 0; no feature.
      missing: "impute" keeps gaps for `encode` to fill, "drop" leaves out rows that have any,
        "error" refuses them. A missing target or weight is an error unless rows are dropped.
      drop: columns that are no features.
      categorical: columns of numbers that stand for categories.
      labels_file: the labels of IDX images, where they are not beside them.
      header: whether a CSV's first line holds names; default: look.

    Raises:
      DataError: a mistake of the caller's or a fault in the file, in one line.
    """
    choices = _checked(Choices(target, task, weights, missing, _all(drop), _all(categorical)))
    if name_or_file in builtin.BUILTIN:
        return from_columns(builtin.read(name_or_file), name_or_file, choices)
    source = sources.read(str(name_or_file), target=target, labels_file=labels_file, header=header)
    name = Path(name_or_file).resolve().name
    if isinstance(source, Columns):
        return from_columns(source.table, name, choices, source.notes)
    return from_arrays(source, name, choices)


def _all(columns: Iterable[str | int] | str) -> tuple[str | int, ...]:
    return (columns,) if isinstance(columns, str | int) else tuple(columns)


def _checked(choices: Choices) -> Choices:
    for option, value, known in (
        ("--task", choices.task or TASKS[0], TASKS),
        ("--missing", choices.missing, MISSING),
    ):
        if value not in known:
            near = did_you_mean(str(value), known)
            raise DataError(f"{option} {shown(value)} is unknown{near}; choose {', '.join(known)}")
    return choices
