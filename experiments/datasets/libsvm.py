"""LIBSVM text: `label index:value index:value …`, indices rising from 0 or from 1."""

import io
import re
from pathlib import Path

import numpy as np
from sklearn.datasets import load_svmlight_file

from experiments.datasets.errors import DataError, shown
from experiments.datasets.npz import Arrays
from experiments.datasets.table import MAX_BYTES

_LINE = re.compile(r"[^\s,;:]+(\s+(qid|\d+):[^\s,;:]+)+")
_SUFFIXES = (".libsvm", ".svmlight", ".svm")


def is_libsvm(text: bytes, path: Path) -> bool:
    """Whether the name says so, or most of the first lines read so."""
    if any(suffix in _SUFFIXES for suffix in path.suffixes):
        return True
    lines = text[: 1 << 16].decode("utf-8", errors="replace").splitlines()
    lines = [line.split("#")[0].strip() for line in lines][:20]
    # A label alone is a row of zeros, and tells nothing.
    read_so = [bool(_LINE.fullmatch(line)) for line in lines if len(line.split()) > 1]
    return 2 * sum(read_so) > len(read_so)


def read(text: bytes, path: Path) -> Arrays:
    """Dense features [N, D], named x0 … or x1 … as the file counts; absent entries are 0.

    A file that never mentions index 0 counts from 1, as scikit-learn takes it to.
    """
    try:
        sparse, labels = load_svmlight_file(io.BytesIO(text), zero_based=True)
    except (ValueError, OverflowError, IndexError) as error:
        raise DataError(f"{shown(str(path))}: {_fault(text)}") from error
    if not sparse.nnz:
        raise DataError(f"{shown(str(path))} holds labels only; write features as index:value")
    base = 0 if (sparse.indices == 0).any() else 1
    sparse = sparse[:, base:]
    needed = 8 * sparse.shape[0] * sparse.shape[1]
    if needed > MAX_BYTES:
        raise DataError(
            f"{shown(str(path))} has {sparse.shape[0]} rows of {sparse.shape[1]} features, dense"
            f" {needed / 2**30:.0f} GiB of at most {MAX_BYTES >> 30}; keep fewer features"
        )
    names = tuple(f"x{base + i}" for i in range(sparse.shape[1]))
    return Arrays(np.asarray(sparse.todense()), labels, names)


def _fault(text: bytes) -> str:
    """The first line that is not LIBSVM, said in words."""
    for number, line in enumerate(text.decode("utf-8", errors="replace").splitlines(), start=1):
        tokens = line.split("#")[0].split()
        wrong = _wrong_label(tokens[0]) or _wrong_entries(tokens[1:]) if tokens else None
        if wrong:
            return f"line {number}: {wrong}"
    return "not LIBSVM text; write lines as label index:value index:value"


def _wrong_label(token: str) -> str | None:
    if _is_number(token):
        return None
    return f"the label {shown(token)} is no number; write one number before the features"


def _wrong_entries(tokens: list[str]) -> str | None:
    last = -1
    for token in tokens:
        index, colon, value = token.partition(":")
        if index == "qid":
            continue
        if not (colon and index.isdecimal() and _is_number(value)):
            return f"{shown(token)} is no index:value; write a whole number, a colon, a number"
        if int(index) <= last:
            return f"index {index} follows {last}; write each index once, in rising order"
        if int(index) >= 2**31 - 1:
            return f"index {index} is beyond the largest, 2147483646; number the features anew"
        last = int(index)
    return None


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
