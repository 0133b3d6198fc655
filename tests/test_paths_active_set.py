"""Models with an l1 part: their minima meet the conditions of optimality, by numpy."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxlr.paths import active_set
from jaxlr.paths.problem import Lanes

pytestmark = pytest.mark.float64_pass

LANES, FEATURES = 6, 12
step = jax.jit(lambda lanes, parts, tol: active_set.step(lanes, SimpleNamespace(**parts), tol))


def models(rank, seed):
    """Hessians of some rank beside a little of the identity, at params of which half are 0."""
    rng = np.random.default_rng(seed)
    size = FEATURES + 1
    half = rng.normal(size=(LANES, size, rank)) * np.logspace(0, -3, rank)
    hessian = half @ half.swapaxes(1, 2) + 1e-8 * np.eye(size)
    params = rng.normal(size=(LANES, 1, size)) * (rng.random((LANES, 1, size)) < 0.5)
    grad = (hessian @ rng.normal(size=(LANES, size, 1)))[:, None, :, 0]
    active = np.arange(LANES) > 0
    return {"params": params, "grad": grad, "hessian": hessian, "active": active}


@pytest.mark.parametrize("rank", [3, FEATURES + 1])  # 3: all but flat in most directions
def test_a_model_is_minimised_exactly(rank):
    zeros = np.zeros(LANES, np.int32)
    lam = np.logspace(0, -5, LANES)
    for seed in range(5):
        parts = models(rank, seed)
        with jax.enable_x64(True):
            d, gain = step(Lanes(lam, np.ones(LANES), zeros, zeros), parts, 1e-6)
        d, gain = np.asarray(d)[:, 0], np.asarray(gain)
        assert (d[0] == 0).all()  # at rest
        w, g = parts["params"][:, 0] + d, parts["grad"][:, 0]
        slope = g + np.einsum("lpq,lq->lp", parts["hessian"], d)
        strength = np.broadcast_to(lam[:, None] * (np.arange(FEATURES + 1) < FEATURES), w.shape)
        rest = np.where(w == 0, np.maximum(np.abs(slope) - strength, 0), 0)
        rest = np.where(w != 0, np.abs(slope + strength * np.sign(w)), rest)[1:]
        assert rest.max() <= 1e-6 * lam.max()
        assert (rest <= 1e-4 * lam[1:, None]).all()
        assert (gain[1:] >= 0).all()
        assert (w[1:] == 0).any()
