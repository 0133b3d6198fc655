"""Whether exercise A8 is done."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, losses, models, optimizers, training

RNG = np.random.default_rng(8)
X = RNG.normal(size=(40, 3))
LABELS = (X @ [1.0, -2.0, 0.5] + RNG.normal(size=40) > 0).astype(int)


def test_the_librarys_steps(turn):
    w, b, risks = turn.descend(X, LABELS, 0.5, 30)
    risk = losses.risk(models.linear, losses.log_loss)
    batch = Batch(jnp.asarray(X, float), jnp.asarray(LABELS))
    order = jnp.tile(jnp.arange(40), (30, 1))
    expected = jax.jit(
        lambda: training.fit(risk, optimizers.sgd(0.5), models.init_linear(3), batch, order)
    )()
    np.testing.assert_allclose(w, expected.params["w"], rtol=1e-4)
    assert b == pytest.approx(float(expected.params["b"]), rel=1e-4)
    np.testing.assert_allclose(risks, expected.losses, rtol=1e-4)


def test_scores_in_the_thousands(turn):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        w, b, risks = turn.descend(1000 * X, LABELS, 10.0, 20)
    assert np.all(np.isfinite([*w, b, *risks]))
