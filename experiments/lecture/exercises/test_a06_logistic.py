"""Whether exercise A6 is done."""

import warnings

import jax
import numpy as np
import pytest

from jaxlr import losses


def test_the_four_corners(turn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = turn.cross_entropy(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 1, 0]))
    np.testing.assert_array_equal(found, [0, 0, np.inf, np.inf])


def test_a_soft_label_never_forgives_certainty(turn):
    found = turn.cross_entropy(np.array([0.0, 1.0]), np.array([0.25, 0.25]))
    np.testing.assert_array_equal(found, [np.inf, np.inf])


def test_hard_and_soft_labels_cost_what_jaxlr_says(turn):
    rng = np.random.default_rng(0)
    p = rng.random(60).astype(np.float32)
    y = np.concatenate([rng.integers(0, 2, 30), rng.random(30)]).astype(np.float32)
    expected = np.asarray(jax.vmap(losses.log_loss_from_probability)(p, y))
    assert turn.cross_entropy(p, y) == pytest.approx(expected, rel=1e-5)
