"""Whether exercise A1 is done."""

import jax
import numpy as np
import pytest

from jaxlr import Batch, data, losses, models, optimizers, training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5] + 3 + 0.1 * RNG.normal(size=60)).astype(np.float32)


def test_one_step_from_zeros(turn):
    w, b = turn.sgd([[2.0]], [3.0], [[0]], 0.1)  # the gradient is 2 (0 - 3) times 2, and times 1
    assert np.ravel(w) == pytest.approx([1.2])
    assert b == pytest.approx(0.6)


@pytest.mark.parametrize("size", [60, 8])
def test_the_walk_of_training_fit(turn, size):
    order = data.epochs(jax.random.key(0), len(X), size, num_epochs=5)
    w, b = turn.sgd(X, Y, np.asarray(order), 0.1)
    risk = losses.risk(models.linear, losses.squared_error)
    ours = training.fit(risk, optimizers.sgd(0.1), models.init_linear(3), Batch(X, Y), order)
    np.testing.assert_allclose(w, ours.params["w"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(b, ours.params["b"], rtol=1e-4)
