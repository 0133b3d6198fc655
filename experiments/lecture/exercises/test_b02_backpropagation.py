"""Whether exercise B2 is done."""

import numpy as np
import pytest

from jaxlr import activations, chain_rule


def test_one_stage_is_logistic_regression(turn):
    p = 1 / (1 + np.exp(-0.5 * 3.0))
    assert turn.backward([0.5], 3.0, 0) == pytest.approx([p * 3.0])
    assert turn.backward([0.5], 3.0, 1) == pytest.approx([(p - 1) * 3.0])


def test_a_long_chain_agrees_with_the_library(turn):
    rng = np.random.default_rng(0)
    for label in (0, 1):
        weights, x = rng.normal(size=5).astype(np.float32), np.float32(rng.normal())
        stages = [{"w": w.reshape(1, 1), "b": np.zeros(1, np.float32)} for w in weights]
        stages[-1] = {"w": weights[-1:], "b": np.float32(0)}
        grads = chain_rule.mlp(stages, x[None], label, activation=activations.sigmoid)
        expected = [float(stage["w"].item()) for stage in grads]
        assert turn.backward(weights, x, label) == pytest.approx(expected, rel=1e-4)
