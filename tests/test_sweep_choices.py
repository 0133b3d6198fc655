"""Choices of a sweep: numbers of epochs that share a program, and shapes of mlps that don't."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from experiments.kit import saved
from experiments.kit.clock import Clock
from experiments.sweep import __main__, choices, plan, run, study
from experiments.sweep.settings import Settings
from jaxlr import data

pytestmark = pytest.mark.usefixtures("no_page")
FAST = {"data": "iris", "configs": 16, "folds": 2, "batch_size": (20,)}
RATES = {"warmup": (0.1, 0.4), "final_rate": (0.0, 0.5)}


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.mark.once
def test_evaluations_are_as_many_as_every_number_of_epochs_allows():
    rng = np.random.default_rng(0)
    for _ in range(200):
        epochs = (rng.integers(1, 13, rng.integers(1, 4)) * rng.integers(1, 9)).tolist()
        longest = max(epochs)
        possible = [
            num
            for num in range(1, 21)
            if all(number * num / longest == number * num // longest for number in epochs)
            and longest / num == longest // num
        ]
        assert choices.num_evaluations(*epochs) == max(possible, default=0)
    assert [choices.num_evaluations(*each) for each in ((37,), (10, 20, 40), (7, 40))] == [1, 20, 0]


def found(problem, made, folds):
    return study.concluded(problem, made, *study.trained(problem, made, folds), "best")


@pytest.fixture(scope="module")
def ragged():
    """(settings, problem, fold weights, plan, findings) of 16 configurations of 2, 4 or 8."""
    settings = Settings(**FAST, **RATES, epochs=(4, 8, 2))
    problem, folds, made, _ = run.prepared(settings, Clock())
    return settings, problem, folds, made, found(problem, made, folds)


def test_a_lane_of_few_epochs_is_the_lane_of_a_sweep_of_so_few(ragged):
    settings, problem, folds, made, findings = ragged
    lanes = findings.lanes
    assert made.lengths == [2, 4, 8]
    assert set(lanes["status"]) == {"done"}
    for epochs in (2, 4):
        alone = found(problem, plan.planned(replace(settings, epochs=(epochs,))), folds)
        few = (lanes["epochs"] == epochs).to_numpy()
        assert few.sum() >= 8
        mine = lanes[few].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            mine, alone.lanes[few].reset_index(drop=True), check_exact=True
        )
        for name, lines in findings.curves.items():
            np.testing.assert_array_equal(lines[few, :epochs], alone.curves[name][few])
            assert np.isnan(lines[few, epochs:]).all()
            assert np.isfinite(lines[lanes["epochs"] == 8]).all()


def by_optax(problem, row, order, weights):
    """The params of one lane along order [T, B], by optax and a rate written down again."""
    share = np.arange(len(order)) / len(order)
    falling = np.cos(np.pi * (share - row["warmup"]) / (1 - row["warmup"]))
    rate = row["final_rate"] + (1 - row["final_rate"]) * (1 + falling) / 2
    rate = np.where(share < row["warmup"], share / row["warmup"], rate)
    rate = jnp.asarray(row["learning_rate"] * rate, jnp.float32)
    rule = optax.sgd(lambda step: rate[step], float(row["momentum"]))
    x, labels, _ = problem.train

    def risk(params, rows):
        logits = x[rows] @ params["w"] + params["b"][None]
        told = optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows])
        mean = jnp.sum(weights[rows] * told) / jnp.sum(weights[rows])
        return mean + float(row["l2"]) / 2 * jnp.sum(params["w"] ** 2)

    def step(carry, rows):
        params, state = carry
        updates, state = rule.update(jax.grad(risk)(params, rows), state)
        return (optax.apply_updates(params, updates), state), None

    params = {"w": jnp.zeros((4, 3), jnp.float32), "b": jnp.zeros(3, jnp.float32)}
    with jax.numpy_dtype_promotion("standard"):
        return jax.lax.scan(step, (params, rule.init(params)), order)[0][0]


def test_rates_run_along_a_lane_s_own_steps_and_so_does_the_refit(ragged):
    _, problem, folds, made, findings = ragged
    lanes, configs = findings.lanes, findings.configs
    x, labels, _ = map(np.asarray, problem.train)  # whose weights are 1
    for epochs in (2, 8):
        row = lanes[lanes["epochs"] == epochs].iloc[-1]
        order = data.epochs(jax.random.key(0), len(x), 20, epochs)
        params = by_optax(problem, row, order, folds[row["fold"]])
        logits = x @ np.asarray(params["w"]) + np.asarray(params["b"])
        held_out = 1 - np.asarray(folds[row["fold"]])
        loss = log_loss(labels, softmax(logits, axis=1), sample_weight=held_out)
        assert row["val_log_loss"] == pytest.approx(loss, rel=1e-4)
        chosen = configs[configs["config"] == row["config"]].iloc[0].to_dict()
        refitted = study.tested(problem, made, chosen).params
        whole = by_optax(problem, row, order, problem.train.weights)
        np.testing.assert_allclose(refitted["w"], whole["w"], rtol=1e-4, atol=1e-5)


def counted(*args):
    """How often the segment of a sweep was compiled by a command."""
    seen = []

    def heard(event, _, **of):
        if event.endswith("backend_compile_duration") and of.get("fun_name") == "jit(segment)":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        assert main(*args) == 0
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    return len(seen)


@pytest.mark.once
def test_shapes_are_compiled_once_each_and_a_linear_model_has_none(tmp_path, capsys):
    typed = "--data wine --configs 16 --folds 2 --epochs 2 1 --optimizer sgd --model linear mlp"
    asked = [*typed.split(), "--hidden", "3", "4x2", "--batch-size", 35]
    assert counted(*asked, "--plan") == 3
    told = capsys.readouterr().out
    assert "32 lanes in 3 groups" in told
    assert "of 3 compiled programs" in told
    assert "without what lanes of fewer epochs save" in told
    out = tmp_path / "o"
    assert counted(*asked, "--out", out) == 1, "the refit: the plan's programs are there"
    told = capsys.readouterr().out
    assert "16 configurations x 2 folds, 1 and 2 epochs, 3 compiled programs" in told
    summary = json.loads((out / "summary.json").read_text())
    assert summary["num_compilations"] == 3
    assert summary["settings"]["hidden"] == ["3", "4x2"]
    lanes = pd.read_parquet(out / "results.parquet")
    assert set(lanes["status"]) == {"done"}
    shapes = lanes.groupby(["model", "hidden"])["epochs"].unique().map(sorted)
    assert shapes.to_dict() == {
        ("linear", ""): [1, 2],
        ("mlp", "3"): [1, 2],
        ("mlp", "4x2"): [1, 2],
    }
    best, model = summary["best"], saved.load(out / "model.npz")
    assert f"epochs {best['epochs']}" in told
    stages = [model.params] if model.is_linear else model.params
    widths = [stage["w"].shape[1] for stage in stages]
    assert widths == [*map(int, filter(None, best["hidden"].split("x"))), 3]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            "--epochs 7 40",
            "--epochs 7 40: too little in common to be evaluated together, 20 times at most; take"
            " multiples of 2, like 8 40\n",
        ),
        ("--epochs 0 40", "--epochs 0: must be at least 1\n"),
        ("--epochs", "--epochs: give at least one number of passes"),
        (
            "--model mlp --hidden 32 3x",
            "--hidden 3x: give widths of at least 1, joined by x, like 32 or 64x32\n",
        ),
        ("--hidden 8", "--hidden 8: goes with --model mlp; leave it out\n"),
        ("--hidden 0", "--hidden 0: give widths of at least 1"),
        ("--hidden 8x-1", "--hidden 8x-1: give widths of at least 1"),
        ("--hidden", "--hidden: give at least one shape, like 32 or 64x32"),
        (
            "--epochs 10 20 --schedule halving",
            "--schedule halving: says how long a configuration trains, as several --epochs do; give"
            " one number of epochs\n",
        ),
    ],
)
def test_mistakes_are_one_line(args, said, tmp_path, capsys):
    assert main(*args.split(), "--out", tmp_path / "o") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told
    assert not list(tmp_path.iterdir())
