"""Parquet, NPZ, LIBSVM, IDX and the built-in sets: each against the writer or another reader."""

import bz2
import gzip
import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from sklearn import datasets as sklearn_sets

from experiments.datasets import BUILTIN, load

pytestmark = pytest.mark.once

RNG = np.random.default_rng(3)
FEATURES = RNG.integers(0, 256, (30, 3, 2)).astype(np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 3


def idx_bytes(array):
    code = {"uint8": 8, "int32": 12, "float32": 13}[array.dtype.name]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_pair(folder, images="train-images-idx3-ubyte", labels="train-labels-idx1-ubyte"):
    for name, array in ((images, FEATURES), (labels, LABELS)):
        data = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(folder / images)


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_sets_are_scikit_learns(name):
    unscaled = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(sklearn_sets, f"load_{name}")(**unscaled)
    table = load(name)
    np.testing.assert_array_equal(table.features, bunch.data)
    np.testing.assert_array_equal(table.labels, bunch.target)
    assert list(table.feature_names) == list(bunch.feature_names)
    if name == "diabetes":
        assert (table.task, table.class_names) == ("regression", ())
    else:
        assert table.task == ("binary" if len(bunch.target_names) == 2 else "multiclass")
        assert table.class_names == tuple(str(name) for name in bunch.target_names)


def test_a_built_in_set_may_be_asked_for_another_target():
    table = load("iris", target="petal width (cm)")
    np.testing.assert_array_equal(table.labels, sklearn_sets.load_iris().data[:, 3])
    assert table.task == "regression"
    assert list(table.features["target"].cat.categories) == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize("zero_based", [True, False])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_libsvm_text_gives_back_the_dense_features(tmp_path, zero_based, compress):
    dense = np.where(RNG.random((40, 7)) < 0.5, RNG.normal(size=(40, 7)), 0)
    dense[0] = 1  # every index occurs
    labels = np.where(np.arange(40) % 2, 1.0, -1.0)
    path = tmp_path / "data.txt"
    sklearn_sets.dump_svmlight_file(dense, labels, str(path), zero_based=zero_based)
    path.write_bytes(compress(path.read_bytes()))
    table = load(str(path))
    np.testing.assert_allclose(table.features, dense, rtol=1e-15)
    np.testing.assert_array_equal(table.labels, labels > 0)
    assert table.class_names == ("-1", "1")
    assert table.feature_names[0] == ("x0" if zero_based else "x1")


def test_libsvm_lines_by_hand(tmp_path):
    text = "# a comment\n1 2:5 # and another\n2\n3 1:-1e-1 3:+2\n\n1 3:1\n2 1:7\n3\n1\n2\n3\n"
    (tmp_path / "data").write_text(text)
    table = load(str(tmp_path / "data"))
    expected = [[0, 5, 0], [0, 0, 0], [-0.1, 0, 2], [0, 0, 1], [7, 0, 0]]
    np.testing.assert_array_equal(table.features[:5], expected)
    assert table.class_names == ("1", "2", "3")
    np.testing.assert_array_equal(table.labels, [0, 1, 2, 0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("whole_folder", [True, False])
def test_an_idx_pair_is_found_by_images_or_folder(tmp_path, gz, whole_folder):
    images = write_pair(tmp_path, f"train-images-idx3-ubyte{gz}")
    table = load(str(tmp_path) if whole_folder else images)
    np.testing.assert_array_equal(table.features, FEATURES.reshape(30, 6))
    assert table.features.dtype == np.uint8
    np.testing.assert_array_equal(table.labels, LABELS)
    assert table.feature_names[:3] == ("pixel_0_0", "pixel_0_1", "pixel_1_0")


def test_a_folder_of_two_pairs_means_the_training_images(tmp_path):
    write_pair(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(FEATURES[:5]))
    assert len(load(str(tmp_path)).labels) == 30


def test_idx_of_other_types_and_labels_elsewhere(tmp_path):
    for dtype in (np.int32, np.float32):
        values = (FEATURES.astype(dtype) - 7) / dtype(1)
        (tmp_path / "a").write_bytes(idx_bytes(values.astype(dtype)))
        (tmp_path / "b").write_bytes(idx_bytes(np.arange(30).astype(np.int32) // 2))
        table = load(str(tmp_path / "a"), labels_file=str(tmp_path / "b"))
        np.testing.assert_array_equal(table.features, values.reshape(30, 6))
        assert len(table.class_names) == 15  # IDX labels are classes, however many


def test_a_pixel_as_target_is_no_class_for_being_whole(tmp_path):
    path = write_pair(tmp_path)
    assert load(path, target="pixel_0_0").task == "regression"
    assert load(path, drop=["pixel_0_0"]).class_names == ("0", "1", "2")


def test_npz_arrays_go_by_their_usual_names(tmp_path):
    texts = np.array(["red", "blue"])[LABELS % 2]
    np.savez(tmp_path / "a.npz", x=FEATURES, labels=texts, w=np.arange(30))
    table = load(str(tmp_path / "a.npz"), weights="w")
    np.testing.assert_array_equal(table.features, FEATURES.reshape(30, 6))
    assert table.class_names == ("blue", "red")
    np.testing.assert_array_equal(table.labels, LABELS % 2 == 0)
    np.testing.assert_array_equal(table.weights, np.arange(30))


def test_npz_labels_may_be_named_or_be_a_feature(tmp_path):
    path = str(tmp_path / "a.npz")
    x = RNG.normal(size=(30, 2))
    np.savez(path, X=x, y=LABELS[:, None], score=x.sum(axis=1), truth=LABELS > 1)
    np.testing.assert_array_equal(load(path).labels, LABELS)
    np.testing.assert_array_equal(load(path, target="score").labels, x.sum(axis=1))
    assert load(path, target="truth").class_names == ("False", "True")
    np.testing.assert_array_equal(load(path, target="x1").labels, x[:, 1])
    by_feature = load(path, target="x0", drop=["y"])
    np.testing.assert_array_equal(by_feature.labels, x[:, 0])
    np.testing.assert_array_equal(by_feature.features, x[:, 1:])
    assert isinstance(load(path, categorical=["x1"]).features, pd.DataFrame)


def test_weights_survive_the_way_by_columns(tmp_path):
    path = str(tmp_path / "a.npz")
    np.savez(path, X=RNG.normal(size=(30, 2)), y=LABELS, w=np.arange(30.0))
    np.testing.assert_array_equal(load(path, drop=["x0"], weights="w").weights, np.arange(30))


def test_parquet_keeps_nulls_apart_from_values(tmp_path):
    columns = {
        "whole": pa.array([1, None, 3, 4, 5, 6]),
        "real": pa.array([0.5, 1, 2, 3, 4, 5], pa.float16()),
        "flag": pa.array([True, False, None, True, True, False]),
        "money": pa.array([1, 2, 3, 4, 5, 6]).cast(pa.decimal128(30, 2)),
        "text": pa.array(["u", None, "v", "u", "v", "u"], pa.string_view()),
        "dictionary": pa.array(["b", "a", "b", None, "a", "b"]).dictionary_encode(),
        "class": pa.array([True, False] * 3),
    }
    pa.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = load(str(tmp_path / "a.parquet"))
    assert table.target == "class"
    assert table.class_names == ("false", "true")
    features = table.features
    np.testing.assert_array_equal(features["whole"], [1, np.nan, 3, 4, 5, 6])
    np.testing.assert_array_equal(features["real"], [0.5, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(features["flag"], [1, 0, np.nan, 1, 1, 0])
    np.testing.assert_array_equal(features["money"], [1, 2, 3, 4, 5, 6])
    assert features["text"].cat.codes.to_list() == [0, -1, 1, 0, 1, 0]
    assert list(features["dictionary"].cat.categories) == ["a", "b"]
    assert features["dictionary"].cat.codes.to_list() == [1, 0, 1, -1, 0, 1]


def test_parquet_in_many_row_groups_is_one_column(tmp_path):
    sizes = pa.array(["s", "m", "l"] * 4).dictionary_encode()
    table = pa.table({"v": np.arange(12), "t": ["u", "v", "w", "x"] * 3, "size": sizes})
    pa.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=5)
    read = load(str(tmp_path / "a.parquet"))
    assert read.class_names == ("l", "m", "s")
    np.testing.assert_array_equal(read.labels, np.tile([2, 1, 0], 4))
    assert list(read.features["t"]) == ["u", "v", "w", "x"] * 3


def test_parquet_from_pandas_keeps_class_order_and_loses_the_index(tmp_path):
    # Three names in a cycle away from the alphabet's order.
    sizes = pd.Categorical(["m", "s", "l"] * 4, categories=["m", "s", "l"], ordered=True)
    frame = pd.DataFrame({"v": np.arange(12) * 1.5, "size": sizes}, index=list("abcdefghijkl"))
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=5)
    table = load(str(tmp_path / "a.parquet"))
    assert table.class_names == ("m", "s", "l")
    np.testing.assert_array_equal(table.labels, np.tile([0, 1, 2], 4))
    np.testing.assert_array_equal(table.features, frame[["v"]])
