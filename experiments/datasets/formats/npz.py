"""NumPy archives: a feature array and a label array under their usual names."""

import io
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from experiments.datasets.arrays import as_columns
from experiments.datasets.errors import DataError, did_you_mean, listed, shown
from experiments.datasets.table import Columns

FEATURES = ("X", "x", "features", "data", "images", "X_train", "x_train")
LABELS = ("y", "labels", "label", "target", "targets", "y_train")


def read(
    data: bytes, path: Path, target: str | int | None = None, weights: str | int | None = None
) -> Columns:
    """The archive's arrays, told apart by name; `target` may name the labels."""
    arrays = archive(io.BytesIO(data), path)
    x = _first(arrays, FEATURES, path)
    y = target if target in arrays and target != x else _first(arrays, LABELS, path)
    labels, others = arrays[y], sorted(set(arrays) - {x, y})
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if weights is not None and weights not in others:
        near = did_you_mean(str(weights), others)
        known = f"the other arrays are {listed(others)}" if others else "this file holds none"
        raise DataError(f"--weights: no array {shown(weights)}{near}; {known}")
    return as_columns(arrays[x], {y: labels} | {n: arrays[n] for n in others if n == weights})


def archive(file: Path | BinaryIO, path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name; `path` is what an error calls it."""
    try:
        with np.load(file, allow_pickle=False) as held:
            return dict(held)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, KeyError) as error:
        raise DataError(
            f"{shown(str(path))} is no NPZ file of plain arrays; write it with"
            " numpy.savez(file, x=features, labels=labels), objects cast to numbers or texts"
        ) from error


def _first(arrays: dict[str, np.ndarray], names: tuple[str, ...], path: Path) -> str:
    for name in names:
        if name in arrays:
            return name
    near = next(filter(None, (did_you_mean(name, names) for name in arrays)), "")
    raise DataError(
        f"{shown(str(path))} holds {listed(arrays)}{near}; name the array one of {', '.join(names)}"
    )
