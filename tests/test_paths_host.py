"""Rows as they are laid out on the host, beside NumPy's own ways."""

import math

import jax
import numpy as np
import pytest

from jaxlr.glm import problem

pytestmark = pytest.mark.float64


@pytest.mark.parametrize("num_rows", [1, 255, 256, 700])
@pytest.mark.parametrize("power", [0, -3])
def test_rows_and_their_transpose_are_taken_without_a_copy(num_rows, power):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(num_rows, 5))
    scaled = x / 2.0**-power
    rows = np.concatenate([scaled, np.ones((num_rows, 1))], axis=1)
    laid = problem.laid_out(x, power=power)
    np.testing.assert_array_equal(laid.x, rows)
    np.testing.assert_array_equal(laid.x_t, rows.T)
    np.testing.assert_array_equal(laid.largest, np.abs(rows).max(axis=0))
    np.testing.assert_allclose(laid.squares, (scaled**2).sum(axis=1), rtol=1e-14)
    again = problem.laid_out(x * 2.0**power)
    for name in ("x", "x_t", "squares", "largest"):
        ours, theirs = getattr(laid, name), getattr(again, name)
        np.testing.assert_array_equal(ours, theirs)
    with jax.enable_x64(True):
        placed = jax.device_put((laid.x, laid.x_t), jax.devices("cpu")[0])
    for ours, theirs in zip((laid.x, laid.x_t), placed, strict=True):
        assert ours.flags.c_contiguous
        assert theirs.unsafe_buffer_pointer() == ours.ctypes.data


@pytest.mark.parametrize("power", [-1074, -30, 1, 1023])
def test_a_power_of_two_rounds_nothing_however_large(power):
    x = np.random.default_rng(0).normal(size=(4, 3)) * 10.0 ** -np.sign(power)
    expected = [[math.ldexp(number, power) for number in row] for row in x]
    np.testing.assert_array_equal(problem.laid_out(x, power=power).x[:, :-1], expected)
