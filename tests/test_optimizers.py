"""The table of all optimizers, and the contract that every row keeps."""

import inspect
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from jaxlr import losses, models, optimizers, training
from jaxlr.pytypes import Batch, Optimizer

X64 = jax.config.jax_enable_x64
LEAVES_AND_NUMBERS = [  # dtypes; None: Python floats
    (jnp.bfloat16, None),
    (jnp.float16, None),
    (jnp.float32, None),
    (jnp.bfloat16, jnp.float32),
    (jnp.float32, jnp.bfloat16),
    *[(jnp.float64, None), (jnp.float64, jnp.float32), (jnp.float32, jnp.float64)] * X64,
]
# What optax has and we leave out, and why.
LEFT_OUT = {"noisy_sgd": {"seed"}}  # deprecated in optax, which says to use key


class Case(NamedTuple):
    """A row: an optimizer, its settings, and what they choose (flags) or set (numbers)."""

    name: str
    numbers: dict
    flags: dict

    def make(self, library, learning_rate=0.01, **numbers):
        return getattr(library, self.name)(
            learning_rate, **{**self.numbers, **numbers, **self.flags}
        )

    def defaults(self):
        """Every number of the row that can be swept, learning rate aside, and its value."""
        signature = inspect.signature(getattr(optimizers, self.name)).parameters
        numbers = {n: p.default for n, p in signature.items() if type(p.default) is float}
        return {**numbers, **self.numbers}

    def __str__(self):
        return " ".join([self.name, *self.numbers, *self.flags])


def vectors(tree):
    """A mask: everything but scalars."""
    return jax.tree.map(lambda leaf: jnp.ndim(leaf) > 0, tree)


def row(name, numbers=None, **flags):
    return Case(name, numbers or {}, flags)


PLAIN = [
    row("sgd"),
    row("momentum_ema"),
    row("adagrad"),
    row("adadelta"),
    row("rmsprop"),
    row("adam"),
    row("adamw"),
    row("adamax"),
    row("adamaxw"),
    row("amsgrad"),
    row("nadam"),
    row("nadamw"),
    row("radam"),
    row("adabelief"),
    row("adan"),
    row("yogi"),
    row("lion"),
    row("lamb"),
    row("lars"),
    row("sign_sgd"),
    row("novograd"),
    row("rprop"),
    row("noisy_sgd", key=7),
]
VARIANTS = [
    row("sgd", {"momentum": 0.9}),
    row("sgd", {"momentum": 0.9}, nesterov=True),
    row("adadelta", {"weight_decay": 0.01}, weight_decay_mask=vectors),
    row("rmsprop", {"momentum": 0.9}, eps_in_sqrt=False),
    # eps: a variance that starts as g² - g² is rounding noise, and eps must drown it.
    row("rmsprop", {"momentum": 0.9, "eps": 1e-2}, centered=True, nesterov=True),
    row("rmsprop", {"eps": 1.0}, centered=True, bias_correction=True),
    row("adamw", {"weight_decay": 0.1}, mask=vectors),
    row("adamaxw", {"weight_decay": 0.1}, mask={"n": True, "m": False}),
    row("amsgrad", bias_correction_mu=False, bias_correction_nu=False),
    row("radam", nesterov=True),
    row("adabelief", nesterov=True),
    row("adan", {"weight_decay": 0.02}),
    row("lion", {"weight_decay": 0.1}, mask=vectors),
    row("lamb", {"weight_decay": 0.1}, mask=vectors),
    row("lars", {"weight_decay": 0.1}, nesterov=True, trust_ratio_mask=vectors),
    row("lars", {"weight_decay": 0.1, "eps": 0.1}, weight_decay_mask=vectors),
    row("novograd", {"weight_decay": 0.1}),
]
TABLE = PLAIN + VARIANTS
in_table = pytest.mark.parametrize("case", TABLE, ids=str)
in_plain = pytest.mark.parametrize("case", PLAIN, ids=str)


def in_plain_but(*names):
    return pytest.mark.parametrize("case", [c for c in PLAIN if c.name not in names], ids=str)


def oracle(case, learning_rate=0.01, **numbers):
    """Optax's optimizer of the row. The lecture's momentum is its ema."""
    if case.name == "momentum_ema":
        ema = optax.ema(numbers.get("decay", 0.9), debias=False)
        return optax.chain(ema, optax.scale_by_learning_rate(learning_rate))
    return case.make(optax, learning_rate, **numbers)


def example(seed, dtype=jnp.float32):
    """Params of every kind of shape: nested, a scalar, a leaf of no entries, an empty tree."""
    rng = np.random.default_rng(seed)
    return {
        "n": [jnp.asarray(rng.normal(size=(2, 3)), dtype), (jnp.zeros((0,), dtype), {})],
        "m": jnp.asarray(rng.normal(), dtype),
    }


def test_the_table_has_every_optimizer():
    wrappers = {"add_weight_decay", "chain", "clip_by_global_norm", "lookahead"}
    rules = {name for name in optimizers.__all__ if name[0].islower()} - wrappers
    assert rules == {case.name for case in PLAIN}


@pytest.mark.parametrize(
    "name",
    sorted({c.name for c in PLAIN} - {"momentum_ema"}) + ["lookahead", "clip_by_global_norm"],
)
def test_signatures_are_those_of_optax(name):
    ours = inspect.signature(getattr(optimizers, name)).parameters
    theirs = dict(inspect.signature(getattr(optax, name)).parameters)
    for left_out in LEFT_OUT.get(name, ()):
        del theirs[left_out]
    assert [(p.name, p.kind, p.default) for p in ours.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]


def test_weight_decay_has_the_signature_of_optax():
    ours = inspect.signature(optimizers.add_weight_decay).parameters
    theirs = inspect.signature(optax.add_decayed_weights).parameters
    assert [(p.name, p.default) for p in ours.values()] == [
        (p.name, p.default) for p in theirs.values()
    ]


@in_table
@pytest.mark.parametrize(
    ("dtype", "number_dtype"), LEAVES_AND_NUMBERS, ids=lambda d: d and d.__name__
)
def test_updates_and_state_keep_their_dtype_whatever_the_numbers_are(case, dtype, number_dtype):
    def step(numbers, params):
        optimizer = case.make(optimizers, **numbers)
        state = optimizer.init(params)
        updates, after = optimizer.update(params, state, params)
        return params, updates, state, after

    numbers = {"learning_rate": 0.01, **case.defaults()}
    if number_dtype is not None:
        numbers = jax.tree.map(lambda x: jnp.asarray(x, number_dtype), numbers)
        shapes = jax.eval_shape(step, numbers, example(0, dtype))
    else:
        shapes = jax.eval_shape(lambda p: step(numbers, p), example(0, dtype))
    params, updates, before, after = shapes
    chex.assert_trees_all_equal_shapes_and_dtypes(params, updates)
    assert before == after  # shape, dtype and weak type: a scan can carry it
    floats = [x for x in jax.tree.leaves(after) if jnp.issubdtype(x.dtype, jnp.floating)]
    assert all(x.dtype == dtype and not x.weak_type for x in floats)


@in_plain_but("rprop")  # its learning rate is a start, not a schedule
def test_a_schedule_keeps_the_state_stable(case):
    optimizer = case.make(optimizers, lambda count: 0.1 / (1.0 + count.astype(jnp.float32)))
    params = example(0)
    before = jax.eval_shape(optimizer.init, params)
    updates, after = jax.eval_shape(optimizer.update, params, before, params)
    assert before == after
    chex.assert_trees_all_equal_shapes_and_dtypes(updates, params)
    assert after.count.dtype == jnp.int32


@pytest.mark.parametrize("name", ["adam", "adamw", "nadam", "nadamw", "amsgrad", "lion"])
def test_the_mean_can_be_kept_in_a_dtype_of_its_own(name):
    optimizer = getattr(optimizers, name)(0.1, mu_dtype=jnp.bfloat16)
    params = {"w": jnp.arange(3.0)}
    before = optimizer.init(params)
    updates, after = jax.eval_shape(optimizer.update, params, before, params)
    assert before.mu["w"].dtype == after.mu["w"].dtype == jnp.bfloat16
    assert updates["w"].dtype == params["w"].dtype


def test_the_velocity_can_be_kept_in_a_dtype_of_its_own():
    optimizer = optimizers.sgd(0.1, 0.9, accumulator_dtype=jnp.float32)
    params = {"w": jnp.ones(3, jnp.bfloat16)}
    updates, after = optimizer.update(params, optimizer.init(params))
    assert after.velocity["w"].dtype == jnp.float32
    assert updates["w"].dtype == jnp.bfloat16


@in_plain_but("noisy_sgd")  # its noise is drawn in the leaf's dtype
def test_a_step_in_bfloat16_is_the_float32_step_rounded(case):
    """Not so in optax, where 0.999 becomes 1."""
    optimizer = case.make(optimizers)
    w, g = jnp.asarray(np.random.default_rng(1).normal(size=(2, 3)), jnp.bfloat16)
    state = optimizer.init(w)
    _, state = optimizer.update(g, state, w)
    wide = jax.tree.map(
        lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x,
        (g, state, w),
    )
    narrow_step = optimizer.update(g, state, w)
    wide_step = optimizer.update(*wide)
    rounded = jax.tree.map(lambda x, like: x.astype(like.dtype), wide_step, narrow_step)
    chex.assert_trees_all_equal(narrow_step, rounded)


def test_adam_keeps_its_eps_in_float16():
    """1e-8 is 0 in float16, and 0 / 0 a NaN: optax's, at a zero gradient."""
    w = jnp.zeros(3, jnp.float16)
    adam = optimizers.adam(0.1)
    updates, _ = adam.update(w, adam.init(w))
    assert updates.tolist() == [0, 0, 0]


@in_table
def test_ours_works_inside_the_chain_of_optax(case):
    optimizer = case.make(optimizers)
    chained = optax.chain(optax.scale(2.0), optimizer, optax.scale(0.5))
    params = example(0)
    grads = example(1)
    updates, _ = chained.update(grads, chained.init(params), params)
    alone, _ = optimizer.update(
        jax.tree.map(lambda g: 2 * g, grads), optimizer.init(params), params
    )
    chex.assert_trees_all_equal(updates, jax.tree.map(lambda u: 0.5 * u, alone))


def test_ours_works_inside_the_wrappers_of_optax():
    w = {"n": jnp.ones((2, 3)), "m": jnp.ones(())}
    adam = optimizers.adam(0.1)
    alone, _ = adam.update(w, adam.init(w), w)
    masked = optax.masked(adam, {"n": True, "m": False})
    updates, _ = masked.update(w, masked.init(w), w)
    chex.assert_trees_all_equal(updates, {"n": alone["n"], "m": w["m"]})
    injected = optax.inject_hyperparams(optimizers.adam)(learning_rate=0.1)
    updates, _ = injected.update(w, injected.init(w), w)
    chex.assert_trees_all_close(updates, alone, rtol=1e-4)


def test_updates_come_in_the_dtype_of_the_weights():
    w, g = jnp.ones(3, jnp.float32), jnp.ones(3, jnp.bfloat16)
    adam = optimizers.adam(0.1)
    state = adam.init(w)
    assert adam.update(g, state, w)[0].dtype == jnp.float32
    assert adam.update(g, state)[0].dtype == jnp.bfloat16


@pytest.mark.parametrize("name", ["adam", "lamb"])
def test_ours_and_that_of_optax_train_the_same_model(name):
    x = jnp.asarray(np.random.default_rng(3).normal(size=(64, 4)), float)
    batch = Batch(x, (x[:, 0] + 0.3 * x[:, 1] > 0).astype(jnp.int32))
    order = jnp.arange(96).reshape(12, 8) % 64
    params = {"w": jnp.full(4, 0.1), "b": jnp.asarray(0.1)}
    risk = losses.risk(models.linear, losses.log_loss)

    def fit(optimizer):
        return jax.jit(lambda: training.fit(risk, optimizer, params, batch, order))()

    ours = fit(getattr(optimizers, name)(0.1))
    with jax.numpy_dtype_promotion("standard"):
        theirs = fit(getattr(optax, name)(0.1))
    assert ours.losses[-1] < ours.losses[0]
    chex.assert_trees_all_close(ours.params, theirs.params, rtol=1e-5)
    chex.assert_trees_all_close(ours.losses, theirs.losses, rtol=1e-5)


@in_plain
def test_state_lies_where_the_params_lie(case):
    mesh = jax.make_mesh((8,), ("features",), axis_types=(jax.sharding.AxisType.Auto,))
    split = NamedSharding(mesh, PartitionSpec("features"))
    params = {"w": jax.device_put(np.ones((16, 3), np.float32), split)}
    state = case.make(optimizers).init(params)
    for leaf in jax.tree.leaves(state):
        assert leaf.shape != (16, 3) or leaf.sharding.is_equivalent_to(split, 2)


@pytest.mark.parametrize("name", ["sgd", "adam", "lamb"])
def test_a_step_leaves_shards_where_they_are(name):
    mesh = jax.make_mesh((8,), ("features",), axis_types=(jax.sharding.AxisType.Auto,))
    split = NamedSharding(mesh, PartitionSpec("features"))
    optimizer = getattr(optimizers, name)(0.1)
    whole = {"w": jnp.arange(48.0).reshape(16, 3) - 20}
    params = jax.device_put(whole, split)
    updates, state = jax.jit(optimizer.update)(params, optimizer.init(params), params)
    for leaf in jax.tree.leaves((updates, state)):
        assert leaf.shape != (16, 3) or leaf.sharding.is_equivalent_to(split, 2)
    alone, _ = optimizer.update(whole, optimizer.init(whole), whole)
    chex.assert_trees_all_close(updates, alone, rtol=1e-6)


def test_the_count_stops_at_the_largest_integer():
    optimizer = optimizers.adam(0.1)
    state = optimizer.init(jnp.zeros(2))
    late = state._replace(count=jnp.asarray(2**31 - 1, jnp.int32))
    updates, after = optimizer.update(jnp.ones(2), late)
    assert after.count == 2**31 - 1
    assert jnp.all(jnp.isfinite(updates))


def test_what_is_returned_is_a_pair_and_a_named_tuple():
    for case in TABLE:
        optimizer = case.make(optimizers)
        assert isinstance(optimizer, Optimizer)
        assert hasattr(optimizer.init(example(0)), "_fields")
