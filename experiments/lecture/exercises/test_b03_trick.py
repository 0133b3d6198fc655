"""Whether exercise B3 is done."""

import jax
import numpy as np
import pytest

from jaxlr import losses

Z = np.concatenate([np.linspace(-80, 80, 161), [-1000, 1000]]).astype(np.float32)


@pytest.mark.parametrize("y", [0, 1])
def test_the_loss_is_right_at_every_score(turn, y):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = turn.log_loss(Z, np.full(len(Z), y))
    expected = jax.vmap(losses.log_loss, (0, None))(Z, y)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("y", [0, 1])
def test_the_slope_is_right_at_every_score(turn, y):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = turn.slope(Z, np.full(len(Z), y))
    expected = jax.vmap(jax.grad(losses.log_loss), (0, None))(Z, y)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)
