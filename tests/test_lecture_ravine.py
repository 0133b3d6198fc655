"""The optimizers that the lectures' pages run in the browser are jaxlr's, step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import optimizers
from tests.lecture_browser import needs_chromium, played
from tests.test_optimizers_trajectories import walk

pytestmark = [pytest.mark.float64_pass, needs_chromium]

# What the page is asked for beside the same optimizer of the library.
CASES = [
    ("sgd", {"learning_rate": 0.3}, optimizers.sgd(0.3)),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.7}, optimizers.sgd(0.3, 0.7)),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.0}, optimizers.sgd(0.3, 0.0)),
    ("momentum", {"learning_rate": 0.3}, optimizers.sgd(0.3, 0.9)),
    ("nesterov", {"learning_rate": 0.3}, optimizers.sgd(0.3, 0.9, nesterov=True)),
    ("momentum_ema", {"learning_rate": 0.3}, optimizers.momentum_ema(0.3)),
    ("momentum_ema", {"learning_rate": 0.3, "decay": 0.5}, optimizers.momentum_ema(0.3, 0.5)),
    ("adagrad", {"learning_rate": 0.3}, optimizers.adagrad(0.3)),
    (
        "adagrad",
        {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "eps": 1e-3},
        optimizers.adagrad(0.3, 0.0, 1e-3),
    ),
    ("adadelta", {}, optimizers.adadelta()),
    (
        "adadelta",
        {"learning_rate": 0.3, "rho": 0.7, "eps": 1e-3},
        optimizers.adadelta(0.3, 0.7, 1e-3),
    ),
    ("rmsprop", {"learning_rate": 0.3}, optimizers.rmsprop(0.3)),
    (
        "rmsprop",
        {"learning_rate": 0.3, "decay": 0.5, "eps": 1e-2, "eps_in_sqrt": False},
        optimizers.rmsprop(0.3, 0.5, 1e-2, eps_in_sqrt=False),
    ),
    ("adam", {"learning_rate": 0.3}, optimizers.adam(0.3)),
    (
        "adam",
        {"learning_rate": 0.3, "b1": 0.8, "b2": 0.7, "eps": 1e-2, "eps_root": 1e-3},
        optimizers.adam(0.3, 0.8, 0.7, 1e-2, 1e-3),
    ),
]

WALK = """async ([cases, params, grads]) => {
  const { optimizer } = await import("lecture/optimizers");
  return cases.map(([name, hyper]) => {
    const { init, update } = optimizer(name, hyper);
    let state = init(params), updates;
    return grads.map((g) => { [updates, state] = update(g, state, params); return updates; });
  });
}"""


def test_the_pages_optimizers_take_the_librarys_steps(tmp_path):
    rng = np.random.default_rng(3)
    grads = rng.normal(size=(60, 5)) * 10.0 ** rng.uniform(-3, 3, (60, 1))
    grads[rng.random(grads.shape) < 0.2] = 0.0
    grads[:5, 0] = 0.0  # a coordinate that nothing has moved yet
    params = jnp.zeros(5)
    ours = jax.jit(lambda w, g: [walk(case[2], w, g) for case in CASES])(params, jnp.asarray(grads))
    asked = [case[:2] for case in CASES]
    with played("ravine", {}, tmp_path) as page:
        theirs = page.evaluate(WALK, [asked, params.tolist(), grads.tolist()])
    for case, our, their in zip(asked, ours, theirs, strict=True):
        np.testing.assert_allclose(their, our, rtol=1e-6, atol=1e-12, err_msg=str(case))


def test_each_name_is_an_optimizer_with_two_labels_and_numbers_that_it_takes(tmp_path):
    with played("ravine", {}, tmp_path) as page:
        names = page.evaluate('import("lecture/optimizers").then((m) => m.names)')
    assert list(names) == list(dict.fromkeys(case[0] for case in CASES))
    for name in names.values():
        assert len(name["label"]) == 2
        assert "learning_rate" in name["takes"]
