"""A row of weight 0 is absent: garbage there changes no value and no gradient, in jit and vmap."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import Batch, chain_rule, data, losses, metrics, models, optimizers, training

pytestmark = pytest.mark.once

DTYPE = jnp.result_type(float)
N, D, C, GARBAGE, LANES = 14, 3, 3, 4, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype(DTYPE)
LABELS = {
    "binary": RNG.integers(0, 2, N).astype(np.int32),
    "classes": (np.arange(N) % C).astype(np.int32),
    "numbers": RNG.normal(size=N).astype(DTYPE),
}
WEIGHTS = RNG.integers(1, 4, N).astype(DTYPE)
BIG = float(np.finfo(DTYPE).max)
NUMBERS = np.array([np.nan, np.inf, -np.inf, BIG, -BIG, 1e30, -99.0, 0.0, 0.5])
WHOLE = np.array([-100, 99, C, -1, 2**31 - 1, -(2**31), 0, 1])


class Case(NamedTuple):
    """`of(x, labels, weights)` -> a tree of numbers; labels are a key of LABELS."""

    labels: str
    of: Any


LINEAR = {"w": jnp.full(D, 0.3), "b": jnp.array(0.1)}
SOFTMAX = {"w": jnp.asarray(RNG.normal(size=(D, C)), DTYPE), "b": jnp.zeros(C)}
MLP = models.init_mlp(jax.random.key(1), D, (4,))


def normed(params, x):
    """A model that zeros in place of x would take to NaN."""
    return models.linear(params, x / jnp.linalg.norm(x))


def sloped(model, loss, params):
    """Value and gradient of a risk."""
    both = jax.value_and_grad(losses.risk(model, loss, l2=0.1))
    return lambda *batch: both(params, Batch(*batch))


def fitted(*batch):
    """Three steps, each on all rows."""
    risk = losses.risk(models.linear, losses.log_loss)
    order = jnp.tile(jnp.arange(len(batch[0])), (3, 1))
    return training.fit(risk, optimizers.sgd(0.1), LINEAR, Batch(*batch), order)


CASES = {
    "log_loss": Case("binary", sloped(models.linear, losses.log_loss, LINEAR)),
    "cross entropy": Case("classes", sloped(models.linear, losses.softmax_cross_entropy, SOFTMAX)),
    "mlp": Case("binary", sloped(models.mlp, losses.log_loss, MLP)),
    "normed": Case("numbers", sloped(normed, losses.squared_error, LINEAR)),
    "fit": Case("binary", fitted),
    "moments": Case("binary", lambda x, labels, weights: data.moments(x, weights)),
    "chain_rule": Case(
        "binary",
        lambda *batch: chain_rule.risk(chain_rule.logistic_regression)(LINEAR, Batch(*batch)),
    ),
    "accuracy_score": Case(
        "binary", lambda x, y, w: metrics.accuracy_score(y, x[:, 0] > 0, sample_weight=w)
    ),
    "mean_squared_error": Case(
        "numbers", lambda x, y, w: metrics.mean_squared_error(y, x[:, 0], sample_weight=w)
    ),
}


def of_all(case_batches):
    """Every case in one program, which compiles sooner than one for each."""
    return {name: CASES[name].of(*batch) for name, batch in case_batches.items()}


PROGRAM = jax.jit(of_all)
LANED = jax.jit(jax.vmap(of_all))


def batches():
    return {name: (X, LABELS[case.labels], WEIGHTS) for name, case in CASES.items()}


def with_garbage(rng, x, labels, weights):
    """The batch with rows of garbage and no weight in between."""
    places = np.sort(rng.integers(0, len(x) + 1, GARBAGE))
    pool = WHOLE if labels.dtype.kind == "i" else NUMBERS
    rows = rng.choice(NUMBERS, (GARBAGE, *x.shape[1:])).astype(x.dtype)
    answers = rng.choice(pool, (GARBAGE, *labels.shape[1:])).astype(labels.dtype)
    return (
        np.insert(x, places, rows, axis=0),
        np.insert(labels, places, answers, axis=0),
        np.insert(weights, places, 0),
    )


@given(st.integers(0, 2**32 - 1))
def test_rows_of_garbage_without_weight_change_nothing(seed):
    rng = np.random.default_rng(seed)
    draws = [
        {name: with_garbage(rng, *batch) for name, batch in batches().items()} for _ in range(LANES)
    ]
    clean = jax.device_get(PROGRAM(batches()))
    found = jax.device_get(LANED(jax.tree.map(lambda *lanes: np.stack(lanes), *draws)))
    chex.assert_trees_all_close(
        found,
        jax.tree.map(lambda leaf, like: np.broadcast_to(leaf, like.shape), clean, found),
        rtol=1e-4,
        atol=1e-5,
    )


def test_lanes_share_rows_that_only_some_of_them_hear():
    """Row 1 is NaN to who hears it and absent to the rest; x stays one array for all of them."""
    x, labels = X.copy(), LABELS["binary"].copy()
    x[0], x[1] = np.nan, np.inf
    heard = np.stack([WEIGHTS, WEIGHTS, 2 * WEIGHTS])
    heard[:, 0], heard[:, 1], heard[:, 2] = 0, [0, 1, 0], [0, 1, 1]
    labels[0] = -100
    slope = jax.value_and_grad(losses.risk(models.linear, losses.log_loss))
    lanes = jax.vmap(lambda weights: slope(LINEAR, Batch(x, labels, weights)))
    values, grads = jax.jit(lanes)(heard)
    alone = jax.jit(slope)
    for lane in (0, 2):
        chex.assert_trees_all_close(
            jax.tree.map(lambda leaf, lane=lane: leaf[lane], (values, grads)),
            alone(LINEAR, Batch(X[2:], LABELS["binary"][2:], heard[lane, 2:])),
            rtol=1e-5,
            atol=1e-6,
        )
    assert all(np.isnan(leaf[1]).all() for leaf in jax.tree.leaves((values, grads)))
    assert f"[3,{N},{D}]" not in str(jax.make_jaxpr(lanes)(heard))


def test_all_rows_may_be_absent():
    value, grads = jax.jit(jax.value_and_grad(losses.risk(models.linear, losses.log_loss)))(
        LINEAR, Batch(np.full((2, D), np.nan, DTYPE), np.array([-100, 99]), np.zeros(2, DTYPE))
    )
    chex.assert_trees_all_equal((value, grads), jax.tree.map(jnp.zeros_like, (value, grads)))


def test_stand_ins_are_rows_that_somebody_hears():
    batch, rows = data.stand_ins(
        Batch(jnp.asarray(X), None, jnp.asarray([0, 1, 0] + [2] * (N - 3)))
    )
    assert rows.tolist() == [1, 1, 1, *range(3, N)]
    assert data.stand_ins(batch._replace(weights=None))[1] is None
