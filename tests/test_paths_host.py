"""Rows as they are laid out on the host, beside NumPy's own ways."""

import jax
import numpy as np
import pytest

from jaxlr.paths import host

pytestmark = pytest.mark.float64_pass


@pytest.mark.parametrize("num_rows", [1, 255, 256, 700])
def test_rows_and_their_transpose_are_taken_without_a_copy(num_rows):
    x = np.random.default_rng(0).normal(size=(num_rows, 5))
    rows, columns, largest = host.with_ones(x)
    np.testing.assert_array_equal(largest, np.abs(rows).max(axis=0))
    np.testing.assert_array_equal(rows, np.concatenate([x, np.ones((num_rows, 1))], axis=1))
    np.testing.assert_array_equal(columns, rows.T)
    with jax.enable_x64(True):
        placed = jax.device_put((rows, columns), jax.devices("cpu")[0])
    for ours, theirs in zip((rows, columns), placed, strict=True):
        assert ours.flags.c_contiguous
        assert theirs.unsafe_buffer_pointer() == ours.ctypes.data


@pytest.mark.parametrize("power", [-1074, -30, 1, 1023])
def test_scaling_is_that_of_ldexp(power):
    x = np.random.default_rng(0).normal(size=(4, 3)) * 10.0 ** -np.sign(power)
    np.testing.assert_array_equal(host.scaled(x, power), np.ldexp(x, power))
