"""A plan's promises: widths change no bit, memory is kept to, compilations are counted."""

import platform

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, data, losses, models, optimizers, sweeps
from jaxlr.sweeps import memory, plans, tasks

N, D, C, FOLDS, CONFIGS = 60, 6, 3, 3, 16
as_shipped = pytest.mark.as_shipped
rng = np.random.default_rng(0)
BATCH = Batch(
    jnp.asarray(rng.normal(size=(N, D)), float), jnp.asarray(rng.integers(0, C, N), jnp.int32)
)
FOLD_WEIGHTS = jnp.asarray(np.arange(N) % FOLDS != np.arange(FOLDS)[:, None], float)
ORDER = data.epochs(jax.random.key(0), N, 12, 8)
LANES = sweeps.cross(
    {"learning_rate": np.geomspace(1e-2, 1, CONFIGS), "l2": np.geomspace(1e-4, 1e-1, CONFIGS)},
    FOLDS,
)


def make_risk(hyper):
    return losses.risk(models.linear, losses.softmax_cross_entropy, l2=hyper["l2"])


LANE = sweeps.descent(
    lambda key: models.init_linear(D, C),
    make_risk,
    lambda hyper: optimizers.adam(hyper["learning_rate"]),
    lambda params, batch: {
        "log_loss": losses.risk(models.linear, losses.softmax_cross_entropy)(params, batch)
    },
)
ASKED = (LANE, LANES, BATCH, ORDER)
OPTIONS = {"fold_weights": FOLD_WEIGHTS, "num_segments": 4}


def lanes_until(num_lanes):
    return jax.tree.map(lambda leaf: leaf[:num_lanes], LANES)


def with_width(monkeypatch, width, num_lanes=48):
    monkeypatch.setattr(plans, "fastest", lambda task: width)
    return sweeps.plan(LANE, lanes_until(num_lanes), BATCH, ORDER, **OPTIONS)


@as_shipped
@pytest.mark.parametrize(("num_lanes", "width"), [(48, 48), (41, 32)])  # 41: idle places
def test_no_width_of_chunks_changes_a_bit(num_lanes, width, monkeypatch):
    asked = LANE, lanes_until(num_lanes), BATCH, ORDER
    wide, narrow = (with_width(monkeypatch, w, num_lanes) for w in (width, 16))
    assert (wide.width, narrow.width, narrow.num_chunks) == (width, 16, 3)
    whole, cut = (sweeps.run(*asked, **OPTIONS, plan=plan) for plan in (wide, narrow))
    assert len(whole.fold) == len(cut.fold) == num_lanes
    for name in ("state", "losses", "metrics", "died_at", "ending"):
        chex.assert_trees_all_equal(getattr(whole, name), getattr(cut, name))


@as_shipped
def test_chunks_of_a_few_lanes_differ_by_ulps_at_most(monkeypatch):
    whole = sweeps.run(*ASKED, **OPTIONS)
    monkeypatch.setattr(plans, "EVEN", 4)
    cut = with_width(monkeypatch, 4)
    assert (cut.width, cut.num_chunks) == (4, 12)
    found = sweeps.run(*ASKED, **OPTIONS, plan=cut)
    eps = jnp.finfo(jnp.result_type(float)).eps
    chex.assert_trees_all_close(whole.state, found.state, rtol=64 * eps, atol=4 * eps)


@pytest.mark.once
def test_the_compilations_are_those_that_the_plan_told():
    traces = []

    def step(hyper, state, batch):
        traces.append(1)
        return LANE.step(hyper, state, batch)

    lane = LANE._replace(step=step)
    plan = sweeps.plan(lane, *ASKED[1:], **OPTIONS)
    assert len(traces) == plan.num_compilations == 1
    sweeps.run(lane, *ASKED[1:], **OPTIONS, plan=plan)
    assert len(traces) == 1
    traces.clear()
    plan = sweeps.plan(lane, *ASKED[1:], **OPTIONS, memory=plan.bytes_total - 1)
    assert len(traces) == plan.num_compilations - 1 >= 1, "the widest was traced before"
    assert plan.num_chunks > 1


@pytest.mark.once
def test_the_plan_keeps_to_the_memory_it_is_given_or_says_what_is_needed():
    plan = sweeps.plan(*ASKED, **OPTIONS)
    x = BATCH.x.size * BATCH.x.itemsize
    assert x < plan.bytes_shared < 8 * x
    state = 3 * (D + 1) * C * BATCH.x.itemsize  # params and Adam's two moments
    assert state < plan.bytes_per_lane < 2 * state
    least = plan.bytes_shared + 48 * plan.bytes_per_lane
    for share in (0.8, 0.4):
        memory = int(least + share * (plan.bytes_total - least))
        assert sweeps.plan(*ASKED, **OPTIONS, memory=memory).bytes_total <= memory
    with pytest.raises(MemoryError, match="even with one lane at a time, and memory is 0"):
        sweeps.run(*ASKED, **OPTIONS, memory=1000)


@pytest.mark.once
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="gives back what is freed by itself")
def test_freed_memory_is_given_back_where_there_is_more_than_asked():
    blocks = [bytes(60_000) for _ in range(4000)]
    del blocks[::2], blocks[::3]  # what is left lies between gaps
    before = memory.resident()
    memory.keep_below(2 * before)
    assert memory.resident() > 0.9 * before
    memory.keep_below(before // 2)
    assert memory.resident() < before - 1e8


@pytest.mark.once
def test_every_chunk_begins_below_what_was_given(monkeypatch):
    plan, seen = with_width(monkeypatch, 16), []
    monkeypatch.setattr(memory, "resident", lambda: 1000)
    monkeypatch.setattr(memory, "keep_below", seen.append)
    sweeps.run(*ASKED, **OPTIONS, plan=plan)
    between = 1000 + plan.bytes_given - plan.bytes_shared - plan.bytes_chunk
    assert seen == [between] * plan.num_chunks * plan.num_segments


@pytest.mark.once
def test_the_plan_counts_operations_and_seconds():
    rows, steps = 12, ORDER.shape[0]
    products = 2 * D * C * (2 * rows * steps + 4 * N)  # forward, backward; an evaluation a segment
    plan = sweeps.plan(*ASKED, **OPTIONS)
    assert 48 * products < plan.flops < 48 * products * 20
    assert 0 < plan.run_seconds < 10


@pytest.mark.parametrize(
    ("num_lanes", "leaving", "width"),
    [
        (1, False, 1),
        (256, False, 256),
        (257, False, 144),  # not 256 and 1
        (1280, False, 256),
        (1280, True, 160),
        (100, True, 16),
        (12, True, 12),
    ],
)
def test_chunks_are_alike_and_even(num_lanes, leaving, width):
    assert plans.even(num_lanes, 256, leaving) == width


@pytest.mark.once
@pytest.mark.skipif(jax.default_backend() != "cpu", reason="no cache to keep to")
@pytest.mark.parametrize(("num_rows", "wide"), [(N, True), (10**6, False)])
def test_small_lanes_fill_the_cache_and_large_ones_do_not(num_rows, wide):
    task = tasks.task(*ASKED, FOLD_WEIGHTS, 1)
    labels = jax.ShapeDtypeStruct((num_rows,), jnp.int32)
    rows = task.rows._replace(batch=BATCH._replace(labels=labels))
    assert (plans.fastest(task._replace(rows=rows)) > plans.WIDE) == wide


@pytest.mark.once
def test_a_plan_of_other_lanes_is_refused():
    plan = sweeps.plan(*ASKED, **OPTIONS)
    with pytest.raises(ValueError, match="plan is of 48 lanes, and there are 12"):
        sweeps.run(LANE, lanes_until(12), BATCH, ORDER, **OPTIONS, plan=plan)
