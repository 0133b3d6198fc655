"""Whether exercise A5 is done."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxlr import losses

RNG = np.random.default_rng(0)
PREDICTION, TARGET = RNG.normal(size=(2, 50)).astype(np.float32)


def test_it_is_minus_the_log_of_the_density(turn):
    density = stats.norm.pdf(TARGET, loc=PREDICTION)
    assert turn.normal_loss(PREDICTION, TARGET) == pytest.approx(-np.log(density), rel=1e-5)


def test_a_density_of_zero_has_a_loss(turn):
    assert turn.normal_loss(0.0, 100.0) == pytest.approx(5000.919, rel=1e-6)


def test_it_differs_from_half_the_squared_error_by_a_constant(turn):
    squared = np.asarray(jax.vmap(losses.squared_error)(PREDICTION, TARGET))
    rest = turn.normal_loss(PREDICTION, TARGET) - squared / 2
    assert rest == pytest.approx(np.full(50, np.log(2 * np.pi) / 2), abs=1e-5)
