"""`load`: the one door to every data set."""

from collections.abc import Iterable
from pathlib import Path

from experiments.datasets import sources
from experiments.datasets.columns import from_columns
from experiments.datasets.errors import DataError, did_you_mean, shown
from experiments.datasets.table import MISSING, TASKS, Choices, Reading, Table
from experiments.kit.settings import DECIMALS, MISSING_TEXTS


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
    missing_values: Iterable[str] = MISSING_TEXTS,
    comment: str | None = None,
    decimal: str | None = None,
) -> Table:
    """The raw table of a built-in set or of a file.

    Files: CSV (comma, semicolon, tab or blanks; with or without a header), Parquet, NPZ,
    LIBSVM text (counting from 0 or 1), IDX pairs; the texts and IDX also as .gz, .bz2 or .xz.
    The content tells which. A column is named, or numbered from 0, or from -1 backwards;
    without a header the columns are x0, x1, …. Rows in messages count from 1, names apart.

    A cell that is empty, NA, N/A, ?, null or None is a missing value, as is Parquet's null. NaN
    and ±inf are errors anywhere, being failed computations, and in NPZ nothing is missing.

    A text is a number if it is one in ASCII digits, with a sign, a decimal sign, signs between
    thousands and an exponent or without. All numbers of a column have the same signs. First
    columns that a header leaves nameless are what a writer calls its rows, and no features.

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
      header: whether a CSV's first row holds names; default: look.
      missing_values: the texts that mean a missing value, besides the empty one.
      comment: lines of a CSV that begin so are left out; default: above the table those with #.
      decimal: "." or ",", in columns of texts that could have either, as in 1,234. Default: that
        of all columns that leave no choice, else the point, or the comma in a file that does not
        separate its cells by commas.

    Raises:
      DataError: a mistake of the caller's or a fault in the file, in one line.
    """
    choices = Choices(target, task, weights, missing, _all(drop), _all(categorical))
    _check(choices, decimal)
    reading = Reading(header, _all(missing_values), comment, decimal)
    file = str(name_or_file)
    choose = {"target": target, "weights": weights, "labels_file": labels_file}
    source = sources.read(file, reading=reading, **choose)
    return from_columns(source, Path(file).resolve().name, choices)


def _all(columns: Iterable[str | int] | str) -> tuple[str | int, ...]:
    return (columns,) if isinstance(columns, str | int) else tuple(columns)


def _check(choices: Choices, decimal: str | None) -> None:
    for option, value, known in (
        ("--task", choices.task or TASKS[0], TASKS),
        ("--missing", choices.missing, MISSING),
        ("--decimal", decimal or DECIMALS[0], DECIMALS),
    ):
        if value not in known:
            near = did_you_mean(str(value), known)
            raise DataError(f"{option} {shown(value)} is unknown{near}; choose {', '.join(known)}")
