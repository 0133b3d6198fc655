"""Models with an l1 part: their minima meet the conditions of optimality, by numpy."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxlr.glm.problem import Lanes
from jaxlr.paths import active_set, quasi_newton

pytestmark = pytest.mark.float64_pass

LANES, FEATURES = 6, 12
step = jax.jit(lambda lanes, parts, tol: active_set.step(lanes, SimpleNamespace(**parts), tol))


def inverse_among(hessian, among):
    """Of a Hessian [K, K] among some coordinates, 0 elsewhere."""
    out = np.zeros_like(hessian)
    out[np.ix_(among, among)] = np.linalg.inv(hessian[np.ix_(among, among)])
    return out


def models(rank, seed):
    """Hessians of some rank beside a little of the identity, at params of which half are 0."""
    rng = np.random.default_rng(seed)
    size = FEATURES + 1
    half = rng.normal(size=(LANES, size, rank)) * np.logspace(0, -3, rank)
    hessian = half @ half.swapaxes(1, 2) + 1e-8 * np.eye(size)
    params = rng.normal(size=(LANES, 1, size)) * (rng.random((LANES, 1, size)) < 0.5)
    grad = (hessian @ rng.normal(size=(LANES, size, 1)))[:, None, :, 0]
    active = np.arange(LANES) > 0
    memory = active_set.nothing(LANES, size)
    return {
        "params": params,
        "grad": grad,
        "hessian": hessian,
        "active": active,
        "memory": memory,
    }


@pytest.mark.parametrize("rank", [3, FEATURES + 1])  # 3: all but flat in most directions
def test_a_model_is_minimised_exactly(rank):
    zeros = np.zeros(LANES, np.int32)
    lam = np.logspace(0, -5, LANES)
    for seed in range(5):
        parts = models(rank, seed)
        with jax.enable_x64(True):
            d, gain, _ = step(Lanes(lam, np.ones(LANES), zeros, zeros), parts, 1e-6)
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


def test_the_next_step_goes_on_from_the_inverse_of_the_last():
    """It is the Hessian's among the face; a wrong one that holds is seen, or it would be unused."""
    zeros = np.zeros(LANES, np.int32)
    lanes = Lanes(np.logspace(0, -5, LANES), np.ones(LANES), zeros, zeros)
    parts = models(FEATURES + 1, 0)
    with jax.enable_x64(True):
        d, _, memory = step(lanes, parts, 1e-6)
        assert memory.holds.tolist() == parts["active"].tolist()
        for lane in range(1, LANES):
            u = parts["params"][lane, 0] + np.asarray(d)[lane, 0]
            among = np.asarray(memory.among)[lane]
            np.testing.assert_array_equal(among, (u != 0) | (np.arange(len(u)) == FEATURES))
            truth = inverse_among(parts["hessian"][lane], among)
            np.testing.assert_allclose(memory.inverse[lane], truth, atol=1e-6 * np.abs(truth).max())
        there = parts | {"params": parts["params"] + d, "memory": memory}
        slope = np.einsum("lpq,lq->lp", parts["hessian"], np.asarray(d)[:, 0])
        there["grad"] = parts["grad"] + 0.9 * slope[:, None]
        expected = step(lanes, there | {"memory": parts["memory"]}, 1e-6)[0]
        found = step(lanes, there, 1e-6)[0]
        np.testing.assert_allclose(found, expected, atol=1e-8)
        wrong = memory._replace(inverse=0.9 * memory.inverse)
        other = step(lanes, there | {"memory": wrong}, 1e-6)[2].inverse
        assert np.abs(other - step(lanes, there, 1e-6)[2].inverse).max() > 1e-3


def test_an_inverse_learns_what_its_hessian_learns():
    rng = np.random.default_rng(1)
    size, num_lanes = 9, 3
    half = rng.normal(size=(num_lanes, size, size))
    hessian = half @ half.swapaxes(1, 2) + 0.1 * np.eye(size)
    among = rng.random((num_lanes, size)) < 0.6
    inverse = np.stack([inverse_among(*pair) for pair in zip(hessian, among, strict=True)])
    for _ in range(5):
        s = rng.normal(size=(num_lanes, size))
        y = np.einsum("lpq,lq->lp", hessian, s) * rng.uniform(0.5, 2, (num_lanes, 1))
        y[2] *= -1  # no curvature: this lane learns nothing
        with jax.enable_x64(True):
            inverse, trusted = quasi_newton.learnt_inverse(inverse, among, hessian, s, y)
            hessian = np.asarray(quasi_newton.learnt_hessian(hessian, s, y))
        assert trusted.all()
        for lane in range(num_lanes):
            truth = inverse_among(hessian[lane], among[lane])
            np.testing.assert_allclose(inverse[lane], truth, atol=1e-9 * np.abs(truth).max())


@pytest.mark.parametrize(("flat", "trusted"), [(1.0, True), (1e-9, False)])
def test_an_inverse_that_loses_its_digits_is_not_trusted(flat, trusted):
    """A change of the gradient with a part where the Hessian had been flat all but cancels."""
    hessian, inverse = np.diag([1.0, flat])[None], np.diag([1.0, 1 / flat])[None]
    s, y, both = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]), np.ones((1, 2), bool)
    with jax.enable_x64(True):
        _, found = quasi_newton.learnt_inverse(inverse, both, hessian, s, y)
    assert found.tolist() == [trusted]
