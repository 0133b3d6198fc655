"""Halving over rows beside a plain loop of optax on the rows of every rung."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxlr import sweeps
from jaxlr.sweeps import Ending
from tests.test_sweeps_plan import BATCH, CONFIGS, FOLD_WEIGHTS, FOLDS, LANE, LANES, C, D, N

pytestmark = pytest.mark.once
BATCH_SIZE, EPOCHS, ROWS, PARTS = 6, 4, (6, 20, 60), (1, 3, 9)


def halved(**options):
    asked = {"num_rows": N, "batch_size": BATCH_SIZE, "num_epochs": EPOCHS, "metric": "log_loss"}
    return sweeps.halving_rows(jax.random.key(0), LANES, **{**asked, **options})


def run(made):
    options = {"num_segments": made.num_segments, "schedule": made.schedule}
    return sweeps.run(LANE, made.lanes, BATCH, made.order, fold_weights=FOLD_WEIGHTS, **options)


@pytest.fixture(scope="module")
def swept():
    return run(halved())


def of_rungs(made):
    """The order's steps, rung by rung."""
    return np.split(np.asarray(made.order), np.cumsum(PARTS)[:-1] * len(made.order) // sum(PARTS))


def test_each_rung_meets_its_part_of_the_rows_as_often():
    made = halved()
    assert (made.rows, made.num_segments, made.order.shape[1]) == (ROWS, 13, BATCH_SIZE)
    parts = of_rungs(made)
    per_segment = round(EPOCHS * (N // BATCH_SIZE) / 9)
    assert [len(part) for part in parts] == [per_segment * of for of in PARTS]
    sets = [set(part.ravel()) for part in parts]
    assert [len(of) for of in sets] == list(ROWS)
    assert sets[0] < sets[1] < sets[2] == set(range(N))
    for part, num_rows in zip(parts, ROWS, strict=True):
        met = np.bincount(part.ravel(), minlength=N)
        assert met.max() <= EPOCHS
        assert met.sum() == pytest.approx(EPOCHS * num_rows, abs=9 / 2 * BATCH_SIZE)
        assert all(len(set(step)) == BATCH_SIZE for step in part)
    passes = parts[2][: N // BATCH_SIZE], parts[2][N // BATCH_SIZE : 2 * N // BATCH_SIZE]
    assert not np.array_equal(*passes), "a fresh shuffle in every pass"
    other = sweeps.halving_rows(jax.random.key(1), LANES, N, BATCH_SIZE, EPOCHS, "log_loss")
    assert sets[0] != set(of_rungs(other)[0].ravel())


def test_the_best_third_goes_on_and_penalties_are_of_all_rows_in_the_end(swept):
    rungs = swept.segments.reshape(CONFIGS, FOLDS)
    assert (rungs == rungs[:, :1]).all()
    assert np.bincount(rungs[:, 0], minlength=14)[[1, 4, 13]].tolist() == [11, 3, 2]
    left = np.arange(CONFIGS)
    for done, kept in ((1, 5), (4, 2)):
        means = swept.metrics["log_loss"][:, done - 1].reshape(CONFIGS, FOLDS).mean(axis=1)
        left = left[np.argsort(means[left], kind="stable")[:kept]]
        np.testing.assert_array_equal(np.flatnonzero(rungs[:, 0] > done), np.sort(left))
    own = np.asarray(LANES.hypers["l2"])
    np.testing.assert_array_equal(swept.hypers["l2"], own)
    np.testing.assert_allclose(halved().lanes.hypers["l2"], own * 10, rtol=1e-6)
    factors = swept.history["l2"] / own[:, None]
    np.testing.assert_allclose(factors, np.tile([3.0] * 3 + [1.0] * 9, (len(own), 1)), rtol=1e-6)
    np.testing.assert_array_equal(swept.hypers["learning_rate"], LANES.hypers["learning_rate"])


def test_a_survivor_is_a_plain_loop_over_the_rows_of_its_rungs(swept):
    lane = np.flatnonzero(swept.ending == Ending.DONE)[1]
    rate, l2 = (float(LANES.hypers[name][lane]) for name in ("learning_rate", "l2"))
    heard = np.asarray(FOLD_WEIGHTS)[swept.fold[lane]]
    adam, params = optax.adam(rate), {"w": jnp.zeros((D, C)), "b": jnp.zeros(C)}

    @jax.jit
    def step(params, state, rows, weights, strength):
        def objective(params):
            logits = BATCH.x[rows] @ params["w"] + params["b"][None]
            each = optax.softmax_cross_entropy_with_integer_labels(logits, BATCH.labels[rows])
            mean = jnp.sum(weights * each) / jnp.sum(weights)
            return mean + strength / 2 * jnp.sum(params["w"] ** 2)

        with jax.numpy_dtype_promotion("standard"):
            updates, state = adam.update(jax.grad(objective)(params), state)
        return optax.apply_updates(params, updates), state

    state = adam.init(params)
    for part, num_rows in zip(of_rungs(halved()), ROWS, strict=True):
        for rows in part:
            if heard[rows].any():
                params, state = step(params, state, rows, heard[rows], l2 * N / num_rows)
    for name in ("w", "b"):
        found = swept.state.params[name][lane]
        np.testing.assert_allclose(found, params[name], rtol=2e-4, atol=2e-5)
    logits = BATCH.x @ params["w"] + params["b"][None]
    each = optax.softmax_cross_entropy_with_integer_labels(logits, BATCH.labels)
    loss = np.average(each, weights=1 - heard)
    assert swept.metrics["log_loss"][lane, -1] == pytest.approx(float(loss), rel=1e-4)


def test_fewer_rungs_are_asked_for_where_a_batch_is_large():
    with pytest.raises(ValueError, match="first of 3 rungs has 6 of 60 rows, fewer than a batch "):
        halved(batch_size=7)
    made = halved(batch_size=7, num_rungs=2)
    assert (made.rows, made.num_segments) == ((20, 60), 4)
    unpenalised = LANES._replace(hypers={"learning_rate": LANES.hypers["learning_rate"]})
    made = sweeps.halving_rows(jax.random.key(0), unpenalised, N, BATCH_SIZE, EPOCHS, "log_loss")
    assert set(made.lanes.hypers) == {"learning_rate"}
