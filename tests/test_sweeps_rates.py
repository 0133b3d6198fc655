"""Learning rates along a run, beside optax's, and as numbers of lanes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

from experiments.sweep import __main__
from jaxlr import losses, models, optimizers, sweeps, training
from tests.test_sweeps_plan import BATCH, ORDER, C, D


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("final", [0.0, 0.3, 1.0])
def test_the_rate_is_optaxs(warmup, final):
    steps, peak = 40, 0.7
    theirs = optax.warmup_cosine_decay_schedule(
        0.0 if warmup else peak, peak, round(warmup * steps), steps, final * peak
    )
    ours = jax.jit(
        lambda peak, warmup, final: jax.vmap(
            sweeps.warmup_cosine(peak, steps, warmup=warmup, final=final)
        )(jnp.arange(steps))
    )
    found = ours(*(jnp.asarray(number, float) for number in (peak, warmup, final)))
    with jax.numpy_dtype_promotion("standard"):
        wanted = np.array([theirs(step) for step in range(steps)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.once
def test_every_lane_has_its_own_rates():
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)

    def optimizer(hyper):
        rate = sweeps.warmup_cosine(
            hyper["peak"], len(ORDER), warmup=hyper["warmup"], final=hyper["final"]
        )
        return optimizers.sgd(rate, 0.9)

    lane = sweeps.descent(
        lambda key: models.init_linear(D, C), lambda hyper: risk, optimizer, lambda p, b: {}
    )
    hypers = {"peak": [0.3, 0.3, 0.1], "warmup": [0.0, 0.5, 0.2], "final": [1.0, 0.0, 0.5]}
    swept = sweeps.run(lane, sweeps.cross(hypers), BATCH, ORDER)
    for i in (0, 1):
        hyper = {name: column[i] for name, column in hypers.items()}
        alone = training.fit(risk, optimizer(hyper), models.init_linear(D, C), BATCH, ORDER)
        np.testing.assert_allclose(swept.state.params["w"][i], alone.params["w"], rtol=1e-4)
    assert np.abs(swept.state.params["w"][0] - swept.state.params["w"][1]).max() > 1e-3


@pytest.mark.once
def test_a_command_sweeps_them(tmp_path, capsys, no_page):
    typed = "--data iris --configs 4 --epochs 2 --folds 3 --warmup 0 0.5 --final-rate 0 1"
    assert __main__.main([*typed.split(), "--out", str(tmp_path / "o")]) == 0
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    assert lanes["warmup"].between(0, 0.5).all()
    assert lanes["final_rate"].nunique() == 4
    assert "final rate" in capsys.readouterr().out
    assert __main__.main(["--warmup", "0", "1", "--out", str(tmp_path / "p")]) == 2
    assert "--warmup 0 1: shares, so 0 <= LOW <= HIGH <= 0.99" in capsys.readouterr().err
