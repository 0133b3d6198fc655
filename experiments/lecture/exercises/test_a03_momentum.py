"""Whether exercise A3 is done."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import optimizers

CURVATURE = np.array([0.02, 1.0])
START = np.array([-6.0, 1.2])


def library(rule, steps):
    """The path of an optimizer of jaxlr down the ravine."""
    w = jnp.asarray(START, jnp.float32)
    state, path = rule.init(w), [w]
    for _ in range(steps):
        updates, state = rule.update(jnp.asarray(CURVATURE, jnp.float32) * w, state, w)
        w = w + updates
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_path_is_the_librarys(turn, beta):
    path = turn.walk(lambda w: CURVATURE * w, START, 1.9, beta, 25)
    expected = library(optimizers.momentum_ema(1.9, beta), 25)
    np.testing.assert_allclose(path, expected, atol=1e-4)


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_the_heavy_ball_takes_the_same_path(turn, beta):
    path = turn.walk(lambda w: CURVATURE * w, START, 1.9, beta, 25)
    ball = library(optimizers.sgd(turn.heavy_balls_rate(1.9, beta), momentum=beta), 25)
    np.testing.assert_allclose(path, ball, atol=1e-4)
