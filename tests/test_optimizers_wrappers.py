"""Clipping, weight decay, chains and lookahead, against optax and by their definitions."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxlr import losses, models, optimizers, training
from jaxlr.pytypes import Batch
from tests.test_optimizers import X64, example, vectors
from tests.test_optimizers_trajectories import problem, walk

pytestmark = pytest.mark.once


@pytest.mark.parametrize("max_norm", [0.5, 5.0])
def test_clipping_is_that_of_optax(max_norm):
    for scale in (0.1, 0.99, 1.01, 1.5, 100.0):  # norms, in units of max_norm
        unit = jnp.float32(scale * max_norm / 10)  # ‖(-3 ... 2, 9)‖² = 19 + 81
        grads = {"w": unit * jnp.arange(-3.0, 3.0, dtype=unit.dtype).reshape(3, 2), "b": 9 * unit}
        ours, theirs = (x.clip_by_global_norm(max_norm) for x in (optimizers, optax))
        mine, state = ours.update(grads, ours.init(grads))
        yours, _ = theirs.update(grads, theirs.init(grads))
        chex.assert_trees_all_close(mine, yours, rtol=1e-6)
        assert jax.tree.leaves(state) == []
        length = np.sqrt(sum(np.sum(np.square(g)) for g in jax.tree.leaves(mine)))
        assert length <= max_norm * (1 + 1e-6)


def test_clipping_measures_leaves_of_all_dtypes_together():
    grads = {"w": jnp.full(4, 3.0, jnp.bfloat16), "b": jnp.asarray(8.0, jnp.float32)}
    clip = optimizers.clip_by_global_norm(jnp.float32(1.0))
    updates, _ = clip.update(grads, clip.init(grads))  # ‖(3, 3, 3, 3, 8)‖ = 10
    chex.assert_trees_all_equal_dtypes(updates, grads)
    np.testing.assert_allclose(updates["w"].astype(jnp.float32), 0.3, rtol=4e-3)
    np.testing.assert_allclose(updates["b"], 0.8, rtol=1e-6)


def test_clipping_in_float16_does_not_overflow():
    clip = optimizers.clip_by_global_norm(1.0)
    updates, _ = clip.update(jnp.full(4, 6e4, jnp.float16), clip.init(None))
    np.testing.assert_allclose(updates.astype(jnp.float32), 0.5, rtol=1e-3)


def test_clipping_no_leaves_is_nothing():
    clip = optimizers.clip_by_global_norm(1.0)
    assert clip.update({}, clip.init({}))[0] == {}


@pytest.mark.parametrize(
    "mask", [None, vectors, {"n": True, "m": False}], ids=["none", "function", "tree"]
)
def test_weight_decay_is_that_of_optax(mask):
    ours = optimizers.add_weight_decay(0.1, mask)
    theirs = optax.add_decayed_weights(0.1, mask)
    params, grads = example(0), example(1)
    mine, _ = ours.update(grads, ours.init(params), params)
    yours, _ = theirs.update(grads, theirs.init(params), params)
    chex.assert_trees_all_close(mine, yours, rtol=1e-6)
    if mask is not None:
        assert mine["m"] == grads["m"]


def test_weight_decay_may_be_a_schedule():
    decay = optimizers.add_weight_decay(lambda count: 0.5 * count.astype(jnp.float32))
    w, g = jnp.full(2, 4.0), jnp.ones(2)
    state = decay.init(w)
    for step in range(3):
        updates, state = decay.update(g, state, w)
        np.testing.assert_array_equal(updates, 1.0 + 0.5 * step * 4.0)


def matrix():
    """One leaf of the problem, and its stream of gradients."""
    return (tree["n"][0] for tree in problem())


def test_adamw_is_adam_and_a_decay_in_a_chain():
    """And the chain may hold optax's."""
    params, grads = matrix()
    chain = optimizers.chain(
        optimizers.adam(1.0),
        optax.scale(-1.0),
        optimizers.add_weight_decay(0.1),
        optax.scale(-0.01),
    )
    parts, whole = (
        jax.jit(functools.partial(walk, optimizer))(params, grads)
        for optimizer in (chain, optimizers.adamw(0.01, weight_decay=0.1))
    )
    chex.assert_trees_all_close(parts, whole, rtol=0, atol=1e-7)


def test_an_empty_chain_is_the_identity():
    chain = optimizers.chain()
    assert chain.update(jnp.ones(2), chain.init(jnp.ones(2)), None)[0].tolist() == [1, 1]


@pytest.mark.parametrize("reset_state", [False, True])
@pytest.mark.parametrize("pair", [optimizers.LookaheadParams, optax.LookaheadParams])
def test_lookahead_is_that_of_optax(pair, reset_state):
    params, grads = matrix()
    fast = jax.tree.map(lambda p: p + p, params)
    ours = optimizers.lookahead(optimizers.adam(0.1), 7, 0.4, reset_state)
    theirs = optax.lookahead(optax.adam(0.1), 7, 0.4, reset_state)
    mine = jax.jit(functools.partial(walk, ours))(pair(fast, params), grads)
    with jax.numpy_dtype_promotion("standard"):
        start = optax.LookaheadParams(fast, params)
        yours = jax.jit(functools.partial(walk, theirs))(start, grads)
    assert isinstance(mine, pair)
    chex.assert_trees_all_close(tuple(mine), tuple(yours), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reset_state", [False, True])
def test_slow_weights_may_live_in_the_state(reset_state):
    params, grads = matrix()
    optimizer = optimizers.lookahead(optimizers.adam(0.1), 5, 0.5, reset_state)
    alone = jax.jit(functools.partial(walk, optimizer))(params, grads)
    pair = optimizers.LookaheadParams(params, params)
    paired = jax.jit(functools.partial(walk, optimizer))(pair, grads)
    chex.assert_trees_all_close(alone, paired.fast, rtol=0, atol=1e-6)


def test_fast_and_slow_weights_meet_every_period():
    """With plain descent on a constant slope: 3 steps of 1 forward, 2 of them taken back."""
    optimizer = optimizers.lookahead(optimizers.sgd(1.0), 3, 1 / 3)
    w = jnp.zeros(2)
    state, path = optimizer.init(w), []
    for _ in range(7):
        updates, state = optimizer.update(-jnp.ones(2), state, w)
        w = w + updates
        path.append(float(w[0]))
    np.testing.assert_allclose(path, [1, 2, 1, 2, 3, 2, 3], rtol=1e-6)
    np.testing.assert_allclose(state.slow, 2.0, rtol=1e-6)


def test_lookahead_forgets_where_the_weights_meet():
    optimizer = optimizers.lookahead(optimizers.sgd(1.0, 0.9), 2, 0.5, reset_state=True)
    w = jnp.zeros(1)
    state = optimizer.init(w)
    velocities = []
    for _ in range(4):
        _, state = optimizer.update(jnp.ones(1), state, w)
        velocities.append(float(state.fast_state.velocity[0]))
    assert velocities == [1, 0, 1, 0]


def test_lanes_of_lookahead_are_the_runs_one_by_one():
    params, grads = matrix()

    def run(period, size):
        return walk(optimizers.lookahead(optimizers.sgd(0.1), period, size), params, grads)

    periods, sizes = jnp.array([1, 4, 9]), jnp.array([0.5, 0.3, 1.0])
    lanes = jax.jit(jax.vmap(run))(periods, sizes)
    single = jax.jit(run)
    for i in range(3):
        lane = jax.tree.map(lambda x, i=i: x[i], lanes)
        chex.assert_trees_all_close(lane, single(periods[i], sizes[i]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32] + [jnp.float64] * X64)
def test_lookahead_keeps_dtypes(dtype):
    optimizer = optimizers.lookahead(optimizers.adam(0.1), 2, jnp.float32(0.5), True)
    params = example(0, dtype)
    before = jax.eval_shape(optimizer.init, params)
    updates, after = jax.eval_shape(optimizer.update, params, before, params)
    assert before == after
    chex.assert_trees_all_equal_shapes_and_dtypes(updates, params)


@pytest.mark.parametrize("paired", [False, True])
def test_lookahead_trains(paired):
    """In a pair, gradients come for both kinds of weights, and only the fast ones count."""
    x = jnp.asarray(np.random.default_rng(3).normal(size=(64, 4)), float)
    batch = Batch(x, (x[:, 0] > 0).astype(jnp.int32))
    order = jnp.arange(160).reshape(20, 8) % 64
    params = {"w": jnp.full(4, 0.1), "b": jnp.asarray(0.1)}
    plain = losses.risk(models.linear, losses.log_loss)

    def risk(params, batch):
        return plain(params.fast if paired else params, batch)

    start = optimizers.LookaheadParams(params, params) if paired else params
    optimizer = optimizers.lookahead(optimizers.sgd(1.0), 5, 0.5)
    fit = jax.jit(lambda batch: training.fit(risk, optimizer, start, batch, order))(batch)
    slow = fit.params.slow if paired else fit.opt_state.slow
    assert plain(slow, batch) < 0.4 < np.log(2)
