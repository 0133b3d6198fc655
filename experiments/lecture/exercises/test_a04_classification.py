"""Whether exercise A4 is done."""

import jax
import numpy as np
import pytest

from experiments.lecture import ad_clicks
from jaxlr import activations


def test_a_share_has_the_error_of_a_coin(turn):
    # With the intercept alone, p (1 - p) is summed N times.
    error = turn.standard_errors(np.ones((100, 1)), np.full(100, 0.2))
    assert error == pytest.approx([1 / (100 * 0.2 * 0.8) ** 0.5])


def test_the_errors_of_the_clicks(turn):
    x, labels = ad_clicks.users(np.random.default_rng(0), 500)
    weights, errors = map(np.asarray, jax.jit(ad_clicks.fit)(x, labels))
    with_ones = np.column_stack([x, np.ones(len(x))])
    probability = activations.sigmoid((with_ones @ weights).astype(np.float32))
    assert turn.standard_errors(with_ones, probability) == pytest.approx(
        np.asarray(errors), rel=1e-3
    )
