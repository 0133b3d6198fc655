"""What a protocol can't do with the rows that it is given: one line, before any work."""

import numpy as np

from experiments.datasets import DataError
from experiments.kit.mistakes import SettingError
from experiments.protocols.found import Rows, Splits


def classes(splits: Splits) -> None:
    """Raises DataError for several labels a row, or a class without a row to train on."""
    labels, names = splits.train.labels, splits.class_names
    if labels.ndim != 1:
        raise DataError(
            f"{splits.name} has {labels.shape[1]} labels a row, and this protocol takes one",
            "give a task for each label",
        )
    if len(names) < 2:
        raise DataError(
            f"all {len(labels)} training rows of {splits.name} are of class {names[0]!r}",
            "give rows of two classes at least",
        )
    enough(splits.name, labels, names, 1, "the 1 that this protocol needs")


def given(splits: Splits, role: str, why: str) -> Rows:
    """The rows of a role; a DataError that says what they are for where there are none."""
    rows = getattr(splits, role)
    if rows is None or not len(rows.x):
        raise DataError(f"{splits.name} has no {role} rows, {why}", f"give --{role} FILE")
    return rows


def enough(name: str, labels: np.ndarray, names: tuple[str, ...], least: int, what: str) -> None:
    """Raises DataError for a class that has fewer rows than the least, which `what` calls."""
    counts = np.bincount(labels, minlength=len(names))
    if counts.min() < least:
        fault = f"class {names[counts.argmin()]!r} of {name} has {counts.min()} training rows"
        cure = "leave the class out, or give more rows of it"
        raise DataError(f"{fault}, fewer than {what}", cure)


def at_least(least: int, **numbers: int) -> None:
    """Raises SettingError for a number below the least."""
    for name, number in numbers.items():
        if number < least:
            raise SettingError(f"{name} must be at least {least}, and is {number}")
