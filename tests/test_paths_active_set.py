"""Models with an l1 part: their minima meet the conditions of optimality, by numpy."""

import jax
import numpy as np
import pytest

from jaxlr.solvers import active_set

pytestmark = pytest.mark.float64

FEATURES = 12
minimum = jax.jit(active_set.minimum)


def model(rank, seed):
    """A Hessian of some rank beside a little of the identity, at params of which half are 0."""
    rng = np.random.default_rng(seed)
    size = FEATURES + 1
    half = rng.normal(size=(size, rank)) * np.logspace(0, -3, rank)
    hessian = half @ half.T + 1e-8 * np.eye(size)
    w = rng.normal(size=size) * (rng.random(size) < 0.5)
    return hessian, hessian @ rng.normal(size=size), w


def rest(hessian, grad, w, u, strength):
    """How far each slope [Q] at u is from where the l1 part balances it."""
    slope = grad + hessian @ (u - w)
    at_zero = np.maximum(np.abs(slope) - strength, 0)
    return np.where(u == 0, at_zero, np.abs(slope + strength * np.sign(u)))


@pytest.mark.parametrize("rank", [3, FEATURES + 1])  # 3: all but flat in most directions
@pytest.mark.parametrize("small", [128, 5])  # 5: factors of those alone that take part
def test_a_model_is_minimised_exactly(rank, small, monkeypatch):
    monkeypatch.setattr(active_set, "SMALL", small)
    minimum.clear_cache()
    zeros = 0
    for seed, lam in enumerate(np.logspace(0, -5, 12)):
        hessian, grad, w = model(rank, seed)
        strength = lam * (np.arange(FEATURES + 1) < FEATURES)
        with jax.enable_x64(True):
            u, exact = minimum(active_set.Model(hessian, strength, 1e-7 * lam), grad, w)
        u = np.asarray(u)
        assert exact
        assert rest(hessian, grad, w, u, strength).max() <= 1e-6 * lam
        zeros += np.sum(u == 0)
    assert zeros > FEATURES
    minimum.clear_cache()


def test_of_columns_that_are_one_any_mixture_is_found():
    """Singular but for a little: what enters together must not be thrown out again for ever."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(30, 5)), 8, axis=1)
    hessian, w = x.T @ x + 1e-9 * np.eye(40), np.zeros(40)
    grad, strength = -x.T @ rng.normal(size=30), np.full(40, 0.1)
    with jax.enable_x64(True):
        u, exact = minimum(active_set.Model(hessian, strength, 1e-6), grad, w)
    assert exact
    assert rest(hessian, grad, w, np.asarray(u), strength).max() <= 1e-5


def test_a_model_without_a_minimum_is_not_said_to_be_minimised():
    with jax.enable_x64(True):
        u, exact = minimum(
            active_set.Model(-np.eye(3), np.full(3, 0.1), 1e-9), np.ones(3), np.ones(3)
        )
    assert not exact
    assert np.isfinite(u).all()
