"""Population-based training beside a replay in plain Python of a lane that is a number."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import sweeps
from jaxlr.sweeps import populations
from tests.test_sweeps_plan import BATCH, ORDER

pytestmark = pytest.mark.once
K, FOLDS, S, STEPS = 12, 2, 5, 3
SPACE = {"rate": sweeps.LogUniform(1e-3, 1.5)}


class Number(NamedTuple):
    params: jnp.ndarray


def step(hyper, state, batch):
    """A step down w²/2, from 1 on fold 0 and 2 on fold 1."""
    return Number(state.params * (1 - hyper["rate"])), state.params**2


LANE = sweeps.Lane(
    lambda hyper, key: Number(jnp.ones(())),
    step,
    lambda hyper, state, batch: {"loss": state.params**2 + hyper["other"]},
)
LANES = sweeps.cross({"rate": np.geomspace(1e-3, 1.5, K), "other": np.zeros(K)}, FOLDS)
FOLD_WEIGHTS = jnp.asarray(np.arange(len(BATCH.x)) % FOLDS != np.arange(FOLDS)[:, None], float)


def run(**options):
    asked = {"fold_weights": FOLD_WEIGHTS, "num_segments": S} | options
    return sweeps.run(LANE, LANES, BATCH, ORDER[: S * STEPS], **asked)


def test_the_worst_go_on_from_the_best_with_other_numbers():
    kept = []
    schedule = sweeps.population(LANES, "loss", SPACE, seed=3)
    swept = run(schedule=schedule, on_segment=lambda done, progress: kept.append(progress))
    assert swept.sources.shape == (K * FOLDS, S - 1)
    w, rate = np.ones(K * FOLDS), np.repeat(np.geomspace(1e-3, 1.5, K), FOLDS)
    config = np.arange(K * FOLDS) // FOLDS
    for segment in range(S):
        w = w * (1 - rate) ** STEPS
        np.testing.assert_allclose(swept.metrics["loss"][:, segment], w**2, rtol=1e-3, atol=1e-9)
        if segment == S - 1:
            break
        mean = (swept.metrics["loss"][:, segment].reshape(K, FOLDS)).mean(axis=1)
        ranked = np.argsort(mean, kind="stable")
        source, now = swept.sources[:, segment], kept[segment].hypers["rate"]
        moved = config[source] != config
        np.testing.assert_array_equal(np.unique(config[moved]), np.sort(ranked[-3:]))
        assert set(config[source[moved]]) <= set(ranked[:3])
        np.testing.assert_array_equal(source % FOLDS, np.arange(K * FOLDS) % FOLDS)
        allowed = np.clip(np.outer(populations.FACTORS, rate[source]), *SPACE["rate"])
        assert np.isclose(allowed, now, rtol=1e-5).any(axis=0)[moved].all()
        np.testing.assert_array_equal(now[~moved], rate[~moved].astype(now.dtype))
        w, rate = w[source], now.astype(float)
    np.testing.assert_array_equal(swept.hypers["rate"], kept[-1].hypers["rate"])


def test_the_same_seed_and_a_resumed_run_are_the_same(tmp_path):
    schedule = sweeps.population(LANES, "loss", SPACE, every=2)
    whole = run(schedule=schedule)
    np.testing.assert_array_equal(whole.sources[:, 0], np.arange(K * FOLDS))
    checkpoints = sweeps.Checkpoints(tmp_path, seconds=0)
    run(schedule=schedule, checkpoints=checkpoints, on_segment=lambda d, p: "stop" * (d == 3))
    went = run(schedule=schedule, checkpoints=sweeps.Checkpoints(tmp_path))
    for one in (run(schedule=schedule), went):
        np.testing.assert_array_equal(one.metrics["loss"], whole.metrics["loss"])
        np.testing.assert_array_equal(one.sources, whole.sources)
        np.testing.assert_array_equal(one.hypers["rate"], whole.hypers["rate"])
    other = run(schedule=sweeps.population(LANES, "loss", SPACE, every=2, seed=1))
    assert not np.array_equal(other.sources, whole.sources)


def test_a_lineage_is_the_numbers_that_made_each_lane_and_they_make_it_again():
    swept = run(schedule=sweeps.population(LANES, "loss", SPACE, seed=3))
    found = sweeps.lineage(LANES, swept)
    assert found.lane.shape == found.hypers["rate"].shape == (K * FOLDS, S)
    np.testing.assert_array_equal(found.lane[:, -1], np.arange(K * FOLDS))
    assert (found.lane[:, 0] != found.lane[:, -1]).any()
    np.testing.assert_array_equal(found.hypers["rate"][:, -1], swept.hypers["rate"])
    np.testing.assert_array_equal(
        found.hypers["rate"][:, 0], LANES.hypers["rate"][found.lane[:, 0]]
    )
    w = np.prod((1.0 - found.hypers["rate"]) ** STEPS, axis=1)  # one number, plainly
    np.testing.assert_allclose(w, swept.state.params, rtol=1e-3, atol=1e-9)
    first = {name: column[:, 0] for name, column in found.hypers.items()}
    again = sweeps.run(
        LANE,
        LANES._replace(hypers=first),
        BATCH,
        ORDER[: S * STEPS],
        fold_weights=FOLD_WEIGHTS,
        num_segments=S,
        schedule=sweeps.replay(found.hypers),
    )
    np.testing.assert_array_equal(again.state.params, swept.state.params)
    np.testing.assert_array_equal(again.metrics["loss"][:, -1], swept.metrics["loss"][:, -1])


def test_only_a_whole_sweep_with_a_schedule_has_a_lineage():
    swept = run(schedule=sweeps.population(LANES, "loss", SPACE))
    for other in (run(), swept.best):
        with pytest.raises(ValueError, match="must be that of all 24 lanes, to its end and with "):
            sweeps.lineage(LANES, other)


def test_what_has_diverged_is_replaced():
    wild = sweeps.cross(
        {"rate": np.where(np.arange(K) < 2, 1e20, 0.1), "other": np.zeros(K)}, FOLDS
    )
    schedule = sweeps.population(wild, "loss", SPACE)
    swept = sweeps.run(
        LANE,
        wild,
        BATCH,
        ORDER[: S * STEPS],
        fold_weights=FOLD_WEIGHTS,
        num_segments=S,
        schedule=schedule,
    )
    assert np.isfinite(swept.metrics["loss"][:, -1]).all()
    assert (swept.died_at == sweeps.ALIVE).all()


def test_a_part_is_at_most_a_half():
    with pytest.raises(ValueError, match=r"part must lie above 0 and be at most 0\.5, and is 0\.7"):
        sweeps.population(LANES, "loss", SPACE, part=0.7)
    with pytest.raises(ValueError, match=r"a part of 0\.05 of 12 configurations is none; take at"):
        sweeps.population(LANES, "loss", SPACE, part=0.05)
