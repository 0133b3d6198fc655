"""Whether exercise B1 is done."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, losses, models, optimizers, training

RISK = losses.risk(models.linear, losses.log_loss)


def test_one_row_of_one_feature(turn):
    assert turn.safe_rate(np.array([[2.0]])) == pytest.approx(4 / 5)  # (2² + 1²) / 4 turned over


def test_the_curvature_at_zero_is_the_largest(turn):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    batch = Batch(x, np.arange(40) % 2)

    def risk(point):
        return RISK({"w": point[:3], "b": point[3]}, batch)

    hessian = jax.hessian(risk)(jnp.zeros(4))
    assert turn.safe_rate(x) == pytest.approx(1 / np.linalg.eigvalsh(hessian)[-1], rel=1e-4)


def test_descent_with_it_never_goes_up(turn):
    x = 5 * np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32) + 2
    batch, order = Batch(x, np.arange(40) // 7 % 2), jnp.tile(jnp.arange(40), (50, 1))
    descent = optimizers.sgd(float(turn.safe_rate(x)))
    seen = training.fit(RISK, descent, models.init_linear(3), batch, order).losses
    assert (np.diff(seen) < 1e-6).all()
    assert seen[-1] < seen[0]
