"""A sweep that is steered: stopped, gone on with, pruned; lanes that leave by themselves."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import sweeps
from jaxlr.sweeps import Ending, plans
from tests.test_sweeps_plan import ASKED, BATCH, LANE, LANES, OPTIONS, ORDER

as_shipped = pytest.mark.as_shipped
S, L = 8, 48


def run(**options):
    return sweeps.run(*ASKED, **{**OPTIONS, "num_segments": S, **options})


@pytest.fixture(scope="module")
def full():
    """The sweep without steering, and every progress on its way."""
    kept = []
    swept = run(on_segment=lambda done, progress: kept.append(progress))
    return swept, kept


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Three chunks of 16 lanes, so that lanes that leave empty some."""
    monkeypatch.setattr(plans, "fastest", lambda task: 16)


def replayed(values, patience, least, target):
    """(segments, best segment, ending) of one lane's curve, in plain Python."""
    best, at = np.inf, 0
    for done, value in enumerate(values, start=1):
        if value < best - least:
            best, at = value, done
        if value <= target:
            return done, at, Ending.TARGET
        if done - at >= patience:
            return done, at, Ending.PATIENCE
    return len(values), at, Ending.DONE


@as_shipped
def test_lanes_that_leave_are_those_of_the_whole_sweep_bit_for_bit(full):
    whole, kept = full
    curves = whole.metrics["log_loss"]
    target, least = np.quantile(curves[:, -1], 0.2), np.quantile(-np.diff(curves), 0.4)
    stop = sweeps.Stop("log_loss", patience=2, least=least, target=target)
    swept = run(stop=stop)
    assert {Ending.DONE, Ending.TARGET, Ending.PATIENCE} == set(swept.ending)
    for i, curve in enumerate(curves):
        segments, best, ending = replayed(curve.astype(float), 2, least, target)
        assert (swept.segments[i], swept.peak.segment[i]) == (segments, best)
        assert swept.ending[i] == ending
        then, at_best = kept[segments - 1], kept[best - 1]
        of_lane = jax.tree.map(lambda leaf, i=i: leaf[i], (swept.state, swept.peak.params))
        wanted = then.state, at_best.state.params
        chex.assert_trees_all_equal(of_lane, jax.tree.map(lambda leaf, i=i: leaf[i], wanted))
        np.testing.assert_array_equal(swept.metrics["log_loss"][i, :segments], curve[:segments])
        assert set(swept.metrics["log_loss"][i, segments:]) <= {curve[segments - 1]}


@as_shipped
def test_a_kept_progress_goes_on_to_the_same_bits(full):
    whole, kept = full
    for done in (1, 5):
        went = run(progress=kept[done - 1])
        chex.assert_trees_all_equal(whole.state, went.state)
        chex.assert_trees_all_equal(whole.metrics, went.metrics)
        assert kept[done - 1].done == done, "what was kept is left alone"


@pytest.mark.once
def test_stop_is_an_answer(full):
    halted = run(on_segment=lambda done, progress: "stop" if done == 3 else None)
    np.testing.assert_array_equal(halted.metrics["log_loss"], full[0].metrics["log_loss"][:, :3])
    assert set(halted.ending) == {Ending.RUNNING}
    assert set(halted.frame()["status"]) == {"running"}


@pytest.mark.once
def test_each_lane_has_its_own_numbers_and_more_may_be_better():
    patience = np.where(np.arange(L) % 2, 1, np.inf)
    stop = sweeps.Stop("log_loss", patience=patience, maximise=True, limit=0.9)
    swept = run(stop=stop)
    assert set(swept.ending[::2]) <= {Ending.DONE, Ending.LIMIT}
    assert Ending.PATIENCE in swept.ending[1::2]
    low = (swept.metrics["log_loss"] < 0.9).any(axis=1)
    np.testing.assert_array_equal(low, swept.ending == Ending.LIMIT)


@pytest.mark.once
def test_segments_of_its_own_end_a_lane():
    few = np.resize([2, S], len(LANES.fold) // 3)
    lanes = sweeps.cross(
        {name: np.asarray(column)[::3] for name, column in LANES.hypers.items()}, 3, segments=few
    )
    plan, calls = counted(sweeps.plan(LANE, lanes, BATCH, ORDER, **OPTIONS | {"num_segments": S}))
    swept = run_lanes(lanes, plan=plan)
    np.testing.assert_array_equal(swept.segments, np.repeat(few, 3))
    assert set(swept.ending) == {Ending.DONE}
    assert len(calls) == 2 * 3 + 6 * 2, "half of the lanes fill two chunks"


@pytest.mark.once
def test_chunks_are_narrow_where_lanes_have_fewer_segments(monkeypatch):
    monkeypatch.setattr(plans, "fastest", lambda task: 256)
    widths = [
        sweeps.plan(LANE, LANES._replace(segments=own), *ASKED[2:], **OPTIONS).width
        for own in (None, np.full(L, 4), np.resize([1, 4], L))
    ]
    assert widths == [L, L, 16]


def run_lanes(lanes, **options):
    return sweeps.run(LANE, lanes, BATCH, ORDER, **{**OPTIONS, "num_segments": S, **options})


@pytest.mark.once
def test_pruned_lanes_are_not_computed_and_never_the_best(full):
    best = full[0].best.configuration[0]
    goes_on = np.asarray(LANES.configuration) != best
    goes_on[24:] = False

    def schedule(done, progress):
        return goes_on if done == 2 else None

    asked = {**OPTIONS, "num_segments": S, "schedule": schedule}
    plan, calls = counted(sweeps.plan(*ASKED, **asked))
    swept = run(schedule=schedule, plan=plan)
    assert len(calls) == 2 * 3 + 6 * 2
    assert (swept.ending == np.where(goes_on, Ending.DONE, Ending.PRUNED)).all()
    assert set(swept.best.ending) == {Ending.DONE}
    assert set(swept.segments[~goes_on]) == {2}
    with pytest.raises(
        ValueError, match="answer None, a boolean for each of the 48 lanes or a Turn"
    ):
        run(schedule=lambda done, progress: np.ones(3))


def counted(plan):
    """The plan, and a list that grows by one with each chunk."""
    calls = []

    class Counted:
        out_info = plan.program.out_info

        def __call__(self, *args):
            calls.append(1)
            return plan.program(*args)

    return plan._replace(program=Counted()), calls


@pytest.mark.once
def test_random_keys_may_be_part_of_a_state():
    class Noisy(NamedTuple):
        params: dict
        key: jax.Array

    def init(hyper, key):
        return Noisy({"w": jnp.zeros(())}, key)

    def step(hyper, state, batch):
        key, own = jax.random.split(state.key)
        w = state.params["w"] + jax.random.normal(own)
        return Noisy({"w": w}, key), w**2

    lane = sweeps.Lane(init, step, lambda hyper, state, batch: {"w": state.params["w"]})
    lanes = sweeps.cross({}, seeds=jnp.arange(20))
    options = {"num_segments": 2, "stop": sweeps.Stop("w")}
    kept = []
    swept = sweeps.run(
        lane, lanes, BATCH, ORDER[:4], **options, on_segment=lambda *told: kept.append(told[1])
    )
    again = sweeps.run(lane, lanes, BATCH, ORDER[:4], **options, progress=kept[0])
    assert (again.state.key == swept.state.key).all()
    assert len(np.unique(swept.metrics["w"])) == 40
    for seed in (0, 19):
        key, w = jax.random.key(seed), 0.0
        for _ in range(4):
            key, own = jax.random.split(key)
            w += float(jax.random.normal(own))
        assert swept.state.params["w"][seed] == pytest.approx(w, rel=1e-5)
        assert swept.state.key[seed] == key


@pytest.mark.once
def test_mistakes_are_named(full):
    with pytest.raises(ValueError, match=r"stop.metric must be one of \['log_loss'\], and is"):
        run(stop=sweeps.Stop("auc"))
    with pytest.raises(ValueError, match="progress is of 48 lanes, and there are 12"):
        run_lanes(jax.tree.map(lambda leaf: leaf[:12], LANES), progress=full[1][0])
