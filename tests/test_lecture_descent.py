"""The picture of gradient descent: its numbers are the library's, its file door, its controls."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.lecture import a08_descent
from jaxlr import Batch, losses, metrics, models, optimizers
from tests.lecture_browser import needs_chromium, played

pytestmark = [pytest.mark.float32_pass, needs_chromium]
SETS = a08_descent.play_sets()
STEPS = 120
MAKE = {
    "sgd": lambda rate: optimizers.sgd(rate),
    "momentum": lambda rate: optimizers.sgd(rate, momentum=0.9),
    "nesterov": lambda rate: optimizers.sgd(rate, momentum=0.9, nesterov=True),
    "momentum_ema": optimizers.momentum_ema,
    "adagrad": optimizers.adagrad,
    "adadelta": optimizers.adadelta,
    "rmsprop": optimizers.rmsprop,
    "adam": optimizers.adam,
}
POINTS = "{x1: s.x.map(r => r[0]), x2: s.x.map(r => r[1]), labels: s.labels}"


@pytest.fixture
def page(tmp_path):
    with played("descent", {"sets": SETS}, tmp_path) as opened:
        yield opened


def test_the_pictures_steps_are_those_of_the_library(page):
    theirs = page.evaluate(
        f"""([s, names, steps]) => names.map(name => play.trajectory({POINTS},
            {{optimizer: name, rate: 0.3, batch: 12, l2: 0.05, seed: 3}}, steps))""",
        [SETS["imbalanced"], list(MAKE), STEPS],
    )
    with jax.enable_x64(True):
        batch = Batch(*map(jnp.asarray, SETS["imbalanced"].values()))
        risk = losses.risk(models.linear, losses.log_loss, l2=0.05)
        for run, make in zip(theirs, MAKE.values(), strict=True):
            params, seen = a08_descent.trajectory(risk, make(0.3), batch, jnp.asarray(run["order"]))
            path = np.column_stack([params["w"], params["b"]])
            np.testing.assert_allclose(run["params"], path, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(run["losses"], seen, rtol=1e-6)
            end = jax.tree.map(lambda leaf: leaf[-1], params)
            assert run["risks"][-1] == pytest.approx(float(risk(end, batch)), rel=1e-6)
