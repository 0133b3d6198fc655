"""Halving and Hyperband beside their textbook, on curves made up and on a sweep."""

import chex
import jax
import numpy as np
import pytest

from jaxlr import sweeps
from jaxlr.sweeps import Ending, schedules
from jaxlr.sweeps.progress import Progress
from tests.test_sweeps_plan import ASKED, LANES, OPTIONS

pytestmark = pytest.mark.once


def standing(values, ending=None, folds=1):
    """A progress whose configurations have these values."""
    values = np.repeat(values, folds)
    ending = np.zeros(len(values), np.int8) if ending is None else ending
    none = np.zeros(len(values))
    seen = values[:, None]
    return Progress(None, none, 0, seen, {"loss": seen}, ending, none, {}, seen[:, :0], {})


@pytest.mark.parametrize(
    ("num_segments", "keep", "rungs"),
    [(27, 1 / 3, [1, 3, 9]), (20, 1 / 3, [2, 7]), (20, 1 / 4, [1, 5]), (2, 1 / 3, [])],
)
def test_rungs(num_segments, keep, rungs):
    assert schedules.rungs(num_segments, keep) == rungs


def test_halving_keeps_the_best_third_of_configurations():
    values, folds = np.random.default_rng(0).permutation(81).astype(float), 2
    configuration = np.repeat(np.arange(81), folds)
    schedule = sweeps.halving(configuration, "loss", 27)
    assert schedule(2, standing(values, folds=folds)) is None
    for done, left in ((1, 27), (3, 9), (9, 3)):
        goes_on = schedule(done, standing(values, folds=folds))
        np.testing.assert_array_equal(goes_on, np.repeat(values < left, folds))
    upwards = sweeps.halving(configuration, "loss", 27, maximise=True)
    goes_on = upwards(1, standing(values, folds=folds))
    np.testing.assert_array_equal(goes_on, np.repeat(values >= 54, folds))


def test_what_has_lost_a_lane_goes_first():
    values, folds = np.arange(9.0), 2
    ending = np.zeros(18, np.int8)
    ending[1] = Ending.DIVERGED  # a fold of the best
    ending[2:4] = Ending.PATIENCE  # the next best has only ended
    schedule = sweeps.halving(np.repeat(np.arange(9), folds), "loss", 3)
    goes_on = schedule(1, standing(values, ending, folds))
    np.testing.assert_array_equal(np.flatnonzero(goes_on[::2]), [1, 2, 3])


def test_hyperband_has_the_brackets_of_its_paper():
    num = 3000
    schedule = sweeps.hyperband(np.arange(num), "loss", 27)
    goes_on = [schedule(done, standing(np.arange(float(num)))) for done in (1, 3, 9)]
    pruned = np.stack([~of_rung for of_rung in goes_on])
    # Of s_max = 3: n = ceil(4/(s+1) 3^s) = 27, 12, 6, 4 configurations for s = 3, 2, 1, 0.
    share = np.array([27, 12, 6, 4]) / 49
    wanted = [share[0] * 2 / 3, share[0] * 8 / 9 + share[1] * 2 / 3]
    np.testing.assert_allclose(pruned[:2].mean(axis=1), wanted, atol=0.01)
    untouched = ~pruned.any(axis=0)
    survivors = share[0] / 27 + share[1] / 9 + share[2] / 3 + share[3]
    assert untouched.mean() == pytest.approx(survivors, abs=0.01)
    halves = untouched[: num // 2].mean(), untouched[num // 2 :].mean()
    assert abs(halves[0] - halves[1]) < 0.2, "each bracket has its part of the whole design"


def test_survivors_go_on_to_the_bits_of_the_whole_sweep():
    whole = sweeps.run(*ASKED, **{**OPTIONS, "num_segments": 8})
    schedule = sweeps.halving(np.asarray(LANES.configuration), "log_loss", 8)
    halved = sweeps.run(*ASKED, **{**OPTIONS, "num_segments": 8}, schedule=schedule)
    counts = [len(np.unique(halved.configuration[halved.segments >= s])) for s in (1, 3, 4, 8)]
    assert counts == [16, 16, 5, 5]
    lasted = halved.ending == Ending.DONE
    chex.assert_trees_all_equal(
        *(jax.tree.map(lambda leaf: leaf[lasted], one.state) for one in (whole, halved))
    )
    means = whole.metrics["log_loss"][:, 2].reshape(16, 3).mean(axis=1)
    np.testing.assert_array_equal(
        np.unique(halved.configuration[lasted]), np.sort(means.argsort()[:5])
    )
    assert set(halved.best.ending) == {Ending.DONE}
