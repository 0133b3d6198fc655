"""The door of a path: what people hand over is read right or refused in one line; and choices."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import Batch, losses, paths
from jaxlr.glm import door
from jaxlr.paths import choices

pytestmark = pytest.mark.float64

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2
LOSSES = {
    "log_loss": (losses.log_loss, Y),
    "softmax": (losses.softmax_cross_entropy, np.arange(20) % 4),
    "squared_error": (losses.squared_error, X[:, 0]),
}


def asked(x=X, labels=Y, weights=None, loss=losses.log_loss, folds=None, classes=None, **options):
    return door.given(Batch(x, labels, weights), [1.0], loss, 0.0, folds, classes, **options)


@given(
    st.sampled_from(list(LOSSES)),
    st.lists(st.integers(0, 19), min_size=1, max_size=5),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e300]),
    st.sampled_from([-100, 99, 2**40]),
    st.sampled_from(["weights", "folds", "both"]),
)
def test_rows_without_weight_are_absent_whatever_stands_in_them(kind, at, number, label, where):
    loss, labels = LOSSES[kind]
    x, labels = np.insert(X, at, number, axis=0), np.insert(labels, at, label)
    kept = np.ones(20 + len(at))
    own = np.stack([np.arange(1, 21.0), np.ones(20)])
    kept[np.insert(np.zeros(20, bool), at, True)] = 0
    folds = np.zeros((2, len(kept)))
    folds[:, kept > 0] = own
    weights = kept if where != "folds" else None
    if where == "weights":
        folds[:, kept == 0] = 7.0
    ours = asked(x, labels, weights, loss, folds)
    plain = asked(X, LOSSES[kind][1], None, loss, own)
    np.testing.assert_array_equal(ours.x, plain.x)
    np.testing.assert_array_equal(ours.labels, plain.labels)
    np.testing.assert_allclose(ours.weights, plain.weights, rtol=1e-15)
    assert ours.num_classes == plain.num_classes
    np.testing.assert_array_equal(ours.counted, kept > 0)


def test_texts_without_weight_are_absent_too():
    x, labels = X.astype(object), Y.astype(object)
    x[3, 1], labels[3] = "?", None
    ours = asked(x, labels, np.arange(20) != 3)
    assert ours.x.shape == (19, 3)
    assert ours.labels.dtype == np.int64


def test_rows_to_hold_out_count_though_no_fold_has_them():
    folds = np.ones((2, 20))
    folds[:, 5] = 0
    assert asked(folds=folds).counted.sum() == 19
    assert asked(folds=folds, refit=True).counted.all()
    dirty = X.copy()
    dirty[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"x must be finite; x\[5, 2\] is nan"):
        asked(dirty, folds=folds, refit=True)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300, 1e308])
def test_only_the_proportions_of_weights_matter(scale):
    folds = np.stack([np.ones(20), np.arange(20) % 3])
    ours = asked(weights=np.full(20, scale), folds=folds * min(scale, 1e307))
    np.testing.assert_allclose(ours.weights, asked(folds=folds).weights, rtol=1e-15)


READ = {
    "big-endian": (X.astype(">f8"), Y.astype(">i4")),
    "longdouble": (X.astype(np.longdouble), Y.astype(np.longdouble)),
    "bfloat16": (jnp.asarray(np.round(X), jnp.bfloat16), jnp.asarray(Y, jnp.bfloat16)),
    "uint8": (np.round(X), Y.astype(np.uint8)),
    "uint64": (np.round(X), Y.astype(np.uint64)),
    "bool": (np.round(X), Y == 1),
    "objects": (X.astype(object), Y.astype(object)),
    "nullable": (pd.DataFrame(X).convert_dtypes(), pd.Series(Y, dtype="Int64")),
    "lists": (X.tolist(), Y.tolist()),
    "masked": (np.ma.array(X, mask=False), np.ma.array(Y)),
}


@pytest.mark.parametrize("kind", READ)
def test_numbers_are_read_whatever_holds_them(kind):
    x, labels = READ[kind]
    ours = asked(x, labels)
    assert ours.x.dtype == np.float64
    np.testing.assert_array_equal(ours.x, np.asarray(x).astype(float))
    np.testing.assert_array_equal(ours.labels, [Y])
    jnp.asarray(ours.labels)


EXACT = 2**53 + 2
ROUNDED = {
    "int64": np.int64(EXACT) + 1,
    "uint64": np.uint64(2**64 - 1),
    "longdouble": np.longdouble(1) / 3,
    "objects": EXACT + 1,
}


@pytest.mark.parametrize("kind", ROUNDED)
def test_what_float64_rounds_is_told_and_nothing_else(kind):
    bad = ROUNDED[kind]
    x = np.full((20, 1), bad, object if kind == "objects" else bad.dtype)
    with pytest.warns(UserWarning, match=r"x is .*, and 20 of its entries are rounded to float64"):
        asked(x)
    x[:] = EXACT if kind != "longdouble" else 0.1  # neither is rounded, and neither is told
    asked(x)
    for narrow in (np.float32, np.float16):
        np.testing.assert_array_equal(asked(X.astype(narrow)).x, X.astype(narrow))


def test_labels_that_float64_rounds_are_told():
    labels = np.full(20, EXACT + 1)
    with pytest.warns(UserWarning, match="labels is int64, and 20 of its entries are rounded"):
        asked(labels=labels, loss=losses.squared_error)


FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
REFUSED = {
    "sparse": ({"x": scipy.sparse.csr_matrix(X)}, r"x is sparse, a csr_matrix: give x.toarray\(\)"),
    "missing": (
        {"x": FRAME.astype("Float64").mask(FRAME.b.max() < FRAME)},
        r"x\[\d+, '[ac]'\] is <NA>, and must be a number: encode the texts, fill what is missing",
    ),
    "nan": ({"x": FRAME.assign(b=np.nan)}, r"x must be finite; x\[0, 'b'\] is nan \(20 such"),
    "text": ({"x": FRAME.assign(c="red")}, r"x\[0, 'c'\] is 'red', and must be a number"),
    "date": (
        {"x": FRAME.assign(c=pd.Timestamp("2020"))},
        r"x\[0, 'c'\] is 2020-01-01 00:00:00, and",
    ),
    "long text": ({"x": FRAME.assign(c="x" * 99)}, r"is 'x{37}\.\.\.', and"),
    "masked": ({"x": np.ma.masked_less(X, X.min() + 1e-9)}, r"x must be finite; x\[.* is nan"),
    "complex": ({"x": X + 1j}, "x must be real, and is complex128"),
    "ragged": ({"x": [[1, 2], [3]]}, "x is ragged: give rows of one length"),
    "bytes": (
        {"labels": np.where(Y, b"yes", b"no")},
        r"labels must be numbers, and one is b'no' \(\|S3\): code them by np.unique",
    ),
    "none": (
        {"labels": np.where(Y, None, 0)},
        r"labels must be numbers, and one is None \(object\)",
    ),
    "lost": (
        {"labels": pd.Series(Y, dtype="Int64").mask(Y > 0)},
        r"labels must be finite; labels\[1\]",
    ),
    "complex labels": ({"labels": Y + 0j}, "labels must be real"),
    "far": (
        {"labels": Y * 2**32, "loss": losses.softmax_cross_entropy},
        "labels go up to class 4294967296, and no row is of class 1: code them by np.unique",
    ),
    "gap": (
        {"labels": Y * 2, "loss": losses.softmax_cross_entropy},
        "no row is of class 1: code them by .*, or declare num_classes=3",
    ),
    "from one": (
        {"labels": Y + 1, "loss": losses.softmax_cross_entropy},
        "labels go up to class 2, and no row is of class 0",
    ),
    "weights": ({"weights": ["a"] * 20}, r"weights\[0\] is 'a', and must be a number"),
    "complex weights": ({"weights": np.ones(20) + 1j}, "weights must be real"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_number_is_named_in_one_line(kind):
    options, message = REFUSED[kind]
    with pytest.raises(ValueError, match=message) as caught:
        asked(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", [paths.fit, paths.lambda_grid, paths.cross_validate])
def test_a_batch_is_asked_for_by_name(call):
    options = {"fold_weights": np.eye(2)} if call is paths.cross_validate else {}
    message = r"first argument must be a jaxlr.Batch, and is of type tuple: give Batch\(x, labels\)"
    with pytest.raises(ValueError, match=message):
        call((X, Y), loss=losses.log_loss, **options)


def test_declared_classes_may_have_no_rows():
    assert asked(labels=Y * 2, loss=losses.softmax_cross_entropy, classes=4).num_classes == 4
    # One class alone is what it would be of two.
    assert asked(labels=Y * 0, loss=losses.softmax_cross_entropy).num_classes == 2


def test_a_grid_knows_no_offset_of_labels_or_features():
    labels = X[:, 0] + 0.1 * X[:, 1]
    for num, size in ((0.0, 1e6), (1e4, 0.0), (1.7e9, 1e9)):
        grid = paths.lambda_grid(Batch(X + size, labels + num), loss=losses.squared_error, num=2)
        centred = X - X.mean(axis=0)
        slopes = np.abs(2 * centred.T @ (labels - labels.mean()) / 20)
        np.testing.assert_allclose(grid[0], slopes.max() / 1e-3, rtol=1e-5)


def test_a_grid_takes_no_rounding_for_a_derivative():
    x, pattern = np.tile([0.1, 0.7], 18)[:, None] * [1, 3.3], np.tile([0, 0, 1, 1], 9)
    batch = Batch(x, pattern / 3 + 1e3, np.repeat([1.0, 2.0, 3.0] * 3, 4))
    grid = paths.lambda_grid(batch, loss=losses.squared_error, num=2, l1_ratio=1.0)
    assert grid[0] == 1


def test_a_grid_hears_a_class_of_next_to_no_weight():
    labels, weights = np.arange(20) == 7, np.where(np.arange(20) == 7, 1e-9, 1)
    grid = paths.lambda_grid(Batch(X, labels, weights), loss=losses.log_loss, num=2)
    share = weights / weights.sum()
    slopes = np.abs((X - share @ X).T @ (share * (labels - share @ labels)))
    np.testing.assert_allclose(grid[0], slopes.max() / 1e-3, rtol=1e-6)


NAN = np.nan


def test_means_leave_out_folds_without_scores_and_settings_that_others_lack():
    scores = np.array([[[3.0, 2, NAN]], [[NAN, NAN, NAN]], [[1.0, 4, 0]]])[None]  # [T, F, A, K]
    mean, error = choices.means(scores, np.isnan(scores))
    np.testing.assert_array_equal(mean, [[[2, 3, NAN]]])
    np.testing.assert_allclose(error[0, 0, :2], [1, 1])
    best, simplest = choices.choose(mean, error, np.array([3.0, 2.0, 1.0]), False)
    assert best.tolist() == simplest.tolist() == [[0, 0]]
    best, simplest = choices.choose(mean, error, np.array([3.0, 2.0, 1.0]), True)
    assert best.tolist() == [[0, 1]]
    assert simplest.tolist() == [[0, 0]]
    mean, error = choices.means(scores[:, :2], np.isnan(scores[:, :2]))
    np.testing.assert_array_equal(mean, [[[3, 2, NAN]]])
    with pytest.raises(ValueError, match="needs two folds with scores, and target 0 has one"):
        choices.check_errors(error)


def test_where_nothing_can_be_chosen_folds_and_cures_are_named():
    scores = np.full((2, 9, 1, 2), 1.0)
    scores[1] = NAN
    endless = np.zeros(scores.shape, bool)
    endless[1, [2, 3]] = True
    message = (
        r"target 1 has no setting to choose: no optimum in fold 2, 3 \(a class without a row to"
        r" train on, or λ = 0\) and the metric is not finite on what fold 0, 1, 4, 5, 6 and 2 more"
        r" holds out; take fewer folds, folds with strata \(data.folds\) or another metric; the"
        r" default one leaves `predictions` of all folds, which your metric can judge at once"
    )
    with pytest.raises(ValueError, match=message):
        choices.means(scores, endless)
    crossed = np.array([[[NAN, 1.0]], [[1.0, NAN]]])[None]
    with pytest.raises(ValueError, match="target 0 has no setting to choose: the metric"):
        choices.means(crossed, crossed > 9)
