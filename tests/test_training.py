"""fit: the steps of a plain loop, whoever wrote the optimizer; an empty batch moves nothing."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxlr import Batch, losses, models, optimizers, training

N, D = 24, 3


def problem(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, D))
    y = x @ rng.normal(size=D) + rng.normal(size=N) > 0
    return Batch(jnp.asarray(x, float), jnp.asarray(y, jnp.int32))


RISK = losses.risk(models.linear, losses.log_loss, l2=0.01)
RNG = np.random.default_rng(1)
ORDER = jnp.asarray(np.stack([RNG.permutation(N) for _ in range(5)]).reshape(-1, 4), jnp.int32)


def test_fit_is_the_plain_loop_in_numpy_and_takes_numpys_arrays():
    batch = Batch(*(np.asarray(leaf, np.float64) for leaf in problem()[:2]))
    start = {"w": np.zeros(D), "b": np.zeros(())}
    fit = jax.jit(
        lambda: training.fit(RISK, optimizers.sgd(0.3), start, batch, np.asarray(ORDER, np.int64))
    )()
    x, y = (np.asarray(leaf, np.float64) for leaf in batch[:2])
    w, b, seen = np.zeros(D), 0.0, []
    for rows in np.asarray(ORDER):
        z = x[rows] @ w + b
        p = 1 / (1 + np.exp(-z))
        seen.append(np.mean(np.log1p(np.exp(-np.where(y[rows] == 1, z, -z)))) + 0.005 * w @ w)
        error = (p - y[rows]) / 4
        w, b = w - 0.3 * (x[rows].T @ error + 0.01 * w), b - 0.3 * error.sum()
    # 30 steps of float32 against float64
    chex.assert_trees_all_close(np.asarray(fit.params["w"], np.float64), w, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(np.asarray(fit.losses, np.float64), np.array(seen), rtol=1e-5)


def test_the_first_state_is_of_arrays_that_jax_knows():
    start = {"w": np.zeros(D, ">f8"), "b": np.longdouble(0)}
    state = training.init(optimizers.sgd(0.1), start)
    assert {leaf.dtype for leaf in jax.tree.leaves(state.params)} == {jnp.result_type(float)}


def test_an_optax_optimizer_can_be_handed_over():
    batch, start = problem(), models.init_linear(D)
    with jax.numpy_dtype_promotion("standard"):
        theirs = training.fit(RISK, optax.sgd(0.1, momentum=0.9), start, batch, ORDER)
    ours = training.fit(RISK, optimizers.sgd(0.1, momentum=0.9), start, batch, ORDER)
    chex.assert_trees_all_close(ours.params, theirs.params, rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "momentum_ema", "adam"])
def test_a_batch_without_weight_moves_nothing_momentum_included(name):
    batch = problem()._replace(weights=jnp.where(jnp.arange(N) < N // 2, 1.0, 0.0))
    make = {"sgd": lambda rate: optimizers.sgd(rate, momentum=0.9)}.get(
        name, getattr(optimizers, name)
    )
    heard = jnp.arange(N // 2).reshape(3, -1)
    unheard = jnp.arange(N // 2, N).reshape(3, -1)

    @jax.jit
    def run(order):
        return training.fit(RISK, make(0.1), models.init_linear(D), batch, order)

    alone = run(heard)
    followed = run(jnp.concatenate([heard, unheard]))
    chex.assert_trees_all_equal(
        (alone.params, alone.opt_state), (followed.params, followed.opt_state)
    )
    chex.assert_tree_all_finite(followed)


def test_weight_two_is_the_row_twice():
    batch = problem()
    counts = np.arange(N) % 3
    weighted = batch._replace(weights=jnp.asarray(counts, jnp.float32))
    repeated = jax.tree.map(lambda leaf: np.repeat(leaf, counts, axis=0), batch)
    params = {"w": jnp.array([0.5, -1.0, 2.0]), "b": jnp.array(0.3)}
    slope = jax.jit(jax.value_and_grad(RISK))
    chex.assert_trees_all_close(
        slope(params, weighted), slope(params, repeated), rtol=1e-5, atol=1e-6
    )


def test_a_sweep_over_traced_numbers_is_the_vmap_of_a_run():
    batch = problem()

    def run(hyper):
        risk = losses.risk(models.linear, losses.log_loss, l2=hyper["l2"])
        optimizer = optimizers.sgd(hyper["learning_rate"], hyper["momentum"])
        return training.fit(risk, optimizer, models.init_linear(D), batch, ORDER)

    grid = {
        "learning_rate": jnp.array([0.01, 0.1, 0.5]),
        "momentum": jnp.array([0.0, 0.9, 0.5]),
        "l2": jnp.array([0.0, 0.1, 1.0]),
    }
    swept, run = jax.device_get(jax.jit(jax.vmap(run))(grid)), jax.jit(run)
    for lane in range(3):
        alone = run({name: np.asarray(column)[lane] for name, column in grid.items()})
        # sums of 4 and of 3 terms in another order, 30 steps
        chex.assert_trees_all_close(
            jax.tree.map(lambda leaf, lane=lane: leaf[lane], swept), alone, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    ("batch", "order", "error", "said"),
    [
        (
            (np.zeros((N, D)), np.zeros(N)),
            ORDER,
            TypeError,
            "must be a jaxlr.Batch, and is a tuple",
        ),
        (Batch([["a"]], [1]), ORDER, TypeError, r"x\[0, 0\] is 'a', and must be a number"),
        (problem(), np.arange(N), ValueError, r"order must be \[T, B\], .* of shape \(24,\)"),
        (problem(), np.zeros((2, 3)), ValueError, r"order must be \[T, B\], .* is float"),
    ],
)
def test_a_mistake_is_named_before_any_step(batch, order, error, said):
    with pytest.raises(error, match=said):
        training.fit(RISK, optimizers.sgd(0.1), models.init_linear(D), batch, order)


@pytest.mark.float64
def test_descent_on_the_squared_error_ends_at_least_squares():
    x, y = problem().x.astype(float), jnp.asarray(np.random.default_rng(2).normal(size=N))
    risk = losses.risk(models.linear, losses.squared_error)
    order = jnp.tile(jnp.arange(N), (500, 1))  # all rows in every step
    fit = training.fit(risk, optimizers.sgd(0.2), models.init_linear(D), Batch(x, y), order)
    solution, (residual,), *_ = np.linalg.lstsq(np.column_stack([x, np.ones(N)]), np.asarray(y))
    chex.assert_trees_all_close(fit.params, {"w": solution[:-1], "b": solution[-1]}, rtol=1e-9)
    np.testing.assert_allclose(fit.losses[-1], residual / N, rtol=1e-12)


@pytest.mark.once
def test_a_safe_step_only_lowers_a_logistic_risk():
    batch, risk = problem(), losses.risk(models.linear, losses.log_loss)
    rows = np.column_stack([batch.x, np.ones(N)])
    stiffest = np.linalg.eigvalsh(rows.T @ rows / (4 * N))[-1]  # σ(z) σ(-z) is at most 1/4
    order = jnp.tile(jnp.arange(N), (30, 1))

    def run(rate):
        return training.fit(risk, optimizers.sgd(rate), models.init_linear(D), batch, order).losses

    seen = jax.jit(jax.vmap(run))(jnp.array([0.1, 1.0, 1.9]) / stiffest)
    assert (np.diff(seen) < 0).all()
