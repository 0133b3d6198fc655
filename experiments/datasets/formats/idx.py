"""IDX, the format of MNIST: a file of images beside a file of labels.

Layout: two zero bytes, a type code, the number of axes; each axis' length as a big-endian 32-bit
integer; then the numbers, big-endian, the last axis running fastest.
"""

import math
import re
import struct
from pathlib import Path

import numpy as np

from experiments.datasets.arrays import as_columns
from experiments.datasets.errors import DataError, listed, shown
from experiments.datasets.table import Columns

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(data: bytes) -> bool:
    """Whether the bytes begin as an IDX file does."""
    return len(data) >= 4 and data[:2] == b"\0\0" and data[2] in _TYPES and 1 <= data[3] <= 8


def images(data: bytes, path: Path) -> np.ndarray:
    """The numbers [N, ...] of an IDX file with more than one per example."""
    values = array(data, path)
    if values.ndim < 2:
        raise DataError(f"{shown(str(path))} holds one number per row, so labels; give the images")
    return values


def pair(images: np.ndarray, images_path: Path, labels: np.ndarray, labels_path: Path):
    """The columns of images and their labels [N]."""
    file = shown(str(labels_path))
    if labels.ndim != 1:
        raise DataError(f"{file} holds shape {labels.shape}; give one label per row")
    if len(images) != len(labels):
        raise DataError(
            f"{len(images)} images in {shown(str(images_path))} but {len(labels)} labels in {file};"
            " give the two files of one pair"
        )
    return columns(images, {"label": labels}, is_class=labels.dtype.kind in "iu")


def columns(images: np.ndarray, beside: dict[str, np.ndarray], **about) -> Columns:
    """Of pixels, named by position, and what is beside them."""
    names = [f"pixel_{'_'.join(map(str, at))}" for at in np.ndindex(images.shape[1:])]
    return as_columns(images, beside, names, **about)


def array(data: bytes, path: Path) -> np.ndarray:
    """The numbers of one IDX file, in this machine's byte order."""
    if not is_idx(data):
        raise DataError(f"{shown(str(path))} is no IDX file; give the other file of the pair")
    dtype, num_axes = np.dtype(_TYPES[data[2]]), data[3]
    start = 4 + 4 * num_axes
    shape = struct.unpack(f">{num_axes}I", data[4:start]) if len(data) >= start else (0,)
    needed = start + math.prod(shape) * dtype.itemsize
    if len(data) != needed or len(data) < start:
        raise DataError(
            f"{shown(str(path))} has {len(data)} bytes where its first lines promise {needed};"
            " copy or download it again"
        )
    values = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def images_in(folder: Path) -> Path:
    """The images file of a folder: the training images where there are several pairs."""
    files = [path for path in folder.iterdir() if "images" in path.name.lower()]
    # "x" and "x.gz" are the same images: the shorter name wins.
    unique = {path.name.removesuffix(".gz"): path for path in sorted(files, reverse=True)}
    training = {name: path for name, path in unique.items() if "train" in name.lower()}
    unique = training if training and len(unique) > 1 else unique
    if len(unique) == 1:
        return unique.popitem()[1]
    what = (
        f"{listed(sorted(unique))}; give one file"
        if unique
        else (
            "no IDX images file; give a file, or a folder with one named like"
            " train-images-idx3-ubyte.gz"
        )
    )
    raise DataError(f"folder {shown(str(folder))} has {what}")


def labels_path(images: Path, labels_file: str | None = None) -> Path:
    """The file given, or else the one beside the images that is named like them."""
    if labels_file is not None:
        return Path(labels_file)
    name = images.name.replace("images", "labels").replace("Images", "Labels")
    name = re.sub("idx[234]", "idx1", name)
    for candidate in (name, name.removesuffix(".gz"), f"{name}.gz"):
        if name != images.name and images.with_name(candidate).exists():
            return images.with_name(candidate)
    raise DataError(
        f"no labels beside {shown(str(images))}; name the images file …images… and its labels"
        " …labels…, or give the labels with --labels-file"
    )
