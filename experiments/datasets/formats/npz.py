"""NumPy archives: a feature array and a label array under their usual names."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

import numpy as np

from experiments.datasets.errors import DataError, did_you_mean, listed, shown

FEATURES = ("X", "x", "features", "data", "images", "X_train", "x_train")
LABELS = ("y", "labels", "label", "target", "targets", "y_train")


class Arrays(NamedTuple):
    """Features and labels as arrays, from a source that knows no columns."""

    features: np.ndarray  # [N, ...]: further axes are flattened
    labels: np.ndarray | None  # [N]; None where nobody asked
    feature_names: tuple[str, ...] | None = None  # None: x0, x1, …
    target: str = "target"
    others: Mapping[str, np.ndarray] = MappingProxyType({})  # perhaps a weight per example
    is_class: bool = False  # the format says that labels are classes, however many
    is_sparse: bool = False  # what the file does not mention is 0


def read(data: bytes, path: Path, target: str | int | None = None) -> Arrays:
    """The archive's arrays, told apart by name; `target` may name the labels."""
    arrays = archive(io.BytesIO(data), path)
    x = _first(arrays, FEATURES, path)
    y = target if target in arrays and target != x else _first(arrays, LABELS, path)
    others = {name: array for name, array in arrays.items() if name not in (x, y)}
    return Arrays(arrays[x], arrays[y], target=y, others=others)


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
