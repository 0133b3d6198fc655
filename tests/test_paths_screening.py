"""Screening: what is left out is 0 at the optimum, as scipy finds it on the split weights."""

from functools import cache

import jax
import numpy as np
import pytest
from scipy.optimize import minimize

from jaxlr import losses
from jaxlr.paths import screening
from jaxlr.paths.duality import duality
from jaxlr.paths.families import family
from jaxlr.paths.problem import Lanes, Problem

pytestmark = pytest.mark.float64_pass

ROWS, FEATURES, LANES = 60, 12, 24
KINDS = {
    "log_loss": (losses.log_loss, None),
    "softmax": (losses.softmax_cross_entropy, 3),
    "squared_error": (losses.squared_error, None),
}


def loss_of(kind, z, y):
    """Losses [N] and slopes [N, C] of logits [N, C]."""
    if kind == "log_loss":
        p = (1 + np.tanh(z[:, 0] / 2)) / 2
        return np.logaddexp(0, z[:, 0]) - y * z[:, 0], (p - y)[:, None]
    if kind == "squared_error":
        return (z[:, 0] - y) ** 2, 2 * (z - y[:, None])
    top = z.max(axis=1, keepdims=True)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    own = np.eye(3)[y.astype(int)]
    return (top + np.log(total))[:, 0] - (z * own).sum(axis=1), e / total - own


def optimum(kind, x, y, s, lam, l1_ratio):
    """[C, P] where J is least, by L-BFGS-B on w = u - v with u, v >= 0."""
    num = (KINDS[kind][1] or 1, FEATURES)

    def objective(flat):
        u, v, b = flat[: np.prod(num)], flat[np.prod(num) : 2 * np.prod(num)], flat[-num[0] :]
        w = (u - v).reshape(num)
        value, slope = loss_of(kind, x[:, :-1] @ w.T + b, y)
        slope = slope * s[:, None]
        ridge, lasso = lam * (1 - l1_ratio), lam * l1_ratio
        grad = (slope.T @ x[:, :-1] + ridge * w).ravel()
        parts = [grad + lasso, lasso - grad, slope.sum(axis=0)]
        total = s @ value + ridge / 2 * (w**2).sum() + lasso * (u + v).sum()
        return total, np.concatenate(parts)

    size = np.prod(num)
    bounds = [(0, None)] * (2 * size) + [(None, None)] * num[0]
    options = {"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-16, "gtol": 1e-11, "maxcor": 30}
    found = minimize(
        objective, np.zeros(2 * size + num[0]), jac=True, bounds=bounds, options=options
    ).x
    w = (found[:size] - found[size : 2 * size]).reshape(num)
    return np.concatenate([w, found[-num[0] :, None]], axis=1)


@cache
def program(kind):
    """Which weights are screened at params [L, C, P]."""
    of = family(*KINDS[kind])

    def screened(problem, lanes, params):
        return screening.zeros(of, problem, lanes, duality(of, problem, lanes, params))

    return jax.jit(screened)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_screened_is_0_at_the_optimum_and_near_it_most_zeros_are_screened(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, FEATURES)) * np.logspace(-1, 1, FEATURES) + rng.normal(size=FEATURES)
    x = np.append(x, np.ones((ROWS, 1)), axis=1)
    scores = x[:, -5:-1] @ rng.normal(size=(4, 3)) / 10 + rng.gumbel(size=(ROWS, 3))
    y = scores.argmax(axis=1) if kind == "softmax" else (scores[:, 0] > scores[:, 1]) * 1.0
    weights = rng.random((1, ROWS)) * (rng.random((1, ROWS)) < 0.8)
    weights /= weights.sum()
    moves = np.repeat([0.0, 1e-6, 1e-3, 1e-2, 0.1, 1.0], LANES // 6)
    zeros = np.zeros(LANES, np.int32)
    found, missed = 0, 0
    for lam in (0.3, 0.05, 0.01):
        for l1_ratio in (1.0, 0.5):
            best = optimum(kind, x, y, weights[0], lam, l1_ratio)
            away = moves[:, None, None] * rng.normal(size=(LANES, *best.shape))
            params = np.where(np.abs(best) > 1e-7, best, 0) + away
            lanes = Lanes(np.full(LANES, lam), np.full(LANES, l1_ratio), zeros, zeros)
            with jax.enable_x64(True):
                problem = Problem(
                    x, y[None].astype(int if kind == "softmax" else float), weights, x.T
                )
                left_out = np.asarray(program(kind)(problem, lanes, params))
            assert not left_out[..., -1].any()
            assert (np.abs(np.broadcast_to(best, left_out.shape)[left_out]) < 1e-6).all()
            at_zero = np.abs(best[:, :-1]) < 1e-7
            found += left_out[0, :, :-1][at_zero].sum()
            missed += (~left_out[0, :, :-1][at_zero]).sum()
    assert found > 4 * missed
