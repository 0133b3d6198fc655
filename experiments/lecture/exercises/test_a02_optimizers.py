"""Whether exercise A2 is done."""

import jax.numpy as jnp
import numpy as np

from jaxlr import optimizers


def test_the_first_step_is_the_learning_rate_whatever_the_gradient(turn):
    updates = turn.adam_updates(np.array([[3.0, -0.02, 500.0]]), rate=0.1)
    np.testing.assert_allclose(updates, [[-0.1, 0.1, -0.1]], rtol=1e-5)


def test_the_updates_are_the_librarys(turn):
    grads = np.random.default_rng(0).normal(size=(30, 4))
    for b1, b2 in ((0.9, 0.999), (0.5, 0.8)):
        rule = optimizers.adam(0.1, b1, b2)
        state, expected = rule.init(jnp.zeros(4)), []
        for g in grads:
            update, state = rule.update(jnp.asarray(g, jnp.float32), state)
            expected.append(update)
        updates = turn.adam_updates(grads, 0.1, b1, b2)
        np.testing.assert_allclose(updates, np.array(expected), rtol=1e-3, atol=1e-5)
