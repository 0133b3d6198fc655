"""Other people's containers: what holds numbers becomes arrays, what doesn't is named in a line."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from jaxlr import Batch, data

pytestmark = pytest.mark.once

ROWS = [[1.0, 2.0], [3.0, 4.5]]
FRAME = pd.DataFrame(ROWS, columns=["size", "width"])
COMMON = np.array(ROWS)

WELCOME = {
    "lists": ROWS,
    "float64": COMMON,
    "the other byte order": COMMON.astype(COMMON.dtype.newbyteorder()),
    "longdouble": COMMON.astype(np.longdouble),
    "objects": COMMON.astype(object),
    "a frame": FRAME,
    "a nullable frame": FRAME.astype("Float64"),
    "a matrix": np.asmatrix(COMMON),
    "ours": jnp.asarray(ROWS),
}


@pytest.mark.parametrize("x", WELCOME.values(), ids=WELCOME)
def test_numbers_in_any_container_are_welcome(x):
    found = data.as_array("x", x)
    assert found.dtype == jnp.result_type(float)
    np.testing.assert_array_equal(found, ROWS)


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (pd.Series([1, 0], dtype="Int64"), jnp.int32),
        (np.array([1, 0], object), jnp.int32),
        (pd.Series([True, False], dtype="boolean"), jnp.bool_),
        (np.array([1, 0], ">i2"), jnp.int16),
        (np.array([1, 0], jnp.bfloat16), jnp.bfloat16),
    ],
)
def test_labels_keep_their_kind(labels, dtype):
    assert data.as_array("labels", labels).dtype == dtype


REFUSED = [
    (scipy.sparse.csr_matrix(ROWS), r"x is sparse, a csr_matrix: give x.toarray\(\)"),
    (scipy.sparse.coo_array(ROWS), r"x is sparse, a coo_array: give x.toarray\(\)"),
    (FRAME.assign(width=["red", "fox"]), r"x\[0, 'width'\] is 'red', and must be a number: enc"),
    (FRAME.astype({"size": "Int64"}).replace(3, pd.NA), r"x\[1, 'size'\] is <NA>, .*fill what"),
    (pd.Series([1, None], dtype="Int64"), r"x\[1\] is <NA>, and must be a number"),
    (pd.Series(["a", "b"], dtype="category"), r"x\[0\] is 'a'"),
    ([[1.0, None]], r"x\[0, 1\] is None"),
    (np.array([["1_0", "2"]]), r"x\[0, 0\] is '1_0'"),
    (np.array(["2020-01-01"], "datetime64[D]"), r"x\[0\] is 2020-01-01"),
    (COMMON + 1j, "x must be real, and is complex128: give its real part"),
]


@pytest.mark.parametrize(("x", "said"), REFUSED)
def test_what_holds_no_numbers_is_named_with_the_cure(x, said):
    with pytest.raises(TypeError, match=said) as caught:
        data.as_array("x", x)
    assert "\n" not in str(caught.value)


def test_ragged_rows_are_named():
    with pytest.raises(ValueError, match="x is ragged: give rows of one length"):
        data.as_array("x", [[1.0, 2.0], [3.0]])


def test_a_batch_says_which_of_its_fields_is_wrong():
    with pytest.raises(TypeError, match=r"weights\[1\] is None, and must be a number"):
        data.as_batch(Batch(ROWS, [0, 1], [1.0, None]))
    with pytest.raises(TypeError, match=r"weights.weights\[0\] is 'a'"):
        data.as_batch(Batch(ROWS, [0, 1], Batch([1.0], [2], ["a"])))


def test_what_a_mask_hides_is_not_a_number():
    masked = data.as_array("x", np.ma.array(ROWS, mask=[[False, True], [False, False]]))
    np.testing.assert_array_equal(masked, [[1.0, np.nan], [3.0, 4.5]])


@pytest.mark.parametrize("batch", [(COMMON, COMMON), COMMON, {"x": COMMON}, None])
def test_what_is_no_batch_is_refused_with_the_cure(batch):
    with pytest.raises(TypeError, match=r"batch must be a jaxlr.Batch, and is a .*Batch\(x, labe"):
        data.as_batch(batch)
