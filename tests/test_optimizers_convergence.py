"""Every optimizer gets to the minimum of a parabola, of Rosenbrock's valley, of a logistic risk."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import optimizers
from tests.test_optimizers import PLAIN, VARIANTS

pytestmark = pytest.mark.once  # float32 throughout
NUM_STEPS = 1500
RATES = np.logspace(-4, 3, 29)  # lars multiplies its rate by 0.001, adadelta starts from 0.001
RUNS = PLAIN + [case for case in VARIANTS if case.name == "sgd" and not case.flags]


@functools.cache
def examples():
    """[40, 3] features and ±1 labels with some noise: not separable."""
    random = np.random.default_rng(4)
    x = random.normal(size=(40, 3))
    return x, np.where(x @ [1.0, -2.0, 0.5] + random.normal(size=40) > 0, 1.0, -1.0)


def parabola(w):
    """Condition number 10, minimum 0 at (1, -1)."""
    return 0.5 * (10 * (w[0] - 1) ** 2 + (w[1] + 1) ** 2)


def rosenbrock(w):
    """Minimum 0 at (1, 1), at the end of a bent valley."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def logistic(w):
    """Mean logistic loss, in nats."""
    x, y = examples()
    return jnp.mean(jnp.logaddexp(0.0, -jnp.asarray(y, w.dtype) * (jnp.asarray(x, w.dtype) @ w)))


@functools.cache
def logistic_minimum():
    """By Newton's method in numpy and float64."""
    x, y = examples()
    w = np.zeros(3)
    for _ in range(30):
        p = 1 / (1 + np.exp(y * (x @ w)))
        w += np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y * p))
    return np.mean(np.logaddexp(0, -y * (x @ w)))


START = {"parabola": [2.0, 2.0], "rosenbrock": [-1.2, 1.0], "logistic": [0.5, 0.5, 0.5]}
PROBLEMS = {"parabola": parabola, "rosenbrock": rosenbrock, "logistic": logistic}


def risks(params):
    return {name: PROBLEMS[name](w) for name, w in params.items()}


def last_risks(case, rate):
    """Risks at the end of one run of all three problems: a leaf knows nothing of the others."""

    def fading(count):
        return rate * (1 - count.astype(jnp.float32) / NUM_STEPS)

    def step(carry, _):
        params, state = carry
        grads = jax.grad(lambda p: sum(risks(p).values()))(params)
        updates, state = optimizer.update(grads, state, params)
        return (jax.tree.map(jnp.add, params, updates), state), None

    optimizer = case.make(optimizers, rate if case.name == "rprop" else fading)
    params = {name: jnp.array(w, jnp.float32) for name, w in START.items()}
    start = (params, optimizer.init(params))
    (params, _), _ = jax.lax.scan(step, start, length=NUM_STEPS)
    return risks(params)


@pytest.mark.parametrize("case", RUNS, ids=str)
def test_some_learning_rate_leads_to_the_minimum(case):
    lanes = jax.jit(jax.vmap(functools.partial(last_risks, case)))(jnp.asarray(RATES, jnp.float32))
    best = {name: np.nanmin(risk) for name, risk in lanes.items()}
    assert best["parabola"] < 1e-6  # from 9.5
    # From 24.2. Radam does not normalise its first five steps, down a slope of 230.
    assert best["rosenbrock"] < (1.0 if case.name == "radam" else 0.03)
    assert abs(best["logistic"] - logistic_minimum()) < 1e-5
