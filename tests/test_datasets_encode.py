"""Encoding: its formulas, scikit-learn as witness, and nothing learned outside training rows."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from experiments.datasets import DataError, Encoder, Table, encode, load
from jaxlr.results import files

pytestmark = pytest.mark.once

ENCODE = sys.modules["experiments.datasets.encode"]


def table_of(features):
    names = getattr(features, "columns", None)
    names = [f"x{i}" for i in range(features.shape[1])] if names is None else names
    labels = np.arange(len(features), dtype=np.int32) % 2
    return Table("t", features, labels, "binary", ("0", "1"), tuple(names), "y")


def mixed(key, num_rows=40):
    """Two numeric columns and two categorical ones, a quarter of the cells missing."""
    rng = np.random.default_rng(key)
    frame = pd.DataFrame(
        {
            "age": rng.normal(50, 20, num_rows),
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], num_rows)),
            "size": rng.integers(0, 5, num_rows).astype(float),
            "shape": pd.Categorical(rng.choice(["round", "square"], num_rows)),
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.25)


def test_numbers_by_the_textbook_formula():
    x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0], [100.0, -1.0]])
    encoded = encode(table_of(x), np.array([0, 1, 2]))
    mean, std = x[:3].mean(axis=0), x[:3].std(axis=0)
    np.testing.assert_allclose(encoded.features, (x - mean) / std, rtol=1e-6)
    assert encoded.features.dtype == np.float32
    assert encoded.names == ("x0", "x1")


def test_gaps_become_the_training_median_and_an_indicator():
    frame = pd.DataFrame({"age": [1.0, 2.0, 9.0, np.nan, np.nan], "late": [1, 2, 3, 4, np.nan]})
    encoded = encode(table_of(frame), np.array([True, True, True, True, False]))
    filled = np.array([1, 2, 9, 2, 2])
    expected = (filled - filled[:4].mean()) / filled[:4].std()
    np.testing.assert_allclose(encoded.features[:, 0], expected, rtol=1e-6)
    # "late" has no gap in training: the median fills it, and no indicator would ever be learned.
    assert encoded.names == ("age", "late", "age_missing")
    np.testing.assert_array_equal(encoded.features[:, 2], [0, 0, 0, 1, 1])
    np.testing.assert_allclose(encoded.features[4, 1], 0, atol=1e-7)


def test_categories_are_those_of_training_and_the_rest_is_zero():
    colours = pd.Categorical(["red", "blue", None, "green", "red"])
    encoded = encode(table_of(pd.DataFrame({"colour": colours})), np.array([0, 1, 2]))
    assert encoded.names == ("colour_missing", "colour=blue", "colour=red")
    expected = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(encoded.features, expected)


def test_a_column_constant_in_training_is_zero_everywhere():
    x = np.array([[7.1, 1.0], [7.1, 2.0], [7.1, 3.0], [1e6, 4.0]])
    encoded = encode(table_of(x), np.array([0, 1, 2]))
    np.testing.assert_array_equal(encoded.features[:, 0], 0)
    np.testing.assert_allclose(
        encoded.features[:, 1], [-(1.5**0.5), 0, 1.5**0.5, 6**0.5], rtol=1e-6
    )
    frame = pd.DataFrame({"empty": [np.nan, np.nan, 5.0], "x": [1.0, 3.0, 4.0]})
    encoded = encode(table_of(frame), np.array([0, 1]))
    np.testing.assert_array_equal(encoded.features[:, 0], 0)
    np.testing.assert_allclose(encoded.features[:, 1], [-1, 1, 2])  # std is 1: no constant


@pytest.mark.parametrize("key", range(5))
def test_scikit_learns_pipeline_agrees(key):
    frame = mixed(key)
    train = np.random.default_rng(key).permutation(len(frame))[:25]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    texts = make_pipeline(SimpleImputer(strategy="constant", fill_value="absent"), one_hot)
    witness = make_column_transformer((numbers, ["age", "size"]), (texts, ["colour", "shape"]))
    plain = frame.astype({"colour": object, "shape": object}).replace({np.nan: None})
    plain = plain.astype({"age": float, "size": float}).fillna({"colour": np.nan, "shape": np.nan})
    expected = witness.fit(plain.iloc[train]).transform(plain)
    encoded = encode(table_of(frame), train)
    is_indicator = [name in ("age_missing", "size_missing") for name in encoded.names]
    ours = encoded.features[:, np.logical_not(is_indicator)]
    np.testing.assert_allclose(ours.sum(axis=1), expected.sum(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours[:, :2], expected[:, :2], rtol=1e-5, atol=1e-6)
    # The columns of one category may come in another order: a gap is first here.
    assert sorted(map(tuple, ours[:, 2:].T)) == sorted(map(tuple, expected[:, 2:].T))


@given(st.integers(0, 2**32 - 1), st.integers(5, 35))
def test_rows_outside_training_change_no_training_row(key, num_train):
    frame, other = mixed(key), mixed(key + 1)
    train = np.arange(len(frame)) < num_train
    changed = pd.concat([frame[:num_train], 1e3 * other[["age", "size"]][num_train:]])
    for name in ("colour", "shape"):
        texts = [*frame[name].astype(object)[:num_train], *["new"] * (len(frame) - num_train)]
        changed[name] = pd.Categorical(texts)
    before = encode(table_of(frame), train)
    after = encode(table_of(changed[frame.columns]), train)
    assert before.names == after.names
    np.testing.assert_array_equal(before.features[train], after.features[train])
    hot = ["=" in name for name in after.names]
    np.testing.assert_array_equal(after.features[~train][:, hot], 0)


def test_blocks_leave_no_seam(monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (50, 6)).astype(np.uint8)
    train = np.random.default_rng(1).permutation(50)[:33]
    whole = encode(table_of(x), train).features
    monkeypatch.setattr(ENCODE, "_BLOCK", 7)
    np.testing.assert_allclose(encode(table_of(x), train).features, whole, rtol=1e-6, atol=1e-7)


def test_far_from_zero_no_digit_is_lost():
    x = 1e9 + np.arange(10.0)[:, None]  # float32 steps by 64 there
    encoded = encode(table_of(x), np.arange(10))
    expected = (np.arange(10) - 4.5) / np.arange(10).std()
    np.testing.assert_allclose(encoded.features[:, 0], expected, rtol=1e-6)


def test_a_built_in_set_comes_out_standardised():
    table = load("breast_cancer")
    train = np.arange(569) % 3 > 0
    features = encode(table, train).features
    np.testing.assert_allclose(features[train].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(features[train].std(axis=0), 1, rtol=1e-5)
    assert np.abs(features[~train].mean(axis=0)).max() > 1e-3  # they had no say


def test_what_float32_cannot_hold_is_refused():
    x = np.array([[0.0], [1e-30], [1e30]])
    with pytest.raises(DataError, match="column 'x0' in row 3 is too far from the training rows"):
        encode(table_of(x), np.array([0, 1]))


def test_an_encoding_beyond_memory_names_the_widest_column(monkeypatch):
    monkeypatch.setattr(ENCODE, "MAX_BYTES", 4 * 40 * 5)
    with pytest.raises(DataError, match=r"drop a column of many categories \('colour'\)"):
        encode(table_of(mixed(0)), np.arange(30))
    with pytest.raises(DataError, match=r"40 rows of 6 encoded features .* use fewer rows"):
        encode(table_of(np.ones((40, 6))), np.arange(30))


@pytest.mark.parametrize("key", range(3))
def test_an_encoder_from_a_file_says_the_same_of_other_tables(key, tmp_path):
    frame, new = mixed(key), mixed(key + 100)
    both = pd.concat([frame, new], ignore_index=True)
    for name in ("colour", "shape"):
        both[name] = pd.Categorical([*frame[name].astype(object), *new[name].astype(object)])
    encoded = encode(table_of(both), np.arange(len(frame)))
    files.save(tmp_path / "encoder.npz", encoded.encoder._asdict())
    kept = Encoder(**files.load(tmp_path / "encoder.npz"))
    assert kept.names == encoded.names
    backwards = new[new.columns[::-1]]
    backwards.insert(0, "more", 1.0)
    ours = kept.apply(table_of(backwards))
    np.testing.assert_array_equal(ours, encoded.features[len(frame) :])


def test_columns_of_an_array_are_found_by_name():
    x = np.random.default_rng(0).normal(size=(20, 3))
    encoded = encode(table_of(x), np.arange(10))
    turned = dataclasses.replace(table_of(x[:, [2, 0, 1]]), feature_names=("x2", "x0", "x1"))
    np.testing.assert_array_equal(encoded.encoder.apply(turned), encoded.features)


def test_a_gap_that_only_a_new_table_has_becomes_the_training_median():
    x = np.array([[1.0], [2.0], [9.0], [100.0]])
    gap = pd.DataFrame({"x0": [np.nan, 2.0]})
    for table, fill in ((table_of(x), 2.0), (dataclasses.replace(table_of(x), complete=True), 4.0)):
        encoder = encode(table, np.arange(3)).encoder
        expected = (np.array([fill, 2.0]) - 4) / x[:3].std()
        np.testing.assert_allclose(encoder.apply(table_of(gap))[:, 0], expected, rtol=1e-6)
    plain = Encoder.as_it_is(table_of(x), np.arange(3))
    np.testing.assert_array_equal(plain.apply(table_of(x)), x)
    np.testing.assert_array_equal(plain.apply(table_of(gap)), [[2], [2]])
