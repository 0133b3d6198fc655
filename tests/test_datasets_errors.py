"""Every mistake a caller can make is one line that names the value and the cure."""

import bz2
import gzip
import io
import lzma
import struct
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from experiments.datasets import DataError, load

pytestmark = pytest.mark.once

GOOD = "p,q,y\n" + "".join(f"{i / 2},{i * i % 7},{'ab'[i % 2]}\n" for i in range(10))
LIBSVM = "".join(f"{i % 2} {1 + i % 3}:{i} 7:1.5\n" for i in range(10))
X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) % 2
MESSY = GOOD + "1,,a\n"


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def parquet(**columns):
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def idx(*shape, length=None):
    length = np.prod(shape) if length is None else length
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(range(length))


TEXTS = {
    "empty": ("", {}, "is empty; give a file"),
    "blank": (" \n\n", {}, "is empty; give a file"),
    "names only": ("p,q,y\n", {}, "has names but no rows"),
    "one column": ("p\n1\n2\n", {}, "has one column; separate features and target"),
    "a cell too few": (GOOD + "1,2\n", {}, r"ragged: line 12 has 2 cells where 3 .*\('1,2'\)"),
    "a cell too many": (GOOD + "1,2,3,a\n", {}, "ragged: line 12 has 4 cells where 3 are expected"),
    "an open quote": (GOOD + '1,"2,a\n', {}, r"column 'q' is text in row 11 \('\"2'\)"),
    "not text": (bytes(range(256)), {}, "is binary data of no known kind; give CSV, Parquet"),
    "UTF-16": (GOOD.encode("utf-16"), {}, "is binary data of no known kind"),
    "gzip, cut": (gzip.compress(GOOD.encode())[:-9], {}, "broken or truncated gzip file"),
    "bzip2, cut": (bz2.compress(GOOD.encode())[:-9], {}, "broken or truncated bz2 file"),
    "xz, cut": (lzma.compress(GOOD.encode())[:-9], {}, "broken or truncated lzma file"),
    "gzip, empty": (gzip.compress(b""), {}, "is empty"),
    "NaN": (GOOD + "1,nan,a\n", {}, "column 'q' is nan in row 11; mend or remove the row"),
    "NaN among gaps": (MESSY + "1,NaN,a\n", {}, "column 'q' is nan in row 12"),
    "inf": (GOOD + "-inf,1,a\n", {}, "column 'p' is -inf in row 11"),
    "too large": (GOOD + "1e39,1,a\n", {}, r"column 'p' is 1e\+39 in row 11; rescale the column"),
    "text": (GOOD + "1,abc,a\n", {}, r"column 'q' is text in row 11 \('abc'\) where numbers"),
    "dates": (GOOD.replace(".5,", "2020-01-01,"), {}, "column 'p' is text in row 2"),
    "ids": ("n,y\n" + "".join(f"n{i},{i % 2}\n" for i in range(60)), {}, "'n' hold another text"),
    "the same name twice": ("p,p,y\n" + GOOD[6:], {}, "columns called 'p' occur twice; rename"),
    "missing": (MESSY, {"missing": "error"}, "column 'q' is missing in row 11; .*drop or impute"),
    "missing target": (GOOD + "1,2,\n", {}, "target 'y' is missing in row 11; fill it, or choose"),
    "missing weight": (MESSY, {"weights": "q"}, "column 'q' is missing in row 11; fill it"),
    "unknown policy": (GOOD, {"missing": "imputed"}, "'imputed' is unknown .did you mean 'impute'"),
    "all rows dropped": ("p,q,y\n" + "1,,2\n,3,4\n" * 5, {"missing": "drop"}, "leaves no row"),
    "unknown target": (GOOD, {"target": "Y1"}, "no column 'Y1' .did you mean 'y'.*'p', 'q', 'y'"),
    "number too large": (GOOD, {"target": 3}, "no column number 3; there are 3, numbered 0 to 2"),
    "number too small": (GOOD, {"target": "-4"}, "no column number -4; there are 3"),
    "unknown column to drop": (GOOD, {"drop": "qq"}, "--drop: no column 'qq' .did you mean 'q'"),
    "unknown category": (GOOD, {"categorical": ["z"]}, "--categorical: no column 'z'"),
    "unknown weights": (GOOD, {"weights": "z"}, "--weights: no column 'z'"),
    "target dropped": (GOOD, {"target": "y", "drop": ["y"]}, "--drop leaves out the target 'y'"),
    "all dropped": (GOOD, {"drop": [0, 1, 2]}, "every column is empty or dropped"),
    "features dropped": (GOOD, {"drop": ["p", "q"]}, "no feature column is left beside the target"),
    "target empty": ("p,q,y\n" + "1,2,\n" * 6, {"target": "y"}, "target 'y' is empty in every row"),
    "target for weights": (GOOD, {"target": "q", "weights": "q"}, "--weights 'q' is the target"),
    "weights dropped": (GOOD, {"weights": "q", "drop": ["q"]}, "--weights 'q' is dropped or empty"),
    "texts for weights": (GOOD, {"weights": "y"}, "--weights 'y' holds texts; choose a column"),
    "negative weight": (GOOD + "1,-2,a\n", {"weights": "q"}, "'q' is -2 in row 11; weights are 0"),
    "no weight": ("p,w,y\n" + "1,0,2\n2,0,3\n" * 5, {"weights": "w"}, "'w' is 0 in every row"),
    "too few rows": ("p,q\n1,2\n3,4\n", {}, "2 rows are too few; give at least 5"),
    "one class": (GOOD.replace("b", "a"), {}, "target 'y' is 'a' in every row; choose another"),
    "one value": (
        "p,y\n1,2.5\n" * 1 + "2,2.5\n" * 5,
        {"task": "regression"},
        "'y' is 2.5 in every",
    ),
    "text to regress": (GOOD, {"task": "regression"}, r"target 'y' is text \('a' in row 1\)"),
    "two of many": (GOOD, {"target": "q", "task": "binary"}, r"4 values in 10 rows .*, not two"),
    "a number as id": (
        GOOD,
        {"target": "p", "task": "multiclass"},
        "an id rather than .*regression",
    ),
    "a text as id": ("p,y\n" + "".join(f"{i},n{i}\n" for i in range(9)), {}, "9 values .* an id"),
    "a measurement": (
        "p,y\n" + "".join(f"{i},{i % 30 / 4}\n" for i in range(90)),
        {"task": "multiclass"},
        "30 values in 90 rows .* a measurement rather than a class; choose --task regression",
    ),
    "unknown task": (GOOD, {"task": "regresion"}, "--task 'regresion' is unknown .did you mean"),
    "two slips": (
        GOOD + "x,1,a\n1,z,a\n",
        {},
        r"column 'p' is text in row 11 \('x'\) where numbers belong, column 'q' is text in row 12"
        r" \('z'\) where numbers belong; mend it",
    ),
    "a slip and ids": (
        "p,n,m m,y\n" + "".join(f"{i or 'x'},n{i},m{i},{i % 2}\n" for i in range(60)),
        {},
        "'p' is text in row 1 .* columns 'n', 'm m' hold .* --drop n 'm m',",
    ),
    "a slip, a weight, a gap, one class": (
        GOOD.replace("b", "a") + "x,-1,a\n",
        {"weights": "q"},
        "'p' is text in row 11 .* belong; mend it.*; --weights 'q' is -1 in row 11; .*; target 'y'"
        " is 'a' in every row",
    ),
    "a slip and a target that is missing": (
        GOOD + "x,1,\n",
        {},
        "'p' is text in row 11 .*; target 'y' is missing in row 11; fill it",
    ),
    "an unknown target and more": (
        GOOD,
        {"drop": ["pp"], "target": "z", "weights": "w"},
        "--drop: no column 'pp' .*, --weights: no column 'w', --target: no column 'z'; the columns",
    ),
    "two unknown": (GOOD, {"drop": ["pp", "zz"]}, "no column 'pp' .*, --drop: no column 'zz'; the"),
    "two missing": (MESSY + ",2,b\n", {"missing": "error"}, "'p' is missing in row 12, column 'q'"),
    "comments alone": ("#a\n#b\n", {"comment": "#"}, "holds no cells beside comments; give rows"),
    "labels for a CSV": (GOOD, {"labels_file": "x"}, "--labels-file goes with IDX images"),
}
OTHERS = {
    "Parquet, broken": (b"PAR1" + bytes(50), {}, "is a broken Parquet file"),
    "Parquet, no rows": (parquet(p=[], y=[]), {}, "has 0 rows and 2 columns; give one with rows"),
    "Parquet, a list": (parquet(p=[[1]] * 9, y=[0, 1, 1] * 3), {}, "column 'p' holds list"),
    "Parquet, times": (
        parquet(d=[datetime(2020, 1, 1)] * 9, y=[0, 1, 1] * 3),
        {},
        "column 'd' holds timestamp.* values; leave it out with --drop",
    ),
    "Parquet, NaN": (
        parquet(p=[0.5, None, np.nan] * 3, y=[0, 1, 1] * 3),
        {},
        "'p' is nan in row 3",
    ),
    "NPZ, broken": (b"PK\x03\x04" + bytes(50), {}, "is no NPZ file of plain arrays; write it with"),
    "NPZ, objects": (npz(X=np.array([None] * 10), y=Y), {}, "is no NPZ file of plain arrays"),
    "NPZ, unknown": (npz(Xs=X, y=Y), {}, "holds 'Xs', 'y' .did you mean 'X'.*name the array one"),
    "NPZ, lengths": (
        npz(X=X, y=Y[:9]),
        {},
        "10 rows of features but 9 values in 'y'; give",
    ),
    "NPZ, NaN": (npz(X=np.where(X == 3, np.nan, X), y=Y), {}, "column 'x1' is nan in row 2"),
    "NPZ, NaN label": (npz(X=X, y=np.where(Y, np.nan, 1)), {}, "column 'y' is nan in row 2"),
    "NPZ, texts": (npz(X=X.astype(str), y=Y), {}, "dtype <U32 where numbers belong; cast them"),
    "NPZ, no rows": (npz(X=X[:0], y=Y[:0]), {}, r"features have shape \(0, 2\)"),
    "NPZ, one-hot": (
        npz(X=X, y=np.eye(2)[Y]),
        {},
        r"array 'y' has shape \(10, 2\); give",
    ),
    "NPZ, complex": (
        npz(X=X, y=Y * 1j),
        {},
        "array 'y' has dtype complex128; give",
    ),
    "NPZ, no weights": (npz(X=X, y=Y), {"weights": "w"}, "no array 'w'; this file holds none"),
    "NPZ, few weights": (
        npz(X=X, y=Y, w=Y[:3]),
        {"weights": "w"},
        "10 rows of features but 3 values in 'w'; give one per row",
    ),
    "NPZ, misspelt": (npz(X=X, y=Y, w=Y), {"weights": "W"}, "no array 'W' .did you mean 'w'"),
    "NPZ, bad weights": (
        npz(X=X, y=Y, w=Y / Y.clip(0.5) - 1),
        {"weights": "w"},
        "'w' is -1 in row 1",
    ),
    "LIBSVM, falling": (
        LIBSVM + "1 qid:4 3:2 2:1\n",
        {},
        "line 11: index 2 follows 3; write each index",
    ),
    "LIBSVM, twice": (LIBSVM + "1 3:2 3:1\n", {}, "line 11: index 3 follows 3"),
    "LIBSVM, a text": (LIBSVM + "1 3:x\n", {}, "line 11: '3:x' is no index:value"),
    "LIBSVM, no colon": (LIBSVM + "1 3\n", {}, "line 11: '3' is no index:value"),
    "LIBSVM, negative": (LIBSVM + "1 -1:2\n", {}, "line 11: '-1:2' is no index:value"),
    "LIBSVM, no label": (LIBSVM + "foo 1:2\n", {}, "line 11: the label 'foo' is no number"),
    "LIBSVM, vast index": (LIBSVM + "1 99999999999:1\n", {}, "index 99999999999 is beyond"),
    "LIBSVM, wide": (LIBSVM + "1 2147483640:1\n", {}, "dense 176 GiB of at most 8; keep fewer"),
    "LIBSVM, other digits": (LIBSVM + "1 2:\u0663\n", {}, "line 11: '2:\u0663' is no index:value"),
    "LIBSVM, NaN": (LIBSVM + "1 3:nan\n", {}, "column 'x3' is nan in row 11"),
    "IDX, alone": (idx(10, 2), {}, "no labels beside .* or give the labels with --labels-file"),
    "IDX, labels": (idx(10), {}, "holds one number per row, so labels; give the images"),
    "IDX, cut": (idx(10, 2, length=19), {}, "has 31 bytes where its first lines promise 32"),
    "IDX, too long": (idx(10, 2, length=21), {}, "has 33 bytes where its first lines promise 32"),
    "IDX, no lengths": (idx(10, 2)[:6], {}, "has 6 bytes where its first lines promise"),
}


def failure(folder, content, choices, name="data"):
    """The message that loading the content ends with, which must be one line."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load(str(path), **choices)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) - len(str(path)) < 300
    return message


@pytest.mark.parametrize("case", TEXTS)
def test_a_fault_in_a_text_is_told(tmp_path, case):
    content, choices, expected = TEXTS[case]
    with pytest.raises(DataError, match=expected):
        raise DataError(failure(tmp_path, content, choices))


@pytest.mark.parametrize("case", OTHERS)
def test_a_fault_in_another_format_is_told(tmp_path, case):
    content, choices, expected = OTHERS[case]
    with pytest.raises(DataError, match=expected):
        raise DataError(failure(tmp_path, content, choices))


def test_of_many_faults_the_first_are_told(tmp_path):
    rows = [f"{','.join(['x' if i == 2 else '1'] * 12)},{'ab'[i % 2]}\n" for i in range(9)]
    (tmp_path / "data").write_text(",".join(f"p{i}" for i in range(12)) + ",y\n" + "".join(rows))
    with pytest.raises(DataError, match=r"^column 'p0' is .*'p7' is .*; and 4 more$") as caught:
        load(str(tmp_path / "data"))
    assert str(caught.value).count("where numbers belong") == 8


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("irsi", "no data set or file 'irsi' .did you mean 'iris'.*built in are breast_cancer"),
        ("IRIS", "did you mean 'iris'"),
        ("", "no data set or file ''"),
        ("nowhere/data.csv", "no data set or file 'nowhere/data.csv'"),
        ("data.cvs", r"no file .*did you mean 'data.csv'.*give the path of one that exists"),
    ],
)
def test_a_misspelt_name_is_told_with_its_neighbour(tmp_path, monkeypatch, name, expected):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text(GOOD)
    with pytest.raises(DataError, match=expected):
        load(name)


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(
        DataError, match=r"cannot read .*: Permission denied; check its permissions"
    ):
        load(str(tmp_path / "..") + f"/{tmp_path.name}/" + _touched(tmp_path))


def _touched(folder):
    (folder / "data.csv").write_text(GOOD)
    return "data.csv"


def test_idx_pairs_that_do_not_match_are_told(tmp_path):
    images = tmp_path / "train-images-idx3-ubyte"
    labels = tmp_path / "train-labels-idx1-ubyte"
    images.write_bytes(idx(10, 2, 1))
    for content, expected in (
        (idx(9), "10 images in .* but 9 labels in .*; give the two files of one pair"),
        (idx(5, 2), r"holds shape \(5, 2\); give one label per row"),
        (b"text", "is no IDX file; give the other file of the pair"),
    ):
        labels.write_bytes(content)
        with pytest.raises(DataError, match=expected):
            load(str(images))
    with pytest.raises(DataError, match="no data set or file 'elsewhere'"):
        load(str(images), labels_file="elsewhere")


def test_folders_without_one_pair_are_told(tmp_path):
    with pytest.raises(DataError, match="has no IDX images file; give a file, or a folder with"):
        load(str(tmp_path))
    for name in ("a-images-idx3", "b-images-idx3"):
        (tmp_path / name).write_bytes(idx(10, 2))
    with pytest.raises(DataError, match="has 'a-images-idx3', 'b-images-idx3'; give one file"):
        load(str(tmp_path))


def test_libsvm_without_a_feature_is_told(tmp_path):
    with pytest.raises(DataError, match="holds labels only; write features as index:value"):
        raise DataError(failure(tmp_path, "1\n0\n" * 5, {}, name="data.svm"))


def test_a_row_longer_than_any_block_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["experiments.datasets.formats.delimited"], "_BLOCK", 64)
    message = failure(tmp_path, GOOD + f"1,2,{'a' * 200}\n", {})
    with pytest.raises(DataError, match=r"is not a table: .*; close any open quote, or save it"):
        raise DataError(message)
