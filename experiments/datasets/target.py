"""From the target's raw values to labels: which column, which task, which classes."""

from typing import NamedTuple

import numpy as np

from experiments.datasets.errors import DataError, did_you_mean, listed, shown
from experiments.datasets.formats.numerals import is_whole

USUAL_TARGETS = ("target", "label", "labels", "class", "y")
MAX_WHOLE_CLASSES = 20  # a numeric target with more distinct values is a measurement
MIN_ROWS = 5


class Labels(NamedTuple):
    """Labels in the form that losses take."""

    values: np.ndarray  # [N] int32 in 0..C-1, or float64
    task: str
    class_names: tuple[str, ...]


def position(column: str | int, names: list[str], option: str) -> int:
    """The index of a column given by name, or by number: -1 is the last. A name wins."""
    if column in names:
        return names.index(column)
    if isinstance(column, str) and not is_whole(column):
        near = did_you_mean(column, names)
        raise DataError(
            f"{option}: no column {shown(column)}{near}", f"the columns are {listed(names)}"
        )
    index = int(column)
    if not -len(names) <= index < len(names):
        raise DataError(
            f"{option}: no column number {index}; there are {len(names)}, numbered 0 to"
            f" {len(names) - 1} or -{len(names)} to -1"
        )
    return index % len(names)


def usual_target(names: list[str]) -> str:
    """The column called target, label, labels, class or y, in any case; else the last."""
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[name] for name in USUAL_TARGETS if name in folded), names[-1])


def labels_of(
    values: np.ndarray,
    task: str | None,
    column: str,
    *,
    order: tuple[str, ...] | None = None,
    is_class: bool = False,
) -> Labels:
    """Labels from a target without gaps.

    Args:
      values: [N] numbers or texts.
      task: binary, multiclass, regression, or None to infer: texts are classes; two values are
        two classes; whole numbers are classes while there are at most 20 of them, with 3 rows
        each on average; any other number is a measurement.
      column: the target's name, for messages.
      order: the class names in order; None sorts the values.
      is_class: the source knows that whole numbers are classes, however many.
    """
    if len(values) < MIN_ROWS:
        raise DataError(f"{len(values)} rows are too few; give at least {MIN_ROWS}")
    classes, codes = np.unique(values, return_inverse=True)
    task = task or inferred_task(values, classes, is_class)
    if len(classes) == 1:
        raise DataError(
            f"target {shown(column)} is {shown(classes[0])} in every row; choose another --target,"
            " or rows of a second class"
        )
    if task == "regression":
        return Labels(_numbers(values, column), task, ())
    _check_classes(classes, len(values), task, column)
    names = tuple(class_name(value) for value in classes)
    if order is not None:
        rank = np.argsort(np.argsort([order.index(name) for name in names]))
        names, codes = tuple(sorted(names, key=order.index)), rank[codes]
    return Labels(codes.astype(np.int32), task, names)


def inferred_task(values: np.ndarray, classes: np.ndarray, is_class: bool = False) -> str:
    """Binary, multiclass or regression, by the rule that `labels_of` states."""
    if len(classes) == 2:
        return "binary"
    if values.dtype.kind in "OUT" or (is_class and _are_whole(classes)):
        return "multiclass"
    few = len(classes) <= MAX_WHOLE_CLASSES and 3 * len(classes) <= len(values)
    return "multiclass" if few and _are_whole(classes) else "regression"


def _numbers(values: np.ndarray, column: str) -> np.ndarray:
    if values.dtype.kind not in "OUT":
        return values.astype(np.float64)
    raise DataError(
        f"target {shown(column)} is text ({shown(values[0])} in row 1), and regression needs"
        " numbers; choose another --target, or --task multiclass"
    )


def _check_classes(classes: np.ndarray, num_rows: int, task: str, column: str) -> None:
    found = f"target {shown(column)} has {len(classes)} values in {num_rows} rows"
    if task == "binary" and len(classes) > 2:
        raise DataError(f"{found} ({listed(classes, 3)}), not two; choose --task multiclass")
    if 2 * len(classes) > num_rows:
        raise DataError(
            f"{found} ({listed(classes, 3)}), an id rather than a class; choose another --target"
            + ("" if classes.dtype.kind in "OUT" else ", or --task regression")
        )
    if len(classes) > MAX_WHOLE_CLASSES and not _are_whole(classes):
        raise DataError(
            f"{found} ({listed(classes, 3)}), a measurement rather than a class; choose --task"
            " regression"
        )


def _are_whole(classes: np.ndarray) -> bool:
    return classes.dtype.kind in "OUTbiu" or bool((classes == np.floor(classes)).all())


def class_name(value) -> str:
    """What a class of this value is called: 3.0 is 3."""
    is_whole_float = isinstance(value, np.floating) and value == np.floor(value)
    return str(int(value)) if is_whole_float else str(value)
