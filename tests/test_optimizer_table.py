"""The table of optimizers: each one's numbers, and that a lane at them is optax's optimizer."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.kit.optimizers import NUMBERS, RULES, build
from experiments.sweep import __main__, settings, study
from experiments.sweep.plan import planned
from jaxlr import optimizers, training
from tests.report_cases import make_problem
from tests.test_optimizers_lanes import ELSEWHERE

pytestmark = pytest.mark.once
SWITCHES = {"nesterov", "eps_in_sqrt", "centered", "bias_correction", "reset_state"}
SWITCHES |= {"bias_correction_mu", "bias_correction_nu"}
NO_NUMBERS = {"mu_dtype", "mask", "weight_decay_mask", "trust_ratio_mask", "key"}
NO_NUMBERS |= {"accumulator_dtype", "fast_optimizer"}
MORE = {"sync_period": 3.0, "slow_step_size": 0.7}  # far from the defaults, as ELSEWHERE is


def test_every_rule_of_the_library_is_in_the_table():
    takes_rate = {
        name
        for name in optimizers.__all__
        if inspect.isfunction(getattr(optimizers, name))
        and "learning_rate" in inspect.signature(getattr(optimizers, name)).parameters
    }
    assert set(RULES) == takes_rate | {"momentum", "nesterov", "lookahead"}


@pytest.mark.parametrize("name", RULES)
def test_every_number_of_a_rule_is_declared(name):
    rule = RULES[name]
    function = getattr(optimizers, rule.function or name)
    arguments = set(inspect.signature(function).parameters) - SWITCHES - NO_NUMBERS
    if name == "sgd":  # with a momentum it is called momentum
        arguments -= {"momentum"}
    if name == "lookahead":
        arguments |= {"learning_rate", "momentum"}
    assert arguments == {"learning_rate", *rule.numbers}
    assert len(set(rule.numbers)) == len(rule.numbers)
    assert set(rule.numbers) <= set(NUMBERS)


def numbers_of(name):
    """Every number of a rule, far from its default."""
    return {number: (ELSEWHERE | MORE)[number] for number in RULES[name].numbers}


def of_optax(name, rate, numbers):
    """Optax's optimizer of the name, told without the table."""
    given = dict(numbers)
    if name == "momentum_ema":
        ema = optax.ema(given["decay"], debias=False)
        return optax.chain(ema, optax.scale_by_learning_rate(rate))
    if name == "lookahead":
        ball = optax.sgd(rate, given.pop("momentum"))
        return optax.lookahead(ball, int(given["sync_period"]), given["slow_step_size"])
    if name in ("momentum", "nesterov"):
        return optax.sgd(rate, given["momentum"], nesterov=name == "nesterov")
    return getattr(optax, name)(rate, **given, **({"key": 0} if name == "noisy_sgd" else {}))


def lane_params(name, hyper, problem, order):
    """What the steps of a sweep's lane end with."""
    lane = study.lane(problem, {"model": "linear", "optimizer": name})
    hyper = jax.tree.map(jnp.float32, {"l2": 0.01, **hyper})
    state = lane.init(hyper, jax.random.key(0))
    for rows in order:
        state, _ = lane.step(hyper, state, training.take(problem.train, rows))
    return state.params


@pytest.mark.parametrize("name", RULES)
def test_a_lane_is_optaxs_optimizer_at_every_number(name):
    problem = make_problem("binary", 2, rows=40)
    order = jnp.asarray(np.random.default_rng(0).permutation(18)[:8].reshape(4, 2))
    hyper = {"learning_rate": 0.05, **numbers_of(name)}
    params = lane_params(name, hyper, problem, order)
    x, labels, _ = problem.train

    def risk(w, rows):
        logits = x[rows] @ w["w"] + w["b"]
        signed = jnp.where(labels[rows] == 1, -logits, logits)
        return jnp.mean(jax.nn.softplus(signed)) + 0.005 * w["w"] @ w["w"]

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        rule = of_optax(name, 0.05, numbers_of(name))
        w = {"w": jnp.zeros(3, jnp.float32), "b": jnp.zeros((), jnp.float32)}
        pair = optax.LookaheadParams.init_synced(w) if name == "lookahead" else w
        state = rule.init(pair)
        for rows in order:
            w = pair.fast if name == "lookahead" else pair
            updates, state = rule.update(jax.grad(risk)(w, rows), state, pair)
            pair = optax.apply_updates(pair, updates)
    w = pair.fast if name == "lookahead" else pair
    assert np.abs(w["w"]).max() > 1e-6 or name == "lars"
    np.testing.assert_allclose(params["w"], w["w"], rtol=2e-4, atol=1e-7)
    np.testing.assert_allclose(params["b"], w["b"], rtol=2e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, rule in RULES.items() for number in rule.numbers]
)
def test_every_number_can_be_swept(name, number):
    """As a range of the command it reaches the rule: another number, another step."""
    low, high, _ = NUMBERS[number]
    given = settings.Settings(optimizer=(name,), configs=4, **{number: (low, high)})
    settings.check(given)
    (group,) = planned(given).groups
    column = group.hypers[number]
    assert ((column >= low) & (column <= high)).all()
    assert len(set(column)) == 4
    others = {"momentum"} if RULES[name].memory not in (None, number, "momentum") else set()
    own = {"momentum"} & set(RULES[name].numbers) if RULES[name].memory else set()
    assert set(group.hypers) == {"learning_rate", "l2", "epochs", number} | others | own

    rng = np.random.default_rng(1)  # gradients of any sign, their size wandering
    grads = jnp.asarray(rng.normal(size=(12, 4)) * 10 ** rng.uniform(-1, 1, (12, 1)), jnp.float32)

    def walk(value):
        init, update = build(name, {"learning_rate": 0.02, number: value})
        w, walked = jnp.ones(4, jnp.float32), []
        state = init(w)
        for g in grads:
            updates, state = update(g, state, w)
            w = w + updates
            walked.append(updates)
        return jnp.array(walked)

    here = numbers_of(name)[number]
    there = {"threshold": 3.0, "max_step_size": 50.0, "min_step_size": 1e-6}.get(number, here / 3)
    one, other = jax.vmap(walk)(jnp.array([here, there]))
    assert not np.array_equal(one, other)


def test_momentum_is_the_memory_unless_that_is_given_by_its_name():
    def hypers(**asked):
        plan = planned(settings.Settings(configs=8, **asked))
        always = {"learning_rate", "l2", "epochs"}
        return {g.settings["optimizer"]: set(g.hypers) - always for g in plan.groups}

    assert hypers() == {"momentum": {"momentum"}}
    several = "momentum", "adam", "rmsprop", "sgd"
    assert hypers(optimizer=several) == {
        "momentum": {"momentum"},
        "adam": {"momentum"},
        "rmsprop": set(),
        "sgd": set(),
    }
    asked = hypers(optimizer=several, b1=(0.8, 0.9), b2=(0.9, 0.99), momentum=(0.5, 0.6))
    assert asked == {
        "momentum": {"momentum"},
        "adam": {"b1", "b2"},
        "rmsprop": {"momentum"},
        "sgd": set(),
    }


def test_memories_are_spread_by_what_they_forget_and_whole_numbers_are_whole():
    asked = settings.Settings(
        optimizer=("lookahead",), configs=64, momentum=(0.0, 0.5), sync_period=(2, 20)
    )
    (group,) = planned(asked).groups
    assert (group.hypers["momentum"] < 0.25).sum() == 32, "evenly, as ever"
    assert set(group.hypers["sync_period"] % 1) == {0}
    (group,) = planned(settings.Settings(optimizer=("adam",), configs=64, b2=(0.9, 0.999))).groups
    assert (group.hypers["b2"] < 0.99).sum() == 32


def test_a_result_says_which_numbers_each_lane_had(tmp_path, monkeypatch):
    import pandas as pd

    from experiments.sweep import run

    monkeypatch.setattr(run.page, "write", lambda path, *rest: path.write_text("a page"))
    args = "--data iris --configs 8 --epochs 2 --folds 3 --optimizer momentum adam --b2 0.9 0.999"
    assert __main__.main([*args.split(), "--out", str(tmp_path / "o")]) == 0
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    heard = lanes.groupby("optimizer")["b2"].agg(lambda b2: b2.notna().mean())
    assert heard.to_dict() == {"adam": 1.0, "momentum": 0.0}
    for _, rows in lanes.groupby("config"):
        assert rows[["learning_rate", "momentum", "l2"]].nunique().tolist() == [1, 1, 1]
