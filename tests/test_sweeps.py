"""The laws of a sweep: a lane is a pure run, NaN harms nobody, one compilation, the same bits."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, data, losses, metrics, models, optimizers, sweeps, training
from jaxlr.sweeps import program, tasks

as_shipped = pytest.mark.as_shipped  # what looks at bits, or at another program's result

N, D, C, FOLDS, EPOCHS = 60, 5, 3, 3, 4
DTYPE = jnp.result_type(float)


def make_batch(num_rows=N, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(num_rows, D))
    labels = np.argmax(x @ rng.normal(size=(D, C)), axis=-1)
    return Batch(jnp.asarray(x, DTYPE), jnp.asarray(labels, jnp.int32))


def make_order(seed):
    """EPOCHS passes in minibatches of 10; by numpy, since every test worker imports this."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(N) for _ in range(EPOCHS)]
    return jnp.asarray(np.concatenate(rows).reshape(-1, 10), jnp.int32)


BATCH = make_batch()
FOLD_WEIGHTS = jnp.asarray(np.arange(N) % FOLDS != np.arange(FOLDS)[:, None], DTYPE)
ORDER = make_order(2)
HYPERS = {
    "learning_rate": np.array([0.01, 0.1, 0.5, 1.0]),
    "momentum": np.array([0.9, 0.0, 0.5, 0.3]),
    "l2": np.array([0.0, 1e-3, 1e-2, 0.1]),
}


def make_risk(hyper):
    return losses.risk(models.linear, losses.softmax_cross_entropy, l2=hyper["l2"])


def make_optimizer(hyper):
    return optimizers.sgd(hyper["learning_rate"], hyper["momentum"])


def measure(params, batch):
    scores = jax.vmap(models.linear, in_axes=(None, 0))(params, batch.x)
    return {
        "log_loss": losses.risk(models.linear, losses.softmax_cross_entropy)(params, batch),
        "accuracy": metrics.accuracy_score(
            batch.labels, jnp.argmax(scores, axis=-1), sample_weight=batch.weights
        ),
    }


def init_params(key):
    del key
    return models.init_linear(D, C)


LANE = sweeps.descent(init_params, make_risk, make_optimizer, measure)


def sweep(
    hypers, lane=LANE, batch=BATCH, num_segments=EPOCHS, fold_weights=FOLD_WEIGHTS, **options
):
    return sweeps.run(
        lane,
        sweeps.cross(hypers, FOLDS),
        batch,
        ORDER,
        fold_weights=fold_weights,
        num_segments=num_segments,
        **options,
    )


def lane_of(tree, i):
    return jax.tree.map(lambda leaf: leaf[i], tree)


@jax.jit
def fit_alone(hyper, batch):
    return training.fit(make_risk(hyper), make_optimizer(hyper), init_params(None), batch, ORDER)


@as_shipped
def test_each_lane_is_a_plain_fit_on_the_rows_of_its_fold():
    swept = sweep(HYPERS)
    lanes = sweeps.cross(HYPERS, FOLDS)
    for i in (0, 4, 8, 11):
        hyper, fold = lane_of(lanes.hypers, i), int(lanes.fold[i])
        held = FOLD_WEIGHTS[fold]
        alone = fit_alone(hyper, BATCH._replace(weights=held))
        # the same sums of at most 10 rows in another order, over 24 steps
        chex.assert_trees_all_close(
            lane_of(swept.state.params, i), alone.params, rtol=2e-5, atol=2e-6
        )
        per_segment = alone.losses.reshape(EPOCHS, -1).mean(axis=1)
        chex.assert_trees_all_close(swept.losses[i], np.asarray(per_segment), rtol=1e-5)
        out = np.asarray(held) == 0
        w, b = np.asarray(alone.params["w"]), np.asarray(alone.params["b"])
        scores = np.asarray(BATCH.x)[out] @ w + b
        right = (scores.argmax(axis=1) == np.asarray(BATCH.labels)[out]).mean()
        assert swept.metrics["accuracy"][i, -1] == pytest.approx(float(right), abs=1e-6)


@as_shipped
def test_a_lane_alone_and_in_any_company_is_the_same_run():
    together = sweep(HYPERS)
    for config in range(4):
        alone = sweep({name: column[config : config + 1] for name, column in HYPERS.items()})
        chex.assert_trees_all_close(
            lane_of(together.state.params, slice(FOLDS * config, FOLDS * (config + 1))),
            alone.state.params,
            rtol=2e-5,
            atol=2e-6,
        )


@as_shipped
def test_a_diverging_lane_becomes_nan_and_changes_no_other_by_a_bit():
    wild = HYPERS | {"learning_rate": np.array([0.01, 1e30, 0.5, 1.0])}
    calm, disturbed = sweep(HYPERS), sweep(wild)
    bad = np.arange(12) // FOLDS == 1
    good = jax.tree.map(lambda leaf: leaf[~bad], calm.state)
    chex.assert_trees_all_equal(good, jax.tree.map(lambda leaf: leaf[~bad], disturbed.state))
    np.testing.assert_array_equal(calm.losses[~bad], disturbed.losses[~bad])
    for name, values in calm.metrics.items():
        np.testing.assert_array_equal(values[~bad], disturbed.metrics[name][~bad])
    assert not np.isfinite(disturbed.losses[bad, -1]).any()
    assert (disturbed.died_at[~bad] == sweeps.ALIVE).all()
    assert (disturbed.died_at[bad] >= 0).all()


def test_died_at_is_the_first_step_whose_risk_is_not_finite():
    hypers = {"learning_rate": np.array([1e30]), "momentum": np.zeros(1), "l2": np.ones(1)}
    swept = sweeps.run(LANE, sweeps.cross(hypers), BATCH, ORDER, num_segments=EPOCHS)
    hyper = lane_of(sweeps.cross(hypers).hypers, 0)
    alone = fit_alone(hyper, BATCH._replace(weights=jnp.ones(N)))
    assert swept.died_at[0] == np.argmin(np.isfinite(alone.losses))


def counting(lane):
    """The lane, and a list that grows by one each time its step is traced."""
    traces = []

    def step(hyper, state, batch):
        traces.append(batch.x.shape)
        return lane.step(hyper, state, batch)

    return lane._replace(step=step), traces


@pytest.mark.once
@pytest.mark.parametrize("num_configs", [1, 7])
def test_any_number_of_numeric_settings_is_one_compilation(num_configs):
    lane, traces = counting(LANE)
    design = sweeps.sobol(
        {
            "learning_rate": sweeps.LogUniform(1e-3, 1.0),
            "momentum": sweeps.Uniform(0.0, 0.9),
            "l2": sweeps.LogUniform(1e-5, 1e-1),
        },
        num_configs,
    )
    sweep(design.hypers, lane)
    assert len(traces) == 1
    sweep({name: column * 0.5 for name, column in design.hypers.items()}, lane)
    assert len(traces) == 1, "new numbers must not trace again"


@pytest.mark.once
def test_static_settings_compile_once_per_group_as_planned():
    space = {
        "learning_rate": sweeps.LogUniform(1e-3, 1.0),
        "batch_size": sweeps.Integers(5, 6),
        "nesterov": sweeps.Choices((False, True)),
    }
    design = sweeps.random(space, 12, seed=3)
    plan = sweeps.groups(design)
    assert len(plan) == 4
    assert sorted(np.concatenate([group.points for group in plan])) == list(range(12))
    total = 0
    for group in plan:
        for point in group.points:
            assert design.settings["batch_size"][point] == group.settings["batch_size"]
            assert design.settings["nesterov"][point] == group.settings["nesterov"]
        lane, traces = counting(
            sweeps.descent(
                init_params,
                lambda hyper: losses.risk(models.linear, losses.softmax_cross_entropy),
                lambda hyper, group=group: optimizers.sgd(
                    hyper["learning_rate"], 0.9, nesterov=group.settings["nesterov"]
                ),
                lambda params, batch: {},
            )
        )
        order = data.epochs(jax.random.key(0), N, group.settings["batch_size"], 1)
        sweeps.run(lane, sweeps.cross(group.hypers), BATCH, order)
        assert traces == [(group.settings["batch_size"], D)]
        total += len(traces)
    assert total == len(plan)


def largest_constant(lane):
    task = tasks.task(lane, sweeps.cross(HYPERS, FOLDS), BATCH, ORDER, FOLD_WEIGHTS, 1)
    traced = program.segment.trace(lane, task.shape(12), task.rows, ORDER)
    return max((np.size(const) for const in traced.jaxpr.consts), default=0)


def test_data_is_an_argument_and_no_constant_of_the_program():
    assert largest_constant(LANE) < N
    closed_over = LANE._replace(
        step=lambda hyper, state, batch: LANE.step(hyper, state, training.take(BATCH, ORDER[0]))
    )
    assert largest_constant(closed_over) >= N, "the check must see what it forbids"


@as_shipped
def test_the_same_seed_gives_the_same_bits():
    first, second = sweep(HYPERS), sweep(HYPERS)
    chex.assert_trees_all_equal(first.state, second.state)
    np.testing.assert_array_equal(first.losses, second.losses)


@as_shipped
def test_the_number_of_segments_changes_no_bit_of_the_result():
    whole, cut = sweep(HYPERS, num_segments=1), sweep(HYPERS, num_segments=EPOCHS)
    chex.assert_trees_all_equal(whole.state, cut.state)
    np.testing.assert_array_equal(whole.died_at, cut.died_at)
    np.testing.assert_allclose(whole.losses[:, 0], cut.losses.mean(axis=1), rtol=1e-5)


@pytest.mark.once
def test_a_class_missing_from_a_fold_is_harmless():
    weights = jnp.ones_like(FOLD_WEIGHTS).at[0].set((BATCH.labels != 2).astype(FOLD_WEIGHTS.dtype))
    swept = sweep(HYPERS, fold_weights=weights)
    chex.assert_tree_all_finite(swept.state.params)
    assert swept.state.params["b"][0, 2] < 0, "a class never met is only ever pushed down"


@pytest.mark.once
def test_lanes_may_have_their_own_order():
    lanes = sweeps.cross({name: column[:2] for name, column in HYPERS.items()})
    other = data.epochs(jax.random.key(9), N, 10, EPOCHS)
    both = sweeps.run(LANE, lanes, BATCH, jnp.stack([ORDER, other]), num_segments=EPOCHS)
    for i, order in enumerate((ORDER, other)):
        one = sweeps.run(LANE, lane_of(lanes, slice(i, i + 1)), BATCH, order, num_segments=EPOCHS)
        chex.assert_trees_all_close(
            lane_of(both.state.params, slice(i, i + 1)), one.state.params, rtol=2e-5, atol=2e-6
        )


@pytest.mark.once
def test_seeds_give_lanes_their_own_start():
    lane = sweeps.descent(
        lambda key: models.init_mlp(key, D, (4,), C),
        lambda hyper: losses.risk(models.mlp, losses.softmax_cross_entropy),
        lambda hyper: optimizers.sgd(hyper["learning_rate"]),
        lambda params, batch: {},
    )
    hypers = {"learning_rate": np.zeros(3)}  # a lane that stands still shows its start

    def first_weights(seeds):
        swept = sweeps.run(lane, sweeps.cross(hypers, seeds=seeds), BATCH, ORDER)
        return np.asarray(swept.state.params[0]["w"])

    same, own = first_weights(None), first_weights(jnp.array([4, 5, 4]))
    np.testing.assert_array_equal(same[0], same[1])
    assert not np.array_equal(own[0], own[1])
    np.testing.assert_array_equal(own[0], own[2])


def test_what_stands_between_segments_is_told_and_may_be_kept():
    told = []
    swept = sweep(HYPERS, on_segment=lambda *one: told.append(one))
    assert [(done, int(kept.step)) for done, kept in told] == [
        (i, 6 * i) for i in range(1, EPOCHS + 1)
    ]
    chex.assert_trees_all_equal(told[-1][1].state, swept.state)
    assert not np.array_equal(told[0][1].state.params["w"], swept.state.params["w"])


@pytest.mark.once
def test_garbage_is_only_what_it_is_to_the_lanes_that_hear_it():
    """Row 0 has no weight; fold 1 alone holds row 1 out. All of it in NumPy's arrays and lists."""
    weights = np.ones(N)
    weights[0] = 0
    x, labels = np.array(BATCH.x), np.array(BATCH.labels)
    x[:2], labels[0] = np.nan, -100
    hypers = {name: column[:1] for name, column in HYPERS.items()}
    swept = sweeps.run(
        LANE,
        sweeps.cross(hypers, FOLDS),
        Batch(x, labels, weights),
        np.asarray(ORDER).tolist(),
        fold_weights=np.asarray(FOLD_WEIGHTS),
    )
    clean = sweep(hypers, batch=BATCH._replace(weights=jnp.asarray(weights)), num_segments=1)
    chex.assert_trees_all_close(
        lane_of(swept.state.params, 1), lane_of(clean.state.params, 1), rtol=1e-5, atol=1e-6
    )
    assert (swept.died_at != sweeps.ALIVE).tolist() == [True, False, True]
    assert np.isnan(swept.state.params["w"][::2]).all()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="num_segments must divide the 24 steps, and is 5"):
        sweep(HYPERS, num_segments=5)
    with pytest.raises(ValueError, match="fold goes up to 2, and fold_weights has 1"):
        sweeps.run(LANE, sweeps.cross(HYPERS, FOLDS), BATCH, ORDER)
    with pytest.raises(TypeError, match=r"batch must be a jaxlr\.Batch, and is a tuple"):
        sweep(HYPERS, batch=tuple(BATCH))
    with pytest.raises(ValueError, match="hypers need one column length"):
        sweeps.cross({"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(ValueError, match="hypers need one column length"):
        sweeps.cross({"a": np.zeros(0)})


def test_numbers_that_the_lane_never_uses_are_refused_by_name():
    hypers = {name: column[:2] for name, column in HYPERS.items()}
    slip = sweeps.cross(hypers | {"batch_size": [16.0, 32.0], "beta": [0.5, 0.9]})
    said = "has batch_size, beta, which the lane never uses: leave it out; what changes shapes"
    with pytest.raises(ValueError, match=said):
        sweeps.run(LANE, slip, BATCH, ORDER)


def test_a_number_of_the_start_alone_is_used():
    def init(hyper, key):
        start = LANE.init(hyper, key)
        return start._replace(params=jax.tree.map(lambda w: w + hyper["scale"], start.params))

    hypers = {name: column[:2] for name, column in HYPERS.items()} | {"scale": np.array([0.0, 1.0])}
    swept = sweeps.run(LANE._replace(init=init), sweeps.cross(hypers), BATCH, ORDER[:1])
    first, second = swept.state.params["w"]
    assert (np.abs(second - first) > 0.5).all()
