"""Numbers are data: every one of them is swept by vmap, and no new value compiles anything."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import optimizers
from tests.test_optimizers import PLAIN, TABLE, VARIANTS
from tests.test_optimizers_trajectories import problem, ulps, walk, walk_of_ours

pytestmark = pytest.mark.once  # the trajectories are walked in both
RATE = 0.01
# Every row with a number that no earlier row of the same optimizer has.
SWEPT = PLAIN + [case for case in VARIANTS if "momentum" in case.numbers and len(case.flags) < 2]
in_swept = pytest.mark.parametrize("case", SWEPT, ids=str)
# Steps feed back on weights (lamb, lars, decay), and each of 200 adds its rounding.
ULPS = 64
# Far enough from every default to be seen in the steps.
ELSEWHERE = {
    "learning_rate": 0.02,
    "momentum": 0.7,
    "decay": 0.6,
    "rho": 0.6,
    "b1": 0.7,
    "b2": 0.8,
    "b3": 0.7,
    "eps": 0.3,
    "eps_root": 0.3,
    "initial_accumulator_value": 2.0,
    "initial_scale": 2.0,
    "weight_decay": 0.3,
    "trust_coefficient": 0.01,
    "threshold": 9.0,
    "eta": 0.1,
    "gamma": 0.9,
    "eta_minus": 0.8,
    "eta_plus": 1.1,
    "min_step_size": 0.004,
    "max_step_size": 0.015,
}


class Runs:
    """A row's walk with traced numbers: one at a time and in lanes; and how often it traced."""

    def __init__(self, case):
        self.case, self.num_traces = case, 0
        self.single = jax.jit(self.walk)

    def walk(self, numbers, params, grads):
        self.num_traces += 1
        return walk(self.case.make(optimizers, **numbers), params, grads)


@functools.cache
def runs_of(name):
    return Runs({str(case): case for case in TABLE}[name])


def numbers_of(case):
    return {"learning_rate": RATE, **case.defaults()}


def quiet(case):
    """The row's numbers, without what moves weights by itself."""
    numbers = numbers_of(case)
    return {**numbers, **{name: 0.0 for name in ("weight_decay", "eta") if name in numbers}}


def arrays(numbers):
    return jax.tree.map(lambda x: jnp.asarray(x, float), numbers)


@in_swept
def test_lanes_over_every_number_are_the_runs_one_by_one(case):
    numbers = numbers_of(case)
    lanes = [numbers] + [{**numbers, name: ELSEWHERE[name]} for name in numbers]
    runs = runs_of(str(case))
    one_by_one = [runs.single(arrays(lane), *problem()) for lane in lanes]
    assert runs.num_traces == 1
    stacked = jax.tree.map(lambda *x: jnp.asarray(x, float), *lanes)
    together = jax.jit(jax.vmap(runs.walk, in_axes=(0, None, None)))(stacked, *problem())
    together = jax.device_get(together)
    assert runs.num_traces == 2
    runs.num_traces = 1
    for i, alone in enumerate(one_by_one):
        lane = jax.tree.map(lambda x, i=i: x[i], together)
        worst = jax.tree.map(ulps, lane, alone)
        assert max(jax.tree.leaves(worst)) <= ULPS, (lanes[i], worst)
        if i:  # the number that was changed changes something
            assert np.any(np.asarray(alone["n"][0]) != np.asarray(one_by_one[0]["n"][0])), lanes[i]


@in_swept
def test_traced_numbers_take_the_steps_of_python_numbers(case):
    """To the float32 of 1 - 0.999, which Python computes in float64: 5e-5."""
    traced = runs_of(str(case)).single(arrays(numbers_of(case)), *problem())
    python = walk_of_ours(str(case))
    for x, y in zip(jax.tree.leaves(traced), jax.tree.leaves(python), strict=True):
        scale = np.max(np.abs(y), initial=0)
        tolerance = 1e-12 if x.dtype == np.float64 else 2e-4
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * scale)


@in_swept
def test_zero_gradients_move_nothing(case):
    params, grads = problem()
    numbers = {
        **numbers_of(case),
        **dict.fromkeys({"weight_decay", "eta"} & numbers_of(case).keys(), 0.0),
    }
    updates = runs_of(str(case)).single(
        arrays(numbers), params, jax.tree.map(jnp.zeros_like, grads)
    )
    still = RATE * 1e-2 if case.name == "yogi" else 0  # its mean gradient starts at 1e-6
    for u in jax.tree.leaves(updates):
        assert np.all(np.abs(u) <= still)


@in_swept
def test_huge_gradients_end_in_no_nan(case):
    params, grads = problem()
    huge = jax.tree.map(lambda g: 1e15 * jnp.sign(g), grads)
    updates = runs_of(str(case)).single(arrays(numbers_of(case)), params, huge)
    for u in jax.tree.leaves(updates):
        assert np.all(np.isfinite(u))


def test_adagrad_stays_where_it_has_seen_no_slope():
    adagrad = optimizers.adagrad(0.1, initial_accumulator_value=0.0, eps=0.0)
    updates, _ = adagrad.update(jnp.zeros(3), adagrad.init(jnp.zeros(3)))
    assert updates.tolist() == [0, 0, 0]


@pytest.mark.parametrize("bias_correction", [False, True])
def test_a_variance_that_rounds_below_zero_is_zero(bias_correction):
    """s - m² of a constant slope; optax's root of it is NaN."""
    grads = jnp.repeat(jnp.linspace(10.0, 1000.0, 64)[None], 300, axis=0)
    rmsprop = optimizers.rmsprop(0.1, centered=True, bias_correction=bias_correction)
    updates = jax.jit(functools.partial(walk, rmsprop))(jnp.zeros(64), grads)
    assert np.all(np.isfinite(updates))


@in_swept
def test_a_frozen_leaf_stays_and_disturbs_no_other(case):
    params, grads = problem()
    numbers = {
        **numbers_of(case),
        **dict.fromkeys({"weight_decay", "eta"} & numbers_of(case).keys(), 0.0),
    }
    run = functools.partial(runs_of(str(case)).single, arrays(numbers), params)
    free, frozen = run(grads), run({**grads, "m": jnp.zeros_like(grads["m"])})
    chex.assert_trees_all_equal(free["n"], frozen["n"])
    assert np.any(free["m"] != 0)
    assert case.name == "yogi" or np.all(frozen["m"] == 0)


@in_swept
def test_no_new_number_and_no_new_gradient_compiles_anything(case):
    runs = runs_of(str(case))
    for rate in (0.1, 0.2, 0.3):
        runs.single(arrays({**numbers_of(case), "learning_rate": rate}), *problem())
    assert runs.num_traces == 1


NAMES = ("learning_rate", "b1", "b2", "eps", "eps_root", "weight_decay")


@given(swept=st.sets(st.sampled_from(NAMES)), traced=st.sets(st.sampled_from(NAMES)))
def test_any_subset_of_the_numbers_can_be_lanes(swept, traced):
    """The others traced, or Python's. Traced only: it is the tracing that could fail."""

    def run(lanes, singles):
        python = {name: 0.1 for name in NAMES if name not in {*lanes, *singles}}
        optimizer = optimizers.adamw(**lanes, **singles, **python)
        params = {"w": jnp.ones((3, 2)), "b": jnp.ones((), jnp.bfloat16)}
        return optimizer.update(params, optimizer.init(params), params)[0]

    lanes = {name: jnp.full(5, 0.1) for name in swept}
    singles = {name: jnp.asarray(0.1) for name in traced - swept}
    in_axes = (dict.fromkeys(lanes, 0), dict.fromkeys(singles))
    if not swept:
        shapes = jax.eval_shape(run, lanes, singles)
        assert shapes["w"].shape == (3, 2)
    else:
        shapes = jax.eval_shape(jax.vmap(run, in_axes), lanes, singles)
        assert shapes["w"].shape == (5, 3, 2)
    assert shapes["b"].dtype == jnp.bfloat16


def test_momentum_ema_is_the_heavy_ball_with_a_smaller_step():
    """v_ema = (1 - β)·v_ball, so sgd(α(1 - β), β) and momentum_ema(α, β) take the same steps."""
    rates, decays = jnp.asarray(np.random.default_rng(2).uniform(size=(2, 256)))
    w, grads = (tree["n"][0] for tree in problem())

    def both(rate, decay):
        ema = walk(optimizers.momentum_ema(rate, decay), w, grads)
        ball = walk(optimizers.sgd(rate * (1 - decay), decay), w, grads)
        return ema, ball

    ema, ball = jax.jit(jax.vmap(both))(rates, decays)
    # Ulps of the largest step of the lane; 1 - β is known to as many ulps of 1.
    scale = np.max(np.abs(ball), axis=1, keepdims=True)
    ulp = float(jnp.finfo(ema.dtype).eps) / np.reshape(1 - decays, (256, 1, 1, 1))
    assert np.all(np.abs(ema - ball) <= 8 * ulp * scale)
    assert np.all(scale > 0)
