"""What people hand over: types that JAX doesn't know, small types, other people's containers."""

import decimal
import fractions

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn import metrics as theirs

from jaxlr import metrics
from jaxlr.metrics import streaming
from tests.metrics_cases import assert_same

pytestmark = pytest.mark.once

Y, P = np.array([0, 1, 1, 0, 1, 0]), np.array([0, 1, 0, 0, 1, 1])
S = np.array([0.125, 0.875, 0.5, 0.25, 0.75, 0.625])  # eighths, exact in every type
FLOATS = [">f8", ">f4", ">f2", np.longdouble, np.float16, ml_dtypes.bfloat16, object]
WHOLE = [">i4", ">u2", np.int8, np.uint8, np.uint64, np.float16, np.longdouble, bool, object]


@pytest.mark.parametrize(
    "dtype", [*FLOATS, ml_dtypes.float8_e4m3fn, "decimal", "nullable"], ids=str
)
def test_numbers_of_any_type_are_their_values(dtype):
    if dtype == "decimal":
        s = [decimal.Decimal(x) for x in S[:3]] + [fractions.Fraction(x) for x in S[3:]]
    else:
        s = pd.Series(S, dtype="Float64") if dtype == "nullable" else S.astype(dtype)
    for name in ("roc_auc_score", "log_loss", "mean_squared_error"):
        metric = getattr(metrics, name)
        assert_same(metric(Y, s, sample_weight=s), metric(Y, S, sample_weight=S), name)
    share = metrics.accuracy_score(Y, P, sample_weight=S)
    assert_same(metrics.accuracy_score(Y, P, sample_weight=s), share, "weights")
    assert_same(metrics.auc(Y.cumsum(), s), metrics.auc(Y.cumsum(), S), "auc")


@pytest.mark.parametrize("dtype", WHOLE, ids=str)
def test_labels_of_any_type_are_their_values(dtype):
    y, p = Y.astype(dtype), P.astype(dtype)
    for truth, guess in ((y, p), (Y, p), (y, P)):
        assert metrics.confusion_matrix(truth, guess).tolist() == [[2, 1], [1, 2]]
        assert_same(metrics.accuracy_score(truth, guess), 2 / 3, "accuracy")
    assert_same(metrics.log_loss(y, S), theirs.log_loss(Y, S), "log loss", 1e-6)
    assert_same(metrics.top_k_accuracy_score(y, S, k=1), 4 / 6, "top k")


def test_nothing_is_reckoned_in_the_labels_own_small_type():
    y = jnp.array([0, 255, 255, 0], jnp.uint8)
    counts = jax.jit(lambda y: metrics.confusion_matrix(y, y, num_classes=256))(y)
    assert np.trace(counts) == 4
    small = np.array([-100, 50, 50], np.int8)
    assert metrics.accuracy_score(small, small) == 1
    assert metrics.confusion_matrix(small, small).tolist() == [[1, 0], [0, 2]]
    places = [0, 50, 130, 150, 199]
    hot = np.zeros((5, 200), np.int8)
    hot[np.arange(5), places] = 1
    proba = np.where(hot == 1, 0.5, 0.5 / 199)
    assert_same(metrics.log_loss(hot, proba), np.log(2), "one-hot", 1e-6)
    wide = np.full((2, 300), 1 / 300, np.float32)
    found = jax.jit(metrics.log_loss)(jnp.array([0, 127], jnp.int8), wide)
    assert_same(found, np.log(300), "int8", 1e-6)
    hundred = np.full(1_000, 100, np.int8)
    ones = np.ones(1_000, int)
    assert metrics.confusion_matrix(ones, ones, sample_weight=hundred).tolist() == [[100_000]]


def test_labels_that_can_be_read_are_coded_before_anything_narrows_them():
    y, p = np.array([1, 1 + 2**32, 1, 1 + 2**32]), np.array([1, 1 + 2**32, 1, 1])
    drawn = metrics.resample(jax.random.key(0), 4, y)
    assert drawn[0] + drawn[2] == 2
    assert_same(metrics.accuracy_score(y, p), 0.75, "beyond 32 bits")
    near = np.array([1, 2**53 + 1, 2**53], np.uint64)
    assert_same(metrics.accuracy_score(near, [1, 2**53, 2**53]), 2 / 3, "uint64 beside int64")
    far = np.array([0, 2**64 - 1, 2**64 - 1], np.uint64)
    assert_same(metrics.accuracy_score(far, np.array([0, -1, 1])), 1 / 3, "beyond int64")
    assert metrics.confusion_matrix([1e300, 1.0], [1e300, 1.0]).tolist() == [[1, 0], [0, 1]]
    assert metrics.accuracy_score([10**30, 1], [10**30, 2]) == 0.5


def test_a_stream_hears_float64_scores_in_full_and_no_garbage_of_weight_zero():
    y, s = np.array([0, 1, 0, 1, -100]), np.array([1, 1 + 1e-12, 1 - 1e-12, 1, np.nan])
    stream = streaming.exact_auc(5)
    state = stream.update(stream.init(), y, s, np.array([1, 1, 1, 1, 0]))
    assert stream.result(state) == 0.875


def test_a_bootstrap_codes_texts_and_keeps_sixty_four_bits():
    def shares(y, p, n, m, sample_weight):
        weighted = {"sample_weight": sample_weight}
        return metrics.accuracy_score(y, p, **weighted), metrics.accuracy_score(n, m, **weighted)

    y, p = np.array([*"baba"]), np.array([*"baaa"])
    n, m = (1 + (a == "b") * 2**32 for a in (y, p))
    found = metrics.bootstrap_interval(shares, jax.random.key(0), y, p, n, m, num_resamples=2)
    assert found.estimate == (0.75, 0.75)


def test_several_labels_a_row_as_scikit_learn():
    y = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    q = np.array([[4, 5, 1], [1, 7, 2], [3, 3, 4], [2, 3, 5]]) / 10
    w = np.array([1, 2, 0.5, 3])
    for name in ("log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score"):
        for options in ({}, {"sample_weight": w}):
            expected = getattr(theirs, name)(y, q, **options)
            assert_same(getattr(metrics, name)(y, q, **options), expected, name, 1e-6)


def test_boolean_scores_are_zeros_and_ones():
    assert_same(metrics.top_k_accuracy_score(Y, P == 1, k=1), 2 / 3, "of two")
    assert metrics.top_k_accuracy_score([0, 1, 2], np.eye(3, dtype=bool), k=1) == 1


def test_a_label_beyond_the_integers_of_jit_is_nobodys():
    curve = jax.jit(lambda y, s: metrics.roc_curve(y, s, pos_label=2**40))
    assert np.isnan(curve(jnp.array([0, 1]), jnp.array([0.1, 0.2])).tpr).all()


def test_infinite_scores_rank_where_they_cannot_be_read():
    area = jax.jit(metrics.roc_auc_score)(jnp.array([0, 1]), jnp.array([-jnp.inf, jnp.inf]))
    assert area == 1


FRAME = pd.DataFrame({"a": [0.5, np.nan, 0.2], "b": ["x", "y", "z"], "c": [0.2, 0.2, 0.5]})
INFINITE = [1.0, np.inf]
RAGGED = [[1], [2], [0, 1]]
MASKED = np.ma.array([0, 1], mask=[0, 1])
REFUSED = [
    (lambda: metrics.roc_auc_score([0, 1], INFINITE), "y_score must be finite.*is inf in row 1"),
    (lambda: metrics.roc_curve([0, 1], INFINITE), "y_score must be finite"),
    (lambda: metrics.accuracy_score([0, 1], INFINITE), "y_pred must not hold infinity.*in row 1"),
    (lambda: metrics.accuracy_score([0, 1], [0, 1j]), "y_pred must hold real numbers.*complex128"),
    (
        lambda: metrics.auc([0, 1], np.array([0, 1j], object)),
        "y must hold real numbers.*complex on",
    ),
    (
        lambda: metrics.accuracy_score([0, 1], [0, 1], sample_weight=[1, 1j]),
        "sample_weight must hold real numbers, and holds complex128",
    ),
    (
        lambda: metrics.accuracy_score(RAGGED, RAGGED),
        "y_true must hold one number or label a row.*i",
    ),
    (lambda: metrics.hamming_loss(np.array([{1}, {2}]), [1, 2]), "y_true.*and holds lists"),
    (lambda: metrics.accuracy_score([[]], [[]]), r"y_true must have shape .* and has \(1, 0\)"),
    (lambda: metrics.log_loss(np.arange(4), np.eye(4)[:, :3]), "each class needs its column"),
    (lambda: metrics.log_loss(2 * np.eye(3), np.eye(3)), "must hold only 0 and 1, as indicators"),
    (lambda: metrics.top_k_accuracy_score(np.eye(3), np.eye(3)), r"y_true must have shape \[N\]"),
    (lambda: metrics.log_loss([0, 1, 2], FRAME), "y_proba.*holds 'x' in row 0 of column 'b'"),
    (
        lambda: metrics.log_loss([0, 1, 0], FRAME[["a", "c"]]),
        "y_proba must lie between 0 and 1, and is nan in row 1 of column 'a'",
    ),
    (
        lambda: metrics.mean_squared_error(np.eye(3)[:, :2], FRAME[["a", "c"]]),
        "y_pred must be finite.*is nan in row 1 of column 'a'",
    ),
    (
        lambda: metrics.accuracy_score(["a", None], ["a", "b"]),
        "y_true must not hold missing.*row 1",
    ),
    (lambda: metrics.accuracy_score(MASKED, [0, 1]), "y_true must not hold NaN, and does in row 1"),
    (lambda: metrics.roc_auc_score([0, 1], [None, 1]), "y_score must be not NaN.*in row 0"),
    (
        lambda: metrics.roc_auc_score([0, 1], ["1", "2"]),
        "y_score.*holds '1' in row 0: make numbers",
    ),
    (lambda: metrics.confusion_matrix(Y, P, labels=[0, np.nan]), "labels must not hold NaN"),
    (lambda: metrics.confusion_matrix(Y, P, num_classes=0), "num_classes must be at least 1, a w"),
    (lambda: metrics.calibration_curve(Y, S, n_bins=0), "n_bins must be at least 1.*and is 0"),
    (lambda: metrics.expected_calibration_error(Y, S, n_bins=2.5), "n_bins must be .*and is 2.5"),
    (lambda: metrics.top_k_accuracy_score(Y, S, k=0), "k must be at least 1"),
    (lambda: metrics.classification_report(Y, P, digits=-1), "digits must be at least 0"),
    (lambda: metrics.fbeta_score(Y, P, beta="2"), "beta must be at least 0, and is 2"),
    (lambda: metrics.bootstrap_interval(None, None), "arrays must be given, with at least one row"),
    (lambda: metrics.resample(jax.random.key(0), 3, [0, 1]), "strata must be 3 labels"),
    (lambda: streaming.exact_auc(0), "capacity must be at least 1"),
    (lambda: streaming.histogram_auc(0, 0.0, 1.0), "num_bins must be at least 1"),
    (lambda: streaming.histogram_auc(4, 0.0, np.inf), "low must be below high, both finite"),
]


@pytest.mark.parametrize(("call", "match"), REFUSED, ids=[match[:28] for _, match in REFUSED])
def test_what_is_no_number_or_label_is_refused_by_name(call, match):
    with pytest.raises(ValueError, match=match):
        call()


WRONG_TYPES = [
    (lambda: metrics.accuracy_score([b"a"], ["a"]), "y_true must not hold bytes"),
    (lambda: metrics.accuracy_score(["a"], np.array([b"a"], object)), "y_pred must not hold bytes"),
    (lambda: metrics.roc_auc_score([b"a", b"b"], [0, 1]), "y_true must not hold bytes: decode"),
    (
        lambda: metrics.f1_score(scipy.sparse.eye_array(3), np.eye(3), average="macro"),
        r"y_true must be dense, and is a sparse .*: pass y_true.toarray\(\)",
    ),
    (
        lambda: metrics.log_loss([0, 1], scipy.sparse.csr_matrix(np.eye(2))),
        "y_proba must be dense, and is a sparse csr_matrix",
    ),
]


@pytest.mark.parametrize(("call", "match"), WRONG_TYPES, ids=[m[:28] for _, m in WRONG_TYPES])
def test_what_is_of_another_kind_altogether_is_a_type_error(call, match):
    with pytest.raises(TypeError, match=match):
        call()
