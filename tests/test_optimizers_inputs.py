"""What the optimizers refuse, and whether the message says what to do."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import optimizers
from tests.test_optimizers import PLAIN, TABLE

pytestmark = pytest.mark.once

RULES = {case.name: case for case in PLAIN}
DECAYS = {"b1", "b2", "b3", "decay", "rho"}
NUMBERS = [
    (name, number)
    for name in RULES
    for number, p in inspect.signature(getattr(optimizers, name)).parameters.items()
    if number in ("learning_rate", "momentum") or type(p.default) is float
]
in_numbers = pytest.mark.parametrize(("name", "number"), NUMBERS)


@in_numbers
def test_a_negative_or_missing_number_is_named(name, number):
    for value in (-0.1, float("nan"), np.float32(-1), -1):
        with pytest.raises(ValueError, match=rf"^{number} must be .*; got {value}\.$"):
            getattr(optimizers, name)(**{"learning_rate": 0.1, number: value})


@pytest.mark.parametrize(("name", "number"), [row for row in NUMBERS if row[1] in DECAYS])
def test_a_decay_of_one_or_more_is_named(name, number):
    for value in (1, 1.0, 1.5):
        with pytest.raises(ValueError, match=rf"^{number} must be in \[0, 1\)"):
            getattr(optimizers, name)(0.1, **{number: value})


@in_numbers
def test_zero_is_allowed_and_so_is_what_cannot_be_checked(name, number):
    getattr(optimizers, name)(**{"learning_rate": 0.1, number: 0.0})
    getattr(optimizers, name)(**{"learning_rate": 0.1, number: jnp.asarray(-1.0)})


@in_numbers
def test_an_array_of_numbers_is_told_to_vmap(name, number):
    with pytest.raises(ValueError, match=rf"^{number} has shape \(3,\): .* vmap"):
        getattr(optimizers, name)(**{"learning_rate": 0.1, number: jnp.ones(3)})


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (lambda x: optimizers.clip_by_global_norm(x), "max_norm"),
        (lambda x: optimizers.add_weight_decay(x), "weight_decay"),
        (lambda x: optimizers.lookahead(optimizers.sgd(0.1), x, 0.5), "sync_period"),
        (lambda x: optimizers.lookahead(optimizers.sgd(0.1), 5, x), "slow_step_size"),
    ],
)
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_wrappers_check_their_numbers(make, number, value):
    with pytest.raises(ValueError, match=rf"^{number} must be"):
        make(value)


@pytest.mark.parametrize("period", [0, 0.5, 2.5])
def test_a_period_is_a_whole_number_of_steps(period):
    with pytest.raises(ValueError, match="sync_period must be a whole number of steps, 1 or more"):
        optimizers.lookahead(optimizers.sgd(0.1), period, 0.5)


def test_the_first_step_size_of_rprop_is_no_schedule():
    with pytest.raises(ValueError, match="learning_rate is rprop's first step size"):
        optimizers.rprop(lambda count: 0.1)


@pytest.mark.parametrize("name", [*RULES, "add_weight_decay", "lookahead"])
def test_params_that_cannot_move_are_named(name):
    if name == "lookahead":
        optimizer = optimizers.lookahead(optimizers.sgd(0.1), 5, 0.5)
    else:
        optimizer = getattr(optimizers, name)(0.1)
    for leaf in (jnp.arange(3), np.arange(3), 1, True, jnp.ones(2, jnp.complex64)):
        with pytest.raises(TypeError, match=r"params\['layer'\]\[1\] has dtype .*: cast it"):
            optimizer.init({"layer": [jnp.ones(2), leaf]})


READ_PARAMS = [c for c in TABLE if c.name in ("lamb", "lars") or c.defaults().get("weight_decay")]


@pytest.mark.parametrize("case", READ_PARAMS, ids=str)
def test_missing_params_are_named(case):
    optimizer = case.make(optimizers)
    w = {"n": jnp.ones(3), "m": jnp.ones(())}
    with pytest.raises(ValueError, match="params is missing, and this rule reads it"):
        optimizer.update(w, optimizer.init(w))


def test_lookahead_names_missing_params():
    optimizer = optimizers.lookahead(optimizers.sgd(0.1), 5, 0.5)
    with pytest.raises(ValueError, match="params is missing, and lookahead reads it"):
        optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))


@pytest.mark.parametrize("case", [c for c in TABLE if c not in READ_PARAMS], ids=str)
def test_params_are_optional_where_they_are_not_read(case):
    optimizer = case.make(optimizers)
    w = {"n": jnp.ones(3), "m": jnp.ones(())}
    without, _ = optimizer.update(w, optimizer.init(w))
    given, _ = optimizer.update(w, optimizer.init(w), w)
    assert jax.tree.all(jax.tree.map(lambda x, y: np.array_equal(x, y), without, given))


WITH_MEMORY = [c for c in PLAIN if c.name not in ("sgd", "sign_sgd", "noisy_sgd")]


@pytest.mark.parametrize("case", WITH_MEMORY, ids=str)
def test_gradients_of_another_tree_are_refused(case):
    optimizer = case.make(optimizers)
    w = {"w": jnp.ones(3), "b": jnp.ones(())}
    state = optimizer.init(w)
    with pytest.raises(ValueError, match=r"grads has the structure .*, but the state has .*init"):
        optimizer.update({"w": w["w"]}, state, {"w": w["w"]})
    flat = {"w": jnp.ones((3, 1)), "b": w["b"]}
    with pytest.raises(
        ValueError, match=r"grads\['w'\] has shape \(3, 1\), but the state has \(3,\)"
    ):
        optimizer.update(flat, state, flat)


@pytest.mark.parametrize("case", [c for c in PLAIN if c.name != "noisy_sgd"], ids=str)
def test_params_of_another_tree_are_refused(case):
    optimizer = case.make(optimizers)
    w = {"w": jnp.ones(3), "b": jnp.ones(())}
    with pytest.raises(
        ValueError, match=r"grads has the structure .*, but params has .*grads were"
    ):
        optimizer.update(w, optimizer.init(w), {"w": w["w"]})
    with pytest.raises(ValueError, match=r"grads\['b'\] has shape \(\), but params has \(1,\)"):
        optimizer.update(w, optimizer.init(w), {"w": w["w"], "b": jnp.ones(1)})


def test_a_mask_of_another_tree_is_refused():
    optimizer = optimizers.adamw(0.1, mask={"w": True, "bias": False})
    w = {"w": jnp.ones(3), "b": jnp.ones(())}
    with pytest.raises(ValueError, match="a mask does not fit the grads: give it their structure"):
        optimizer.update(w, optimizer.init(w), w)


def test_a_chain_and_its_state_have_the_same_links():
    one, two = optimizers.sgd(0.1), optimizers.adam(0.1)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        optimizers.chain(one, two).update(jnp.ones(2), optimizers.chain(one).init(jnp.ones(2)))
