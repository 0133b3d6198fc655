"""What keeps a lane going: a risk that falls, a longer diagonal, columns that come to be needed."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.glm.losses import loss as loss_of
from jaxlr.glm.problem import Problem, lanes_of
from jaxlr.paths import basis, descent, march, newton, proximal, working_set
from tests import truth
from tests.test_paths import BINARY

pytestmark = pytest.mark.float64


class State(NamedTuple):
    risk: jax.Array
    best: jax.Array
    mark: jax.Array
    idle: jax.Array
    active: jax.Array


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_lane_goes_on_while_its_risk_falls_by_more_than_rounding(dtype):
    """Estimates stay as they are; J of the lanes falls by 1 %, by rounding, and not at all."""
    far = jnp.full(3, jnp.inf, dtype)
    state = State(jnp.ones(3, dtype), far, far, jnp.zeros(3, jnp.int32), jnp.ones(3, bool))
    fall = jnp.array([1e-2, jnp.finfo(dtype).eps, 0], dtype)
    for _ in range(3 * descent.PATIENCE):
        state = state._replace(risk=state.risk * (1 - fall))
        state = descent.judged(state, jnp.ones(3, dtype), jnp.zeros(3, dtype))
    assert state.active.tolist() == [True, False, False]


def test_a_hessian_without_a_factor_moves_nothing_and_is_made_anew():
    x, labels = BINARY
    rows = np.c_[x, np.ones(len(x))]
    arrays = rows, labels[None].astype(float), np.full((1, len(x)), 1 / len(x)), rows.T.copy()
    problem, family = Problem(*map(jnp.asarray, arrays)), loss_of(losses.log_loss, None)
    lanes, start = lanes_of(problem, np.array([0.1]), 0.5), jnp.ones((1, 1, rows.shape[1]))
    state = proximal.start(family, problem, lanes, start)
    state = state._replace(hessian=-jnp.eye(rows.shape[1])[None], stale=jnp.array([False]))
    solve = jax.jit(proximal.solve, static_argnums=0)
    first = solve(family, problem, lanes, state, 1e-6, jnp.int32(1))
    np.testing.assert_array_equal(first.params, start)
    assert first.failures.tolist() == [1]
    assert first.stale.tolist() == [True]
    first = first._replace(num_steps=jnp.zeros_like(first.num_steps))
    last = solve(family, problem, lanes, first, 1e-6, jnp.int32(100))
    best = truth.optimum(x, labels, np.ones(len(x)), "log_loss", None, 0.1, 0.5)
    np.testing.assert_allclose(last.risk, [best.risk], rtol=1e-6)


def test_a_column_that_seemed_of_no_use_is_taken_in(monkeypatch):
    """The first look at every penalty is made to see nothing."""
    monkeypatch.setattr(working_set, "ROOM", 0)
    monkeypatch.setattr(working_set, "FEWEST", 1)
    slopes, looks = working_set._slopes, []

    def blind_at_first(*args):
        looks.append(args)
        return np.asarray(slopes(*args)) * (len(looks) > 1)

    monkeypatch.setattr(working_set, "_slopes", blind_at_first)
    x, labels = BINARY
    found = paths.fit(Batch(x, labels), [0.2], loss=losses.log_loss, l1_ratio=1.0)
    assert len(looks) == 3
    assert found.status == [paths.Status.certified]
    assert found.params["w"].any()


@pytest.mark.parametrize(
    ("apart", "rank", "whole"), [(0.0, 3, True), (1e-9, 4, True), (1e-12, 3, False)]
)
def test_what_lies_between_rounding_and_use_is_left_out_and_said(apart, rank, whole):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    twins = np.c_[x, x[:, 0] + apart * rng.normal(size=50)]
    found = basis.basis(twins, np.full(50, 0.02))
    assert np.linalg.matrix_rank(found.rows) == rank
    assert found.whole == whole
    labels = (x[:, 0] + rng.logistic(size=50) > 0).astype(int)
    status = paths.fit(Batch(twins, labels), [0.0], loss=losses.log_loss).status[0]
    assert (status == paths.Status.certified) == whole


def test_rare_classes_take_few_steps_of_newtons_since_its_preconditioner_is_whole(monkeypatch):
    """Blocks of classes alone take 28: they know nothing of the rare ones' directions."""
    took, alone = [], newton.alone

    def noted(*args):
        ends = alone(*args)
        took.append((ends.num_steps[0] - args[5]).max())
        return ends

    monkeypatch.setattr(newton, "alone", noted)
    rng = np.random.default_rng(0)
    x = (rng.random((120, 8)) < 0.08).astype(float)
    labels = np.minimum(rng.exponential(2.0, 120).astype(int), 11)
    labels[:12] = np.arange(12)
    found = paths.fit(Batch(x, labels), [1e-7], loss=losses.softmax_cross_entropy)
    assert found.status == [paths.Status.certified]
    assert max(took) <= 15


def test_a_newton_step_never_raises_the_risk():
    """Where rows are certain J turns sharply along a step, and slopes at its end don't tell."""
    rows = np.array([[1e6, 0.0], [1.6e5, 0.0]])
    arrays = rows, np.array([[1.0, 0.0]]), np.full((1, 2), 0.5), rows.T.copy()
    problem, loss = Problem(*map(jnp.asarray, arrays)), loss_of(losses.log_loss, None, False)
    lanes, start = lanes_of(problem, np.array([1.0]), 0.0), jnp.array([[[-1.0, 0.0]]])
    steps, one = jnp.zeros(1, jnp.int32), jnp.int32(1)
    end = newton.alone(loss, problem, lanes, start, 1e-6, steps, one)
    assert end.num_steps.tolist() == [[1]]
    assert end.risk[0, 0] <= 1e6 / 2 + 1 / 2  # at the start


@pytest.mark.parametrize(("lam", "tries"), [(0.3, [True]), (1e-5, [True, False, False])])
def test_a_single_penalty_is_tried_without_a_preconditioner_that_is_dear(monkeypatch, lam, tries):
    """And with one where that doesn't prove the answer, to two goals."""
    monkeypatch.setattr(descent, "DEAR", 0)
    walked, plans = march._walked, []
    monkeypatch.setattr(
        march, "_walked", lambda *args: (plans.append(args[2].bare), walked(*args))[1]
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 45))
    labels = np.r_[np.zeros(50, int), np.ones(6, int), np.full(4, 2)]
    found = paths.fit(Batch(x, labels), [lam], loss=losses.softmax_cross_entropy)
    assert plans == tries
    assert found.status == [paths.Status.certified]
    peer = truth.optimum(x, labels, np.ones(60), "softmax", 3, lam)
    np.testing.assert_allclose(found.risk, [peer.risk], rtol=1e-6)


def test_weights_at_rest_prove_nothing_while_the_intercept_is_off():
    x, labels = BINARY
    labels = np.where(np.arange(len(x)) < 5, labels, 0)
    rows = np.c_[x - x.mean(axis=0), np.ones(len(x))]
    arrays = rows, labels[None].astype(float), np.full((1, len(x)), 1 / len(x)), rows.T.copy()
    problem, family = Problem(*map(jnp.asarray, arrays)), loss_of(losses.log_loss, None)
    lanes, start = lanes_of(problem, np.array([9.0]), 1.0), jnp.zeros((1, 1, rows.shape[1]))
    state = proximal.start(family, problem, lanes, start)
    solve = jax.jit(proximal.solve, static_argnums=0)
    end = solve(family, problem, lanes, state, 1e-6, jnp.int32(100))
    share = labels.mean()
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    np.testing.assert_allclose(end.risk, [entropy], rtol=1e-6)


def test_lanes_that_a_walk_leaves_unproved_are_walked_again_and_not_alone(monkeypatch):
    """Few rows of many features, whose folds share a preconditioner: estimates are too low."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 120))
    labels = (x[:, 0] + rng.normal(size=150) > 0).astype(int)
    aims, walked, alone = [], march._walked, []
    monkeypatch.setattr(march, "_walked", lambda *args: (aims.append(args[5]), walked(*args))[1])
    monkeypatch.setattr(newton, "alone", lambda *args: alone.append(args))
    folds = 1 - np.eye(3)[:, np.arange(150) % 3]
    penalties = np.geomspace(1, 1e-4, 12)
    found = paths.fit(Batch(x, labels), penalties, loss=losses.log_loss, fold_weights=folds)
    assert aims == [march.MARGIN * 1e-6, march.AGAIN * march.MARGIN * 1e-6]
    assert not alone
    assert (found.status == paths.Status.certified).all()
