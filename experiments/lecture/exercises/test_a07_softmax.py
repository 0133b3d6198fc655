"""Whether exercise A7 is done."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import losses

library = jax.jit(jax.vmap(jax.value_and_grad(losses.softmax_cross_entropy)))


def test_the_lectures_scores(turn):
    loss, gradient = turn.loss_and_gradient([2.0, 1.0, -1.0], 0)
    assert loss == pytest.approx(0.34901, rel=1e-4)
    assert gradient == pytest.approx([-0.29462, 0.2595, 0.03512], rel=1e-3)


@pytest.mark.parametrize("scale", [1, 1000])
def test_random_scores_small_and_huge(turn, scale):
    rng = np.random.default_rng(0)
    scores, labels = scale * rng.normal(size=(20, 4)), rng.integers(0, 4, 20)
    expected = library(jnp.asarray(scores, jnp.float32), jnp.asarray(labels, jnp.int32))
    with np.errstate(all="raise", under="ignore"):
        found = [turn.loss_and_gradient(*one) for one in zip(scores, labels, strict=True)]
    for (loss, gradient), value, slope in zip(found, *expected, strict=True):
        assert loss == pytest.approx(float(value), rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(gradient, slope, atol=1e-5)


def test_the_gradient_sums_to_zero(turn):
    assert np.sum(turn.loss_and_gradient([3.0, -1000.0, 1000.0], 1)[1]) == pytest.approx(0)
