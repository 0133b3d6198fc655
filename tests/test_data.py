"""Standardised columns, stratified splits and folds, and an order that is a fresh shuffle."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from jaxlr import data

pytestmark = pytest.mark.once


def test_standardise_agrees_with_scikit_learn_on_weighted_rows():
    x = np.random.default_rng(0).normal(size=(40, 5)) * np.array([[1, 10, 1e3, 1e-3, 1]]) + 7
    x = jnp.asarray(x, jnp.float32)
    weights = jnp.asarray(np.arange(40) % 4, x.dtype)
    ours = data.standardise(x, data.moments(x, weights))
    theirs = StandardScaler().fit(np.asarray(x, np.float64), sample_weight=np.asarray(weights))
    # 1e-3 * normal + 7 keeps 4 digits of its spread in float32
    chex.assert_trees_all_close(
        np.asarray(ours, np.float64), theirs.transform(np.asarray(x, np.float64)), atol=2e-3
    )


def test_a_weight_is_a_repetition():
    x = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    counts = np.array([0, 1, 2, 3, 1, 1])
    moments = jax.jit(data.moments)
    weighted = moments(x, counts.astype(x.dtype))
    repeated = moments(np.repeat(x, counts, axis=0))
    chex.assert_trees_all_close(weighted, repeated, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, -3e-5])
def test_a_constant_column_becomes_zeros_and_not_amplified_rounding(value):
    x = jnp.full((97, 1), value)
    assert float(jnp.max(jnp.abs(data.standardise(x, data.moments(x))))) < 1e-1 * abs(value) + 1e-9
    assert float(data.moments(x).std[0]) == 1


@pytest.mark.parametrize(
    ("dtype", "column"),
    [
        (np.float32, [1e20, -1e20, 3e20, 1e20]),
        (np.float32, [3e38, -3e38, 3e38, 3e38]),
        (np.float32, [1e-30, -1e-30, 3e-30, 0]),
        (np.float16, np.random.default_rng(2).normal(0, 300, 4000)),
        (np.float16, np.random.default_rng(3).normal(1000, 2, 4000)),
    ],
)
def test_moments_neither_overflow_nor_round_as_their_columns_would(dtype, column):
    x = np.asarray(column, dtype)[:, None]
    mean, std = data.moments(x)
    assert mean.dtype == std.dtype == dtype
    wide = x.astype(np.float64)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(mean, wide.mean(0), rtol=2 * eps, atol=eps * abs(wide).max() / 2)
    np.testing.assert_allclose(std, wide.std(0), rtol=2 * eps)
    scaled = np.asarray(data.standardise(x, data.Moments(mean, std)), np.float64)
    np.testing.assert_allclose(scaled.std(), 1, rtol=1e-2)


def test_weights_are_shares_whatever_their_size():
    x = np.random.default_rng(4).normal(size=(9, 2)).astype(np.float32)
    weights = np.arange(9, dtype=np.float32)
    chex.assert_trees_all_close(
        data.moments(x, weights), data.moments(x, weights * 4e37), rtol=1e-5
    )


def test_moments_of_whole_numbers_are_refused_with_the_cure():
    with pytest.raises(TypeError, match=r"is uint8 of shape \(2, 2\): cast it first, as in x.ast"):
        data.moments(np.zeros((2, 2), np.uint8))


PAIRS = {
    "too large for int32": np.array([1, 1 + 2**32]),
    "of few last digits": np.array([1.0, 1 + 1e-9]),
    "unsigned": np.array([2**63, 2**63 + 1], np.uint64),
    "texts": np.array(["a", "b"]),
    "bytes": np.array([b"a", b"b"]),
    "objects": np.array([None, "b"], object),
    "days": np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_classes_of_any_kind_are_strata(pair):
    labels, first = np.tile(pair, 10), np.arange(20) % 2 == 0
    held_out = 1 - np.asarray(data.folds(jax.random.key(6), labels, 5))
    assert (held_out[:, first].sum(axis=1) == 2).all()
    assert (held_out[:, ~first].sum(axis=1) == 2).all()
    _, test = data.split(jax.random.key(7), labels.tolist(), 0.2)
    assert first[np.asarray(test)].sum() == 2
    rare = np.append(labels, labels[1:2])[first.tolist() + [True]]
    with pytest.raises(ValueError, match=f"class {rare[-1]} has 1 rows, fewer than the 2"):
        data.folds(jax.random.key(8), rare, 2)


def test_labels_are_one_class_for_each_row():
    for labels in (np.zeros((4, 1)), np.zeros(0), 3):
        with pytest.raises(ValueError, match=r"labels must be \[N\], .*their shape is \("):
            data.folds(jax.random.key(0), labels, 2)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.9])
def test_a_split_is_a_partition_with_the_same_share_of_every_class(fraction):
    labels = np.repeat([0, 1, 2], [70, 25, 5])
    train, test = data.split(jax.random.key(2), jnp.asarray(labels), fraction)
    assert sorted([*np.asarray(train), *np.asarray(test)]) == list(range(100))
    assert len(test) == round(100 * fraction)
    for count, label in ((70, 0), (25, 1), (5, 2)):
        assert abs((labels[np.asarray(test)] == label).sum() - fraction * count) <= 1


def test_another_key_is_another_split():
    labels = jnp.zeros(50, jnp.int32)
    one, other = (data.split(jax.random.key(k), labels, 0.5)[1] for k in (0, 1))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1e-3])
def test_a_split_that_leaves_a_side_empty_is_refused(fraction):
    with pytest.raises(ValueError, match="test_fraction"):
        data.split(jax.random.key(0), jnp.zeros(20, jnp.int32), fraction)


@pytest.mark.parametrize("num_folds", [2, 5, 7])
def test_every_row_is_held_out_once_and_classes_are_even_in_every_fold(num_folds):
    labels = jnp.asarray(np.repeat([0, 1, 2], [40, 17, 8]))
    weights = np.asarray(data.folds(jax.random.key(3), labels, num_folds))
    held_out = 1 - weights
    assert set(np.unique(weights)) == {0, 1}
    assert (held_out.sum(axis=0) == 1).all()
    assert np.ptp(held_out.sum(axis=1)) <= 1
    for label in range(3):
        assert np.ptp(held_out[:, np.asarray(labels) == label].sum(axis=1)) <= 1


def test_folds_work_inside_jit():
    labels = jnp.asarray(np.arange(20) % 3)
    eager = data.folds(jax.random.key(4), labels, 4)
    compiled = jax.jit(data.folds, static_argnums=2)(jax.random.key(4), labels, 4)
    chex.assert_trees_all_equal(eager, compiled)


def test_a_class_with_fewer_rows_than_folds_is_named():
    with pytest.raises(ValueError, match="class 7 has 2 rows, fewer than the 3 folds"):
        data.folds(jax.random.key(0), jnp.array([1, 1, 1, 7, 7]), 3)
    with pytest.raises(ValueError, match="num_folds must be at least 2"):
        data.folds(jax.random.key(0), jnp.zeros(5, jnp.int32), 1)


def test_an_epoch_meets_each_row_at_most_once_and_every_epoch_is_a_new_shuffle():
    order = np.asarray(data.epochs(jax.random.key(5), 23, 5, 6)).reshape(6, 20)
    assert all(len(set(epoch)) == 20 for epoch in order)
    assert order.min() >= 0
    assert order.max() < 23
    assert len({tuple(epoch) for epoch in order}) == 6
    # the rows left over differ from epoch to epoch, so that no row sits out the whole run
    assert set(order.ravel()) == set(range(23))


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((0, 1, 1), "num_examples must be at least 1"),
        ((5, 0, 1), "batch_size must be at least 1"),
        ((5, 1, 0), "num_epochs must be at least 1"),
        ((5, 6, 1), "batch_size 6 is larger than the data's 5 rows"),
    ],
)
def test_sizes_without_meaning_are_refused(sizes, said):
    with pytest.raises(ValueError, match=said):
        data.epochs(jax.random.key(0), *sizes)
