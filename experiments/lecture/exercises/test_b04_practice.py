"""Whether exercise B4 is done."""

import jax
import numpy as np
import pytest
from sklearn.datasets import load_wine

from jaxlr import Batch, losses, models

X, Y = load_wine(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(X.shape[1], 3)), RNG.normal(size=3)


@pytest.mark.parametrize("scale", [1.0, 1000.0])  # 1000: exp of a score overflows
def test_the_machines_derivative_on_the_wines(turn, scale):
    risk = losses.risk(models.linear, losses.softmax_cross_entropy, l2=0.01)
    with jax.enable_x64(True):
        machine = jax.grad(risk)({"w": scale * W, "b": scale * B}, Batch(X, Y))
    dW, db = turn.gradient(scale * W, scale * B, X, Y, 0.01)
    np.testing.assert_allclose(dW, machine["w"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(db, machine["b"], rtol=1e-9, atol=1e-12)
