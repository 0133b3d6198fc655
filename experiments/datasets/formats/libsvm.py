"""LIBSVM text: `label index:value index:value …`, indices rising from 0 or from 1."""

import io
import re
from pathlib import Path

import numpy as np
from sklearn.datasets import load_svmlight_file

from experiments.datasets.arrays import as_columns
from experiments.datasets.errors import DataError, shown
from experiments.datasets.formats.numerals import NUMBER, is_number
from experiments.datasets.table import MAX_BYTES, Columns

_LINE = re.compile(r"[^\s,;:]+(\s+(qid|[0-9]+):[^\s,;:]+)+", re.A)
_ROW = re.compile(rf"([^\s:]+)((?:\s+(?:qid:\S+|[0-9]+:(?:{NUMBER})))*+)", re.A)
_SUFFIXES = (".libsvm", ".svmlight", ".svm")


def is_libsvm(text: bytes, path: Path) -> bool:
    """Whether the name says so, or most of the first lines read so."""
    if any(suffix in _SUFFIXES for suffix in path.suffixes):
        return True
    lines = _lines(text[: 1 << 16])[:20]
    # A label alone is a row of zeros, and tells nothing.
    read_so = [bool(_LINE.fullmatch(line)) for line in lines if len(line.split()) > 1]
    return 2 * sum(read_so) > len(read_so)


def read(text: bytes, path: Path) -> Columns:
    """Dense features [N, D], named x0 … or x1 … as the file counts; absent entries are 0.

    A file that never mentions index 0 counts from 1, as scikit-learn takes it to. Where no label
    is a number they are texts, hence classes.
    """
    lines = _lines(text)
    rows = [_ROW.fullmatch(line) for line in lines if line]
    texts = [row[1] if row else "" for row in rows]
    are_texts = not any(map(is_number, texts))
    try:
        if not all(text and (are_texts or is_number(text)) for text in texts):
            raise ValueError("scikit-learn would read 1_0 as 10")
        plain = "\n".join(f"0{row[2]}" if are_texts else row[0] for row in rows)
        sparse, labels = load_svmlight_file(io.BytesIO(plain.encode()), zero_based=True)
    except (ValueError, OverflowError, IndexError) as error:
        raise DataError(f"{shown(str(path))}: {_fault(lines, are_texts)}") from error
    labels = np.array(texts) if are_texts else labels
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
    names = [f"x{base + i}" for i in range(sparse.shape[1])]
    return as_columns(sparse.toarray(), {"target": labels}, names, is_sparse=True)


def _lines(text: bytes) -> list[str]:
    """The lines without comments and outer blanks."""
    lines = (line.decode("utf-8", errors="replace") for line in text.splitlines())
    return [line.split("#")[0].strip() for line in lines]


def _fault(lines: list[str], are_texts: bool) -> str:
    """The first line that is not LIBSVM, said in words."""
    for number, line in enumerate(lines, start=1):
        wrong = line and _wrong(*line.split(), are_texts=are_texts)
        if wrong:
            return f"line {number}: {wrong}"
    return "not LIBSVM text; write lines as label index:value index:value"


def _wrong(label: str, *entries: str, are_texts: bool) -> str | None:
    if not is_number(label) and (":" in label or not are_texts):
        return f"the label {shown(label)} is no number; write one number before the features"
    last = -1
    for entry in entries:
        index, colon, value = entry.partition(":")
        if index == "qid":
            continue
        if not (colon and re.fullmatch("[0-9]+", index) and is_number(value)):
            return f"{shown(entry)} is no index:value; write a whole number, a colon, a number"
        if int(index) <= last:
            return f"index {index} follows {last}; write each index once, in rising order"
        if int(index) >= 2**31 - 1:
            return f"index {index} is beyond the largest, 2147483646; number the features anew"
        last = int(index)
    return None
