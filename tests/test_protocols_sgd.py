"""CLIP_benchmark's and DINOv2's descents, beside optax and loops written out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.datasets import DataError
from experiments.kit.mistakes import SettingError
from experiments.protocols import clip_benchmark, descents, dinov2_heads
from experiments.protocols.found import Rows, Splits
from experiments.protocols.schedules import cosine
from jaxlr import sweeps
from jaxlr.pytypes import Batch

pytestmark = pytest.mark.once
RNG = np.random.default_rng(3)
NAMES = ("no", "so", "yes")


def rows(num):
    labels = np.arange(num) % 3
    x = np.eye(3, 4)[labels] + RNG.normal(size=(num, 4))
    return Rows(x.astype(np.float32), labels.astype(np.int32))


TRAIN, DEV, TEST = rows(20), rows(9), rows(10)
BATCH = {"epochs": 3, "batch_size": 8}


def task(validation=DEV, test=TEST):
    return Splits("task", TRAIN, validation, test, NAMES)


def test_the_rate_is_optax_s_cosine_without_a_warm_up():
    steps = jnp.arange(50)
    with jax.numpy_dtype_promotion("standard"):
        theirs = optax.cosine_decay_schedule(0.1, 50)(steps)
    np.testing.assert_allclose(cosine(0.1, 50)(steps), theirs, rtol=1e-5, atol=1e-8)
    assert cosine(0.1, 50)(jnp.int32(0)) == np.float32(0.1)


def test_an_epoch_is_a_shuffle_of_all_rows_and_its_last_batch_may_be_short():
    order = descents.epochs(7, 20, 8, 3)
    assert order.shape == (9, 8)
    for epoch in order.reshape(3, 24):
        assert sorted(epoch[:20]) == list(range(20))
        assert (epoch[20:] == 20).all()
    assert (order[:3] != order[3:6]).any()
    batch = descents.with_absent(TRAIN)
    np.testing.assert_array_equal(batch.weights, [*np.ones(20), 0])
    assert descents.epochs(7, 20, 5, 3).shape == (12, 5)


def test_shuffles_without_end_fill_every_batch():
    order = descents.endless(7, 20, 8, 11)
    assert order.shape == (11, 8)
    assert sorted(order.ravel()[:20]) == sorted(order.ravel()[20:40]) == list(range(20))
    assert (order.ravel()[:20] != order.ravel()[20:40]).any()
    assert descents.endless(7, 3, 8, 2).shape == (2, 8)


def descended(rule, params, order):
    """Params after every batch of the order, by optax; rows from 20 on are none."""

    def risk(params, x, labels):
        scores = x @ params["w"] + params["b"][None]
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()

    state = rule.init(params)
    for own in order:
        own = own[own < 20]
        grads = jax.grad(risk)(params, TRAIN.x[own], TRAIN.labels[own])
        with jax.numpy_dtype_promotion("standard"):
            updates, state = rule.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return params


def starts(lane, seeds):
    """The params that each lane begins with."""
    return [
        lane.init({"learning_rate": 0.1, "weight_decay": 0.1}, jax.random.key(s)).params
        for s in seeds
    ]


def test_decays_are_lanes_of_optax_s_adamw():
    decays = np.array([1e-4, 1.0, 30.0])
    swept = clip_benchmark.descend(TRAIN, 3, decays, 5, **BATCH)
    order = descents.epochs(5, 20, 8, 3)
    (start,) = starts(clip_benchmark.lane(4, 3, 9), [5])
    found = descents.params(swept)
    for own, decay in zip(found, decays, strict=True):
        rule = optax.adamw(optax.cosine_decay_schedule(0.1, 9), weight_decay=decay)
        theirs = descended(rule, start, order)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5), own, theirs
        )


def test_heads_are_lanes_of_optax_s_momentum():
    rates = np.array([1e-3, 0.2])
    swept = dinov2_heads.descend(TRAIN, 3, rates, 4, 11, 8)
    order = descents.endless(4, 20, 8, 11)
    begun = starts(dinov2_heads.lane(4, 3, 11), [8, 9])
    for own, start, rate in zip(descents.params(swept), begun, rates, strict=True):
        rule = optax.sgd(optax.cosine_decay_schedule(rate, 11), momentum=0.9)
        theirs = descended(rule, start, order)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), own, theirs
        )
    assert (begun[0]["w"] != begun[1]["w"]).any()


def test_segments_change_no_bit_and_work_that_is_left_ends_between_them(monkeypatch):
    one, order = dinov2_heads.lane(4, 3, 12), descents.endless(4, 20, 8, 12)
    lanes = sweeps.cross({"learning_rate": np.array([1e-3, 0.2])}, seeds=np.arange(2))
    whole = sweeps.run(one, lanes, Batch(TRAIN.x, TRAIN.labels), order)
    parts = descents.run(one, lanes, Batch(TRAIN.x, TRAIN.labels), order)
    assert parts.losses.shape == (2, 12)
    jax.tree.map(np.testing.assert_array_equal, whole.state, parts.state)
    seen = []

    def left():
        seen.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(descents.side_by_side, "go_on", left)
    with pytest.raises(KeyboardInterrupt):
        dinov2_heads.run(task(), iterations=12, batch_size=8)
    assert len(seen) == 1


def test_layers_start_as_the_originals_do():
    (start,) = starts(clip_benchmark.lane(400, 50, 1), [0])
    for leaf in start.values():
        assert np.abs(leaf).max() <= 0.05
        assert np.std(leaf) == pytest.approx(0.05 / 3**0.5, rel=0.2)
    (start,) = starts(dinov2_heads.lane(400, 50, 1), [0])
    assert np.std(start["w"]) == pytest.approx(0.01, rel=0.02)
    assert not start["b"].any()


def test_the_choice_of_the_search_is_refitted_and_its_curve_is_all_97():
    found = clip_benchmark.run(task(), seed=5, **BATCH)
    curve = found.curve
    assert len(curve) == 97
    assert 7 <= curve["searched"].sum() <= 16
    assert curve["searched"][curve["chosen"]].all()
    assert curve["chosen"].sum() == 1
    (decay,) = curve["weight_decay"][curve["chosen"]]
    assert found.chosen == {"weight_decay": decay}
    both = Rows(np.r_[TRAIN.x, DEV.x], np.r_[TRAIN.labels, DEV.labels])
    (params,) = descents.params(clip_benchmark.descend(both, 3, np.array([decay]), 5, **BATCH))
    jax.tree.map(np.testing.assert_array_equal, found.params, params)
    swept = clip_benchmark.descend(TRAIN, 3, clip_benchmark.DECAYS, 5, **BATCH)
    norms = [np.linalg.norm(own["w"]) for own in descents.params(swept)]
    np.testing.assert_allclose(curve["norm"], norms, rtol=1e-5)
    right = (TEST.x @ params["w"] + params["b"]).argmax(axis=1) == TEST.labels
    assert found.scores["accuracy"] == right.mean()
    assert found.statuses == {"certified": 14}
    assert list(found.table["fit"]) == ["AdamW", "exact"]


def test_a_few_shot_refit_has_training_rows_alone():
    found = clip_benchmark.run(task(), seed=5, few_shot=True, **BATCH)
    decay = np.array([found.chosen["weight_decay"]])
    (params,) = descents.params(clip_benchmark.descend(TRAIN, 3, decay, 5, **BATCH))
    jax.tree.map(np.testing.assert_array_equal, found.params, params)


def test_a_search_that_misses_the_best_decay_is_told_and_so_is_divergence():
    swept = clip_benchmark.descend(TRAIN, 3, np.array([1e-4, 1e30]), 5, **BATCH)
    accuracy = descents.accuracies(swept, DEV)
    assert accuracy[0] > 0 == accuracy[1]
    bumpy = np.full(97, 0.5)
    bumpy[60] = 0.75
    seen, best = clip_benchmark.searched(bumpy)
    missed, gone = clip_benchmark.remarks(swept, bumpy, seen, best)
    assert best == 0
    assert f"missed the best, {clip_benchmark.DECAYS[60]:.3g}: 0.7500 on validation" in missed
    assert gone.startswith("1 of the strongest decays diverged")


def test_heads_are_chosen_on_validation_rows_or_it_is_said_that_they_are_not():
    assert len(dinov2_heads.RATES) == 13
    honest = dinov2_heads.run(task(), iterations=11, batch_size=8)
    flattered = dinov2_heads.run(task(None), iterations=11, batch_size=8)
    for found, judge in ((honest, DEV), (flattered, TEST)):
        (best,) = np.flatnonzero(found.curve["chosen"])
        assert best == found.curve["accuracy"].argmax()
        assert found.chosen == {"learning_rate": dinov2_heads.RATES[best]}
        said = (judge.x @ found.params["w"] + found.params["b"]).argmax(axis=1)
        assert found.curve["accuracy"][best] == np.mean(said == judge.labels)
    np.testing.assert_allclose(honest.curve["scaled"], dinov2_heads.RATES * 8 / 256)
    assert honest.scores["best on test rows"] >= honest.scores["accuracy"]
    assert any("best of 13 on the test rows" in note for note in flattered.notes)
    assert not any("best of 13" in note for note in honest.notes)


def test_heads_without_test_rows_or_steps_are_refused():
    with pytest.raises(DataError, match="task has no test rows, which are what is reported"):
        dinov2_heads.run(task(test=None))
    with pytest.raises(SettingError, match="iterations must be at least 1, and is 0"):
        dinov2_heads.run(task(), iterations=0)
